import { type Allowances, type Decision, decide } from './decide.ts';
import { colour, evolve, type StartedRun } from './evolve.ts';
import { type Facts, type Proof, proofOf } from './facts.ts';
import { type Judged, next, type Signature } from './next.ts';
import { type ActiveRun, pushOf } from './run.ts';
import type { RepoSettings } from './settings.ts';
import { type Situation, situate } from './situation.ts';

/** What one look made of a run. `run` is the very run that was given when nothing follows and nothing was learnt. */
export type Step = { run: StartedRun; situation: Situation; decision: Decision; judged: Judged };

/**
 * One step of an active run: learn from the look, name what is seen, decide, say what follows. Pure. Leaving agents
 * are not decided about: they have a step of their own.
 */
export const step = (run: ActiveRun, facts: Facts, settings: RepoSettings, signature: Signature): Step => {
  const { learned, judged } = judge(run, facts, settings);
  const decision = decide(judged.situation.name, allowancesOf(learned, facts, settings));
  return { run: next(learned, decision, judged, signature), situation: judged.situation, decision, judged };
};

/** Learns and names without deciding: what an owed command is weighed against before it is obeyed late. */
export const judge = (run: ActiveRun, facts: Facts, settings: RepoSettings): { learned: ActiveRun; judged: Judged } => {
  const evolved = evolve(run, facts);
  const { issue } = facts;
  const proof: Proof =
    issue === null || issue === 'gone' ? { state: 'not pushed' } : proofOf(pushOf(evolved), issue, facts, settings);
  const coloured = issue === null || issue === 'gone' ? evolved : colour(evolved, proof, facts.clock);
  const learned = reopened(coloured, facts, proof);
  return { learned, judged: { facts, proof, situation: situate(learned, facts, proof, settings) } };
};

/** What a run may still do under its settings. */
export const allowancesOf = (
  run: ActiveRun,
  { clock, executorSuspect }: Facts,
  settings: RepoSettings,
): Allowances => ({
  pushed: pushOf(run) !== null,
  attempt:
    run.attempts < settings.fixForwardMaxAttempts &&
    (run.firstRedAt === null || clock - run.firstRedAt < settings.fixForwardMaxMs),
  nudge: run.nudges < settings.nudgesMax,
  restart: run.restarts < settings.restartsMax,
  executorSuspect,
});

// Our own keyword, or an account the agent acts as, closed the issue before it was proven: opened again, once.
const reopened = (run: ActiveRun, { issue }: Facts, proof: Proof): ActiveRun =>
  issue !== null && issue !== 'gone' && !issue.open && proof.state === 'red' && !run.reopened
    ? { ...run, reopened: true }
    : run;
