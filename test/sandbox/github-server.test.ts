import { Octokit } from '@octokit/rest';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../lib/sandbox/github-handler.ts';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { askGithub, graphqlOf } from '../support/github-ask.ts';
import { startGithub } from '../support/github-stand-in.ts';

const start = Date.parse('2026-03-01T09:00:00Z');
const minute = 60_000;
const app = '/repos/acme/app';
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const aWorld = () => {
  const world = githubWorld({ at: start });
  world.addUser('maintainer', { token: 't' });
  world.addUser('other', { token: 'o' });
  world.addRepo('acme/app', { permissions: { maintainer: 'write' } });
  world.openIssue('acme/app', { author: 'maintainer', title: 'It breaks' }, start);
  return world;
};

describe('who asks', () => {
  const rows = [
    ['token t', 200, undefined],
    ['Bearer t', 200, undefined],
    ['token unknown', 401, 'Bad credentials'],
    ['t', 401, 'Bad credentials'],
  ] as const;
  test.each(rows)('%s is answered %i', (authorization, status, message) => {
    const answer = askGithub(aWorld())('', 'GET /user', undefined, { authorization });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toBe(message);
  });

  test('a token that was taken back is refused, a new one is not', () => {
    const world = aWorld();
    const ask = askGithub(world);
    world.revokeToken('t');
    world.addToken('maintainer', 'fresh');
    expect(ask('t', 'GET /user').status).toBe(401);
    expect(ask('fresh', 'GET /user').body.login).toBe('maintainer');
  });
});

describe('the hour’s budget', () => {
  test.each([403, 429] as const)(
    'is counted down in the headers, enforced with %i, and fresh after an hour',
    (primaryStatus) => {
      const world = aWorld();
      const ask = askGithub(world, { limits: { restPerHour: 2, primaryStatus } });
      const left = () => ask('t', `GET ${app}`).headers;
      expect(left()).toMatchObject({
        'x-ratelimit-limit': '2',
        'x-ratelimit-remaining': '1',
        'x-ratelimit-used': '1',
        'x-ratelimit-reset': String(start / 1000 + 3600),
        'x-ratelimit-resource': 'core',
      });
      expect(left()).toMatchObject({ 'x-ratelimit-remaining': '0' });
      const refused = ask('t', `GET ${app}`);
      expect(refused).toMatchObject({ status: primaryStatus, headers: { 'x-ratelimit-remaining': '0' } });
      expect(refused.body.message).toContain('API rate limit exceeded');
      expect(ask('o', `GET ${app}`).status).toBe(200);
      expect(ask('t', 'GET /rate_limit').body.resources.core).toMatchObject({ limit: 2, remaining: 0 });
      world.settle(start + 60 * minute);
      expect(ask('t', `GET ${app}`).status).toBe(200);
    },
  );

  test.each([
    ['RATE_LIMITED', { type: 'RATE_LIMITED', message: expect.stringContaining('API rate limit exceeded') }],
    [
      'RATE_LIMIT',
      {
        type: 'RATE_LIMIT',
        code: 'graphql_rate_limit',
        message: expect.stringContaining('API rate limit already exceeded'),
      },
    ],
  ] as const)('of GraphQL is its own, and met with a status of 200 and %s', (graphqlPrimaryType, error) => {
    const ask = askGithub(aWorld(), { limits: { graphqlPerHour: 1, graphqlPrimaryType } });
    const query = 'query { rateLimit { cost remaining } }';
    expect(graphqlOf(ask)('t', query).body.data.rateLimit).toEqual({ cost: 1, remaining: 0 });
    expect(graphqlOf(ask)('t', query)).toMatchObject({ status: 200, body: { errors: [error] } });
    expect(ask('t', `GET ${app}`).status).toBe(200);
  });

  test('is not touched by an answer of 304, which only the same token gets', () => {
    const ask = askGithub(aWorld());
    const { etag = '' } = ask('t', `GET ${app}/issues`).headers;
    const again = ask('t', `GET ${app}/issues`, undefined, { 'if-none-match': etag });
    expect(again).toMatchObject({ status: 304, body: undefined, headers: { 'x-ratelimit-used': '1' } });
    expect(ask('o', `GET ${app}/issues`, undefined, { 'if-none-match': etag }).status).toBe(200);
    ask('t', `PATCH ${app}/issues/1`, { title: 'changed' });
    expect(ask('t', `GET ${app}/issues`, undefined, { 'if-none-match': etag }).status).toBe(200);
  });
});

describe('the secondary limits', () => {
  const write = (ask: ReturnType<typeof askGithub>) => ask('t', `POST ${app}/issues/1/comments`, { body: 'x' });

  test.each([
    ['writes in a minute', { writesPerMinute: 2 }, minute],
    ['writes in an hour', { writesPerHour: 2 }, 60 * minute],
    ['points in a minute', { restPointsPerMinute: 10 }, minute],
  ])('%s end with 403 and retry-after, and pass with time', (_, limits, window) => {
    const world = aWorld();
    const ask = askGithub(world, { limits });
    expect([write(ask).status, write(ask).status]).toEqual([201, 201]);
    const refused = write(ask);
    expect(refused).toMatchObject({ status: 403, headers: { 'retry-after': '60' } });
    expect(refused.body.message).toContain('secondary rate limit');
    world.settle(start + window);
    expect(write(ask).status).toBe(201);
  });

  test.each([
    ['writes in a minute', { writesPerMinute: 2 }],
    ['writes in an hour', { writesPerHour: 2 }],
    ['points in a minute', { graphqlPointsPerMinute: 10 }],
  ])('a mutation is one write of five points, whatever the number of its parts: %s', (_, limits) => {
    const world = aWorld();
    const ask = askGithub(world, { limits });
    const subject = world.state.repos.values().next().value!.issues.get(1)!.nodeId;
    const add = 'addComment(input: { subjectId: $i, body: "x" }) { subject { id } }';
    const query = `mutation ($i: ID!) { a: ${add} b: ${add} }`;
    const mutate = () => ask('t', 'POST /graphql', { query, variables: { i: subject } });
    expect([mutate().status, mutate().status, mutate().status]).toEqual([200, 200, 403]);
    expect(mutate().headers['retry-after']).toBe('60');
  });

  test('reads go on where only writes are limited', () => {
    const ask = askGithub(aWorld(), { limits: { writesPerMinute: 0 } });
    expect(write(ask).status).toBe(403);
    expect(ask('t', `GET ${app}/issues`).status).toBe(200);
  });
});

test('pages are linked by the repository’s number', async () => {
  const world = aWorld();
  for (let n = 2; n <= 5; n += 1) world.openIssue('acme/app', { author: 'other', title: `${n}` }, start);
  const ask = askGithub(world);
  const { id } = ask('t', `GET ${app}`).body;
  const base = `http://127.0.0.1:1/repositories/${id}/issues?state=all&per_page=2`;
  expect(ask('t', `GET ${app}/issues?state=all&per_page=2&page=2`).headers['link']).toBe(
    `<${base}&page=1>; rel="prev", <${base}&page=3>; rel="next", <${base}&page=3>; rel="last", <${base}&page=1>; rel="first"`,
  );
});

describe('over a socket', () => {
  const started = async (faults: readonly (Fault | undefined)[]) => {
    const world = aWorld();
    const queue = [...faults];
    const server = await startGithub(world, { now: () => start, fault: () => queue.shift() });
    const octokit = new Octokit({ auth: 't', baseUrl: server.url, log: silent });
    const comment = (signal = AbortSignal.timeout(5000)) =>
      octokit.rest.issues.createComment({
        owner: 'acme',
        repo: 'app',
        issue_number: 1,
        body: 'x',
        request: { signal },
      });
    const count = () => world.state.comments.size;
    return { server, comment, count, world, octokit };
  };

  test.each(['drop', 'lost'] as const)(
    'a connection that is cut (%s) is an error, and only lost has done its work',
    async (fault) => {
      const { comment, count, server } = await started([fault]);
      await expect(comment()).rejects.toMatchObject({ status: 500, response: undefined });
      expect(count()).toBe(fault === 'lost' ? 1 : 0);
      expect((await comment()).status).toBe(201);
      expect(server.requests.map((one) => one.response?.status)).toEqual([fault === 'lost' ? 201 : undefined, 201]);
    },
  );

  test('a request left hanging ends with the caller’s patience', async () => {
    const { comment, count } = await started(['hang']);
    await expect(comment(AbortSignal.timeout(20))).rejects.toThrow();
    expect(count()).toBe(0);
  });

  test('an answer put in comes with its status, headers and body', async () => {
    const { comment, count } = await started([
      { status: 502, headers: { 'retry-after': '7' }, body: { message: 'Server Error' } },
    ]);
    await expect(comment()).rejects.toMatchObject({
      status: 502,
      response: { headers: { 'retry-after': '7' }, data: { message: 'Server Error' } },
    });
    expect(count()).toBe(0);
  });

  test('the clock of the answers is the clock that was handed in', async () => {
    const { comment } = await started([]);
    const { headers, data } = await comment();
    expect(headers.date).toBe('Sun, 01 Mar 2026 09:00:00 GMT');
    expect(data.created_at).toBe('2026-03-01T09:00:00Z');
    expect(headers['x-github-request-id']).toBeDefined();
  });

  test('a transferred issue is followed by a client that follows', async () => {
    const { world, octokit } = await started([]);
    world.addRepo('acme/tools');
    world.transfer('acme/app', 1, 'acme/tools', 'maintainer', start);
    const { data } = await octokit.rest.issues.get({ owner: 'acme', repo: 'app', issue_number: 1 });
    expect(data.repository_url).toMatch(/\/repos\/acme\/tools$/);
  });
});
