import { checkpointCaptured, contextWindowUpdated, type T3Tokens } from './t3-activity.ts';
import {
  changed,
  newId,
  note,
  setSession,
  type T3FileChange,
  type T3Session,
  type T3Thread,
  type T3Turn,
} from './t3-thread.ts';

/** What T3 says when an agent process is gone without having said that it was done. */
export const streamFailed = 'Claude runtime stream failed.';

/**
 * A turn is taken up: from now on it is the thread's latest. It reads as requested and started at `requestedAt`, the stamp
 * of its message, however long it waited.
 */
export const takeUpTurn = (thread: T3Thread, requestedAt: number, at: number): T3Turn => {
  const turn: T3Turn = {
    turnId: newId(thread, 'turn'),
    state: 'running',
    requestedAt,
    startedAt: requestedAt,
    completedAt: null,
    assistantMessageId: null,
  };
  thread.turnsTaken += 1;
  thread.latestTurn = turn;
  setSession(thread, { status: 'running', activeTurnId: turn.turnId, lastError: null }, at);
  return turn;
};

/** What a turn leaves behind whatever its end: no open request, no plan, and the token figures not told before. */
export const clearTurn = (thread: T3Thread, turn: T3Turn, tokens: T3Tokens | null, at: number): void => {
  thread.openRequests.clear();
  thread.planProgress = null;
  if (tokens) note(thread, contextWindowUpdated(tokens), turn.turnId, at);
};

/** The turn reads `completed` and the session says why in the same instant: `ready`, or `stopped` if the agent just left. */
export const completeTurn = (thread: T3Thread, turn: T3Turn, status: T3Session['status'], at: number): void => {
  turn.state = 'completed';
  turn.completedAt = at;
  setSession(thread, { status, activeTurnId: null }, at);
};

/** The turn reads `error` at once; the session follows a moment later. */
export const failTurn = (thread: T3Thread, turn: T3Turn, at: number): void => {
  turn.state = 'error';
  turn.completedAt = at;
  changed(thread, at);
};

/** An interrupt that was asked for: the turn reads `interrupted` before its agent has heard of it, and nothing else moves. */
export const markInterrupted = (thread: T3Thread, turn: T3Turn, at: number): void => {
  turn.state = 'interrupted';
  turn.completedAt = at;
  thread.ledger.sequence += 1;
};

/** An interrupt that took hold: the agent is out of its turn, the session is ready, the turn still reads `interrupted`. */
export const settleInterrupted = (thread: T3Thread, turn: T3Turn, at: number): void => {
  note(thread, checkpointCaptured(thread.turnsTaken, 'missing'), turn.turnId, at);
  setSession(thread, { status: 'ready', activeTurnId: null }, at);
};

/**
 * The checkpoint that follows every turn in a git worktree, stamped with the turn's end. It is what turns `interrupted` into
 * `completed`, and why `completedAt` moves a little after the end.
 */
export const captureCheckpoint = (
  thread: T3Thread,
  turn: T3Turn,
  turnCount: number,
  files: readonly T3FileChange[],
  endedAt: number,
): void => {
  note(thread, checkpointCaptured(turnCount, 'ready'), turn.turnId, endedAt);
  const assistantMessageId = turn.assistantMessageId;
  thread.checkpoints.push({ turnId: turn.turnId, turnCount, files, assistantMessageId, completedAt: endedAt });
  if (turn.state === 'interrupted') turn.state = 'completed';
  turn.completedAt = endedAt;
};
