import { deadlines } from './deadlines.ts';
import type { AgentFacts, Facts, IssueFacts, Proof } from './facts.ts';
import { withPull } from './pull-request.ts';
import { type ActiveRun, commonOf, isActive, type OpenRun, type Push, pushOf, withTrackerBack } from './run.ts';
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
  if (issue === null || issue === 'gone') return turned;
  const named = withBranch(turned, issue.branch);
  const proposed = issue.pull === null ? named : withPull(named, issue.pull.shown, facts.clock);
  return withLanding(proposed, issue, facts.clock);
};

/** The colour a proof gives the push, with the instants at which it was first seen. Same contract as `evolve`. */
export const colour = (run: ActiveRun, proof: Proof, clock: number): ActiveRun => {
  if (run.phase === 'working') return run;
  const redAt = proof.state === 'red' ? (run.push.redAt ?? clock) : null;
  const greenAt = proof.state === 'proven' || proof.state === 'deploy pending' ? (run.push.greenAt ?? clock) : null;
  if (redAt === run.push.redAt && greenAt === run.push.greenAt) return run;
  return { ...run, push: { ...run.push, redAt, greenAt }, firstRedAt: run.firstRedAt ?? redAt };
};

/** What a look teaches any run of its issue alone: since when it is out of sight, or that it is seen again. */
export const withReach = <R extends StartedRun>(run: R, { issue, now, lostMs }: Facts): R => {
  // Gone counts from the first time it was said, and only while it is said again and again.
  const goneSince = issue === 'gone' ? (run.goneSince ?? now) : null;
  const told = goneSince === run.goneSince ? run : { ...run, goneSince };
  if (issue !== null && issue !== 'gone') return withTrackerBack(told, lostMs, now);
  return told.trackerDownSince === null ? { ...told, trackerDownSince: now, trackerDownLostMs: lostMs } : told;
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
  const counted = withTokens(run, agent, clock);
  const readyAt = agent.state.is === 'ready without turn' ? (turn.readyAt ?? clock) : null;
  const isSame =
    readyAt === turn.readyAt &&
    startingAt === turn.startingAt &&
    takenUpAt === turn.takenUpAt &&
    overAt === turn.overAt;
  if (isSame && moved === movement) return counted;
  return {
    ...counted,
    turn: { ...turn, startingAt, readyAt, takenUpAt, overAt },
    movement: moved,
    firstTakenUpAt: run.firstTakenUpAt ?? takenUpAt,
  };
};

/** Totals are absolute and only grow: the same report twice counts once. */
const withTokens = <R extends StartedRun>(run: R, { tokens }: AgentFacts, clock: number): R => {
  if (tokens === null || run.turn === null) return run;
  const { thread } = run.turn;
  const total = Math.max(tokens.total ?? 0, run.tokens[thread] ?? 0);
  const all = Array.from({ length: Math.max(run.tokens.length, thread + 1) }, (_, n) =>
    n === thread ? total : (run.tokens[n] ?? 0),
  );
  return { ...run, tokens: all, tokensAt: tokens.total === null ? run.tokensAt : clock, tokensReadAt: clock };
};

const isTakenUp = ({ is }: TurnState): boolean =>
  is === 'at work' || is === 'asking' || is === 'interrupting' || is === 'background' || is === 'over';

/** A default branch that was renamed: whatever is said to the agent from now on names it as it is. */
const withBranch = <R extends StartedRun>(run: R, branch: string | null): R =>
  branch === null || branch === run.repo.branch ? run : { ...run, repo: { ...run.repo, branch } };

const withLanding = <R extends StartedRun>(run: R, { landing }: IssueFacts, clock: number): R | ActiveRun => {
  if (landing === null) return run;
  const { head, tip, commits, declared } = landing;
  const isLost = (tip === null || commits.length === 0) && pushOf(run) !== null;
  const rewritten = run.rewritten || landing.rewritten || isLost;
  const seen = head === run.headSeen && rewritten === run.rewritten ? run : { ...run, headSeen: head, rewritten };
  // What was pushed is not on the branch any more: nothing of this run is, and nothing proves it.
  if (tip === null || commits.length === 0) return isActive(seen) ? withoutPush(seen) : seen;
  const isKnown = commits.join() === seen.commits.join() && sameDeclared(declared, seen.declared);
  const known = isKnown ? seen : { ...seen, commits: [...commits], declared };
  return isActive(known) ? withPush(known, landing, tip, clock) : known;
};

const sameDeclared = (a: OpenRun['declared'], b: OpenRun['declared']): boolean =>
  a.testsRed === b.testsRed && a.green === b.green;

const withoutPush = (run: ActiveRun): ActiveRun =>
  run.phase === 'working' ? run : { ...commonOf(run), phase: 'working', turn: run.turn, commits: [] };

const withPush = (
  run: ActiveRun,
  landing: NonNullable<IssueFacts['landing']>,
  tip: string,
  clock: number,
): ActiveRun => {
  const { hasDescendant, follows, pushedAt } = landing;
  const before = run.phase === 'working' ? null : run.push;
  const origin = follows ?? tip;
  // The same push as before: what is watched in its place goes on being watched, unless CI was cut short there too.
  if (before !== null && origin === before.origin && (follows === null || tip === before.tip))
    return hasDescendant === before.hasDescendant || run.phase === 'working'
      ? run
      : { ...run, push: { ...before, hasDescendant } };
  const fresh: Push = { tip, origin, seenAt: clock, pushedAt, hasDescendant, redAt: null, greenAt: null };
  return { ...commonOf(run), phase: 'verifying', turn: run.turn, push: fresh };
};
