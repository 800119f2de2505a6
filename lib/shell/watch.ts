import { ageOf } from '../core/age.ts';
import { assertNever } from '../core/assert.ts';
import { withinBytes } from '../core/clean-text.ts';
import { type Control, isHaltDue } from '../core/control.ts';
import { deadlines } from '../core/deadlines.ts';
import type { StartedRun } from '../core/evolve.ts';
import { threadIdOf } from '../core/ids.ts';
import { lastWordsBytesMax } from '../core/next.ts';
import { type ActiveRun, isActive, type OpenRun } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import { step } from '../core/step.ts';
import { PortError, type Stored } from '../ports.ts';
import { advance } from './advance.ts';
import { finish } from './finish.ts';
import { haltAll } from './halt.ts';
import { horizonOver } from './horizon.ts';
import { stepLeaving } from './leaving.ts';
import { type Horizon, lookAt } from './look.ts';
import { payOwed } from './owed.ts';
import { paced } from './pacing.ts';
import { resumeActive } from './resume.ts';
import { learnt } from './story.ts';
import {
  emptyReport,
  fail,
  hasTime,
  inParallel,
  isAnothers,
  meantItems,
  note,
  noteLook,
  ofKind,
  type Report,
  readOpenItems,
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
  if (control.state === 'off') return off(context, report, control);
  const ports = await context.connect(control.settings);
  const unpaced: Tick = { ...context, ports, settings: control.settings, report };
  const { items: all } = await readOpenItems(unpaced);
  const { tick, owing, settle } = paced(unpaced, all);
  const items = meantItems(all, context);
  const runs = rotated(ofKind(items, 'run'), context.now());
  report.stuck = ofKind(all, 'run').filter(({ item: { run } }) => run.phase === 'ending' && run.stuck).length;
  if (runs.length > 0) await watchRuns(tick, runs, items);
  // Read again only where something may have ended in this very tick.
  const now = report.happened.some(({ what }) => what === 'ended' || what === 'released')
    ? meantItems((await ports.store.readNow()).items, context)
    : items;
  // Paid only once its lock is gone: a run that is still open would be shown as such again.
  const open = new Set(ofKind(now, 'run').map(({ item }) => item.run.id));
  await eachWithTime(
    tick,
    ofKind(now, 'owed').filter(({ item }) => !open.has(item.run.id)),
    (one) => payOwed(owing, one),
    ({ item }) => `owed by ${item.run.repo.name}#${item.run.issue.number}`,
  );
  await settle();
  return report;
};

/** Inert; but just after an operator's flip what is out is halted. */
const off = async (context: TickContext, report: Report, { reason, unreadable, halt }: Off): Promise<Report> => {
  const said: Report = { ...report, state: 'off', reason, unreadable };
  if (halt === null || !isHaltDue(halt, context.now())) return said;
  const ports = await context.connect(halt.settings);
  await haltAll({ ...context, ports, settings: halt.settings, report: said });
  return said;
};

type Off = Extract<Control, { state: 'off' }>;

const watchRuns = async (tick: Tick, runs: readonly StoredRun[], items: readonly Stored[]): Promise<void> => {
  const horizonOf = await horizonOver(tick, runs, items);
  await glance(tick, runs);
  const owing = new Set(ofKind(items, 'owed').map(({ item }) => item.run.id));
  await eachWithTime(
    tick,
    runs,
    (stored) => {
      const { run } = stored.item;
      // Its agent was seen out, and only the freeing of the lock went wrong.
      if (run.phase === 'ending' && owing.has(run.id)) return finish(tick, stored, run);
      return watchRun(tick, stored, horizonOf(run));
    },
    ({ item }) => `run of ${item.run.repo.name}#${item.run.issue.number}`,
  );
};

/** What a glance spares is read in full where it fails, and then says itself what is wrong; only a refusal is news. */
const glance = async (tick: Tick, runs: readonly StoredRun[]): Promise<void> => {
  const watched = runs.flatMap(({ item: { run } }) =>
    isActive(run) ? [{ repo: run.repo, number: run.issue.number, nodeId: run.issue.nodeId }] : [],
  );
  if (watched.length === 0) return;
  try {
    await tick.ports.tracker.glance(watched);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    if (error.kind === 'refused') fail(tick.report, 'glance', error);
  }
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
      return watchActive(tick, stored, run, horizon);
    case 'restarting':
    case 'ending':
      // An order that was not carried out is not repeated as such: leaving asks again, under ids of its own.
      if (run.command === null) return stepLeaving(tick, stored, run, horizon);
      return isOld(tick, run.command) ? stepLeaving(tick, stored, { ...run, command: null }, horizon) : undefined;
    default:
      return assertNever(run);
  }
};

/** Somebody else's command is left to them for a while; an older one is looked into before anything is decided. */
const watchActive = async (tick: Tick, stored: StoredRun, run: ActiveRun, horizon: Horizon): Promise<void> => {
  const { command } = run;
  if (command === null) return stepActive(tick, stored, run, horizon);
  if (!isOld(tick, command)) return;
  const resumed = await resumeActive(tick, stored, run, command, horizon);
  if (resumed !== null) await stepActive(tick, resumed.stored, resumed.run, horizon);
};

const isOld = (tick: Tick, command: { recordedAt: number; by: string }): boolean =>
  !isAnothers(tick, { by: command.by, at: command.recordedAt });

const stepActive = async (tick: Tick, stored: StoredRun, run: ActiveRun, horizon: Horizon): Promise<void> => {
  const now = tick.now();
  const settings = settingsFor(tick.settings, run.repo.name);
  const facts = await lookAt(tick, run, settings, horizon, now);
  const { run: following, situation, decision } = step(run, facts, settings, { now, by: tick.by });
  noteLook(tick, run, situation);
  for (const { what, why } of learnt(run, following)) note(tick, run, what, why);
  if (decision !== 'wait') note(tick, run, 'decided', `${decision}: ${situation.why}`);
  await advance(tick, stored, await withLastWords(tick, following), horizon);
};

/** Whoever takes over wants to read what the agent said last; where that cannot be read, the end does not wait for it. */
const withLastWords = async (tick: Tick, run: StartedRun): Promise<StartedRun> => {
  if (run.phase !== 'ending' || run.lastWords !== null || run.turn === null) return run;
  if (run.outcome !== 'escalated' && run.outcome !== 'frozen') return run;
  try {
    const detail = await tick.ports.executor.detail(threadIdOf(run.id, run.turn.thread));
    return detail?.lastWords == null ? run : { ...run, lastWords: withinBytes(detail.lastWords, lastWordsBytesMax) };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return run;
  }
};

const releaseStaleClaim = async (tick: Tick, stored: StoredRun, run: OpenRun): Promise<void> => {
  if (ageOf(run.claimedAt, tick.now()) <= deadlines.staleClaimMs) return;
  if ((await tick.ports.store.remove(stored)) === 'removed')
    note(tick, run, 'released', 'claimed, and never dispatched');
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
      fail(tick.report, name(one), error);
    }
  });

/** Another one first in each minute, so that a tick that runs out of time starves nobody. */
const rotated = <T>(list: readonly T[], now: number): T[] => {
  const from = list.length === 0 ? 0 : Math.floor(now / 60_000) % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
};
