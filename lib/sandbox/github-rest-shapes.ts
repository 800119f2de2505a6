import { isoOf, isoOrNull } from './github-ids.ts';
import { associationOf, dependencies, subIssuesSummary } from './github-reads.ts';
import type { Face } from './github-rest-accounts.ts';
import { actorShape, appShape, userShape } from './github-rest-accounts.ts';
import type { Comment, Issue, Label, Repo, Role } from './github-state.ts';
import { accountOf, repoById, roleOf } from './github-state.ts';

const html = 'https://github.com';

const templates: Readonly<Record<string, string>> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

/** The address of a repository in the API. */
export const repoUrl = (face: Face, repo: Repo): string => `${face.base}/repos/${repo.name}`;

/** The address of a repository for people. */
export const repoHtml = (repo: Repo): string => `${html}/${repo.name}`;

/** `minimal-repository`. */
export const smallRepoShape = (face: Face, repo: Repo) => {
  const [owner = '', name = ''] = repo.name.split('/');
  const url = repoUrl(face, repo);
  return {
    id: repo.id,
    node_id: repo.nodeId,
    name,
    full_name: repo.name,
    owner: userShape(face, accountOf(face.state, owner)),
    private: repo.private,
    html_url: repoHtml(repo),
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(templates).map(([key, path]) => [key, `${url}${path}`])),
  };
};

const ranks: readonly Role[] = ['read', 'triage', 'write', 'maintain', 'admin'];

/** The five booleans GitHub makes of a role. */
export const grants = (role: Role | 'none') => {
  const rank = role === 'none' ? -1 : ranks.indexOf(role);
  return { admin: rank >= 4, maintain: rank >= 3, push: rank >= 2, triage: rank >= 1, pull: rank >= 0 };
};

/** `full-repository`. */
export const repoShape = (face: Face, repo: Repo) => {
  const open = [...repo.issues.values()].filter((issue) => issue.state === 'open' && !issue.deleted).length;
  return {
    ...smallRepoShape(face, repo),
    clone_url: `${repoHtml(repo)}.git`,
    git_url: `git://github.com/${repo.name}.git`,
    ssh_url: `git@github.com:${repo.name}.git`,
    svn_url: repoHtml(repo),
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    default_branch: repo.defaultBranch,
    visibility: repo.private ? 'private' : 'public',
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    subscribers_count: 0,
    network_count: 0,
    size: 1,
    open_issues: open,
    open_issues_count: open,
    has_issues: repo.issuesEnabled,
    has_pull_requests: repo.pullsEnabled,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    archived: repo.archived,
    disabled: repo.disabled,
    pushed_at: isoOf(repo.activity.at(-1)?.at ?? repo.createdAt),
    created_at: isoOf(repo.createdAt),
    updated_at: isoOf(repo.createdAt),
    // Of an App GitHub never says that it may push, whatever its token may do.
    permissions: grants(repo.acting?.login === face.viewer ? 'read' : roleOf(repo, face.viewer)),
  };
};

/** `label`. */
export const labelShape = (face: Face, repo: Repo, label: Label) => ({
  id: label.id,
  node_id: label.nodeId,
  url: `${repoUrl(face, repo)}/labels/${encodeURIComponent(label.name)}`,
  name: label.name,
  description: label.description,
  color: label.color,
  default: false,
});

const noReactions = (url: string) => ({
  url: `${url}/reactions`,
  total_count: 0,
  '+1': 0,
  '-1': 0,
  laugh: 0,
  hooray: 0,
  confused: 0,
  heart: 0,
  rocket: 0,
  eyes: 0,
});

/** Where an issue or a pull request is shown to people. */
export const issueHtml = (repo: Repo, issue: Issue): string =>
  `${repoHtml(repo)}/${issue.pull === null ? 'issues' : 'pull'}/${issue.number}`;

/** `issue`, also for pull requests, which carry `pull_request`. `closed_by` only where one issue is asked for. */
export const issueShape = (face: Face, issue: Issue) => {
  const { state } = face;
  const repo = repoById(state, issue.repoId);
  const url = `${repoUrl(face, repo)}/issues/${issue.number}`;
  const page = issueHtml(repo, issue);
  const blockers = dependencies(state, issue);
  const parts = subIssuesSummary(state, issue);
  const parent = issue.parent === null ? undefined : state.issues.get(issue.parent);
  const assignees = issue.assignees.map((login) => userShape(face, accountOf(state, login)));
  const pullUrl = `${repoUrl(face, repo)}/pulls/${issue.number}`;
  return {
    url,
    repository_url: repoUrl(face, repo),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: page,
    id: issue.id,
    node_id: issue.nodeId,
    number: issue.number,
    title: issue.title,
    user: actorShape(face, issue.author),
    labels: issue.labels.map((label) => labelShape(face, repo, label)),
    state: issue.state,
    state_reason: issue.stateReason,
    locked: issue.locked,
    active_lock_reason: issue.lockReason,
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    comments: issue.comments.length,
    created_at: isoOf(issue.createdAt),
    updated_at: isoOf(issue.updatedAt),
    closed_at: isoOrNull(issue.closedAt),
    author_association: associationOf(repo, issue.author),
    body: issue.body === '' ? null : issue.body,
    reactions: noReactions(url),
    performed_via_github_app: appShape(face, accountOf(state, issue.author).app),
    sub_issues_summary: { total: parts.total, completed: parts.completed, percent_completed: parts.percent },
    issue_dependencies_summary: {
      blocked_by: blockers.blockedBy,
      total_blocked_by: blockers.totalBlockedBy,
      blocking: blockers.blocking,
      total_blocking: blockers.totalBlocking,
    },
    ...(parent && { parent_issue_url: `${repoUrl(face, repoById(state, parent.repoId))}/issues/${parent.number}` }),
    ...(issue.pull && {
      draft: issue.pull.draft,
      pull_request: {
        url: pullUrl,
        html_url: page,
        diff_url: `${page}.diff`,
        patch_url: `${page}.patch`,
        merged_at: isoOrNull(issue.pull.mergedAt),
      },
    }),
  };
};

/** `issue-comment`. */
export const commentShape = (face: Face, issue: Issue, comment: Comment) => {
  const repo = repoById(face.state, issue.repoId);
  const url = `${repoUrl(face, repo)}/issues/comments/${comment.id}`;
  return {
    id: comment.id,
    node_id: comment.nodeId,
    url,
    html_url: `${issueHtml(repo, issue)}#issuecomment-${comment.id}`,
    issue_url: `${repoUrl(face, repo)}/issues/${issue.number}`,
    user: actorShape(face, comment.author),
    created_at: isoOf(comment.createdAt),
    updated_at: isoOf(comment.updatedAt),
    author_association: associationOf(repo, comment.author),
    body: comment.body,
    reactions: noReactions(url),
    performed_via_github_app: appShape(face, accountOf(face.state, comment.author).app),
  };
};
