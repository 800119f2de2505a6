import * as z from 'zod';
import { assertNever } from '../core/assert.ts';
import type { IssueEvent } from '../core/issue.ts';
import { DefaultBranch, GraphqlActor, Id, Instant } from './github-wire.ts';

/** Everything trust is decided on, of one issue: 1 point. */
export const detailQuery = /* GraphQL */ `
  query Detail($issue: ID!) {
    node(id: $issue) {
      __typename
      ... on Issue {
        id
        number
        url
        title
        body
        state
        locked
        updatedAt
        lastEditedAt
        author { __typename login }
        repository {
          id
          databaseId
          nameWithOwner
          isArchived
          isDisabled
          defaultBranchRef { name target { oid } }
        }
        labels(first: 100) { nodes { id name } }
        trust: timelineItems(
          last: 50
          itemTypes: [LABELED_EVENT, UNLABELED_EVENT, RENAMED_TITLE_EVENT, TRANSFERRED_EVENT, REOPENED_EVENT]
        ) {
          pageInfo { hasPreviousPage }
          nodes {
            __typename
            ... on LabeledEvent { id createdAt actor { __typename login } label { id name } }
            ... on UnlabeledEvent { id createdAt actor { __typename login } label { id name } }
            ... on RenamedTitleEvent { id createdAt actor { __typename login } }
            ... on TransferredEvent { id createdAt actor { __typename login } }
            ... on ReopenedEvent { id createdAt actor { __typename login } }
          }
        }
        userContentEdits(first: 50) {
          totalCount
          nodes { editedAt editor { __typename login } }
        }
        issueDependenciesSummary { blockedBy }
        blockedBy(first: 50) { nodes { number state repository { nameWithOwner } } }
        subIssuesSummary { total completed }
      }
    }
  }
`;

/** What the node is, before it is read as an issue; null where it is gone. */
export const DetailAnswer = z.object({ node: z.looseObject({ __typename: z.string() }).nullable().default(null) });

const Labeling = { id: z.string(), createdAt: Instant, actor: GraphqlActor };
const LabelOf = z
  .object({ id: z.string().nullish(), name: z.string() })
  .transform(({ id, name }) => ({ id: id ?? null, name }));

/** One event of the timeline. What is of no known kind, or has no instant, does not parse. */
export const DetailEvent = z
  .discriminatedUnion('__typename', [
    z.object({ ...Labeling, __typename: z.literal('LabeledEvent'), label: LabelOf }),
    z.object({ ...Labeling, __typename: z.literal('UnlabeledEvent'), label: LabelOf }),
    z.object({ ...Labeling, __typename: z.literal('RenamedTitleEvent') }),
    z.object({ ...Labeling, __typename: z.literal('TransferredEvent') }),
    z.object({ ...Labeling, __typename: z.literal('ReopenedEvent') }),
  ])
  .transform((event): IssueEvent => {
    const { id, createdAt: at, actor } = event;
    switch (event.__typename) {
      case 'LabeledEvent':
        return { kind: 'labeled', id, at, actor, label: event.label };
      case 'UnlabeledEvent':
        return { kind: 'unlabeled', id, at, actor, label: event.label };
      case 'RenamedTitleEvent':
        return { kind: 'renamed', id, at, actor };
      case 'TransferredEvent':
        return { kind: 'transferred', id, at, actor };
      case 'ReopenedEvent':
        return { kind: 'reopened', id, at, actor };
      default:
        return assertNever(event);
    }
  });

/** The issue as the query asks for it. Events are read one by one with `DetailEvent`. */
export const DetailIssue = z.object({
  id: z.string(),
  number: z.number().int(),
  url: z.string(),
  title: z.string(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ''),
  state: z.string(),
  locked: z.boolean(),
  updatedAt: z.string(),
  lastEditedAt: Instant.nullish(),
  author: GraphqlActor,
  repository: z.object({
    id: z.string(),
    databaseId: Id,
    nameWithOwner: z.string(),
    isArchived: z.boolean(),
    isDisabled: z.boolean(),
    defaultBranchRef: DefaultBranch,
  }),
  labels: z.object({ nodes: z.array(z.object({ id: z.string(), name: z.string() }).nullable()).nullish() }).nullish(),
  trust: z.object({
    pageInfo: z.object({ hasPreviousPage: z.boolean() }),
    nodes: z
      .array(z.unknown())
      .nullish()
      .transform((nodes) => nodes ?? [null]),
  }),
  userContentEdits: z
    .object({
      totalCount: z.number().int(),
      nodes: z.array(z.object({ editedAt: Instant, editor: GraphqlActor }).nullable()).nullish(),
    })
    .nullish(),
  issueDependenciesSummary: z.object({ blockedBy: z.number().int() }),
  blockedBy: z
    .object({
      nodes: z
        .array(
          z
            .object({
              number: z.number().int(),
              state: z.string(),
              repository: z.object({ nameWithOwner: z.string() }),
            })
            .nullable(),
        )
        .nullish(),
    })
    .nullish(),
  subIssuesSummary: z.object({ total: z.number().int(), completed: z.number().int() }),
});
