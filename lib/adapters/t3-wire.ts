import * as z from 'zod';
import { cleanLine, publicLine, publicText } from '../core/clean-text.ts';
import type { AgentRequest } from '../core/thread.ts';
import type { ExecutorLook, Thread, ThreadDetail } from '../ports.ts';

/**
 * T3 Code v0.0.32 on the wire: only the fields we use, read once, here. Unknown fields are ignored; a word we do not
 * know becomes `unknown`; an entry that cannot be read is left out and named, and never takes the others with it.
 * What decides whether an agent is out (turn, session, stamps) has to be there: absent is not the same as null.
 */

const Stamp = z.iso.datetime({ offset: true });

const TurnWord = z.union([
  z.enum(['running', 'completed', 'error', 'interrupted']),
  z.string().transform(() => 'unknown' as const),
]);
const SessionWord = z.union([
  z.enum(['idle', 'starting', 'running', 'ready', 'interrupted', 'stopped', 'error']),
  z.string().transform(() => 'unknown' as const),
]);

const ShellThread = z
  .object({
    id: z.string().min(1),
    projectId: z.string(),
    latestTurn: z.object({ turnId: z.string(), state: TurnWord, requestedAt: Stamp }).nullable(),
    session: z.object({ status: SessionWord, updatedAt: Stamp, lastError: z.string().nullish() }).nullable(),
    latestUserMessageAt: Stamp.nullable(),
    updatedAt: Stamp,
    hasPendingApprovals: z.boolean().nullish(),
    hasPendingUserInput: z.boolean().nullish(),
    backgroundLiveness: z.string().nullish(),
  })
  .transform(
    ({ id, projectId, latestTurn, session, ...shown }): Thread => ({
      id,
      projectId,
      turn: latestTurn && { id: latestTurn.turnId, state: latestTurn.state, requestedAt: latestTurn.requestedAt },
      session: session && {
        status: session.status,
        updatedAt: session.updatedAt,
        lastError: session.lastError ? publicLine(session.lastError, 500) : null,
      },
      lastMessageAt: shown.latestUserMessageAt,
      updatedAt: shown.updatedAt,
      pending: shown.hasPendingApprovals ? 'approval' : shown.hasPendingUserInput ? 'question' : null,
      // `working` is the only word seen; another one is not taken for "at rest".
      backgroundWork: Boolean(shown.backgroundLiveness),
    }),
  );

const Project = z.object({ id: z.string().min(1), workspaceRoot: z.string().min(1) });

/** `GET /api/orchestration/shell`: every live project and thread, each read on its own. */
export const Shell = z
  .object({ projects: z.array(z.unknown()), threads: z.array(z.unknown()) })
  .transform(({ projects, threads }): ExecutorLook => {
    const read = apart(ShellThread, threads);
    return {
      projects: apart(Project, projects).good,
      threads: new Map(read.good.map((thread) => [thread.id, thread])),
      unreadable: read.bad,
    };
  });

/** `GET /api/orchestration/snapshot`: all there ever was; of which only what became of a thread. */
export const Snapshot = z.object({ threads: z.array(z.unknown()) });

/** One entry of the snapshot; the fields are there, and null while nothing became of it. */
export const SnapshotThread = z.object({
  id: z.string(),
  archivedAt: z.string().nullable(),
  deletedAt: z.string().nullable(),
});

const Message = z.object({ role: z.string(), text: z.string(), createdAt: Stamp });
const Activity = z.object({ kind: z.string(), createdAt: Stamp, payload: z.unknown().optional() });
const Tokens = z.object({ totalProcessedTokens: z.number().optional(), usedTokens: z.number() });
const Checkpoint = z.object({ files: z.array(z.unknown()), completedAt: Stamp });
const ChangedFile = z.object({ path: z.string() });

/**
 * `GET /api/orchestration/threads/:id`, as far as it speaks of what was asked for last: all since the last message, so
 * that a turn which background work began by itself is counted with the one it belongs to. Works for any `turnLimit`.
 */
export const Detail = z
  .object({
    thread: z.object({
      messages: z.array(z.unknown()),
      activities: z.array(z.unknown()),
      checkpoints: z.array(z.unknown()),
    }),
  })
  .transform(({ thread }): ThreadDetail => {
    const messages = apart(Message, thread.messages).good;
    const asked = messages.findLast(({ role }) => role === 'user')?.createdAt ?? null;
    const isOfTurn = (at: string): boolean => asked === null || Date.parse(at) >= Date.parse(asked);
    const activities = apart(Activity, thread.activities).good;
    const files = apart(Checkpoint, thread.checkpoints)
      .good.filter(({ completedAt }) => isOfTurn(completedAt))
      .flatMap((checkpoint) => apart(ChangedFile, checkpoint.files).good);
    const last = messages.findLast(({ role, createdAt }) => role === 'assistant' && isOfTurn(createdAt));
    return {
      lastWords: last === undefined ? null : publicText(last.text, 1200) || null,
      toolCalls: activities.filter(({ kind, createdAt }) => kind === 'tool.completed' && isOfTurn(createdAt)).length,
      changedFiles: new Set(files.map(({ path }) => path)).size,
      totalTokens: newestTotal(activities),
      request: openRequest(activities),
    };
  });

const Requested = z.object({
  requestId: z.string().min(1).max(200),
  detail: z.string().optional(),
  questions: z.array(z.object({ id: z.string(), question: z.string().optional() })).optional(),
});

/** The newest question or approval that no later activity resolves. */
export const openRequest = (activities: readonly { kind: string; payload?: unknown }[]): AgentRequest | null => {
  const resolved = new Set(
    activities
      .filter(({ kind }) => kind === 'user-input.resolved' || kind === 'approval.resolved')
      .map(({ payload }) => Requested.safeParse(payload).data?.requestId),
  );
  const asked = activities.flatMap(({ kind, payload }) => {
    if (kind !== 'user-input.requested' && kind !== 'approval.requested') return [];
    const request = Requested.safeParse(payload).data;
    return request === undefined || resolved.has(request.requestId) ? [] : [{ kind, ...request }];
  });
  const newest = asked.at(-1);
  if (newest === undefined) return null;
  const { requestId, kind, questions = [], detail = '' } = newest;
  const text = kind === 'approval.requested' ? detail : questions.map(({ id, question }) => question ?? id).join('; ');
  return {
    requestId,
    kind: kind === 'approval.requested' ? 'approval' : 'question',
    text: publicLine(text, 500),
    questionIds: questions.map(({ id }) => id),
  };
};

/** `GET /api/auth/session`: answers 200 whatever the token is worth. */
export const AuthSession = z.object({
  authenticated: z.boolean(),
  scopes: z.array(z.string()).optional(),
  expiresAt: Stamp.nullish(),
});

/** `GET /.well-known/t3/environment`. */
export const Environment = z.object({ serverVersion: z.string().transform((version) => cleanLine(version, 50)) });

/** `POST /api/orchestration/dispatch`, accepted. */
export const Sequence = z.object({ sequence: z.number() });

/** What T3 says with a refusal; whether it is T3 that speaks at all is told by `_tag`. */
export const Refusal = z.object({
  _tag: z.string(),
  code: z.string().optional(),
  reason: z.string().optional(),
  requiredScope: z.string().optional(),
});
export type Refusal = z.infer<typeof Refusal>;

/** Reads each entry on its own; `bad` names those that could not be read, cleaned, as far as they have a name. */
const apart = <S extends z.ZodType>(schema: S, entries: readonly unknown[]): { good: z.output<S>[]; bad: string[] } => {
  const good: z.output<S>[] = [];
  const bad: string[] = [];
  for (const entry of entries) {
    const read = schema.safeParse(entry);
    if (read.success) good.push(read.data);
    else bad.push(nameOf(entry));
  }
  return { good, bad };
};

const Named = z.object({ id: z.string() });
const nameOf = (entry: unknown): string => {
  const named = Named.safeParse(entry);
  return named.success ? cleanLine(named.data.id, 200) : '(no id)';
};

// Lines of one instant come in no order that means anything, and the total only grows. It is left out while it
// says no more than the context does.
const newestTotal = (activities: readonly z.infer<typeof Activity>[]): number | null => {
  const reports = activities.flatMap(({ kind, createdAt, payload }) => {
    const tokens = kind === 'context-window.updated' ? Tokens.safeParse(payload) : null;
    if (!tokens?.success) return [];
    return [{ at: Date.parse(createdAt), total: tokens.data.totalProcessedTokens ?? tokens.data.usedTokens }];
  });
  const newest = Math.max(...reports.map(({ at }) => at));
  return reports.length === 0 ? null : Math.max(...reports.filter(({ at }) => at === newest).map(({ total }) => total));
};
