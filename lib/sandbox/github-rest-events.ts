import { assertNever } from '../core/assert.ts';
import { isoOf } from './github-ids.ts';
import type { Face } from './github-rest-accounts.ts';
import { actorShape, appShape } from './github-rest-accounts.ts';
import { commentShape, issueShape, repoUrl } from './github-rest-shapes.ts';
import type { Issue, IssueEvent } from './github-state.ts';
import { repoById } from './github-state.ts';

const common = (face: Face, issue: Issue, event: IssueEvent) => ({
  id: event.id,
  node_id: event.nodeId,
  url: `${repoUrl(face, repoById(face.state, issue.repoId))}/issues/events/${event.id}`,
  actor: actorShape(face, event.actor),
  event: event.kind,
  commit_id: null,
  commit_url: null,
  created_at: isoOf(event.at),
  performed_via_github_app: appShape(face, event.app),
});

const commitOf = (face: Face, commit: { repoId: number; sha: string } | null) =>
  commit === null
    ? {}
    : {
        commit_id: commit.sha,
        commit_url: `${repoUrl(face, repoById(face.state, commit.repoId))}/commits/${commit.sha}`,
      };

/** One event as REST has it: a label by the name and colour it had at the time. Null for what only the timeline shows. */
const eventShape = (face: Face, issue: Issue, event: IssueEvent): object | null => {
  const shared = common(face, issue, event);
  switch (event.kind) {
    case 'labeled': {
      const intent = event.intent && {
        rationale: event.intent.rationale,
        confidence: event.intent.confidence?.toUpperCase() ?? null,
      };
      return { ...shared, label: { name: event.name, color: event.color }, ...(intent && { intent }) };
    }
    case 'unlabeled':
      return { ...shared, label: { name: event.name, color: event.color } };
    case 'renamed':
      return { ...shared, rename: { from: event.from, to: event.to } };
    case 'closed':
      return {
        ...shared,
        ...commitOf(face, event.commit),
        state_reason: event.reason === 'completed' ? null : event.reason,
      };
    case 'reopened':
      return { ...shared, state_reason: null };
    case 'locked':
      return { ...shared, lock_reason: event.reason };
    case 'unlocked':
      return { ...shared, lock_reason: null };
    case 'referenced':
      return { ...shared, ...commitOf(face, event.commit) };
    case 'transferred':
    case 'comment_deleted':
      return shared;
    case 'cross-referenced':
      return null;
    default:
      return assertNever(event);
  }
};

/** `GET …/events`: oldest first, without comments and cross-references, and with no `opened`. */
export const eventShapes = (face: Face, issue: Issue): object[] =>
  issue.events.flatMap((event) => eventShape(face, issue, event) ?? []);

const crossReference = (face: Face, event: IssueEvent): object => {
  const source = event.kind === 'cross-referenced' ? face.state.issues.get(event.sourceId) : undefined;
  return {
    event: 'cross-referenced',
    actor: actorShape(face, event.actor),
    created_at: isoOf(event.at),
    updated_at: isoOf(event.at),
    source: { type: 'issue', ...(source && { issue: issueShape(face, source) }) },
  };
};

/** `GET …/timeline`: the events, the cross-references and the comments, oldest first. */
export const timelineShapes = (face: Face, issue: Issue): object[] => {
  const events = issue.events.map((event) => ({
    at: event.at,
    shape: eventShape(face, issue, event) ?? crossReference(face, event),
  }));
  const comments = issue.comments.map((comment) => ({
    at: comment.createdAt,
    shape: { ...commentShape(face, issue, comment), event: 'commented', actor: actorShape(face, comment.author) },
  }));
  return [...events, ...comments].sort((a, b) => a.at - b.at).map(({ shape }) => shape);
};
