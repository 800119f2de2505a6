import { assertNever } from '../core/assert.ts';
import type { Graph, Node } from './github-graphql-graph.ts';
import { canSee } from './github-graphql-graph.ts';
import { isoOf } from './github-ids.ts';
import { forbidden } from './github-refusal.ts';
import { issueHtml } from './github-rest-shapes.ts';
import type { Issue, IssueEvent, Repo } from './github-state.ts';
import { repoById } from './github-state.ts';

const itemTypes = {
  labeled: 'LABELED_EVENT',
  unlabeled: 'UNLABELED_EVENT',
  renamed: 'RENAMED_TITLE_EVENT',
  closed: 'CLOSED_EVENT',
  reopened: 'REOPENED_EVENT',
  locked: 'LOCKED_EVENT',
  unlocked: 'UNLOCKED_EVENT',
  transferred: 'TRANSFERRED_EVENT',
  referenced: 'REFERENCED_EVENT',
  'cross-referenced': 'CROSS_REFERENCED_EVENT',
  comment_deleted: 'COMMENT_DELETED_EVENT',
} as const;

/** GitHub shows that there is something, and refuses to say what. */
const withSso = (repo: Repo): Repo => {
  if (repo.behindSso)
    throw forbidden(
      'Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.',
    );
  return repo;
};

const commitNode = (graph: Graph, at: { repoId: number; sha: string }): Node | null => {
  const repo = repoById(graph.state, at.repoId);
  const commit = repo.commits.get(at.sha);
  return commit === undefined || !canSee(graph, repo) ? null : graph.commit(repo, commit);
};

/** What closed an issue, when a commit or a pull request did. */
const closer = (graph: Graph, event: Extract<IssueEvent, { kind: 'closed' }>): Node | null => {
  if (event.commit !== null) return commitNode(graph, event.commit);
  const pull = event.pull === null ? undefined : graph.state.issues.get(event.pull);
  return pull === undefined ? null : graph.issue(pull);
};

/** One event under the SDL's names. The label is the label as it is now, whatever it was called at the time. */
const eventNode = (graph: Graph, issue: Issue, event: IssueEvent): Node => {
  const repo = repoById(graph.state, issue.repoId);
  const shared = { id: event.nodeId, createdAt: isoOf(event.at), actor: () => graph.actor(event.actor) };
  const subject = () => graph.issue(issue);
  const url = `${issueHtml(repo, issue)}#event-${event.id}`;
  switch (event.kind) {
    case 'labeled':
      return { __typename: 'LabeledEvent', ...shared, label: () => graph.label(repo, event.label), labelable: subject };
    case 'unlabeled':
      return {
        __typename: 'UnlabeledEvent',
        ...shared,
        label: () => graph.label(repo, event.label),
        labelable: subject,
      };
    case 'renamed':
      return { __typename: 'RenamedTitleEvent', ...shared, previousTitle: event.from, currentTitle: event.to, subject };
    case 'closed':
      return {
        __typename: 'ClosedEvent',
        ...shared,
        stateReason: event.reason.toUpperCase(),
        closable: subject,
        closer: () => closer(graph, event),
        url,
      };
    case 'reopened':
      return { __typename: 'ReopenedEvent', ...shared, stateReason: 'REOPENED', closable: subject };
    case 'locked':
      return { __typename: 'LockedEvent', ...shared, lockable: subject };
    case 'unlocked':
      return { __typename: 'UnlockedEvent', ...shared, lockable: subject };
    case 'transferred': {
      const from = graph.state.repos.get(event.fromRepoId);
      const seen = from !== undefined && canSee(graph, from);
      return {
        __typename: 'TransferredEvent',
        ...shared,
        issue: subject,
        fromRepository: () => (seen ? graph.repo(from) : null),
      };
    }
    case 'referenced':
      return {
        __typename: 'ReferencedEvent',
        ...shared,
        commit: () => withSso(repoById(graph.state, event.commit.repoId)) && commitNode(graph, event.commit),
        commitRepository: () => graph.repo(repoById(graph.state, event.commit.repoId)),
        isCrossRepository: event.commit.repoId !== issue.repoId,
        isDirectReference: true,
        subject,
      };
    case 'cross-referenced': {
      const source = graph.state.issues.get(event.sourceId);
      return {
        __typename: 'CrossReferencedEvent',
        ...shared,
        referencedAt: isoOf(event.at),
        isCrossRepository: source?.repoId !== issue.repoId,
        willCloseTarget: event.closes,
        source: () => source && withSso(repoById(graph.state, source.repoId)) && graph.issue(source),
        target: subject,
        url,
      };
    }
    case 'comment_deleted':
      return { __typename: 'CommentDeletedEvent', ...shared, databaseId: event.id, deletedCommentAuthor: null };
    default:
      return assertNever(event);
  }
};

/** A reference from where the viewer may not look is not shown at all. */
const isSeen = (graph: Graph, event: IssueEvent): boolean => {
  if (event.kind !== 'cross-referenced') return true;
  const source = graph.state.issues.get(event.sourceId);
  return source !== undefined && canSee(graph, repoById(graph.state, source.repoId));
};

/** An issue's history, oldest first: events and comments of the types asked for, or of all. */
export const timelineNodes = (graph: Graph, issue: Issue, types: readonly string[] | null): Node[] => {
  const wanted = (type: string): boolean => types === null || types.includes(type);
  const events = issue.events
    .filter((event) => wanted(itemTypes[event.kind]) && isSeen(graph, event))
    .map((event) => ({ at: event.at, node: eventNode(graph, issue, event) }));
  const comments = wanted('ISSUE_COMMENT') ? issue.comments : [];
  return [...events, ...comments.map((comment) => ({ at: comment.createdAt, node: graph.comment(comment) }))]
    .sort((a, b) => a.at - b.at)
    .map(({ node }) => node);
};
