import type * as z from 'zod';
import { assertNever } from '../core/assert.ts';
import type { IssueRef } from '../core/issue.ts';
import type { Mirror } from '../core/mirror.ts';
import { PortError } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { CommentRow, Created, IssueRow, Rows, StateRow } from './github-wire.ts';

/**
 * Brings an issue to what the mirror says: reads it once and writes the differences only. One part that is refused
 * does not keep the others from being done; its refusal is thrown at the end. Silence and limits are thrown at once.
 */
export const ensureMirror = async (
  client: GithubClient,
  issue: IssueRef,
  mirror: Mirror,
  commentId: string | null,
): Promise<{ commentId: string | null }> => {
  const path = { repo_id: issue.repo.id, issue_number: issue.number };
  const now = read(IssueRow, (await client.ask(`GET ${issuePath}`, path, [200])).data, `GET ${issuePath}`);
  const missing = mirror.labels.add.filter((name) => !hasLabel(now, name));
  const extra = mirror.labels.remove.filter((name) => hasLabel(now, name));

  const refusals: PortError[] = [];
  const part = async <T>(otherwise: T, write: () => Promise<T>): Promise<T> => {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof PortError) || error.kind !== 'refused') throw error;
      refusals.push(error);
      return otherwise;
    }
  };

  // The comment first, since it says why; closing last, so that a closed issue is always a finished one.
  const { comment } = mirror;
  const id =
    comment === null ? commentId : await part(commentId, () => ensureComment(client, path, now, comment, commentId));
  if (missing.length > 0) {
    await part(
      undefined,
      async () => void (await client.ask(`POST ${issuePath}/labels`, { ...path, labels: missing }, [200])),
    );
  }
  for (const name of extra) await part(undefined, () => takeLabelOff(client, issue, name));
  await part(undefined, () => ensureState(client, path, now.state, mirror.state));
  if (refusals[0]) throw refusals[0];
  return { commentId: id };
};

/** Already off, or nothing there to be on: as good. */
export const takeLabelOff = async (client: GithubClient, issue: IssueRef, name: string): Promise<void> => {
  const path = { repo_id: issue.repo.id, issue_number: issue.number };
  const answer = await client.ask(`DELETE ${issuePath}/labels/{name}`, { ...path, name }, [200, 204, 404, 410]);
  if (answer.status !== 404) return;
  // What one may not do reads like what is not there; only a look tells.
  const left = await client.ask(`GET ${issuePath}`, path, [200, 301, 404, 410]);
  if (left.status === 200 && hasLabel(read(IssueRow, left.data, `GET ${issuePath}`), name)) {
    throw new PortError(
      'refused',
      `DELETE ${issuePath}/labels/{name}: the label stays on; the token may not take it off`,
    );
  }
};

const hasLabel = (issue: z.infer<typeof IssueRow>, name: string): boolean =>
  issue.labels.some((label) => label.toLowerCase() === name.toLowerCase());

const issuePath = '/repositories/{repo_id}/issues/{issue_number}';
const commentPath = '/repositories/{repo_id}/issues/comments/{comment_id}';

// GitHub takes 65,536 characters and refuses more.
const bodyMax = 60_000;
const pageSize = 100;
const pagesMax = 20;

type IssuePath = { repo_id: string; issue_number: number };

/** The id of the one comment that carries the marker and says what it should; the old id where the issue takes none. */
const ensureComment = async (
  client: GithubClient,
  path: IssuePath,
  issue: z.infer<typeof IssueRow>,
  wanted: { marker: string; body: string },
  commentId: string | null,
): Promise<string | null> => {
  const text = commentText(wanted);
  const known = commentId === null ? null : await commentById(client, path, commentId);
  const found = known ?? (await commentByMarker(client, path, issue.comments ?? pageSize, wanted.marker));
  if (found && sameText(found.body ?? '', text)) return found.id;
  // A locked issue takes comments from those who may push only.
  const refusable = issue.locked ? [403] : [];
  if (found) {
    const edited = await client.ask(
      `PATCH ${commentPath}`,
      { repo_id: path.repo_id, comment_id: found.id, body: text },
      [200, 404, ...refusable],
    );
    // Deleted between the two: the next mirror finds no marker and makes another.
    if (edited.status === 404) throw new PortError('unavailable', `PATCH ${commentPath}: the comment is gone`);
    return found.id;
  }
  const created = await client.ask(`POST ${issuePath}/comments`, { ...path, body: text }, [201, ...refusable]);
  return created.status === 403 ? commentId : read(Created, created.data, `POST ${issuePath}/comments`).id;
};

const commentText = ({ marker, body }: { marker: string; body: string }): string => {
  const text = body.startsWith(marker) ? body : `${marker}\n${body}`;
  return text.slice(0, bodyMax).toWellFormed();
};

// GitHub may answer with the line ends of a form, and without what trails.
const sameText = (a: string, b: string): boolean =>
  a.replaceAll('\r\n', '\n').trimEnd() === b.replaceAll('\r\n', '\n').trimEnd();

const commentById = async (client: GithubClient, path: IssuePath, id: string): Promise<Comment | null> => {
  const answer = await client.ask(`GET ${commentPath}`, { repo_id: path.repo_id, comment_id: id }, [200, 404, 410]);
  if (answer.status !== 200) return null;
  const comment = read(CommentRow, answer.data, `GET ${commentPath}`);
  return isOurs(comment, await client.ownLogin()) ? comment : null;
};

/** The newest of ours that carries the marker. A marker in somebody else's comment is their text and nothing else. */
const commentByMarker = async (
  client: GithubClient,
  path: IssuePath,
  count: number,
  marker: string,
): Promise<Comment | null> => {
  if (count === 0) return null;
  const login = await client.ownLogin();
  const route = `GET ${issuePath}/comments`;
  const last = Math.ceil(count / pageSize);
  for (let page = last; page > Math.max(0, last - pagesMax); page -= 1) {
    const answer = await client.ask(route, { ...path, per_page: pageSize, page }, [200]);
    const comments = read(Rows, answer.data, route).flatMap((row) => CommentRow.safeParse(row).data ?? []);
    const found = comments.findLast((comment) => isOurs(comment, login) && firstLine(comment.body ?? '') === marker);
    if (found) return found;
  }
  return null;
};

type Comment = z.infer<typeof CommentRow>;

const isOurs = (comment: Comment, login: string): boolean => comment.user?.login.toLowerCase() === login.toLowerCase();

const firstLine = (body: string): string => body.split('\n', 1)[0]?.trim() ?? '';

const ensureState = async (
  client: GithubClient,
  path: IssuePath,
  now: string,
  wanted: Mirror['state'],
): Promise<void> => {
  switch (wanted) {
    case 'as is':
      return;
    case 'open':
    case 'closed':
      if (now !== wanted) await setState(client, path, wanted);
      return;
    default:
      return assertNever(wanted);
  }
};

const setState = async (client: GithubClient, path: IssuePath, state: 'open' | 'closed'): Promise<void> => {
  const route = `PATCH ${issuePath}`;
  const change = state === 'closed' ? { state, state_reason: 'completed' } : { state };
  const answer = await client.ask(route, { ...path, ...change }, [200]);
  // Changes one may not make are dropped without a word: what counts is what the issue says afterwards.
  if (read(StateRow, answer.data, route).state !== state) {
    throw new PortError('refused', `${route}: GitHub left the issue as it was; the token may not change it`);
  }
};
