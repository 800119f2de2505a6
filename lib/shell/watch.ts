import { assertNever } from '../core/assert.ts';
import { deadlines } from '../core/deadlines.ts';
import { threadIdOf } from '../core/ids.ts';
import { endingOf, obeyed } from '../core/next.ts';
import type { Item, ItemOf } from '../core/record.ts';
import { type ActiveRun, isActive, type OpenRun, runTime } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import { judge, step } from '../core/step.ts';
import { type ExecutorLook, PortError, type Stored } from '../ports.ts';
import { advance, payCommand, payMirror, record } from './advance.ts';
import { stepLeaving } from './leaving.ts';
import { type Horizon, lookAt } from './look.ts';
import { isAccepted } from './obey.ts';
import { payOwed } from './owed.ts';
import { learnt } from './story.ts';
import {
  emptyReport,
  hasTime,
  inParallel,
  note,
  type Report,
  reasonOf,
  type StoredRun,
  type Tick,
  type TickContext,
} from './tick.ts';

/**
 * The watcher: settings, open items, and for each open run one look, one decision, one record, one act. With no open
 * run and nothing owed it has made two calls. One run's failure never stops the others.
 */
export const watch = async (context: TickContext): Promise<Report> => {
  const report = emptyReport('watch');
  const control = await context.gate.read();
  if (control.state === 'off')
    return { ...report, state: 'off', reason: control.reason, unreadable: control.unreadable };
  const ports = await context.connect(control.settings);
  const tick: Tick = { ...context, ports, settings: control.settings, report };
  const { items, unreadable } = await ports.store.readNow();
  report.failed.push(...unreadable.map(({ key, reason }) => ({ what: `unreadable item ${key}`, reason })));
  const runs = rotated(ofKind(items, 'run'), context.now());
  report.openRuns = runs.length;
  if (runs.length > 0) await watchRuns(tick, runs, items);
  // Read again only where something may have ended in this very tick.
  const owed = report.happened.some(({ what }) => what === 'ended' || what === 'released')
    ? (await ports.store.readNow()).items
    : items;
  await eachWithTime(
    tick,
    ofKind(owed, 'owed'),
    (one) => payOwed(tick, one),
    ({ item }) => `owed by ${item.run.repo.name}#${item.run.issue.number}`,
  );
  return report;
};

const watchRuns = async (tick: Tick, runs: readonly StoredRun[], items: readonly Stored[]): Promise<void> => {
  const look = await lookAtExecutor(tick);
  const lastWatch = await keepTime(tick, runs, ofKind(items, 'lastWatch')[0], look !== null);
  const breaker = ofKind(items, 'breaker')[0];
  const horizonOf = (run: OpenRun): Horizon => ({
    look,
    lostMs: lastWatch.lostMs,
    executorDownMs: lastWatch.executorDownSince === null ? 0 : tick.now() - lastWatch.executorDownSince,
    executorSuspect: breaker !== undefined && breaker.item.streak > 0 && breaker.item.runId !== run.id,
  });
  await eachWithTime(
    tick,
    runs,
    (stored) => watchRun(tick, stored, horizonOf(stored.item.run)),
    ({ item }) => `run of ${item.run.repo.name}#${item.run.issue.number}`,
  );
  await closeBreaker(tick, runs, look, breaker);
};

/** One run, one step. */
const watchRun = async (tick: Tick, stored: StoredRun, horizon: Horizon): Promise<void> => {
  const { run } = stored.item;
  switch (run.phase) {
    case 'claimed':
      return releaseStaleClaim(tick, stored, run);
    case 'working':
    case 'verifying':
    case 'fixing':
      return run.command === null ? stepActive(tick, stored, run, horizon) : resumeActive(tick, stored, run, horizon);
    case 'restarting':
    case 'ending':
      // An order that was not carried out is not repeated as such: leaving asks again, under ids of its own.
      if (run.command === null) return stepLeaving(tick, stored, run, horizon);
      return isOld(tick, run.command) ? stepLeaving(tick, stored, { ...run, command: null }, horizon) : undefined;
    default:
      return assertNever(run);
  }
};

const isOld = (tick: Tick, command: { recordedAt: number; by: string }): boolean =>
  command.by === tick.by || tick.now() - command.recordedAt >= deadlines.ownMs;

const stepActive = async (tick: Tick, stored: StoredRun, run: ActiveRun, horizon: Horizon): Promise<void> => {
  const now = tick.now();
  const settings = settingsFor(tick.settings, run.repo.name);
  const facts = await lookAt(tick.ports, run, settings, horizon, now);
  const { run: following, situation, decision } = step(run, facts, settings, { now, by: tick.by });
  for (const { what, why } of learnt(run, following)) note(tick, run, what, why);
  if (decision !== 'wait') note(tick, run, 'decided', `${decision}: ${situation.why}`);
  await advance(tick, stored, following, horizon);
};

/**
 * A command whose invocation died, or that a brake held back. The world is asked first: it may have taken hold, and a
 * person may have called the run off meanwhile.
 */
const resumeActive = async (tick: Tick, stored: StoredRun, run: ActiveRun, horizon: Horizon): Promise<void> => {
  const { look, lostMs } = horizon;
  const { command } = run;
  if (command === null || !isOld(tick, command) || look === null) return;
  const now = tick.now();
  const clock = runTime(run, lostMs, now);
  if (isAccepted(look.threads.get(threadIdOf(run.id, run.turn.thread)), run.turn)) {
    await advance(tick, stored, obeyed(run, clock), horizon);
    return;
  }
  const settings = settingsFor(tick.settings, run.repo.name);
  const { judged } = judge(run, await lookAt(tick.ports, run, settings, horizon, now), settings);
  const { situation } = judged;
  const end = { why: situation.why, clock, lastWords: null, couldNotStart: false, deployed: false, outOfReach: false };
  if (situation.name === 'cancelled by a person' || situation.name === 'issue gone') {
    await advance(tick, stored, endingOf(run, 'cancelled', end), horizon);
    return;
  }
  if (judged.facts.issue === null) return;
  if (run.turn.kind === 'opening' && now - command.recordedAt > deadlines.staleClaimMs) {
    // What was trusted then is ruled upon anew: the text may have changed and the act is not spent.
    await advance(
      tick,
      stored,
      endingOf(run, 'released', { ...end, why: 'the opening was not carried out in time' }),
      horizon,
    );
    return;
  }
  const owned = await record(tick, stored, { ...run, command: { ...command, recordedAt: now, by: tick.by } });
  const acted = owned === null ? null : await payCommand(tick, owned, horizon);
  if (acted !== null) await payMirror(tick, acted);
};

const releaseStaleClaim = async (tick: Tick, stored: StoredRun, run: OpenRun): Promise<void> => {
  if (tick.now() - run.claimedAt <= deadlines.staleClaimMs) return;
  if ((await tick.ports.store.remove(stored)) === 'removed')
    note(tick, run, 'released', 'claimed, and never dispatched');
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
    return look;
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    tick.report.failed.push({ what: 'executor', reason: reasonOf(error) });
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
  // Before the oldest open run there was nothing to look at, and no time to lose.
  const oldest = Math.min(...runs.map(({ item }) => item.run.claimedAt));
  const gapMs = Math.max(0, now - Math.max(known?.at ?? oldest, oldest));
  const wasDown = known !== undefined && known.executorDownSince !== null;
  const lostMs = gapMs > deadlines.gapMs || !isReached || wasDown ? gapMs : 0;
  const kept: ItemOf<'lastWatch'> = {
    kind: 'lastWatch',
    at: now,
    lostMs: (known?.lostMs ?? 0) + lostMs,
    executorDownSince: isReached ? null : (known?.executorDownSince ?? now),
  };
  const written =
    stored === undefined ? await tick.ports.store.insert(kept) : await tick.ports.store.replace(stored, kept);
  if (written !== 'lost' && written !== 'taken') return kept;
  const theirs = (await tick.ports.store.read('lastWatch'))?.item;
  return theirs?.kind === 'lastWatch' ? theirs : kept;
};

/** An agent that was taken up shows that the executor starts agents again. */
const closeBreaker = async (
  tick: Tick,
  runs: readonly StoredRun[],
  look: ExecutorLook | null,
  breaker: Stored<ItemOf<'breaker'>> | undefined,
): Promise<void> => {
  if (breaker === undefined || breaker.item.streak === 0 || look === null) return;
  const hasStarted = runs.some(({ item: { run } }) => {
    if (!isActive(run) || run.id === breaker.item.runId) return false;
    const thread = look.threads.get(threadIdOf(run.id, run.turn.thread));
    return thread !== undefined && thread.turn !== null;
  });
  if (hasStarted) await tick.ports.store.replace(breaker, { kind: 'breaker', streak: 0, runId: null, openUntil: null });
};

/** Eight at a time; what was not begun before the last 10 s is counted. */
const eachWithTime = async <T>(
  tick: Tick,
  list: readonly T[],
  work: (one: T) => Promise<void>,
  name: (one: T) => string,
): Promise<void> =>
  inParallel(list, 8, async (one) => {
    if (!hasTime(tick)) {
      tick.report.notReached += 1;
      return;
    }
    try {
      await work(one);
    } catch (error) {
      tick.report.failed.push({ what: name(one), reason: reasonOf(error) });
    }
  });

/** The items of one kind. */
export const ofKind = <K extends Item['kind']>(items: readonly Stored[], kind: K): Stored<ItemOf<K>>[] =>
  items.filter((stored): stored is Stored<ItemOf<K>> => stored.item.kind === kind);

/** Another one first in each minute, so that a tick that runs out of time starves nobody. */
const rotated = <T>(list: readonly T[], now: number): T[] => {
  const from = list.length === 0 ? 0 : Math.floor(now / 60_000) % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
};
