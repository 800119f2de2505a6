import { type AgentName, agentOf, WorldAct } from './agents.ts';
import type { Ci, DeployPlan } from './github-ci.ts';
import type { RepoOptions } from './github-people.ts';
import { GithubRefusal } from './github-refusal.ts';
import { type Repo, repoOf } from './github-state.ts';
import { githubWorld } from './github-world.ts';
import { peopleAtWork } from './people-at-work.ts';
import type { AgentScript, AgentTurn } from './t3-agent-script.ts';
import { t3World } from './t3-world.ts';

/** An agent by its name, or by what it does with each turn: a pure function. */
export type Agent = AgentName | ((turn: AgentTurn) => AgentScript);

/** Which agent an issue will get, by `owner/name#n`. */
export type Cast = ReadonlyMap<string, Agent>;

/**
 * One world: GitHub and T3 in the same virtual time, joined by what agents push. Nothing happens but by `settle`,
 * which every read of either face does first.
 */
export const sandboxWorld = (options: {
  at: number;
  token: string;
  cast: Cast;
  checkouts?: (path: string) => boolean;
}) => {
  const github = githubWorld({ at: options.at });
  // What CI will find of the next push to a repo; read by the repo's CI within that very push.
  const verdicts = new Map<Repo['id'], WorldAct['ci']>();
  // Branches that have, or will have, a pull request: their pushes are checked, too.
  const proposed = new Set<string>();
  const people = peopleAtWork(agentLogin);

  const t3 = t3World({
    token: options.token,
    ...(options.checkouts && { checkouts: options.checkouts }),
    agentOf: (turn) => {
      const issue = issueOf(turn.threadTitle);
      const agent = issue === null ? undefined : options.cast.get(issue.key);
      if (agent === undefined || issue === null) return { starts: 'never' };
      return typeof agent === 'function' ? agent(turn) : agentOf(agent, issue.number, turn);
    },
    perform: (act, { threadId, at }) => {
      try {
        performed(act, { threadId, at });
      } catch (error) {
        // What GitHub refuses an agent, such as a push to an archived repo, did not happen.
        if (!(error instanceof GithubRefusal)) throw error;
      }
    },
  });

  const performed = (act: unknown, { threadId, at }: { threadId: string; at: number }): void => {
    const thread = t3.threads().find((one) => one.id === threadId);
    const issue = issueOf(thread?.title ?? '');
    const { push, ci, branch, onTop, pull } = WorldAct.parse(act);
    if (issue === null) throw new Error(`no issue in the title of thread ${threadId}`);
    const repo = repoOf(github.state, issue.repo);
    // GitHub refuses the push, and the agent has to live with it.
    if (branch === undefined && isRuled(repo)) return;
    if (branch !== undefined && pull !== undefined) proposed.add(`${repo.id}:${branch}`);
    verdicts.set(repo.id, ci);
    if (onTop === true)
      github.push(
        issue.repo,
        { branch: 'colleague', actor: agentLogin, commits: [{ message: 'docs: a colleague’s page' }] },
        at,
      );
    github.push(
      issue.repo,
      {
        actor: agentLogin,
        ...(branch !== undefined && { branch }),
        commits: push.map((message) => ({ message })),
        ...(onTop === true && { mergeOnTop: 'colleague' }),
      },
      at,
    );
    if (branch === undefined || pull === undefined) return;
    verdicts.set(repo.id, pull.onMain ?? 'green');
    people.propose(github, { repo: issue.repo, branch, pull }, at);
  };

  /** CI of four minutes on the default branch and on pull requests, with whatever verdict the agent's script foresees. */
  const ciOf =
    (repo: () => Repo): Ci =>
    ({ branch }) => {
      const { id, defaultBranch } = repo();
      if (branch !== defaultBranch && !proposed.has(`${id}:${branch}`)) return [];
      const verdict = verdicts.get(id) ?? 'green';
      const event = branch === defaultBranch ? 'push' : 'pull_request';
      return [
        {
          kind: 'check',
          name: 'test',
          event,
          startsAfterMs: 20_000,
          endsAfterMs: 240_000,
          conclusion: verdict === 'green' ? 'success' : 'failure',
          ...(verdict === 'red' && { says: whatFailed }),
        },
        { kind: 'check', name: 'lint', event, startsAfterMs: 20_000, endsAfterMs: 80_000, conclusion: 'success' },
      ];
    };

  const deploysOf =
    (repo: () => Repo) =>
    ({ branch }: { branch: string }): readonly DeployPlan[] =>
      branch === repo().defaultBranch && (verdicts.get(repo().id) ?? 'green') === 'green'
        ? [
            {
              environment: 'production',
              afterMs: 250_000,
              states: [
                { afterMs: 260_000, state: 'in_progress' },
                { afterMs: 400_000, state: 'success' },
              ],
            },
          ]
        : [];

  /** Lets everything due up to `until` happen in both halves, in the order of time. */
  const settle = (until: number): void => {
    for (;;) {
      const [at, half] = nextOf(t3.nextAt(), github.nextAt(), people.nextAt());
      if (at === null || at > until) break;
      if (half === 't3') t3.settle(at);
      else github.settle(at);
      if (half === 'people') people.act(github, at);
    }
    t3.settle(until);
    github.settle(until);
  };

  /** A repo with people, CI that has spoken before, and, where asked for, a deployment of every green push. */
  const addRepo = (
    name: string,
    options: { permissions: RepoOptions['permissions']; deploys?: boolean; laterCi?: Ci },
    at: number,
  ): void => {
    const here = (): Repo => added;
    const ci = ciOf(here);
    const added = github.addRepo(
      name,
      {
        ...(options.permissions && { permissions: options.permissions }),
        // CI that has spoken before is what makes a repo workable; what becomes of it later is another matter.
        ci: (push) => (push.number === 1 ? ci(push) : (options.laterCi ?? ci)(push)),
        ...(options.deploys === true && { deploys: deploysOf(here) }),
      },
      at,
    );
    verdicts.set(added.id, 'green');
    github.push(name, { actor: 'maintainer', commits: [{ message: 'ci: test every push' }] }, at);
  };

  /** What CI will find of the next push to a repo, where somebody else than an agent makes it. */
  const nextCi = (name: string, found: WorldAct['ci']): void => {
    verdicts.set(repoOf(github.state, name).id, found);
  };

  return { github, t3, addRepo, nextCi, settle };
};

export type SandboxWorld = ReturnType<typeof sandboxWorld>;

/** What a red check reports of itself: title, summary, text. */
const whatFailed = `1 of 214 tests failed
npm test ended with exit code 1.

FAIL test/index.test.ts > the steps of the report
AssertionError: expected 90, received 100`;

/** The account the sandbox's agents push as. */
export const agentLogin = 'agent-bot';

type Half = 't3' | 'github' | 'people';

const nextOf = (t3At: number | null, githubAt: number | null, peopleAt: number | null): [number | null, Half] => {
  const all: [number | null, Half][] = [
    [t3At, 't3'],
    [githubAt, 'github'],
    [peopleAt, 'people'],
  ];
  return all.reduce((first, one) => (one[0] !== null && (first[0] === null || one[0] < first[0]) ? one : first));
};

// Whatever a rule is, a direct push does not comply with it.
const isRuled = ({ rules: { classic: _, ...rules } }: Repo): boolean =>
  Object.values(rules).some((rule) => (typeof rule === 'boolean' ? rule : rule.length > 0));

/** Threads are titled `owner/name#n: title`. */
const issueOf = (title: string): { repo: string; number: number; key: string } | null => {
  const match = /^([\w.-]+\/[\w.-]+)#(\d+): /.exec(title);
  if (match?.[1] === undefined) return null;
  return { repo: match[1], number: Number(match[2]), key: `${match[1]}#${match[2]}` };
};
