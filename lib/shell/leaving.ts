import { deadlines } from '../core/deadlines.ts';
import { threadIdOf } from '../core/ids.ts';
import { type Leave, leave, sentOf } from '../core/leave.ts';
import { askedToLeave, endingOf, restarted, type Signature } from '../core/next.ts';
import { noticeOfStuck } from '../core/notification.ts';
import type { ItemOf } from '../core/record.ts';
import { type EndingRun, type OpenRun, type RestartingRun, runTime } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import type { Stored, Thread } from '../ports.ts';
import { advance, payMirror } from './advance.ts';
import { finish } from './finish.ts';
import type { Horizon } from './look.ts';
import { note, reasonOf, type StoredRun, type Tick } from './tick.ts';

/**
 * One step of getting an agent out: of a run that ends, and then its lock goes; or of one that is to begin anew. The
 * lock stays until the agent is *seen* to be out, whatever our own record says.
 */
export const stepLeaving = async (
  tick: Tick,
  stored: StoredRun,
  run: RestartingRun | EndingRun,
  horizon: Horizon,
): Promise<void> => {
  const { look, lostMs } = horizon;
  const now = tick.now();
  const clock = runTime(run, lostMs, now);
  if (look === null) return stepUnseen(tick, stored, run, horizon, clock);
  const thread = run.turn === null ? undefined : look.threads.get(threadIdOf(run.id, run.turn.thread));
  const step = await nextStep(tick, run, thread, clock);
  const signature: Signature = { now, by: tick.by };
  if (step === 'out') {
    if (run.phase === 'ending') return finish(tick, stored, run);
    const isGone = thread === undefined;
    await advance(
      tick,
      stored,
      restarted(run, { isGone, lastMessageAt: thread?.lastMessageAt ?? null }, signature, clock),
      horizon,
    );
    return;
  }
  const isLate = clock - run.leaving.since > deadlines.leaveMs;
  if (run.phase === 'restarting' && (isLate || step === 'unseen')) {
    const why = 'the agent could not be seen to leave, so that nothing new may begin';
    const end = { why, clock, lastWords: null, couldNotStart: false, deployed: false, outOfReach: false };
    await advance(tick, stored, endingOf(run, run.push === null ? 'escalated' : 'frozen', end), horizon);
    return;
  }
  const asked = typeof step === 'object' ? askedToLeave(run, step.order, signature, clock) : run;
  if (asked.phase !== 'ending') {
    await advance(tick, stored, asked, horizon);
    return;
  }
  const isStuck = asked.stuck || isLate || step === 'unseen';
  if (isStuck && (await isConfirmedByPerson(tick, asked))) return finish(tick, stored, asked);
  const told = isStuck && !asked.stuck ? { ...asked, stuck: true } : asked;
  if (told.stuck && told !== asked) note(tick, run, 'stuck', 'the agent was not seen to leave: the repo stays locked');
  const recorded = await advance(tick, stored, told, horizon);
  if (recorded !== null) await ringStuck(tick, recorded);
};

/** The executor is out of reach: nothing is asked of it, but people and the tracker are still told. */
const stepUnseen = async (
  tick: Tick,
  stored: StoredRun,
  run: RestartingRun | EndingRun,
  horizon: Horizon,
  clock: number,
): Promise<void> => {
  if (run.phase === 'restarting') {
    if (horizon.executorDownMs <= deadlines.outOfReachMs) return;
    const why = 'the executor could not be reached for a day';
    const end = { why, clock, lastWords: null, couldNotStart: false, deployed: false, outOfReach: true };
    await advance(tick, stored, endingOf(run, run.push === null ? 'escalated' : 'frozen', end), horizon);
    return;
  }
  if (run.stuck && (await isConfirmedByPerson(tick, run))) return finish(tick, stored, run);
  const recorded = await payMirror(tick, stored);
  if (recorded !== null) await ringStuck(tick, recorded);
};

const nextStep = async (
  tick: Tick,
  run: RestartingRun | EndingRun,
  thread: Thread | undefined,
  clock: number,
): Promise<Leave> => {
  const sent = sentOf(run.turn);
  const ask = (whereabouts: 'archived' | 'deleted' | 'absent' | null): Leave =>
    leave(thread, whereabouts, run.leaving, clock, sent);
  if (thread !== undefined || run.turn === null || sent === 'never') return ask(null);
  // The executor's snapshot never shrinks: once a person was told, it is read a few times an hour.
  const isRare = run.phase === 'ending' && run.stuck && Math.floor(tick.now() / 60_000) % 10 !== 0;
  if (isRare) return 'unseen';
  return ask(await tick.ports.executor.whereabouts(threadIdOf(run.id, run.turn.thread)));
};

/** A person says that an agent nobody sees is out by taking both labels off. */
const isConfirmedByPerson = async (tick: Tick, run: EndingRun): Promise<boolean> => {
  const { labels } = settingsFor(tick.settings, run.repo.name);
  // Only after we had shown the person that it is asked of them: before, the labels may be off for other reasons.
  if (!run.stuck || run.mirror.confirmed === null) return false;
  const watched = await tick.ports.tracker.watch({
    repo: run.repo,
    number: run.issue.number,
    nodeId: run.issue.nodeId,
  });
  if (watched === null) return false;
  const on = watched.labels.map((label) => label.toLowerCase());
  return !on.includes(labels.ready.toLowerCase()) && !on.includes(labels.inProgress.toLowerCase());
};

/** Told once by each doorbell that a person must look at the executor's host. */
const ringStuck = async (tick: Tick, stored: StoredRun): Promise<void> => {
  let recorded: Stored<ItemOf<'run'>> | 'lost' = stored;
  for (const bell of tick.ports.doorbells) {
    if (recorded === 'lost') return;
    const run: OpenRun = recorded.item.run;
    if (run.phase !== 'ending' || !run.stuck || run.stuckRings[bell.name] === true) continue;
    try {
      await bell.ring(noticeOfStuck(run));
      note(tick, run, 'rang', bell.name);
      recorded = await tick.ports.store.replace(recorded, {
        kind: 'run',
        run: { ...run, stuckRings: { ...run.stuckRings, [bell.name]: true } },
      });
    } catch (error) {
      tick.report.failed.push({
        what: `doorbell ${bell.name} for ${run.repo.name}#${run.issue.number}`,
        reason: reasonOf(error),
      });
    }
  }
};
