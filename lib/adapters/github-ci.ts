import * as z from 'zod';
import type { CiFacts } from '../core/ci-verdict.ts';
import type { RepoRef } from '../core/issue.ts';
import { type Forge, PortError } from '../ports.ts';
import { checkOf, unknownCheck } from './github-check.ts';
import { type GithubClient, type Params, read } from './github-client.ts';
import { type Ancestry, askedOf, Deployed, deploymentsOf, environmentGroups, rowsOf } from './github-deployments.ts';
import { graphqlRefusal } from './github-refusal.ts';
import { isNoRules, RulesOfBranch, requiredOf, rulesOfBranch } from './github-required.ts';
import { CheckSuites, runlessChecks, suitesOfCommit } from './github-suites.ts';
import { commitGlance, commitPrint, recalled, type WatchMemory } from './github-watched.ts';

/**
 * What CI and deployments show of one commit, and what the branch demands of it: from memory where a glance shows that
 * its checks are the same, else one query, a further one for each 100 checks and each ten environments, and one
 * comparison for each commit deployed in its place. Any error in the answer fails the whole, for half of the checks may read as green.
 */
export const commitReports = async (
  client: GithubClient,
  { ancestry, watched }: { ancestry: Ancestry; watched: WatchMemory },
  repo: RepoRef,
  { sha, hasDescendant, environments }: Parameters<Forge['ci']>[1],
): ReturnType<Forge['ci']> => {
  const key = `${repo.nodeId} ${sha}`;
  // Deployments are of other commits as well, which no glance at this one shows.
  const known = environments.length > 0 ? null : recalled(watched, watched.commits, key);
  if (known !== null) return { ci: { ...known, hasDescendant }, deployments: [] };
  const at = watched.now();
  const asked = { repo: repo.nodeId, oid: sha };
  const [group, ...furtherGroups] = environmentGroups(environments);
  const first =
    group === undefined
      ? await page(client, queryOfCommit, { ...asked, after: null })
      : await page(client, queryWithDeployments(group), { ...asked, ...askedOf(group).variables, after: null });
  const contexts = [...first.contexts.nodes];
  let { pageInfo } = first.contexts;
  for (let pages = 1; pageInfo.hasNextPage && pages < pagesMax; pages += 1) {
    const next = await page(client, queryOfChecks, { ...asked, after: pageInfo.endCursor ?? null });
    contexts.push(...next.contexts.nodes);
    pageInfo = next.contexts.pageInfo;
  }
  const rows = [...rowsOf(first.node, group ?? [])];
  for (const further of furtherGroups) rows.push(...(await rowsTo(client, repo, further)));
  const unread = pageInfo.hasNextPage ? [unknownCheck('more checks than can be read')] : [];
  const ci: CiFacts = {
    checks: [...contexts.map(checkOf), ...unread, ...first.runless],
    message: first.message,
    hasDescendant,
    required: first.required,
  };
  if (first.print === null) watched.commits.delete(key);
  else watched.commits.set(key, { print: first.print, at, value: ci, repo: repo.nodeId, sha });
  return { ci, deployments: await deploymentsOf(client, ancestry, repo, sha, rows) };
};

const pagesMax = 5;

const page = async (client: GithubClient, query: string, asked: Params) => {
  const { data, errors } = await client.query(query, asked);
  const amiss = errors.filter((error) => !isNoRules(error));
  if (amiss.length > 0) throw graphqlRefusal('query Ci', amiss);
  const { node } = read(Answer, data, 'query Ci');
  const { object, defaultBranchRef } = node;
  if (!object) throw new PortError('refused', 'query Ci: the repository has no such commit');
  return {
    print: commitPrint(Unread.safeParse(data).data?.node.object),
    message: object.message,
    contexts: object.statusCheckRollup?.contexts ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } },
    runless: runlessChecks(object.checkSuites),
    node,
    required: requiredOf(defaultBranchRef),
  };
};

const rowsTo = async (client: GithubClient, repo: RepoRef, environments: readonly string[]) => {
  const asked = { repo: repo.nodeId, ...askedOf(environments).variables };
  const { data, errors } = await client.query(queryOfDeployments(environments), asked);
  if (errors.length > 0) throw graphqlRefusal('query Deployments', errors);
  return rowsOf(read(Deployed, data, 'query Deployments').node, environments);
};

const checksOfCommit = /* GraphQL */ `
  object(oid: $oid) {
    ... on Commit {
      message
      ${commitGlance}
      statusCheckRollup {
        contexts(first: 100, after: $after) {
          pageInfo { hasNextPage endCursor }
          nodes {
            __typename
            ... on CheckRun {
              name
              status
              conclusion
              startedAt
              completedAt
              detailsUrl
              checkSuite { app { slug databaseId } workflowRun { event workflow { name databaseId } } }
            }
            ... on StatusContext { context state createdAt targetUrl }
          }
        }
      }
      ${suitesOfCommit}
    }
  }
`;

const queryOfCommit = /* GraphQL */ `
  query Ci($repo: ID!, $oid: GitObjectID!, $after: String) {
    node(id: $repo) { ... on Repository { ${rulesOfBranch} ${checksOfCommit} } }
  }
`;

const queryOfChecks = /* GraphQL */ `
  query MoreChecks($repo: ID!, $oid: GitObjectID!, $after: String) {
    node(id: $repo) { ... on Repository { ${checksOfCommit} } }
  }
`;

const queryWithDeployments = (environments: readonly string[]): string => /* GraphQL */ `
  query CiAndDeployments($repo: ID!, $oid: GitObjectID!, $after: String${askedOf(environments).declared}) {
    node(id: $repo) { ... on Repository { ${rulesOfBranch} ${checksOfCommit} ${askedOf(environments).connections} } }
  }
`;

const queryOfDeployments = (environments: readonly string[]): string => /* GraphQL */ `
  query Deployments($repo: ID!${askedOf(environments).declared}) {
    node(id: $repo) { ... on Repository { ${askedOf(environments).connections} } }
  }
`;

/** The commit as it came: what the schema below leaves out is part of its print. */
const Unread = z.object({ node: z.object({ object: z.unknown() }) });

const Answer = z.object({
  node: z.looseObject({
    object: z
      .object({
        message: z.string(),
        statusCheckRollup: z
          .object({
            contexts: z.object({
              pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
              nodes: z
                .array(z.unknown())
                .nullish()
                .transform((nodes) => nodes ?? [null]),
            }),
          })
          .nullish(),
        checkSuites: CheckSuites,
      })
      .nullish(),
    defaultBranchRef: RulesOfBranch,
  }),
});
