import { setImmediate as immediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dynamoClient } from '../../lib/adapters/dynamo-store.ts';
import { dynamoTexts } from '../../lib/adapters/dynamo-texts.ts';
import { type AppMemory, appMemory, type GithubApp, githubApp, NotInstalled } from '../../lib/adapters/github-app.ts';
import type { GithubClient } from '../../lib/adapters/github-client.ts';
import { installationsForge, installationsTracker } from '../../lib/adapters/github-installations.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import { sealedTokens, type TextCache } from '../../lib/adapters/sealed-tokens.ts';
import type { RepoRef } from '../../lib/core/issue.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import { PortError } from '../../lib/ports.ts';
import type { Fault, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { forgeContract } from '../contract/forge-contract.ts';
import { anApp, appKeys, otherKeys } from '../support/an-app.ts';
import { startGithub } from '../support/github-stand-in.ts';

const start = Date.parse('2026-03-02T08:00:00Z');
const minute = 60_000;
const ready = 'ready-for-agent';

/** Texts as a table would share them, in a map that tests may look into. */
const texts = (): TextCache & { kept: Map<string, string> } => {
  const kept = new Map<string, string>();
  return {
    kept,
    get: async (key) => kept.get(key) ?? null,
    set: async (key, text) => {
      kept.set(key, text);
    },
  };
};

/** Two owners with a repo each, the App on both; each `container` begins with no memory, as after a cold start. */
const installed = async () => {
  const world = githubWorld({ at: start });
  for (const login of ['afk-bot', 'maintainer']) world.addUser(login);
  for (const name of ['acme/shop', 'acme/tools', 'globex/site']) {
    world.addRepo(name, { private: true, permissions: { maintainer: 'write' } });
    world.addLabel(name, { name: ready });
  }
  const app = anApp(world, 'acme', 'globex');
  let fault: (request: HttpRequest) => Fault | undefined = () => undefined;
  const now = (): number => world.state.at;
  const server = await startGithub(world, { now, fault: (request) => fault(request) });
  const container = (options: { shared?: TextCache; memory?: AppMemory; app?: typeof app } = {}) => {
    const memory = options.memory ?? appMemory();
    const it = githubApp({
      app: options.app ?? app,
      baseUrl: server.url,
      now,
      writeSpacingMs: 0,
      memory,
      ...(options.shared !== undefined && { shared: options.shared }),
    });
    const watched = watchMemory(now);
    return { it, memory, tracker: installationsTracker(it, watched), forge: installationsForge(it, watched) };
  };
  const refOf = (name: string): RepoRef => {
    const repo = [...world.state.repos.values()].find((one) => one.name === name)!;
    return { host: 'github.com', id: String(repo.id), nodeId: repo.nodeId, name };
  };
  const asked = (end: RegExp): number => server.requests.filter(({ request }) => end.test(request.path)).length;
  return {
    world,
    server,
    app,
    container,
    refOf,
    minted: () => asked(/\/access_tokens$/),
    lookedUp: () => asked(/\/installation$/),
    become: (next: typeof fault): void => {
      fault = next;
    },
  };
};

const failing = async (asked: Promise<unknown>): Promise<PortError> => {
  const error = await asked.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PortError);
  return error as PortError;
};

describe('A GitHub App', () => {
  test('asks under a token with no more rights than are used, found by the repo and kept for its owner', async () => {
    const { container, refOf, minted, lookedUp, server } = await installed();
    const { tracker, it } = container();
    expect((await tracker.resolve('acme/shop'))?.repo).toEqual(refOf('acme/shop'));
    expect((await tracker.scan([refOf('acme/shop'), refOf('acme/tools')], ready)).length).toBe(2);
    expect(await tracker.preflight(refOf('acme/tools'), 'main', [ready], { noCi: 'accept' })).toEqual([]);
    expect([minted(), lookedUp()]).toEqual([1, 2]);
    const mint = server.requests.find(({ request }) => request.path.endsWith('/access_tokens'));
    expect(JSON.parse(mint!.request.body)).toEqual({
      permissions: {
        ...{ metadata: 'read', issues: 'write', contents: 'read', checks: 'read', statuses: 'read' },
        ...{ deployments: 'read', actions: 'read', pull_requests: 'read' },
      },
    });
    expect(await it.ownLogin()).toBe('afk[bot]');
  });

  test('finds the installation once and mints one token, however many ask at once', async () => {
    const { container, refOf, minted, lookedUp } = await installed();
    const { tracker } = container();
    const shop = refOf('acme/shop');
    await Promise.all(Array.from({ length: 6 }, () => tracker.listReady(shop, ready)));
    expect([minted(), lookedUp()]).toEqual([1, 1]);
  });

  test('a token is minted anew when less than five minutes are left', async () => {
    const { container, refOf, minted, world } = await installed();
    const { tracker } = container();
    const ask = () => tracker.listReady(refOf('acme/shop'), ready);
    await ask();
    world.state.at = start + 55 * minute;
    await ask();
    expect(minted()).toBe(1);
    world.state.at += 1_000;
    await ask();
    expect(minted()).toBe(2);
  });

  test('a kept token that is refused is minted anew, once, and the call made again', async () => {
    const { container, refOf, minted, world } = await installed();
    const { tracker, memory } = container();
    const ask = (of = tracker) => of.listReady(refOf('acme/shop'), ready);
    await ask();
    // Revoked behind our back; the next invocation of the same container begins with it.
    world.state.installationTokens.clear();
    const next = container({ memory }).tracker;
    await Promise.all([ask(next), ask(next), ask(next)]);
    expect(minted()).toBe(2);
    world.state.installationTokens.clear();
    // This one took the place of another: what refuses it would refuse a third.
    expect((await failing(ask(next))).kind).toBe('unauthorised');
    expect(minted()).toBe(2);
  });

  test('a key that is refused is unauthorised, for another may be put in its place', async () => {
    const { container, refOf, app } = await installed();
    const broken = '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----';
    for (const privateKey of [otherKeys.privateKey, broken]) {
      const { tracker } = container({ app: { ...app, privateKey } });
      const refused = await failing(tracker.listReady(refOf('acme/shop'), ready));
      expect(refused.kind).toBe('unauthorised');
      expect(refused.message).not.toContain('AAAA');
    }
  });

  test('an id that no App has is unauthorised, and is not taken for an App that is not installed', async () => {
    const { container, refOf, app } = await installed();
    const { tracker, it } = container({ app: { ...app, appId: '4711' } });
    for (const asked of [
      tracker.resolve('acme/shop'),
      tracker.preflight(refOf('acme/shop'), 'main', []),
      it.ownLogin(),
    ])
      expect(await failing(asked)).toMatchObject({
        kind: 'unauthorised',
        message: expect.stringMatching(/no App with this id/),
      });
  });

  test('the tracker shows nothing of a repo the App is not on, and says what is missing', async () => {
    const { world, container, refOf } = await installed();
    const { tracker } = container();
    world.selectRepos('afk', 'acme', ['acme/tools']);
    expect(await tracker.resolve('acme/shop')).toBeNull();
    expect(await tracker.resolve('acme')).toBeNull();
    await tracker.resolve('acme/tools');
    expect(await tracker.preflight(refOf('acme/shop'), 'main', [ready])).toEqual([
      'the GitHub App is not installed on acme/shop: install it there, or add the repo to its installation',
    ]);
    expect((await tracker.scan([refOf('acme/shop'), refOf('acme/tools')], ready)).map(({ name }) => name)).toEqual([
      'acme/tools',
    ]);
  });

  test('no work begins in a public repo that the App was taken off, though it can be read', async () => {
    const { world, container, refOf } = await installed();
    world.addRepo('acme/open', { permissions: { maintainer: 'write' } });
    const { number, nodeId } = world.openIssue('acme/open', { author: 'maintainer', title: 'One' }, start);
    world.selectRepos('afk', 'acme', ['acme/shop']);
    const { tracker } = container();
    await tracker.resolve('acme/shop');
    const asked = tracker.detail({ repo: refOf('acme/open'), number, nodeId }, ready);
    expect(await failing(asked)).toBeInstanceOf(NotInstalled);
  });

  test('a permission that was not granted is named before anything else is tried', async () => {
    const { world, container, refOf } = await installed();
    world.uninstallApp('afk', 'globex');
    world.installApp('afk', 'globex', { permissions: { issues: 'write', contents: 'read' } });
    const refused = await failing(container().tracker.listReady(refOf('globex/site'), ready));
    expect(refused).toMatchObject({ kind: 'refused', message: expect.stringContaining('permissions') });
    expect(refused.message).toContain('docs/deploy.md');
  });
});

describe('Several installations', () => {
  test('are asked four at once, one with more than a page of repos by itself, and none twice', async () => {
    let [open, most] = [0, 0];
    const asked: number[] = [];
    const slow: GithubClient = {
      query: async (_, { ids }) => {
        open += 1;
        most = Math.max(most, open);
        asked.push((ids as string[]).length);
        await immediate();
        open -= 1;
        return { data: { nodes: [] }, errors: [] };
      },
      ask: async () => Promise.reject(new Error('not asked here')),
      mutate: async () => Promise.reject(new Error('not asked here')),
      ownLogin: async () => 'afk[bot]',
      hasRole: false,
      meter: { accountOf: () => 'github.com#acme', budgets: () => [] },
    };
    const app: GithubApp = {
      clientFor: async () => slow,
      clientNow: async () => slow,
      nameNow: ({ name }) => name,
      meter: slow.meter,
      learnName: () => undefined,
      ownLogin: async () => 'afk[bot]',
    };
    const repos = ['a', 'b', 'c', 'd', 'e', 'f', ...Array.from({ length: 500 }, (_, n) => `large-${n % 2}`)].map(
      (owner, n): RepoRef => ({ host: 'github.com', id: String(n), nodeId: `R_${n}`, name: `${owner}/shop-${n}` }),
    );
    await installationsTracker(
      app,
      watchMemory(() => 0),
    ).scan(repos, ready);
    expect(most).toBe(4);
    expect(asked).toEqual([1, 1, 1, 1, 1, 1, 100, 100, 50, 100, 100, 50]);
  });

  test.each([
    ['uninstalled', (it: Awaited<ReturnType<typeof installed>>) => it.world.uninstallApp('afk', 'acme')],
    ['suspended', (it: Awaited<ReturnType<typeof installed>>) => it.world.suspendApp('afk', 'acme')],
    [
      'over its limit',
      (it: Awaited<ReturnType<typeof installed>>) =>
        it.become(({ path, body }) =>
          path === '/graphql' && body.includes(it.refOf('acme/shop').nodeId)
            ? { status: 403, headers: { 'retry-after': '60' }, body: { message: 'secondary rate limit' } }
            : undefined,
        ),
    ],
  ])('one that is %s leaves the repos of the others in the scan', async (_, spoil) => {
    const it = await installed();
    const { tracker } = it.container();
    const refs = ['acme/shop', 'acme/tools', 'globex/site'].map(it.refOf);
    expect((await tracker.scan(refs, ready)).length).toBe(3);
    spoil(it);
    // In the same container, with its tokens and ids still in memory, and in a fresh one.
    for (const of of [tracker, it.container().tracker])
      expect((await of.scan(refs, ready)).map(({ name }) => name)).toEqual(['globex/site']);
  });

  test('where none is left to answer, the reason is told', async () => {
    const { world, container, refOf } = await installed();
    world.suspendApp('afk', 'acme');
    const refused = await failing(container().tracker.scan([refOf('acme/shop')], ready));
    expect(refused).toMatchObject({ kind: 'refused', message: expect.stringContaining('suspended on acme') });
  });

  test('one that is installed again is found under its new id', async () => {
    const { world, container, refOf } = await installed();
    const { tracker } = container();
    const ask = () => tracker.listReady(refOf('acme/shop'), ready);
    await ask();
    world.uninstallApp('afk', 'acme');
    expect((await failing(ask())).message).toContain('uninstalled');
    world.installApp('afk', 'acme');
    expect(await ask()).toEqual([]);
  });

  test('a blocker is asked for with its own owner’s client; where the App is not, it is unreadable', async () => {
    const { world, container } = await installed();
    world.addRepo('initech/core', { private: true });
    for (const name of ['acme/shop', 'globex/site', 'initech/core'])
      world.openIssue(name, { author: 'maintainer', title: 'One' }, start);
    world.close('globex/site', 1, 'maintainer', start);
    const states = await container().tracker.blockerStates(['acme/shop#1', 'globex/site#1', 'initech/core#1', 'none']);
    expect([...states]).toEqual([
      ['acme/shop#1', 'open'],
      ['globex/site#1', 'closed'],
      ['initech/core#1', 'unreadable'],
      ['none', 'unreadable'],
    ]);
  });

  test('a blocker that names no repo hides none of the same owner’s from the others', async () => {
    const { world, container } = await installed();
    world.openIssue('globex/site', { author: 'maintainer', title: 'One' }, start);
    const states = await container().tracker.blockerStates(['globex/none#1', 'globex/site#1', '..#1', 'globex/..#1']);
    expect([...states.values()]).toEqual(['unreadable', 'open', 'unreadable', 'unreadable']);
  });

  test('a repo that moved to another owner is found there, and the former owner’s others stay where they are', async () => {
    const { world, container, refOf, server } = await installed();
    const { it } = container();
    const before = refOf('acme/shop');
    world.renameRepo('acme/shop', 'globex/shop');
    const { tracker } = container();
    expect((await tracker.resolve('acme/shop'))?.repo).toEqual({ ...before, name: 'globex/shop' });
    expect((await tracker.scan([refOf('acme/tools')], ready)).length).toBe(1);
    expect(await it.clientFor('acme/tools')).not.toBe(await it.clientFor('globex/shop'));
    expect(server.requests.every(({ response }) => (response?.status ?? 0) < 400)).toBe(true);
  });
});

describe('The shared token', () => {
  test('two cold starts share one, through the table', async () => {
    const { container, refOf, minted } = await installed();
    const dynamo = await embeddedDynamo();
    const client = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
    onTestFinished(async () => {
      client.destroy();
      await dynamo.close();
    });
    const shared = dynamoTexts({ client, table: dynamo.table });
    for (let starts = 0; starts < 3; starts += 1)
      expect(await container({ shared }).tracker.listReady(refOf('acme/shop'), ready)).toEqual([]);
    expect(minted()).toBe(1);
    expect(await container({ shared }).tracker.listReady(refOf('globex/site'), ready)).toEqual([]);
    expect(minted()).toBe(2);
  });

  test('a table that does not answer costs a token, and nothing else', async () => {
    const { container, refOf, minted } = await installed();
    const client = dynamoClient({ endpoint: 'http://127.0.0.1:1', ...localAws });
    onTestFinished(() => client.destroy());
    const shared = dynamoTexts({ client, table: 'afk' });
    expect(await container({ shared }).tracker.listReady(refOf('acme/shop'), ready)).toEqual([]);
    expect(minted()).toBe(1);
  });

  test('what is shared shows neither the token nor the key, and is good for this App alone', async () => {
    const { container, refOf, server, world } = await installed();
    const shared = texts();
    await container({ shared }).tracker.listReady(refOf('acme/shop'), ready);
    const [token = ''] = world.state.installationTokens.keys();
    const [[name, sealed] = ['', '']] = shared.kept;
    expect(token).toMatch(/^ghs_/);
    for (const text of [name, sealed, Buffer.from(sealed, 'base64').toString('latin1')])
      for (const secret of [token, token.slice(4, 20), 'expiresAt', appKeys.privateKey.slice(40, 60)])
        expect(text).not.toContain(secret);
    const now = () => start;
    const opened = (secret: string) => sealedTokens(shared, { secret, now }).get(name);
    expect(await opened(appKeys.privateKey)).toEqual({ token, expiresAt: start + 60 * minute });
    expect(await opened(otherKeys.privateKey)).toBeNull();
    // Whoever may write the table may destroy what is there, and cannot put one installation's under another's name.
    shared.kept.set('another', sealed);
    expect(await sealedTokens(shared, { secret: appKeys.privateKey, now }).get('another')).toBeNull();
    expect(server.requests.length).toBeGreaterThan(0);
  });

  test('what was damaged is ignored, and one takes its place', async () => {
    const { container, refOf, minted } = await installed();
    const shared = texts();
    const ask = () => container({ shared }).tracker.listReady(refOf('acme/shop'), ready);
    await ask();
    const [[name, sealed] = ['', '']] = shared.kept;
    const flipped = Buffer.from(sealed, 'base64');
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    const spoilt = ['', 'x', '{}', 'AAAA'.repeat(30), flipped.toString('base64'), sealed.slice(0, 40)];
    for (const [index, text] of spoilt.entries()) {
      shared.kept.set(name, text);
      expect(await ask()).toEqual([]);
      expect(minted()).toBe(index + 2);
    }
  });

  test('nothing is handed out with less than five minutes to go', async () => {
    const shared = texts();
    let now = start;
    const cache = sealedTokens(shared, { secret: 'a key', now: () => now });
    const token = { token: 'ghs_1', expiresAt: start + 60 * minute };
    await cache.set('one', token);
    now = start + 55 * minute;
    expect(await cache.get('one')).toEqual(token);
    now += 1;
    expect(await cache.get('one')).toBeNull();
    expect(await cache.get('two')).toBeNull();
  });
});

forgeContract('the forge through an installation', async (world, now) => {
  const app = anApp(world, 'acme');
  const { url } = await startGithub(world, { now });
  return installationsForge(
    githubApp({ app, baseUrl: url, writeSpacingMs: 0, now, memory: appMemory() }),
    watchMemory(now),
  );
});
