import {
  checksOf,
  commitAt,
  compareCommits,
  deploymentsOf,
  historyOf,
  latestChecks,
  latestStatuses,
  suiteStanding,
} from './github-reads.ts';
import { GithubRefusal, notFound } from './github-refusal.ts';
import { userShape } from './github-rest-accounts.ts';
import type { Answer, Call, Route } from './github-rest-call.ts';
import { cursorPage, pageOf, pageSize } from './github-rest-call.ts';
import { activityShape, commitShape, comparisonShape } from './github-rest-commits.ts';
import {
  checkShape,
  combinedShape,
  deploymentShape,
  deploymentStatusShapes,
  ruleShapes,
  runShape,
} from './github-rest-reports.ts';
import { grants, repoShape, repoUrl } from './github-rest-shapes.ts';
import type { Commit } from './github-state.ts';
import { roleOf } from './github-state.ts';

const permissions = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'read',
  read: 'read',
  none: 'none',
} as const;

/** `permission` folds five roles into admin, write, read and none; app bots have none, some actors are unknown. */
const permission = (call: Call): Answer => {
  const login = call.path[0] ?? '';
  const account = call.face.state.accounts.get(login.toLowerCase());
  if (account === undefined || account.deleted || account.notAUser || account.type === 'Organization') {
    throw notFound(`${login} is not a user`);
  }
  const granted =
    account.type === 'Bot'
      ? (call.repo.permissions.get(login.toLowerCase()) ?? 'none')
      : roleOf(call.repo, account.login);
  const role = account.type === 'User' || call.repo.permissions.has(login.toLowerCase()) ? granted : 'none';
  const user = { ...userShape(call.face, account), permissions: grants(role), role_name: role };
  return { status: 200, body: { permission: permissions[role], role_name: role, user } };
};

const commitIn = (call: Call, ref: string): Commit => {
  const commit = commitAt(call.repo, ref);
  if (commit === undefined) throw new GithubRefusal(422, `No commit found for SHA: ${ref}`, 'UNPROCESSABLE');
  return commit;
};

const comparedMax = 250;

const compare = (call: Call): Answer => {
  const basehead = call.path.join('/');
  const [baseName = '', headName = ''] = basehead.split('...');
  const base = commitAt(call.repo, baseName);
  const head = commitAt(call.repo, headName);
  if (base === undefined || head === undefined) throw notFound();
  const compared = compareCommits(call.repo, base, head);
  if (compared === undefined) throw notFound(`No common ancestor between ${baseName} and ${headName}.`);
  // Without paging all commits come at once, up to 250; the rest is there for those who page.
  const paged = call.query.has('page') || call.query.has('per_page');
  const page = paged ? pageOf(call.query, compared.ahead) : pageOf(call.query, compared.ahead, comparedMax);
  const body = comparisonShape(call.face, call.repo, { basehead, base }, compared, page.items);
  return { status: 200, body, links: page.links };
};

const periods: Readonly<Record<string, number>> = { day: 1, week: 7, month: 30, quarter: 91, year: 365 };
const dayMs = 86_400_000;

const activity = (call: Call): Answer => {
  const { query, repo, face } = call;
  const ref = query.get('ref');
  const full = ref === null || ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
  const days = periods[query.get('time_period') ?? ''];
  const found = repo.activity
    .filter((entry) => full === null || entry.ref === full)
    .filter((entry) => query.get('actor') === null || entry.actor === query.get('actor'))
    .filter((entry) => query.get('activity_type') === null || entry.kind === query.get('activity_type'))
    .filter((entry) => days === undefined || entry.at >= face.state.at - days * dayMs);
  const { items, links } = cursorPage(query, query.get('direction') === 'asc' ? found : found.toReversed());
  return { status: 200, body: items.map((entry) => activityShape(face, entry)), links };
};

const checkRuns = (call: Call): Answer => {
  const { query, repo, face } = call;
  const commit = commitIn(call, call.path.join('/'));
  const all = checksOf(face.state, repo, commit.sha);
  const chosen = (query.get('filter') === 'all' ? all : latestChecks(all)).filter(
    (check) => query.get('check_name') === null || check.name === query.get('check_name'),
  );
  const { items, links } = pageOf(query, chosen);
  const body = { total_count: chosen.length, check_runs: items.map((check) => checkShape(face, repo, check)) };
  return { status: 200, body, links };
};

const combinedStatus = (call: Call): Answer => {
  const { query, repo, face } = call;
  const commit = commitIn(call, call.path.join('/'));
  const statuses = latestStatuses(face.state, repo, commit.sha);
  const { items, links } = pageOf(query, statuses);
  return { status: 200, body: combinedShape(face, repo, commit, statuses, items), links };
};

const actionsRuns = (call: Call): Answer => {
  const { query, repo, face } = call;
  const sha = query.get('head_sha');
  const suites = [...repo.suites]
    .filter((suite) => suite.app === 'github-actions' && suite.createdAt <= face.state.at)
    .filter((suite) => sha === null || suite.sha === sha)
    .filter((suite) => query.get('event') === null || suite.event === query.get('event'))
    .filter((suite) => query.get('branch') === null || suite.branch === query.get('branch'))
    .filter((suite) => {
      const wanted = query.get('status');
      const now = suiteStanding(face.state, repo, suite);
      return wanted === null || now.status === wanted || now.conclusion === wanted;
    })
    .sort((a, b) => b.createdAt - a.createdAt || b.id - a.id);
  const { items, links } = pageOf(query, suites);
  const body = { total_count: suites.length, workflow_runs: items.map((suite) => runShape(face, repo, suite)) };
  return { status: 200, body, links };
};

const deployments = (call: Call): Answer => {
  const { query, repo, face } = call;
  const found = deploymentsOf(face.state, repo)
    .filter((one) => query.get('sha') === null || one.sha === query.get('sha'))
    .filter((one) => query.get('ref') === null || one.ref === query.get('ref'))
    .filter((one) => query.get('environment') === null || one.environment === query.get('environment'));
  const { items, links } = pageOf(query, found);
  return { status: 200, body: items.map((one) => deploymentShape(face, repo, one)), links };
};

const deploymentStatuses = (call: Call): Answer => {
  const one = deploymentsOf(call.face.state, call.repo).find((each) => String(each.id) === call.path[0]);
  if (one === undefined) throw notFound();
  const { items, links } = pageOf(call.query, deploymentStatusShapes(call.face, call.repo, one));
  return { status: 200, body: items, links };
};

const branch = (call: Call): Answer => {
  const name = call.path.join('/');
  const commit = call.repo.branches.has(name) ? commitAt(call.repo, name) : undefined;
  if (commit === undefined) throw notFound('Branch not found');
  const url = `${repoUrl(call.face, call.repo)}/branches/${encodeURIComponent(name)}`;
  const contexts = (call.repo.rules.requiredChecks ?? []).map((check) => check.context);
  const ruled = name === call.repo.defaultBranch && contexts.length > 0;
  const body = {
    name,
    commit: commitShape(call.face, call.repo, commit),
    _links: { self: url, html: `https://github.com/${call.repo.name}/tree/${encodeURIComponent(name)}` },
    protected: ruled,
    protection: {
      enabled: ruled,
      required_status_checks: {
        enforcement_level: ruled ? 'non_admins' : 'off',
        contexts: ruled ? contexts : [],
        checks: ruled ? contexts.map((context) => ({ context, app_id: null })) : [],
      },
    },
    protection_url: `${url}/protection`,
  };
  return { status: 200, body };
};

const commits = (call: Call): Answer => {
  const head = commitIn(call, call.query.get('sha') ?? call.repo.defaultBranch);
  const { items, links } = pageOf(call.query, historyOf(call.repo, head), pageSize(call.query));
  return { status: 200, body: items.map((commit) => commitShape(call.face, call.repo, commit)), links };
};

/** The repository itself, its commits, and what was reported about them, as `@octokit/openapi` 23.0.2 describes them. */
export const repoRoutes: readonly Route[] = [
  { method: 'GET', path: '', run: (call) => ({ status: 200, body: repoShape(call.face, call.repo) }) },
  { method: 'GET', path: 'collaborators/*/permission', run: permission },
  { method: 'GET', path: 'compare/**', run: compare },
  { method: 'GET', path: 'activity', run: activity },
  { method: 'GET', path: 'commits', run: commits },
  { method: 'GET', path: 'commits/**/check-runs', run: checkRuns },
  {
    method: 'GET',
    path: 'commits/**/status',
    run: combinedStatus,
  },
  {
    method: 'GET',
    path: 'commits/**',
    run: (call) => ({
      status: 200,
      body: commitShape(call.face, call.repo, commitIn(call, call.path.join('/')), true),
    }),
  },
  { method: 'GET', path: 'actions/runs', run: actionsRuns },
  {
    method: 'GET',
    path: 'rules/branches/**',
    run: (call) => ({ status: 200, body: ruleShapes(call.repo, call.path.join('/')) }),
  },
  { method: 'GET', path: 'deployments', run: deployments },
  { method: 'GET', path: 'deployments/*/statuses', run: deploymentStatuses },
  { method: 'GET', path: 'branches/**', run: branch },
];
