import * as z from 'zod';
import type { Deployment } from '../core/deployment-verdict.ts';
import type { RepoRef } from '../core/issue.ts';
import { type GithubClient, read } from './github-client.ts';
import { chunks } from './github-scan.ts';
import { Instant } from './github-wire.ts';

/**
 * Deployments in neutral words. Each whose commit is another one is compared with ours: a batch deploys a later
 * commit. A row that does not parse is left out, which proves nothing and waits.
 */
export const deploymentsOf = async (
  client: GithubClient,
  ancestry: Ancestry,
  repo: RepoRef,
  ours: string,
  nodes: readonly unknown[],
): Promise<readonly Deployment[]> => {
  const rows = nodes.flatMap((node) => Row.safeParse(node).data ?? []);
  const deployments: Deployment[] = [];
  for (const { commitOid: sha, environment, createdAt, latestStatus, statuses } of rows) {
    const state = latestStatus ? (states[latestStatus.state] ?? 'unknown') : 'pending';
    deployments.push({
      environment: environment ?? '',
      sha,
      containsOurs: sha === ours || (await contains(client, ancestry, repo, { ours, sha })),
      state,
      everSucceeded: state === 'success' || (statuses?.nodes ?? []).some((one) => one?.state === 'SUCCESS'),
      createdAt,
      url: latestStatus?.logUrl ?? latestStatus?.environmentUrl ?? null,
    });
  }
  return deployments;
};

/** What was learnt of which commit contains which; commits never change, so it never wears out. Bounded. */
export type Ancestry = Map<string, boolean>;

/** The environments of one query each: a query of too many is too much for GitHub to answer in time. */
export const environmentGroups = (environments: readonly string[]): readonly (readonly string[])[] =>
  chunks([...new Set(environments)], environmentsAtOnce);

const environmentsAtOnce = 10;

/**
 * What a query says to ask a `Repository` for the newest deployments to each of these. Each environment has a connection
 * of its own, for in one of all a busy environment pushes the others out. Names are variables, never text of the query.
 */
export const askedOf = (environments: readonly string[]) => ({
  declared: environments.map((_, index) => `, $e${index}: String!`).join(''),
  connections: environments.map((_, index) => connectionOf(index)).join('\n'),
  variables: Object.fromEntries(environments.map((name, index) => [`e${index}`, name])),
});

const connectionOf = (index: number): string => /* GraphQL */ `
  e${index}: deployments(first: 30, environments: [$e${index}], orderBy: { field: CREATED_AT, direction: DESC }) {
    nodes {
      environment
      commitOid
      createdAt
      latestStatus { state logUrl environmentUrl }
      statuses(first: 30) { nodes { state } }
    }
  }
`;

/** Their rows in the answer, environment by environment, newest first; each is judged by itself. */
export const rowsOf = (node: Readonly<Record<string, unknown>>, environments: readonly string[]): readonly unknown[] =>
  environments.flatMap((_, index) => read(Connection, node[`e${index}`], 'query Deployments').nodes ?? []);

const Connection = z.object({ nodes: z.array(z.unknown()).nullish() });

export const Deployed = z.object({ node: z.record(z.string(), z.unknown()) });

const ancestryMax = 1_000;

const contains = async (
  client: GithubClient,
  ancestry: Ancestry,
  repo: RepoRef,
  { ours, sha }: { ours: string; sha: string },
): Promise<boolean> => {
  const key = `${repo.id}:${ours}...${sha}`;
  const known = ancestry.get(key);
  if (known !== undefined) return known;
  const route = 'GET /repositories/{repo_id}/compare/{basehead}';
  const asked = { repo_id: repo.id, basehead: `${ours}...${sha}`, per_page: 1 };
  const answer = await client.ask(route, asked, [200, 404]);
  const found = answer.status === 200 && ['ahead', 'identical'].includes(read(Status, answer.data, route).status);
  if (ancestry.size >= ancestryMax) ancestry.clear();
  ancestry.set(key, found);
  return found;
};

const Status = z.object({ status: z.string() });

const states: Readonly<Record<string, Deployment['state']>> = {
  SUCCESS: 'success',
  FAILURE: 'failure',
  ERROR: 'failure',
  INACTIVE: 'inactive',
  IN_PROGRESS: 'running',
  PENDING: 'pending',
  QUEUED: 'queued',
  WAITING: 'waiting',
};

const Row = z.object({
  environment: z.string().nullish(),
  commitOid: z.string(),
  createdAt: Instant,
  latestStatus: z
    .object({ state: z.string(), logUrl: z.string().nullish(), environmentUrl: z.string().nullish() })
    .nullish(),
  statuses: z.object({ nodes: z.array(z.object({ state: z.string() }).nullable()).nullish() }).nullish(),
});
