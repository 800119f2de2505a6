import type { RepoRef } from '../core/issue.ts';
import { commitsOfRun, declaredPhases, type History, nextTip, pushTip, type Tip } from '../core/push-tip.ts';
import { type Forge, type LandingFacts, PortError } from '../ports.ts';
import { checksOf, commitAt, compareCommits, historyOf, latestStatuses } from './github-reads.ts';
import { GithubRefusal } from './github-refusal.ts';
import { issueHtml, repoHtml } from './github-rest-shapes.ts';
import type { Commit, Issue, Repo, State } from './github-state.ts';
import { newestEvents } from './world-reads.ts';
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

const nothing: LandingFacts = {
  commits: [],
  tip: null,
  hasDescendant: false,
  declared: { testsRed: false, green: false },
  rewritten: false,
};

const landing = (
  viewer: WorldViewer,
  ref: RepoRef,
  { base, branch, head, runId, after }: Parameters<Forge['landing']>[1],
): LandingFacts => {
  const { repo, commits, rewritten } = commitsSince(viewer, ref, base, head);
  const own = commitsOfRun(commits, runId);
  if (own.length === 0) return { ...nothing, rewritten };
  const pushes = repo.activity
    .filter((entry) => entry.ref === `refs/heads/${branch}`)
    .slice(-pageSize)
    .reverse();
  const history = { commits, head, pushes, checked: new Set<string>() };
  const tipOf = (known: History): Tip | null => (after === undefined ? pushTip(known, runId) : nextTip(known, after));
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
  // What the viewer may not see of other issues is not shown at all, and takes no place.
  const visible = issue.events.filter((event) => event.kind !== 'cross-referenced' || sourceOf(viewer, event.sourceId));
  const events = newestEvents({ ...issue, events: visible }, ['referenced', 'cross-referenced'], referencesMax).list;
  const carriers = events.flatMap((event) => {
    if (event.kind === 'referenced') {
      const repo = state.repos.get(event.commit.repoId);
      const commit = repo && maySee(repo) ? repo.commits.get(event.commit.sha) : undefined;
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

const sourceOf = ({ state, maySee }: WorldViewer, id: number): { issue: Issue; repo: Repo } | null => {
  const issue = state.issues.get(id);
  const repo = issue && state.repos.get(issue.repoId);
  return issue && repo && maySee(repo) ? { issue, repo } : null;
};

/** The newest of what a pull request's branch has and its base has not; none of what is no pull request. */
const pullCommits = (repo: Repo, { pull }: Issue): readonly Commit[] => {
  const [base, head] = pull === null ? [] : [commitAt(repo, pull.base), commitAt(repo, pull.sha)];
  return base && head ? (compareCommits(repo, base, head)?.ahead ?? []).slice(-pullCommitsMax) : [];
};
