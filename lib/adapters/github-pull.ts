import * as z from 'zod';
import { assertNever } from '../core/assert.ts';
import type { RepoRef } from '../core/issue.ts';
import { type PullFacts, pullThatCounts } from '../core/pull-request.ts';
import { commitsOfRun } from '../core/push-tip.ts';
import type { Forge } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { graphqlRefusal, hidesOneItem } from './github-refusal.ts';
import { GraphqlActor } from './github-wire.ts';

/**
 * The pull request that carries this run's commits to the default branch. One request and one point: what the issue
 * links to, what its newest mentions in commits belong to, and the one known before, which no flood of mentions by
 * others can push out of the list. What others mention from a hidden place is passed over. Of another repo, from a fork, against another branch or without the trailer it is
 * not the run's.
 */
export const pullOfRun = async (
  client: GithubClient,
  repo: RepoRef,
  { issue, runId, branch, known }: Parameters<Forge['pull']>[1],
): Promise<PullFacts | null> => {
  const { data, errors } =
    known === null
      ? await client.query(pullQuery(''), { repo: repo.nodeId, issue })
      : await client.query(pullQuery('$known: Int!'), { repo: repo.nodeId, issue, known });
  const grave = errors.filter((error) => !foundIn.some((list) => hidesOneItem(error, list)));
  if (grave.length > 0) throw graphqlRefusal('query Pull', grave);
  const { node } = read(Answer, data, 'query Pull');
  const linked = (node.issue.links.nodes ?? []).map((event) => event?.source ?? event?.subject);
  const mentioned = (node.issue.mentions.nodes ?? []).flatMap(
    (event) => event?.commit?.associatedPullRequests?.nodes ?? [],
  );
  const isOurs = (pull: Pull): boolean =>
    pull.repository.id === repo.nodeId &&
    !pull.isCrossRepository &&
    pull.baseRefName === branch &&
    commitsOfRun(
      (pull.commits.nodes ?? []).map((one) => ({ sha: '', message: one?.commit.message ?? '', parents: [] })),
      runId,
    ).length > 0;
  const found = [node.known, ...linked, ...mentioned].filter((pull) => pull != null && isOurs(pull));
  return pullThatCounts(found.flatMap((pull) => (pull ? [factsOf(pull)] : [])));
};

const foundIn = [
  ['node', 'issue', 'links'],
  ['node', 'issue', 'mentions'],
];

const factsOf = (pull: Pull): PullFacts => {
  const state = stateOf(pull.state);
  return {
    number: pull.number,
    url: pull.url,
    state,
    draft: pull.isDraft,
    // UNKNOWN is reckoned for a moment after each push: the next look tells.
    conflicting: pull.mergeable === 'CONFLICTING',
    review: reviews[pull.reviewDecision ?? ''] ?? null,
    head: pull.headRefOid,
    mergeCommit: pull.mergeCommit?.oid ?? null,
    closedBy: state === 'closed' ? (pull.closings.nodes?.at(-1)?.actor ?? null) : null,
  };
};

const stateOf = (word: Pull['state']): PullFacts['state'] => {
  switch (word) {
    case 'OPEN':
      return 'open';
    case 'MERGED':
      return 'merged';
    case 'CLOSED':
      return 'closed';
    default:
      return assertNever(word);
  }
};

const reviews: Readonly<Record<string, PullFacts['review']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes requested',
  REVIEW_REQUIRED: 'required',
};

const pullQuery = (known: '' | '$known: Int!'): string => /* GraphQL */ `
  query Pull($repo: ID!, $issue: Int!, ${known}) {
    node(id: $repo) {
      ... on Repository {
        ${known === '' ? '' : 'known: pullRequest(number: $known) { ...Proposal }'}
        issue(number: $issue) {
          links: timelineItems(last: 30, itemTypes: [CROSS_REFERENCED_EVENT, CONNECTED_EVENT]) {
            nodes {
              ... on CrossReferencedEvent { source { ...Proposal } }
              ... on ConnectedEvent { subject { ...Proposal } }
            }
          }
          mentions: timelineItems(last: 3, itemTypes: [REFERENCED_EVENT]) {
            nodes {
              ... on ReferencedEvent { commit { associatedPullRequests(first: 2) { nodes { ...Proposal } } } }
            }
          }
        }
      }
    }
  }
  fragment Proposal on PullRequest {
    number url state isDraft isCrossRepository baseRefName headRefOid mergeable reviewDecision
    repository { id }
    mergeCommit { oid }
    commits(last: 30) { nodes { commit { message } } }
    closings: timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) {
      nodes { ... on ClosedEvent { actor { __typename login } } }
    }
  }
`;

const Pull = z.object({
  number: z.number().int(),
  url: z.string(),
  state: z.enum(['OPEN', 'MERGED', 'CLOSED']),
  isDraft: z.boolean(),
  isCrossRepository: z.boolean(),
  baseRefName: z.string(),
  headRefOid: z.string(),
  mergeable: z.string(),
  reviewDecision: z.string().nullish(),
  repository: z.object({ id: z.string() }),
  mergeCommit: z.object({ oid: z.string() }).nullish(),
  commits: z.object({ nodes: z.array(z.object({ commit: z.object({ message: z.string() }) }).nullable()).nullish() }),
  closings: z.object({ nodes: z.array(z.object({ actor: GraphqlActor }).nullable()).nullish() }),
});
type Pull = z.infer<typeof Pull>;

// An issue in the place of a pull request has none of the fields, one that is hidden in part lacks some; a commit in a
// hidden repo is null.
const Linked = Pull.optional().catch(undefined);

const Answer = z.object({
  node: z.object({
    known: Pull.nullish(),
    issue: z.object({
      links: z.object({ nodes: z.array(z.object({ source: Linked, subject: Linked }).nullable()).nullish() }),
      mentions: z.object({
        nodes: z
          .array(
            z
              .object({
                commit: z
                  .object({
                    associatedPullRequests: z
                      .object({ nodes: z.array(Pull.nullable().catch(null)).nullish() })
                      .nullish(),
                  })
                  .nullish(),
              })
              .nullable(),
          )
          .nullish(),
      }),
    }),
  }),
});
