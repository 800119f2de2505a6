import { describe, expect, test } from 'vitest';
import { recorder, type Seeded, withAnswer, withPath, withRequest, withResponse } from './github-exchange-kit.ts';
import { violationsOf } from './github-exchange-validator.ts';

const { repo, last, ask } = recorder();
const at = '/repos/acme/app';
const issue = ask('GET', `${at}/issues/1`);
const good = {
  list: ask('GET', `${at}/issues?labels=ready-for-agent&state=open&sort=created&direction=asc&per_page=100`),
  issue,
  unchanged: ask('GET', `${at}/issues/1`, undefined, { 'if-none-match': issue.response!.headers['etag'] }),
  gone: ask('GET', `${at}/issues/5`),
  absent: ask('GET', `${at}/issues/99`),
  nobody: ask('GET', `${at}/issues/1`, undefined, { authorization: 'token of-nobody' }),
  events: ask('GET', `${at}/issues/1/events`),
  timeline: ask('GET', `${at}/issues/1/timeline?per_page=100`),
  permission: ask('GET', `${at}/collaborators/maintainer/permission`),
  compare: ask('GET', `${at}/compare/fix...main`),
  checks: ask('GET', `${at}/commits/${last.after}/check-runs?filter=latest`),
  status: ask('GET', `${at}/commits/heads/main/status`),
  activity: ask('GET', `/repositories/${repo.id}/activity?ref=refs/heads/main`),
  patch: ask('PATCH', `${at}/issues/1`, { state: 'closed', state_reason: 'completed' }),
  label: ask('POST', `${at}/labels`, { name: 'afk-hold', color: 'ff0000' }),
  twice: ask('POST', `${at}/labels`, { name: 'AFK-hold' }),
  comment: ask('POST', `${at}/issues/1/comments`, { body: 'Working on it.' }),
  unlabel: ask('DELETE', `${at}/issues/1/labels/absent`),
};

const asked: readonly Seeded[] = [
  ['an undocumented path', withPath(good.issue, `${at}/issue/1`), `GET ${at}/issue/1: the operation is not in`],
  [
    'a method the path does not have',
    { ...good.issue, request: { ...good.issue.request, method: 'PUT' } },
    `PUT ${at}/issues/1: the operation is not in`,
  ],
  [
    'a number in the path that is none',
    withPath(good.issue, `${at}/issues/first`),
    'issues/get: path issue_number: /value must be integer',
  ],
  [
    'a part of the path that is missing',
    withPath(good.permission, `${at}/collaborators//permission`),
    'repos/get-collaborator-permission-level: path username is missing',
  ],
  [
    'an undocumented query parameter',
    withPath(good.list, `${at}/issues?label=ready-for-agent`),
    'issues/list-for-repo: query label is not documented',
  ],
  [
    'a query value outside its enum',
    withPath(good.list, `${at}/issues?state=opened`),
    'issues/list-for-repo: query state: /value must be equal to one of',
  ],
  [
    'a query value of the wrong type',
    withPath(good.list, `${at}/issues?page=two`),
    'issues/list-for-repo: query page: /value must be integer',
  ],
  [
    'a query parameter given twice',
    withPath(good.list, `${at}/issues?state=open&state=closed`),
    'issues/list-for-repo: query state is given twice',
  ],
  [
    'a page size GitHub cuts in silence',
    withPath(good.list, `${at}/issues?per_page=1000`),
    'issues/list-for-repo: query per_page is above 100',
  ],
  [
    'a request value outside its enum',
    withRequest(good.patch, { state: 'done' }),
    'issues/update: request /state must be equal to one of',
  ],
  [
    'an unknown property in a request',
    withRequest(good.patch, { state: 'closed', stateReason: 'completed' }),
    'issues/update: request / must NOT have additional properties "stateReason"',
  ],
  [
    'a request property of the wrong type',
    withRequest(good.comment, { body: 7 }),
    'issues/create-comment: request /body must be string',
  ],
  [
    'a missing request property',
    withRequest(good.comment, {}),
    `issues/create-comment: request / must have required property 'body'`,
  ],
  ['a missing request body', withRequest(good.comment, ''), 'issues/create-comment: request: the body is missing'],
  [
    'a request body where none is taken',
    withRequest(good.issue, { a: 1 }),
    'issues/get: request: the operation takes no body',
  ],
  ['a request that is no JSON', withRequest(good.comment, '{'), 'issues/create-comment: request: the body is not JSON'],
];

const answered: readonly Seeded[] = [
  [
    'a status the operation does not have',
    withResponse(good.comment, { status: 200 }),
    'issues/create-comment: answer 200 status is not documented',
  ],
  [
    'news that nothing changed to who did not ask for news',
    withResponse(good.list, { status: 304, body: '' }),
    'issues/list-for-repo: answer 304 status is not documented',
  ],
  [
    'a body beside the news that nothing changed',
    withResponse(good.unchanged, { body: '{}' }),
    'issues/get: answer 304 has a body',
  ],
  [
    'a page where JSON is documented',
    withResponse(good.issue, { headers: { ...good.issue.response!.headers, 'content-type': 'text/html' } }),
    'issues/get: answer 200 content-type is not JSON: text/html',
  ],
  ['an answer that is no JSON', withResponse(good.issue, { body: '<html>' }), 'issues/get: answer 200 is not JSON'],
  ['an answer without its body', withResponse(good.issue, { body: '' }), 'issues/get: answer 200 has no body'],
  [
    'a missing property',
    withAnswer(good.issue, (body) => delete body.node_id),
    `issues/get: answer 200 / must have required property 'node_id'`,
  ],
  [
    'a missing property deep inside',
    withAnswer(good.compare, (body) => delete body.commits[0].commit.message),
    `repos/compare-commits-with-basehead: answer 200 /commits/0/commit must have required property 'message'`,
  ],
  [
    'an undocumented property',
    withAnswer(good.issue, (body) => (body.priority = 1)),
    'issues/get: answer 200 / must NOT have additional properties "priority"',
  ],
  [
    'an undocumented property deep in a list',
    withAnswer(good.list, (body) => (body[0].labels[0].rank = 1)),
    'issues/list-for-repo: answer 200 /0/labels/0 must NOT have additional properties "rank"',
  ],
  [
    'a value of the wrong type',
    withAnswer(good.issue, (body) => (body.number = '1')),
    'issues/get: answer 200 /number must be integer',
  ],
  [
    'a value outside its enum',
    withAnswer(good.checks, (body) => (body.check_runs[0].conclusion = 'stale')),
    'checks/list-for-ref: answer 200 /check_runs/0/conclusion must be equal to one of',
  ],
  [
    'an instant in the wrong format',
    withAnswer(good.issue, (body) => (body.created_at = 'yesterday')),
    'issues/get: answer 200 /created_at must match format "date-time"',
  ],
  [
    'an address in the wrong format',
    withAnswer(good.status, (body) => (body.commit_url = 'here')),
    'repos/get-combined-status-for-ref: answer 200 /commit_url must match format "uri"',
  ],
  [
    'null where it is not allowed',
    withAnswer(good.issue, (body) => (body.title = null)),
    'issues/get: answer 200 /title must be string',
  ],
  [
    'an object where a list is documented',
    withAnswer(good.status, (body) => (body.statuses = {})),
    'repos/get-combined-status-for-ref: answer 200 /statuses must be array',
  ],
  [
    'a list where an object is documented',
    withAnswer(good.patch, (body) => (body.user = [body.user])),
    'issues/update: answer 200 /user must be object',
  ],
  [
    'an event nobody documented',
    withAnswer(good.events, (body) => (body[0].event = 'opened')),
    'issues/list-events: answer 200 /0 is an event nobody documented: opened',
  ],
  [
    'an event without what its kind has',
    withAnswer(good.events, (body) => delete body[0].label),
    `issues/list-events: answer 200 /0/ must have required property 'label'`,
  ],
  [
    'an event with what another kind has',
    withAnswer(good.timeline, (body) => (body[0].lock_reason = null)),
    'issues/list-events-for-timeline: answer 200 /0/ must NOT have additional properties "lock_reason"',
  ],
  [
    'a permission without its role',
    withAnswer(good.permission, (body) => delete body.role_name),
    `repos/get-collaborator-permission-level: answer 200 / must have required property 'role_name'`,
  ],
  [
    'an unknown kind of activity',
    withAnswer(good.activity, (body) => (body[0].activity_type = 'fetch')),
    'repos/list-activities: answer 200 /0/activity_type must be equal to one of',
  ],
  [
    'a refusal with an undocumented property',
    withAnswer(good.twice, (body) => (body.reason = 'taken')),
    'issues/create-label: answer 422 / must NOT have additional properties "reason"',
  ],
  [
    'a refusal that does not say why',
    withAnswer(good.absent, (body) => delete body.message),
    'issues/get: answer 404 /message is no text',
  ],
  [
    'a refusal that speaks of another status',
    withAnswer(good.gone, (body) => (body.status = '404')),
    'issues/get: answer 410 /status is not "410"',
  ],
];

test.each(Object.entries(good))('an exchange as GitHub has it is not complained of: %s', (_, exchange) => {
  expect(violationsOf(exchange)).toEqual([]);
});

describe('every fault in what GitHub is asked is named by its operation and place', () => {
  test.each(asked)('%s', (_, exchange, names) => {
    expect(violationsOf(exchange)).toContainEqual(expect.stringContaining(names));
  });
});

describe('every fault in what GitHub answers is named by its operation and place', () => {
  test.each(answered)('%s', (_, exchange, names) => {
    expect(violationsOf(exchange)).toContainEqual(expect.stringContaining(names));
  });
});

test('an answer that a test injected is not looked at, its request is', () => {
  expect(violationsOf({ ...good.issue, response: null })).toEqual([]);
  expect(violationsOf({ ...withPath(good.issue, `${at}/nowhere`), response: null })).toHaveLength(1);
});
