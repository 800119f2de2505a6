import { describe, expect, test } from 'vitest';
import { countCalls } from '../../functions/calls.ts';
import { secretNames } from '../../functions/environment.ts';
import { freshStandings, handlerPorts, type Secrets } from '../../functions/handler-ports.ts';
import { appMemory } from '../../lib/adapters/github-app.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import { parseSettings } from '../../lib/core/settings.ts';
import { PortError, type Ports } from '../../lib/ports.ts';
import { memoryStore, memoryTable } from '../../lib/sandbox/memory-store.ts';

const parsed = parseSettings(
  JSON.stringify({
    t3Url: 'http://127.0.0.1:1',
    defaults: { model: 'a-model', workspaceRoot: '/srv/{owner}__{name}' },
  }),
);
if (!parsed.ok) throw new Error(parsed.problems.join());
const { settings } = parsed;

const holding = (values: Readonly<Record<string, string>>): Secrets => ({
  current: async () => ({ values: new Map(Object.entries(values)), epoch: 1 }),
  renew: async () => undefined,
});

const portsWith = (secrets: Secrets, signal: AbortSignal) => {
  const standings = freshStandings();
  return handlerPorts(
    {
      name: 'watcher',
      environment: { TABLE_NAME: 'afk', GITHUB_URL: 'http://127.0.0.1:1' },
      secrets,
      appMemory: appMemory(),
      watched: watchMemory(Date.now),
      sharedTokens: { get: async () => null, set: async () => undefined },
      store: memoryStore(memoryTable(), 'a-test'),
      now: Date.now,
      standings,
      signal,
    },
    settings,
  ).then((ports) => ({ ports, standings }));
};

const methodsIn = (port: object): readonly ((...args: unknown[]) => Promise<unknown>)[] =>
  Object.values(port).filter((held) => typeof held === 'function');

/** Every method of every port, by name, to be called with nothing: it has to refuse before it looks at what it is given. */
const methodsOf = (ports: Ports): [string, () => Promise<unknown>][] =>
  [ports.store, ports.tracker, ports.forge, ports.executor, ...ports.doorbells].flatMap((port) =>
    Object.entries(port).flatMap(([name, method]): [string, () => Promise<unknown>][] =>
      typeof method === 'function' ? [[name, async () => Reflect.apply(method, port, [{}, {}])]] : [],
    ),
  );

describe('The ports of an invocation', () => {
  test('once the time is up no call is made any more, whichever it is', async () => {
    const all = {
      [secretNames.githubToken]: 'gh',
      [secretNames.t3Token]: 't3',
      [secretNames.slackWebhook]: 'http://127.0.0.1:1/hook',
    };
    const { ports } = await portsWith(holding(all), AbortSignal.abort());
    const counted = countCalls();
    const methods = methodsOf(ports);
    expect(methods.length).toBeGreaterThan(35);
    for (const [name, call] of methods) await expect(call(), name).rejects.toThrow('the time of this tick is up');
    expect(counted.stop()).toEqual({ total: 0, byHost: {} });
  });

  test('a call that needs a secret which is not there fails by that name, and sends nothing', async () => {
    const { ports, standings } = await portsWith(holding({}), new AbortController().signal);
    const counted = countCalls();
    const needs = (port: object, secret: string) =>
      Promise.all(
        methodsIn(port).map(async (method) => {
          const failure = await method({}, {}).catch((error: unknown) => error);
          expect(failure).toBeInstanceOf(PortError);
          expect(failure).toMatchObject({ kind: 'unauthorised', message: expect.stringContaining(secret) });
        }),
      );
    await needs(ports.tracker, secretNames.githubToken);
    await needs(ports.tracker, secretNames.githubApp);
    await needs(ports.forge, secretNames.githubToken);
    await needs(ports.executor, secretNames.t3Token);
    expect(counted.stop().total).toBe(0);
    expect([...standings.missingSecrets].sort()).toEqual([secretNames.githubToken, secretNames.t3Token]);
  });

  test.each([
    ['a token and an App', { [secretNames.githubToken]: 'gh', [secretNames.githubApp]: '{}' }, 'are both there'],
    ['an App that is no JSON', { [secretNames.githubApp]: '-----BEGIN RSA PRIVATE KEY-----' }, 'is not {"appId"'],
    ['an App without a key', { [secretNames.githubApp]: '{"appId": 7, "privateKey": "hush"}' }, 'is not {"appId"'],
  ])('%s are refused by their names, and nothing is sent', async (_, values, words) => {
    const { ports } = await portsWith(holding(values), new AbortController().signal);
    const counted = countCalls();
    const failure = await ports.tracker.resolve('acme/shop').catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'unauthorised', message: expect.stringContaining(words) });
    expect(failure).toMatchObject({ message: expect.stringContaining(secretNames.githubApp) });
    expect(String(failure)).not.toContain('hush');
    expect(counted.stop().total).toBe(0);
  });
});
