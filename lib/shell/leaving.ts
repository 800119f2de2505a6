import { deadlines } from '../core/deadlines.ts';
import { withReach } from '../core/evolve.ts';
import { threadIdOf } from '../core/ids.ts';
import { type Leave, leave, sentOf } from '../core/leave.ts';
import { askedToLeave, endingOf, restarted, type Signature, withoutTurn } from '../core/next.ts';
import { noticeOfStuck } from '../core/notification.ts';
import { keyOf } from '../core/record.ts';
import { type EndingRun, type Outcome, type RestartingRun, runTime, withTrackerBack } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import { cancelledHow, issueUnseen } from '../core/situation.ts';
import { releasesMax } from '../core/step.ts';
import { type Doorbell, PortError, type Stored, type Thread } from '../ports.ts';
import { advance, dueMirror, payMirror } from './advance.ts';
import { finish } from './finish.ts';
import { type Horizon, lookAt } from './look.ts';
import { fail, isAnothers, note, type StoredRun, type Tick } from './tick.ts';

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
    return beginAnew(tick, stored, run, thread, horizon);
  }
  const isLate = clock - run.leaving.since > deadlines.leaveMs;
  if (run.phase === 'restarting' && (isLate || step === 'unseen')) {
    const why = 'the agent could not be seen to leave, so that nothing new may begin';
    // Of whom nothing was ever taken up, the executor is at fault, and no issue is charged with that.
    const couldNotStart = run.firstTakenUpAt === null;
    const outcome =
      couldNotStart && run.releases < releasesMax ? 'released' : run.push === null ? 'escalated' : 'frozen';
    const end = {
      why,
      clock,
      now: tick.now(),
      lostMs: horizon.lostMs,
      lastWords: null,
      couldNotStart,
      deployed: false,
      outOfReach: false,
    };
    await advance(tick, stored, endingOf(run, outcome, end), horizon);
    return;
  }
  // Nobody looks at the tracker while the agent is asked to leave: its outage may not hold that clock.
  const leaver = withTrackerBack(run, lostMs, now);
  const asked = typeof step === 'object' ? askedToLeave(leaver, step.order, signature, clock) : leaver;
  if (asked.phase !== 'ending') {
    await advance(tick, stored, asked, horizon);
    return;
  }
  const isStuck = asked.stuck || isLate || step === 'unseen';
  const seen = isStuck ? await withIssueSeen(tick, asked, clock) : asked;
  if (seen === 'confirmed') return finish(tick, stored, asked);
  const told = isStuck && !seen.stuck ? { ...seen, stuck: true } : seen;
  if (told.stuck && told !== asked) note(tick, run, 'stuck', 'the agent was not seen to leave: the repo stays locked');
  const recorded = await advance(tick, stored, told, horizon);
  if (recorded !== null) await ringStuck(tick, recorded);
};

/**
 * Its agent is out. Before a replacement begins the world is asked once more: a person may have called the run off
 * meanwhile, and an orphan may have pushed.
 */
const beginAnew = async (
  tick: Tick,
  stored: StoredRun,
  left: RestartingRun,
  thread: Thread | undefined,
  horizon: Horizon,
): Promise<void> => {
  const now = tick.now();
  const settings = settingsFor(tick.settings, left.repo.name);
  const facts = await lookAt(tick, left, settings, horizon, now);
  const run = withReach(left, facts);
  const { issue } = facts;
  const endAs = async (outcome: Outcome, why: string): Promise<void> => {
    const end = { why, ...facts, lastWords: null, couldNotStart: false, deployed: false, outOfReach: false };
    await advance(tick, stored, endingOf(run, outcome, end), horizon);
  };
  if (issue === null || issue === 'gone') {
    const { name, why } = issueUnseen(run, { ...facts, issue });
    if (name === 'issue gone') return endAs('cancelled', why);
    if (name === 'out of reach too long') return endAs(run.push === null ? 'escalated' : 'frozen', why);
    await advance(tick, stored, run, horizon);
    return;
  }
  const why = cancelledHow(issue, settings);
  if (why !== null) return endAs('cancelled', why);
  const at = { isGone: thread === undefined, lastMessageAt: thread?.lastMessageAt ?? null };
  const anew = restarted(run, at, { now, by: tick.by }, facts.clock);
  const tip = issue.landing?.tip ?? null;
  await advance(tick, stored, tip === null || run.push !== null ? anew : withoutTurn(run, facts), horizon);
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
    const end = {
      why,
      clock,
      now: tick.now(),
      lostMs: horizon.lostMs,
      lastWords: null,
      couldNotStart: false,
      deployed: false,
      outOfReach: true,
    };
    await advance(tick, stored, endingOf(run, run.push === null ? 'escalated' : 'frozen', end), horizon);
    return;
  }
  const seen = run.stuck ? await withIssueSeen(tick, run, clock) : run;
  if (seen === 'confirmed') return finish(tick, stored, run);
  const isStuck = run.stuck || horizon.executorDownMs > deadlines.leaveMs;
  const told = isStuck && !run.stuck ? { ...seen, stuck: true } : seen;
  const recorded = told === run ? await payMirror(tick, stored) : await advance(tick, stored, told, horizon);
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
  try {
    return ask(await tick.ports.executor.whereabouts(threadIdOf(run.id, run.turn.thread)));
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    fail(tick.report, `thread of ${run.repo.name}#${run.issue.number}`, error);
    return 'wait';
  }
};

/**
 * A person says that an agent nobody sees is out by taking both labels off. Otherwise the run, which notes since when
 * there is no issue on which anybody could say so.
 */
const withIssueSeen = async (tick: Tick, run: EndingRun, clock: number): Promise<EndingRun | 'confirmed'> => {
  if (isForgotten(tick, run, clock)) return 'confirmed';
  const { labels } = settingsFor(tick.settings, run.repo.name);
  const issue = { repo: run.repo, number: run.issue.number, nodeId: run.issue.nodeId };
  try {
    const watched = await tick.ports.tracker.watch(issue);
    if (watched === null) return run.goneSince === null ? { ...run, goneSince: tick.now() } : run;
    const found = run.goneSince === null ? run : { ...run, goneSince: null };
    // Only after we had shown the person that it is asked of them: before, the labels may be off for other reasons.
    if (!run.stuck || run.mirror.confirmed === null || dueMirror(tick, run) !== null) return found;
    const on = watched.labels.map((label) => label.toLowerCase());
    return on.includes(labels.ready.toLowerCase()) || on.includes(labels.inProgress.toLowerCase())
      ? found
      : 'confirmed';
  } catch (error) {
    // A tracker that says nothing confirms nothing, and keeps no agent from being asked to leave.
    if (!(error instanceof PortError)) throw error;
    fail(tick.report, `look at ${run.repo.name}#${run.issue.number}`, error);
    return run;
  }
};

/** Neither the issue nor the agent can be seen, and people were told by then: there is nowhere left to confirm it. */
const isForgotten = ({ ports }: Tick, run: EndingRun, clock: number): boolean =>
  run.stuck &&
  run.goneSince !== null &&
  clock - run.leaving.since > deadlines.outOfReachMs &&
  (ports.doorbells.length === 0 || Object.values(run.stuckRings).some(Boolean));

/** Told once by each doorbell that a person must look at the executor's host: by one invocation, which the record names. */
const ringStuck = async (tick: Tick, stored: StoredRun): Promise<void> => {
  const { run } = stored.item;
  if (run.phase !== 'ending' || !run.stuck || bellsDue(tick, run).length === 0) return;
  if (isAnothers(tick, run.stuckRinger)) return;
  const ringing = { ...run, stuckRinger: { by: tick.by, at: tick.now() } };
  let owned: Stored | null | 'lost' = await tick.ports.store.replace(stored, { kind: 'run', run: ringing });
  for (const bell of bellsDue(tick, run)) {
    if (owned === null || owned === 'lost') return;
    try {
      await bell.ring(noticeOfStuck(run));
      note(tick, run, 'rang', bell.name);
      owned = await markedAsRung(tick, owned, bell.name, run.id);
    } catch (error) {
      fail(tick.report, `doorbell ${bell.name} for ${run.repo.name}#${run.issue.number}`, error);
    }
  }
};

const bellsDue = ({ ports }: Tick, { stuckRings }: EndingRun): readonly Doorbell[] =>
  ports.doorbells.filter(({ name }) => stuckRings[name] !== true);

/** Others go on writing to the run meanwhile: it is marked as it stands by then. Null where that did not succeed. */
const markedAsRung = async (tick: Tick, ringing: Stored, bell: string, runId: string): Promise<Stored | null> => {
  let current: Stored | null = ringing;
  for (let tries = 0; tries < 5; tries += 1) {
    if (current?.item.kind !== 'run' || current.item.run.phase !== 'ending' || current.item.run.id !== runId)
      return null;
    const { run } = current.item;
    const marked = await tick.ports.store.replace(current, {
      kind: 'run',
      run: { ...run, stuckRings: { ...run.stuckRings, [bell]: true } },
    });
    if (marked !== 'lost') return marked;
    current = await tick.ports.store.read(keyOf(ringing.item));
  }
  return null;
};
