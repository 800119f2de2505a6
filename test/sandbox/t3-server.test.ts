import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { T3Fault } from '../../lib/sandbox/t3-server.ts';
import { t3Server } from '../../lib/sandbox/t3-server.ts';
import { type T3WorldOptions, t3World } from '../../lib/sandbox/t3-world.ts';
import { agent, ends, projectCreate, t0, threadCreate } from './t3-stage.ts';

const started: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

const serve = async (options: Partial<T3WorldOptions> = {}, fault: () => T3Fault | null = () => null) => {
  const world = t3World({ agentOf: () => agent(ends()), token: 'all', ...options });
  const server = await t3Server(world, { now: () => t0, fault });
  started.push(server);
  return { world, ...server };
};

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly bytes: Buffer };

/** One request over a socket of its own; rejects when the server drops it or `patienceMs` pass without a whole answer. */
const ask = (
  url: string,
  {
    method = 'GET',
    headers = {},
    body = '',
    patienceMs = 0,
  }: { method?: string; headers?: Record<string, string>; body?: string; patienceMs?: number } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const signal = patienceMs > 0 ? { signal: AbortSignal.timeout(patienceMs) } : {};
    const outgoing = httpRequest(url, { method, headers, agent: false, ...signal }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes: Buffer.concat(chunks) }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
const bearer = { authorization: 'Bearer all' };
const json = { ...bearer, 'content-type': 'application/json' };
const dispatch = '/api/orchestration/dispatch';
const shell = '/api/orchestration/shell';
const bodyOf = ({ bytes }: Answer): unknown => JSON.parse(bytes.toString());

describe('credentials', () => {
  test('without any, or with a prefix that is not exactly "Bearer ", every route but the open ones is 401', async () => {
    const { url } = await serve();
    for (const headers of [{}, { authorization: 'bearer all' }, { authorization: 'all' }]) {
      for (const [method, path] of [
        ['GET', shell],
        ['GET', '/api/orchestration/snapshot'],
        ['GET', '/api/orchestration/threads/one'],
        ['POST', dispatch],
      ] as const) {
        const answer = await ask(url + path, { method, headers });
        expect(answer.status).toBe(401);
        expect(bodyOf(answer)).toMatchObject({ code: 'auth_invalid', reason: 'missing_credential' });
      }
    }
    expect((await ask(`${url}/.well-known/t3/environment`)).status).toBe(200);
  });

  test('an unknown or expired bearer is 401 with another reason', async () => {
    const { url } = await serve({ grants: { old: { scopes: ['orchestration:read'], expiresAt: t0 } } });
    for (const token of ['nobody', 'old']) {
      const answer = await ask(url + shell, { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(401);
      expect(bodyOf(answer)).toMatchObject({ reason: 'invalid_credential' });
    }
  });

  test('a missing scope is 403 and names it, before the body is looked at', async () => {
    const { url } = await serve({ grants: { reader: { scopes: ['orchestration:read'] } } });
    const headers = { ...json, authorization: 'Bearer reader' };
    expect((await ask(url + shell, { headers })).status).toBe(200);
    const answer = await ask(url + dispatch, { method: 'POST', headers, body: '{' });
    expect(answer.status).toBe(403);
    expect(bodyOf(answer)).toMatchObject({ code: 'insufficient_scope', requiredScope: 'orchestration:operate' });
  });

  test('the session route is always 200 and says whether the bearer is good, for what and until when', async () => {
    const { url } = await serve({ grants: { reader: { scopes: ['orchestration:read'], expiresAt: t0 + 1_000 } } });
    const session = async (headers: Record<string, string>) =>
      bodyOf(await ask(`${url}/api/auth/session`, { headers }));
    expect(await session({})).toMatchObject({ authenticated: false });
    expect(await session({ authorization: 'Bearer nobody' })).toMatchObject({ authenticated: false });
    expect(await session({ authorization: 'Bearer reader' })).toMatchObject({
      authenticated: true,
      scopes: ['orchestration:read'],
      expiresAt: new Date(t0 + 1_000).toISOString(),
    });
  });

  test('a pairing credential buys one bearer with its narrower scopes, once', async () => {
    const { url } = await serve();
    const minted = await ask(`${url}/api/auth/pairing-token`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ label: 'reader', scopes: ['orchestration:read'] }),
    });
    const { credential } = Object(bodyOf(minted));
    const form = { subject_token: String(credential), scope: 'orchestration:read orchestration:operate' };
    const swap = () => ask(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form).toString() });
    const { access_token: token, scope } = Object(bodyOf(await swap()));
    expect(scope).toBe('orchestration:read');
    const headers = { ...json, authorization: `Bearer ${token}` };
    expect((await ask(url + shell, { headers })).status).toBe(200);
    expect((await ask(url + dispatch, { method: 'POST', headers, body: '{}' })).status).toBe(403);
    expect((await swap()).status).toBe(400);
  });
});

describe('dispatch', () => {
  test('a body that cannot be decoded is 400 with no body and no content type, and burns nothing', async () => {
    const { url } = await serve();
    const good = projectCreate({ commandId: 'c' });
    for (const body of ['', '{', 'null', '[]', '"x"', JSON.stringify({ ...good, title: ' ' })]) {
      const answer = await ask(url + dispatch, { method: 'POST', headers: json, body });
      expect(answer.status).toBe(400);
      expect(answer.bytes).toHaveLength(0);
      expect(answer.headers['content-type']).toBeUndefined();
    }
    expect((await ask(url + dispatch, { method: 'POST', headers: json, body: JSON.stringify(good) })).status).toBe(200);
  });

  test('a content type other than JSON is 415, none at all is taken for JSON', async () => {
    const { url } = await serve();
    const body = JSON.stringify(projectCreate({ commandId: 'c' }));
    const plain = await ask(url + dispatch, {
      method: 'POST',
      headers: { ...bearer, 'content-type': 'text/plain' },
      body,
    });
    expect(plain.status).toBe(415);
    const none = await ask(url + dispatch, { method: 'POST', headers: bearer, body });
    expect({ status: none.status, body: bodyOf(none) }).toEqual({ status: 200, body: { sequence: 1 } });
  });
});

describe('reads', () => {
  test('answers are packed when the client asks for it, and the same when it does not', async () => {
    const { url, world } = await serve();
    world.dispatch(projectCreate(), t0);
    const packed = await ask(url + shell, { headers: { ...bearer, 'accept-encoding': 'gzip' } });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'application/json' });
    const plain = await ask(url + shell, { headers: bearer });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(gunzipSync(packed.bytes)).toEqual(plain.bytes);
    expect(bodyOf(plain)).toEqual(world.shell(t0).body);
  });

  test('a thread id is percent-decoded, and a turn limit has to be a number from 1', async () => {
    const { url, world } = await serve();
    world.dispatch(projectCreate(), t0);
    world.dispatch(threadCreate('acme/widgets#7'), t0);
    const thread = `${url}/api/orchestration/threads/${encodeURIComponent('acme/widgets#7')}`;
    expect((await ask(thread, { headers: bearer })).status).toBe(200);
    expect((await ask(`${thread}?turnLimit=1`, { headers: bearer })).status).toBe(200);
    expect((await ask(`${thread}?turnLimit=0`, { headers: bearer })).status).toBe(400);
    expect((await ask(`${url}/api/orchestration/threads/%`, { headers: bearer })).status).toBe(400);
    expect((await ask(`${url}/api/orchestration/threads/none`, { headers: bearer })).status).toBe(404);
  });

  test('what is no route is 404', async () => {
    const { url } = await serve();
    expect((await ask(`${url}/api/orchestration/shells`, { headers: bearer })).status).toBe(404);
    expect((await ask(url + shell, { method: 'POST', headers: bearer })).status).toBe(404);
  });

  test('the server keeps a log of what it was asked and how much it said', async () => {
    const { url, requests } = await serve();
    const { bytes } = await ask(url + shell, { headers: bearer });
    await ask(url + shell);
    expect(requests).toMatchObject([
      { method: 'GET', path: shell, status: 200, bytesOut: bytes.length },
      { method: 'GET', path: shell, status: 401 },
    ]);
  });
});

describe('faults', () => {
  const send = (url: string) => ({
    answer: ask(url + dispatch, {
      method: 'POST',
      headers: json,
      body: JSON.stringify(projectCreate()),
      patienceMs: 200,
    }),
  });

  for (const [fault, isObeyed] of [
    ['drop', false],
    ['hang', false],
    ['drop-after', true],
    ['stall-body', true],
  ] as const) {
    test(`a request that meets ${fault} gets no whole answer, and is ${isObeyed ? '' : 'not '}obeyed`, async () => {
      const { url, world } = await serve({}, () => fault);
      await expect(send(url).answer).rejects.toThrow();
      expect(world.projects()).toHaveLength(isObeyed ? 1 : 0);
    });
  }

  test('an answer of the fault itself is given instead of the world', async () => {
    const { url, world, requests } = await serve({}, () => ({
      status: 502,
      body: 'Bad Gateway',
      headers: { 'retry-after': '5' },
    }));
    const answer = await send(url).answer;
    expect(answer).toMatchObject({ status: 502, headers: { 'retry-after': '5' } });
    expect(world.projects()).toEqual([]);
    expect(requests).toMatchObject([{ status: 502, bytesOut: 11 }]);
  });

  test('closing the server ends a request that hangs', async () => {
    const { url, close } = await serve({}, () => 'hang');
    const hanging = ask(url + shell, { headers: bearer });
    const refused = expect(hanging).rejects.toThrow();
    // The request is in once a second one was answered with nothing as well.
    await expect(send(url).answer).rejects.toThrow();
    await close();
    await refused;
  });
});
