import type { Check, Commit, Deployment, Issue, Label, Repo, State, Status, Suite } from './github-state.ts';

/** A check as it stands: `completed` has a conclusion, anything else none. */
export const checkStanding = (state: State, check: Check) => {
  const ended = check.endsAt !== null && check.endsAt <= state.at;
  const started = check.startsAt <= state.at;
  return {
    status: ended ? ('completed' as const) : started ? check.unfinished : ('queued' as const),
    conclusion: ended ? check.conclusion : null,
    startedAt: started ? check.startsAt : null,
    completedAt: ended ? check.endsAt : null,
    ...reportOf(ended ? check.says : null),
  };
};

/** A check's first line is its title, the first paragraph after that its summary, and the rest its text. */
const reportOf = (says: string | null): { title: string | null; summary: string | null; text: string | null } => {
  if (says === null) return { title: null, summary: null, text: null };
  const [title = '', ...lines] = says.split('\n');
  const [summary = '', ...paragraphs] = lines.join('\n').split('\n\n');
  return { title, summary, text: paragraphs.length === 0 ? null : paragraphs.join('\n\n') };
};

/** The checks of a commit that have appeared, oldest first. */
export const checksOf = (state: State, repo: Repo, sha: string): Check[] =>
  repo.checks
    .filter((check) => check.sha === sha && check.appearsAt <= state.at)
    .sort((a, b) => a.appearsAt - b.appearsAt);

/** Of the checks that share suite and name only the newest: what GitHub calls `latest`. */
export const latestChecks = (checks: readonly Check[]): Check[] => {
  const latest = new Map<string, Check>();
  for (const check of checks) latest.set(`${check.suite.id}:${check.name}`, check);
  return [...latest.values()];
};

/** The check suites of a commit that have appeared. */
export const suitesOf = (state: State, repo: Repo, sha: string): Suite[] =>
  repo.suites.filter((suite) => suite.sha === sha && suite.createdAt <= state.at);

const worstFirst = [
  'startup_failure',
  'failure',
  'timed_out',
  'action_required',
  'cancelled',
  'stale',
  'success',
  'neutral',
];

/** A suite's standing follows from its latest runs: the worst conclusion once all are completed. Without runs it is queued until it ends. */
export const suiteStanding = (state: State, repo: Repo, suite: Suite) => {
  const checks = latestChecks(checksOf(state, repo, suite.sha)).filter((check) => check.suite === suite);
  if (checks.length === 0 && suite.runless !== null && suite.runless.endsAt <= state.at) {
    const { endsAt, conclusion } = suite.runless;
    return { checks, status: 'completed' as const, conclusion, updatedAt: endsAt };
  }
  const standings = checks.map((check) => checkStanding(state, check));
  const done = standings.length > 0 && standings.every((one) => one.status === 'completed');
  const begun = standings.some((one) => one.status !== 'queued');
  const conclusion = done
    ? (worstFirst.find((word) => standings.some((one) => one.conclusion === word)) ?? 'skipped')
    : null;
  const instants = standings.flatMap((one) => [one.startedAt ?? 0, one.completedAt ?? 0]);
  return {
    checks,
    status: done ? ('completed' as const) : begun ? ('in_progress' as const) : ('queued' as const),
    conclusion,
    updatedAt: Math.max(suite.createdAt, ...instants),
  };
};

/** Every status of a commit so far, newest first. */
export const statusesOf = (state: State, repo: Repo, sha: string): Status[] =>
  repo.statuses
    .filter((status) => status.sha === sha && status.at <= state.at)
    .sort((a, b) => b.at - a.at || b.id - a.id);

/** The newest status of each context. */
export const latestStatuses = (state: State, repo: Repo, sha: string): Status[] => {
  const latest = new Map<string, Status>();
  for (const status of statusesOf(state, repo, sha))
    if (!latest.has(status.context)) latest.set(status.context, status);
  return [...latest.values()];
};

/** `pending` also when there is no status at all, as the combined-status endpoint has it. */
export const combinedState = (statuses: readonly Status[]): 'failure' | 'pending' | 'success' => {
  if (statuses.some((one) => one.state === 'failure' || one.state === 'error')) return 'failure';
  return statuses.length === 0 || statuses.some((one) => one.state !== 'success') ? 'pending' : 'success';
};

/** The deployments that exist by now, newest first. */
export const deploymentsOf = (state: State, repo: Repo): Deployment[] =>
  repo.deployments
    .filter((deployment) => deployment.createdAt <= state.at)
    .sort((a, b) => b.createdAt - a.createdAt || b.id - a.id);

/** When a deployment first succeeded, if it has. */
const succeededAt = (state: State, deployment: Deployment): number | null =>
  deployment.states.find((one) => one.state === 'success' && one.at <= state.at)?.at ?? null;

/** A deployment's statuses, newest first. A later success in the same environment made this one `inactive`. */
export const deploymentStates = (state: State, repo: Repo, deployment: Deployment): Deployment['states'] => {
  const own = deployment.states.filter((one) => one.at <= state.at);
  const since = succeededAt(state, deployment);
  const successors = repo.deployments
    .filter((one) => one !== deployment && one.environment === deployment.environment)
    .map((one) => succeededAt(state, one))
    .filter((at) => at !== null && since !== null && at > since);
  const superseded = successors.length === 0 ? null : Math.min(...successors.map((at) => at ?? 0));
  const first = own[0];
  if (superseded !== null && first !== undefined) {
    own.push({ id: first.id, nodeId: `${first.nodeId}i`, state: 'inactive', at: superseded });
  }
  return own.sort((a, b) => b.at - a.at || b.id - a.id);
};

/** Everything reachable from a commit, itself included. */
const ancestors = (repo: Repo, sha: string): Set<string> => {
  const seen = new Set<string>();
  const queue = [sha];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const commit = repo.commits.get(next);
    if (commit === undefined || seen.has(next)) continue;
    seen.add(next);
    queue.push(...commit.parents);
  }
  return seen;
};

/** A branch, a full or shortened sha, or `heads/…`; undefined when the repository knows none such. */
export const commitAt = (repo: Repo, ref: string): Commit | undefined => {
  const branch = repo.branches.get(ref.replace(/^(?:refs\/)?heads\//, ''));
  const exact = repo.commits.get(branch ?? ref);
  if (exact !== undefined || !/^[0-9a-f]{7,39}$/.test(ref)) return exact;
  return [...repo.commits.values()].find((commit) => commit.sha.startsWith(ref));
};

/** What `head` has that `base` has not, oldest first; undefined when they share no history. */
export const compareCommits = (repo: Repo, base: Commit, head: Commit) => {
  const ofBase = ancestors(repo, base.sha);
  const ofHead = ancestors(repo, head.sha);
  const byAge = (shas: Iterable<string>): Commit[] =>
    [...shas].flatMap((sha) => repo.commits.get(sha) ?? []).sort((a, b) => a.index - b.index);
  const common = byAge([...ofBase].filter((sha) => ofHead.has(sha))).at(-1);
  if (common === undefined) return undefined;
  const ahead = byAge([...ofHead].filter((sha) => !ofBase.has(sha)));
  const behind = [...ofBase].filter((sha) => !ofHead.has(sha)).length;
  const status =
    ahead.length > 0 && behind > 0 ? 'diverged' : ahead.length > 0 ? 'ahead' : behind > 0 ? 'behind' : 'identical';
  return { status, ahead, behind, common } as const;
};

/** A commit's history, newest first, itself included. */
export const historyOf = (repo: Repo, head: Commit): Commit[] =>
  [...ancestors(repo, head.sha)].flatMap((sha) => repo.commits.get(sha) ?? []).sort((a, b) => b.index - a.index);

/** Open blockers and all of them, and the same the other way round. */
export const dependencies = (state: State, issue: Issue) => {
  const open = (ids: readonly number[]): number => ids.filter((id) => state.issues.get(id)?.state === 'open').length;
  const blocking = [...state.issues.values()].filter((one) => one.blockedBy.includes(issue.id)).map((one) => one.id);
  return {
    blockedBy: open(issue.blockedBy),
    totalBlockedBy: issue.blockedBy.length,
    blocking: open(blocking),
    totalBlocking: blocking.length,
  };
};

/** The issue's sub-issues in order of their making. */
export const subIssuesOf = (state: State, issue: Issue): Issue[] =>
  [...state.issues.values()].filter((one) => one.parent === issue.id && !one.deleted);

/** How much of an issue's sub-issues is done. */
export const subIssuesSummary = (state: State, issue: Issue) => {
  const children = subIssuesOf(state, issue);
  const completed = children.filter((one) => one.state === 'closed').length;
  const percent = children.length === 0 ? 0 : Math.floor((100 * completed) / children.length);
  return { total: children.length, completed, percent };
};

/** What GitHub says of an author: owner, collaborator with a grant, contributor with a commit, or nobody. */
export const associationOf = (repo: Repo, login: string): 'OWNER' | 'COLLABORATOR' | 'CONTRIBUTOR' | 'NONE' => {
  if (repo.name.split('/')[0]?.toLowerCase() === login.toLowerCase()) return 'OWNER';
  if (repo.permissions.has(login.toLowerCase())) return 'COLLABORATOR';
  return [...repo.commits.values()].some((commit) => commit.author === login) ? 'CONTRIBUTOR' : 'NONE';
};

/** What a list of issues is asked for; `labels` are all required, compared without case. */
export type IssueQuery = {
  labels: readonly string[];
  state: 'open' | 'closed' | 'all';
  sort: 'created' | 'updated' | 'comments';
  direction: 'asc' | 'desc';
  pulls: boolean;
  creator?: string;
  since?: number;
};

const carries = (issue: Issue, names: readonly string[]): boolean => {
  const own = new Set(issue.labels.map((label: Label) => label.name.toLowerCase()));
  return names.every((name) => own.has(name.toLowerCase()));
};

/** The issues that are still here and match, in the order asked for. */
export const issuesOf = (repo: Repo, query: IssueQuery): Issue[] => {
  const key = {
    created: (issue: Issue) => issue.createdAt,
    updated: (issue: Issue) => issue.updatedAt,
    comments: (issue: Issue) => issue.comments.length,
  }[query.sort];
  const sign = query.direction === 'asc' ? 1 : -1;
  return [...repo.issues.values()]
    .filter((issue) => !issue.deleted && issue.movedTo === null && (query.pulls || issue.pull === null))
    .filter((issue) => query.state === 'all' || issue.state === query.state)
    .filter((issue) => query.creator === undefined || issue.author.toLowerCase() === query.creator.toLowerCase())
    .filter((issue) => query.since === undefined || issue.updatedAt >= query.since)
    .filter((issue) => carries(issue, query.labels))
    .sort((a, b) => sign * (key(a) - key(b) || a.number - b.number));
};
