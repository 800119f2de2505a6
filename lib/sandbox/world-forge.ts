import type { RepoRef } from '../core/issue.ts';
import { type PullFacts, pullThatCounts } from '../core/pull-request.ts';
import { commitsOfRun, declaredPhases, type History, nextTip, pushTip, type Tip } from '../core/push-tip.ts';
import { type Forge, type LandingFacts, PortError } from '../ports.ts';
import { commitsOfPull, pullsWith, reviewDecision } from './github-pulls.ts';
import { checksOf, commitAt, compareCommits, historyOf, latestStatuses } from './github-reads.ts';
import { GithubRefusal } from './github-refusal.ts';
import { issueHtml, repoHtml } from './github-rest-shapes.ts';
import type { Commit, Issue, Pull, Repo, State } from './github-state.ts';
import { newestEvents, secondOf } from './world-reads.ts';
import { reportsOf, saidIn } from './world-reports.ts';
import type { WorldViewer } from './world-viewer.ts';

/** The forge over a GitHub world's own state: what `githubForge` answers over HTTP to the same account. */
export const worldForge = (viewer: WorldViewer): Forge => ({
  landing: async (repo, ask) => {
    if (ask.base === ask.head) return nothing;
    viewer.enter('GET /repositories/{repo_id}/compare/{basehead}');
    return landing(viewer, repo, ask);
  },
  ci: async (repo, ask) => {
    viewer.enter(ask.environments.length > 0 ? 'query CiAndDeployments' : 'query Ci');
    return reportsOf(viewer, repo, ask);
  },
  elsewhere: async (repo, ask) => {
    viewer.enter('query Elsewhere');
    return elsewhere(viewer, repo, ask);
  },
  pull: async (repo, ask) => {
    viewer.enter('query Pull');
    return pullOfRun(viewer, repo, ask);
  },
  said: async (repo, ask) => {
    if (ask.names.length === 0) return new Map();
    viewer.enter('GET /repositories/{repo_id}/commits/{sha}/check-runs');
    return saidIn(viewer, repo, ask);
  },
});

const pageSize = 100;
const comparedPagesMax = 10;
const commitsMax = 5;
const historyMax = 50;
const referencesMax = 30;
const pullCommitsMax = 20;
const linksMax = 30;
const mentionsMax = 3;
const pullsOfCommitMax = 2;
const proposedMax = 30;

const nothing: LandingFacts = {
  commits: [],
  tip: null,
  hasDescendant: false,
  pushedAt: null,
  declared: { testsRed: false, green: false },
  rewritten: false,
};

const landing = (
  viewer: WorldViewer,
  ref: RepoRef,
  { base, branch, head, runId, after, merged }: Parameters<Forge['landing']>[1],
): LandingFacts => {
  const { repo, commits, rewritten } = commitsSince(viewer, ref, base, head);
  const own = commitsOfRun(commits, runId, merged);
  if (own.length === 0) return { ...nothing, rewritten };
  const pushes = repo.activity
    .filter((entry) => entry.ref === `refs/heads/${branch}`)
    .slice(-pageSize)
    .map(({ before, after, at }) => ({ before, after, at: secondOf(at) }))
    .reverse();
  const history = { commits, head, pushes, checked: new Set<string>() };
  const tipOf = (known: History): Tip | null =>
    after === undefined ? pushTip(known, runId, merged) : nextTip(known, after);
  const byPush = tipOf(history);
  const found =
    byPush?.by === 'push' ? byPush : tipOf({ ...history, checked: checkedCommits(viewer.state, repo, head) });
  return {
    commits: own
      .slice(-commitsMax)
      .map((commit) => commit.sha)
      .reverse(),
    tip: found?.tip ?? null,
    hasDescendant: found?.hasDescendant ?? false,
    pushedAt: found?.pushedAt ?? null,
    declared: declaredPhases(own.map((commit) => commit.message)),
    rewritten,
  };
};

type Since = { repo: Repo; commits: readonly Commit[]; rewritten: boolean };

const commitsSince = (viewer: WorldViewer, ref: RepoRef, base: string, head: string): Since =>
  // A comparison that finds nothing is no refusal yet; the history that is asked for then may be.
  viewer.asking('GET /repositories/{repo_id}/commits', () => {
    const repo = viewer.repoAt(ref);
    const [from, to] = [commitAt(repo, base), commitAt(repo, head)];
    if (to === undefined) throw new GithubRefusal(422, `No commit found for SHA: ${head}`, 'UNPROCESSABLE');
    const compared = from && compareCommits(repo, from, to);
    if (compared === undefined) {
      return { repo, commits: historyOf(repo, to).slice(0, pageSize).reverse(), rewritten: true };
    }
    const { ahead, status } = compared;
    // Of very many the oldest page and the newest ones.
    const newest = Math.max(pageSize, (Math.ceil(ahead.length / pageSize) - comparedPagesMax + 1) * pageSize);
    const commits = [...ahead.slice(0, pageSize), ...ahead.slice(newest)];
    return { repo, commits, rewritten: status !== 'ahead' && status !== 'identical' };
  });

const checkedCommits = (state: State, repo: Repo, head: string): ReadonlySet<string> => {
  const commit = repo.commits.get(head);
  if (commit === undefined) {
    throw new PortError('unavailable', 'query Checked: GitHub answered something else than documented at node.object');
  }
  const isChecked = ({ sha }: Commit): boolean =>
    checksOf(state, repo, sha).length > 0 || latestStatuses(state, repo, sha).length > 0;
  const newest = historyOf(repo, commit).slice(0, historyMax);
  return new Set(newest.filter(isChecked).map(({ sha }) => sha));
};

/** A commit that mentions the issue, or a pull request that does, with the run's trailer; the newest. */
const elsewhere = (
  viewer: WorldViewer,
  ref: RepoRef,
  { issue: number, runId }: Parameters<Forge['elsewhere']>[1],
): { url: string } | null => {
  const { state, maySee } = viewer;
  const issue = viewer.repoOf(ref, 'query Elsewhere').issues.get(number);
  if (issue === undefined || issue.deleted || issue.movedTo !== null || issue.pull !== null) {
    throw viewer.unresolved('query Elsewhere', `an Issue with the number of ${number}.`);
  }
  const visible = placedEvents(viewer, issue);
  const events = newestEvents({ ...issue, events: visible }, ['referenced', 'cross-referenced'], referencesMax).list;
  const carriers = events.flatMap((event) => {
    if (event.kind === 'referenced') {
      const repo = state.repos.get(event.commit.repoId);
      const commit = repo && maySee(repo) && !repo.behindSso ? repo.commits.get(event.commit.sha) : undefined;
      const isCarrier = commit !== undefined && commitsOfRun([commit], runId).length > 0;
      return repo && isCarrier ? [{ url: `${repoHtml(repo)}/commit/${commit.sha}`, isPull: false }] : [];
    }
    const source = sourceOf(viewer, event.sourceId);
    const isCarrier = source !== null && commitsOfRun(pullCommits(source.repo, source.issue), runId).length > 0;
    return isCarrier ? [{ url: issueHtml(source.repo, source.issue), isPull: true }] : [];
  });
  const best = carriers.findLast((carrier) => carrier.isPull) ?? carriers.at(-1);
  return best ? { url: best.url } : null;
};

/** As the adapter asks: what the issue links to, what its newest mentions belong to, and the one known before. */
const pullOfRun = (
  viewer: WorldViewer,
  ref: RepoRef,
  { issue: number, runId, branch, known }: Parameters<Forge['pull']>[1],
): PullFacts | null => {
  const { state, maySee } = viewer;
  const repo = viewer.repoOf(ref, 'query Pull');
  const before = known === null ? null : repo.issues.get(known);
  if (before !== null && (before?.pull == null || before.deleted)) {
    throw viewer.unresolved('query Pull', `a PullRequest with the number of ${known}.`);
  }
  const issue = repo.issues.get(number);
  if (issue === undefined || issue.deleted || issue.movedTo !== null || issue.pull !== null) {
    throw viewer.unresolved('query Pull', `an Issue with the number of ${number}.`);
  }
  const seen = { ...issue, events: placedEvents(viewer, issue) };
  const linked = newestEvents(seen, ['cross-referenced'], linksMax).list.flatMap(
    (event) => sourceOf(viewer, event.sourceId)?.issue ?? [],
  );
  const mentioned = newestEvents(seen, ['referenced'], mentionsMax).list.flatMap((event) => {
    const home = state.repos.get(event.commit.repoId);
    const commit = home && maySee(home) && !home.behindSso ? home.commits.get(event.commit.sha) : undefined;
    return home && commit ? pullsWith(home, commit).slice(0, pullsOfCommitMax) : [];
  });
  const candidates = new Set([...(before ? [before] : []), ...linked, ...mentioned]);
  const ours = [...candidates].filter(
    ({ pull, repoId }) =>
      pull !== null &&
      repoId === repo.id &&
      !pull.fork &&
      pull.base === branch &&
      commitsOfRun(commitsOfPull(repo, pull).slice(-proposedMax), runId).length > 0,
  );
  return pullThatCounts(ours.flatMap((one) => (one.pull === null ? [] : [pullFacts(viewer, repo, one, one.pull)])));
};

const pullFacts = ({ actor }: WorldViewer, repo: Repo, issue: Issue, pull: Pull): PullFacts => {
  const state = pull.mergedAt !== null ? 'merged' : issue.state;
  const closing = newestEvents(issue, ['closed'], 1).list[0];
  return {
    number: issue.number,
    url: issueHtml(repo, issue),
    state,
    draft: pull.draft,
    conflicting: issue.state === 'open' && pull.conflicting,
    review: reviews[reviewDecision(repo, pull) ?? 'none'],
    head: pull.sha,
    mergeCommit: pull.mergeSha,
    closedBy: state === 'closed' && closing ? actor(closing.actor) : null,
  };
};

const reviews = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes requested',
  REVIEW_REQUIRED: 'required',
  none: null,
} as const;

const sourceOf = ({ state, maySee }: WorldViewer, id: number): { issue: Issue; repo: Repo } | null => {
  const issue = state.issues.get(id);
  const repo = issue && state.repos.get(issue.repoId);
  return issue && repo && maySee(repo) && !repo.behindSso ? { issue, repo } : null;
};

/** What the viewer may not see of other issues is not shown at all, and takes no place; behind single sign-on it does. */
const placedEvents = ({ state, maySee }: WorldViewer, { events }: Issue): Issue['events'] =>
  events.filter((event) => {
    const source = event.kind === 'cross-referenced' ? state.issues.get(event.sourceId) : null;
    const repo = source && state.repos.get(source.repoId);
    return source === null || (repo !== undefined && repo !== null && maySee(repo));
  });

/** The newest of what a pull request brings; none of what is no pull request. */
const pullCommits = (repo: Repo, { pull }: Issue): readonly Commit[] =>
  pull === null ? [] : commitsOfPull(repo, pull).slice(-pullCommitsMax);
