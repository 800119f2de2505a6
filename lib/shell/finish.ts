import { usdOf } from '../core/budget.ts';
import { deadlines } from '../core/deadlines.ts';
import { dateOf, type ItemOf, runKey } from '../core/record.ts';
import type { EndedRun, EndingRun } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import { PortError } from '../ports.ts';
import { fail, note, type StoredRun, type Tick } from './tick.ts';

/**
 * The agent is out: history and debts are stored, then the lock is freed, in this order, so that a crash at any line
 * costs a repeat. Everything before the lock may be written twice and is the same.
 */
export const finish = async (tick: Tick, stored: StoredRun, run: EndingRun): Promise<void> => {
  const now = tick.now();
  const { command: _none, stuckRinger: _nobody, ...rest } = run;
  const ended: EndedRun = { ...rest, phase: 'ended', endedAt: now };
  await tick.ports.store.keepHistory(ended);
  await rememberAct(tick, ended);
  await countMoney(tick, ended);
  if (run.couldNotStart) await countStart(tick, run.id);
  // Whoever comes late to an end finds the lock gone, or another's: what was owed for it may be paid already.
  const held = (await tick.ports.store.read(runKey(run.repo)))?.item;
  if (held?.kind !== 'run' || held.run.id !== run.id) return;
  await tick.ports.store.insert({
    kind: 'owed',
    run: ended,
    mirrored: false,
    // Threads of handed-back runs are kept: a person will want to read them. One whose agent nobody saw out is too:
    // archived, it would be out of reach.
    archived: ended.turn === null || ended.outcome === 'escalated' || ended.outcome === 'frozen' || ended.stuck,
    rings: Object.fromEntries(
      ended.outcome === 'released' ? [] : tick.ports.doorbells.map((bell) => [bell.name, false]),
    ),
    payer: null,
    since: now,
  });
  if ((await tick.ports.store.remove(stored)) === 'lost') return;
  tick.report.ended.push(ended);
  note(tick, run, run.outcome === 'released' ? 'released' : 'ended', `${run.outcome}: ${run.reason}`);
};

/** How often a labelling was given back to the queue. */
export const releasesOf = (memory: ItemOf<'issue'> | null, actId: string): number =>
  memory?.releases?.actId === actId ? memory.releases.count : 0;

/** The labelling had its run; or, where the executor was at fault, it is kept and the issue cools down. */
const rememberAct = async (tick: Tick, ended: EndedRun): Promise<void> => {
  const now = tick.now();
  const { repo, issue, act, outcome } = ended;
  await change(tick, `issue#${repo.host}#${repo.id}#${issue.number}`, (known): ItemOf<'issue'> => {
    const before = known?.kind === 'issue' ? known : null;
    const isReleased = outcome === 'released';
    return {
      kind: 'issue',
      host: repo.host,
      repoId: repo.id,
      number: issue.number,
      spent: isReleased
        ? (before?.spent ?? null)
        : { actId: act.id, actAt: act.at, outcome, runId: ended.id, commits: ended.commits },
      refusal: null,
      releases: isReleased ? { actId: act.id, count: releasesOf(before, act.id) + 1 } : null,
      coolUntil: isReleased ? now + deadlines.coolDownMs : null,
      told: before?.told ?? null,
      changedAt: now,
    };
  });
};

/** Counted on the day a run ends, once; a day whose count cannot be read keeps no lock. */
const countMoney = async (tick: Tick, ended: EndedRun): Promise<void> => {
  const usd = usdOf(
    ended.tokens.reduce((sum, total) => sum + total, 0),
    settingsFor(tick.settings, ended.repo.name),
  );
  if (usd === 0) return;
  const date = dateOf(ended.endedAt);
  await change(tick, `spend#${date}`, (known): ItemOf<'spend'> => {
    const before = known?.kind === 'spend' ? known : { kind: 'spend' as const, date, usd: 0, runs: [] };
    return before.runs.includes(ended.id)
      ? before
      : { ...before, usd: before.usd + usd, runs: [...before.runs, ended.id].slice(-40) };
  }).catch((error: unknown) => {
    if (error instanceof PortError) throw error;
    fail(tick.report, 'money of the day', error);
  });
};

/** One more run in a row that could not start; at two nothing is dispatched for a while. */
const countStart = (tick: Tick, runId: string): Promise<void> =>
  change(tick, 'breaker', (known): ItemOf<'breaker'> => {
    const before = known?.kind === 'breaker' ? known : null;
    if (before?.runId === runId) return before;
    const streak = (before?.streak ?? 0) + 1;
    return {
      kind: 'breaker',
      streak,
      runId,
      at: tick.now(),
      openUntil: streak >= 2 ? tick.now() + deadlines.coolDownMs : null,
    };
  }).catch((error: unknown) => {
    if (error instanceof PortError) throw error;
    // A count that nobody can read is an operator's to mend; no lock waits for that.
    fail(tick.report, 'breaker', error);
  });

type Changed = 'issue' | 'breaker' | 'repo' | 'spend';

/** Changes one item under its condition, reading it again where somebody else was faster. */
export const change = async <T extends ItemOf<Changed>>(
  tick: Tick,
  key: string,
  to: (known: ItemOf<Changed> | null) => T,
): Promise<void> => {
  for (let tries = 0; tries < 5; tries += 1) {
    const stored = await tick.ports.store.read(key);
    if (stored === null) {
      if ((await tick.ports.store.insert(to(null))) !== 'taken') return;
      continue;
    }
    const { item } = stored;
    if (item.kind !== 'issue' && item.kind !== 'breaker' && item.kind !== 'repo' && item.kind !== 'spend')
      throw new Error(`${key} holds a ${item.kind}`);
    const changed = to(item);
    if (changed === item || (await tick.ports.store.replace(stored, changed)) !== 'lost') return;
  }
  throw new Error(`${key} was changed by others five times in a row`);
};
