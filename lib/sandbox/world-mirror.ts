import { newLabel } from '../adapters/github-label.ts';
import { graphqlRefusal } from '../adapters/github-refusal.ts';
import type { IssueRef } from '../core/issue.ts';
import type { Mirror } from '../core/mirror.ts';
import { beginsWith, type MirrorPlan, planMirror } from '../core/mirror-plan.ts';
import { PortError } from '../ports.ts';
import { labelNamed } from './github-people.ts';
import { GithubRefusal, graphqlWords } from './github-refusal.ts';
import type { Comment, Issue, Repo } from './github-state.ts';
import { githubWrites } from './github-writes.ts';
import { refuseStray, type WorldViewer } from './world-viewer.ts';

/**
 * Brings an issue to what the mirror says, in the adapter's order and with its tolerance: missing labels, the comment,
 * the labels, open or closed; what is refused keeps nothing else from being done, and its first refusal is thrown at
 * the end. Rights are the viewer's, by the very writes that the HTTP face ends in.
 */
export const ensureMirror = (
  viewer: WorldViewer,
  ref: IssueRef,
  mirror: Mirror,
  commentId: string | null,
): { commentId: string | null } => {
  const { issue, repo } = issueHere(viewer, ref);
  const comment = mirror.comment === null ? null : ourComment(viewer, issue, mirror.comment.marker, commentId);
  const labels = issue.labels.slice(0, pageSize).map(({ nodeId, name }) => ({ id: nodeId, name }));
  const standing = { state: issue.state, labels, comment: comment && { id: comment.nodeId, body: comment.body } };
  const plan = planMirror(standing, mirror);
  const kept = comment?.nodeId ?? commentId;
  if (plan === null) return { commentId: kept };
  if (repo.archived) throw new PortError('refused', 'query Mirror: the repo is archived and takes no writes');

  const refusals: PortError[] = [];
  const made = makeLabels(viewer, repo, plan.add, refusals);
  const written = write(viewer, { issue, comment }, { ...plan, add: made }, refusals);
  if (refusals[0]) throw refusals[0];
  return { commentId: written ?? kept };
};

/** Already off, or nothing there to be on: as good. */
export const takeLabelOff = (viewer: WorldViewer, ref: IssueRef, name: string): void => {
  const route = 'DELETE /repositories/{repo_id}/issues/{issue_number}/labels/{name}';
  refuseStray(route, name);
  try {
    const { issue } = viewer.issueAt(ref, 'write');
    githubWrites(viewer.github, viewer.login).removeLabel(issue, name);
  } catch (error) {
    if (error instanceof GithubRefusal && [404, 410].includes(error.status)) return;
    viewer.asking(route, () => {
      throw error;
    });
  }
};

const pageSize = 100;
const pagesMax = 20;

const issueHere = (viewer: WorldViewer, ref: IssueRef): { issue: Issue; repo: Repo } => {
  const found = viewer.issueOfNode(ref.nodeId);
  if (found === null) throw viewer.unresolved('query Mirror', `a node with the global id of '${ref.nodeId}'`);
  if (found.issue.pull !== null || String(found.repo.id) !== ref.repo.id)
    throw new PortError('refused', 'query Mirror: the issue is not in this repo any more');
  if (!found.repo.issuesEnabled) throw new PortError('refused', 'query Mirror: issues are switched off');
  return found;
};

/** By its id, or the newest of ours whose first line is the marker, among the newest pages. */
const ourComment = (viewer: WorldViewer, issue: Issue, marker: string, id: string | null): Comment | null => {
  const isOurs = ({ author }: Comment): boolean => author === viewer.login;
  const entity = id === null ? undefined : viewer.state.nodes.get(id);
  if (entity?.kind === 'comment' && entity.comment.issueId === issue.id && isOurs(entity.comment))
    return entity.comment;
  const read = issue.comments.slice(-pageSize * pagesMax);
  return read.findLast((one) => isOurs(one) && beginsWith(marker, one.body)) ?? null;
};

const makeLabels = (viewer: WorldViewer, repo: Repo, names: readonly string[], refusals: PortError[]): string[] =>
  names.filter((name) => {
    if (labelNamed(repo, name) !== undefined) return true;
    const create = () => githubWrites(viewer.github, viewer.login).createLabel(repo, { name, ...newLabel });
    return attempt(refusals, () => viewer.asking('POST /repositories/{repo_id}/labels', create)) !== null;
  });

/** Part by part; the node id of the comment, where one was written. */
const write = (
  viewer: WorldViewer,
  { issue, comment }: { issue: Issue; comment: Comment | null },
  plan: MirrorPlan,
  refusals: PortError[],
): string | null => {
  const writes = githubWrites(viewer.github, viewer.login);
  const part = <T>(refused: PortError[], act: () => T): T | null => attempt(refused, () => asGraphql(act));
  const { add, remove, state } = plan;
  const says = plan.comment;
  // A locked issue takes comments from those who may push only.
  const said =
    says &&
    part(issue.locked ? [] : refusals, () => {
      if (comment === null) return writes.addComment(issue, says.text);
      writes.editComment(comment, says.text);
      return comment;
    });
  if (add.length > 0) part(refusals, () => writes.addLabels(issue, add));
  if (remove.length > 0)
    part(refusals, () => {
      for (const { name } of remove) writes.removeLabel(issue, name);
    });
  if (state !== null) part(refusals, () => writes.setState(issue, state));
  return said?.nodeId ?? null;
};

/** Null where it was refused. */
const attempt = <T>(refusals: PortError[], act: () => T): T | null => {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof PortError) || error.kind !== 'refused') throw error;
    refusals.push(error);
    return null;
  }
};

const asGraphql = <T>(act: () => T): T => {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof GithubRefusal)) throw error;
    throw graphqlRefusal('mutation Mirror', [{ type: error.type, message: graphqlWords(error) }]);
  }
};
