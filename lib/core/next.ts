import { assertNever } from './assert.ts';
import { cleanLine, publicText, withinBytes } from './clean-text.ts';
import type { Decision } from './decide.ts';
import type { StartedRun } from './evolve.ts';
import type { Facts, Failing, Proof } from './facts.ts';
import type { ActiveRun, Command, EndingRun, Leaving, OpenRun, Outcome, RestartingRun, Turn } from './run.ts';
import { commonOf, pushOf } from './run.ts';
import type { Situation } from './situation.ts';

/** Who records the next state, and when (wall time): what an owed command is signed with. */
export type Signature = { now: number; by: string };

/** Everything `next` needs of one look. */
export type Judged = { facts: Facts; proof: Proof; situation: Situation };

/**
 * The run that follows from a decision, with the command it then owes the executor. Pure. `wait` gives back the very
 * same run. A new turn always follows one that is over: its `after` is the executor's stamp of the last message.
 */
export const next = (run: ActiveRun, decision: Decision, judged: Judged, signature: Signature): StartedRun => {
  const { facts, proof } = judged;
  switch (decision) {
    case 'wait':
      return run;
    case 'fix forward': {
      if (run.phase === 'working') throw new Error(`run ${run.id} has nothing to mend: it has not pushed`);
      const failing = proof.state === 'red' ? proof.failing.slice(0, failingMax).map(bounded) : [];
      return {
        ...commonOf(run),
        phase: 'fixing',
        push: run.push,
        mends: run.push.tip,
        failing,
        attempts: run.attempts + 1,
        ...asking(run.turn, 'fix', facts, signature),
      };
    }
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

/** Why a run ends and what was last seen of it. `clock` is run time. */
export type End = {
  why: string;
  clock: number;
  lastWords: string | null;
  couldNotStart: boolean;
  deployed: boolean;
  outOfReach: boolean;
};

/** A run begins to end: from here on its agent is only asked to leave. */
export const endingOf = (run: Exclude<StartedRun, EndingRun>, outcome: Outcome, end: End): EndingRun => ({
  ...commonOf(run),
  phase: 'ending',
  turn: run.turn,
  push: pushOf(run),
  outcome,
  reason: withinBytes(publicText(end.why, 1000), 500),
  lastWords: end.lastWords === null ? null : withinBytes(end.lastWords, 800),
  couldNotStart: end.couldNotStart,
  deployed: end.deployed,
  // Orders already given stay counted: their ids are used up.
  leaving: run.phase === 'restarting' ? { ...run.leaving, since: end.clock } : nobodyAsked(end.clock),
  // An agent nobody can reach will not be seen to leave: people are told at once.
  stuck: end.outOfReach,
  stuckRings: {},
  command: null,
});

const endOf = ({ facts, proof, situation }: Judged): End => ({
  why: situation.why,
  clock: facts.clock,
  lastWords: facts.agent?.words?.lastWords ?? null,
  couldNotStart: situation.name === 'could not start' || situation.name === 'lost',
  deployed: proof.state === 'proven' && proof.deployed,
  outOfReach: situation.name === 'out of reach too long',
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
    command: order('start', 0, signature),
  };
  return push === null ? { ...common, ...again, phase: 'working' } : { ...common, ...again, phase: 'verifying', push };
};

/** The claim's second step: turn 0 is owed to the executor. */
export const opened = (run: Extract<OpenRun, { phase: 'claimed' }>, signature: Signature): ActiveRun => ({
  ...run,
  phase: 'working',
  turn: { n: 0, kind: 'opening', thread: 0, after: null, ...unseen },
  command: order('start', 0, signature),
});

/** The executor accepted what was owed. */
export const obeyed = <R extends StartedRun>(run: R, clock: number): R =>
  run.command?.order === 'start' && run.turn !== null
    ? {
        ...run,
        command: null,
        turn: { ...run.turn, sentAt: clock },
        movement: { stamp: run.movement.stamp, movedAt: clock },
      }
    : { ...run, command: null };

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

const unseen = { sentAt: null, startingAt: null, takenUpAt: null, overAt: null };

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
): { turn: Turn; command: Command } => ({
  turn: { n: turn.n + 1, kind, thread: turn.thread, after: facts.agent?.lastMessageAt ?? null, ...unseen },
  command: order('start', 0, signature),
});

// What a record can carry beside everything else: an item has 4 KB.
const failingMax = 3;

const bounded = ({ name, url, state }: Failing): Failing => ({
  name: withinBytes(cleanLine(name, 100), 120),
  url: url !== null && url.length <= 250 ? url : null,
  state: cleanLine(state, 20),
});
