import type { PushSeen } from './github-ci.ts';
import { closeByMessage, commitOn, headOf, logged, mention } from './github-commits.ts';
import { assertWritable, setIssueState } from './github-issue-record.ts';
import { checkStanding, checksOf, commitAt, compareCommits, latestChecks, latestStatuses } from './github-reads.ts';
import { GithubRefusal } from './github-refusal.ts';
import type { Commit, Issue, MergeMethod, Pull, Repo, State } from './github-state.ts';
import { accountOf, advance, issueOf, repoById, repoOf } from './github-state.ts';

/** How somebody merges; `message` in place of the one GitHub would propose for a squash or a merge. */
export type Merging = { actor: string; method: MergeMethod; message?: string };

/** What becomes of pull requests. `runCi` is told of the tip that a merge leaves on the branch. */
export const pullActs = (state: State, runCi: (repo: Repo, push: PushSeen, at: number) => void) => {
  const auto = new Map<number, { method: MergeMethod; actor: string }>();

  /** Puts the commits on the base as that method does, and closes what a keyword names. What may not be is refused. */
  const landPull = (name: string, number: number, merging: Merging, at: number): void => {
    const repo = repoOf(state, name);
    const { issue, pull } = pullOf(state, name, number);
    assertWritable(repo);
    const now = advance(state, at);
    const refused = refusalToMerge(state, repo, issue, pull);
    if (refused !== null) throw new GithubRefusal(405, refused, 'UNPROCESSABLE');
    const actor = accountOf(state, merging.actor).login;
    const commits = commitsOfPull(repo, pull);
    const before = repo.branches.get(pull.base) ?? headOf(repo);
    pull.baseSha = before;
    const made = mergedAs(state, repo, { issue, pull, commits, before }, { ...merging, actor }, now);
    const tip = made.at(-1)?.sha ?? before;
    repo.branches.set(pull.base, tip);
    repo.pushes += 1;
    logged(state, repo, { at: now, ref: `refs/heads/${pull.base}`, before, after: tip, actor, kind: 'pr_merge' });
    for (const commit of made) mention(state, repo, commit, actor, now);
    pull.mergedAt = now;
    pull.mergeSha = tip;
    auto.delete(issue.id);
    setIssueState(state, issue, actor, { state: 'closed', reason: 'completed' }, now);
    if (pull.base === repo.defaultBranch) {
      for (const closed of pull.closes) {
        const target = repo.issues.get(closed);
        if (target !== undefined)
          setIssueState(state, target, actor, { state: 'closed', reason: 'completed', pull: issue.id }, now);
      }
      for (const commit of new Set([...commits, ...made])) closeByMessage(state, repo, commit, actor, now);
    }
    const message = repo.commits.get(tip)?.message ?? '';
    runCi(repo, { sha: tip, message, branch: pull.base, number: repo.pushes }, now);
  };

  /** Merged as soon as all that is demanded is there; refused where nothing is in the way: then it would merge at once. */
  const enableAutoMerge = (name: string, number: number, merging: Merging, at: number): void => {
    const repo = repoOf(state, name);
    const { issue, pull } = pullOf(state, name, number);
    advance(state, at);
    if (refusalToMerge(state, repo, issue, pull) === null)
      throw new GithubRefusal(200, 'Pull request Pull request is in clean status', 'UNPROCESSABLE');
    auto.set(issue.id, merging);
  };

  /** Merges whatever waits for nothing any more. */
  const mergeWhatIsReady = (at: number): void => {
    for (const [id, merging] of auto) {
      const issue = state.issues.get(id);
      if (issue?.pull == null || issue.state === 'closed') {
        auto.delete(id);
        continue;
      }
      const repo = repoById(state, issue.repoId);
      if (refusalToMerge(state, repo, issue, issue.pull) === null) landPull(repo.name, issue.number, merging, at);
    }
  };

  /** Something was checked, and all of it is over and did not fail. */
  const isGreen = (name: string, sha: string): boolean => {
    const repo = repoOf(state, name);
    const checks = latestChecks(checksOf(state, repo, sha)).map((check) => checkStanding(state, check).conclusion);
    return checks.length > 0 && checks.every((word) => word === 'success' || word === 'skipped' || word === 'neutral');
  };

  const reviewPull = (name: string, number: number, review: 'approved' | 'changes_requested', at: number): void => {
    const { issue, pull } = pullOf(state, name, number);
    pull.review = review;
    issue.updatedAt = advance(state, at);
  };

  const markReady = (name: string, number: number, at: number): void => {
    const { issue, pull } = pullOf(state, name, number);
    pull.draft = false;
    issue.updatedAt = advance(state, at);
  };

  /** Somebody changed the same lines on the base: until the branch is pushed to again it cannot be merged. */
  const setConflicting = (name: string, number: number, conflicting: boolean): void => {
    pullOf(state, name, number).pull.conflicting = conflicting;
  };

  return { landPull, enableAutoMerge, mergeWhatIsReady, isGreen, reviewPull, markReady, setConflicting };
};

/** What a pull request brings: the commits its head has and its base has not, or had not when it was merged. */
export const commitsOfPull = (repo: Repo, pull: Pull): readonly Commit[] => {
  const [base, head] = [commitAt(repo, pull.baseSha ?? pull.base), commitAt(repo, pull.sha)];
  return base && head ? (compareCommits(repo, base, head)?.ahead ?? []) : [];
};

/** The pull requests that bring or brought a commit, oldest first. */
export const pullsWith = (repo: Repo, commit: Commit): readonly Issue[] =>
  [...repo.issues.values()].filter(
    ({ pull }) => pull !== null && (pull.mergeSha === commit.sha || commitsOfPull(repo, pull).includes(commit)),
  );

/** What GitHub tells of the reviews: null where none is demanded and none was given. */
export const reviewDecision = (repo: Repo, pull: Pull): 'APPROVED' | 'CHANGES_REQUESTED' | 'REVIEW_REQUIRED' | null => {
  if (pull.review === 'approved') return 'APPROVED';
  if (pull.review === 'changes_requested') return 'CHANGES_REQUESTED';
  return repo.rules.pullRequest && pull.base === repo.defaultBranch ? 'REVIEW_REQUIRED' : null;
};

const pullOf = (state: State, name: string, number: number): { issue: Issue; pull: Pull } => {
  const issue = issueOf(state, name, number);
  if (issue.pull === null) throw new Error(`#${number} is not a pull request`);
  return { issue, pull: issue.pull };
};

const refusalToMerge = (state: State, repo: Repo, issue: Issue, pull: Pull): string | null => {
  if (issue.state === 'closed') return 'Pull Request is not mergeable';
  if (pull.draft) return 'Pull Request is still a draft';
  if (pull.conflicting) return 'Pull Request has merge conflicts';
  if (pull.base !== repo.defaultBranch) return null;
  const { requiredChecks = [], pullRequest, locked } = repo.rules;
  if (locked) return 'Cannot update this protected ref.';
  if (pullRequest && pull.review !== 'approved') return 'At least 1 approving review is required.';
  const green = new Set([
    ...latestChecks(checksOf(state, repo, pull.sha))
      .filter((check) => checkStanding(state, check).conclusion === 'success')
      .map((check) => check.name),
    ...latestStatuses(state, repo, pull.sha)
      .filter((status) => status.state === 'success')
      .map((status) => status.context),
  ]);
  const missing = requiredChecks.filter(({ context }) => !green.has(context));
  return missing.length > 0
    ? `${missing.length} of ${requiredChecks.length} required status checks are expected.`
    : null;
};

type Opened = { issue: Issue; pull: Pull; commits: readonly Commit[]; before: string };

const mergedAs = (
  state: State,
  repo: Repo,
  { issue, pull, commits, before }: Opened,
  { method, actor, message }: Merging,
  at: number,
): readonly Commit[] => {
  switch (method) {
    case 'merge': {
      const owner = repo.name.split('/')[0] ?? '';
      const proposed = `Merge pull request #${issue.number} from ${owner}/${pull.head}\n\n${issue.title}`;
      return [commitOn(state, repo, { message: message ?? proposed }, [before, pull.sha], actor, at)];
    }
    case 'squash': {
      const proposed = squashMessage(issue, commits);
      return [commitOn(state, repo, { message: message ?? proposed }, [before], actor, at)];
    }
    case 'rebase': {
      const made: Commit[] = [];
      for (const commit of commits) {
        const text = { message: commit.message, files: commit.files, author: commit.author };
        made.push(commitOn(state, repo, text, [made.at(-1)?.sha ?? before], actor, at));
      }
      return made;
    }
  }
};

/** As GitHub proposes it: the one commit's own message, or all of them one below the other, trailers in the middle. */
const squashMessage = ({ title, number }: Issue, commits: readonly Commit[]): string => {
  const [only, ...others] = commits;
  const [, ...rest] = (only?.message ?? '').split('\n');
  if (others.length === 0) return `${title} (#${number})\n${rest.join('\n')}`;
  return [`${title} (#${number})`, ...commits.map((commit) => `* ${commit.message}`)].join('\n\n');
};
