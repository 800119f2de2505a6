import { assertNever } from './assert.ts';
import type { EndedRun, OpenRun, Push } from './run.ts';

/** The way of a run as people are shown it, in order. */
export const shownPhases = ['worktree', 'tests-red', 'green', 'proposed', 'pushed', 'CI', 'deployed', 'done'] as const;
export type ShownPhase = (typeof shownPhases)[number];

/** `observed`: seen by us. `declared`: said by the agent in a commit that was seen. Null while it is not ticked. */
export type ChecklistRow = { phase: ShownPhase; ticked: boolean; known: 'observed' | 'declared' | null };

/**
 * What a run has shown of its way, ticked on evidence only; the plain order of phases proves nothing. `deployed` is
 * left out where no environments are named: there is nothing to deploy. `proposed` is left out where the run lands by
 * push. Pure.
 *
 * | phase     | ticked by                                                     | known    |
 * |-----------|---------------------------------------------------------------|----------|
 * | worktree  | a turn of this run seen taken up                              | observed |
 * | tests-red | a commit on the default branch with `AFK-Phase: tests-red`    | declared |
 * | green     | the same with `AFK-Phase: green`                              | declared |
 * | proposed  | a pull request of this run, whatever became of it             | observed |
 * | pushed    | a commit of this run on the default branch                    | observed |
 * | CI        | CI seen green on the push under watch                         | observed |
 * | deployed  | every named environment seen deployed when the run ended      | observed |
 * | done      | the outcome                                                   | observed |
 */
export const checklistOf = (run: OpenRun | EndedRun, environments: readonly string[]): readonly ChecklistRow[] =>
  shownPhases
    .filter((phase) => phase !== 'deployed' || environments.length > 0)
    .filter((phase) => phase !== 'proposed' || run.landing === 'pull-request')
    .map((phase) => {
      const ticked = isTicked(run, phase);
      return { phase, ticked, known: ticked ? knownBy(phase) : null };
    });

/** The push under watch; null where nothing of this run was seen on the default branch. */
export const pushUnderWatch = (run: OpenRun | EndedRun): Push | null =>
  run.phase === 'claimed' || run.phase === 'working' ? null : run.push;

const isTicked = (run: OpenRun | EndedRun, phase: ShownPhase): boolean => {
  switch (phase) {
    case 'worktree':
      return run.firstTakenUpAt !== null;
    case 'tests-red':
      return run.declared.testsRed;
    case 'green':
      return run.declared.green;
    case 'proposed':
      return run.pull !== null;
    case 'pushed':
      return pushUnderWatch(run) !== null;
    case 'CI':
      return (pushUnderWatch(run)?.greenAt ?? null) !== null;
    case 'deployed':
      return isLeaving(run) && run.deployed;
    case 'done':
      return isLeaving(run) && run.outcome === 'done';
    default:
      return assertNever(phase);
  }
};

const knownBy = (phase: ShownPhase): 'observed' | 'declared' =>
  phase === 'tests-red' || phase === 'green' ? 'declared' : 'observed';

const isLeaving = (run: OpenRun | EndedRun): run is Extract<OpenRun, { phase: 'ending' }> | EndedRun =>
  run.phase === 'ending' || run.phase === 'ended';
