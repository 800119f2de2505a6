import type { ListedIssue, Permission, RepoName, RepoRef } from '../core/issue.ts';
import type { Tracker } from '../ports.ts';
import { blockerStates } from './github-blockers.ts';
import { type GithubClient, lastPage, read } from './github-client.ts';
import { issueDetail } from './github-detail.ts';
import { takeLabelOff } from './github-label.ts';
import { ensureMirror } from './github-mirror.ts';
import { preflight } from './github-preflight.ts';
import { type GithubAnswer, refusalOf } from './github-refusal.ts';
import { scanRepos } from './github-scan.ts';
import { watchIssue } from './github-watch.ts';
import { glanceAt, type WatchMemory } from './github-watched.ts';
import { IssueRow, PermissionRow, Repository, Rows } from './github-wire.ts';

/**
 * Issues on GitHub. Whatever is known by id is asked by id, `/repositories/{id}/…` as GitHub's own links have it: a
 * name may be out of date, or by now another repo's.
 */
export const githubTracker = ({ client, watched }: { client: GithubClient; watched: WatchMemory }): Tracker => ({
  meter: client.meter,
  resolve: (name) => resolve(client, name),
  scan: (repos, label, state = 'open') => scanRepos(client, repos, label, state),
  listReady: (repo, readyLabel) => listReady(client, repo, readyLabel),
  detail: (issue, readyLabel) => issueDetail(client, issue, readyLabel),
  permission: (repo, login) => permission(client, repo, login),
  blockerStates: (refs) => blockerStates(client, refs),
  glance: (issues) => glanceAt(client, watched, issues),
  watch: (issue) => watchIssue(client, watched, issue),
  ensureMirror: (issue, mirror, commentId) => ensureMirror(client, issue, mirror, commentId),
  listLabelled: (repo, label) => listLabelled(client, repo, label),
  removeLabel: (issue, label) => takeLabelOff(client, issue, label),
  preflight: (repo, branch, labels, rules) =>
    preflight(client, repo, branch, labels, { noCi: 'escalate', landing: 'push', ...rules }),
});

const pageSize = 100;
const pagesMax = 10;

const resolve = async (client: GithubClient, name: RepoName): ReturnType<Tracker['resolve']> => {
  const [owner, repo, ...rest] = name.split('/');
  if (!owner || !repo || rest.length > 0) return null;
  const answer = await byName(client, owner, repo);
  if (answer.status === 404) return null;
  const { id, node_id, full_name, html_url, ...found } = read(Repository, answer.data, 'GET /repos/{owner}/{repo}');
  return {
    // By its own page, since the API has a host of its own.
    repo: { host: new URL(html_url).host, id, nodeId: node_id, name: full_name },
    defaultBranch: found.default_branch ?? null,
    archived: found.archived === true || found.disabled === true,
    issuesEnabled: found.has_issues !== false,
  };
};

// A former name leads to the repo's number. Only the number is taken from there: the token goes nowhere else.
const byName = async (client: GithubClient, owner: string, repo: string): Promise<GithubAnswer> => {
  const route = 'GET /repos/{owner}/{repo}';
  const answer = await client.ask(route, { owner, repo }, [200, 301, 307, 404]);
  if (answer.status === 200 || answer.status === 404) return answer;
  const [, id] = /\/repositories\/(\d+)\/?$/.exec(answer.headers['location'] ?? '') ?? [];
  if (id === undefined) throw refusalOf(route, answer, 0);
  return client.ask('GET /repositories/{repo_id}', { repo_id: id }, [200, 404]);
};

/** One page of issues with the label. A row that does not parse is left out, which `unread` tells, and one without the label. */
const labelledPage = async (
  client: GithubClient,
  repo: RepoRef,
  label: string,
  state: 'open' | 'all',
  page: number,
): Promise<{ rows: readonly ListedIssue[]; last: number; unread: boolean }> => {
  const route = 'GET /repositories/{repo_id}/issues';
  const asked = { labels: label, state, sort: 'created', direction: 'asc', per_page: pageSize, page };
  const answer = await client.ask(route, { repo_id: repo.id, ...asked }, [200]);
  const parsed = read(Rows, answer.data, route).map((row) => IssueRow.safeParse(row).data);
  const rows = parsed.flatMap((issue) => {
    if (!issue?.labels.some((name) => name.toLowerCase() === label.toLowerCase())) return [];
    const subIssues = issue.sub_issues_summary;
    return {
      nodeId: issue.node_id,
      number: issue.number,
      title: issue.title,
      body: issue.body ?? '',
      labels: issue.labels,
      updatedAt: issue.updated_at,
      isPullRequest: issue.pull_request !== undefined && issue.pull_request !== null,
      locked: issue.locked === true,
      openBlockers: issue.issue_dependencies_summary?.blocked_by ?? null,
      openSubIssues: subIssues ? Math.max(0, subIssues.total - subIssues.completed) : 0,
    };
  });
  return { rows, last: lastPage(answer.headers), unread: parsed.includes(undefined) };
};

const listReady = async (client: GithubClient, repo: RepoRef, readyLabel: string): Promise<readonly ListedIssue[]> =>
  (await labelledPage(client, repo, readyLabel, 'open', 1)).rows;

const listLabelled = async (
  client: GithubClient,
  repo: RepoRef,
  label: string,
): ReturnType<Tracker['listLabelled']> => {
  const found: ListedIssue[] = [];
  let whole = true;
  for (let page = 1, last = 1; page <= Math.min(last, pagesMax); page += 1) {
    const answer = await labelledPage(client, repo, label, 'all', page);
    found.push(...answer.rows);
    last = Math.max(last, answer.last);
    // Between two pages a label that comes off moves the rows behind it up, and one of them is on neither.
    whole &&= !answer.unread && last === 1;
  }
  const issues = found.flatMap(({ isPullRequest, number, nodeId }) =>
    isPullRequest ? [] : [{ repo, number, nodeId }],
  );
  return { issues, whole };
};

const permission = async (client: GithubClient, repo: RepoRef, login: string): Promise<Permission> => {
  const route = 'GET /repositories/{repo_id}/collaborators/{username}/permission';
  const answer = await client.ask(route, { repo_id: repo.id, username: login }, [200, 404]);
  if (answer.status === 404) return { level: 'notFound', role: '' };
  const row = read(PermissionRow, answer.data, route);
  return { level: levelOf(row.permission), role: row.role_name ?? '' };
};

// GitHub folds maintain and triage itself; other servers of its kind do not. A word nobody knows gives no right.
const levelOf = (word: string): Permission['level'] => {
  switch (word) {
    case 'admin':
    case 'write':
    case 'read':
      return word;
    case 'maintain':
      return 'write';
    case 'triage':
      return 'read';
    default:
      return 'none';
  }
};
