import { ageOf } from './age.ts';
import { assertNever } from './assert.ts';
import { isOverBudget } from './budget.ts';
import { deadlines } from './deadlines.ts';
import type { StartedRun } from './evolve.ts';
import type { AgentFacts, Facts, IssueFacts, Proof } from './facts.ts';
import { openPullOf, type PullStanding, pullUrlOf } from './pull-request.ts';
import type { ActiveRun, Pull } from './run.ts';
import { pushOf, trackerDownMs } from './run.ts';
import type { RepoSettings } from './settings.ts';

/**
 * The name of what a look means for a run, with the words a person would want. The order of `situate` is the order of
 * the design's table: the first that matches wins.
 */
export type Situation = { name: SituationName; why: string };

export const situationNames = [
  'cancelled by a person',
  'issue gone',
  'out of reach',
  'out of reach too long',
  'run overdue',
  'asking',
  'asking still',
  'asking again',
  'landed',
  'landed, turn still out',
  'no CI',
  'CI blocked',
  'CI overdue',
  'CI pending',
  'deployment overdue',
  'deployment pending',
  'could not start',
  'lost',
  'stalled',
  'vanished',
  'failed',
  'turn overdue',
  'over budget',
  'told to stop asking',
  'red, turn still out',
  'red, turn over',
  'red too long',
  'red as the base was',
  'pull request pending',
  'pull request waits',
  'pull request merged',
  'pull request overdue',
  'pull request refused',
  'pull request red',
  'pull request conflicting',
  'pull request draft',
  'no pull request',
  'elsewhere',
  'parked',
  'park over',
  'idle end',
  'silent end',
  'over, not yet settled',
  'at work',
] as const;
export type SituationName = (typeof situationNames)[number];

/** Names what is seen of an active run that has learnt from this look. Pure and total. */
export const situate = (
  run: ActiveRun,
  facts: Facts,
  { proof, pull }: { proof: Proof; pull: PullStanding },
  settings: RepoSettings,
): Situation => {
  const { issue, agent, clock } = facts;
  if (issue === 'gone') return gone(run, facts);
  if (issue !== null) {
    const how = cancelledHow(issue, settings);
    if (how !== null) return { name: 'cancelled by a person', why: how };
  }
  // The run's clock stands while the world is out of reach: what is overdue all the same is overdue.
  if (clock - run.claimedAt > deadlines.wholeRunMs)
    return { name: 'run overdue', why: `the run took longer than ${hours(deadlines.wholeRunMs)}` };
  if (issue === null || agent === null) return outOfReach(run, facts);
  const request = asking(run, agent, clock);
  if (request !== null) return request;
  const seen = landed(run, proof, agent, clock);
  if (seen !== null) return seen;
  return (
    proposed(run, pull, agent, clock) ??
    turnTrouble(run, agent, clock) ??
    overBudget(run, agent, clock, settings) ??
    quieted(run, agent, clock) ??
    unmergeable(run, pull, agent, clock) ??
    (proof.state === 'red' ? red(proof, agent, run, clock, settings) : null) ??
    notPushed(run, agent, issue, clock)
  );
};

/** The turn asked for last may still act: nothing may be sent to it, and red may still be mended. */
export const isTurnOut = ({ state }: Pick<AgentFacts, 'state'>): boolean => {
  switch (state.is) {
    case 'absent':
    case 'could not start':
    case 'over':
      return false;
    case 'not accepted':
    case 'queued':
    case 'starting':
    case 'ready without turn':
    case 'at work':
    case 'asking':
    case 'interrupting':
    case 'background':
    case 'unknown':
      return true;
    default:
      return assertNever(state);
  }
};

const hours = (ms: number): string => `${ms / 3_600_000} h`;
const minutes = (ms: number): string => `${ms / 60_000} min`;

/**
 * What it means that a run's issue is not seen, whatever its phase: `issue gone` and `out of reach too long` end it,
 * `out of reach` waits. The run has learned since when that is.
 */
export const issueUnseen = (run: StartedRun, facts: Facts & { issue: 'gone' | null }): Situation =>
  facts.issue === 'gone' ? gone(run, facts) : outOfReach(run, facts);

const gone = (run: StartedRun, facts: Facts): Situation => {
  // A 404 may be a moment's lack of access: believed only when it lasts, by looks and not by a clock that leapt.
  const isOld = run.goneSince !== null && ageOf(run.goneSince, facts.now) >= deadlines.goneMs;
  const isSure = isOld && unreachedMs(run, facts) >= deadlines.goneMs;
  return isSure
    ? { name: 'issue gone', why: 'the issue was deleted or moved away' }
    : { name: 'out of reach', why: 'the tracker does not find the issue' };
};

const outOfReach = (run: StartedRun, facts: Facts): Situation => {
  const who = facts.agent === null ? 'the executor' : 'the tracker';
  return unreachedMs(run, facts) > deadlines.outOfReachMs
    ? { name: 'out of reach too long', why: `${who} could not be reached for ${hours(deadlines.outOfReachMs)}` }
    : { name: 'out of reach', why: `${who} cannot be reached` };
};

/** For how long the executor or the issue has not been seen by now. */
const unreachedMs = (run: StartedRun, { now, lostMs, executorDownMs }: Facts): number =>
  Math.max(executorDownMs, trackerDownMs(run, lostMs, now));

/** What a person did that ends the run, in words; null where nobody did. Our own keyword and agent accounts are nobody. */
export const cancelledHow = (issue: IssueFacts, settings: RepoSettings): string | null => {
  const isPerson = (actor: IssueFacts['closedBy']): boolean =>
    !settings.agentLogins.some((login) => login.toLowerCase() === actor?.login.toLowerCase());
  if (!issue.open && !issue.closedByOwnCommit && isPerson(issue.closedBy)) return 'the issue was closed';
  if (!issue.hasReady && isPerson(issue.readyOffBy)) return `the label ${settings.labels.ready} was taken off`;
  if (issue.hasHold && isPerson(issue.holdBy)) return `the label ${settings.labels.hold} was put on`;
  return null;
};

/** What the agent waits for, and whether it was answered before; null where that is nothing, or cannot be read. */
const asking = ({ question }: ActiveRun, { state, request }: AgentFacts, clock: number): Situation | null => {
  if (state.is !== 'asking' || request === null) return null;
  const why = `the agent asked for ${request.kind === 'approval' ? 'an approval' : 'an answer'}, and nobody is there: ${request.text}`;
  if (question === null) return { name: 'asking', why };
  if (question.requestId !== request.requestId) return { name: 'asking again', why };
  if (question.stage === 'interrupted')
    return clock - question.at > deadlines.leaveMs ? { name: 'asking again', why } : { name: 'at work', why };
  return clock - question.at >= deadlines.answerMs ? { name: 'asking still', why } : { name: 'at work', why };
};

const overBudget = (run: ActiveRun, agent: AgentFacts, clock: number, settings: RepoSettings): Situation | null =>
  isOverBudget(run, isTurnOut(agent), clock, settings)
    ? {
        name: 'over budget',
        why: `the run has spent its budget of ${settings.budgetUsd} USD, as far as its tokens tell`,
      }
    : null;

/** Interrupted because an answer was not taken: once idle, it is told in a turn of its own. */
const quieted = (run: ActiveRun, agent: AgentFacts, clock: number): Situation | null =>
  run.question?.stage === 'interrupted' && !isTurnOut(agent) && isSettled(run, clock)
    ? { name: 'told to stop asking', why: 'the agent did not take the answer up and was interrupted' }
    : null;

const landed = (run: ActiveRun, proof: Proof, agent: AgentFacts, clock: number): Situation | null => {
  const push = pushOf(run);
  if (push === null) return null;
  const sincePush = clock - push.seenAt;
  switch (proof.state) {
    case 'proven': {
      const isGraceOver = push.greenAt !== null && clock - push.greenAt >= deadlines.graceAfterGreenMs;
      return isTurnOut(agent) && !isGraceOver
        ? { name: 'landed, turn still out', why: 'landed; the agent is still tidying up' }
        : { name: 'landed', why: proof.deployed ? 'CI is green and it is deployed' : 'CI is green' };
    }
    case 'none':
      return { name: 'no CI', why: `no CI spoke for the push: ${proof.reason}` };
    case 'blocked':
      return sincePush >= deadlines.ciMs
        ? { name: 'CI blocked', why: `CI cannot decide: ${proof.reason}` }
        : { name: 'CI pending', why: `CI waits: ${proof.reason}` };
    case 'ci pending':
      return sincePush >= deadlines.ciMs
        ? { name: 'CI overdue', why: `CI did not finish within ${minutes(deadlines.ciMs)}: ${proof.on}` }
        : { name: 'CI pending', why: `CI: ${proof.on}` };
    case 'deploy pending':
      return sincePush >= deadlines.deployMs
        ? { name: 'deployment overdue', why: `not deployed within ${minutes(deadlines.deployMs)}: ${proof.on}` }
        : { name: 'deployment pending', why: `deployment: ${proof.on}` };
    case 'red':
    case 'not pushed':
      return null;
    default:
      return assertNever(proof);
  }
};

/** A pull request that asks nothing of the agent, whose turn is over: others have the next word. */
const proposed = (run: ActiveRun, standing: PullStanding, agent: AgentFacts, clock: number): Situation | null => {
  if (run.pull === null || isTurnOut(agent)) return null;
  const pull = pullWords(run.pull, run);
  const sinceMs = clock - run.pull.seenAt;
  switch (standing.is) {
    case 'unread':
      return { name: 'pull request pending', why: `${pull} is open` };
    case 'pending':
      return sinceMs >= deadlines.ciMs
        ? {
            name: 'pull request overdue',
            why: `the checks of ${pull} did not finish within ${minutes(deadlines.ciMs)}: ${standing.on}`,
          }
        : { name: 'pull request pending', why: `the checks of ${pull}: ${standing.on}` };
    case 'waiting': {
      const waits = `${standing.for === 'review' ? 'waits for a review' : 'waits to be merged'}${standing.note}`;
      return sinceMs >= deadlines.pullMs
        ? { name: 'pull request overdue', why: `${pull} ${waits}, for ${hours(deadlines.pullMs)} by now` }
        : { name: 'pull request waits', why: `${pull} ${waits}` };
    }
    case 'merged':
      return { name: 'pull request merged', why: `${pull} is merged, and its commit not seen yet` };
    case 'refused':
      return { name: 'pull request refused', why: `${pull} was not accepted: ${standing.how}` };
    case 'none':
    case 'draft':
    case 'conflicting':
    case 'red':
      return null;
    default:
      return assertNever(standing);
  }
};

/** A pull request that nobody can merge before its agent, whose turn is over, has done something about it. */
const unmergeable = (run: ActiveRun, standing: PullStanding, agent: AgentFacts, clock: number): Situation | null => {
  if (run.pull === null || isTurnOut(agent)) return null;
  const pull = pullWords(run.pull, run);
  const settled = (situation: Situation): Situation =>
    isSettled(run, clock) ? situation : { name: 'over, not yet settled', why: situation.why };
  switch (standing.is) {
    case 'draft':
      return settled({ name: 'pull request draft', why: `${pull} is a draft, and the turn ended` });
    case 'conflicting':
      return settled({ name: 'pull request conflicting', why: `${pull} conflicts with ${run.repo.branch}` });
    case 'red': {
      const why = `the checks of ${pull} are red: ${standing.failing.map(({ name }) => name).join(', ')}`;
      return standing.blame === 'base'
        ? { name: 'red as the base was', why: `${why}, as before this run began` }
        : settled({ name: 'pull request red', why });
    }
    case 'none':
    case 'unread':
    case 'pending':
    case 'waiting':
    case 'merged':
    case 'refused':
      return null;
    default:
      return assertNever(standing);
  }
};

/** By its address, as far as the issue's own leads there. */
const pullWords = ({ number }: Pull, run: ActiveRun): string =>
  `pull request ${pullUrlOf(run, number) ?? `#${number}`}`;

/** Not pushed, or red: what is wrong with the turn itself; null where nothing is. */
const turnTrouble = (run: ActiveRun, agent: AgentFacts, clock: number): Situation | null => {
  const { state } = agent;
  const { turn } = run;
  const sinceSent = clock - (turn.sentAt ?? clock);
  const sinceStarting = clock - (turn.startingAt ?? clock);
  switch (state.is) {
    case 'absent':
      return { name: 'vanished', why: 'the thread is not on the executor any more' };
    case 'could not start':
      return {
        name: 'could not start',
        why: `the agent could not start${state.lastError === null ? '' : `: ${state.lastError}`}`,
      };
    case 'ready without turn':
      return clock - (turn.readyAt ?? clock) > deadlines.readyWithoutTurnMs
        ? { name: 'could not start', why: 'the session is ready and the turn was never taken up' }
        : null;
    case 'not accepted':
    case 'queued':
      return sinceSent > deadlines.noSessionMs
        ? { name: 'lost', why: `the turn was asked for ${minutes(deadlines.noSessionMs)} ago and nothing shows of it` }
        : null;
    case 'starting':
      return sinceStarting > deadlines.startingMs
        ? { name: 'stalled', why: `the session has been starting for ${minutes(deadlines.startingMs)}` }
        : null;
    case 'over':
      return state.how === 'error' || state.how === 'crashed'
        ? {
            name: 'failed',
            why: `the agent ${state.how === 'crashed' ? 'crashed' : 'failed'}${agent.lastError === null ? '' : `: ${agent.lastError}`}`,
          }
        : null;
    case 'at work':
    case 'asking':
    case 'interrupting':
    case 'background':
    case 'unknown': {
      const isStill = agent.stamp === run.movement.stamp && clock - run.movement.movedAt > deadlines.stillMs;
      if (isStill) return { name: 'stalled', why: `nothing moved for ${minutes(deadlines.stillMs)}` };
      // Once something was proposed a later turn has its own time: the wait for people was not the agent's.
      const since = run.pull === null ? run.firstTakenUpAt : turn.takenUpAt;
      const isLate = pushOf(run) === null && since !== null && clock - since > deadlines.prePushMs;
      return isLate ? { name: 'turn overdue', why: `nothing was pushed within ${hours(deadlines.prePushMs)}` } : null;
    }
    default:
      return assertNever(state);
  }
};

const red = (
  proof: Extract<Proof, { state: 'red' }>,
  agent: AgentFacts,
  run: ActiveRun,
  clock: number,
  settings: RepoSettings,
): Situation => {
  const names = proof.failing.map((failing) => failing.name).join(', ');
  const why = `${proof.what} is red: ${names}`;
  // Where a pull request is open it is that one which is mended, in its own time.
  const isMendedHere = openPullOf(run) === null;
  if (run.firstRedAt !== null && isMendedHere && isTurnOut(agent) && clock - run.firstRedAt >= settings.fixForwardMaxMs)
    return { name: 'red too long', why: `${why}, and not mended within ${minutes(settings.fixForwardMaxMs)}` };
  if (isTurnOut(agent)) return { name: 'red, turn still out', why };
  if (proof.blame === 'base') return { name: 'red as the base was', why: `${why}, as before this run began` };
  return isSettled(run, clock) ? { name: 'red, turn over', why } : { name: 'over, not yet settled', why };
};

const notPushed = (run: ActiveRun, agent: AgentFacts, issue: IssueFacts, clock: number): Situation => {
  if (agent.state.is !== 'over') return { name: 'at work', why: agent.state.is };
  if (!isSettled(run, clock)) return { name: 'over, not yet settled', why: 'the turn has just ended' };
  if (issue.elsewhere !== null && run.landing === 'pull-request')
    return { name: 'no pull request', why: `there is no pull request to be merged, only ${issue.elsewhere.url}` };
  if (issue.elsewhere !== null)
    return { name: 'elsewhere', why: `the commits are not on the default branch but at ${issue.elsewhere.url}` };
  if (run.parkedUntil !== null)
    return clock < run.parkedUntil
      ? { name: 'parked', why: 'the provider seems to have failed; the turn is tried again later' }
      : { name: 'park over', why: 'the wait for the provider is over' };
  return agent.words?.idle === true
    ? { name: 'idle end', why: 'the turn ended without a tool call, a changed file or a commit' }
    : { name: 'silent end', why: 'the turn ended and nothing was pushed' };
};

const isSettled = ({ turn }: ActiveRun, clock: number): boolean =>
  turn.overAt !== null && clock - turn.overAt >= deadlines.overSettlesMs;
