import { onTestFinished } from 'vitest';
import { githubClient } from '../../lib/adapters/github-client.ts';
import { githubForge } from '../../lib/adapters/github-forge.ts';
import { githubTracker } from '../../lib/adapters/github-tracker.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import { t3Client } from '../../lib/adapters/t3-client.ts';
import type { IssueRef, RepoRef } from '../../lib/core/issue.ts';
import { PortError, type Ports } from '../../lib/ports.ts';
import type { Issue, Repo } from '../../lib/sandbox/github-state.ts';
import { t3Server } from '../../lib/sandbox/t3-server.ts';
import { type SettledWorld, worldPorts } from '../../lib/sandbox/world-ports.ts';
import { validatedGithub } from '../support/github-stand-in.ts';

export type Face = Pick<Ports, 'tracker' | 'forge' | 'executor'>;

/** The account both faces are looked through, and the tokens it has. */
export const viewer = { login: 'afk-bot', github: 'afk-token', t3: 't3-token' } as const;

const unlimited = {
  ...{ restPerHour: 1e9, graphqlPerHour: 1e9, restPointsPerMinute: 1e9, graphqlPointsPerMinute: 1e9 },
  ...{ writesPerMinute: 1e9, writesPerHour: 1e9 },
};

/** The ports on the world's own state. */
export const directFace = (world: SettledWorld, now: () => number): Face =>
  worldPorts(world, { now, login: viewer.login });

/** The real adapters over HTTP to the stand-ins for the same world, until `close`. */
export const servedFace = async (
  world: SettledWorld,
  now: () => number,
): Promise<Face & { close: () => Promise<void> }> => {
  const present = (): number => {
    world.settle(now());
    return now();
  };
  const github = await validatedGithub(world.github, { now: present, limits: unlimited });
  const t3 = await t3Server(world.t3, { now: present });
  const client = githubClient({ token: viewer.github, baseUrl: github.url, writeSpacingMs: 0, now });
  const watched = watchMemory(now);
  return {
    tracker: githubTracker({ client, watched }),
    forge: githubForge({ client, watched }),
    executor: t3Client({ url: t3.url, token: viewer.t3 }),
    close: async () => {
      await Promise.all([github.close(), t3.close()]);
    },
  };
};

/** The same until the running test is over. */
export const servedForTest = async (world: SettledWorld, now: () => number): Promise<Face> => {
  const { close, ...face } = await servedFace(world, now);
  onTestFinished(close);
  return face;
};

/** What a call came to: its value, or its refusal with all that callers look at. */
export const outcomeOf = async (call: () => Promise<unknown>): Promise<unknown> => {
  try {
    return { value: await call() };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return { thrown: error.kind, message: error.message, notBefore: error.notBefore };
  }
};

export const refOf = ({ id, nodeId, name }: Repo): RepoRef => ({ host: 'github.com', id: String(id), nodeId, name });
export const issueRef = (repo: RepoRef, { number, nodeId }: Pick<Issue, 'number' | 'nodeId'>): IssueRef => ({
  repo,
  number,
  nodeId,
});

/** A repo and an issue that never were. */
const nowhere: RepoRef = { host: 'github.com', id: '999999', nodeId: 'R_kgDOnowhere', name: 'acme/nowhere' };

/** What the reads below ask about, some of which may be gone. */
export type Asked = { repos: readonly RepoRef[]; issues: readonly IssueRef[]; runId: string };

type Calls = (readonly [name: string, call: () => Promise<unknown>])[];

/** Everything of the world that a face can be asked for, call by call under a name of its own. */
export const everyRead = (world: SettledWorld, asked: Asked, face: Face): Calls => {
  const { state } = world.github;
  const { tracker, forge } = face;
  const repos = [...asked.repos, nowhere];
  const issues = [...asked.issues, issueRef(nowhere, { number: 1, nodeId: 'I_kgDOnowhere' })];
  const names = [...state.names.keys(), 'acme/none', 'acme', './shop'];
  const logins = [...state.accounts.keys(), 'nobody', '', '..', '../../user'];
  const refs = [
    ...issues.map(({ repo, number }) => `${repo.name}#${number}`),
    'acme/shop#9999',
    'no ref',
    'ACME/Gone#1',
  ];
  return [
    ...movingReads(world, asked, face),
    ['scan', () => tracker.scan(repos, 'READY-for-agent')],
    ['blockers', () => tracker.blockerStates(refs)],
    ...names.map((name) => [`resolve ${name}`, () => tracker.resolve(name)] as const),
    ...repos.flatMap((repo): Calls => {
      const known = state.repos.get(Number(repo.id));
      return [
        ...(permitting.has(repo.name) ? logins : logins.slice(0, 2)).map(
          (login) => [`permission ${repo.name} ${login}`, () => tracker.permission(repo, login)] as const,
        ),
        ...['ready-for-agent', 'a,b'].flatMap(
          (label): Calls => [
            [`listReady ${repo.name} ${label}`, () => tracker.listReady(repo, label)],
            [`listLabelled ${repo.name} ${label}`, () => tracker.listLabelled(repo, label)],
          ],
        ),
        ...landings(known, repo, asked.runId, forge),
      ];
    }),
    ...issues.flatMap((issue): Calls => {
      const name = `${issue.repo.name}#${issue.number}`;
      return [
        [`detail ${name}`, () => tracker.detail(issue, 'ready-for-agent')],
        [`watch ${name}`, () => tracker.watch(issue)],
        [`elsewhere ${name}`, () => forge.elsewhere(issue.repo, { issue: issue.number, runId: asked.runId })],
        ...[null, 11].map(
          (known) =>
            [
              `pull ${name} ${known}`,
              () => forge.pull(issue.repo, { issue: issue.number, runId: asked.runId, branch: 'main', known }),
            ] as const,
        ),
      ];
    }),
  ];
};

const permitting: ReadonlySet<string> = new Set(['acme/shop', 'acme/secret']);

/** What changes by itself as time passes. */
export const movingReads = (world: SettledWorld, asked: Asked, { forge, executor }: Face): Calls => [
  ['look', () => executor.look()],
  ['health', () => executor.health()],
  ...[...world.t3.threads(), { id: 'no-thread' }].flatMap(
    ({ id }): Calls => [
      [`thread ${id}`, () => executor.detail(id)],
      [`whereabouts ${id}`, () => executor.whereabouts(id)],
    ],
  ),
  ...[...asked.repos, nowhere].flatMap((repo) =>
    tipsOf(world.github.state.repos.get(Number(repo.id))).flatMap((sha) =>
      [[], ['production', 'staging']].map(
        (environments) =>
          [
            `ci ${repo.name} ${sha} ${environments}`,
            () => forge.ci(repo, { sha, hasDescendant: false, environments }),
          ] as const,
      ),
    ),
  ),
  ...[...asked.repos, nowhere].flatMap((repo) =>
    tipsOf(world.github.state.repos.get(Number(repo.id))).map(
      (sha) => [`said ${repo.name} ${sha}`, () => forge.said(repo, { sha, names: reporting })] as const,
    ),
  ),
];

/** Names of checks and statuses that the stories know, and one that they do not. */
const reporting = ['check 0', 'check 1', 'status 0', 'status 1', 's99', 's100', 'no such check'];

const tipsOf = (repo: Repo | undefined): readonly string[] => [
  ...new Set([...(repo?.activity.map(({ after }) => after) ?? []).slice(-3), 'f'.repeat(40)]),
];

const landings = (known: Repo | undefined, repo: RepoRef, runId: string, forge: Face['forge']): Calls => {
  const [first = 'a'.repeat(40)] = known?.commits.keys() ?? [];
  const branch = known?.defaultBranch ?? 'main';
  return [first, known?.activity[0]?.after ?? first, 'b'.repeat(40)].flatMap((base) =>
    tipsOf(known).map(
      (head) =>
        [
          `landing ${repo.name} ${base}...${head} ${runId}`,
          () => forge.landing(repo, { base, branch, head, runId }),
        ] as const,
    ),
  );
};

/** Each call's name with what it came to, one after the other. */
export const answersTo = async (calls: Calls): Promise<Record<string, unknown>> => {
  const answers: Record<string, unknown> = {};
  for (const [name, call] of calls) answers[name] = await outcomeOf(call);
  return answers;
};
