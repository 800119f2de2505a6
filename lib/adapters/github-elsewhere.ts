import * as z from 'zod';
import type { RepoRef } from '../core/issue.ts';
import { commitsOfRun } from '../core/push-tip.ts';
import type { Forge } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { graphqlRefusal, hidesOneItem } from './github-refusal.ts';

/**
 * A pull request, or a commit of another branch, that mentions the issue and carries the run's trailer; the newest.
 * One request: GitHub links both from the issue. What others mention from a hidden place is passed over.
 */
export const foundElsewhere = async (
  client: GithubClient,
  repo: RepoRef,
  { issue, runId }: Parameters<Forge['elsewhere']>[1],
): ReturnType<Forge['elsewhere']> => {
  const { data, errors } = await client.query(elsewhereQuery, { repo: repo.nodeId, number: issue });
  const grave = errors.filter((error) => !hidesOneItem(error, ['node', 'issue', 'timelineItems']));
  if (grave.length > 0) throw graphqlRefusal('query Elsewhere', grave);
  const events = read(Elsewhere, data, 'query Elsewhere').node.issue.timelineItems.nodes ?? [];
  const carriers = events.flatMap((event) => {
    const pull = event?.source ?? event?.subject;
    const messages = pull
      ? (pull.commits.nodes ?? []).map((node) => node?.commit.message ?? '')
      : [event?.commit?.message ?? ''];
    const url = pull?.url ?? event?.commit?.url;
    const commits = messages.map((message) => ({ sha: '', message, parents: [] }));
    return url !== undefined && commitsOfRun(commits, runId).length > 0 ? [{ url, isPull: pull !== undefined }] : [];
  });
  // A pull request shows what is to be done with it; its commits are found as mentions too.
  const best = carriers.findLast((carrier) => carrier.isPull) ?? carriers.at(-1);
  return best ? { url: best.url } : null;
};

const elsewhereQuery = /* GraphQL */ `
  query Elsewhere($repo: ID!, $number: Int!) {
    node(id: $repo) {
      ... on Repository {
        issue(number: $number) {
          timelineItems(last: 30, itemTypes: [REFERENCED_EVENT, CROSS_REFERENCED_EVENT, CONNECTED_EVENT]) {
            nodes {
              ... on ReferencedEvent { commit { message url } }
              ... on CrossReferencedEvent { source { ...Carrier } }
              ... on ConnectedEvent { subject { ...Carrier } }
            }
          }
        }
      }
    }
  }
  fragment Carrier on PullRequest { url commits(last: 20) { nodes { commit { message } } } }
`;

const Pull = z.object({
  url: z.string(),
  commits: z.object({ nodes: z.array(z.object({ commit: z.object({ message: z.string() }) }).nullable()).nullish() }),
});

// An issue in the place of a pull request has none of the fields; a commit in a hidden repo is null.
const Event = z.object({
  commit: z.object({ message: z.string(), url: z.string() }).nullish().catch(null),
  source: Pull.optional().catch(undefined),
  subject: Pull.optional().catch(undefined),
});

const Elsewhere = z.object({
  node: z.object({ issue: z.object({ timelineItems: z.object({ nodes: z.array(Event.nullable()).nullish() }) }) }),
});
