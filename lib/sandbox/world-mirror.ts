import type { IssueRef } from '../core/issue.ts';
import type { Mirror } from '../core/mirror.ts';
import { PortError } from '../ports.ts';
import { GithubRefusal, invalid } from './github-refusal.ts';
import type { Comment, Issue, Repo } from './github-state.ts';
import { githubWrites } from './github-writes.ts';
import { refuseStray, type WorldViewer } from './world-viewer.ts';

/**
 * Brings an issue to what the mirror says, in the adapter's order and with its tolerance: the comment, the labels, open
 * or closed; what is refused keeps nothing else from being done, and its first refusal is thrown at the end. Rights are
 * the viewer's, by the very writes that the HTTP face ends in.
 */
export const ensureMirror = (
  viewer: WorldViewer,
  ref: IssueRef,
  mirror: Mirror,
  commentId: string | null,
): { commentId: string | null } => {
  const { issue, repo } = viewer.asking(`GET ${issuePath}`, () => viewer.issueAt(ref, 'read'));
  const writes = githubWrites(viewer.github, viewer.login);
  const has = new Set(issue.labels.map(({ name }) => name.toLowerCase()));
  const missing = mirror.labels.add.filter((name) => !has.has(name.toLowerCase()));
  const extra = mirror.labels.remove.filter((name) => has.has(name.toLowerCase()));

  const refusals: PortError[] = [];
  const part = <T>(otherwise: T, write: () => T): T => {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof PortError) || error.kind !== 'refused') throw error;
      refusals.push(error);
      return otherwise;
    }
  };

  const { comment, state } = mirror;
  const id =
    comment === null ? commentId : part(commentId, () => ensureComment(viewer, { issue, repo }, comment, commentId));
  if (missing.length > 0) {
    part(undefined, () => viewer.asking(`POST ${issuePath}/labels`, () => writes.addLabels(issue, missing)));
  }
  for (const name of extra) part(undefined, () => takeLabelOff(viewer, ref, name));
  if (state !== 'as is' && state !== issue.state) {
    part(undefined, () => viewer.asking(`PATCH ${issuePath}`, () => writes.setState(issue, state)));
  }
  if (refusals[0]) throw refusals[0];
  return { commentId: id };
};

/** Already off, or nothing there to be on: as good. */
export const takeLabelOff = (viewer: WorldViewer, ref: IssueRef, name: string): void => {
  const route = `DELETE ${issuePath}/labels/{name}`;
  refuseStray(route, name);
  tolerating(viewer, route, [404, 410], () => {
    const { issue } = viewer.issueAt(ref, 'write');
    githubWrites(viewer.github, viewer.login).removeLabel(issue, name);
  });
};

const issuePath = '/repositories/{repo_id}/issues/{issue_number}';
const commentPath = '/repositories/{repo_id}/issues/comments/{comment_id}';

const bodyMax = 60_000;
const pageSize = 100;
const pagesMax = 20;

const ensureComment = (
  viewer: WorldViewer,
  { issue, repo }: { issue: Issue; repo: Repo },
  wanted: { marker: string; body: string },
  commentId: string | null,
): string | null => {
  const text = commentText(wanted);
  const known = commentId === null ? null : commentById(viewer, repo, commentId);
  const found = known ?? commentByMarker(viewer, issue, wanted.marker);
  if (found && sameText(found.body, text)) return String(found.id);
  const writes = githubWrites(viewer.github, viewer.login);
  // A locked issue takes comments from those who may push only.
  const tolerated = issue.locked ? [403] : [];
  const route = found ? `PATCH ${commentPath}` : `POST ${issuePath}/comments`;
  const written = tolerating(viewer, route, tolerated, () => {
    if (text.trim() === '') throw invalid('IssueComment', 'body', 'missing_field');
    if (!found) return writes.addComment(issue, text);
    writes.editComment(found, text);
    return found;
  });
  return written ? String(written.id) : found ? String(found.id) : commentId;
};

const commentText = ({ marker, body }: { marker: string; body: string }): string =>
  (body.startsWith(marker) ? body : `${marker}\n${body}`).slice(0, bodyMax).toWellFormed();

const sameText = (a: string, b: string): boolean =>
  a.replaceAll('\r\n', '\n').trimEnd() === b.replaceAll('\r\n', '\n').trimEnd();

/** Any comment of ours in the repo: whether it stands on this issue is not asked. */
const commentById = (viewer: WorldViewer, repo: Repo, id: string): Comment | null => {
  refuseStray(`GET ${commentPath}`, id);
  const comment = viewer.state.comments.get(Number(id));
  const issue = comment && viewer.state.issues.get(comment.issueId);
  if (comment === undefined || issue === undefined || issue.repoId !== repo.id || issue.deleted) return null;
  return isOurs(viewer, comment) ? comment : null;
};

/** The newest of ours whose first line is the marker, among the newest pages. */
const commentByMarker = (viewer: WorldViewer, { comments }: Issue, marker: string): Comment | null => {
  const pages = Math.ceil(comments.length / pageSize);
  const read = comments.slice(Math.max(0, pages - pagesMax) * pageSize);
  return read.findLast((one) => isOurs(viewer, one) && one.body.split('\n', 1)[0]?.trim() === marker) ?? null;
};

const isOurs = ({ login }: WorldViewer, comment: Comment): boolean =>
  comment.author.toLowerCase() === login.toLowerCase();

/** Null where it was refused with one of these statuses. */
const tolerating = <T>(viewer: WorldViewer, route: string, statuses: readonly number[], act: () => T): T | null => {
  try {
    return act();
  } catch (error) {
    if (error instanceof GithubRefusal && statuses.includes(error.status)) return null;
    return viewer.asking(route, () => {
      throw error;
    });
  }
};
