import { createHash } from 'node:crypto';
import type { T3CommandOf, T3ModelSelection } from './t3-command.ts';

/**
 * One thread as T3 keeps it. All instants are epoch milliseconds. `latestTurn` is the turn taken up last, which is not
 * always the one asked for last: that one is told by `latestUserMessageAt`.
 */
export type T3Thread = {
  readonly id: string;
  readonly projectId: string;
  title: string;
  modelSelection: T3ModelSelection;
  readonly runtimeMode: string;
  readonly interactionMode: string;
  branch: string | null;
  worktreePath: string | null;
  latestTurn: T3Turn | null;
  readonly createdAt: number;
  updatedAt: number;
  archivedAt: number | null;
  deletedAt: number | null;
  settledOverride: 'settled' | 'active' | null;
  settledAt: number | null;
  session: T3Session | null;
  latestUserMessageAt: number | null;
  backgroundLiveness: 'working' | null;
  planProgress: { step: string; completedSteps: number; totalSteps: number } | null;
  readonly messages: T3Message[];
  readonly activities: T3Activity[];
  readonly checkpoints: T3Checkpoint[];
  /** Questions and approvals that nobody has answered, by request id. */
  readonly openRequests: Map<string, 'approval' | 'user-input'>;
  /** How many turns were taken up here, ever. */
  turnsTaken: number;
  /** How many ids were made here: each comes from the thread's own history, so other threads never change it. */
  idsMade: number;
  readonly ledger: T3Ledger;
};

/** The server's one counter: whatever is recorded anywhere takes the next number. */
export type T3Ledger = { sequence: number };

export type T3Turn = {
  readonly turnId: string;
  state: 'running' | 'completed' | 'error' | 'interrupted';
  readonly requestedAt: number;
  readonly startedAt: number;
  completedAt: number | null;
  assistantMessageId: string | null;
};

export type T3Session = {
  readonly status: 'starting' | 'running' | 'ready' | 'stopped' | 'error';
  readonly providerName: string | null;
  readonly providerInstanceId: string;
  readonly activeTurnId: string | null;
  readonly lastError: string | null;
  readonly updatedAt: number;
};

export type T3Message = {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly turnId: string | null;
  readonly createdAt: number;
};

/** One line of a thread's log: `tone`, `kind`, `summary` and `payload` go together and are written in `t3-activity.ts`. */
export type T3Note = {
  readonly tone: 'info' | 'tool' | 'approval' | 'error';
  readonly kind: string;
  readonly summary: string;
  readonly payload: Readonly<Record<string, unknown>>;
};
export type T3Activity = T3Note & { readonly id: string; readonly turnId: string | null; readonly createdAt: number };

export type T3Checkpoint = {
  readonly turnId: string;
  readonly turnCount: number;
  readonly files: readonly T3FileChange[];
  readonly assistantMessageId: string | null;
  readonly completedAt: number;
};
export type T3FileChange = {
  readonly path: string;
  readonly kind: 'modified';
  readonly additions: number;
  readonly deletions: number;
};

/** A new thread: no turn, no session. T3 checks neither its paths nor its provider instance nor its model. */
export const newT3Thread = (command: T3CommandOf<'thread.create'>, at: number, ledger: T3Ledger): T3Thread => ({
  id: command.threadId,
  projectId: command.projectId,
  title: command.title,
  modelSelection: command.modelSelection,
  runtimeMode: command.runtimeMode,
  interactionMode: command.interactionMode,
  branch: command.branch,
  worktreePath: command.worktreePath,
  latestTurn: null,
  createdAt: at,
  updatedAt: at,
  archivedAt: null,
  deletedAt: null,
  settledOverride: null,
  settledAt: null,
  session: null,
  latestUserMessageAt: null,
  backgroundLiveness: null,
  planProgress: null,
  messages: [],
  activities: [],
  checkpoints: [],
  openRequests: new Map(),
  turnsTaken: 0,
  idsMade: 0,
  ledger,
});

/** Marks a change: the thread moved at `at` (a stamp from the past does not move it back), and a sequence number is taken. */
export const changed = (thread: T3Thread, at: number): void => {
  thread.updatedAt = Math.max(thread.updatedAt, at);
  thread.ledger.sequence += 1;
};

/** Writes the session; what `change` leaves out stays as it was. `at` is the event's own stamp, which may be in the past. */
export const setSession = (thread: T3Thread, change: Partial<Omit<T3Session, 'updatedAt'>>, at: number): void => {
  const before = thread.session ?? {
    status: 'stopped',
    providerName: null,
    providerInstanceId: thread.modelSelection.instanceId,
    activeTurnId: null,
    lastError: null,
  };
  thread.session = { ...before, ...change, updatedAt: at };
  changed(thread, at);
};

/** A message of the user. It is kept whatever becomes of the turn, and says which turn was asked for last. */
export const hear = (thread: T3Thread, message: { id: string; text: string }, at: number): void => {
  thread.messages.push({ ...message, role: 'user', turnId: null, createdAt: at });
  thread.latestUserMessageAt = at;
  changed(thread, at);
};

/** A message of the agent. The turn's `assistantMessageId` follows it while the turn runs. */
export const say = (thread: T3Thread, turn: T3Turn, text: string, at: number): string => {
  const id = `assistant:${newId(thread, 'message')}`;
  thread.messages.push({ id, role: 'assistant', text, turnId: turn.turnId, createdAt: at });
  turn.assistantMessageId = id;
  changed(thread, at);
  return id;
};

/** Adds a line to the thread's log. */
export const note = (thread: T3Thread, line: T3Note, turnId: string | null, at: number): void => {
  thread.activities.push({ id: newId(thread, 'activity'), ...line, turnId, createdAt: at });
  changed(thread, at);
};

/** An id shaped like a UUID, made from the thread's name and history: the same history makes the same ids. */
export const newId = (thread: T3Thread, kind: string): string => uuidFrom(`${thread.id} ${kind} ${thread.idsMade++}`);

/** A UUID that is a hash of its seed. */
export const uuidFrom = (seed: string): string => {
  const hex = createHash('sha256').update(seed).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
};
