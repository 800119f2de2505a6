import { rollupNode, statusesNode } from './github-graphql-checks.ts';
import type { PageArgs } from './github-graphql-connection.ts';
import { connectionOf } from './github-graphql-connection.ts';
import type { DeploymentArgs } from './github-graphql-deployments.ts';
import { deploymentConnection } from './github-graphql-deployments.ts';
import type { Graph, Node } from './github-graphql-graph.ts';
import { isoOf } from './github-ids.ts';
import { pullsWith } from './github-pulls.ts';
import { historyOf, suitesOf } from './github-reads.ts';
import { repoHtml } from './github-rest-shapes.ts';
import type { Commit, Repo } from './github-state.ts';

/** `Commit`. */
export const commitNode = (graph: Graph, repo: Repo, commit: Commit): Node => {
  const [headline = '', ...rest] = commit.message.split('\n');
  const person: Node = {
    __typename: 'GitActor',
    name: commit.author,
    email: `${encodeURIComponent(commit.author)}@users.noreply.github.com`,
    date: isoOf(commit.at),
    user: () => {
      const actor = graph.actor(commit.author);
      return actor?.['__typename'] === 'User' ? actor : null;
    },
  };
  return {
    __typename: 'Commit',
    id: commit.nodeId,
    oid: commit.sha,
    abbreviatedOid: commit.sha.slice(0, 7),
    message: commit.message,
    messageHeadline: headline,
    messageBody: rest.join('\n').trim(),
    author: person,
    committer: person,
    authoredDate: isoOf(commit.at),
    committedDate: isoOf(commit.at),
    url: `${repoHtml(repo)}/commit/${commit.sha}`,
    repository: () => graph.repo(repo),
    statusCheckRollup: () => rollupNode(graph, repo, commit),
    status: () => statusesNode(graph, repo, commit),
    checkSuites: (args: PageArgs) =>
      connectionOf('checkSuites', args, suitesOf(graph.state, repo, commit.sha), (suite) => graph.suite(repo, suite)),
    deployments: (args: DeploymentArgs) => deploymentConnection(graph, repo, commit.sha, args),
    associatedPullRequests: (args: PageArgs) => {
      return connectionOf('associatedPullRequests', args, pullsWith(repo, commit), graph.issue);
    },
    history: (args: PageArgs) =>
      connectionOf('history', args, historyOf(repo, commit), (one) => graph.commit(repo, one)),
    parents: (args: PageArgs) => {
      const parents = commit.parents.flatMap((sha) => repo.commits.get(sha) ?? []);
      return connectionOf('parents', args, parents, (one) => graph.commit(repo, one));
    },
  };
};
