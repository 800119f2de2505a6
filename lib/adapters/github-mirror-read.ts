import * as z from 'zod';
import type { IssueRef } from '../core/issue.ts';
import type { Mirror } from '../core/mirror.ts';
import { beginsWith, type MirroredIssue } from '../core/mirror-plan.ts';
import { PortError } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { graphqlRefusal } from './github-refusal.ts';
import { Id } from './github-wire.ts';

/**
 * What a mirror is compared with, in one request: the issue, our comment by its node id or else by its marker among
 * the newest hundred, and the ids of the labels that may have to be put on. Older pages are read only where the comment
 * is not among those. An answer with holes is an error: what is missing from it would be written a second time.
 */
export const readMirrored = async (
  client: GithubClient,
  issue: IssueRef,
  mirror: Mirror,
  commentId: string | null,
): Promise<GithubIssue> => {
  // A run stored by the version before knows its comment by number: that one is found by its marker.
  const known = mirror.comment === null || commentId === null || /^\d+$/.test(commentId) ? null : commentId;
  const way = mirror.comment === null ? 'none' : known === null ? 'by marker' : 'by id';
  const { add } = mirror.labels;
  const { data, errors } = await client.query(mirrorQuery(add.length, way), {
    issue: issue.nodeId,
    ...(known !== null && { comment: known }),
    ...Object.fromEntries(add.map((name, index) => [`label${index}`, name])),
  });
  // A comment that is not there any more is none; anything else that is missing is not known to be.
  const worse = errors.filter(({ type, path }) => type !== 'NOT_FOUND' || path?.[0] !== 'comment');
  if (worse.length > 0) throw graphqlRefusal(what, worse);
  const answer = read(Answer, data, what);
  const found = answer.issue?.__typename === 'Issue' ? read(Issue, answer.issue, what) : null;
  if (found?.repository.databaseId !== issue.repo.id) {
    throw new PortError('refused', `${what}: the issue is not in this repo any more`);
  }
  if (!found.repository.hasIssuesEnabled) throw new PortError('refused', `${what}: issues are switched off`);
  const standing: Omit<GithubIssue, 'comment'> = {
    state: found.state === 'OPEN' ? 'open' : 'closed',
    locked: found.locked,
    archived: found.repository.isArchived,
    labels: (found.labels?.nodes ?? []).flatMap((label) => (label ? [label] : [])),
    labelIds: new Map(
      add.flatMap((name, index) => {
        const label = LabelId.safeParse(found.repository[`label${index}`]).data;
        return label ? [[name, label.id] as const] : [];
      }),
    ),
  };
  const { marker } = mirror.comment ?? {};
  if (marker === undefined) return { ...standing, comment: null };
  const { comment } = answer;
  if (comment?.viewerDidAuthor && comment.issue.id === found.id) return { ...standing, comment };
  return { ...standing, comment: await commentByMarker(client, issue, found.comments ?? null, marker) };
};

/** The issue, whether it takes comments and writes, and the node ids of labels that its repo knows by these names. */
export type GithubIssue = MirroredIssue & {
  locked: boolean;
  archived: boolean;
  labelIds: ReadonlyMap<string, string>;
};

const what = 'query Mirror';
const pagesMax = 20;

/**
 * The newest of ours that carries the marker; a marker in somebody else's comment is their text and nothing else. None is
 * found only where every comment was shown: one that came as null may be ours, and it would be written a second time.
 */
const commentByMarker = async (
  client: GithubClient,
  issue: IssueRef,
  newest: z.infer<typeof Comments> | null,
  marker: string,
): Promise<{ id: string; body: string } | null> => {
  let page = newest ?? (await commentsBefore(client, issue, null));
  let isWhole = true;
  for (let pages = 1; ; pages += 1) {
    const found = page.nodes.findLast((one) => one?.viewerDidAuthor && beginsWith(marker, one.body));
    if (found) return found;
    isWhole &&= page.nodes.every((one) => one !== null);
    if (!page.pageInfo.hasPreviousPage || pages === pagesMax) break;
    page = await commentsBefore(client, issue, page.pageInfo.startCursor);
  }
  if (!isWhole) throw new PortError('unavailable', `${what}: a comment was not shown`);
  return null;
};

const commentsBefore = async (
  client: GithubClient,
  issue: IssueRef,
  before: string | null,
): Promise<z.infer<typeof Comments>> => {
  const { data, errors } = await client.query(commentsQuery, { issue: issue.nodeId, before });
  if (errors.length > 0) throw graphqlRefusal('query Comments', errors);
  return read(CommentsAnswer, data, 'query Comments').issue.comments;
};

const commentFields = 'pageInfo { hasPreviousPage startCursor } nodes { id body viewerDidAuthor }';

const mirrorQuery = (labels: number, way: 'none' | 'by marker' | 'by id'): string => {
  const each = (line: (name: string) => string): string =>
    Array.from({ length: labels }, (_, index) => line(`label${index}`)).join(' ');
  return /* GraphQL */ `
    query Mirror($issue: ID! ${way === 'by id' ? '$comment: ID!' : ''} ${each((name) => `$${name}: String!`)}) {
      issue: node(id: $issue) {
        __typename
        ... on Issue {
          id
          state
          locked
          labels(first: 100) { nodes { id name } }
          repository {
            databaseId
            isArchived
            hasIssuesEnabled
            ${each((name) => `${name}: label(name: $${name}) { id }`)}
          }
          ${way === 'by marker' ? `comments(last: 100) { ${commentFields} }` : ''}
        }
      }
      ${way === 'by id' ? 'comment: node(id: $comment) { ... on IssueComment { id body viewerDidAuthor issue { id } } }' : ''}
    }
  `;
};

const commentsQuery = /* GraphQL */ `
  query Comments($issue: ID!, $before: String) {
    issue: node(id: $issue) { ... on Issue { comments(last: 100, before: $before) { ${commentFields} } } }
  }
`;

const Comments = z.object({
  pageInfo: z.object({ hasPreviousPage: z.boolean(), startCursor: z.string().nullable() }),
  nodes: z.array(z.object({ id: z.string(), body: z.string(), viewerDidAuthor: z.boolean() }).nullable()),
});

const Comment = z.object({
  id: z.string(),
  body: z.string(),
  viewerDidAuthor: z.boolean(),
  issue: z.object({ id: z.string() }),
});

// What was asked for as a comment and is something else comes as an empty object.
const Answer = z.object({
  issue: z.looseObject({ __typename: z.string() }).nullish(),
  comment: Comment.nullish().catch(null),
});

const Issue = z.object({
  __typename: z.literal('Issue'),
  id: z.string(),
  state: z.string(),
  locked: z.boolean(),
  labels: z.object({ nodes: z.array(z.object({ id: z.string(), name: z.string() }).nullable()).nullish() }).nullish(),
  repository: z.looseObject({ databaseId: Id, isArchived: z.boolean(), hasIssuesEnabled: z.boolean() }),
  comments: Comments.nullish(),
});

const LabelId = z.object({ id: z.string() });

const CommentsAnswer = z.object({ issue: z.object({ comments: Comments }) });
