import type { PageArgs } from './github-graphql-connection.ts';
import { connectionOf } from './github-graphql-connection.ts';
import type { Graph, Node } from './github-graphql-graph.ts';
import { isoOf, isoOrNull, nodeIdOf } from './github-ids.ts';
import { checkStanding, checksOf, latestChecks, latestStatuses, suiteStanding } from './github-reads.ts';
import { numberOf } from './github-rest-accounts.ts';
import { repoHtml } from './github-rest-shapes.ts';
import type { Check, Commit, Repo, Status, Suite } from './github-state.ts';

const appNode = (slug: string): Node => ({
  __typename: 'App',
  id: nodeIdOf('A', slug),
  databaseId: numberOf(slug),
  slug,
  name: slug,
  url: `https://github.com/apps/${slug}`,
});

const workflowRunNode = (graph: Graph, repo: Repo, suite: Suite): Node => {
  const name = suite.workflow ?? 'CI';
  const file = suite.file ?? name;
  const url = `${repoHtml(repo)}/actions/runs/${suite.id}`;
  return {
    __typename: 'WorkflowRun',
    id: nodeIdOf('WFR', String(suite.id)),
    databaseId: suite.id,
    event: suite.event,
    runNumber: suite.number,
    createdAt: isoOf(suite.createdAt),
    updatedAt: isoOf(suite.createdAt),
    url,
    checkSuite: () => graph.suite(repo, suite),
    workflow: {
      __typename: 'Workflow',
      id: nodeIdOf('W', `${repo.id}:${file}`),
      databaseId: numberOf(file),
      name,
      state: 'ACTIVE',
    },
  };
};

const pushNode = (graph: Graph, repo: Repo, sha: string): Node | null => {
  const entry = repo.activity.find((one) => one.after === sha);
  if (entry === undefined) return null;
  return {
    __typename: 'Push',
    id: entry.nodeId,
    previousSha: entry.before,
    nextSha: entry.after,
    pusher: () => graph.actor(entry.actor),
    repository: () => graph.repo(repo),
    permalink: `${repoHtml(repo)}/compare/${entry.before}...${entry.after}`,
  };
};

/** `CheckSuite`; one without runs is `QUEUED` until it ends, if it does. */
export const suiteNode = (graph: Graph, repo: Repo, suite: Suite): Node => {
  const now = suiteStanding(graph.state, repo, suite);
  return {
    __typename: 'CheckSuite',
    id: suite.nodeId,
    databaseId: suite.id,
    status: now.status.toUpperCase(),
    conclusion: now.conclusion?.toUpperCase() ?? null,
    createdAt: isoOf(suite.createdAt),
    updatedAt: isoOf(now.updatedAt),
    url: `${repoHtml(repo)}/commit/${suite.sha}/checks`,
    app: () => appNode(suite.app),
    workflowRun: () => (suite.workflow === null ? null : workflowRunNode(graph, repo, suite)),
    push: () => pushNode(graph, repo, suite.sha),
    repository: () => graph.repo(repo),
    checkRuns: (args: PageArgs) => connectionOf('checkRuns', args, now.checks, (check) => graph.check(repo, check)),
  };
};

/** `CheckRun`. */
export const checkNode = (graph: Graph, repo: Repo, check: Check): Node => {
  const now = checkStanding(graph.state, check);
  const url = `${repoHtml(repo)}/runs/${check.id}`;
  return {
    __typename: 'CheckRun',
    id: check.nodeId,
    databaseId: check.id,
    name: check.name,
    status: now.status.toUpperCase(),
    conclusion: now.conclusion?.toUpperCase() ?? null,
    startedAt: isoOrNull(now.startedAt),
    completedAt: isoOrNull(now.completedAt),
    detailsUrl: url,
    url,
    permalink: url,
    externalId: String(check.id),
    title: now.title,
    summary: now.summary,
    text: now.text,
    checkSuite: () => graph.suite(repo, check.suite),
    repository: () => graph.repo(repo),
  };
};

const statusNode = (graph: Graph, repo: Repo, status: Status): Node => ({
  __typename: 'StatusContext',
  id: status.nodeId,
  context: status.context,
  state: status.state.toUpperCase(),
  createdAt: isoOf(status.at),
  description: status.says,
  targetUrl: null,
  creator: () => graph.actor(status.creator),
  commit: () => {
    const commit = repo.commits.get(status.sha);
    return commit === undefined ? null : graph.commit(repo, commit);
  },
});

/** `Status`, of commit statuses alone; null while there is none. */
export const statusesNode = (graph: Graph, repo: Repo, commit: Commit): Node | null => {
  const statuses = latestStatuses(graph.state, repo, commit.sha);
  if (statuses.length === 0) return null;
  const words = statuses.map(({ state }) => state.toUpperCase());
  return {
    __typename: 'Status',
    id: nodeIdOf('ST', commit.sha),
    state: ['ERROR', 'FAILURE', 'PENDING'].find((word) => words.includes(word)) ?? 'SUCCESS',
    commit: () => graph.commit(repo, commit),
    contexts: statuses.map((status) => statusNode(graph, repo, status)),
    context: ({ name }: { name: string }) => {
      const found = statuses.find(({ context }) => context === name);
      return found === undefined ? null : statusNode(graph, repo, found);
    },
  };
};

const failing = new Set(['FAILURE', 'TIMED_OUT', 'CANCELLED', 'STARTUP_FAILURE', 'ACTION_REQUIRED', 'STALE']);

// A run that was requested is counted as queued: the state of a count knows no such word.
const countedAs = {
  completed: 'COMPLETED',
  queued: 'QUEUED',
  requested: 'QUEUED',
  in_progress: 'IN_PROGRESS',
  waiting: 'WAITING',
  pending: 'PENDING',
} as const;

const countsOf = (words: readonly string[]): Node[] =>
  [...new Set(words)].map((state) => ({ state, count: words.filter((word) => word === state).length }));

/** Checks and statuses in one place; null while there is nothing at all. */
export const rollupNode = (graph: Graph, repo: Repo, commit: Commit): Node | null => {
  const checks = latestChecks(checksOf(graph.state, repo, commit.sha));
  const statuses = latestStatuses(graph.state, repo, commit.sha);
  if (checks.length + statuses.length === 0) return null;
  const checkWords = checks.map((check) => {
    const now = checkStanding(graph.state, check);
    return now.conclusion?.toUpperCase() ?? countedAs[now.status];
  });
  const statusWords = statuses.map((status) => status.state.toUpperCase());
  const all = [...checkWords, ...statusWords];
  const running = all.some((word) =>
    ['QUEUED', 'IN_PROGRESS', 'WAITING', 'REQUESTED', 'PENDING', 'EXPECTED'].includes(word),
  );
  const state = all.includes('ERROR')
    ? 'ERROR'
    : all.some((word) => failing.has(word))
      ? 'FAILURE'
      : running
        ? 'PENDING'
        : 'SUCCESS';
  const contexts = [
    ...checks.map((check) => () => graph.check(repo, check)),
    ...statuses.map((status) => () => statusNode(graph, repo, status)),
  ];
  return {
    __typename: 'StatusCheckRollup',
    id: nodeIdOf('SCR', commit.sha),
    state,
    commit: () => graph.commit(repo, commit),
    contexts: (args: PageArgs) => ({
      ...connectionOf('contexts', args, contexts, (toNode) => toNode()),
      checkRunCount: checks.length,
      statusContextCount: statuses.length,
      checkRunCountsByState: countsOf(checkWords),
      statusContextCountsByState: countsOf(statusWords),
    }),
  };
};
