import { Octokit } from '@octokit/rest';
import { expect, test } from 'vitest';
import { aBusyWorld, busyFrom } from '../support/github-busy-world.ts';
import { startGithub } from '../support/github-stand-in.ts';
import { detailQuery, finishMutation, scanQuery, startMutation, watchQuery } from '../support/github-tour-queries.ts';

const at = { owner: 'acme', repo: 'app' };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const tour = async (viewer: string) => {
  const story = aBusyWorld();
  const now = { at: busyFrom + 40 * 60_000 };
  const server = await startGithub(story.world, { now: () => now.at });
  const octokit = new Octokit({ auth: viewer, baseUrl: server.url, log: silent });
  return { ...story, server, now, octokit };
};

test('everything the stand-in says over REST is what GitHub documents', async () => {
  const { octokit, comment, first, last } = await tour('of-helper');
  const { issues, repos, checks, actions, rateLimit, users } = octokit.rest;
  const one = { ...at, issue_number: 1 };
  await users.getAuthenticated();
  await rateLimit.get();
  await repos.get(at);
  await repos.get({ owner: 'acme', repo: 'old' });
  await issues.listForRepo({
    ...at,
    labels: 'ready-for-agent',
    state: 'open',
    sort: 'created',
    direction: 'asc',
    per_page: 100,
  });
  const all = await octokit.paginate(issues.listForRepo, { ...at, state: 'all', per_page: 1 });
  expect(all.map((issue) => issue.number)).toEqual([6, 3, 2, 1]);
  await issues.get(one);
  await issues.get({ ...at, issue_number: 6 });
  await issues.listEvents(one);
  await issues.listEventsForTimeline(one);
  await issues.listLabelsOnIssue(one);
  await issues.addLabels({ ...one, labels: ['agent-in-progress', 'unheard-of'] });
  await issues.removeLabel({ ...one, name: 'agent-in-progress' });
  await issues.listLabelsForRepo(at);
  await issues.createLabel({ ...at, name: 'afk-hold', color: 'ff0000', description: 'hands off' });
  const made = await issues.createComment({ ...one, body: 'Working on it.' });
  await issues.updateComment({ ...at, comment_id: made.data.id, body: 'Done.' });
  await issues.getComment({ ...at, comment_id: comment.id });
  await issues.listComments(one);
  await issues.update({ ...one, title: 'Mended', body: 'Was broken.', labels: ['later'] });
  await issues.update({ ...one, state: 'open' });
  await issues.update({ ...one, state: 'closed', state_reason: 'completed' });
  await octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by', one);
  for (const username of ['maintainer', 'stranger', 'helper[bot]'])
    await repos.getCollaboratorPermissionLevel({ ...at, username });
  for (const basehead of [`${first.before}...main`, `main...${first.before}`, 'fix...main', 'main...main']) {
    await repos.compareCommitsWithBasehead({ ...at, basehead });
  }
  await octokit.request('GET /repos/{owner}/{repo}/activity', { ...at, ref: 'refs/heads/main' });
  await repos.listCommits({ ...at, sha: 'main' });
  await repos.getCommit({ ...at, ref: last.after });
  await checks.listForRef({ ...at, ref: last.after, filter: 'latest' });
  await repos.getCombinedStatusForRef({ ...at, ref: last.after });
  await actions.listWorkflowRunsForRepo({ ...at, head_sha: last.after });
  await octokit.request('GET /repos/{owner}/{repo}/rules/branches/{branch}', { ...at, branch: 'main' });
  const deployed = await repos.listDeployments({ ...at, environment: 'production' });
  await repos.listDeploymentStatuses({ ...at, deployment_id: deployed.data[0]!.id });
  await repos.getBranch({ ...at, branch: 'main' });
});

test('everything the stand-in refuses over REST is refused in GitHub’s words', async () => {
  const { octokit, world } = await tour('of-stranger');
  world.renameRepo('acme/tools', 'acme/tooling');
  const refusals: [string, Record<string, unknown>, number][] = [
    ['GET /repos/{owner}/{repo}', { ...at, repo: 'nowhere' }, 404],
    ['GET /repos/{owner}/{repo}/issues/{issue_number}', { ...at, issue_number: 99 }, 404],
    ['GET /repos/{owner}/{repo}/issues/{issue_number}', { ...at, issue_number: 5 }, 410],
    ['POST /repos/{owner}/{repo}/issues/{issue_number}/labels', { ...at, issue_number: 1, labels: ['x'] }, 403],
    ['POST /repos/{owner}/{repo}/labels', { ...at, name: 'x' }, 404],
    ['PATCH /repos/{owner}/{repo}/issues/{issue_number}', { ...at, issue_number: 2, state: 'closed' }, 403],
    ['GET /repos/{owner}/{repo}/collaborators/{username}/permission', { ...at, username: 'copilot' }, 404],
    ['GET /repos/{owner}/{repo}/compare/{basehead}', { ...at, basehead: `${'1'.repeat(40)}...main` }, 404],
    [
      'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
      { ...at, issue_number: 1, body: 'x'.repeat(65_537) },
      422,
    ],
  ];
  for (const [route, parameters, status] of refusals) {
    await expect(octokit.request(route, parameters), route).rejects.toMatchObject({ status });
  }
  const moved = await octokit.rest.issues.get({ ...at, issue_number: 4 });
  expect(moved.data.number).toBe(1);
});

test('everything the stand-in says over GraphQL is what the SDL promises', async () => {
  const { octokit, world, repo, last } = await tour('of-helper');
  const issue = repo.issues.get(1)!;
  const label = (name: string) => repo.labels.find((one) => one.name === name)!.nodeId;
  await octokit.graphql(scanQuery, { ids: [repo.nodeId] });
  await octokit.graphql(detailQuery, { ids: [issue.nodeId] });
  await octokit.graphql(watchQuery, { ...at, oid: last.after, number: 1, environments: ['production'] });
  const started = await octokit.graphql<{ comment: { commentEdge: { node: { id: string } } } }>(startMutation, {
    issue: issue.nodeId,
    add: [label('agent-in-progress')],
    body: 'Working on it.',
  });
  await octokit.graphql(finishMutation, {
    issue: issue.nodeId,
    comment: started.comment.commentEdge.node.id,
    add: [label('later')],
    remove: [label('agent-in-progress'), label('ready-for-agent')],
    body: 'Done.',
  });
  expect(issue.state).toBe('closed');
  const gone = octokit.graphql(scanQuery, { ids: [repo.nodeId, 'R_gone'] });
  await expect(gone).rejects.toMatchObject({
    data: { nodes: [{ nameWithOwner: 'acme/app' }, null] },
    errors: [{ type: 'NOT_FOUND', path: ['nodes', 1] }],
  });
  world.archiveRepo('acme/app');
  const archived = octokit.graphql(startMutation, { issue: issue.nodeId, add: [label('later')], body: 'x' });
  await expect(archived).rejects.toMatchObject({
    errors: [{ type: 'FORBIDDEN', path: ['comment'] }, { path: ['add'] }],
  });
});
