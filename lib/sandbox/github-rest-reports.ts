import { isoOf, isoOrNull, nodeIdOf, shaOf } from './github-ids.ts';
import { checkStanding, combinedState, deploymentStates, suiteStanding } from './github-reads.ts';
import type { Face } from './github-rest-accounts.ts';
import { actorShape, appShape, numberOf, userShape } from './github-rest-accounts.ts';
import { gitUser } from './github-rest-commits.ts';
import { repoHtml, repoUrl, smallRepoShape } from './github-rest-shapes.ts';
import type { Check, Commit, Deployment, Repo, Status, Suite } from './github-state.ts';
import { accountOf } from './github-state.ts';

// REST knows fewer conclusions than GraphQL; the others are seen there only.
const restConclusions: ReadonlySet<string> = new Set([
  'success',
  'failure',
  'neutral',
  'cancelled',
  'skipped',
  'timed_out',
  'action_required',
]);

/** `check-run`; a conclusion REST has no word for is shown as a failure. */
export const checkShape = (face: Face, repo: Repo, check: Check) => {
  const now = checkStanding(face.state, check);
  const url = `${repoUrl(face, repo)}/check-runs/${check.id}`;
  return {
    id: check.id,
    node_id: check.nodeId,
    head_sha: check.sha,
    name: check.name,
    url,
    html_url: `${repoHtml(repo)}/runs/${check.id}`,
    details_url: `${repoHtml(repo)}/runs/${check.id}`,
    external_id: String(check.id),
    status: now.status,
    conclusion: now.conclusion === null || restConclusions.has(now.conclusion) ? now.conclusion : 'failure',
    started_at: isoOrNull(now.startedAt),
    completed_at: isoOrNull(now.completedAt),
    check_suite: { id: check.suite.id },
    output: {
      title: now.title,
      summary: now.summary,
      text: now.text,
      annotations_count: 0,
      annotations_url: `${url}/annotations`,
    },
    app: appShape(face, check.suite.app),
    pull_requests: [],
  };
};

/** `combined-commit-status`: the newest status of each context, of which `page` holds some. */
export const combinedShape = (
  face: Face,
  repo: Repo,
  commit: Commit,
  statuses: readonly Status[],
  page: readonly Status[],
) => {
  const url = `${repoUrl(face, repo)}/commits/${commit.sha}`;
  return {
    state: combinedState(statuses),
    sha: commit.sha,
    total_count: statuses.length,
    statuses: page.map((status) => ({
      id: status.id,
      node_id: status.nodeId,
      url: `${repoUrl(face, repo)}/statuses/${commit.sha}`,
      state: status.state,
      context: status.context,
      description: status.says,
      target_url: null,
      avatar_url: userShape(face, accountOf(face.state, status.creator)).avatar_url,
      created_at: isoOf(status.at),
      updated_at: isoOf(status.at),
    })),
    repository: smallRepoShape(face, repo),
    commit_url: url,
    url: `${url}/status`,
  };
};

/** `workflow-run`: what an Actions suite is to those who ask for runs. */
export const runShape = (face: Face, repo: Repo, suite: Suite) => {
  const now = suiteStanding(face.state, repo, suite);
  const url = `${repoUrl(face, repo)}/actions/runs/${suite.id}`;
  const commit = repo.commits.get(suite.sha);
  const name = suite.workflow ?? 'CI';
  const file = suite.file ?? name;
  const person = commit && { name: commit.author, email: gitUser(commit).email };
  return {
    id: suite.id,
    name,
    node_id: nodeIdOf('WFR', String(suite.id)),
    check_suite_id: suite.id,
    check_suite_node_id: suite.nodeId,
    head_branch: suite.branch,
    head_sha: suite.sha,
    path: `.github/workflows/${encodeURIComponent(file)}.yml`,
    run_number: suite.number,
    run_attempt: 1,
    display_title: commit?.message.split('\n')[0] ?? name,
    event: suite.event,
    status: now.status,
    conclusion: now.conclusion,
    workflow_id: numberOf(file),
    url,
    html_url: `${repoHtml(repo)}/actions/runs/${suite.id}`,
    pull_requests: [],
    created_at: isoOf(suite.createdAt),
    updated_at: isoOf(now.updatedAt),
    run_started_at: isoOf(suite.createdAt),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${repoUrl(face, repo)}/check-suites/${suite.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${repoUrl(face, repo)}/actions/workflows/${numberOf(file)}`,
    head_commit:
      commit === undefined || person === undefined
        ? null
        : {
            id: commit.sha,
            tree_id: shaOf(`tree:${commit.sha}`),
            message: commit.message,
            timestamp: isoOf(commit.at),
            author: person,
            committer: person,
          },
    repository: smallRepoShape(face, repo),
    head_repository: smallRepoShape(face, repo),
  };
};

/** `deployment`. */
export const deploymentShape = (face: Face, repo: Repo, deployment: Deployment) => {
  const url = `${repoUrl(face, repo)}/deployments/${deployment.id}`;
  const newest = deploymentStates(face.state, repo, deployment)[0];
  return {
    url,
    id: deployment.id,
    node_id: deployment.nodeId,
    sha: deployment.sha,
    ref: deployment.ref,
    task: 'deploy',
    payload: {},
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: null,
    creator: actorShape(face, deployment.creator),
    created_at: isoOf(deployment.createdAt),
    updated_at: isoOf(newest?.at ?? deployment.createdAt),
    statuses_url: `${url}/statuses`,
    repository_url: repoUrl(face, repo),
  };
};

/** `deployment-status`, newest first. */
export const deploymentStatusShapes = (face: Face, repo: Repo, deployment: Deployment) => {
  const url = `${repoUrl(face, repo)}/deployments/${deployment.id}`;
  return deploymentStates(face.state, repo, deployment).map((one) => ({
    url: `${url}/statuses/${one.id}`,
    id: one.id,
    node_id: one.nodeId,
    // `waiting` is GraphQL's word only: until somebody approves, REST says `pending`.
    state: one.state === 'waiting' ? 'pending' : one.state,
    creator: actorShape(face, deployment.creator),
    description: '',
    environment: deployment.environment,
    target_url: `${repoHtml(repo)}/deployments`,
    log_url: `${repoHtml(repo)}/deployments`,
    created_at: isoOf(one.at),
    updated_at: isoOf(one.at),
    deployment_url: url,
    repository_url: repoUrl(face, repo),
  }));
};

/** The rules a branch is under, as the ruleset endpoint lists them. */
export const ruleShapes = (repo: Repo, branch: string): object[] => {
  if (branch !== repo.defaultBranch || repo.rules.classic === true) return [];
  const origin = { ruleset_source_type: 'Repository', ruleset_source: repo.name, ruleset_id: repo.id };
  const checks = repo.rules.requiredChecks ?? [];
  const required = checks.map((check) => ({
    context: check.context,
    ...(check.app !== undefined && { integration_id: numberOf(check.app) }),
  }));
  const review = {
    dismiss_stale_reviews_on_push: false,
    require_code_owner_review: false,
    require_last_push_approval: false,
    required_approving_review_count: 1,
    required_review_thread_resolution: false,
  };
  const environments = repo.rules.deployments ?? [];
  const tool = { tool: 'CodeQL', alerts_threshold: 'errors', security_alerts_threshold: 'high_or_higher' };
  const scanning = { code_scanning_tools: [tool] };
  const workflows = { workflows: [{ path: '.github/workflows/ci.yml', repository_id: repo.id }] };
  return [
    ...(repo.rules.locked ? [{ type: 'update', ...origin }] : []),
    ...(repo.rules.mergeQueue ? [{ type: 'merge_queue', ...origin }] : []),
    ...(repo.rules.pullRequest ? [{ type: 'pull_request', parameters: review, ...origin }] : []),
    ...(repo.rules.signatures ? [{ type: 'required_signatures', ...origin }] : []),
    ...(environments.length > 0
      ? [{ type: 'required_deployments', parameters: { required_deployment_environments: environments }, ...origin }]
      : []),
    ...(repo.rules.codeScanning ? [{ type: 'code_scanning', parameters: scanning, ...origin }] : []),
    ...(repo.rules.workflows ? [{ type: 'workflows', parameters: workflows, ...origin }] : []),
    ...(checks.length > 0
      ? [
          {
            type: 'required_status_checks',
            parameters: { required_status_checks: required, strict_required_status_checks_policy: false },
            ...origin,
          },
        ]
      : []),
  ];
};
