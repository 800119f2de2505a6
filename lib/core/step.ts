import { deadlines } from './deadlines.ts';
import { type Allowances, afterHalt, type Decision, decide } from './decide.ts';
import { colour, evolve, type StartedRun } from './evolve.ts';
import { type Facts, type Proof, proofOf } from './facts.ts';
import { type Judged, next, type Signature } from './next.ts';
import { brokenPullOf, pullStandingOf, withStanding } from './pull-request.ts';
import { type ActiveRun, pushOf } from './run.ts';
import type { RepoSettings } from './settings.ts';
import { isTurnOut, type Situation, situate } from './situation.ts';

/** What one look made of a run. `run` is the very run that was given when nothing follows and nothing was learnt. */
export type Step = { run: StartedRun; situation: Situation; decision: Decision; judged: Judged };

/**
 * One step of an active run: learn from the look, name what is seen, decide, say what follows. Pure. Leaving agents
 * are not decided about: they have a step of their own.
 */
export const step = (run: ActiveRun, facts: Facts, settings: RepoSettings, signature: Signature): Step => {
  const { learned, judged } = judge(run, facts, settings);
  const decided = decide(judged.situation.name, allowancesOf(learned, facts, settings));
  const isOut = facts.agent !== null && isTurnOut(facts.agent);
  const decision =
    learned.halt === null
      ? decided
      : afterHalt(decided, judged.situation.name, {
          mayResume: facts.agent !== null && !isOut && facts.agent.state.is !== 'absent',
          isMending: learned.phase === 'fixing' || (learned.turn.kind === 'fix' && brokenPullOf(learned) !== null),
        });
  return {
    run: unhalted(next(learned, decision, judged, signature), decision, isOut, facts),
    situation: judged.situation,
    decision,
    judged,
  };
};

/** Learns and names without deciding: what an owed command is weighed against before it is obeyed late. */
export const judge = (run: ActiveRun, facts: Facts, settings: RepoSettings): { learned: ActiveRun; judged: Judged } => {
  const evolved = evolve(run, facts);
  const { issue } = facts;
  const proof: Proof =
    issue === null || issue === 'gone'
      ? { state: 'not pushed' }
      : proofOf(pushOf(evolved), issue, facts, settings, run);
  const coloured = issue === null || issue === 'gone' ? evolved : colour(evolved, proof, facts.clock);
  const pull = pullStandingOf(coloured, facts, settings);
  const learned = reopened(withStanding(coloured, pull, facts.clock), facts, proof);
  return { learned, judged: { facts, proof, pull, situation: situate(learned, facts, { proof, pull }, settings) } };
};

/** A halt is forgotten once something else was decided than to take its turn up, or when that outlived its interrupts. */
const unhalted = (run: StartedRun, decision: Decision, isOut: boolean, { now }: Facts): StartedRun => {
  if (run.halt === null) return run;
  const isOutlived = isOut && now - run.halt.lastOrderAt > deadlines.leaveMs;
  const isPassed = decision !== 'wait' && decision !== 'resume';
  return isPassed || isOutlived ? { ...run, halt: null } : run;
};

const idleFixesMax = 2;
const parksMax = 3;
/** How often in a row an issue is given back to the queue for the executor's fault. */
export const releasesMax = 2;

/** What a run may still do under its settings. */
export const allowancesOf = (
  run: ActiveRun,
  { clock, executorSuspect }: Facts,
  settings: RepoSettings,
): Allowances => ({
  pushed: pushOf(run) !== null,
  attempt: mayMend(run, clock, settings),
  nudge: run.nudges < settings.nudgesMax,
  restart: run.restarts < settings.restartsMax,
  park: run.parks < parksMax,
  // A run that was at work had its start; and an issue is not given back for ever.
  release: executorSuspect && run.firstTakenUpAt === null && run.releases < releasesMax,
});

const mayMend = (run: ActiveRun, clock: number, settings: RepoSettings): boolean => {
  const broken = brokenPullOf(run);
  const isMendedAgain = broken === null ? run.phase === 'fixing' : broken.mended?.head === broken.head;
  const firstRedAt = broken === null ? run.firstRedAt : broken.firstRedAt;
  return (
    // Mended twice without a new commit, the turn just over among them: a third time would change nothing.
    (isMendedAgain ? run.idleFixes + 1 : 0) < idleFixesMax &&
    run.attempts < settings.fixForwardMaxAttempts &&
    (firstRedAt === null || clock - firstRedAt < settings.fixForwardMaxMs)
  );
};

// Our own keyword, or an account the agent acts as, closed the issue before it was proven: opened again, once.
const reopened = (run: ActiveRun, { issue }: Facts, proof: Proof): ActiveRun =>
  issue !== null && issue !== 'gone' && !issue.open && proof.state === 'red' && !run.reopened
    ? { ...run, reopened: true }
    : run;
