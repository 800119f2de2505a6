import type * as z from 'zod';
import type { IssueDetail, IssueRef } from '../core/issue.ts';
import { labellingOf } from '../core/trust.ts';
import { type GithubClient, read } from './github-client.ts';
import { DetailAnswer, DetailEvent, DetailIssue, detailQuery } from './github-detail-wire.ts';
import { howLabelled } from './github-labelling.ts';
import { graphqlRefusal } from './github-refusal.ts';

/**
 * One issue alone, in a query of its own: queries over many issues lose timeline items without a word. Whatever
 * could not be read makes a list incomplete or the whole a `PortError`, since trust is decided on it. Null where there
 * is no such issue, or it became a pull request or something else.
 */
export const issueDetail = async (
  client: GithubClient,
  issue: IssueRef,
  readyLabel: string,
): Promise<IssueDetail | null> => {
  const { data, errors } = await client.query(detailQuery, { issue: issue.nodeId });
  const { node } = read(DetailAnswer, data, 'query Detail');
  // Blockers in repos that are hidden from us are counted and not listed; everything else must be there.
  const grave = errors.filter((error) => !(error.path?.[0] === 'node' && error.path[1] === 'blockedBy'));
  if (node === null && errors.every((error) => error.type === 'NOT_FOUND' && grave.includes(error))) return null;
  if (grave.length > 0 || (node === null && errors.length > 0)) throw graphqlRefusal('query Detail', errors);
  if (node === null || node.__typename !== 'Issue') return null;
  const detail = detailOf(issue, read(DetailIssue, node, 'query Detail'));
  const isReady = (label: string): boolean => label.toLowerCase() === readyLabel.toLowerCase();
  const act = labellingOf(detail, readyLabel);
  const how = act?.kind === 'labeled' ? await howLabelled(client, detail, act, isReady) : null;
  if (how === null) return { ...detail, labelling: null };
  const { throughApp, byAgent, nameThen } = how;
  const list = detail.events.list.map((event) =>
    event === act && event.kind === 'labeled' ? { ...event, label: { ...event.label, name: nameThen } } : event,
  );
  return { ...detail, events: { ...detail.events, list }, labelling: { throughApp, byAgent } };
};

const detailOf = (asked: IssueRef, node: z.infer<typeof DetailIssue>): Omit<IssueDetail, 'labelling'> => {
  const { repository, trust } = node;
  const branch = repository.defaultBranchRef;
  const events = trust.nodes.map((event) => DetailEvent.safeParse(event).data ?? null);
  return {
    repo: { host: asked.repo.host, id: repository.databaseId, nodeId: repository.id, name: repository.nameWithOwner },
    archived: repository.isArchived || repository.isDisabled,
    defaultBranch: branch?.target ? { name: branch.name, head: branch.target.oid } : null,
    number: node.number,
    nodeId: node.id,
    url: node.url,
    title: node.title,
    body: node.body,
    open: node.state === 'OPEN',
    locked: node.locked,
    updatedAt: node.updatedAt,
    author: node.author,
    labels: (node.labels?.nodes ?? []).filter((label) => label !== null),
    events: {
      complete: !trust.pageInfo.hasPreviousPage,
      hasHole: events.includes(null),
      list: events.filter((event) => event !== null),
    },
    edits: editsOf(node),
    blockers: {
      openCount: node.issueDependenciesSummary.blockedBy,
      listed: (node.blockedBy?.nodes ?? []).flatMap((blocker) =>
        blocker?.state === 'OPEN' ? [`${blocker.repository.nameWithOwner}#${blocker.number}`] : [],
      ),
    },
    openSubIssues: Math.max(0, node.subIssuesSummary.total - node.subIssuesSummary.completed),
  };
};

const editsOf = ({ lastEditedAt, userContentEdits }: z.infer<typeof DetailIssue>): IssueDetail['edits'] => {
  const edits = userContentEdits?.nodes ?? [];
  const list = edits.flatMap((edit) => (edit ? [{ at: edit.editedAt, editor: edit.editor }] : []));
  // A body whose last edit is not shown was edited by nobody knows whom: lists are known to lose rows, count and all.
  const showsLast = lastEditedAt == null || list.some(({ at }) => at >= lastEditedAt - stampsApartMs);
  const complete = list.length === (userContentEdits?.totalCount ?? 0) && showsLast;
  return { complete, list: list.sort((a, b) => a.at - b.at) };
};

// Nobody says that an edit and its body are stamped in the same second.
const stampsApartMs = 10_000;
