import { assertNever } from './assert.ts';
import { type Check, type CiFacts, checkKeyOf, ciVerdict, sinceLastCompletion } from './ci-verdict.ts';
import { deadlines } from './deadlines.ts';
import { type Deployment, deploymentVerdict } from './deployment-verdict.ts';
import type { Actor } from './issue.ts';
import type { PullFacts } from './pull-request.ts';
import type { Push } from './run.ts';
import type { RepoSettings } from './settings.ts';
import type { TurnState } from './turn-state.ts';

/** What the executor shows of the turn asked for last. `stamp` is its own word for when anything last moved. */
export type AgentFacts = {
  state: TurnState;
  stamp: string | null;
  /** The executor's stamp of the last message: what a next turn is told apart by. */
  lastMessageAt: string | null;
  lastError: string | null;
  /** Read only when a turn is over; null where it was not read. `idle`: no tool call and no changed file. */
  words: { lastWords: string | null; idle: boolean } | null;
  /** What it waits for; null where it waits for nothing, or that could not be read. */
  request: { requestId: string; kind: 'question' | 'approval'; text: string } | null;
  /** All tokens of this thread so far, null where the executor does not tell; null as a whole where it was not asked. */
  tokens: { total: number | null } | null;
};

/** What the tracker shows of the issue and of this run's commits. */
export type IssueFacts = {
  open: boolean;
  hasReady: boolean;
  hasHold: boolean;
  hasInProgress: boolean;
  /** Who took the ready label off, put the hold label on, closed the issue; null where the tracker does not say. */
  readyOffBy: Actor;
  holdBy: Actor;
  closedBy: Actor;
  /** The closing was done by a commit that carries this run's trailer. */
  closedByOwnCommit: boolean;
  /** The default branch's name now; null where there is none. */
  branch: string | null;
  /** The head that was searched, and what was found; null where the head is the one searched before. */
  landing: {
    head: string;
    commits: readonly string[];
    tip: string | null;
    /** The tip by the trailer where `tip` is watched in its place; null where it is that tip itself. */
    follows: string | null;
    hasDescendant: boolean;
    /** When the tip came to the branch, epoch ms by the tracker's stamp; null where it does not tell. */
    pushedAt: number | null;
    declared: { testsRed: boolean; green: boolean };
    /** The branch does not contain the run's base any more. */
    rewritten: boolean;
  } | null;
  /**
   * The run's pull request, where its changes land by one; its checks only while no turn is out. Null where there is
   * none, and where nothing is asked about it: changes land by push, or nothing of it is left to be seen.
   */
  pull: { shown: PullFacts; ci: CiFacts | null } | null;
  /** Commits of this run that are only on another branch or in a pull request; asked once nothing else is left. */
  elsewhere: { url: string } | null;
  /** What CI and deployments show of the tip; null while nothing is pushed. */
  proof: { ci: CiFacts; deployments: readonly Deployment[] } | null;
};

/** One look at a run. `now` is wall time, `clock` the run's own (`runTime`), both epoch ms. */
export type Facts = {
  now: number;
  clock: number;
  /** The watcher's count of time in which nobody could look, ms. */
  lostMs: number;
  /** Null: the executor could not be read at this look. */
  agent: AgentFacts | null;
  /** Wall time for which the executor has not been readable; 0 while it is. */
  executorDownMs: number;
  /** `gone`: the tracker says there is no such issue. Null: it could not be read. */
  issue: IssueFacts | 'gone' | null;
  /** The run before this one could not start either: the executor is to blame, not the issue. */
  executorSuspect: boolean;
};

/** Whose fault red is: the change's, nobody's (cut short, could not run), or what was red before anything was begun. */
export type Blame = 'change' | 'infrastructure' | 'base';

/** One failed check or deployment, as the fix prompt names it. */
export type Failing = { name: string; url: string | null; state: string };

/** How far a landing is proven. `red` keeps what failed, for the next prompt. */
export type Proof =
  | { state: 'not pushed' }
  | { state: 'proven'; deployed: boolean }
  | { state: 'none'; reason: string }
  | { state: 'blocked'; reason: string }
  | { state: 'ci pending'; on: string }
  | { state: 'deploy pending'; on: string }
  | { state: 'red'; what: 'CI' | 'deployment'; failing: readonly Failing[]; blame: Blame };

/** What the base showed before anything was begun: checks that were red there, and those that ran there at all. */
export type Base = { baseRed: readonly string[]; expected: readonly string[] };

/** Folds what the tip shows into one proof. Pure; `push` is null while nothing of this run is on the default branch. */
export const proofOf = (
  push: Push | null,
  issue: IssueFacts,
  at: { clock: number; now: number },
  settings: RepoSettings,
  base: Base = { baseRed: [], expected: [] },
): Proof => {
  if (push === null || issue.proof === null) return { state: 'not pushed' };
  const { ci } = issue.proof;
  const rules = { required: ci.required, deployPatterns: settings.deployPatterns };
  const ageMs = Math.max(0, at.clock - push.seenAt);
  const verdict = ciVerdict({
    ...ci,
    ...rules,
    expected: base.expected,
    ageMs,
    pushedAt: push.pushedAt,
    sinceLastCompletionMs: sinceLastCompletion({ checks: ci.checks, ...rules }, at.now),
    graceMs: deadlines.ciAppearsMs,
    settleMs: deadlines.ciSettlesMs,
    deadlineMs: deadlines.ciMs,
  });
  switch (verdict.verdict) {
    case 'red':
      return {
        state: 'red',
        what: 'CI',
        failing: verdict.failing.map(({ name, url, state }) => ({ name, url, state })),
        blame: blameOf(verdict.failing, base.baseRed),
      };
    case 'pending':
      return { state: 'ci pending', on: verdict.on };
    case 'blocked':
      return { state: 'blocked', reason: verdict.reason };
    case 'none':
      // Only skipped checks are no last word either: others may still appear.
      if (ageMs < deadlines.ciAppearsMs) return { state: 'ci pending', on: verdict.reason };
      return settings.noCi === 'accept'
        ? deployed(issue.proof, ageMs, settings)
        : { state: 'none', reason: verdict.reason };
    case 'green':
      return deployed(issue.proof, ageMs, settings);
    default:
      return assertNever(verdict);
  }
};

/** CI spoke no verdict on a commit because a later push cut it short: that one's carries it on. */
export const isCutShort = (ci: CiFacts, settings: RepoSettings): boolean => {
  const rules = { required: ci.required, expected: [], deployPatterns: settings.deployPatterns };
  const limits = {
    ageMs: 0,
    pushedAt: null,
    sinceLastCompletionMs: null,
    graceMs: 0,
    settleMs: 0,
    deadlineMs: deadlines.ciMs,
  };
  const verdict = ciVerdict({ ...ci, ...rules, ...limits });
  return verdict.verdict === 'pending' && verdict.follow;
};

/** Whose fault these are, by what was red before anything was begun. */
export const blameOf = (failing: readonly Check[], baseRed: readonly string[]): Blame => {
  const ours = failing.filter(({ name }) => !baseRed.includes(checkKeyOf(name)));
  if (ours.length === 0) return 'base';
  return ours.every(({ state }) => isNobodysFault(state)) ? 'infrastructure' : 'change';
};

/** A check that ended like this failed at nothing: it was cut short, or could not run. */
export const isNobodysFault = (state: string): boolean =>
  state === 'cancelled' || state === 'stale' || state === 'startup-failure';

const deployed = (proof: NonNullable<IssueFacts['proof']>, ageMs: number, settings: RepoSettings): Proof => {
  const { result, places } = deploymentVerdict({
    deployments: proof.deployments,
    checks: proof.ci.checks,
    environments: settings.environments,
    deployPatterns: settings.deployPatterns,
    ageMs,
    deadlineMs: deadlines.deployMs,
  });
  const names = places.filter((place) => place.result === result).map((place) => place.name);
  switch (result) {
    case 'not tracked':
      return { state: 'proven', deployed: false };
    case 'deployed':
      return { state: 'proven', deployed: true };
    case 'failed':
      return {
        state: 'red',
        what: 'deployment',
        failing: places
          .filter((place) => place.result === 'failed')
          .map(({ name, url }) => ({ name, url, state: 'failure' })),
        blame: 'change',
      };
    case 'approval':
      return { state: 'deploy pending', on: `approval of ${names.join(', ')}` };
    case 'deploying':
    case 'missing':
      return { state: 'deploy pending', on: names.join(', ') };
    default:
      return assertNever(result);
  }
};
