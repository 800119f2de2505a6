import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { githubClient } from '../../lib/adapters/github-client.ts';
import { PortError } from '../../lib/ports.ts';
import type { Fault } from '../../lib/sandbox/github-handler.ts';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { startGithub } from '../support/github-stand-in.ts';
import { type Answer, answers, drops, hangs, loopback, stalls } from '../support/loopback.ts';

const start = Date.parse('2026-03-02T08:00:00Z');
const token = 'ghp_0123456789abcdefghij0123456789abcdef';
const now = (): number => start;
const route = 'GET /repos/{owner}/{repo}';
const shop = { owner: 'acme', repo: 'shop' };
const anyQuery = 'query Viewer { viewer { login } }';

const standIn = async (options: Omit<Parameters<typeof startGithub>[1], 'now'> = {}, ours = now) => {
  const world = githubWorld({ at: start });
  world.addUser('afk-bot', { token });
  world.addRepo('acme/shop');
  const server = await startGithub(world, { now, ...options });
  return { world, server, client: githubClient({ token, baseUrl: server.url, writeSpacingMs: 0, now: ours }) };
};

const against = async (answer: Answer, options: { timeoutMs?: number; signal?: AbortSignal; path?: string } = {}) => {
  const server = await loopback(answer);
  const { path = '', ...rest } = options;
  return { server, client: githubClient({ token, baseUrl: `${server.url}${path}`, writeSpacingMs: 0, now, ...rest }) };
};

const failing = async (asked: Promise<unknown>): Promise<PortError> => {
  const error = await asked.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PortError);
  return error as PortError;
};

describe('what GitHub refuses becomes a port error', () => {
  const reset = String(start / 1000 + 120);
  const message = { message: 'Said so' };
  const table: readonly [string, Exclude<Fault, string>, PortError['kind'], number | null][] = [
    ['401', { status: 401, body: { message: 'Bad credentials' } }, 'unauthorised', null],
    ['403', { status: 403, body: message }, 'refused', null],
    ['404', { status: 404, body: message }, 'refused', null],
    ['410', { status: 410, body: message }, 'refused', null],
    ['422', { status: 422, body: message }, 'refused', null],
    ['451', { status: 451, body: message }, 'refused', null],
    ['301', { status: 301, headers: { location: 'https://elsewhere.invalid/' }, body: message }, 'refused', null],
    ['500', { status: 500, body: message }, 'unavailable', null],
    ['503 with a time', { status: 503, headers: { 'retry-after': '30' }, body: message }, 'unavailable', 30_000],
    ['429', { status: 429, body: message }, 'unavailable', 60_000],
    ['403 with retry-after', { status: 403, headers: { 'retry-after': '90' }, body: message }, 'unavailable', 90_000],
    [
      '403 with none remaining',
      { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }, body: message },
      'unavailable',
      120_000,
    ],
    [
      '403 in words',
      { status: 403, body: { message: 'You have exceeded a secondary rate limit.' } },
      'unavailable',
      60_000,
    ],
    [
      '429 with a time without sense',
      { status: 429, headers: { 'retry-after': 'soon' }, body: message },
      'unavailable',
      60_000,
    ],
    [
      '429 with a time in days',
      { status: 429, headers: { 'retry-after': '999999' }, body: message },
      'unavailable',
      3_600_000,
    ],
    [
      '429 with a reset long past',
      { status: 429, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '12' }, body: message },
      'unavailable',
      60_000,
    ],
  ];

  test.each(table)('%s', async (_name, fault, kind, waitMs) => {
    const { client } = await standIn({ fault: () => fault });
    const expected = { kind, notBefore: waitMs === null ? null : start + waitMs };
    expect(await failing(client.ask(route, shop, [200]))).toMatchObject(expected);
    expect(await failing(client.query(anyQuery, {}))).toMatchObject(expected);
  });

  test('a status that was expected is an answer', async () => {
    const { client } = await standIn();
    expect((await client.ask(route, { owner: 'acme', repo: 'none' }, [200, 404])).status).toBe(404);
  });

  test('a limit is none of the answers that were expected', async () => {
    const { client } = await standIn({
      fault: () => ({ status: 403, headers: { 'retry-after': '5' }, body: message }),
    });
    expect(await failing(client.ask(route, shop, [200, 403]))).toMatchObject({
      kind: 'unavailable',
      notBefore: start + 5_000,
    });
  });

  test('the end of the hourly budget is unavailable until it is full again', async () => {
    const { client } = await standIn({ limits: { restPerHour: 1, graphqlPerHour: 1 } });
    await client.ask(route, shop, [200]);
    await client.query(anyQuery, {});
    const expected = { kind: 'unavailable', notBefore: start + 3_600_000 };
    expect(await failing(client.ask(route, shop, [200]))).toMatchObject(expected);
    expect(await failing(client.query(anyQuery, {}))).toMatchObject(expected);
  });

  test('too many writes are unavailable for a minute', async () => {
    const { client } = await standIn({ limits: { writesPerMinute: 0 } });
    const write = client.ask('POST /repos/{owner}/{repo}/labels', { ...shop, name: 'a', color: 'ededed' }, [201]);
    expect(await failing(write)).toMatchObject({ kind: 'unavailable', notBefore: start + 60_000 });
  });

  test('a token that was taken back is unauthorised, in words without the token', async () => {
    const { world, client } = await standIn();
    world.revokeToken(token);
    const error = await failing(client.ask(route, shop, [200]));
    expect(error.kind).toBe('unauthorised');
    expect(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(token);
  });

  test.each(['', 'two words', 'ghp_x\nX-Other: 1', 'ghp_ü'])('%j is no token and is never sent', async (odd) => {
    const { server } = await standIn();
    const error = await failing(githubClient({ token: odd, baseUrl: server.url, now }).ask(route, shop, [200]));
    expect(error.kind).toBe('unauthorised');
    expect(server.requests).toEqual([]);
    expect(odd === '' || !error.message.includes(odd)).toBe(true);
  });

  test('what GitHub says is cleaned and cut', async () => {
    const said = `\u001b[31mNo\u0000 \u202e way ${token} ${'very '.repeat(200)}`;
    const { client } = await standIn({
      fault: () => ({ status: 422, body: { message: said, errors: [{ secret: 'body' }] } }),
    });
    const { message: words } = await failing(client.ask(route, shop, [200]));
    expect(words.length).toBeLessThanOrEqual(300);
    expect(words).toMatch(/^[\x20-\x7e…]+$/);
    expect(words).not.toContain(token);
    expect(words).toContain('No way');
  });

  test.each([
    ['refused', [{ type: 'FORBIDDEN', message: 'Resource not accessible by personal access token' }]],
    ['refused', [{ type: 'NOT_FOUND', message: 'Could not resolve', path: ['node'] }]],
    ['unavailable', [{ message: 'Something went wrong while executing your query.' }]],
    ['unavailable', [{ type: 'RESOURCE_LIMITS_EXCEEDED', message: 'Too much' }]],
    ['unavailable', [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }]],
  ])('a query without data is %s: %j', async (kind, errors) => {
    const { client } = await standIn({ fault: () => ({ status: 200, body: { data: null, errors } }) });
    expect((await failing(client.query(anyQuery, {}))).kind).toBe(kind);
  });

  test.each([
    { type: 'RATE_LIMITED', message: 'API rate limit exceeded' },
    { type: 'RATE_LIMIT', message: 'API rate limit already exceeded' },
    { type: 'NEW_WORD', code: 'graphql_rate_limit', message: 'API rate limit already exceeded' },
    { message: 'You have exceeded a secondary rate limit.' },
  ])('a limit is a limit, beside data and without: %j', async (error) => {
    for (const data of [{ viewer: null }, null]) {
      const { client } = await standIn({ fault: () => ({ status: 200, body: { data, errors: [error] } }) });
      expect(await failing(client.query(anyQuery, {}))).toMatchObject({
        ...{ kind: 'unavailable', isLimit: true, notBefore: start + 60_000 },
      });
    }
  });

  test.each(['RATE_LIMITED', 'RATE_LIMIT'] as const)(
    'the end of the hourly budget is known by the type %s',
    async (graphqlPrimaryType) => {
      const { client } = await standIn({ limits: { graphqlPerHour: 0, graphqlPrimaryType } });
      expect(await failing(client.query(anyQuery, {}))).toMatchObject({ isLimit: true, notBefore: start + 3_600_000 });
    },
  );

  test('errors beside data are handed to whoever asked', async () => {
    const errors = [{ type: 'NOT_FOUND', message: 'Could not resolve', path: ['nodes', 1] }];
    const { client } = await standIn({ fault: () => ({ status: 200, body: { data: { nodes: [1, null] }, errors } }) });
    expect(await client.query(anyQuery, {})).toMatchObject({ data: { nodes: [1, null] }, errors });
  });
});

describe('until when is counted from the clock of the answer, whatever ours shows', () => {
  const minute = 60_000;
  test.each([
    ['is two hours ahead', 120],
    ['is two minutes ahead', 2],
    ['is right', 0],
    ['is two minutes behind', -2],
    ['is two hours behind', -120],
  ])('where ours %s', async (_how, offMinutes) => {
    const ours = start + offMinutes * minute;
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(start / 1000 + 90) };
    const { client } = await standIn({ fault: () => ({ status: 403, headers, body: {} }) }, () => ours);
    expect(await failing(client.ask(route, shop, [200]))).toMatchObject({ notBefore: ours + 90_000 });
    expect(client.meter.budgets()).toMatchObject([{ resource: 'core', remaining: 0, resetAt: ours + 90_000 }]);
  });

  test.each([
    ['no date, and ours is ahead', undefined, 1, minute],
    ['no date, and ours is right', undefined, 0, 90_000],
    ['a date without sense', 'yesterday', 0, 90_000],
    ['a date past the end', new Date(start + 5 * minute).toUTCString(), 0, minute],
    ['a date hours before the end', new Date(start - 300 * minute).toUTCString(), 0, 60 * minute],
  ])('where the answer has %s', async (_what, date, offHours, waitMs) => {
    const ours = start + offHours * 60 * minute;
    const server = await loopback((response) => {
      response.sendDate = false;
      if (date !== undefined) response.setHeader('date', date);
      const limit = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(start / 1000 + 90) };
      response.writeHead(429, { 'content-type': 'application/json', ...limit }).end('{}');
    });
    const client = githubClient({ token, baseUrl: server.url, now: () => ours });
    expect(await failing(client.ask(route, shop, [200]))).toMatchObject({ notBefore: ours + waitMs });
  });
});

describe('no answer, or something else than an answer, is unavailable', () => {
  const html = '<html><h1>We had issues producing the response</h1><script>1</script></html>';
  const table: readonly [string, Answer][] = [
    ['a connection that is cut', drops],
    ['a page of HTML with 502', answers(502, html, { 'content-type': 'text/html' })],
    ['a page of HTML with 503 that says it is JSON', answers(503, html, { 'content-type': 'application/json' })],
    ['an empty 500', answers(500, '')],
  ];

  test.each(table)('%s', async (_name, answer) => {
    const { client } = await against(answer);
    for (const asked of [client.ask(route, shop, [200]), client.query(anyQuery, {}), client.ownLogin()]) {
      const error = await failing(asked);
      expect(error.kind).toBe('unavailable');
      expect(error.message).not.toContain('<');
    }
  });

  test.each([
    ['HTML', answers(200, html, { 'content-type': 'text/html' })],
    ['half of it', answers(200, '{"data":{"viewer"', { 'content-type': 'application/json' })],
    ['nothing', answers(200, '', { 'content-type': 'application/json' })],
    ['a bare null', answers(200, 'null', { 'content-type': 'application/json' })],
    ['a list', answers(200, '[]', { 'content-type': 'application/json; charset=utf-8' })],
  ])('a 200 that is %s', async (_name, answer) => {
    const { client } = await against(answer);
    expect((await failing(client.query(anyQuery, {}))).kind).toBe('unavailable');
    expect((await failing(client.ownLogin())).kind).toBe('unavailable');
  });

  test.each([
    ['never begins', hangs],
    ['stops in the middle', stalls({ 'content-type': 'application/json' })],
    ['stops in the middle of a text', stalls({ 'content-type': 'text/plain' })],
  ])('an answer that %s ends with the time-out', async (_name, answer) => {
    const { client } = await against(answer, { timeoutMs: 50 });
    const error = await failing(client.ask(route, shop, [200]));
    expect(error).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('in time') });
  });

  test('a tick that ends takes its requests with it', async () => {
    const tick = new AbortController();
    const { client } = await against(() => tick.abort(), { signal: tick.signal });
    expect((await failing(client.ask(route, shop, [200]))).kind).toBe('unavailable');
  });

  test('a port nobody listens on is named by its code only', async () => {
    const client = githubClient({ token, baseUrl: 'http://127.0.0.1:1', now });
    expect(await failing(client.ask(route, shop, [200]))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('could not be reached'),
    });
  });
});

describe('what is sent', () => {
  const ok = answers(200, '{"data":{}}', { 'content-type': 'application/json' });

  test('every request carries the token, our name and the version of the API', async () => {
    const { server, client } = await against(ok);
    await client.ask(route, shop, [200]);
    await client.query(anyQuery, {});
    for (const { headers } of server.received) {
      expect(headers).toMatchObject({ authorization: `token ${token}`, 'x-github-api-version': '2022-11-28' });
      expect(headers['user-agent']).toMatch(/^afk\b/);
    }
    expect(server.received).toHaveLength(2);
  });

  test('names stay inside their part of the path', async () => {
    const { server, client } = await against(ok);
    await client.ask('DELETE /repositories/{id}/labels/{name}', { id: '1', name: 'a/../b?c#d %2F é' }, [200]);
    expect(server.received[0]?.path).toBe('/repositories/1/labels/a%2F..%2Fb%3Fc%23d%20%252F%20%C3%A9');
  });

  test.each(['', '.', '..'])('a name that is %j goes nowhere, since no encoding holds it', async (name) => {
    const { server, client } = await against(ok);
    const error = await failing(client.ask('DELETE /repositories/{id}/labels/{name}', { id: '1', name }, [200]));
    expect(error.kind).toBe('refused');
    expect(server.received).toEqual([]);
  });

  test('a POST that is sent elsewhere is not followed, and never becomes a GET', async () => {
    const other = await loopback(ok);
    const { server, client } = await against((response) =>
      response.writeHead(301, { location: `${other.url}/repositories/1/labels` }).end('{}'),
    );
    expect((await failing(client.ask('POST /repositories/{id}/labels', { id: '1', name: 'a' }, [201]))).kind).toBe(
      'refused',
    );
    expect(server.received.map((request) => request.method)).toEqual(['POST']);
    expect(other.received).toEqual([]);
  });

  test('nothing is asked twice', async () => {
    const { server, client } = await against(answers(502, ''));
    await failing(client.ask('POST /repositories/{id}/labels', { id: '1', name: 'a' }, [201]));
    await failing(client.ask(route, shop, [200]));
    expect(server.received).toHaveLength(2);
  });

  test("a server of one's own has its GraphQL beside its REST", async () => {
    const { server, client } = await against(ok, { path: '/api/v3' });
    await client.query(anyQuery, {});
    expect(server.received[0]?.path).toBe('/api/graphql');
  });

  test('a write begins a second after the one before it began, and reads do not wait', async () => {
    const story: string[] = [];
    const server = await loopback((response, request) => {
      story.push(request.method);
      ok(response, request);
    });
    // A second passes only when the write it follows has come and a read was answered in between.
    const wait = async (ms: number): Promise<void> => {
      const passed = story.filter((line) => line.endsWith('ms')).length;
      if (passed === 2) return;
      await vi.waitUntil(() => story.filter((line) => line === 'POST').length > passed, { timeout: 5_000 });
      await client.ask(route, shop, [200]);
      story.push(`${ms} ms`);
    };
    const client = githubClient({ token, baseUrl: server.url, now, wait });
    const write = () => client.ask('POST /repositories/{id}/labels', { id: '1', name: 'a' }, [200]);
    await Promise.all([write(), client.mutate('mutation Mirror { x }', {}), write()]);
    const second = ['POST', 'GET', '1000 ms'];
    expect(story.slice(0, 7)).toEqual([...second, ...second, 'POST']);
  });

  test('time between writes passes by itself', async () => {
    const { server } = await against(ok);
    const client = githubClient({ token, baseUrl: server.url, writeSpacingMs: 500, now });
    const begun = performance.now();
    await Promise.all([client.mutate('mutation A { x }', {}), client.mutate('mutation B { x }', {})]);
    // The second cannot have been answered sooner; a timer may be a little early.
    expect(performance.now() - begun).toBeGreaterThan(490);
  });

  test('whose token it is gets asked once, and again after a failure only', async () => {
    let fails = true;
    const { client, server } = await standIn({ fault: () => (fails ? { status: 502, body: null } : undefined) });
    await failing(client.ownLogin());
    fails = false;
    expect(await Promise.all([client.ownLogin(), client.ownLogin()])).toEqual(['afk-bot', 'afk-bot']);
    expect(server.requests).toHaveLength(2);
  });

  test('nothing is written to the console', async () => {
    const written: unknown[] = [];
    const real = console.warn;
    console.warn = (...words) => written.push(words);
    onTestFinished(() => {
      console.warn = real;
    });
    const { client } = await against(answers(200, '{}', { deprecation: 'true', 'content-type': 'application/json' }));
    await client.ask(route, shop, [200]);
    expect(written).toEqual([]);
  });
});
