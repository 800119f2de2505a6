import { deadlines } from '../core/deadlines.ts';
import { threadIdOf } from '../core/ids.ts';
import { endingOf, obeyed, withdrawn } from '../core/next.ts';
import { type ActiveRun, type Command, type Outcome, pushOf, runTime } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import { judge } from '../core/step.ts';
import { advance, payCommand, payMirror, record } from './advance.ts';
import { type Horizon, lookAt } from './look.ts';
import { isAccepted } from './obey.ts';
import { recheck } from './recheck.ts';
import { noteLook, type StoredRun, type Tick } from './tick.ts';

/** What is to follow at once in the same tick: nothing, or a step of the run as it stands without the owed turn. */
export type Resumed = null | { stored: StoredRun; run: ActiveRun };

/**
 * A command whose invocation died, or that a brake held back. The world is asked first: it may have taken hold. An
 * opening is repeated under its ids for a while, unless somebody called the run off or what authorised it does so no
 * more; any further turn is taken back and decided anew, since what it was for may be mended, and its thread at work again.
 */
export const resumeActive = async (
  tick: Tick,
  stored: StoredRun,
  run: ActiveRun,
  command: Command,
  horizon: Horizon,
): Promise<Resumed> => {
  const { look, lostMs } = horizon;
  const now = tick.now();
  const clock = runTime(run, lostMs, now);
  if (command.order !== 'start') return again(tick, stored, run, command, horizon);
  const threadId = threadIdOf(run.id, run.turn.thread);
  const thread = look?.threads.get(threadId);
  if (isAccepted(thread, run.turn)) {
    await advance(tick, stored, obeyed(run, clock), horizon);
    return null;
  }
  const { kind } = run.turn;
  if (kind !== 'opening' && kind !== 'restart') return look === null ? null : { stored, run: withdrawn(run, clock) };

  const settings = settingsFor(tick.settings, run.repo.name);
  const { learned, judged } = judge(run, await lookAt(tick, run, settings, horizon, now), settings);
  const { name, why } = judged.situation;
  noteLook(tick, run, judged.situation);
  const ends = async (outcome: Outcome, why: string, outOfReach = false): Promise<null> => {
    const unsent = { lastWords: null, couldNotStart: false, deployed: false };
    await advance(tick, stored, endingOf(run, outcome, { ...unsent, why, clock, now, lostMs, outOfReach }), horizon);
    return null;
  };
  const handedBack = pushOf(run) === null ? 'escalated' : 'frozen';
  if (name === 'cancelled by a person' || name === 'issue gone') return ends('cancelled', why);
  if (name === 'run overdue') return ends(handedBack, why);
  if (name === 'out of reach too long') return ends(handedBack, why, look === null);
  // Since when the world cannot be seen is all that a run learns while it owes: its own clock stands meanwhile.
  const { trackerDownSince, trackerDownLostMs, goneSince, pausedMs } = learned;
  const seen = { ...run, trackerDownSince, trackerDownLostMs, goneSince, pausedMs };
  if (name === 'out of reach') {
    if (trackerDownSince !== run.trackerDownSince || goneSince !== run.goneSince) await record(tick, stored, seen);
    return null;
  }
  // Counted from the claim: each try is recorded anew, and would begin the wait anew. What was trusted then is ruled upon
  // anew: the text may have changed and the act is not spent.
  if (kind === 'opening' && now - run.claimedAt > deadlines.staleClaimMs)
    return ends('released', 'the opening was not carried out in time');
  // T3 takes a thread under the id of a deleted one, and a turn in it, without a word; both would be nowhere.
  if (thread === undefined && (await tick.ports.executor.whereabouts(threadId)) === 'deleted')
    return ends(kind === 'opening' ? 'released' : handedBack, 'its thread was deleted on T3 before its turn was sent');
  const changed = kind === 'opening' ? await recheck(tick, run) : null;
  if (changed?.ruling === 'trust unknown') return null;
  if (changed !== null)
    return ends('released', `${changed.ruling}, before the opening was carried out: ${changed.detail}`);
  return again(tick, stored, seen, command, horizon);
};

/** Under the same ids: free where it had taken hold. */
const again = async (
  tick: Tick,
  stored: StoredRun,
  run: ActiveRun,
  command: Command,
  horizon: Horizon,
): Promise<null> => {
  const owned = await record(tick, stored, { ...run, command: { ...command, recordedAt: tick.now(), by: tick.by } });
  const acted = owned === null ? null : await payCommand(tick, owned, horizon);
  if (acted !== null) await payMirror(tick, acted);
  return null;
};
