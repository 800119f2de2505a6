import { describe, expect, test } from 'vitest';
import type { Exchange, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import { githubHandler } from '../../lib/sandbox/github-handler.ts';
import { aBusyWorld, busyFrom } from './github-busy-world.ts';
import { violationsOf } from './github-exchange-validator.ts';
import { scanQuery } from './github-tour-queries.ts';

type Loose = Record<string, unknown>;

const { world, repo, last } = aBusyWorld();
const recorded: Exchange[] = [];
const handle = githubHandler(world, {
  now: () => busyFrom + 40 * 60_000,
  base: () => 'http://127.0.0.1:1',
  onExchange: (exchange) => recorded.push(exchange),
});

const headers = { authorization: 'token of-helper' };
const ask = (method: string, path: string, body?: unknown): Exchange => {
  const request: HttpRequest = { method, path, headers, body: body === undefined ? '' : JSON.stringify(body) };
  handle(request);
  return recorded.at(-1)!;
};

const at = '/repos/acme/app';
const good = {
  list: ask('GET', `${at}/issues?labels=ready-for-agent&state=open&sort=created&direction=asc&per_page=100`),
  issue: ask('GET', `${at}/issues/1`),
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
  scan: ask('POST', '/graphql', { query: scanQuery, variables: { ids: [repo.nodeId, 'R_gone'] } }),
};

const withPath = (exchange: Exchange, path: string): Exchange => ({
  ...exchange,
  request: { ...exchange.request, path },
});
const withRequest = (exchange: Exchange, body: unknown): Exchange => ({
  ...exchange,
  request: { ...exchange.request, body: typeof body === 'string' ? body : JSON.stringify(body) },
});
const withStatus = (exchange: Exchange, status: number): Exchange => ({
  ...exchange,
  response: { ...exchange.response!, status },
});
// biome-ignore lint/suspicious/noExplicitAny: a fault is put wherever it likes
const withAnswer = (exchange: Exchange, spoil: (body: any) => void): Exchange => {
  const body = JSON.parse(exchange.response!.body);
  spoil(body);
  return { ...exchange, response: { ...exchange.response!, body: JSON.stringify(body) } };
};

const faults: Readonly<Record<string, Exchange>> = {
  'an unknown path': withPath(good.issue, `${at}/issue/1`),
  'a method the path does not have': { ...good.issue, request: { ...good.issue.request, method: 'PUT' } },
  'a number in the path that is none': withPath(good.issue, `${at}/issues/first`),
  'an unknown query parameter': withPath(good.list, `${at}/issues?label=ready-for-agent`),
  'a query value outside its enum': withPath(good.list, `${at}/issues?state=opened`),
  'a query value of the wrong type': withPath(good.list, `${at}/issues?page=two`),
  'a page size GitHub cuts in silence': withPath(good.list, `${at}/issues?per_page=1000`),
  'a request value outside its enum': withRequest(good.patch, { state: 'done' }),
  'an unknown property in a request': withRequest(good.patch, { state: 'closed', stateReason: 'completed' }),
  'a request property of the wrong type': withRequest(good.comment, { body: 7 }),
  'a missing request property': withRequest(good.comment, {}),
  'a missing request body': withRequest(good.comment, ''),
  'a request body where none is taken': withRequest(good.issue, { a: 1 }),
  'a request that is no JSON': withRequest(good.comment, '{'),
  'a status the operation does not have': withStatus(good.comment, 200),
  'an answer without its body': { ...good.issue, response: { ...good.issue.response!, body: '' } },
  'a missing property in an answer': withAnswer(good.issue, (body) => delete body.node_id),
  'a missing property deep in an answer': withAnswer(good.compare, (body) => delete body.commits[0].commit.message),
  'a property nobody documented': withAnswer(good.issue, (body) => (body.priority = 1)),
  'a property nobody documented in a list': withAnswer(good.list, (body) => (body[0].user.rank = 1)),
  'an answer value of the wrong type': withAnswer(good.issue, (body) => (body.number = '1')),
  'an answer value outside its enum': withAnswer(good.checks, (body) => (body.check_runs[0].conclusion = 'stale')),
  'an instant in the wrong format': withAnswer(good.issue, (body) => (body.created_at = 'yesterday')),
  'an address in the wrong format': withAnswer(good.status, (body) => (body.commit_url = 'here')),
  'null where it is not allowed': withAnswer(good.issue, (body) => (body.title = null)),
  'an event nobody documented': withAnswer(good.events, (body) => (body[0].event = 'opened')),
  'an event without what its kind has': withAnswer(good.events, (body) => delete body[0].label),
  'an event with what another kind has': withAnswer(good.timeline, (body) => (body[0].lock_reason = null)),
  'a permission without its role': withAnswer(good.permission, (body) => delete body.role_name),
  'an unknown kind of activity': withAnswer(good.activity, (body) => (body[0].activity_type = 'fetch')),
  'a refusal with a property nobody documented': withAnswer(good.twice, (body) => (body.reason = 'taken')),
  'a list where an object is documented': withAnswer(good.status, (body) => (body.statuses = {})),
};

const graphqlFaults: Readonly<Record<string, Exchange>> = {
  'a query for a field that does not exist': withRequest(good.scan, { query: 'query { viewer { shoeSize } }' }),
  'a query that is not GraphQL': withRequest(good.scan, { query: 'SELECT 1' }),
  'a missing variable': withRequest(good.scan, { query: scanQuery, variables: {} }),
  'a variable of the wrong type': withRequest(good.scan, { query: scanQuery, variables: { ids: [{}] } }),
  'a variable nobody declared': withRequest(good.scan, { query: scanQuery, variables: { ids: ['a'], label: 'x' } }),
  'a request property GraphQL does not know': withRequest(good.scan, { query: scanQuery, vars: {} }),
  'a selected field that is missing': withAnswer(good.scan, (body) => delete body.data.nodes[0].isArchived),
  'a field that was not selected': withAnswer(good.scan, (body) => (body.data.nodes[0].url = 'https://x')),
  'null for a field that is never null': withAnswer(good.scan, (body) => (body.data.nodes[0].nameWithOwner = null)),
  'a value outside its enum': withAnswer(good.scan, (body) => (body.data.nodes[0].viewerPermission = 'push')),
  'a text where a number belongs': withAnswer(good.scan, (body) => (body.data.rateLimit.cost = '1')),
  'an object where a list belongs': withAnswer(good.scan, (body) => (body.data.nodes[0].issues.nodes = {})),
  'a type the field cannot have': withAnswer(good.scan, (body) => (body.data.nodes[0].__typename = 'Repo')),
  'an instant that is none': withAnswer(good.scan, (body) => (body.data.rateLimit.resetAt = 1700000000)),
  'an error without GitHub’s type': withAnswer(good.scan, (body) => delete body.errors[0].type),
  'neither data nor errors': withAnswer(good.scan, (body: Loose) => {
    delete body['data'];
    delete body['errors'];
  }),
};

test.each(Object.entries(good))('an exchange as GitHub has it is not complained of: %s', (_, exchange) => {
  expect(violationsOf(exchange)).toEqual([]);
});

describe('every fault is caught', () => {
  test.each(Object.entries({ ...faults, ...graphqlFaults }))('%s', (_, exchange) => {
    expect(violationsOf(exchange)).not.toEqual([]);
  });
});

test('an answer that a test injected is not looked at, its request is', () => {
  expect(violationsOf({ ...good.issue, response: null })).toEqual([]);
  expect(violationsOf({ ...withPath(good.issue, `${at}/nowhere`), response: null })).toHaveLength(1);
});
