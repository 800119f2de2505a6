import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as z from 'zod';

const Observed = z.object({
  atSeconds: z.number(),
  thread: z.record(z.string(), z.unknown()).nullish(),
});
const Recording = z.object({
  description: z.string(),
  request: z.object({
    method: z.string(),
    path: z.string(),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.unknown(),
  }),
  response: z.object({ status: z.number(), headers: z.record(z.string(), z.string()).default({}), body: z.unknown() }),
  observed: z.array(Observed).default([]),
});
export type Recording = z.infer<typeof Recording>;

const folder = new URL('../fixtures/t3/', import.meta.url);

/** The names of all recordings, without `.json`. */
export const recordingNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => basename(file, '.json'))
  .toSorted();

/** One recording: a request to the real server, its answer, and what the shell showed afterwards. */
export const recording = (name: string): Recording =>
  Recording.parse(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')));

/** The same value with everything gone that differs between two servers: instants, drawn ids, sequence numbers. */
export const normalised = (value: unknown, key = ''): unknown => {
  if (Array.isArray(value)) return value.map((item) => normalised(item));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normalised(item, name)]));
  }
  if (key === 'sequence' || key === 'snapshotSequence') return '<n>';
  return typeof value === 'string' ? normalText(value, key) : value;
};

const normalText = (text: string, key: string): string => {
  if (key === 'traceId') return text.replace(/^[0-9a-f]{32}$/, '<trace>');
  if (key === 'credential' || key === 'access_token' || key === 'sessionCookieName') return `<${key}>`;
  return text
    .replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, '<instant>')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/, '<uuid>')
    .replace(/\n {4}at <stack frames trimmed>$/, '')
    .replace(/^x{40}x*(\.\.\. <trimmed>)?$/, '<x…>');
};

const Thread = z.object({
  branch: z.string().nullable(),
  worktreePath: z.string().nullable(),
  latestTurn: z
    .object({
      turnId: z.string(),
      state: z.string(),
      requestedAt: z.string(),
      startedAt: z.string(),
      completedAt: z.string().nullable(),
      assistantMessageId: z.string().nullable(),
    })
    .nullable(),
  archivedAt: z.string().nullable(),
  settledOverride: z.string().nullable(),
  session: z
    .object({
      status: z.string(),
      providerName: z.string().nullable(),
      providerInstanceId: z.string(),
      runtimeMode: z.string(),
      activeTurnId: z.string().nullable(),
      lastError: z.string().nullable(),
      updatedAt: z.string(),
    })
    .nullable(),
  latestUserMessageAt: z.string().nullable(),
  hasPendingApprovals: z.boolean(),
  hasPendingUserInput: z.boolean(),
  backgroundLiveness: z.string().nullable(),
  planProgress: z.unknown(),
});

/**
 * What a thread's entry in the shell says, as words that can be compared between two servers: states, flags, and how the
 * instants stand to each other. Ids become the order of their first appearance, so one reader reads one series of states.
 */
export const stateReader = ({ withMessages }: { withMessages: boolean }) => {
  const nth = (seen: string[], id: string): number => {
    if (!seen.includes(id)) seen.push(id);
    return seen.indexOf(id) + 1;
  };
  const turns: string[] = [];
  const messages: string[] = [];
  return (entry: unknown): string => {
    const { latestTurn: turn, session, latestUserMessageAt: askedAt, ...thread } = Thread.parse(entry);
    const { assistantMessageId } = turn ?? {};
    return JSON.stringify({
      ...thread,
      archivedAt: thread.archivedAt !== null,
      turn: turn && {
        nth: nth(turns, turn.turnId),
        state: turn.state,
        isOver: turn.completedAt !== null,
        isAskedForLast: askedAt !== null && turn.requestedAt >= askedAt,
        startsWhenAsked: turn.startedAt === turn.requestedAt,
        ...(withMessages ? { message: assistantMessageId ? nth(messages, assistantMessageId) : null } : {}),
      },
      session: session && {
        ...session,
        activeTurnId: session.activeTurnId === null ? null : session.activeTurnId === turn?.turnId ? 'latest' : 'other',
        updatedAt: askedAt !== null && session.updatedAt >= askedAt ? 'since asked' : 'before asked',
      },
    });
  };
};
