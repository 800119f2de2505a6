import { deadlines } from '../core/deadlines.ts';
import type { ItemOf } from '../core/record.ts';
import type { EndedRun, EndingRun } from '../core/run.ts';
import { note, type StoredRun, type Tick } from './tick.ts';

/**
 * The agent is out: history and debts are stored, then the lock is freed, in this order, so that a crash at any line
 * costs a repeat. Everything before the lock may be written twice and is the same.
 */
export const finish = async (tick: Tick, stored: StoredRun, run: EndingRun): Promise<void> => {
  const now = tick.now();
  const { command: _none, ...rest } = run;
  const ended: EndedRun = { ...rest, phase: 'ended', endedAt: now };
  await tick.ports.store.keepHistory(ended);
  await rememberAct(tick, ended);
  if (run.couldNotStart) await countStart(tick, run.id);
  await tick.ports.store.insert({
    kind: 'owed',
    run: ended,
    mirrored: false,
    // Threads of handed-back runs are kept: a person will want to read them.
    archived: ended.turn === null || ended.outcome === 'escalated' || ended.outcome === 'frozen',
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
      coolUntil: isReleased ? now + deadlines.coolDownMs : null,
      changedAt: now,
    };
  });
};

/** One more run in a row that could not start; at two nothing is dispatched for a while. */
const countStart = (tick: Tick, runId: string): Promise<void> =>
  change(tick, 'breaker', (known): ItemOf<'breaker'> => {
    const before = known?.kind === 'breaker' ? known : null;
    if (before?.runId === runId) return before;
    const streak = (before?.streak ?? 0) + 1;
    return { kind: 'breaker', streak, runId, openUntil: streak >= 2 ? tick.now() + deadlines.coolDownMs : null };
  });

/** Changes one item under its condition, reading it again where somebody else was faster. */
export const change = async <T extends ItemOf<'issue' | 'breaker' | 'repo'>>(
  tick: Tick,
  key: string,
  to: (known: ItemOf<'issue' | 'breaker' | 'repo'> | null) => T,
): Promise<void> => {
  for (let tries = 0; tries < 5; tries += 1) {
    const stored = await tick.ports.store.read(key);
    if (stored === null) {
      if ((await tick.ports.store.insert(to(null))) !== 'taken') return;
      continue;
    }
    const { item } = stored;
    if (item.kind !== 'issue' && item.kind !== 'breaker' && item.kind !== 'repo')
      throw new Error(`${key} holds a ${item.kind}`);
    const changed = to(item);
    if (changed === item || (await tick.ports.store.replace(stored, changed)) !== 'lost') return;
  }
  throw new Error(`${key} was changed by others five times in a row`);
};
