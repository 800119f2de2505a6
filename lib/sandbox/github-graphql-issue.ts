import type { PageArgs } from './github-graphql-connection.ts';
import { connectionOf } from './github-graphql-connection.ts';
import type { Graph, Node } from './github-graphql-graph.ts';
import { canSee } from './github-graphql-graph.ts';
import { timelineNodes } from './github-graphql-timeline.ts';
import { isoOf, isoOrNull, nodeIdOf } from './github-ids.ts';
import { commitsOfPull, reviewDecision } from './github-pulls.ts';
import { associationOf, dependencies, subIssuesOf, subIssuesSummary } from './github-reads.ts';
import { issueHtml, repoHtml } from './github-rest-shapes.ts';
import type { Comment, Edit, Issue, Label, Repo } from './github-state.ts';
import { hasRole, repoById } from './github-state.ts';

/**
 * The edits of a text, newest first. Once it was edited at all, its creation is an entry too, the oldest.
 * (GitHub does not say so anywhere; whoever reads this list must survive either answer.)
 */
const editNodes = (
  graph: Graph,
  text: { nodeId: string; author: string; createdAt: number; edits: readonly Edit[] },
): Node[] => {
  if (text.edits.length === 0) return [];
  const creation: Edit = { nodeId: `${text.nodeId}c`, at: text.createdAt, editor: text.author };
  return [creation, ...text.edits].toReversed().map((edit) => ({
    __typename: 'UserContentEdit',
    id: edit.nodeId,
    createdAt: isoOf(edit.at),
    editedAt: isoOf(edit.at),
    updatedAt: isoOf(edit.at),
    deletedAt: null,
    deletedBy: null,
    diff: null,
    editor: () => graph.actor(edit.editor),
  }));
};

const textFields = (
  graph: Graph,
  repo: Repo,
  text: { nodeId: string; author: string; body: string; createdAt: number; updatedAt: number; edits: readonly Edit[] },
) => {
  const last = text.edits.at(-1);
  return {
    body: text.body,
    author: () => graph.actor(text.author),
    authorAssociation: associationOf(repo, text.author),
    createdAt: isoOf(text.createdAt),
    updatedAt: isoOf(text.updatedAt),
    lastEditedAt: isoOrNull(last?.at ?? null),
    editor: () => graph.actor(last?.editor ?? null),
    includesCreatedEdit: last !== undefined,
    viewerDidAuthor: text.author === graph.viewer,
    userContentEdits: (args: PageArgs) =>
      connectionOf('userContentEdits', args, editNodes(graph, text), (node) => node),
    repository: () => graph.repo(repo),
  };
};

/** `Label`. */
export const labelNode = (graph: Graph, repo: Repo, label: Label): Node => ({
  __typename: 'Label',
  id: label.nodeId,
  name: label.name,
  color: label.color,
  description: label.description,
  isDefault: false,
  url: `${repoHtml(repo)}/labels/${encodeURIComponent(label.name)}`,
  repository: () => graph.repo(repo),
});

/** `IssueComment`. */
export const commentNode = (graph: Graph, comment: Comment): Node => {
  const issue = graph.state.issues.get(comment.issueId);
  if (issue === undefined) throw new Error(`a comment without its issue: ${comment.id}`);
  const repo = repoById(graph.state, issue.repoId);
  return {
    __typename: 'IssueComment',
    id: comment.nodeId,
    databaseId: comment.id,
    fullDatabaseId: String(comment.id),
    isMinimized: false,
    minimizedReason: null,
    url: `${issueHtml(repo, issue)}#issuecomment-${comment.id}`,
    issue: () => graph.issue(issue),
    ...textFields(graph, repo, comment),
  };
};

const lockReasons: Readonly<Record<string, string>> = {
  'off-topic': 'OFF_TOPIC',
  resolved: 'RESOLVED',
  spam: 'SPAM',
  'too heated': 'TOO_HEATED',
};

const shared = (graph: Graph, repo: Repo, issue: Issue) => ({
  id: issue.nodeId,
  databaseId: issue.id,
  fullDatabaseId: String(issue.id),
  number: issue.number,
  title: issue.title,
  url: issueHtml(repo, issue),
  locked: issue.locked,
  activeLockReason: lockReasons[issue.lockReason ?? ''] ?? null,
  closed: issue.state === 'closed',
  closedAt: isoOrNull(issue.closedAt),
  labels: (args: PageArgs) => connectionOf('labels', args, issue.labels, (label) => graph.label(repo, label)),
  assignees: (args: PageArgs) => connectionOf('assignees', args, issue.assignees, graph.actor),
  comments: (args: PageArgs) => connectionOf('comments', args, issue.comments, graph.comment),
  timelineItems: (args: PageArgs & { itemTypes?: readonly string[] | null }) => {
    const items = timelineNodes(graph, issue, args.itemTypes ?? null);
    const connection = connectionOf('timelineItems', args, items, (node) => node);
    return { ...connection, filteredCount: items.length, updatedAt: isoOf(issue.updatedAt) };
  },
  ...textFields(graph, repo, issue),
});

const pullNode = (graph: Graph, repo: Repo, issue: Issue, pull: NonNullable<Issue['pull']>): Node => ({
  __typename: 'PullRequest',
  ...shared(graph, repo, issue),
  state: pull.mergedAt !== null ? 'MERGED' : issue.state.toUpperCase(),
  isDraft: pull.draft,
  merged: pull.mergedAt !== null,
  mergedAt: isoOrNull(pull.mergedAt),
  headRefName: pull.head,
  headRefOid: pull.sha,
  baseRefName: pull.base,
  isCrossRepository: pull.fork,
  // Once it is over GitHub does not reckon any more.
  mergeable: issue.state === 'closed' ? 'UNKNOWN' : pull.conflicting ? 'CONFLICTING' : 'MERGEABLE',
  reviewDecision: reviewDecision(repo, pull),
  mergeCommit: () => {
    const commit = pull.mergeSha === null ? undefined : repo.commits.get(pull.mergeSha);
    return commit === undefined ? null : graph.commit(repo, commit);
  },
  commits: (args: PageArgs) =>
    connectionOf('commits', args, commitsOfPull(repo, pull), (commit) => ({
      __typename: 'PullRequestCommit',
      id: nodeIdOf('PRC', `${issue.id}:${commit.sha}`),
      commit: () => graph.commit(repo, commit),
    })),
});

/** `Issue`, or `PullRequest` for what is one. */
export const issueNode = (graph: Graph, issue: Issue): Node => {
  const { state } = graph;
  const repo = repoById(state, issue.repoId);
  if (issue.pull !== null) return pullNode(graph, repo, issue, issue.pull);
  const seen = (issues: readonly Issue[]): Issue[] =>
    issues.filter((one) => canSee(graph, repoById(state, one.repoId)));
  const linked = (ids: readonly number[]): Issue[] => seen(ids.flatMap((id) => state.issues.get(id) ?? []));
  const parent = issue.parent === null ? undefined : linked([issue.parent])[0];
  return {
    __typename: 'Issue',
    ...shared(graph, repo, issue),
    state: issue.state.toUpperCase(),
    stateReason: issue.stateReason?.toUpperCase() ?? null,
    issueDependenciesSummary: () => dependencies(state, issue),
    // A blocker the viewer cannot see is counted above and missing here; a closed one is in both.
    blockedBy: (args: PageArgs) => connectionOf('blockedBy', args, linked(issue.blockedBy), graph.issue),
    blocking: (args: PageArgs) => {
      const blocked = [...state.issues.values()].filter((one) => one.blockedBy.includes(issue.id));
      return connectionOf('blocking', args, seen(blocked), graph.issue);
    },
    parent: () => (parent === undefined ? null : graph.issue(parent)),
    subIssuesSummary: () => {
      const { total, completed, percent } = subIssuesSummary(state, issue);
      return { total, completed, percentCompleted: percent };
    },
    subIssues: (args: PageArgs) => connectionOf('subIssues', args, seen(subIssuesOf(state, issue)), graph.issue),
    closedByPullRequestsReferences: (args: PageArgs & { includeClosedPrs?: boolean | null }) => {
      const pulls = [...repo.issues.values()]
        .filter((one) => one.pull?.closes.includes(issue.number))
        .filter((one) => args.includeClosedPrs === true || one.state === 'open');
      return connectionOf('closedByPullRequestsReferences', args, pulls, graph.issue);
    },
    viewerCanUpdate: issue.author === graph.viewer || hasRole(repo, graph.viewer, 'write'),
    viewerCanClose: issue.author === graph.viewer || hasRole(repo, graph.viewer, 'triage'),
    viewerCanLabel: hasRole(repo, graph.viewer, 'triage'),
  };
};
