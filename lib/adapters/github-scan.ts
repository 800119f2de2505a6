import * as z from 'zod';
import type { RepoRef, RepoScan } from '../core/issue.ts';
import { type GithubClient, read } from './github-client.ts';
import { DefaultBranch, Id } from './github-wire.ts';

/**
 * Repos by node id, 100 a request, four requests at once: one point each. A repo that is not there for us is null
 * beside an error of its own, and one that does not parse is left out; neither hides the others.
 */
export const scanRepos = async (
  client: GithubClient,
  repos: readonly RepoRef[],
  label: string,
  state: 'open' | 'all',
): Promise<readonly RepoScan[]> => {
  const found: RepoScan[] = [];
  const pages = chunks(chunks(repos, pageSize), pagesAtOnce);
  for (const group of pages) {
    const scans = await Promise.all(group.map((page) => scanPage(client, page, label, state)));
    found.push(...scans.flat());
  }
  return found;
};

/** Up to `size` in each, in order. */
export const chunks = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

/** Repos in one request, and requests at once: more of either is refused, or asks too much of GitHub at a time. */
export const pageSize = 100;
export const pagesAtOnce = 4;

const scanPage = async (
  client: GithubClient,
  repos: readonly RepoRef[],
  label: string,
  state: 'open' | 'all',
): Promise<readonly RepoScan[]> => {
  const states = state === 'all' ? ['OPEN', 'CLOSED'] : ['OPEN'];
  const { data } = await client.query(scanQuery, { ids: repos.map((repo) => repo.nodeId), labels: [label], states });
  return read(Nodes, data, 'query Scan').nodes.flatMap((node) => {
    const row = Row.safeParse(node).data;
    if (!row) return [];
    const branch = row.defaultBranchRef;
    return {
      id: row.databaseId,
      nodeId: row.id,
      name: row.nameWithOwner,
      // A repo the tracker switched off takes no writes either.
      archived: row.isArchived || row.isDisabled,
      issuesEnabled: row.hasIssuesEnabled,
      defaultBranch: branch?.target ? { name: branch.name, head: branch.target.oid } : null,
      readyCount: row.issues.totalCount,
    };
  });
};

const scanQuery = /* GraphQL */ `
  query Scan($ids: [ID!]!, $labels: [String!], $states: [IssueState!]) {
    nodes(ids: $ids) {
      ... on Repository {
        id
        databaseId
        nameWithOwner
        isArchived
        isDisabled
        hasIssuesEnabled
        defaultBranchRef { name target { oid } }
        issues(first: 1, labels: $labels, states: $states) { totalCount }
      }
    }
  }
`;

const Nodes = z.object({ nodes: z.array(z.unknown()) });

const Row = z.object({
  id: z.string(),
  databaseId: Id,
  nameWithOwner: z.string(),
  isArchived: z.boolean(),
  isDisabled: z.boolean(),
  hasIssuesEnabled: z.boolean(),
  defaultBranchRef: DefaultBranch,
  issues: z.object({ totalCount: z.number().int() }),
});
