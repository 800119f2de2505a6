import type { PageArgs } from './github-graphql-connection.ts';
import { connectionOf } from './github-graphql-connection.ts';
import type { Graph, Node } from './github-graphql-graph.ts';
import { isoOf } from './github-ids.ts';
import { deploymentStates, deploymentsOf } from './github-reads.ts';
import type { Deployment, Repo } from './github-state.ts';

const deploymentWords: Readonly<Record<string, string>> = { success: 'ACTIVE' };

/** `Deployment`. A success shows as `ACTIVE`, and as `INACTIVE` once a later one replaced it. */
export const deploymentNode = (graph: Graph, repo: Repo, deployment: Deployment): Node => {
  const states = deploymentStates(graph.state, repo, deployment);
  const statusNodes = states.map((one) => ({
    __typename: 'DeploymentStatus',
    id: one.nodeId,
    state: one.state.toUpperCase(),
    createdAt: isoOf(one.at),
    updatedAt: isoOf(one.at),
    description: null,
    environment: deployment.environment,
    environmentUrl: null,
    logUrl: null,
    creator: () => graph.actor(deployment.creator),
    deployment: () => graph.deployment(repo, deployment),
  }));
  const newest = states[0];
  const commit = repo.commits.get(deployment.sha);
  return {
    __typename: 'Deployment',
    id: deployment.nodeId,
    databaseId: deployment.id,
    commitOid: deployment.sha,
    commit: () => (commit === undefined ? null : graph.commit(repo, commit)),
    environment: deployment.environment,
    latestEnvironment: deployment.environment,
    originalEnvironment: deployment.environment,
    description: null,
    payload: null,
    task: 'deploy',
    state: newest === undefined ? 'PENDING' : (deploymentWords[newest.state] ?? newest.state.toUpperCase()),
    createdAt: isoOf(deployment.createdAt),
    updatedAt: isoOf(newest?.at ?? deployment.createdAt),
    creator: () => graph.actor(deployment.creator),
    repository: () => graph.repo(repo),
    latestStatus: statusNodes[0] ?? null,
    statuses: (args: PageArgs) => connectionOf('statuses', args, statusNodes, (node) => node),
  };
};

/** What a list of deployments is asked for. */
export type DeploymentArgs = PageArgs & {
  environments?: readonly string[] | null;
  orderBy?: { field: string; direction: string } | null;
};

/** Deployments of one commit or of all: oldest first unless asked otherwise, of the named environments or of any. */
export const deploymentConnection = (graph: Graph, repo: Repo, sha: string | null, args: DeploymentArgs) => {
  const found = deploymentsOf(graph.state, repo)
    .filter((one) => sha === null || one.sha === sha)
    .filter((one) => args.environments?.includes(one.environment) ?? true);
  const ordered = args.orderBy?.direction === 'DESC' ? found : found.toReversed();
  return connectionOf('deployments', args, ordered, (one) => graph.deployment(repo, one));
};
