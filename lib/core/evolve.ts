import { deadlines } from './deadlines.ts';
import type { AgentFacts, Facts, IssueFacts, Proof } from './facts.ts';
import { type ActiveRun, commonOf, isActive, type OpenRun, type Push } from './run.ts';
import type { TurnState } from './turn-state.ts';

/** A run of which a turn was asked for. */
export type StartedRun = Exclude<OpenRun, { phase: 'claimed' }>;

/**
 * The run with what one look has taught it: its turn's stamps, movement, outages, its commits and the push to watch.
 * Pure; facts that bring nothing new give back the very same run, so that a quiet tick writes nothing.
 */
export const evolve = <R extends StartedRun>(run: R, facts: Facts): R | ActiveRun => {
  const reached = withReach(run, facts);
  const turned = facts.agent === null ? reached : withTurn(reached, facts.agent, facts.clock);
  const { issue } = facts;
  return issue === null || issue === 'gone' ? turned : withLanding(turned, issue, facts.clock);
};

/** The colour a proof gives the push, with the instants at which it was first seen. Same contract as `evolve`. */
export const colour = (run: ActiveRun, proof: Proof, clock: number): ActiveRun => {
  if (run.phase === 'working') return run;
  const redAt = proof.state === 'red' ? (run.push.redAt ?? clock) : null;
  const greenAt = proof.state === 'proven' || proof.state === 'deploy pending' ? (run.push.greenAt ?? clock) : null;
  if (redAt === run.push.redAt && greenAt === run.push.greenAt) return run;
  return { ...run, push: { ...run.push, redAt, greenAt }, firstRedAt: run.firstRedAt ?? redAt };
};

const withReach = <R extends StartedRun>(run: R, { issue, now }: Facts): R => {
  if (issue === null || issue === 'gone')
    return run.trackerDownSince === null ? { ...run, trackerDownSince: now } : run;
  if (run.trackerDownSince === null) return run;
  return { ...run, trackerDownSince: null, pausedMs: run.pausedMs + Math.max(0, now - run.trackerDownSince) };
};

const withTurn = <R extends StartedRun>(run: R, agent: AgentFacts, clock: number): R => {
  const { turn, movement } = run;
  if (turn === null) return run;
  const startingAt = turn.startingAt ?? (agent.state.is === 'starting' ? clock : null);
  const takenUpAt = turn.takenUpAt ?? (isTakenUp(agent.state) ? clock : null);
  // Over is forgotten when the thread moves on: background work and queued messages follow an end that was none.
  const overAt = agent.state.is === 'over' ? (turn.overAt ?? clock) : null;
  const hasMoved = agent.stamp !== null && agent.stamp !== movement.stamp;
  const isOld = movement.stamp === null || clock - movement.movedAt > deadlines.movementGrainMs;
  const moved = hasMoved && isOld ? { stamp: agent.stamp, movedAt: clock } : movement;
  const isSame = startingAt === turn.startingAt && takenUpAt === turn.takenUpAt && overAt === turn.overAt;
  if (isSame && moved === movement) return run;
  return {
    ...run,
    turn: { ...turn, startingAt, takenUpAt, overAt },
    movement: moved,
    firstTakenUpAt: run.firstTakenUpAt ?? takenUpAt,
  };
};

const isTakenUp = ({ is }: TurnState): boolean =>
  is === 'at work' || is === 'asking' || is === 'interrupting' || is === 'background' || is === 'over';

const withLanding = <R extends StartedRun>(run: R, { landing }: IssueFacts, clock: number): R | ActiveRun => {
  if (landing === null || landing.head === run.headSeen) return run;
  const seen = { ...run, headSeen: landing.head };
  if (landing.tip === null || landing.commits.length === 0) return seen;
  const known = { ...seen, commits: [...landing.commits], declared: landing.declared };
  return isActive(known) ? withPush(known, landing.tip, landing.hasDescendant, clock) : known;
};

const withPush = (run: ActiveRun, tip: string, hasDescendant: boolean, clock: number): ActiveRun => {
  const fresh: Push = { tip, seenAt: clock, hasDescendant, redAt: null, greenAt: null };
  if (run.phase !== 'working' && tip === run.push.tip) return { ...run, push: { ...run.push, hasDescendant } };
  return { ...commonOf(run), phase: 'verifying', turn: run.turn, push: fresh };
};
