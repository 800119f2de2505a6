import { ageOf } from '../core/age.ts';
import { deadlines } from '../core/deadlines.ts';
import { wedgedReason } from '../core/executor-health.ts';
import { threadIdOf } from '../core/ids.ts';
import { lostBy } from '../core/lost-time.ts';
import type { ItemOf } from '../core/record.ts';
import { isActive, type OpenRun, runTime } from '../core/run.ts';
import { turnState } from '../core/turn-state.ts';
import { type ExecutorLook, PortError, type Stored } from '../ports.ts';
import type { Horizon } from './look.ts';
import { fail, ofKind, type StoredRun, type Tick } from './tick.ts';

/**
 * What one watcher tick knows before it looks at single runs: one look at the executor, the time that was lost to
 * everybody, and whether the executor is to blame for turns that do not start. Written down once, for all runs.
 */
export const horizonOver = async (
  tick: Tick,
  runs: readonly StoredRun[],
  items: readonly Stored[],
): Promise<(run: OpenRun) => Horizon> => {
  const look = await lookAtExecutor(tick);
  const lastWatch = await keepTime(tick, runs, ofKind(items, 'lastWatch')[0], look !== null);
  const breaker = ofKind(items, 'breaker')[0];
  await closeBreaker(tick, runs, { look, lostMs: lastWatch.lostMs }, breaker);
  const others = runs.map(({ item }) => item.run).filter((run) => couldNotStart(run, look));
  return (run) => ({
    look,
    lostMs: lastWatch.lostMs,
    executorDownMs: lastWatch.executorDownSince === null ? 0 : tick.now() - lastWatch.executorDownSince,
    executorSuspect:
      others.some(({ id }) => id !== run.id) ||
      (breaker !== undefined && breaker.item.streak > 0 && breaker.item.runId !== run.id),
  });
};

/** A run that ends because it could not start, or is just not starting again: it speaks for all that do not either. */
const couldNotStart = (run: OpenRun, look: ExecutorLook | null): boolean => {
  if (run.phase === 'ending') return run.couldNotStart;
  if (!isActive(run) || run.restarts === 0 || run.firstTakenUpAt !== null || look === null) return false;
  const { is } = turnState(look.threads.get(threadIdOf(run.id, run.turn.thread)), run.turn);
  return is === 'could not start' || is === 'not accepted' || is === 'queued';
};

const lookAtExecutor = async (tick: Tick): Promise<ExecutorLook | null> => {
  try {
    const look = await tick.ports.executor.look();
    tick.report.failed.push(
      ...look.unreadable.map((id) => ({
        what: `unreadable thread ${id}`,
        reason: 'it does not have the shape of a thread',
      })),
    );
    const wedged = wedgedReason(look.threads.values(), tick.now());
    tick.report.wedged = wedged !== null;
    if (wedged !== null) tick.report.failed.push({ what: 'executor', reason: wedged });
    return look;
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    fail(tick.report, 'executor', error);
    return null;
  }
};

/**
 * Time in which nobody could look, counted once for all runs: between ticks that are too far apart, and while the
 * executor is out of reach. Of two watchers that count at once, one is heard.
 */
const keepTime = async (
  tick: Tick,
  runs: readonly StoredRun[],
  stored: Stored<ItemOf<'lastWatch'>> | undefined,
  isReached: boolean,
): Promise<ItemOf<'lastWatch'>> => {
  const now = tick.now();
  const known = stored?.item;
  const open = runs.map(({ item }) => item.run);
  // Down is what was seen down, look by look: what happened while nobody looked, or the clock jumped, is not known.
  const isFresh = known !== undefined && Math.abs(now - known.at) <= deadlines.gapMs;
  const downSince = isFresh ? known.executorDownSince : null;
  const kept: ItemOf<'lastWatch'> = {
    kind: 'lastWatch',
    at: now,
    lostMs: lostBy(known, open, now, !isReached || downSince !== null),
    executorDownSince: isReached ? null : (downSince ?? now),
  };
  const written =
    stored === undefined ? await tick.ports.store.insert(kept) : await tick.ports.store.replace(stored, kept);
  if (written !== 'lost' && written !== 'taken') return kept;
  const theirs = (await tick.ports.store.read('lastWatch'))?.item;
  return theirs?.kind === 'lastWatch' ? theirs : { ...kept, lostMs: lostBy('unreadable', open, now) };
};

/** A turn that was sent since and taken up shows that the executor starts agents again. */
const closeBreaker = async (
  tick: Tick,
  runs: readonly StoredRun[],
  { look, lostMs }: Pick<Horizon, 'look' | 'lostMs'>,
  breaker: Stored<ItemOf<'breaker'>> | undefined,
): Promise<void> => {
  if (breaker === undefined || breaker.item.streak === 0 || look === null) return;
  const now = tick.now();
  const sinceMs = ageOf(breaker.item.at, now);
  const hasStarted = runs.some(({ item: { run } }) => {
    if (!isActive(run) || run.turn.sentAt === null) return false;
    // The run's own clock, on which its turn was sent.
    if (runTime(run, lostMs, now) - run.turn.sentAt >= sinceMs) return false;
    const { is } = turnState(look.threads.get(threadIdOf(run.id, run.turn.thread)), run.turn);
    return is === 'at work' || is === 'over' || is === 'asking' || is === 'background';
  });
  if (!hasStarted) return;
  await tick.ports.store.replace(breaker, { kind: 'breaker', streak: 0, runId: null, at: now, openUntil: null });
};
