import { unknownCheck } from '../adapters/github-check.ts';
import type { Check, CiFacts } from '../core/ci-verdict.ts';
import type { Deployment } from '../core/deployment-verdict.ts';
import type { RepoRef } from '../core/issue.ts';
import { saidByName, type Told } from '../core/said.ts';
import { type Forge, PortError } from '../ports.ts';
import {
  checkStanding,
  checksOf,
  commitAt,
  compareCommits,
  deploymentStates,
  deploymentsOf,
  latestChecks,
  latestStatuses,
  suiteStanding,
  suitesOf,
} from './github-reads.ts';
import { GithubRefusal } from './github-refusal.ts';
import { numberOf } from './github-rest-accounts.ts';
import { repoHtml } from './github-rest-shapes.ts';
import type { Commit, Repo, State, Status, Suite, Check as WorldCheck } from './github-state.ts';
import { secondOf } from './world-reads.ts';
import type { WorldViewer } from './world-viewer.ts';

/** What CI and deployments show of one commit, bounded as the adapter's queries are. */
export const reportsOf = (
  viewer: WorldViewer,
  ref: RepoRef,
  { sha, hasDescendant, environments }: Parameters<Forge['ci']>[1],
): { ci: CiFacts; deployments: readonly Deployment[] } => {
  const { state } = viewer;
  const repo = viewer.repoOf(ref, 'query Ci');
  const commit = repo.commits.get(sha);
  if (commit === undefined) throw new PortError('refused', 'query Ci: the repository has no such commit');
  const appeared = checksOf(state, repo, sha);
  const contexts = [
    ...latestChecks(appeared).map((check) => checkOf(state, repo, check)),
    ...latestStatuses(state, repo, sha).map(statusOf),
  ];
  const read =
    contexts.length > contextsMax
      ? [...contexts.slice(0, contextsMax), unknownCheck('more checks than can be read')]
      : contexts;
  return {
    ci: {
      checks: [...read, ...runlessOf(state, repo, sha)],
      message: commit.message,
      hasDescendant,
      required: (repo.rules.requiredChecks ?? []).map(({ context, app: by }) => ({
        name: context,
        appId: by === undefined ? null : numberOf(by),
      })),
    },
    deployments: environments.length === 0 ? [] : deploymentsTo(state, repo, commit, environments),
  };
};

/** What the failing ones of these checks reported, as REST shows it a page at a time. */
export const saidIn = (
  viewer: WorldViewer,
  ref: RepoRef,
  { sha, names }: Parameters<Forge['said']>[1],
): ReadonlyMap<string, string> =>
  viewer.asking('GET /repositories/{repo_id}/commits/{sha}/check-runs', () => {
    const { state } = viewer;
    const repo = viewer.repoAt(ref);
    const commit = commitAt(repo, sha);
    if (commit === undefined) throw new GithubRefusal(422, `No commit found for SHA: ${sha}`, 'UNPROCESSABLE');
    const checks = latestChecks(checksOf(state, repo, commit.sha))
      .slice(0, saidMax)
      .map((check) => toldByCheck(state, check));
    const said = saidByName(checks, names);
    if (names.every((name) => said.has(name))) return said;
    const statuses = latestStatuses(state, repo, commit.sha).slice(0, saidMax).map(toldByStatus);
    return saidByName([...checks, ...statuses], names);
  });

const saidMax = 100;

const toldByCheck = (state: State, check: WorldCheck): Told => {
  const { conclusion, completedAt, title, summary, text } = checkStanding(state, check);
  return {
    name: check.name,
    passed: conclusion === null || conclusion === 'success' || conclusion === 'neutral' || conclusion === 'skipped',
    at: completedAt === null ? 0 : secondOf(completedAt),
    title: title ?? '',
    text: [summary ?? '', text ?? ''].join('\n\n'),
  };
};

const toldByStatus = ({ context, state, at, says }: Status): Told => ({
  name: context,
  passed: state === 'success' || state === 'pending',
  at: secondOf(at),
  title: '',
  text: says ?? '',
});

const contextsMax = 500;
const suitesMax = 100;
/** To each environment, and statuses of each deployment. */
const deploymentsMax = 30;

const checkOf = (state: State, repo: Repo, check: WorldCheck): Check => {
  const { status, conclusion, startedAt, completedAt } = checkStanding(state, check);
  const { app, workflow, file, event } = check.suite;
  return {
    kind: 'check',
    name: check.name,
    app,
    appId: numberOf(app),
    workflow,
    workflowId: file === null ? null : numberOf(file),
    // A suite without a workflow has no run that would tell of the event.
    event: workflow === null ? null : event,
    state: status === 'completed' ? (conclusions[conclusion ?? ''] ?? 'unknown') : progress[status],
    startedAt: startedAt === null ? null : secondOf(startedAt),
    completedAt: completedAt === null ? null : secondOf(completedAt),
    url: `${repoHtml(repo)}/runs/${check.id}`,
  };
};

/** The newest run of each workflow and event that has no jobs; nothing else would tell of it. */
const runlessOf = (state: State, repo: Repo, sha: string): readonly Check[] => {
  const read = suitesOf(state, repo, sha).slice(0, suitesMax);
  const suites = read.filter(({ app }) => app === 'github-actions');
  const isEmpty = (suite: Suite): boolean => suiteStanding(state, repo, suite).checks.length === 0;
  const isSuperseded = (suite: Suite): boolean =>
    suites.some(
      (other) =>
        other.workflow === suite.workflow &&
        other.file === suite.file &&
        other.event === suite.event &&
        (secondOf(other.createdAt) > secondOf(suite.createdAt) ||
          (secondOf(other.createdAt) === secondOf(suite.createdAt) && isEmpty(other) && other.id > suite.id)),
    );
  return suites
    .filter((suite) => isEmpty(suite) && !isSuperseded(suite))
    .map((suite) => suiteCheck(state, repo, suite));
};

const suiteCheck = (state: State, repo: Repo, suite: Suite): Check => {
  const { status, conclusion, updatedAt } = suiteStanding(state, repo, suite);
  const { id, app, workflow, file, event, createdAt } = suite;
  const meaning = status === 'completed' ? (conclusions[conclusion ?? ''] ?? 'unknown') : progress[status];
  return {
    kind: 'suite',
    name: workflow ?? 'a workflow without a name',
    app,
    appId: numberOf(app),
    workflow,
    workflowId: file === null ? null : numberOf(file),
    event: workflow === null ? null : event,
    state: meaning === 'startup-failure' ? 'failure' : meaning,
    startedAt: secondOf(createdAt),
    completedAt: status === 'completed' ? secondOf(updatedAt) : null,
    url: workflow === null ? null : `${repoHtml(repo)}/actions/runs/${id}`,
  };
};

const statusOf = ({ context, state, at }: Status): Check => {
  const meaning = statuses[state] ?? 'unknown';
  return {
    kind: 'status',
    name: context,
    ...{ app: null, appId: null, workflow: null, workflowId: null, event: null },
    state: meaning,
    startedAt: secondOf(at),
    completedAt: meaning === 'queued' || meaning === 'running' ? null : secondOf(at),
    url: null,
  };
};

const progress = {
  queued: 'queued',
  requested: 'queued',
  pending: 'queued',
  in_progress: 'running',
  waiting: 'waiting',
} as const;

const conclusions: Readonly<Record<string, Check['state']>> = {
  success: 'success',
  failure: 'failure',
  timed_out: 'timed-out',
  startup_failure: 'startup-failure',
  cancelled: 'cancelled',
  stale: 'stale',
  skipped: 'skipped',
  neutral: 'neutral',
  action_required: 'action-required',
};

const statuses: Readonly<Record<string, Check['state']>> = {
  success: 'success',
  failure: 'failure',
  error: 'failure',
  expected: 'queued',
  pending: 'running',
};

const deploymentsTo = (
  state: State,
  repo: Repo,
  ours: Commit,
  environments: readonly string[],
): readonly Deployment[] => {
  const contains = (sha: string): boolean => {
    const head = commitAt(repo, sha);
    return head !== undefined && compareCommits(repo, ours, head)?.behind === 0;
  };
  const known = deploymentsOf(state, repo);
  return [...new Set(environments)]
    .flatMap((wanted) => known.filter(({ environment }) => environment === wanted).slice(0, deploymentsMax))
    .map((deployment) => {
      const words = deploymentStates(state, repo, deployment).map((one) => one.state);
      const newest = words[0];
      return {
        environment: deployment.environment,
        sha: deployment.sha,
        containsOurs: deployment.sha === ours.sha || contains(deployment.sha),
        state: newest === undefined ? 'pending' : (deploymentWords[newest] ?? 'unknown'),
        everSucceeded: words.slice(0, deploymentsMax).includes('success'),
        createdAt: secondOf(deployment.createdAt),
        url: null,
      };
    });
};

const deploymentWords: Readonly<Record<string, Deployment['state']>> = {
  success: 'success',
  failure: 'failure',
  error: 'failure',
  inactive: 'inactive',
  in_progress: 'running',
  pending: 'pending',
  queued: 'queued',
  waiting: 'waiting',
};
