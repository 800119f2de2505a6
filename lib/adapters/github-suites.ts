import * as z from 'zod';
import type { Check } from '../core/ci-verdict.ts';
import { stateOf, Workflow } from './github-check.ts';
import { Instant } from './github-wire.ts';

/**
 * The workflow runs of a commit that have no jobs, which no list of checks shows: queued, held, or over before one
 * began, as where the workflow's file is broken. Of one workflow and event only the newest run is told, be it the one
 * with jobs, which are told as checks. Other apps leave empty suites queued for ever.
 */
export const runlessChecks = (suites: CheckSuites): readonly Check[] => {
  const ofActions = (suites?.nodes ?? []).flatMap((suite) => (suite?.app?.slug === 'github-actions' ? [suite] : []));
  const newest = new Map<string, ActionsSuite>();
  for (const suite of ofActions) {
    const other = newest.get(keyOf(suite));
    if (other === undefined || isLater(suite, other)) newest.set(keyOf(suite), suite);
  }
  return ofActions.filter((suite) => isRunless(suite) && newest.get(keyOf(suite)) === suite).map(checkOfSuite);
};

const keyOf = ({ workflowRun }: ActionsSuite): string =>
  JSON.stringify([workflowRun?.workflow?.databaseId, workflowRun?.workflow?.name, workflowRun?.event]);

const isRunless = (suite: ActionsSuite): boolean => suite.checkRuns?.totalCount === 0;

// Of one instant the one without jobs counts: what its outcome is, nothing else tells.
const isLater = (suite: ActionsSuite, other: ActionsSuite): boolean =>
  suite.createdAt > other.createdAt || (suite.createdAt === other.createdAt && isRunless(suite));

const checkOfSuite = ({ status, conclusion, createdAt, updatedAt, app, workflowRun }: ActionsSuite): Check => {
  const state = stateOf(status, conclusion);
  return {
    kind: 'suite',
    name: workflowRun?.workflow?.name ?? 'a workflow without a name',
    app: app?.slug ?? null,
    appId: app?.databaseId ?? null,
    workflow: workflowRun?.workflow?.name ?? null,
    workflowId: workflowRun?.workflow?.databaseId ?? null,
    event: workflowRun?.event ?? null,
    // Where a job could not start, its runner is to blame; where a whole workflow could not, its file is.
    state: state === 'startup-failure' ? 'failure' : state,
    startedAt: createdAt,
    completedAt: status === 'COMPLETED' ? updatedAt : null,
    url: workflowRun?.url ?? null,
  };
};

const Suite = z.object({
  status: z.string(),
  conclusion: z.string().nullish(),
  createdAt: Instant,
  updatedAt: Instant,
  app: z.object({ slug: z.string(), databaseId: z.number().int().nullish() }).nullish(),
  workflowRun: z.object({ event: z.string(), url: z.string().nullish(), workflow: Workflow }).nullish(),
  checkRuns: z.object({ totalCount: z.number().int() }).nullish(),
});
type ActionsSuite = z.infer<typeof Suite>;

export const CheckSuites = z.object({ nodes: z.array(Suite.nullable()).nullish() }).nullish();
export type CheckSuites = z.infer<typeof CheckSuites>;

export const suitesOfCommit = /* GraphQL */ `
  checkSuites(first: 100) {
    nodes {
      status
      conclusion
      createdAt
      updatedAt
      app { slug databaseId }
      workflowRun { event url workflow { name databaseId } }
      checkRuns(first: 1) { totalCount }
    }
  }
`;
