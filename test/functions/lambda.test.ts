import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bundle, bundled, bytesOf } from '../../cdk/bundle.ts';
import { environmentOf } from '../../functions/environment.ts';
import { metricNames } from '../../functions/metric-names.ts';
import { anApp, otherKeys } from '../support/an-app.ts';
import { lambdaHost } from '../support/lambda-host.ts';
import { drops, hangs } from '../support/loopback.ts';
import { parameterStore } from '../support/parameters.ts';
import { deployedEnvironments } from './deployed-environment.ts';
import { lambdaWorld, linesOf, metricsIn } from './lambda-world.ts';

const kinds = ['poller', 'watcher'] as const;

let dist = '';
beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), 'afk-bundle-'));
  await bundle(dist);
});
afterAll(() => rmSync(dist, { recursive: true, force: true }));

/** Everything that is loaded with a file, without what is imported only when needed. */
const loadedWith = (folder: string, file: string, seen = new Set<string>()): Set<string> => {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(join(folder, file), 'utf8');
  for (const [, target] of text.matchAll(/(?:from|import)"\.\/([^"]+\.mjs)"/g)) loadedWith(folder, target!, seen);
  return seen;
};

describe('The bundle', () => {
  test('a function has at most 850 KiB of JavaScript', () => {
    for (const name of bundled) expect(bytesOf(join(dist, name)) / 1024).toBeLessThan(850);
  });

  test('of the sources of credentials it has the environment alone', () => {
    for (const name of bundled)
      for (const file of readdirSync(join(dist, name)).filter((each) => each.endsWith('.mjs')))
        expect(readFileSync(join(dist, name, file), 'utf8'), file).not.toMatch(
          /AssumeRoleWithWebIdentity|credential_process|sso_account_id|from ?"bowser"/,
        );
  });

  test('the same sources give the same bytes', async () => {
    const again = mkdtempSync(join(tmpdir(), 'afk-bundle-'));
    onTestFinished(() => rmSync(again, { recursive: true, force: true }));
    await bundle(again);
    for (const name of bundled) {
      const files = readdirSync(join(dist, name)).sort();
      expect(readdirSync(join(again, name)).sort()).toEqual(files);
      for (const file of files)
        expect(readFileSync(join(again, name, file)).equals(readFileSync(join(dist, name, file))), file).toBe(true);
    }
  });

  test('what a disarmed tick loads knows neither GitHub, nor T3, nor DynamoDB', () => {
    for (const name of bundled) {
      const folder = join(dist, name);
      const textOf = (files: Iterable<string>): string =>
        [...files].map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
      const light = textOf(loadedWith(folder, 'index.mjs'));
      const all = textOf(readdirSync(folder).filter((file) => file.endsWith('.mjs')));
      for (const word of ['DynamoDB_20120810', 'api.github.com', '/api/orchestration/dispatch']) {
        expect(all, word).toContain(word);
        expect(light, word).not.toContain(word);
      }
    }
  });
});

describe('The built functions under the Lambda runtime client', () => {
  test('disarmed, then flipped, then dispatched, landed, closed and rung, then flipped back: in two warm processes', async () => {
    const it = await lambdaWorld(dist);
    for (const kind of kinds) {
      const told = await it.tick(kind);
      expect(told).toMatchObject({ armed: false, reason: 'the kill switch is on' });
      expect(told.calls).toEqual({ total: 1, byHost: { [it.hostOf.ssm]: 1 } });
    }
    expect(it.ssm.asked).toHaveLength(2);
    for (const kind of kinds) expect((await it.host(kind)).log()).not.toMatch(/loaded armed-/);

    it.arm();
    const dispatched = await it.tick('poller');
    expect((await it.host('poller')).log()).toMatch(/loaded armed-/);
    expect(dispatched.dispatched).toEqual(['acme/web#1 dispatched: turn 0: opening']);
    expect(dispatched.ruled).toEqual(['acme/web#1 dispatch: labelled by maintainer']);
    const ends: string[] = [];
    for (let minute = 0; minute < 30 && ends.length === 0; minute += 1) {
      it.pass();
      ends.push(...(await it.tick('watcher')).ended);
    }
    expect(ends).toEqual(['acme/web#1 done: CI is green']);
    expect(it.issue(1).state).toBe('closed');
    expect(it.world.t3.threads()).toHaveLength(1);

    // What the end owed is paid; then a quiet minute costs what a quiet minute costs on one machine.
    it.pass();
    await it.tick('watcher');
    expect(it.rung()).toEqual(['AFK: done: acme/web#1 Issue 1']);
    expect((await it.tick('poller')).calls.total).toBe(3);
    expect((await it.tick('watcher')).calls.total).toBe(2);

    it.disarm();
    it.pass();
    expect((await it.tick('poller')).calls.total).toBe(1);
    for (const kind of kinds) expect((await it.host(kind)).starts()).toBe(1);
  });

  test('with nothing enrolled the poller makes one call and loads nothing more', async () => {
    const it = await lambdaWorld(dist);
    it.ssm.put('/afk/control/kill-switch', 'false');
    expect(await it.tick('poller')).toMatchObject({ armed: true, reason: 'no repo is enrolled', calls: { total: 1 } });
    expect((await it.host('poller')).log()).not.toMatch(/loaded armed-/);
  });

  test('metrics come out as raw lines: a tick that ran, one that was off, and an end by its outcome', async () => {
    const it = await lambdaWorld(dist, ['crashes']);
    await it.tick('watcher');
    it.arm();
    await it.tick('poller');
    for (let minute = 0; minute < 20; minute += 1) {
      it.pass();
      if ((await it.tick('watcher')).ended.length > 0) break;
    }
    const watched = metricsIn((await it.host('watcher')).log());
    expect(watched.filter((line) => line[metricNames.tickDisarmed] === 1)).toHaveLength(1);
    expect(watched).toContainEqual(
      expect.objectContaining({ service: 'watcher', outcome: 'escalated', [metricNames.runsEnded]: 1 }),
    );
    expect(watched.at(-1)).toMatchObject({ service: 'watcher', [metricNames.handedBack]: 1, [metricNames.tickRan]: 1 });
    expect(metricsIn((await it.host('poller')).log())).toContainEqual(
      expect.objectContaining({ service: 'poller', [metricNames.runsDispatched]: 1, [metricNames.workWaiting]: 0 }),
    );
    // Nothing varies in a dimension but the function and the outcome: each combination is a metric that costs.
    const dimensions = watched.flatMap((line) =>
      Object.keys(line).filter((key) => key !== '_aws' && !Object.values<string>(metricNames).includes(key)),
    );
    expect([...new Set(dimensions)].sort()).toEqual(['ColdStart', 'function_name', 'outcome', 'service']);
  });

  test('a dry run while disarmed reads the world, says what a tick would do, and writes nothing anywhere', async () => {
    const it = await lambdaWorld(dist);
    it.ssm.put('/afk/control/allowlist', 'acme/web');
    const told = await it.tick('poller', { dryRun: true });
    expect(told.dryRun).toMatch(/nothing was written; AFK is disarmed \(the kill switch is on\)/);
    expect(told.ruled).toEqual(['acme/web#1 dispatch: labelled by maintainer']);
    expect(told.wouldHave.join('\n')).toMatch(/make a project at \/srv\/checkouts\/acme__web/);
    expect(it.writes()).toEqual([]);
    expect((await it.rows()).items).toEqual([]);
    expect(it.world.t3.threads()).toEqual([]);

    const explained = await it.tick('watcher', { explain: 'acme/web#1' });
    expect(explained.says).toBe('it waits: kill switch: the kill switch is on');
    expect(explained.gates.join('\n')).toMatch(
      /passes trust and text: labelled by maintainer at .*maintainer has write/,
    );
    expect(it.writes()).toEqual([]);
  });

  test('a tick for one repo alone leaves the others to the next full one', async () => {
    const it = await lambdaWorld(dist);
    it.arm();
    const other = await it.tick('poller', { only: 'acme/other' });
    expect(other).toMatchObject({ ruled: [], dispatched: [] });
    expect(it.world.t3.threads()).toEqual([]);
    expect((await it.tick('poller', { only: 'Acme/Web' })).dispatched).toHaveLength(1);
  });

  test('an event that is none of the forms is refused with those that are, and nobody is asked anything', async () => {
    const it = await lambdaWorld(dist);
    expect(await it.invoke('poller', { dryrun: true })).toMatchObject({
      ok: false,
      errorType: 'EventRefused',
      errorMessage: expect.stringMatching(/\{"dryRun": true\}[\s\S]*\{"explain": "owner\/name#7"\}/),
    });
    expect(it.ssm.asked).toEqual([]);
  });

  test.each([
    ['is down', drops, /ECONNRESET|EPIPE/],
    ['hangs', hangs, /in time/],
  ])(
    'a Parameter Store that %s is off with the reason, one call and a metric; it is over as soon as the store is back',
    async (_, fault, reason) => {
      const it = await lambdaWorld(dist);
      it.ssm.fails(fault);
      const told = await it.tick('poller');
      expect(told).toMatchObject({ armed: false, reason: expect.stringMatching(reason) });
      expect(told.calls.total).toBe(1);
      expect(metricsIn((await it.host('poller')).log()).at(-1)).toMatchObject({ [metricNames.controlUnreadable]: 1 });
      it.ssm.fails(null);
      it.arm();
      expect((await it.tick('poller')).dispatched).toHaveLength(1);
      expect((await it.host('poller')).starts()).toBe(1);
    },
  );

  test('where its table cannot be reached a tick throws, with the shape of an error', async () => {
    const it = await lambdaWorld(dist);
    it.arm();
    await it.closeTable();
    expect(await it.invoke('watcher')).toMatchObject({
      ok: false,
      errorType: 'PortError',
      errorMessage: expect.stringMatching(/^DynamoDB Query failed: ECONNREFUSED/),
      trace: expect.arrayContaining([expect.stringContaining('PortError')]),
    });
  });

  test('a tick that takes too long is ended early as an ordinary error, and the process serves the next one', async () => {
    const it = await lambdaWorld(dist);
    it.arm();
    await it.tick('poller');
    it.pass();
    it.onT3('hang');
    expect(await it.invoke('watcher', {}, { timeoutMs: 2000 })).toMatchObject({
      ok: false,
      errorType: 'TickTimedOut',
      errorMessage: expect.stringContaining('750 ms before its time-out'),
    });
    it.onT3(null);
    expect(await it.tick('watcher')).toMatchObject({ reason: null, failed: [] });
    expect((await it.host('watcher')).starts()).toBe(1);
  });

  test('a process that answers nothing any more is killed at its time-out, and the next one dispatches once', async () => {
    const it = await lambdaWorld(dist);
    await it.tick('poller');
    it.arm();
    process.kill((await it.host('poller')).pid()!, 'SIGSTOP');
    expect(await it.invoke('poller', {}, { timeoutMs: 1000 })).toMatchObject({
      ok: false,
      errorMessage: expect.stringMatching(/Task timed out after 1.00 seconds/),
    });
    expect((await it.tick('poller')).dispatched).toHaveLength(1);
    expect((await it.host('poller')).starts()).toBe(2);
  });

  test.each(kinds)('the %s starts with exactly the environment that the template gives', async (kind) => {
    const ssm = await parameterStore({ '/afk/control/kill-switch': 'true' });
    const hosts = [deployedEnvironments.plain[kind], deployedEnvironments.rich[kind]].map((environment) =>
      lambdaHost(join(dist, kind), { ...environment, AWS_ENDPOINT_URL_SSM: ssm.url }),
    );
    for (const host of await Promise.all(hosts)) {
      onTestFinished(host.close);
      expect(await host.invoke({})).toMatchObject({ ok: true, result: { reason: 'the kill switch is on' } });
    }
  });

  test('what is missing or wrong in the environment is named at init', async () => {
    const host = await lambdaHost(join(dist, 'poller'), { GITHUB_URL: 'github', DOORBELL_TOPIC_ARN: 'afk' });
    onTestFinished(host.close);
    expect(await host.invoke({})).toMatchObject({
      ok: false,
      errorMessage:
        'environment: TABLE_NAME is not set; GITHUB_URL must be an https URL such as https://HOST/api/v3; DOORBELL_TOPIC_ARN does not look right',
    });
    expect(() => environmentOf({ TABLE_NAME: 'afk', NTFY_TOPIC: 'afk' })).toThrow(
      'environment: NTFY_URL and NTFY_TOPIC are set both or not at all',
    );
  });

  test('a missing secret is reported by name, and what does not need it goes on; put later, it is used at once', async () => {
    const it = await lambdaWorld(dist);
    it.ssm.remove('/afk/secret/t3-token');
    it.arm();
    const told = await it.tick('poller');
    expect(told.failed.join('\n')).toMatch(/the secret \/afk\/secret\/t3-token is absent/);
    expect(told.calls.byHost[it.hostOf.github]).toBeGreaterThan(0);
    expect(told.calls.byHost[it.hostOf.t3]).toBeUndefined();
    expect(metricsIn((await it.host('poller')).log()).at(-1)).toMatchObject({ [metricNames.secretMissing]: 1 });
    it.ssm.put('/afk/secret/t3-token', 't3');
    it.pass(20);
    expect((await it.tick('poller')).dispatched).toHaveLength(1);
  });

  test('secrets are kept while they work; refused, they are read once more and the very call is made again', async () => {
    const it = await lambdaWorld(dist);
    it.ssm.put('/afk/secret/github-token', 'of yesterday');
    it.arm();
    const read = (): number =>
      it.ssm.asked.filter((names) => names.some((name) => name.startsWith('/afk/secret/'))).length;
    expect((await it.tick('poller')).failed.join('\n')).toMatch(/GitHub/);
    expect(read()).toBe(2);
    it.ssm.put('/afk/secret/github-token', 'gh');
    it.pass(20);
    expect((await it.tick('poller')).dispatched).toHaveLength(1);
    expect(read()).toBe(3);
    it.pass();
    await it.tick('poller');
    expect(read()).toBe(3);
  });

  test('as a GitHub App both functions act under one token; a key that is refused is read anew, and no log shows either', async () => {
    const it = await lambdaWorld(dist);
    const app = anApp(it.world.github, 'acme');
    const secretOf = (privateKey: string): string => JSON.stringify({ appId: Number(app.appId), privateKey });
    it.ssm.put('/afk/secret/github-app', secretOf(otherKeys.privateKey));
    it.arm();
    expect((await it.tick('poller')).failed.join('\n')).toMatch(/github-token and .*github-app are both there/);
    it.ssm.remove('/afk/secret/github-token');
    expect((await it.tick('poller')).failed.join('\n')).toMatch(/JSON web token could not be decoded/);
    it.ssm.put('/afk/secret/github-app', secretOf(app.privateKey));
    expect((await it.tick('poller')).dispatched).toHaveLength(1);
    it.pass();
    expect(await it.tick('watcher')).toMatchObject({ failed: [] });
    it.pass();
    // Two processes by now; each minute costs what it costs with a token.
    expect([(await it.tick('poller')).calls.byHost[it.hostOf.github], it.tokens()]).toEqual([1, 1]);
    for (const kind of kinds) {
      const log = (await it.host(kind)).log();
      expect(log).not.toMatch(/ghs_|PRIVATE KEY/);
      expect(log).not.toContain(app.privateKey.split('\n')[1]);
    }
  });

  test('no line of a log holds a secret, and every line about a run names repo, issue and run', async () => {
    const it = await lambdaWorld(dist);
    it.arm();
    await it.tick('poller');
    const log = (await it.host('poller')).log();
    expect(log).not.toMatch(/"(?:gh|t3)"|Bearer|token gh/);
    const moved = linesOf(log).filter(({ message }) => message === 'run moved');
    expect(moved.map(({ what }) => what)).toContain('dispatched');
    for (const line of moved)
      expect(line).toMatchObject({ repo: 'acme/web', issue: 1, run: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });
});
