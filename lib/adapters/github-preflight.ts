import * as z from 'zod';
import { cleanLine } from '../core/clean-text.ts';
import type { RepoRef } from '../core/issue.ts';
import type { Landing } from '../core/settings-schema.ts';
import { type GithubClient, lastPage, type Params, read } from './github-client.ts';
import { isThereAlready, newLabel } from './github-label.ts';
import { type GithubAnswer, type GraphqlError, graphqlRefusal } from './github-refusal.ts';
import { whyTooOld } from './github-server-age.ts';
import { Branch, LabelRow, Repository, Rows, Rules, Total } from './github-wire.ts';

/**
 * What stops a repo from being worked on, each with its remedy, at most 300 characters; empty when all is well.
 * Creates the labels that are missing. Silence and limits are a `PortError`: they say nothing about the repo.
 */
export const preflight = async (
  client: GithubClient,
  repo: RepoRef,
  branch: string,
  labels: readonly string[],
  { noCi, landing }: { noCi: 'escalate' | 'accept'; landing: Landing },
): Promise<readonly string[]> => {
  const found = await client.ask(`GET ${repoPath}`, { repo_id: repo.id }, [200, 403, 404, 451]);
  if (found.status !== 200)
    return [
      words(`GitHub shows no repository ${repo.name} to this token (${found.status}): give the token access to it`),
    ];
  const repository = read(Repository, found.data, `GET ${repoPath}`);
  const standing = standingOf(repository, client);
  // A repo that takes no writes takes no labels either; everything below would only say so again.
  if (standing.length > 0) return standing;
  const head = await headOf(client, repo, branch);
  if (head === null)
    return [
      words(`there is no branch ${JSON.stringify(branch)}: push a first commit to it, or set the default branch`),
    ];
  return [
    ...(await serverTrouble(client, repo)),
    ...(await labelTrouble(client, repo, labels)),
    ...landingTrouble(branch, await rulesOf(client, repo, branch, head), {
      landing,
      hasPulls: repository.has_pull_requests !== false,
    }),
    ...(await reportTrouble(client, repo, head.commit.sha, noCi)),
  ];
};

const repoPath = '/repositories/{repo_id}';
const pagesMax = 10;
const wordsMax = 300;

// Names of branches and checks are other people's words.
const words = (text: string): string => cleanLine(text, wordsMax);

const standingOf = (repository: z.infer<typeof Repository>, { hasRole }: GithubClient): readonly string[] => {
  const { archived, disabled, has_issues, permissions } = repository;
  // Of an App GitHub answers push false whatever it may do. Its token is not minted without the rights it needs.
  const isRoleKnown = hasRole && permissions !== undefined;
  const mayLabel = !isRoleKnown || [permissions.admin, permissions.push, permissions.triage].includes(true);
  return [
    ...(archived ? ['the repository is archived: unarchive it, or take it off the allowlist'] : []),
    ...(disabled ? ['the repository is disabled by GitHub: take it off the allowlist'] : []),
    ...(has_issues === false ? ['issues are switched off: switch them on in the repository settings'] : []),
    ...(mayLabel
      ? []
      : ['the token may only read: give its account the triage or write role, and the token Issues: read and write']),
  ];
};

const headOf = async (client: GithubClient, repo: RepoRef, branch: string): Promise<z.infer<typeof Branch> | null> => {
  if (branch === '') return null;
  const route = `GET ${repoPath}/branches/{branch}`;
  const answer = await client.ask(route, { repo_id: repo.id, branch }, [200, 404]);
  return answer.status === 404 ? null : read(Branch, answer.data, route);
};

/** github.com is never too old. */
const serverTrouble = async (client: GithubClient, { host }: RepoRef): Promise<readonly string[]> => {
  const why = host === 'github.com' ? null : await whyTooOld(client);
  return why === null ? [] : [why];
};

const labelTrouble = async (
  client: GithubClient,
  repo: RepoRef,
  labels: readonly string[],
): Promise<readonly string[]> => {
  const there = await labelNames(client, repo);
  for (const name of labels.filter((label) => !there.has(label.toLowerCase()))) {
    const asked = { repo_id: repo.id, name, ...newLabel };
    const made = await client.ask(`POST ${repoPath}/labels`, asked, [201, 403, 404, 422]);
    if (made.status === 201 || isThereAlready(made)) continue;
    return [
      made.status === 422
        ? words(`GitHub refuses ${JSON.stringify(name)} as the name of a label: choose another in the settings`)
        : words(
            `label ${JSON.stringify(name)} is missing and may not be created: give the token Issues: read and write`,
          ),
    ];
  }
  return [];
};

const labelNames = async (client: GithubClient, repo: RepoRef): Promise<ReadonlySet<string>> => {
  const route = `GET ${repoPath}/labels`;
  const names = new Set<string>();
  for (let page = 1, last = 1; page <= Math.min(last, pagesMax); page += 1) {
    const answer = await client.ask(route, { repo_id: repo.id, per_page: 100, page }, [200]);
    for (const row of read(Rows, answer.data, route)) names.add(LabelRow.safeParse(row).data?.name.toLowerCase() ?? '');
    last = Math.max(last, lastPage(answer.headers));
  }
  return names;
};

/** What the branch demands of whatever reaches it. */
type BranchRules = {
  needsPull: boolean;
  /** What has to have happened to a commit before it is pushed, in words. */
  needsFirst: readonly string[];
  isLocked: boolean;
};

const rulesOf = async (
  client: GithubClient,
  repo: RepoRef,
  branch: string,
  head: z.infer<typeof Branch>,
): Promise<BranchRules> => {
  const route = `GET ${repoPath}/rules/branches/{branch}`;
  // Plans without rules for private repos answer 403: there are none then.
  const answer = await client.ask(route, { repo_id: repo.id, branch, per_page: 100 }, [200, 403, 404]);
  const types = new Set(answer.status === 200 ? read(Rules, answer.data, route).map((rule) => rule.type) : []);
  const contexts = head.protection?.required_status_checks?.contexts ?? [];
  const classic = await protectionOf(client, repo, branch);
  const needsChecks = types.has('required_status_checks') || types.has('workflows') || contexts.length > 0;
  return {
    // Whether no review demanded is a count of 0 or none is written nowhere: only one that is demanded tells.
    needsPull:
      types.has('pull_request') || types.has('merge_queue') || (classic?.requiredApprovingReviewCount ?? 0) > 0,
    needsFirst: [
      ...(needsChecks ? ['passed checks'] : []),
      ...(types.has('required_deployments') ? ['a deployment'] : []),
      ...(types.has('code_scanning') ? ['results of code scanning'] : []),
    ],
    isLocked: types.has('update'),
  };
};

/** What a classic protection demands, as those may see it who may not administer; null where there is none. */
const protectionOf = async (
  client: GithubClient,
  repo: RepoRef,
  branch: string,
): Promise<z.infer<typeof Protection>['refUpdateRule']> => {
  const what = 'query Protection';
  const { data, errors } = await client.query(protectionQuery, { repo: repo.nodeId, branch: `refs/heads/${branch}` });
  const grave = errors.filter((error) => !isNotShown(error));
  if (grave.length > 0) throw graphqlRefusal(what, grave);
  return read(ProtectionAnswer, data, what).node.ref?.refUpdateRule ?? null;
};

/** Where protection is no part of the plan, or not shown to this token, there is none that could be told. */
const isNotShown = ({ type, path }: GraphqlError): boolean =>
  type === 'FORBIDDEN' && path?.[0] === 'node' && path[1] === 'ref';

const protectionQuery = /* GraphQL */ `
  query Protection($repo: ID!, $branch: String!) {
    node(id: $repo) {
      ... on Repository {
        ref(qualifiedName: $branch) { refUpdateRule { requiredApprovingReviewCount } }
      }
    }
  }
`;

const Protection = z.object({
  refUpdateRule: z.object({ requiredApprovingReviewCount: z.number().nullish() }).nullish(),
});

const ProtectionAnswer = z.object({ node: z.object({ ref: Protection.nullish() }) });

/**
 * What keeps a change off the branch by the way that is set, each with the way that would do. Where neither would, one
 * sentence says so. Approvals are no trouble: they are for a person, and the wait for one has its deadline. Neither are
 * signatures: whether the agent's host signs cannot be seen from here.
 */
const landingTrouble = (
  branch: string,
  { needsPull, needsFirst, isLocked }: BranchRules,
  { landing, hasPulls }: { landing: Landing; hasPulls: boolean },
): readonly string[] => {
  const remedy = 'or leave this repository off the allowlist';
  // Who may bypass a rule is not shown to those who may not administer it: nobody is taken for one of them.
  if (isLocked)
    return [
      words(`branch ${branch} is locked: no push and no merge may change it. Lift that rule (update), ${remedy}`),
    ];
  if ((needsPull || needsFirst.length > 0) && !hasPulls)
    return [
      words(
        `branch ${branch} takes no direct push, and pull requests are switched off: no change can land. Switch them on, or take the rule off, ${remedy}`,
      ),
    ];
  if (landing === 'pull-request')
    return hasPulls ? [] : [`pull requests are switched off: switch them on, or set landing to push, ${remedy}`];
  const instead = `set landing to pull-request, take the rule off the branch, ${remedy}`;
  return [
    ...(needsPull
      ? [words(`branch ${branch} takes changes by pull request only, and the agent is to push directly: ${instead}`)]
      : []),
    ...(needsFirst.length > 0
      ? [
          words(
            `branch ${branch} demands ${needsFirst.join(' and ')} before a push, which a direct push cannot have: ${instead}`,
          ),
        ]
      : []),
  ];
};

/** Whether checks, statuses, runs and deployments can be read at all, and whether there are any. */
const reportTrouble = async (
  client: GithubClient,
  repo: RepoRef,
  sha: string,
  noCi: 'escalate' | 'accept',
): Promise<readonly string[]> => {
  const troubles: string[] = [];
  const ask = async (path: string, asked: Params, right: string): Promise<GithubAnswer | null> => {
    const answer = await client.ask(
      `GET ${repoPath}${path}`,
      { repo_id: repo.id, per_page: 1, ...asked },
      [200, 403, 404],
    );
    if (answer.status === 200) return answer;
    troubles.push(`${right} (GitHub answered ${answer.status})`);
    return null;
  };
  const reports = [
    await ask(
      '/commits/{sha}/check-runs',
      { sha },
      'check runs may not be read: fine-grained tokens have no Checks permission, so use a classic token with repo, or a GitHub App with Checks: read',
    ),
    await ask(
      '/commits/{sha}/status',
      { sha },
      'commit statuses may not be read: give the token Commit statuses: read',
    ),
    await ask('/actions/runs', {}, 'workflow runs may not be read: give the token Actions: read'),
  ];
  await ask('/deployments', {}, 'deployments may not be read: give the token Deployments: read');
  if (troubles.length > 0 || noCi === 'accept') return troubles;
  const seen = reports.some((answer) => (Total.safeParse(answer?.data).data?.total_count ?? 0) > 0);
  return seen
    ? []
    : ['no check, commit status or workflow run was ever seen: add CI to the repository, or set noCi to accept'];
};
