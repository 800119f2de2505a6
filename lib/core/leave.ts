import type { Leaving, Turn } from './run.ts';
import type { Thread } from './thread.ts';
import { isLater } from './turn-state.ts';

/**
 * What getting an agent out of its thread asks for now. `out`: seen to be out, the lock may go. `unseen`: it cannot be
 * seen any more, only a person can say that it is out. `wait`: look again, or (thread missing, whereabouts not asked
 * for yet) look it up.
 */
export type Leave = 'out' | 'wait' | 'unseen' | { order: 'interrupt' | 'stop' | 'unarchive' };

/** Whether a turn start can have reached the thread: none was ever sent, one may have been, one was accepted. */
export type Sent = 'never' | 'maybe' | 'accepted';

/** What the record knows of that, of a run's last turn. A message before this turn's is an accepted one too. */
export const sentOf = (turn: Turn | null): Sent => {
  if (turn === null) return 'never';
  return turn.sentAt !== null || turn.after !== null ? 'accepted' : 'maybe';
};

/**
 * The next step of seeing an agent out. Pure and total. `clock` and the instants of `leaving` are run time, epoch ms;
 * the caller counts each order it gives in `leaving`. The thread's word goes before the record's.
 *
 * | thread                                                     | step                                             |
 * |------------------------------------------------------------|--------------------------------------------------|
 * | nothing ever sent, and it shows no message and no session  | out                                              |
 * | missing, whereabouts not known                             | wait                                             |
 * | missing, archived                                          | unarchive                                        |
 * | missing, deleted                                           | unseen                                           |
 * | missing, never existed there                               | out; but unseen where a turn had been accepted: another server answers |
 * | session stopped, not before the last message               | out                                              |
 * | session starting, running or in a word nobody knows        | interrupt; stop where that was in vain for 5 min |
 * | any other, also one that never started                     | stop: a queued turn may start late               |
 *
 * The same is ordered again 2 min after the last order (10 min, once leaving took longer than 10). A first unarchive, and
 * the first stop of an idle agent, come at once; any other change of order keeps 30 s from the last one, which may just
 * be taking hold.
 */
export const leave = (
  thread: Thread | undefined,
  whereabouts: 'archived' | 'deleted' | 'absent' | null,
  leaving: Leaving,
  clock: number,
  sent: Sent,
): Leave => {
  if (sent === 'never' && !isTouched(thread)) return 'out';
  if (thread === undefined) return missing(whereabouts, leaving, clock, sent);
  if (isOut(thread)) return 'out';
  const { order, afterMs } = isBusy(thread) ? orderToBusy(leaving, clock) : orderToIdle(leaving, clock);
  return sinceOrder(leaving, clock) >= afterMs ? { order } : 'wait';
};

const settleMs = 30_000;
const repeatMs = 2 * 60_000;
const interruptMs = 5 * 60_000;
const stuckMs = 10 * 60_000;

const isTouched = (thread: Thread | undefined): boolean =>
  thread !== undefined && (thread.lastMessageAt !== null || thread.turn !== null || thread.session !== null);

const missing = (
  whereabouts: 'archived' | 'deleted' | 'absent' | null,
  leaving: Leaving,
  clock: number,
  sent: Sent,
): Leave => {
  if (whereabouts === null) return 'wait';
  if (whereabouts === 'archived') {
    const afterMs = leaving.unarchives === 0 ? 0 : repeatAfter(leaving, clock);
    return sinceOrder(leaving, clock) >= afterMs ? { order: 'unarchive' } : 'wait';
  }
  // T3 forgets no thread, and refuses a turn for one it never had.
  if (whereabouts === 'absent' && sent !== 'accepted') return 'out';
  return 'unseen';
};

/** A session stopped before the last message says nothing about the turn that message may still start. */
const isOut = ({ session, lastMessageAt }: Thread): boolean =>
  session?.status === 'stopped' && (lastMessageAt === null || !isLater(lastMessageAt, session.updatedAt));

const isBusy = ({ session }: Thread): boolean =>
  session?.status === 'starting' || session?.status === 'running' || session?.status === 'unknown';

/** `afterMs` is how long the last order has to be ago for this one. */
type Due = { order: 'interrupt' | 'stop'; afterMs: number };

const orderToBusy = (leaving: Leaving, clock: number): Due => {
  if (leaving.interrupts === 0) return { order: 'interrupt', afterMs: settleMs };
  if (!isInVain(leaving, clock)) return { order: 'interrupt', afterMs: repeatMs };
  return { order: 'stop', afterMs: leaving.stops === 0 ? settleMs : repeatAfter(leaving, clock) };
};

const orderToIdle = (leaving: Leaving, clock: number): Due => ({
  order: 'stop',
  afterMs: leaving.stops === 0 ? 0 : repeatAfter(leaving, clock),
});

// Stopping a silent agent that was not interrupted first blocks the whole server: an interrupt always had its time before.
const isInVain = (leaving: Leaving, clock: number): boolean =>
  clock - leaving.since >= interruptMs && (leaving.interrupts > 1 || sinceOrder(leaving, clock) >= repeatMs);

const sinceOrder = ({ lastOrderAt }: Leaving, clock: number): number =>
  lastOrderAt === null ? Number.POSITIVE_INFINITY : clock - lastOrderAt;

// What did not help for so long will hardly help the next time: a stuck server is not asked every other minute for days.
const repeatAfter = ({ since }: Leaving, clock: number): number => (clock - since > stuckMs ? stuckMs : repeatMs);
