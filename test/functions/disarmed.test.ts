import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { portsOf } from '../../functions/wiring.ts';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { ssmClient, ssmGate } from '../../lib/adapters/ssm-gate.ts';
import type { Settings } from '../../lib/core/settings.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import { type Fault, localParameterStore } from '../../lib/local/parameter-store.ts';
import { t3Server } from '../../lib/sandbox/t3-server.ts';
import { agentLogin, sandboxWorld } from '../../lib/sandbox/world.ts';
import { poll } from '../../lib/shell/poll.ts';
import type { Report } from '../../lib/shell/tick.ts';
import { watch } from '../../lib/shell/watch.ts';
import { validatedGithub } from '../support/github-stand-in.ts';
import { type Answer, answers, loopback, nobody } from '../support/loopback.ts';
import { outgoing } from './outgoing.ts';

const minuteMs = 60_000;
const epoch = Date.UTC(2026, 0, 5, 9, 0);
const kinds = ['poll', 'watch'] as const;
type Kind = (typeof kinds)[number];

const settingsFor = (t3Url: string): string =>
  JSON.stringify({
    t3Url,
    defaults: { model: 'a-model', workspaceRoot: '/srv/checkouts/{owner}__{name}', agentLogins: [agentLogin] },
  });

const tempFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-disarmed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const counting = () => {
  const count = outgoing();
  onTestFinished(count.stop);
  return count;
};

/** One tick with the real gate at `endpoint`; it reports that it connected to the world by throwing. */
const tickAt = async (kind: Kind, endpoint: string): Promise<Report> => {
  const client = ssmClient({ endpoint, ...localAws });
  onTestFinished(() => client.destroy());
  const context = {
    gate: ssmGate({ client }),
    connect: async (): Promise<never> => {
      throw new Error('a tick that is off connected to the world');
    },
    now: () => epoch,
    by: 'a-tick',
    newRunId: () => '0'.repeat(32),
    timeLeftMs: () => 50_000,
  };
  return kind === 'poll' ? poll(context) : watch(context);
};

/** Both ticks at Parameter Stores of their own of each kind, all at the same time, and all that was asked of the network. */
const bothTicks = async (...kindsOfStore: readonly (() => Promise<string>)[]) => {
  const ticks = kindsOfStore.flatMap((endpointOf) => kinds.map((kind) => ({ kind, endpointOf })));
  const endpoints = await Promise.all(ticks.map(({ endpointOf }) => endpointOf()));
  const count = counting();
  const reports = await Promise.all(ticks.map(({ kind }, index) => tickAt(kind, endpoints[index]!)));
  const ports = count.requests.map(({ port }) => port).sort();
  // One call of each tick, to Parameter Store, on a socket of its own; nothing to anybody else.
  expect(ports).toEqual(endpoints.map((endpoint) => new URL(endpoint).port).sort());
  expect(count.sockets()).toBe(ticks.length);
  return reports;
};

const storeWith =
  (files: Readonly<Record<string, string>>, fault?: () => Fault | null) => async (): Promise<string> => {
    const folder = tempFolder();
    for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), value);
    const store = await localParameterStore({ folder, now: () => epoch, ...(fault && { fault }) });
    onTestFinished(store.close);
    return store.endpoint;
  };

const answering = (answer: Answer) => async (): Promise<string> => (await loopback(answer)).url;

const armedFiles = { 'kill-switch': 'false\n', allowlist: 'acme/web\n', settings: settingsFor('http://127.0.0.1:1') };

describe('Off means off: a tick makes exactly one network call, counted at the sockets, and nothing else', () => {
  test.each([
    ['as shipped', {}],
    ['with a repo enrolled', { ...armedFiles, 'kill-switch': 'true\n' }],
    ['with the word in capitals and spaces', { ...armedFiles, 'kill-switch': '  TRUE \n' }],
  ])('the kill switch is on, %s', async (_, files) => {
    for (const report of await bothTicks(storeWith(files)))
      expect(report).toMatchObject({ state: 'off', reason: 'the kill switch is on', unreadable: false });
  });

  test.each([
    ['maybe', /kill-switch reads .*maybe/],
    ['off', /kill-switch reads .*off/],
    ['0', /kill-switch reads .*0/],
    ['false false', /kill-switch reads .*false false/],
    ['"false"', /kill-switch reads .*false/],
    ['<html>', /kill-switch reads .*html/],
    ['', /kill-switch is absent/],
  ])('a kill switch of "%s" is unreadable, and that is on', async (value, reason) => {
    for (const report of await bothTicks(storeWith({ ...armedFiles, 'kill-switch': value })))
      expect(report).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringMatching(reason) });
  });

  test.each([
    ['{"t3Url":', /settings are not JSON/],
    ['<html>', /settings are not JSON/],
    ['{}', /t3Url is missing/],
    ['', /settings is absent/],
  ])('settings that read "%s" disarm as well', async (value, reason) => {
    for (const report of await bothTicks(storeWith({ ...armedFiles, settings: value })))
      expect(report).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringMatching(reason) });
  });

  const json = { 'content-type': 'application/x-amz-json-1.1' };
  test('a Parameter Store that hangs, or stalls in mid-body, is off, with the reason', async () => {
    const reports = await bothTicks(
      storeWith(armedFiles, () => 'hang'),
      storeWith(armedFiles, () => 'stall'),
    );
    for (const report of reports)
      expect(report).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringMatching(/in time/) });
  });

  const faults: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
    ['is not there', nobody, /ECONNREFUSED/],
    ['cuts the connection', storeWith(armedFiles, () => 'drop'), /ECONNRESET|EPIPE/],
    ['fails', storeWith(armedFiles, () => ({ type: 'InternalServerError', status: 500 })), /./],
    ['throttles', storeWith(armedFiles, () => ({ type: 'ThrottlingException', status: 400 })), /./],
    ['refuses access', storeWith(armedFiles, () => ({ type: 'AccessDeniedException', status: 400 })), /./],
    ['answers with a page', answering(answers(200, '<html>', { 'content-type': 'text/html' })), /no JSON/],
    ['answers with half of its JSON', answering(answers(200, '{"Parameters":[{"Name"', json)), /no JSON/],
    ['answers with nothing', answering(answers(200, '', json)), /list of parameters/],
  ];
  test.each(faults)('a Parameter Store that %s is off, with the reason', async (_, endpointOf, reason) => {
    for (const report of await bothTicks(endpointOf))
      expect(report).toMatchObject({
        state: 'off',
        unreadable: true,
        reason: expect.stringMatching(reason),
        rulings: [],
        happened: [],
      });
  });
});

/** An armed AFK over real HTTP: the parameter files, the table, GitHub and T3, all on loopback. */
const armedWorld = async () => {
  let now = epoch + 2 * minuteMs;
  const world = sandboxWorld({ at: epoch, token: 't3', cast: new Map([['acme/web#1', 'lands at once']]) });
  world.github.addUser('afk-bot', { token: 'gh' });
  world.github.addUser(agentLogin);
  world.github.addUser('maintainer');
  world.addRepo(
    'acme/web',
    { permissions: { 'afk-bot': 'write', maintainer: 'maintain', [agentLogin]: 'write' } },
    epoch,
  );
  for (const number of [1, 2]) {
    world.github.openIssue('acme/web', { author: 'maintainer', title: `Issue ${number}`, body: 'Mend it.' }, epoch);
    world.github.label('acme/web', number, 'ready-for-agent', 'maintainer', epoch + 1000);
  }
  const settled = (): number => {
    world.settle(now);
    return now;
  };
  const github = await validatedGithub(world.github, { now: settled });
  const t3 = await t3Server(world.t3, { now: settled });
  const dynamo = await embeddedDynamo();
  const folder = tempFolder();
  const files = { ...armedFiles, settings: settingsFor(t3.url) };
  const write = (name: string, value: string): void => writeFileSync(join(folder, name), value);
  for (const [name, value] of Object.entries(files)) write(name, value);
  const parameters = await localParameterStore({ folder, now: () => now });
  const ssm = ssmClient({ endpoint: parameters.endpoint, ...localAws });
  const table = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
  onTestFinished(async () => {
    ssm.destroy();
    table.destroy();
    await Promise.all([github.close(), t3.close(), dynamo.close(), parameters.close()]);
  });
  let drawn = 0;
  const tick = async (kind: Kind): Promise<Report> => {
    drawn += 1;
    const by = `invocation-${drawn}`;
    const store = dynamoStore({ client: table, table: dynamo.table, writer: by });
    const credentials = { github: { token: 'gh' }, githubUrl: github.url, t3Token: 't3' };
    const context = {
      gate: ssmGate({ client: ssm }),
      connect: async (settings: Settings) =>
        portsOf({ store, credentials, now: () => now, writeSpacingMs: 0 }, settings),
      now: () => now,
      by,
      newRunId: () => String(drawn).padStart(32, '0'),
      timeLeftMs: () => 50_000,
    };
    return kind === 'poll' ? poll(context) : watch(context);
  };
  const pass = (): void => {
    now += minuteMs;
  };
  return { world, tick, pass, write };
};

describe('Two gates: work starts only if the kill switch is off and the exact repo is in the allowlist', () => {
  test.each([
    ['none', /no repo is enrolled/],
    ['acme/*', /acme\/\*.* no exact owner\/name/],
    ['acme/web, web', /web.* no exact owner\/name/],
    ['none acme/web', /none.*beside others/],
  ])(
    'with the allowlist at "%s" the poller makes one call, and what is out is seen through',
    async (allowlist, reason) => {
      const { world, tick, pass, write } = await armedWorld();
      expect((await tick('poll')).happened.map(({ what }) => what)).toContain('dispatched');
      write('allowlist', allowlist);
      for (let minute = 0; minute < 30; minute += 1) {
        pass();
        const count = counting();
        const report = await tick('poll');
        count.stop();
        expect(count.requests).toHaveLength(1);
        expect(report).toMatchObject({ state: 'on', reason: expect.stringMatching(reason), rulings: [], failed: [] });
        const { ended } = await tick('watch');
        if (ended.length > 0) break;
      }
      pass();
      await tick('watch');
      const repo = [...world.github.state.repos.values()][0]!;
      expect(repo.issues.get(1)!.state).toBe('closed');
      expect(repo.issues.get(2)!.labels.map(({ name }) => name)).toEqual(['ready-for-agent']);
      expect(world.t3.threads()).toHaveLength(1);
    },
  );
});
