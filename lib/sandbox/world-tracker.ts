import { preflight } from '../adapters/github-preflight.ts';
import type { IssueRef, ListedIssue, Permission, RepoRef, RepoScan } from '../core/issue.ts';
import type { Tracker, WatchedIssue } from '../ports.ts';
import { isoOf } from './github-ids.ts';
import { issuesOf } from './github-reads.ts';
import { issuesOff } from './github-refusal.ts';
import type { Issue, Repo } from './github-state.ts';
import { findRepo, roleOf } from './github-state.ts';
import { worldClient, worldMeter } from './world-client.ts';
import { issueDetail } from './world-detail.ts';
import { ensureMirror, takeLabelOff } from './world-mirror.ts';
import { branchOf, newestEvents, openBlockers, openSubIssues, secondOf } from './world-reads.ts';
import { refuseStray, type WorldViewer } from './world-viewer.ts';

/**
 * The tracker over a GitHub world's own state: what `githubTracker` answers over HTTP to the same account, without the
 * requests and without their budgets. Everything is read when it is asked for; nothing is kept.
 */
export const worldTracker = (viewer: WorldViewer): Tracker => ({
  meter: worldMeter,

  resolve: async (name) => {
    const [owner, repo, ...rest] = name.split('/');
    if (!owner || !repo || rest.length > 0) return null;
    refuseStray('GET /repos/{owner}/{repo}', owner, repo);
    viewer.enter('GET /repos/{owner}/{repo}');
    const found = findRepo(viewer.state, name);
    if (found === undefined || !viewer.maySee(found)) return null;
    return {
      repo: { host: 'github.com', id: String(found.id), nodeId: found.nodeId, name: found.name },
      defaultBranch: found.defaultBranch,
      archived: found.archived || found.disabled,
      issuesEnabled: found.issuesEnabled,
    };
  },

  scan: async (repos, label, state = 'open') => {
    if (repos.length === 0) return [];
    viewer.enter('query Scan');
    return repos.flatMap((ref) => {
      const repo = viewer.repoOfNode(ref.nodeId);
      return repo === null ? [] : [scanOf(repo, label, state)];
    });
  },

  listReady: async (repo, readyLabel) =>
    listedWith(viewer, repo, readyLabel, 'open', 1).rows.map((issue) => rowOf(viewer, issue)),

  listLabelled: async (repo, label) => {
    const { rows, isOnePage } = listedWith(viewer, repo, label, 'all', pagesMax);
    const issues = rows.flatMap(({ pull, number, nodeId }) => (pull === null ? [{ repo, number, nodeId }] : []));
    return { issues, whole: isOnePage };
  },

  detail: async (issue, readyLabel) => {
    viewer.enter('query Detail');
    return issueDetail(viewer, issue, readyLabel);
  },

  permission: async (repo, login) => {
    const route = 'GET /repositories/{repo_id}/collaborators/{username}/permission';
    refuseStray(route, login);
    viewer.enter(route);
    return permissionOf(viewer, repo, login);
  },

  blockerStates: async (refs) => {
    if (refs.some((ref) => blockerName.test(ref))) viewer.enter('query Blockers');
    return new Map(refs.map((ref) => [ref, blockerState(viewer, ref)]));
  },

  // All that is read here is read where it is.
  glance: async () => undefined,
  watch: async (issue) => {
    viewer.enter('query Watch');
    return watched(viewer, issue);
  },

  ensureMirror: async (issue, mirror, commentId) => {
    viewer.enter('query Mirror');
    return ensureMirror(viewer, issue, mirror, commentId);
  },

  removeLabel: async (issue, label) => {
    viewer.enter('DELETE /repositories/{repo_id}/issues/{issue_number}/labels/{name}');
    takeLabelOff(viewer, issue, label);
  },

  // Asked once in a while, and made of words above all: the adapter's own, over the REST operations as they are.
  preflight: async (repo, branch, labels, rules) => {
    viewer.enter('GET /repositories/{repo_id}');
    return preflight(worldClient(viewer), repo, branch, labels, { noCi: 'escalate', landing: 'push', ...rules });
  },
});

const pageSize = 100;
const pagesMax = 10;

const scanOf = (repo: Repo, label: string, state: 'open' | 'all'): RepoScan => ({
  id: String(repo.id),
  nodeId: repo.nodeId,
  name: repo.name,
  archived: repo.archived || repo.disabled,
  issuesEnabled: repo.issuesEnabled,
  defaultBranch: branchOf(repo),
  readyCount: repo.issuesEnabled ? issuesOf(repo, { ...oldestFirst, state, labels: [label], pulls: false }).length : 0,
});

const oldestFirst = { sort: 'created', direction: 'asc' } as const;

const listedWith = (
  viewer: WorldViewer,
  ref: RepoRef,
  label: string,
  state: 'open' | 'all',
  pages: number,
): { rows: readonly Issue[]; isOnePage: boolean } => {
  const route = 'GET /repositories/{repo_id}/issues';
  viewer.enter(route);
  return viewer.asking(route, () => {
    const repo = viewer.repoAt(ref);
    if (!repo.issuesEnabled) throw issuesOff();
    // REST takes a name with a comma for two labels, so the rows are looked at again.
    const labels = label.split(',').filter((name) => name !== '');
    const listed = issuesOf(repo, { ...oldestFirst, state, labels, pulls: true });
    const rows = listed
      .slice(0, pages * pageSize)
      .filter((issue) => issue.labels.some(({ name }) => name.toLowerCase() === label.toLowerCase()));
    return { rows, isOnePage: listed.length <= pageSize };
  });
};

const rowOf = ({ state }: WorldViewer, issue: Issue): ListedIssue => ({
  nodeId: issue.nodeId,
  number: issue.number,
  title: issue.title,
  body: issue.body,
  labels: issue.labels.map((label) => label.name),
  updatedAt: isoOf(issue.updatedAt),
  isPullRequest: issue.pull !== null,
  locked: issue.locked,
  openBlockers: openBlockers(state, issue),
  openSubIssues: openSubIssues(state, issue),
});

const permissionOf = ({ state, maySee }: WorldViewer, { id }: RepoRef, login: string): Permission => {
  const repo = state.repos.get(Number(id));
  const account = state.accounts.get(login.toLowerCase());
  if (repo === undefined || !maySee(repo)) return nobody;
  if (account === undefined || account.deleted || account.notAUser || account.type === 'Organization') return nobody;
  const isGranted = account.type === 'User' || repo.permissions.has(login.toLowerCase());
  const role = isGranted ? roleOf(repo, account.login) : 'none';
  return { level: levels[role], role };
};

const nobody: Permission = { level: 'notFound', role: '' };

const levels = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'read',
  read: 'read',
  none: 'none',
} as const satisfies Record<string, Permission['level']>;

const blockerName = /^([^/#\s]+\/[^/#\s]+)#(\d{1,9})$/;

const blockerState = ({ state, maySee }: WorldViewer, ref: string): 'open' | 'closed' | 'unreadable' => {
  const [, name, number] = blockerName.exec(ref) ?? [];
  const repo = name === undefined ? undefined : findRepo(state, name);
  const issue = repo !== undefined && maySee(repo) ? repo.issues.get(Number(number)) : undefined;
  if (issue === undefined || issue.deleted || issue.movedTo !== null) return 'unreadable';
  return issue.pull !== null && issue.pull.mergedAt !== null ? 'closed' : issue.state;
};

const actsMax = 50;

const watched = (viewer: WorldViewer, ref: IssueRef): WatchedIssue | null => {
  const found = viewer.issueOfNode(ref.nodeId);
  if (found === null || found.issue.pull !== null || String(found.repo.id) !== ref.repo.id) return null;
  const { issue, repo } = found;
  const branch = branchOf(repo);
  const isOpen = issue.state === 'open';
  const acts = newestEvents(issue, ['labeled', 'unlabeled'], actsMax).list;
  return {
    head: branch && { name: branch.name, sha: branch.head },
    repoName: repo.name,
    open: isOpen,
    labels: issue.labels.slice(0, pageSize).map((label) => label.name),
    closed: isOpen ? null : closingOf(viewer, issue),
    // A label goes by the name it has now, whatever it was called at the time. The newest act on each stays.
    labelActs: new Map(
      acts.map((act) => [
        act.label.name.toLowerCase(),
        { kind: act.kind, actor: viewer.actor(act.actor), at: secondOf(act.at) },
      ]),
    ),
  };
};

const closingOf = ({ state, maySee, actor }: WorldViewer, issue: Issue): WatchedIssue['closed'] => {
  const [closing] = newestEvents(issue, ['closed'], 1).list;
  if (closing === undefined) return { actor: null, commit: null };
  const pull = closing.pull === null ? undefined : state.issues.get(closing.pull);
  const by = closing.commit ?? (pull?.pull?.mergeSha ? { repoId: pull.repoId, sha: pull.pull.mergeSha } : null);
  const repo = by === null ? undefined : state.repos.get(by.repoId);
  const commit = repo !== undefined && maySee(repo) ? repo.commits.get(by?.sha ?? '') : undefined;
  return { actor: actor(closing.actor), commit: commit ? { sha: commit.sha, message: commit.message } : null };
};
