import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { t3Client } from '../../lib/adapters/t3-client.ts';
import type { Executor } from '../../lib/ports.ts';
import type { T3Grant } from '../../lib/sandbox/t3-auth.ts';
import type { T3Request } from '../../lib/sandbox/t3-handler.ts';
import { type T3Fault, t3Server } from '../../lib/sandbox/t3-server.ts';
import { t3World } from '../../lib/sandbox/t3-world.ts';
import { executorContract } from '../contract/executor-contract.ts';

executorContract('the T3 client, over HTTP to the stand-in,', async (world, now) => {
  const server = await t3Server(world, { now });
  return { executor: t3Client({ url: server.url, token: 't3-token' }), close: server.close };
});

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const at = Date.parse('2026-11-22T11:00:00.000Z');
const model = { instanceId: 'claudeAgent', model: 'claude-sonnet-5' };
const project = { commandId: 'c1', projectId: 'p1', title: 'acme/widgets', workspaceRoot: '/srv/a', model, at };
const thread = {
  commandId: 'c2',
  threadId: 't1',
  projectId: 'p1',
  title: 'one',
  model,
  runtimeMode: 'full-access',
  at,
};
const turn = { commandId: 'c3', threadId: 't1', messageId: 'm1', text: 'Fix it.', runtimeMode: 'full-access', at };

/** The stand-in with whatever is wrong with it; `requests` is what reached it. */
const standIn = async (
  fault: T3Fault | null = null,
  {
    timeoutMs = 5000,
    token = 't3-token',
    grants = {},
  }: { timeoutMs?: number; token?: string; grants?: Record<string, T3Grant> } = {},
) => {
  const requests: T3Request[] = [];
  const world = t3World({ agentOf: () => ({ starts: 'never' }), grants });
  const server = await t3Server(world, {
    now: () => at,
    fault: (request) => {
      requests.push(request);
      return fault;
    },
  });
  open.push(server.close);
  return {
    world,
    requests,
    served: server.requests,
    url: server.url,
    executor: t3Client({ url: server.url, token, timeoutMs }),
  };
};

/** A server that is no T3 at all. */
const other = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
};

const html = (status: number): T3Fault => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<html><body>\u001b[31mBad gateway, Bearer t3-token-that-is-quite-long ${'x'.repeat(5000)}</body></html>`,
});
const said = (status: number, body: unknown): T3Fault => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const failure = async (asked: Promise<unknown>): Promise<{ kind: string; message: string }> => {
  try {
    await asked;
  } catch (error) {
    expect(error).toMatchObject({ name: 'PortError' });
    const { kind, message } = error as { kind: string; message: string };
    expect(message.length).toBeLessThan(400);
    expect(message).not.toMatch(/[\u0000-\u001f]|t3-token/);
    return { kind, message };
  }
  throw new Error('nothing was thrown');
};

/** Every call there is. */
const calls: Readonly<Record<string, (executor: Executor) => Promise<unknown>>> = {
  look: (executor) => executor.look(),
  detail: (executor) => executor.detail('t1'),
  whereabouts: (executor) => executor.whereabouts('t1'),
  health: (executor) => executor.health(),
  createProject: (executor) => executor.createProject(project),
  createThread: (executor) => executor.createThread(thread),
  startTurn: (executor) => executor.startTurn(turn),
  interrupt: (executor) => executor.interrupt({ commandId: 'c4', threadId: 't1', at }),
  stop: (executor) => executor.stop({ commandId: 'c5', threadId: 't1', at }),
  archive: (executor) => executor.archive({ commandId: 'c6', threadId: 't1', at }),
  unarchive: (executor) => executor.unarchive({ commandId: 'c7', threadId: 't1', at }),
};
const reads = ['look', 'detail', 'whereabouts', 'health'];

/** What each call comes to when every answer is the given one. */
const outcomes = async (fault: T3Fault, timeoutMs = 5000): Promise<Record<string, string>> => {
  const { executor } = await standIn(fault, { timeoutMs });
  const entries = await Promise.all(
    Object.entries(calls).map(async ([name, call]) => [name, (await failure(call(executor))).kind] as const),
  );
  return Object.fromEntries(entries);
};
const all = (read: string, command = read): Record<string, string> =>
  Object.fromEntries(Object.keys(calls).map((name) => [name, reads.includes(name) ? read : command]));

describe('what is no answer from T3 says nothing about the run: unavailable, for every call', () => {
  test.each([200, 400, 404, 500, 502, 503, 504])('a page with status %i', async (status) => {
    expect(await outcomes(html(status))).toEqual(all('unavailable'));
  });

  test.each([
    ['a 200 that is empty', { status: 200, body: '' }],
    ['a 200 in another form', said(200, { hello: 'world' })],
    ['a 200 that is no object', said(200, null)],
    ['half a JSON text', { status: 200, body: '{"sequence": 1' }],
    ['429', said(429, { error: 'slow down' })],
    ['502 without a word', { status: 502, body: '' }],
    ['503 in JSON', said(503, { message: 'no upstream' })],
    ['500 in JSON that is not of T3', said(500, { message: 'oops' })],
  ] as const)('%s', async (_, fault) => {
    expect(await outcomes(fault)).toEqual(all('unavailable'));
  });

  test('a redirect is not followed', async () => {
    const seen: string[] = [];
    const url = await other((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(302, { location: '/pair' }).end();
    });
    const executor = t3Client({ url, token: 't3-token' });
    expect((await failure(executor.look())).kind).toBe('unavailable');
    expect((await failure(executor.startTurn(turn))).kind).toBe('unavailable');
    expect(seen).toEqual(['/api/orchestration/shell', '/api/orchestration/dispatch']);
  });

  test.each(['drop', 'drop-after'] as const)('a connection that breaks (%s)', async (fault) => {
    expect(await outcomes(fault)).toEqual(all('unavailable'));
  });

  test.each(['hang', 'stall-body'] as const)('an answer that does not come, or not to its end (%s)', async (fault) => {
    expect(await outcomes(fault, 150)).toEqual(all('unavailable'));
  });

  test('a server that is not there', async () => {
    const executor = t3Client({ url: 'http://127.0.0.1:1', token: 't3-token' });
    expect((await failure(executor.look())).kind).toBe('unavailable');
  });

  test('an answer without end is given up long before the memory is full', async () => {
    let sent = 0;
    const url = await other((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 32);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.on('drain', () => {
        sent += chunk.length;
        more();
      });
      more();
    });
    expect(await failure(t3Client({ url, token: 't3-token' }).look())).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/more than/),
    });
    expect(sent).toBeLessThan(128 * 1024 * 1024);
  });

  test('a small answer that unpacks to a huge one is given up too', async () => {
    const packed = gzipSync(Buffer.alloc(40 * 1024 * 1024, 32));
    expect(packed.length).toBeLessThan(100_000);
    const url = await other((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed);
    });
    expect(await failure(t3Client({ url, token: 't3-token' }).look())).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/more than/),
    });
  });
});

describe('what T3 refuses is definite', () => {
  test('its own 500 burns a command id and is a value, never an error', async () => {
    const { executor } = await standIn(
      said(500, { _tag: 'EnvironmentInternalError', code: 'internal_error', reason: 'orchestration_dispatch_failed' }),
    );
    for (const [name, call] of Object.entries(calls))
      if (!reads.includes(name)) expect([name, await call(executor)]).toEqual([name, 'refused']);
    expect((await failure(executor.look())).kind).toBe('unavailable');
  });

  test('what it cannot decode is a 400 with nothing in it', async () => {
    expect(await outcomes({ status: 400, body: '' })).toEqual(all('unavailable', 'refused'));
  });

  test('a content type it does not take is a 415 in plain words', async () => {
    const fault = { status: 415, headers: { 'content-type': 'text/plain' }, body: 'Unsupported Media Type' };
    expect(await outcomes(fault)).toEqual(all('unavailable', 'refused'));
  });

  test('an invalid command means a missing checkout only where a project is made', async () => {
    const { executor } = await standIn(
      said(400, { _tag: 'EnvironmentRequestInvalidError', code: 'invalid_request', reason: 'invalid_command' }),
    );
    expect(await executor.createProject(project)).toBe('no checkout');
    expect((await failure(executor.createThread(thread))).kind).toBe('refused');
  });

  test('only its own 404 means that there is no such thread', async () => {
    const mine = await standIn(
      said(404, { _tag: 'EnvironmentResourceNotFoundError', code: 'not_found', reason: 'thread_not_found' }),
    );
    expect(await mine.executor.detail('t1')).toBeNull();
    const proxy = await standIn({ status: 404, body: '' });
    expect((await failure(proxy.executor.detail('t1'))).kind).toBe('unavailable');
  });
});

describe('a credential that does not do', () => {
  test('a token T3 does not know is unauthorised everywhere, with what to mint', async () => {
    const { executor: wrong } = await standIn(null, { token: 'another' });
    expect((await failure(wrong.health())).message).toMatch(/t3 auth session issue/);
    expect(await failure(wrong.look())).toEqual({
      kind: 'unauthorised',
      message: expect.stringMatching(/401.*invalid_credential.*t3 auth session issue/),
    });
    expect((await failure(wrong.startTurn(turn))).kind).toBe('unauthorised');
  });

  test('a token that may only read is told which scope it lacks', async () => {
    const grants = { reader: { scopes: ['orchestration:read'], expiresAt: at + 1000 } };
    const { url } = await standIn(null, { grants });
    const executor = t3Client({ url, token: 'reader' });
    expect(await failure(executor.createProject(project))).toEqual({
      kind: 'unauthorised',
      message: expect.stringMatching(/403.*orchestration:operate.*t3 auth session issue/),
    });
    expect(await executor.health()).toEqual({ version: '0.0.32', tokenExpiresAt: at + 1000, canOperate: false });
  });

  test.each([401, 403])('a proxy that asks for a login (%i) is unauthorised too', async (status) => {
    expect(await outcomes(html(status))).toEqual(all('unauthorised'));
  });

  test('a token that cannot be sent is never quoted', async () => {
    const { url } = await standIn();
    const executor = t3Client({ url, token: 't3-token\nwith a line end' });
    expect((await failure(executor.look())).kind).toBe('refused');
  });
});

describe('what is sent', () => {
  test('carries the bearer, asks for gzip, and says every field that T3 requires', async () => {
    const { executor, requests, served } = await standIn();
    await executor.createProject(project);
    await executor.createThread(thread);
    await executor.startTurn(turn);
    await executor.look();
    for (const { headers } of requests)
      expect(headers).toMatchObject({ authorization: 'Bearer t3-token', 'accept-encoding': 'gzip' });
    const createdAt = '2026-11-22T11:00:00.000Z';
    expect(requests.slice(0, 3).map(({ body }) => JSON.parse(body))).toEqual([
      {
        type: 'project.create',
        commandId: 'c1',
        projectId: 'p1',
        title: 'acme/widgets',
        workspaceRoot: '/srv/a',
        createWorkspaceRootIfMissing: false,
        defaultModelSelection: model,
        createdAt,
      },
      {
        type: 'thread.create',
        commandId: 'c2',
        threadId: 't1',
        projectId: 'p1',
        title: 'one',
        modelSelection: model,
        runtimeMode: 'full-access',
        interactionMode: 'default',
        branch: null,
        worktreePath: null,
        createdAt,
      },
      {
        type: 'thread.turn.start',
        commandId: 'c3',
        threadId: 't1',
        message: { messageId: 'm1', role: 'user', text: 'Fix it.', attachments: [] },
        runtimeMode: 'full-access',
        interactionMode: 'default',
        createdAt,
      },
    ]);
    expect(served.map(({ method, path }) => `${method} ${path}`).at(-1)).toBe('GET /api/orchestration/shell');
  });

  test('an address with a path before T3 and a slash after it is taken as meant', async () => {
    const paths: string[] = [];
    const url = await other((request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(200).end('{"projects":[],"threads":[]}');
    });
    await t3Client({ url: `${url}/t3/`, token: 't3-token' }).look();
    expect(paths).toEqual(['/t3/api/orchestration/shell']);
  });

  test('an answer that got lost leaves a command that was obeyed, and asked again it is accepted once', async () => {
    const { url, world } = await standIn();
    let isLost = true;
    const lossy = await t3Server(world, { now: () => at, fault: () => (isLost ? 'drop-after' : null) });
    open.push(lossy.close);
    const executor = t3Client({ url: lossy.url, token: 't3-token' });
    await t3Client({ url, token: 't3-token' }).createProject(project);
    expect((await failure(executor.createThread(thread))).kind).toBe('unavailable');
    isLost = false;
    expect(await executor.createThread(thread)).toBe('accepted');
    expect(world.threads()).toHaveLength(1);
  });
});
