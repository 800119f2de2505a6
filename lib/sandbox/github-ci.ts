import { nodeIdOf } from './github-ids.ts';
import type { Deployment, Repo, State, Suite, Unfinished } from './github-state.ts';
import { accountOf, advance, identity, nextId, repoOf } from './github-state.ts';

/** The last commit of a push, as its CI sees it; `number` counts the repository's pushes from 1. */
export type PushSeen = { sha: string; message: string; branch: string; number: number };

/**
 * One report to come; offsets in milliseconds from the push. A check is queued from `queuedAfterMs`, in progress from
 * `startsAfterMs` (or as `unfinished` says), and completed at `endsAfterMs`, or never. A `suite` is a workflow
 * that has no runs, or none before later reports bring some: queued, and over at `endsAfterMs`, or never. `file` tells workflows of one
 * name apart. `says` is what a check reports of itself when it is over, and a status at once.
 */
export type CheckPlan =
  | {
      kind: 'check';
      name: string;
      app?: string;
      workflow?: string;
      file?: string;
      event?: string;
      queuedAfterMs?: number;
      startsAfterMs: number;
      endsAfterMs?: number;
      conclusion?: string;
      unfinished?: Unfinished;
      says?: string;
    }
  | { kind: 'status'; context: string; afterMs: number; state: string; creator?: string; says?: string }
  | {
      kind: 'suite';
      app: string;
      workflow?: string;
      file?: string;
      event?: string;
      afterMs?: number;
      endsAfterMs?: number;
      conclusion?: string;
    };

/** One deployment to come, of the pushed commit unless `sha` says otherwise; offsets from the push. */
export type DeployPlan = {
  environment: string;
  afterMs: number;
  states: readonly { afterMs: number; state: string }[];
  sha?: string;
  creator?: string;
};

/** What a repository's CI and deployments do about a push. Pure functions of the push. */
export type Ci = (push: PushSeen) => readonly CheckPlan[];
export type Deploys = (push: PushSeen) => readonly DeployPlan[];

const actions = 'github-actions';
const skips = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|^skip-checks:\s*true$/im;

/** Reports are settled into the world when planned, with the instants at which they become visible. */
const due = (state: State, instants: readonly number[]): void => {
  const fresh = instants.filter((at) => at > state.at && !state.due.includes(at));
  state.due = [...state.due, ...new Set(fresh)].sort((a, b) => a - b);
};

const suiteFor = (
  state: State,
  repo: Repo,
  about: Pick<Suite, 'sha' | 'branch' | 'app' | 'workflow' | 'file' | 'event'> & { at: number },
): Suite => {
  const known = repo.suites.findLast(
    (suite) =>
      suite.sha === about.sha &&
      suite.app === about.app &&
      suite.workflow === about.workflow &&
      suite.file === about.file &&
      suite.event === about.event,
  );
  if (known === undefined) return newSuite(state, repo, about);
  known.createdAt = Math.min(known.createdAt, about.at);
  return known;
};

const newSuite = (
  state: State,
  repo: Repo,
  { at, ...rest }: Parameters<typeof suiteFor>[2],
  runless: Suite['runless'] = null,
): Suite => {
  const number = repo.suites.filter((suite) => suite.workflow === rest.workflow && suite.file === rest.file).length + 1;
  const suite: Suite = { ...identity(state, 'CS'), ...rest, number, createdAt: at, runless };
  repo.suites.push(suite);
  return suite;
};

/** Plans reports on a commit, counted from `at`. */
export const planChecks = (
  state: State,
  repo: Repo,
  push: { sha: string; branch: string },
  plans: readonly CheckPlan[],
  at: number,
): void => {
  for (const plan of plans) {
    if (plan.kind === 'status') {
      const creator = plan.creator ?? repo.name.split('/')[0] ?? '';
      const seenAt = at + plan.afterMs;
      repo.statuses.push({
        ...identity(state, 'SC'),
        sha: push.sha,
        context: plan.context,
        state: plan.state,
        at: seenAt,
        creator,
        says: plan.says ?? null,
      });
      due(state, [seenAt]);
      continue;
    }
    const app = plan.app ?? actions;
    const workflow = plan.workflow ?? (app === actions ? 'CI' : null);
    const appearsAt = at + (plan.kind === 'suite' ? (plan.afterMs ?? 0) : (plan.queuedAfterMs ?? plan.startsAfterMs));
    const file = workflow === null ? null : (plan.file ?? workflow);
    const about = {
      sha: push.sha,
      branch: push.branch,
      app,
      workflow,
      file,
      event: plan.event ?? 'push',
      at: appearsAt,
    };
    const endsAt = plan.endsAfterMs === undefined ? null : at + plan.endsAfterMs;
    due(state, [appearsAt, ...(endsAt === null ? [] : [endsAt])]);
    if (plan.kind === 'suite') {
      newSuite(state, repo, about, endsAt === null ? null : { endsAt, conclusion: plan.conclusion ?? 'success' });
      continue;
    }
    const suite = suiteFor(state, repo, about);
    repo.checks.push({
      ...identity(state, 'CR'),
      suite,
      sha: push.sha,
      name: plan.name,
      appearsAt,
      startsAt: at + plan.startsAfterMs,
      endsAt,
      conclusion: endsAt === null ? null : (plan.conclusion ?? 'success'),
      unfinished: plan.unfinished ?? 'in_progress',
      says: plan.says ?? null,
    });
    due(state, [at + plan.startsAfterMs]);
  }
};

/** Plans deployments of a commit, counted from `at`. */
export const planDeploys = (
  state: State,
  repo: Repo,
  push: { sha: string; branch: string },
  plans: readonly DeployPlan[],
  at: number,
): void => {
  for (const plan of plans) {
    const deployment: Deployment = {
      ...identity(state, 'DE'),
      sha: plan.sha ?? push.sha,
      ref: push.branch,
      environment: plan.environment,
      createdAt: at + plan.afterMs,
      creator: plan.creator ?? repo.name.split('/')[0] ?? '',
      states: plan.states.map((one) => {
        const id = nextId(state);
        return { id, nodeId: nodeIdOf('DS', String(id)), state: one.state, at: at + one.afterMs };
      }),
    };
    accountOf(state, deployment.creator);
    repo.deployments.push(deployment);
    due(state, [deployment.createdAt, ...deployment.states.map((one) => one.at)]);
  }
};

/** Whether the message keeps GitHub's own CI from running on a push. Other apps do not look at it. */
const withoutSkipped = (plans: readonly CheckPlan[], message: string): readonly CheckPlan[] =>
  skips.test(message)
    ? plans.filter(
        (plan) => plan.kind === 'status' || (plan.app ?? actions) !== actions || (plan.event ?? 'push') !== 'push',
      )
    : plans;

/** What CI and deployments report, and when. */
export const ciActs = (state: State) => {
  const scripts = new Map<number, { ci: Ci; deploys: Deploys }>();

  /** From the next push on, this is what the repository's CI and deployments do. */
  const setCi = (name: string, script: { ci?: Ci; deploys?: Deploys }): void => {
    scripts.set(repoOf(state, name).id, { ci: script.ci ?? (() => []), deploys: script.deploys ?? (() => []) });
  };

  /** Lets the repository's CI see a push. */
  const runCi = (repo: Repo, push: PushSeen, at: number): void => {
    const script = scripts.get(repo.id);
    if (script === undefined) return;
    planChecks(state, repo, push, withoutSkipped(script.ci(push), push.message), at);
    planDeploys(state, repo, push, script.deploys(push), at);
  };

  /** Further reports on a commit whatever the script says: a nightly run, a re-run, a workflow that a label started. */
  const report = (name: string, sha: string, plans: readonly CheckPlan[], at: number): void => {
    const repo = repoOf(state, name);
    planChecks(state, repo, { sha, branch: repo.defaultBranch }, plans, advance(state, at));
  };

  /** A further deployment whatever the script says. */
  const deploy = (name: string, sha: string, plan: DeployPlan, at: number): void => {
    const repo = repoOf(state, name);
    planDeploys(state, repo, { sha, branch: repo.defaultBranch }, [plan], advance(state, at));
  };

  /** When something becomes visible next, if anything will. */
  const nextAt = (): number | null => state.due[0] ?? null;

  /** Lets time pass up to `until`: all that is due by then has happened, nothing later has. */
  const settle = (until: number): void => {
    const now = advance(state, until);
    state.due = state.due.filter((at) => at > now);
  };

  return { setCi, runCi, report, deploy, nextAt, settle };
};
