import { leftOf } from './age.ts';
import { assertNever } from './assert.ts';
import { cleanLine, publicText, withinBytes } from './clean-text.ts';
import { deadlines } from './deadlines.ts';
import type { Decision } from './decide.ts';
import { evolve, type StartedRun } from './evolve.ts';
import type { Facts, Failing, Proof } from './facts.ts';
import type { PullStanding } from './pull-request.ts';
import type { ActiveRun, Command, EndingRun, Leaving, OpenRun, Outcome, Pull, RestartingRun, Turn } from './run.ts';
import { commonOf, pushOf, withTrackerBack } from './run.ts';
import { keptName } from './said.ts';
import type { Situation, SituationName } from './situation.ts';

/** Who records the next state, and when (wall time): what an owed command is signed with. */
export type Signature = { now: number; by: string };

/** Everything `next` needs of one look. */
export type Judged = { facts: Facts; proof: Proof; pull: PullStanding; situation: Situation };

/**
 * The run that follows from a decision, with the command it then owes the executor. Pure. `wait` gives back the very
 * same run. A new turn always follows one that is over: its `after` is the executor's stamp of the last message.
 */
export const next = (run: ActiveRun, decision: Decision, judged: Judged, signature: Signature): StartedRun => {
  const { facts, proof, situation } = judged;
  switch (decision) {
    case 'wait':
      return run;
    case 'fix forward': {
      const why = mendsPullFor(situation.name);
      if (why !== null) return mendingPull(run, why, judged, signature);
      if (run.phase === 'working') throw new Error(`run ${run.id} has nothing to mend: it has not pushed`);
      const failing = proof.state === 'red' ? keptFailing(proof.failing) : [];
      // Cut short, or could not run: nobody's fault costs no attempt, and the clock still runs.
      const isFree = proof.state === 'red' && proof.blame === 'infrastructure';
      return {
        ...commonOf(run),
        pull: run.pull && { ...run.pull, mended: null },
        phase: 'fixing',
        push: run.push,
        mends: run.push.tip,
        failing,
        attempts: run.attempts + (isFree ? 0 : 1),
        idleFixes: run.phase === 'fixing' ? run.idleFixes + 1 : 0,
        ...asking(run.turn, 'fix', facts, signature, isFree),
      };
    }
    case 'answer': {
      const { request } = facts.agent ?? {};
      if (request == null) throw new Error(`run ${run.id} has nothing to answer`);
      const question = { requestId: request.requestId, stage: 'answered' as const, at: facts.clock };
      return { ...run, answers: run.answers + 1, question, command: order('answer', run.answers, signature) };
    }
    case 'interrupt':
      return {
        ...run,
        question: run.question && { ...run.question, stage: 'interrupted', at: facts.clock },
        command: order('interrupt', 0, signature),
      };
    case 'say so':
      return { ...run, ...asking(run.turn, 'answer', facts, signature) };
    case 'park':
      return { ...run, parks: run.parks + 1, parkedUntil: facts.clock + deadlines.parkMs * 2 ** run.parks };
    case 'try again':
    case 'resume':
      return { ...run, ...asking(run.turn, 'resume', facts, signature) };
    case 'nudge':
      return { ...run, nudges: run.nudges + 1, ...asking(run.turn, 'nudge', facts, signature) };
    case 'restart':
      return {
        ...commonOf(run),
        phase: 'restarting',
        turn: run.turn,
        push: pushOf(run),
        restarts: run.restarts + 1,
        leaving: nobodyAsked(facts.clock),
        command: null,
      };
    case 'release':
      return endingOf(run, 'released', endOf(judged));
    case 'end done':
      return endingOf(run, 'done', endOf(judged));
    case 'end cancelled':
      return endingOf(run, 'cancelled', endOf(judged));
    case 'escalate':
      return endingOf(run, 'escalated', endOf(judged));
    case 'freeze':
      return endingOf(run, 'frozen', endOf(judged));
    default:
      return assertNever(decision);
  }
};

const mendsPullFor = (situation: SituationName): NonNullable<Pull['mended']>['why'] | null => {
  if (situation === 'pull request red') return 'red';
  return situation === 'pull request conflicting' ? 'conflicting' : null;
};

/** A further turn on the branch of the pull request; what was pushed, if anything, stays as it is meanwhile. */
const mendingPull = (
  run: ActiveRun,
  why: 'red' | 'conflicting',
  { facts, pull: standing }: Judged,
  signature: Signature,
): ActiveRun => {
  const { pull } = run;
  if (pull === null) throw new Error(`run ${run.id} has no pull request to mend`);
  const isFree = standing.is === 'red' && standing.blame === 'infrastructure';
  return {
    ...run,
    pull: { ...pull, mended: { head: pull.head, why } },
    attempts: run.attempts + (isFree ? 0 : 1),
    idleFixes: pull.mended?.head === pull.head ? run.idleFixes + 1 : 0,
    ...asking(run.turn, 'fix', facts, signature, isFree),
  };
};

/** Why a run ends and what was last seen of it. `clock` is run time. */
export type End = {
  why: string;
  clock: number;
  now: number;
  lostMs: number;
  lastWords: string | null;
  couldNotStart: boolean;
  deployed: boolean;
  /** The executor is out of reach: nobody will see the agent leave. */
  outOfReach: boolean;
};

/** A run begins to end: from here on its agent is only asked to leave. */
export const endingOf = (run: Exclude<StartedRun, EndingRun>, outcome: Outcome, end: End): EndingRun => ({
  // Nobody looks at the tracker for a run that ends: its outage may not hold the clock of the leaving.
  ...withTrackerBack(commonOf(run), end.lostMs, end.now),
  // Nothing is asked, verified or mended any more: their room goes to the words of the end.
  question: null,
  baseRed: [],
  expected: [],
  pull: run.pull && { ...run.pull, firstRedAt: null, mended: null },
  phase: 'ending',
  turn: run.turn,
  push: pushOf(run),
  outcome,
  reason: withinBytes(publicText(end.why, 1000), 360),
  lastWords: end.lastWords === null ? null : withinBytes(end.lastWords, lastWordsBytesMax),
  couldNotStart: end.couldNotStart,
  deployed: end.deployed,
  // Orders already given stay counted: their ids are used up.
  leaving: run.phase === 'restarting' ? { ...run.leaving, since: end.clock } : nobodyAsked(end.clock),
  // An agent nobody can reach will not be seen to leave: people are told at once.
  stuck: end.outOfReach,
  stuckRings: {},
  stuckRinger: null,
  command: null,
});

const endOf = ({ facts, proof, situation }: Judged): End => ({
  why: situation.why,
  clock: facts.clock,
  now: facts.now,
  lostMs: facts.lostMs,
  lastWords: facts.agent?.words?.lastWords ?? null,
  couldNotStart: situation.name === 'could not start' || situation.name === 'lost',
  deployed: proof.state === 'proven' && proof.deployed,
  outOfReach: situation.name === 'out of reach too long' && facts.agent === null,
});

/** Its agent is out: the turn that takes up again where the last one stopped, in the same thread or in a new one. */
export const restarted = (
  run: RestartingRun,
  thread: { isGone: boolean; lastMessageAt: string | null },
  signature: Signature,
  clock: number,
): ActiveRun => {
  const { leaving: _left, push, turn, ...common } = run;
  const again = {
    turn: {
      ...turn,
      n: turn.n + 1,
      kind: 'restart' as const,
      thread: thread.isGone ? turn.thread + 1 : turn.thread,
      after: thread.isGone ? null : thread.lastMessageAt,
      ...unseen,
    },
    movement: { stamp: null, movedAt: clock },
    // What was halted was the turn before.
    halt: null,
    command: order('start', 0, signature),
  };
  return push === null ? { ...common, ...again, phase: 'working' } : { ...common, ...again, phase: 'verifying', push };
};

/** Its agent is out, and what it pushed is there: it is verified without another turn. */
export const withoutTurn = (run: RestartingRun, facts: Facts): ActiveRun => {
  const over = { sentAt: facts.clock, startingAt: null, readyAt: null, takenUpAt: facts.clock, overAt: facts.clock };
  const turn = { ...run.turn, ...over };
  // What was halted has come to its end.
  const idle: ActiveRun = { ...commonOf(run), halt: null, phase: 'working', turn, command: null };
  return evolve(idle, { ...facts, agent: null }) as ActiveRun;
};

/**
 * A further turn that was recorded and never sent, and for which the world may have moved on: it is as if it had not
 * been decided, and costs nothing. What follows is decided anew.
 */
export const withdrawn = (run: ActiveRun, clock: number): ActiveRun => {
  const { turn } = run;
  // Without a message before it the thread is read for what it is: the turn before is the last there was.
  const idle = {
    ...turn,
    after: null,
    sentAt: clock,
    startingAt: null,
    readyAt: null,
    takenUpAt: clock,
    overAt: clock,
  };
  const back = {
    ...commonOf(run),
    command: null,
    turn: idle,
    attempts: run.attempts - (turn.kind === 'fix' && !turn.isFree ? 1 : 0),
    nudges: run.nudges - (turn.kind === 'nudge' ? 1 : 0),
    ...(turn.kind === 'fix' && unmended(run)),
  };
  return run.phase === 'working' ? { ...back, phase: 'working' } : { ...back, phase: 'verifying', push: run.push };
};

/** What was to be mended in a pull request has not been tried: as idly as before, or not at all. */
const unmended = ({ pull, idleFixes }: ActiveRun): Pick<ActiveRun, 'pull' | 'idleFixes'> => {
  if (pull?.mended == null) return { pull, idleFixes };
  return idleFixes > 0 ? { pull, idleFixes: idleFixes - 1 } : { pull: { ...pull, mended: null }, idleFixes };
};

/** The claim's second step: turn 0 is owed to the executor. */
export const opened = (run: Extract<OpenRun, { phase: 'claimed' }>, signature: Signature): ActiveRun => ({
  ...run,
  phase: 'working',
  turn: { n: 0, kind: 'opening', thread: 0, after: null, ...unseen },
  command: order('start', 0, signature),
});

/** The executor accepted what was owed. What a turn was for is over once it was sent, and no sooner: it may be withdrawn. */
export const obeyed = <R extends StartedRun>(run: R, clock: number): R => {
  const { command, turn, halt, question } = run;
  if (command?.order !== 'start' || turn === null) return { ...run, command: null };
  // A halt that came since was of this very turn; one from later than any could last was stamped by a wrong clock.
  const isSince = halt !== null && leftOf(halt.lastOrderAt, command.recordedAt, deadlines.haltMs) > 0;
  return {
    ...run,
    command: null,
    turn: { ...turn, sentAt: clock },
    movement: { stamp: run.movement.stamp, movedAt: clock },
    parkedUntil: null,
    halt: turn.kind === 'resume' && !isSince ? null : halt,
    question: question !== null && turn.kind === 'answer' ? { ...question, stage: 'answered' } : question,
  };
};

/** The agent is asked to leave once more; every repetition gets ids of its own. */
export const askedToLeave = <R extends RestartingRun | EndingRun>(
  run: R,
  what: 'interrupt' | 'stop' | 'unarchive',
  signature: Signature,
  clock: number,
): R => {
  const { leaving } = run;
  const counts = {
    interrupts: leaving.interrupts + (what === 'interrupt' ? 1 : 0),
    stops: leaving.stops + (what === 'stop' ? 1 : 0),
    unarchives: leaving.unarchives + (what === 'unarchive' ? 1 : 0),
  };
  const attempt = { interrupt: counts.interrupts, stop: counts.stops, unarchive: counts.unarchives }[what];
  return { ...run, leaving: { ...leaving, ...counts, lastOrderAt: clock }, command: order(what, attempt, signature) };
};

const unseen = { sentAt: null, startingAt: null, readyAt: null, takenUpAt: null, overAt: null, isFree: false };

const nobodyAsked = (clock: number): Leaving => ({
  since: clock,
  interrupts: 0,
  stops: 0,
  unarchives: 0,
  lastOrderAt: null,
});

const order = (what: Command['order'], attempt: number, { now, by }: Signature): Command => ({
  order: what,
  attempt,
  recordedAt: now,
  by,
});

const asking = (
  turn: Turn,
  kind: Turn['kind'],
  facts: Facts,
  signature: Signature,
  isFree = false,
): { turn: Turn; command: Command } => ({
  turn: { n: turn.n + 1, kind, thread: turn.thread, after: facts.agent?.lastMessageAt ?? null, ...unseen, isFree },
  command: order('start', 0, signature),
});

// What a record can carry beside everything else: an item has 4 KB.
const failingMax = 3;
/** The most of an agent's last words that a run keeps. */
export const lastWordsBytesMax = 500;

/** What failed, as much of it as a run keeps and a prompt names with its words. */
export const keptFailing = (failing: readonly Failing[]): Failing[] => failing.slice(0, failingMax).map(bounded);

const bounded = ({ name, url, state }: Failing): Failing => ({
  name: keptName(name),
  url: url !== null && url.length <= 190 ? url : null,
  state: cleanLine(state, 20),
});
