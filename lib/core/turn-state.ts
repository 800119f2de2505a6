import { assertNever } from './assert.ts';
import type { Turn } from './run.ts';
import type { Thread } from './thread.ts';

/**
 * What the turn asked for last is, as one look at its thread shows it. `over` is never success: only a landing proves
 * that. `unknown` is not over and has to run into a deadline like any other wait. `lastError` is the session's.
 */
export type TurnState =
  | { is: 'absent' | 'not accepted' | 'queued' | 'starting' | 'ready without turn' }
  | { is: 'could not start'; lastError: string | null }
  | { is: 'at work' | 'interrupting' | 'background' | 'unknown' }
  | { is: 'asking'; what: 'question' | 'approval' }
  | { is: 'over'; how: How; lastError: string | null };

/** How a turn is over. An interrupted one soon reads `completed`: who interrupted it has to remember that. */
export type How = 'completed' | 'completed, agent left' | 'error' | 'crashed' | 'interrupted';

/**
 * Names it. Pure and total; `thread` is undefined where the look does not hold it. First question, always: is the turn
 * shown the one asked for? *Old* is a turn requested before the last message, a session *speaks* when it was updated
 * not before that message. Stamps are compared with each other only, never with our clock.
 *
 * | turn                  | session                          | state                                    |
 * |-----------------------|----------------------------------|------------------------------------------|
 * | (no message since `turn.after`)        ||                  not accepted                             |
 * | none or old, ended    | none or does not speak           | queued                                   |
 * | none or old, ended    | speaks: starting, running        | starting                                 |
 * | none or old, ended    | speaks: error, stopped           | could not start                          |
 * | none or old, ended    | speaks: ready, idle, interrupted | ready without turn (may pass, see below) |
 * | old, running          | running, or speaks: starting     | at work (on the one before), starting    |
 * | ours, running         | running, starting                | asking where something is pending, else at work |
 * | ours, completed       | ready, idle, interrupted, error, none | background where work goes on, else over: completed |
 * | ours, completed       | stopped                          | over: completed, agent left              |
 * | ours, error           | stopped · ready, idle, interrupted, error, none | over: crashed · error     |
 * | ours, interrupted     | running, starting                | interrupting                             |
 * | ours, interrupted     | any other known, none            | over: interrupted                        |
 * | anything else         |                                  | unknown                                  |
 *
 * `ready without turn` is passed through on the way to a failed start, and stays so where the start was refused; how
 * long to believe in it is the caller's to say. Source: T3 Code v0.0.32, `GET /api/orchestration/shell`.
 */
export const turnState = (thread: Thread | undefined, turn: Pick<Turn, 'after'>): TurnState => {
  if (thread === undefined) return { is: 'absent' };
  const asked = thread.lastMessageAt;
  if (asked === null || (turn.after !== null && !isLater(asked, turn.after))) return { is: 'not accepted' };
  if (thread.turn === null || isLater(asked, thread.turn.requestedAt)) return notTakenUp(thread, asked);
  return takenUp(thread, thread.turn.state);
};

/** True where stamp `a` is after stamp `b`; equal stamps are not. Both the executor's own, ISO 8601. */
export const isLater = (a: string, b: string): boolean => Date.parse(a) > Date.parse(b);

const unknown: TurnState = { is: 'unknown' };

const notTakenUp = ({ turn, session }: Thread, asked: string): TurnState => {
  const speaks = session !== null && !isLater(asked, session.updatedAt);
  // A word we do not know may mean running.
  if (turn?.state === 'running' || turn?.state === 'unknown') {
    if (session?.status === 'running') return { is: 'at work' };
    return speaks && session.status === 'starting' ? { is: 'starting' } : unknown;
  }
  // A session that has not moved since still speaks of the turn before: its `error` is not this turn's failed start.
  if (!speaks) return { is: 'queued' };
  switch (session.status) {
    case 'starting':
    case 'running':
      return { is: 'starting' };
    case 'error':
    case 'stopped':
      return { is: 'could not start', lastError: session.lastError };
    case 'ready':
    case 'idle':
    case 'interrupted':
      return { is: 'ready without turn' };
    case 'unknown':
      return unknown;
    default:
      return assertNever(session.status);
  }
};

const takenUp = (thread: Thread, state: NonNullable<Thread['turn']>['state']): TurnState => {
  const status = thread.session?.status ?? 'none';
  const isLive = status === 'running' || status === 'starting';
  const lastError = thread.session?.lastError ?? null;
  if (status === 'unknown') return unknown;
  switch (state) {
    case 'running':
      if (!isLive) return unknown;
      return thread.pending === null ? { is: 'at work' } : { is: 'asking', what: thread.pending };
    case 'completed':
      if (isLive) return unknown;
      // Background work ends with its process.
      if (status === 'stopped') return { is: 'over', how: 'completed, agent left', lastError };
      return thread.backgroundWork ? { is: 'background' } : { is: 'over', how: 'completed', lastError };
    case 'error':
      if (isLive) return unknown;
      return { is: 'over', how: status === 'stopped' ? 'crashed' : 'error', lastError };
    case 'interrupted':
      return isLive ? { is: 'interrupting' } : { is: 'over', how: 'interrupted', lastError };
    case 'unknown':
      return unknown;
    default:
      return assertNever(state);
  }
};
