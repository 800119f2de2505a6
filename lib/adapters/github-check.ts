import * as z from 'zod';
import type { Check } from '../core/ci-verdict.ts';
import { Instant } from './github-wire.ts';

/**
 * A check run or a commit status in neutral words, as `github-schema` 1.23.0 spells them. Total: a word nobody knows,
 * and a thing nobody can read, is `unknown`.
 */
export const checkOf = (node: unknown): Check => {
  const context = Context.safeParse(node).data;
  // Something that is there and cannot be told counts as something that is not done.
  if (context === undefined) return unknownCheck('a check nobody can read');
  if (context.__typename === 'StatusContext') {
    const state = statusStates[context.state] ?? 'unknown';
    const over = state === 'success' || state === 'failure' || state === 'unknown';
    return {
      kind: 'status',
      name: context.context,
      ...{ app: null, appId: null, workflow: null, workflowId: null, event: null },
      state,
      startedAt: context.createdAt,
      completedAt: over ? context.createdAt : null,
      url: context.targetUrl ?? null,
    };
  }
  const { checkSuite, status, conclusion } = context;
  const completed = status === 'COMPLETED';
  return {
    kind: 'check',
    name: context.name,
    app: checkSuite?.app?.slug ?? null,
    appId: checkSuite?.app?.databaseId ?? null,
    workflow: checkSuite?.workflowRun?.workflow?.name ?? null,
    workflowId: checkSuite?.workflowRun?.workflow?.databaseId ?? null,
    event: checkSuite?.workflowRun?.event ?? null,
    state: stateOf(status, conclusion),
    startedAt: context.startedAt ?? null,
    completedAt: completed ? (context.completedAt ?? null) : null,
    url: context.detailsUrl ?? null,
  };
};

/** The state of a check run, or of a suite of them, in neutral words. */
export const stateOf = (status: string, conclusion: string | null | undefined): Check['state'] =>
  (status === 'COMPLETED' ? conclusionStates[conclusion ?? ''] : progressStates[status]) ?? 'unknown';

const conclusionStates: Readonly<Record<string, Check['state']>> = {
  SUCCESS: 'success',
  FAILURE: 'failure',
  TIMED_OUT: 'timed-out',
  STARTUP_FAILURE: 'startup-failure',
  CANCELLED: 'cancelled',
  STALE: 'stale',
  SKIPPED: 'skipped',
  NEUTRAL: 'neutral',
  ACTION_REQUIRED: 'action-required',
};

const progressStates: Readonly<Record<string, Check['state']>> = {
  QUEUED: 'queued',
  REQUESTED: 'queued',
  PENDING: 'queued',
  IN_PROGRESS: 'running',
  WAITING: 'waiting',
};

const statusStates: Readonly<Record<string, Check['state']>> = {
  SUCCESS: 'success',
  FAILURE: 'failure',
  ERROR: 'failure',
  EXPECTED: 'queued',
  PENDING: 'running',
};

/** Stands for what is there and cannot be told: as long as it is, nothing is green. */
export const unknownCheck = (name: string): Check => ({
  kind: 'check',
  name,
  ...{ app: null, appId: null, workflow: null, workflowId: null, event: null, state: 'unknown' },
  ...{ startedAt: null, completedAt: null, url: null },
});

const Url = z.string().nullish();
/** Two files may give their workflows the same name; the id is the file's, and the same for every run of it. */
export const Workflow = z.object({ name: z.string(), databaseId: z.number().int().nullish() }).nullish();
const App = z.object({ slug: z.string(), databaseId: z.number().int().nullish() }).nullish();

const Context = z.discriminatedUnion('__typename', [
  z.object({
    __typename: z.literal('CheckRun'),
    name: z.string(),
    status: z.string(),
    conclusion: z.string().nullish(),
    startedAt: Instant.nullish(),
    completedAt: Instant.nullish(),
    detailsUrl: Url,
    checkSuite: z
      .object({
        app: App,
        workflowRun: z.object({ event: z.string(), workflow: Workflow }).nullish(),
      })
      .nullish(),
  }),
  z.object({
    __typename: z.literal('StatusContext'),
    context: z.string(),
    state: z.string(),
    createdAt: Instant,
    targetUrl: Url,
  }),
]);
