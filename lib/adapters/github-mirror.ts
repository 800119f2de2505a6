import type { IssueRef, RepoRef } from '../core/issue.ts';
import type { Mirror } from '../core/mirror.ts';
import { planMirror } from '../core/mirror-plan.ts';
import { PortError } from '../ports.ts';
import type { GithubClient } from './github-client.ts';
import { makeLabel } from './github-label.ts';
import { readMirrored } from './github-mirror-read.ts';
import { writeMirrored } from './github-mirror-write.ts';

/**
 * Brings an issue to what the mirror says: one request to read it and, only where something differs, one to write, after
 * one for each label that its repo does not know yet. One part that is refused does not keep the others from being
 * done; the first refusal is thrown at the end. Silence and limits are thrown at once, and nothing is repeated: the
 * next mirror reads what there is by then.
 */
export const ensureMirror = async (
  client: GithubClient,
  issue: IssueRef,
  mirror: Mirror,
  commentId: string | null,
): Promise<{ commentId: string | null }> => {
  const found = await readMirrored(client, issue, mirror, commentId);
  const kept = mirror.comment === null ? commentId : (found.comment?.id ?? commentId);
  const plan = planMirror(found, mirror);
  if (plan === null) return { commentId: kept };
  if (found.archived) throw new PortError('refused', 'query Mirror: the repo is archived and takes no writes');

  const { ids, refusals } = await labelIds(client, issue.repo, plan.add, found.labelIds);
  const written = await writeMirrored(client, { id: issue.nodeId, locked: found.locked }, { ...plan, add: ids });
  const [refusal] = [...refusals, ...written.refusals];
  if (refusal) throw refusal;
  return { commentId: written.commentId ?? kept };
};

/** Node ids of labels by name; those that are missing are made. */
const labelIds = async (
  client: GithubClient,
  repo: RepoRef,
  names: readonly string[],
  known: ReadonlyMap<string, string>,
): Promise<{ ids: readonly string[]; refusals: readonly PortError[] }> => {
  const ids: string[] = [];
  const refusals: PortError[] = [];
  for (const name of names) {
    try {
      ids.push(known.get(name) ?? (await makeLabel(client, repo, name)));
    } catch (error) {
      if (!(error instanceof PortError) || error.kind !== 'refused') throw error;
      refusals.push(error);
    }
  }
  return { ids, refusals };
};
