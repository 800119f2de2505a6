import * as z from 'zod';
import { assertNever } from '../core/assert.ts';
import type { IssueRef } from '../core/issue.ts';
import type { WatchedIssue } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { type GraphqlError, graphqlRefusal } from './github-refusal.ts';
import { issueGlance, issuePrint, recalled, type WatchMemory } from './github-watched.ts';
import { DefaultBranch, GraphqlActor, Id, Instant } from './github-wire.ts';

/**
 * An issue with a run, and where its repo's default branch stands: from memory where a glance shows it unchanged, else
 * in one request. An issue that moved away is gone.
 */
export const watchIssue = async (
  client: GithubClient,
  memory: WatchMemory,
  issue: IssueRef,
): Promise<WatchedIssue | null> => {
  const known = recalled(memory, memory.issues, issue.nodeId);
  if (known !== null) return known;
  const at = memory.now();
  const { data, errors } = await client.query(watchQuery, { issue: issue.nodeId });
  const { node } = read(Answer, data, 'query Watch');
  const value = watchedOf(issue, node, errors);
  const print = issuePrint(node);
  if (value === null || print === null) memory.issues.delete(issue.nodeId);
  else memory.issues.set(issue.nodeId, { print, at, value });
  return value;
};

const watchedOf = (
  issue: IssueRef,
  node: z.infer<typeof Answer>['node'],
  errors: readonly GraphqlError[],
): WatchedIssue | null => {
  if (node === null && errors.every((error) => error.type === 'NOT_FOUND')) return null;
  if (errors.length > 0) throw graphqlRefusal('query Watch', errors);
  if (node === null || node.__typename !== 'Issue') return null;
  const { repository, ...found } = read(Issue, node, 'query Watch');
  if (repository.databaseId !== issue.repo.id) return null;
  const branch = repository.defaultBranchRef;
  const open = found.state === 'OPEN';
  const closing = found.closings.nodes?.at(-1);
  return {
    head: branch?.target ? { name: branch.name, sha: branch.target.oid } : null,
    repoName: repository.nameWithOwner,
    open,
    labels: (found.labels?.nodes ?? []).flatMap((label) => (label ? [label.name] : [])),
    closed: open ? null : { actor: closing?.actor ?? null, commit: closing?.closer ?? null },
    labelActs: new Map(
      // Oldest first, so that the newest of each label stays.
      (found.acts.nodes ?? []).flatMap((node) => {
        const act = LabelAct.safeParse(node).data;
        return act ? [[act.name.toLowerCase(), { kind: act.kind, actor: act.actor, at: act.at }] as const] : [];
      }),
    ),
  };
};

const watchQuery = /* GraphQL */ `
  query Watch($issue: ID!) {
    node(id: $issue) {
      __typename
      ... on Issue {
        ${issueGlance}
        closings: timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {
          nodes {
            ... on ClosedEvent {
              actor { __typename login }
              closer {
                __typename
                ... on Commit { oid message }
                ... on PullRequest { mergeCommit { oid message } }
              }
            }
          }
        }
        acts: timelineItems(last: 50, itemTypes: [LABELED_EVENT, UNLABELED_EVENT]) {
          nodes {
            __typename
            ... on LabeledEvent { createdAt actor { __typename login } label { name } }
            ... on UnlabeledEvent { createdAt actor { __typename login } label { name } }
          }
        }
      }
    }
  }
`;

const Answer = z.object({ node: z.looseObject({ __typename: z.string() }).nullable().default(null) });

const Commit = z.object({ oid: z.string(), message: z.string() });

/** The commit behind a closing: the one with the keyword, or the one a pull request was merged by. */
const Closer = z
  .union([
    z.object({ __typename: z.literal('Commit'), ...Commit.shape }),
    z.object({ __typename: z.literal('PullRequest'), mergeCommit: Commit.nullish() }),
    z.object({ __typename: z.string() }).transform(() => ({ __typename: 'other' as const })),
  ])
  .nullish()
  .transform((closer) => {
    if (!closer) return null;
    switch (closer.__typename) {
      case 'Commit':
        return { sha: closer.oid, message: closer.message };
      case 'PullRequest':
        return closer.mergeCommit ? { sha: closer.mergeCommit.oid, message: closer.mergeCommit.message } : null;
      case 'other':
        return null;
      default:
        return assertNever(closer);
    }
  });

const LabelAct = z
  .object({
    __typename: z.enum(['LabeledEvent', 'UnlabeledEvent']),
    createdAt: Instant,
    actor: GraphqlActor,
    label: z.object({ name: z.string() }),
  })
  .transform(({ __typename, createdAt, actor, label }) => ({
    name: label.name,
    kind: __typename === 'LabeledEvent' ? ('labeled' as const) : ('unlabeled' as const),
    actor,
    at: createdAt,
  }));

const Issue = z.object({
  state: z.string(),
  repository: z.object({ databaseId: Id, nameWithOwner: z.string(), defaultBranchRef: DefaultBranch }),
  labels: z.object({ nodes: z.array(z.object({ name: z.string() }).nullable()).nullish() }).nullish(),
  closings: z.object({ nodes: z.array(z.object({ actor: GraphqlActor, closer: Closer }).nullable()).nullish() }),
  acts: z.object({ nodes: z.array(z.unknown()).nullish() }),
});
