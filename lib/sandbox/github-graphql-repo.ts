import type { PageArgs } from './github-graphql-connection.ts';
import { connectionOf } from './github-graphql-connection.ts';
import type { DeploymentArgs } from './github-graphql-deployments.ts';
import { deploymentConnection } from './github-graphql-deployments.ts';
import type { Graph, Node } from './github-graphql-graph.ts';
import { accountNode } from './github-graphql-graph.ts';
import { isoOf, nodeIdOf } from './github-ids.ts';
import { commitAt, issuesOf } from './github-reads.ts';
import { GithubRefusal } from './github-refusal.ts';
import { numberOf } from './github-rest-accounts.ts';
import { repoHtml } from './github-rest-shapes.ts';
import type { Issue, Repo } from './github-state.ts';
import { accountOf, hasRole, roleOf } from './github-state.ts';

const ruleNodes = (repo: Repo): Node[] => {
  if (repo.rules.classic === true) return [];
  const checks = repo.rules.requiredChecks ?? [];
  const required = {
    __typename: 'RequiredStatusChecksParameters',
    doNotEnforceOnCreate: false,
    strictRequiredStatusChecksPolicy: false,
    requiredStatusChecks: checks.map((check) => ({
      __typename: 'StatusCheckConfiguration',
      context: check.context,
      integrationId: check.app === undefined ? null : numberOf(check.app),
    })),
  };
  const review = {
    __typename: 'PullRequestParameters',
    allowedMergeMethods: null,
    dismissStaleReviewsOnPush: false,
    requireCodeOwnerReview: false,
    requireLastPushApproval: false,
    requiredApprovingReviewCount: 1,
    requiredReviewThreadResolution: false,
    requiredReviewers: null,
  };
  const rule = (type: string, parameters: Node | null): Node => ({
    __typename: 'RepositoryRule',
    id: nodeIdOf('RRU', `${repo.id}:${type}`),
    type,
    parameters,
    repositoryRuleset: null,
  });
  return [
    ...(repo.rules.pullRequest ? [rule('PULL_REQUEST', review)] : []),
    ...(repo.rules.signatures ? [rule('REQUIRED_SIGNATURES', null)] : []),
    ...(checks.length > 0 ? [rule('REQUIRED_STATUS_CHECKS', required)] : []),
  ];
};

/** What a `RefUpdateRule` tells of the rules, of a ruleset as of a classic protection. */
export const updateRuleOf = ({ pullRequest, requiredChecks = [], signatures = false }: Repo['rules']) => ({
  requiredApprovingReviewCount: pullRequest ? 1 : null,
  requiredStatusCheckContexts: requiredChecks.map((check) => check.context),
  requiresSignatures: signatures,
});

/** `Ref` of a branch, with the rules in force there: those of the ruleset, as one who may not administer sees them. */
const refNode = (graph: Graph, repo: Repo, branch: string): Node | null => {
  const commit = repo.branches.has(branch) ? commitAt(repo, branch) : undefined;
  if (commit === undefined) return null;
  const rules = branch === repo.defaultBranch ? ruleNodes(repo) : [];
  const isClassic = branch === repo.defaultBranch && repo.rules.classic === true;
  const updateRule = {
    __typename: 'RefUpdateRule',
    pattern: branch,
    allowsDeletions: false,
    allowsForcePushes: true,
    blocksCreations: false,
    ...updateRuleOf(repo.rules),
    requiresCodeOwnerReviews: false,
    requiresConversationResolution: false,
    requiresLinearHistory: false,
    viewerAllowedToDismissReviews: false,
    viewerCanPush: hasRole(repo, graph.viewer, 'write') && !repo.rules.pullRequest,
  };
  return {
    __typename: 'Ref',
    id: nodeIdOf('REF', `${repo.id}:${branch}`),
    name: branch,
    prefix: 'refs/heads/',
    target: () => graph.commit(repo, commit),
    repository: () => graph.repo(repo),
    refUpdateRule: rules.length > 0 || isClassic ? updateRule : null,
    rules: (args: PageArgs) => connectionOf('rules', args, rules, (node) => node),
  };
};

type IssuesArgs = PageArgs & {
  labels?: readonly string[] | null;
  states?: readonly ('OPEN' | 'CLOSED')[] | null;
  orderBy?: { field: 'COMMENTS' | 'CREATED_AT' | 'UPDATED_AT'; direction: 'ASC' | 'DESC' } | null;
};

const sorts = { COMMENTS: 'comments', CREATED_AT: 'created', UPDATED_AT: 'updated' } as const;

/** Issues only: pull requests are no part of this list, as they are of REST's. Oldest first unless asked otherwise. */
const issues = (graph: Graph, repo: Repo, args: IssuesArgs) => {
  const labels = args.labels ?? [];
  // Whether several labels mean any or all is written nowhere, so no code of ours may rest on it.
  if (labels.length > 1) throw new Error('the stand-in does not say what several labels mean');
  const states = new Set(args.states ?? ['OPEN', 'CLOSED']);
  const found = repo.issuesEnabled
    ? issuesOf(repo, {
        labels,
        state: states.size > 1 ? 'all' : states.has('OPEN') ? 'open' : 'closed',
        sort: sorts[args.orderBy?.field ?? 'CREATED_AT'],
        direction: args.orderBy?.direction === 'DESC' ? 'desc' : 'asc',
        pulls: false,
      })
    : [];
  return connectionOf('issues', args, found, graph.issue);
};

const numbered = (graph: Graph, repo: Repo, number: number, fits: (issue: Issue) => boolean, kind: string): Node => {
  const issue = repo.issues.get(number);
  if (issue === undefined || issue.deleted || issue.movedTo !== null || !fits(issue)) {
    throw new GithubRefusal(200, `Could not resolve to ${kind} with the number of ${number}.`, 'NOT_FOUND');
  }
  return graph.issue(issue);
};

/** `Repository`. */
export const repoNode = (graph: Graph, repo: Repo): Node => {
  const [owner = '', name = ''] = repo.name.split('/');
  const role = roleOf(repo, graph.viewer);
  return {
    __typename: 'Repository',
    id: repo.nodeId,
    databaseId: repo.id,
    name,
    nameWithOwner: repo.name,
    owner: () => accountNode(accountOf(graph.state, owner)),
    url: repoHtml(repo),
    isArchived: repo.archived,
    isDisabled: repo.disabled,
    isLocked: false,
    lockReason: null,
    isPrivate: repo.private,
    isFork: false,
    isEmpty: false,
    visibility: repo.private ? 'PRIVATE' : 'PUBLIC',
    hasIssuesEnabled: repo.issuesEnabled,
    viewerPermission: role === 'none' ? null : role.toUpperCase(),
    viewerCanAdminister: role === 'admin',
    createdAt: isoOf(repo.createdAt),
    updatedAt: isoOf(repo.createdAt),
    pushedAt: isoOf(repo.activity.at(-1)?.at ?? repo.createdAt),
    defaultBranchRef: () => refNode(graph, repo, repo.defaultBranch),
    ref: (args: { qualifiedName: string }) => refNode(graph, repo, args.qualifiedName.replace(/^refs\/heads\//, '')),
    object: (args: { oid?: string | null; expression?: string | null }) => {
      const commit = typeof args.oid === 'string' ? repo.commits.get(args.oid) : commitAt(repo, args.expression ?? '');
      return commit === undefined ? null : graph.commit(repo, commit);
    },
    issues: (args: IssuesArgs) => issues(graph, repo, args),
    issue: (args: { number: number }) => numbered(graph, repo, args.number, (one) => one.pull === null, 'an Issue'),
    pullRequest: (args: { number: number }) =>
      numbered(graph, repo, args.number, (one) => one.pull !== null, 'a PullRequest'),
    issueOrPullRequest: (args: { number: number }) =>
      numbered(graph, repo, args.number, () => true, 'an issue or pull request'),
    // Whether case counts here is written nowhere; since it does, no code of ours may rest on either.
    label: (args: { name: string }) => {
      const label = repo.labels.find(({ name }) => name === args.name);
      return label === undefined ? null : graph.label(repo, label);
    },
    labels: (args: PageArgs & { query?: string | null }) => {
      const sought = (args.query ?? '').toLowerCase();
      const found = repo.labels.filter(({ name, description }) =>
        `${name}\n${description ?? ''}`.toLowerCase().includes(sought),
      );
      return connectionOf('labels', args, found, (label) => graph.label(repo, label));
    },
    deployments: (args: DeploymentArgs) => deploymentConnection(graph, repo, null, args),
  };
};
