import { labelNamed } from './github-people.ts';
import { issuesOf } from './github-reads.ts';
import { gone, invalid, issuesOff, notFound } from './github-refusal.ts';
import { actorShape } from './github-rest-accounts.ts';
import type { Answer, Call, Route } from './github-rest-call.ts';
import { namesIn, pageOf, textIn } from './github-rest-call.ts';
import { eventShapes, timelineShapes } from './github-rest-events.ts';
import { commentShape, issueShape, labelShape } from './github-rest-shapes.ts';
import type { Comment, Issue } from './github-state.ts';
import { hasRole, repoById } from './github-state.ts';
import { githubWrites } from './github-writes.ts';

/** Where a moved issue is now: GET is sent there for good, a write for this once. */
export class GithubMoved extends Error {
  readonly location: string;

  constructor(location: string) {
    super('Moved Permanently');
    this.name = 'GithubMoved';
    this.location = location;
  }
}

const issueIn = (call: Call): Issue => {
  const number = call.path[0] ?? '';
  const issue = /^\d+$/.test(number) ? call.repo.issues.get(Number(number)) : undefined;
  if (issue === undefined) throw notFound();
  if (!call.repo.issuesEnabled && issue.pull === null) throw issuesOff();
  if (issue.deleted) throw gone();
  const moved = issue.movedTo === null ? undefined : call.face.state.issues.get(issue.movedTo);
  if (moved === undefined) return issue;
  if (!hasRole(repoById(call.face.state, moved.repoId), call.face.viewer, 'read')) throw notFound();
  throw new GithubMoved(`${call.face.base}/repositories/${moved.repoId}/issues/${moved.number}`);
};

const writes = (call: Call) => githubWrites(call.world, call.face.viewer);

const oneOf = <T extends string>(value: string | null, words: readonly T[], otherwise: T): T =>
  words.find((word) => word === value) ?? otherwise;

const list = (call: Call): Answer => {
  const { query, face, repo } = call;
  if (!repo.issuesEnabled) throw issuesOff();
  const labels = (query.get('labels') ?? '').split(',').filter((name) => name !== '');
  const since = query.get('since');
  const creator = query.get('creator');
  const { items, links } = pageOf(
    query,
    issuesOf(repo, {
      labels,
      state: oneOf(query.get('state'), ['open', 'closed', 'all'], 'open'),
      sort: oneOf(query.get('sort'), ['created', 'updated', 'comments'], 'created'),
      direction: oneOf(query.get('direction'), ['asc', 'desc'], 'desc'),
      pulls: true,
      ...(since !== null && { since: Date.parse(since) }),
      ...(creator !== null && { creator }),
    }),
  );
  return { status: 200, body: items.map((issue) => issueShape(face, issue)), links };
};

const oneIssue = (call: Call, issue: Issue): Answer => ({
  status: 200,
  body: { ...issueShape(call.face, issue), closed_by: actorShape(call.face, issue.closedBy) },
});

const patch = (call: Call): Answer => {
  const issue = issueIn(call);
  writes(call).assertMayEdit(issue);
  const title = textIn(call, 'title', 'Issue');
  const body = textIn(call, 'body', 'Issue');
  const state = textIn(call, 'state', 'Issue');
  const labels = namesIn(call, 'labels', 'Issue');
  if (state !== undefined && state !== 'open' && state !== 'closed') throw invalid('Issue', 'state', 'invalid');
  if (title !== undefined || body !== undefined) {
    writes(call).editText(issue, { ...(title !== undefined && { title }), ...(body !== undefined && { body }) });
  }
  const reason = oneOf(
    textIn(call, 'state_reason', 'Issue') ?? null,
    ['completed', 'not_planned', 'duplicate'],
    'completed',
  );
  if (state !== undefined) writes(call).setState(issue, state, reason);
  if (labels !== undefined) writes(call).replaceLabels(issue, labels);
  return oneIssue(call, issue);
};

const labelsOn = (call: Call, issue: Issue) => issue.labels.map((label) => labelShape(call.face, call.repo, label));

const listed = (call: Call, shapes: readonly unknown[]): Answer => {
  const { items, links } = pageOf(call.query, shapes);
  return { status: 200, body: items, links };
};

const commentIn = (call: Call): { comment: Comment; issue: Issue } => {
  const comment = call.face.state.comments.get(Number(call.path[0]));
  const issue = comment && call.face.state.issues.get(comment.issueId);
  if (comment === undefined || issue === undefined || issue.repoId !== call.repo.id || issue.deleted) throw notFound();
  return { comment, issue };
};

const createLabel = (call: Call): Answer => {
  const name = textIn(call, 'name', 'Label');
  if (name === undefined || name === '') throw invalid('Label', 'name', 'missing_field');
  const color = textIn(call, 'color', 'Label');
  const description = textIn(call, 'description', 'Label');
  const asked = { name, ...(color !== undefined && { color }), ...(description !== undefined && { description }) };
  return { status: 201, body: labelShape(call.face, call.repo, writes(call).createLabel(call.repo, asked)) };
};

const needBody = (call: Call): string => {
  const body = textIn(call, 'body', 'IssueComment');
  if (body === undefined || body.trim() === '') throw invalid('IssueComment', 'body', 'missing_field');
  return body;
};

/** Issues, their labels, comments and history, as `@octokit/openapi` 23.0.2 describes them. */
export const issueRoutes: readonly Route[] = [
  { method: 'GET', path: 'issues', run: list },
  { method: 'GET', path: 'issues/*', run: (call) => oneIssue(call, issueIn(call)) },
  { method: 'PATCH', path: 'issues/*', run: patch },
  { method: 'GET', path: 'issues/*/events', run: (call) => listed(call, eventShapes(call.face, issueIn(call))) },
  { method: 'GET', path: 'issues/*/timeline', run: (call) => listed(call, timelineShapes(call.face, issueIn(call))) },
  { method: 'GET', path: 'issues/*/labels', run: (call) => listed(call, labelsOn(call, issueIn(call))) },
  {
    method: 'POST',
    path: 'issues/*/labels',
    run: (call) => {
      const issue = issueIn(call);
      writes(call).addLabels(issue, namesIn(call, 'labels', 'Label') ?? []);
      return { status: 200, body: labelsOn(call, issue) };
    },
  },
  {
    method: 'DELETE',
    path: 'issues/*/labels/*',
    run: (call) => {
      const issue = issueIn(call);
      writes(call).removeLabel(issue, call.path[1] ?? '');
      return { status: 200, body: labelsOn(call, issue) };
    },
  },
  {
    method: 'GET',
    path: 'labels',
    run: (call) =>
      listed(
        call,
        call.repo.labels.map((label) => labelShape(call.face, call.repo, label)),
      ),
  },
  {
    method: 'GET',
    path: 'labels/*',
    run: (call) => {
      const label = labelNamed(call.repo, call.path[0] ?? '');
      if (label === undefined) throw notFound();
      return { status: 200, body: labelShape(call.face, call.repo, label) };
    },
  },
  { method: 'POST', path: 'labels', run: createLabel },
  {
    method: 'GET',
    path: 'issues/*/comments',
    run: (call) => {
      const issue = issueIn(call);
      return listed(
        call,
        issue.comments.map((comment) => commentShape(call.face, issue, comment)),
      );
    },
  },
  {
    method: 'POST',
    path: 'issues/*/comments',
    run: (call) => {
      const issue = issueIn(call);
      return { status: 201, body: commentShape(call.face, issue, writes(call).addComment(issue, needBody(call))) };
    },
  },
  {
    method: 'GET',
    path: 'issues/comments/*',
    run: (call) => {
      const { comment, issue } = commentIn(call);
      return { status: 200, body: commentShape(call.face, issue, comment) };
    },
  },
  {
    method: 'PATCH',
    path: 'issues/comments/*',
    run: (call) => {
      const { comment, issue } = commentIn(call);
      writes(call).editComment(comment, needBody(call));
      return { status: 200, body: commentShape(call.face, issue, comment) };
    },
  },
  {
    method: 'GET',
    path: 'issues/*/dependencies/blocked_by',
    run: (call) => {
      const { state, viewer } = call.face;
      // Blockers the viewer cannot see are counted in the summary and missing here.
      const blockers = issueIn(call).blockedBy.flatMap((id) => state.issues.get(id) ?? []);
      const seen = blockers.filter((issue) => hasRole(repoById(state, issue.repoId), viewer, 'read'));
      return listed(
        call,
        seen.map((issue) => issueShape(call.face, issue)),
      );
    },
  },
];
