import { checkNode, suiteNode } from './github-graphql-checks.ts';
import { commitNode } from './github-graphql-commit.ts';
import { deploymentNode } from './github-graphql-deployments.ts';
import type { Graph, Node } from './github-graphql-graph.ts';
import { accountNode, actorNode, canSee } from './github-graphql-graph.ts';
import { commentNode, issueNode, labelNode } from './github-graphql-issue.ts';
import { repoNode } from './github-graphql-repo.ts';
import { GithubRefusal, issuesOff } from './github-refusal.ts';
import type { CloseReason, Comment, Entity, Issue } from './github-state.ts';
import { accountOf, findRepo, repoById } from './github-state.ts';
import type { GithubWorld } from './github-world.ts';
import { githubWrites } from './github-writes.ts';

/** What is left of the viewer's points, as `rateLimit` tells it. */
export type Budget = {
  limit: number;
  remaining: number;
  used: number;
  resetAt: string;
  cost: number;
  nodeCount: number;
};

const idsMax = 100;

const missing = (message: string): GithubRefusal => new GithubRefusal(200, message, 'NOT_FOUND');

/** The viewer's graph: every node leads on to the others through it. */
const graphOf = (world: GithubWorld, viewer: string, base: string): Graph => {
  const { state } = world;
  const graph: Graph = {
    state,
    viewer,
    base,
    actor: (login) => actorNode(state, login),
    repo: (repo) => repoNode(graph, repo),
    issue: (issue) => issueNode(graph, issue),
    comment: (comment) => commentNode(graph, comment),
    label: (repo, label) => labelNode(graph, repo, label),
    commit: (repo, commit) => commitNode(graph, repo, commit),
    suite: (repo, suite) => suiteNode(graph, repo, suite),
    check: (repo, check) => checkNode(graph, repo, check),
    deployment: (repo, deployment) => deploymentNode(graph, repo, deployment),
  };
  return graph;
};

const issueOfComment = (graph: Graph, comment: Comment): Issue => {
  const issue = graph.state.issues.get(comment.issueId);
  if (issue === undefined) throw missing(`no issue for comment ${comment.id}`);
  return issue;
};

const nodeOf = (graph: Graph, entity: Entity): Node | null => {
  const { state } = graph;
  switch (entity.kind) {
    case 'account':
      return accountNode(entity.account);
    case 'repo':
      return canSee(graph, entity.repo) ? graph.repo(entity.repo) : null;
    case 'label':
      return canSee(graph, entity.repo) ? graph.label(entity.repo, entity.label) : null;
    case 'issue':
      return canSee(graph, repoById(state, entity.issue.repoId)) ? graph.issue(entity.issue) : null;
    case 'comment': {
      const repo = repoById(state, issueOfComment(graph, entity.comment).repoId);
      return canSee(graph, repo) ? graph.comment(entity.comment) : null;
    }
    case 'commit': {
      const repo = repoById(state, entity.commit.repoId);
      return canSee(graph, repo) ? graph.commit(repo, entity.commit) : null;
    }
  }
};

/** The node, or the refusal as a value: in a list it then stands for that one place only. */
const resolve = (graph: Graph, id: string): Node | GithubRefusal => {
  const entity = graph.state.nodes.get(id);
  const node = entity === undefined ? null : nodeOf(graph, entity);
  return node ?? missing(`Could not resolve to a node with the global id of '${id}'`);
};

const queries = (graph: Graph, budget: Budget): Node => ({
  node: (args: { id: string }) => resolve(graph, args.id),
  nodes: (args: { ids: readonly string[] }) => {
    if (args.ids.length > idsMax) {
      const message = `You may not provide more than ${idsMax} node ids; you provided ${args.ids.length}.`;
      throw new GithubRefusal(200, message, 'ARGUMENT_LIMIT');
    }
    return args.ids.map((id) => resolve(graph, id));
  },
  repository: (args: { owner: string; name: string; followRenames?: boolean | null }) => {
    const name = `${args.owner}/${args.name}`;
    const repo = findRepo(graph.state, name);
    const moved = repo?.name.toLowerCase() !== name.toLowerCase() && args.followRenames === false;
    if (repo === undefined || moved || !canSee(graph, repo)) {
      throw missing(`Could not resolve to a Repository with the name '${name}'.`);
    }
    return graph.repo(repo);
  },
  viewer: () => accountNode(accountOf(graph.state, graph.viewer)),
  rateLimit: () => budget,
});

type Input<T> = { input: T & { clientMutationId?: string | null } };

const mutations = (graph: Graph, world: GithubWorld): Node => {
  const { state } = world;
  const writes = githubWrites(world, graph.viewer);
  const issueAt = (id: string): Issue => {
    const entity = state.nodes.get(id);
    if (entity?.kind !== 'issue') throw missing(`Could not resolve to a node with the global id of '${id}'`);
    const repo = writes.placeOf(entity.issue);
    if (!repo.issuesEnabled && entity.issue.pull === null) throw issuesOff();
    return entity.issue;
  };
  const done = (input: { clientMutationId?: string | null }, fields: Node): Node => ({
    clientMutationId: input.clientMutationId ?? null,
    ...fields,
  });
  return {
    addLabelsToLabelable: ({ input }: Input<{ labelableId: string; labelIds: readonly string[] }>) => {
      const issue = issueAt(input.labelableId);
      const names = input.labelIds.map((id) => writes.labelHere(issue, id).name);
      writes.addLabels(issue, names);
      return done(input, { labelable: () => graph.issue(issue) });
    },
    // A label the issue does not carry is no error here, unlike in REST.
    removeLabelsFromLabelable: ({ input }: Input<{ labelableId: string; labelIds: readonly string[] }>) => {
      const issue = issueAt(input.labelableId);
      const labels = input.labelIds.map((id) => writes.labelHere(issue, id));
      for (const label of labels) if (issue.labels.includes(label)) writes.removeLabel(issue, label.name);
      return done(input, { labelable: () => graph.issue(issue) });
    },
    addComment: ({ input }: Input<{ subjectId: string; body: string }>) => {
      const issue = issueAt(input.subjectId);
      const comment = writes.addComment(issue, input.body);
      const edge = { cursor: comment.nodeId, node: () => graph.comment(comment) };
      return done(input, { subject: () => graph.issue(issue), commentEdge: edge, timelineEdge: edge });
    },
    updateIssueComment: ({ input }: Input<{ id: string; body: string }>) => {
      const entity = state.nodes.get(input.id);
      if (entity?.kind !== 'comment') throw missing(`Could not resolve to a node with the global id of '${input.id}'`);
      writes.editComment(entity.comment, input.body);
      return done(input, { issueComment: () => graph.comment(entity.comment) });
    },
    closeIssue: ({ input }: Input<{ issueId: string; stateReason?: string | null }>) => {
      const issue = issueAt(input.issueId);
      const reason: CloseReason =
        input.stateReason === 'NOT_PLANNED'
          ? 'not_planned'
          : input.stateReason === 'DUPLICATE'
            ? 'duplicate'
            : 'completed';
      writes.setState(issue, 'closed', reason);
      return done(input, { issue: () => graph.issue(issue) });
    },
    reopenIssue: ({ input }: Input<{ issueId: string }>) => {
      const issue = issueAt(input.issueId);
      writes.setState(issue, 'open');
      return done(input, { issue: () => graph.issue(issue) });
    },
  };
};

/** What a query starts from, for one viewer: the SDL's `Query` and `Mutation`. */
export const rootOf = (world: GithubWorld, viewer: string, base: string, budget: Budget): Node => {
  const graph = graphOf(world, viewer, base);
  return { ...queries(graph, budget), ...mutations(graph, world) };
};
