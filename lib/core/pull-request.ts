import { assertNever } from './assert.ts';
import { type CiFacts, type CiInputs, type CiVerdict, ciVerdict, sinceLastCompletion } from './ci-verdict.ts';
import { homeOf } from './comment-words.ts';
import { deadlines } from './deadlines.ts';
import { type Blame, blameOf, type Facts, type Failing } from './facts.ts';
import type { Actor } from './issue.ts';
import type { OpenRun, Pull } from './run.ts';
import type { RepoSettings } from './settings.ts';

/** A pull request as one look shows it. `review` is null where none is demanded and none was given. */
export type PullFacts = {
  number: number;
  url: string;
  state: 'open' | 'merged' | 'closed';
  draft: boolean;
  /** It cannot be merged before somebody has brought it up to date. */
  conflicting: boolean;
  review: 'approved' | 'changes requested' | 'required' | null;
  /** The commit that stands at its end. */
  head: string;
  /** The newest commit that its merge left on the default branch; null before. */
  mergeCommit: string | null;
  /** Who closed it without merging it; null otherwise, and where the account is gone. */
  closedBy: Actor;
};

/** Of a run's pull requests the one that counts: the newest open one, else the newest. Pure; the order given is no matter. */
export const pullThatCounts = (pulls: readonly PullFacts[]): PullFacts | null => {
  const newestFirst = pulls.toSorted((a, b) => b.number - a.number);
  return newestFirst.find(({ state }) => state === 'open') ?? newestFirst[0] ?? null;
};

/**
 * What a look at a run's pull request means. `none`: there is none, or nothing more follows from it. `unread`: its checks
 * were not asked for. `waiting` for people, `merged` and not yet seen on the branch, `refused` by a person.
 */
export type PullStanding =
  | { is: 'none' | 'unread' | 'draft' | 'conflicting' | 'merged' }
  | { is: 'red'; failing: readonly Failing[]; blame: Blame }
  | { is: 'pending'; on: string }
  | { is: 'waiting'; for: 'review' | 'merge'; note: string }
  | { is: 'refused'; how: string };

/**
 * How the pull request of a run that has learnt from this look stands. Pure. A green check before the merge is no
 * proof: what counts is CI on the default branch, after it.
 */
export const pullStandingOf = (run: OpenRun, { issue, clock, now }: Facts, settings: RepoSettings): PullStanding => {
  const { pull } = run;
  if (pull === null || issue === null || issue === 'gone' || issue.pull === null) return { is: 'none' };
  const { shown, ci } = issue.pull;
  switch (shown.state) {
    case 'merged':
      return pull.merge !== null && run.commits.includes(pull.merge) ? { is: 'none' } : { is: 'merged' };
    case 'closed':
      return isAgent(shown.closedBy, settings) ? { is: 'none' } : { is: 'refused', how: 'it was closed unmerged' };
    case 'open':
      // What reviewers write is nothing that was released for the agent: a person takes over.
      if (shown.review === 'changes requested') return { is: 'refused', how: 'a review asks for changes' };
      if (shown.draft) return { is: 'draft' };
      if (shown.conflicting) return { is: 'conflicting' };
      return ci === null
        ? { is: 'unread' }
        : checkedStanding(shown, ci, { ageMs: clock - pull.seenAt, now }, run, settings);
    default:
      return assertNever(shown.state);
  }
};

const isAgent = (actor: Actor, { agentLogins }: RepoSettings): boolean =>
  agentLogins.some((login) => login.toLowerCase() === actor?.login.toLowerCase());

const checkedStanding = (
  { review }: PullFacts,
  ci: CiFacts,
  { ageMs, now }: { ageMs: number; now: number },
  { baseRed }: OpenRun,
  settings: RepoSettings,
): PullStanding => {
  const rules = { required: [], deployPatterns: settings.deployPatterns };
  const sinceLastCompletionMs = sinceLastCompletion({ checks: ci.checks, ...rules }, now);
  const verdict = verdictOn(ci, { ageMs: Math.max(0, ageMs), sinceLastCompletionMs }, settings);
  const waiting = (note: string): PullStanding => ({
    is: 'waiting',
    for: review === 'required' ? 'review' : 'merge',
    note,
  });
  switch (verdict.verdict) {
    case 'red':
      return { is: 'red', failing: failingOf(verdict), blame: blameOf(verdict.failing, baseRed) };
    case 'pending':
      return { is: 'pending', on: verdict.on };
    case 'blocked':
      return waiting(`, and CI cannot decide: ${verdict.reason}`);
    case 'none':
      return waiting(', and no check spoke for it');
    case 'green':
      return waiting('');
    default:
      return assertNever(verdict);
  }
};

/** The checks that are red on the head of a pull request by now; none where they are not. */
export const failingOn = (ci: CiFacts, settings: RepoSettings): readonly Failing[] => {
  const verdict = verdictOn(ci, { ageMs: 0, sinceLastCompletionMs: null }, settings);
  return verdict.verdict === 'red' ? failingOf(verdict) : [];
};

const failingOf = ({ failing }: Extract<CiVerdict, { verdict: 'red' }>): readonly Failing[] =>
  failing.map(({ name, url, state }) => ({ name, url, state }));

const verdictOn = (
  ci: CiFacts,
  at: Pick<CiInputs, 'ageMs' | 'sinceLastCompletionMs'>,
  { deployPatterns }: RepoSettings,
): CiVerdict =>
  ciVerdict({
    ...ci,
    ...at,
    // What it demands before a merge GitHub sees to itself: its name may be another one than on the default branch.
    ...{ required: [], expected: [], pushedAt: null, deployPatterns },
    graceMs: deadlines.ciAppearsMs,
    settleMs: deadlines.ciSettlesMs,
    // The wait for checks has its deadline where it is named; here only what waits for a person is told apart.
    deadlineMs: Number.POSITIVE_INFINITY,
  });

/** A pull request that is open, as far as the run knows: its next turn belongs to it. */
export const openPullOf = ({ pull }: Pick<OpenRun, 'pull'>): Pull | null =>
  pull === null || pull.stands === 'merged' || pull.stands === 'closed' ? null : pull;

/** The commit that a further turn would mend: the head of a pull request that cannot be merged, else the push. */
export const brokenPullOf = ({ pull }: Pick<OpenRun, 'pull'>): Pull | null =>
  pull !== null && (pull.stands === 'red' || pull.stands === 'conflicting') ? pull : null;

/** The run with the pull request that a look shows. Facts that bring nothing new give back the very same run. */
export const withPull = <R extends { pull: OpenRun['pull'] }>(run: R, shown: PullFacts, clock: number): R => {
  const before = run.pull;
  const isSame = before !== null && before.number === shown.number;
  const isSameHead = isSame && before.head === shown.head;
  const merge = shown.mergeCommit ?? before?.merge ?? null;
  const over = shown.state === 'open' ? null : shown.state;
  const stands = over ?? (isSameHead && openPullOf(run) !== null ? before.stands : 'open');
  if (isSameHead && merge === before.merge && stands === before.stands) return run;
  const kept = isSame ? { firstRedAt: before.firstRedAt, mended: before.mended } : { firstRedAt: null, mended: null };
  return {
    ...run,
    pull: {
      number: shown.number,
      head: shown.head,
      seenAt: isSameHead ? before.seenAt : clock,
      stands,
      ...kept,
      merge,
    },
  };
};

/** The same with how it stands, and when it was first seen red. Same contract. */
export const withStanding = <R extends { pull: OpenRun['pull'] }>(run: R, standing: PullStanding, clock: number): R => {
  const { pull } = run;
  const stands = standsOf(standing);
  if (pull === null || stands === null) return run;
  const firstRedAt = pull.firstRedAt ?? (standing.is === 'red' ? clock : null);
  return stands === pull.stands && firstRedAt === pull.firstRedAt
    ? run
    : { ...run, pull: { ...pull, stands, firstRedAt } };
};

const standsOf = (standing: PullStanding): Pull['stands'] | null => {
  switch (standing.is) {
    case 'none':
    case 'unread':
    case 'merged':
    case 'refused':
      return null;
    case 'draft':
    case 'conflicting':
    case 'red':
      return standing.is;
    case 'pending':
      return 'checked';
    case 'waiting':
      return standing.for === 'review' ? 'unreviewed' : 'unmerged';
    default:
      return assertNever(standing);
  }
};

/** Its address by the issue's own; null where that does not look like one. */
export const pullUrlOf = (run: Pick<OpenRun, 'issue'>, number: number): string | null => {
  const home = homeOf(run);
  return home === null ? null : `${home}/pull/${number}`;
};
