import { deadlines } from '../core/deadlines.ts';
import { commandIdOf, threadIdOf } from '../core/ids.ts';
import type { OpenRun } from '../core/run.ts';
import { isTurnOut } from '../core/situation.ts';
import { type TurnState, turnState } from '../core/turn-state.ts';
import { type ExecutorLook, PortError } from '../ports.ts';
import { fail, hasTime, inParallel, note, ofKind, type StoredRun, type Tick } from './tick.ts';

/**
 * Interrupts every turn that is out, again under new ids until each is seen over, and touches nothing else: no look at
 * the tracker, no decision, no clock. That it did so is recorded first: T3 will call the turn completed.
 */
export const haltAll = async (tick: Tick): Promise<void> => {
  const { items } = await tick.ports.store.readNow();
  const runs = ofKind(items, 'run');
  tick.report.openRuns = runs.length;
  if (runs.length === 0) return;
  const look = await lookOrNull(tick);
  if (look === null) return;
  await inParallel(runs, 8, async (stored) => {
    const { run } = stored.item;
    try {
      if (!hasTime(tick)) tick.report.notReached += 1;
      else await haltOne(tick, stored, look);
    } catch (error) {
      fail(tick.report, `halt of ${run.repo.name}#${run.issue.number}`, error);
    }
  });
};

/** Out of reach, nothing can be interrupted; the next tick of the half hour asks again. */
const lookOrNull = async (tick: Tick): Promise<ExecutorLook | null> => {
  try {
    return await tick.ports.executor.look();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    fail(tick.report, 'executor', error);
    return null;
  }
};

const haltOne = async (tick: Tick, stored: StoredRun, look: ExecutorLook): Promise<void> => {
  const { run } = stored.item;
  const now = tick.now();
  if (run.phase === 'claimed' || run.turn === null || !isOut(stateOf(run, look))) return;
  if (run.halt !== null && Math.abs(now - run.halt.lastOrderAt) < deadlines.haltAgainMs) return;
  const halt = { at: run.halt?.at ?? now, interrupts: (run.halt?.interrupts ?? 0) + 1, lastOrderAt: now };
  if ((await tick.ports.store.replace(stored, { kind: 'run', run: { ...run, halt } })) === 'lost') return;
  await tick.ports.executor.interrupt({
    // Named by the instant too: a run may be halted again after it was resumed within the same turn.
    commandId: commandIdOf(run.id, run.turn.n, `halt-${halt.at}`, halt.interrupts),
    threadId: threadIdOf(run.id, run.turn.thread),
    at: now,
  });
  note(tick, run, 'halted', 'the kill switch is on: its turn was interrupted');
};

const stateOf = (run: Exclude<OpenRun, { phase: 'claimed' }>, look: ExecutorLook): TurnState =>
  run.turn === null ? { is: 'absent' } : turnState(look.threads.get(threadIdOf(run.id, run.turn.thread)), run.turn);

/** Something may run or begin to run; a turn that T3 never had has nothing to interrupt. */
const isOut = (state: TurnState): boolean => isTurnOut({ state }) && state.is !== 'not accepted';
