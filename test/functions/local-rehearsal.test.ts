import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { rehearsalOf } from '../../functions/local-rehearsal.ts';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { localAws } from '../../lib/local/dynalite.ts';
import { ownParts, sharedParts } from '../../lib/local/parts.ts';
import { t3Server } from '../../lib/sandbox/t3-server.ts';
import { sandboxWorld } from '../../lib/sandbox/world.ts';
import { validatedGithub } from '../support/github-stand-in.ts';

const program = fileURLToPath(new URL('../../functions/local.ts', import.meta.url));

const aFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-rehearsal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const command = (
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number | null; text: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
  });

/** A data folder with one enrolled repo, in which an issue waits; GitHub and T3 are stand-ins. */
const stage = async () => {
  const at = Date.now() - 600_000;
  const world = sandboxWorld({ at, token: 't3', cast: new Map([['acme/web#1', 'lands at once']]) });
  const { github } = world;
  github.addUser('afk-bot', { token: 'gh' });
  github.addUser('maintainer');
  world.addRepo('acme/web', { permissions: { 'afk-bot': 'write', maintainer: 'maintain' } }, at);
  github.openIssue('acme/web', { author: 'maintainer', title: 'Mend it', body: 'Please.' }, at);
  github.label('acme/web', 1, 'ready-for-agent', 'maintainer', at + 1000);
  const hub = await validatedGithub(github, { now: Date.now });
  const t3 = await t3Server(world.t3, { now: Date.now });
  onTestFinished(async () => {
    await hub.close();
    await t3.close();
  });
  const data = aFolder();
  const folder = join(data, 'real');
  mkdirSync(join(folder, 'control'), { recursive: true });
  const settings = { t3Url: t3.url, defaults: { model: 'a-model', workspaceRoot: '/srv/checkouts/{owner}__{name}' } };
  writeFileSync(join(folder, 'control', 'settings'), JSON.stringify(settings));
  writeFileSync(join(folder, 'control', 'allowlist'), 'acme/web');
  writeFileSync(join(folder, 'control', 'kill-switch'), 'true');
  return { world, data, folder, env: { GITHUB_TOKEN: 'gh', GITHUB_URL: hub.url, T3_URL: t3.url, T3_TOKEN: 't3' } };
};

test('a dry run beside a running instance says what would be dispatched, also while disarmed, and writes nothing anywhere', async () => {
  const { world, data, folder, env } = await stage();
  const parts = await ownParts({ folder, now: Date.now });
  try {
    const { code, text } = await command(['--dry-run', '--data', data], env);
    expect(text).toContain('AFK is disarmed (the kill switch is on)');
    expect(text).toMatch(/what waits\n +acme\/web#1 dispatch: labelled by maintainer/);
    expect(text).toContain('The watcher: nothing was written');
    expect(code, text).toBe(0);
    const client = dynamoClient({ endpoint: parts.dynamo, ...localAws });
    expect((await dynamoStore({ client, table: parts.table, writer: 'test' }).readNow()).items).toEqual([]);
    client.destroy();
    expect(world.t3.threads()).toEqual([]);
    expect(world.github.state.comments.size).toBe(0);
  } finally {
    await parts.close();
  }
}, 30_000);

test('one issue is explained gate by gate, where no instance is at work', async () => {
  const { data, folder, env } = await stage();
  const { code, text } = await command(['--explain', 'acme/web#1', '--data', data], env);
  expect(text).toMatch(/^acme\/web#1: /);
  expect(text).toMatch(/REFUSES kill switch: the kill switch is on/);
  expect(text).toMatch(/passes trust and text: labelled by maintainer/);
  expect(code, text).toBe(0);
  expect(existsSync(join(folder, 'parts.json'))).toBe(false);
}, 30_000);

test.each([
  ['an issue without a number', { explain: 'acme/web' }, '--explain takes an issue, owner/name#7'],
  ['a repo that is none', { dryRun: true, only: 'web' }, "--only takes a repo's name, owner/name"],
  ['one repo alone without a rehearsal', { only: 'acme/web' }, '--only narrows a --dry-run'],
  ['both rehearsals at once', { dryRun: true, explain: 'acme/web#1' }, '--explain stands alone'],
])('asked wrongly (%s), it says how to ask', (_, asked, words) => {
  expect(rehearsalOf({ dryRun: false, explain: undefined, only: undefined, ...asked })).toContain(words);
});

test('asked wrongly, nothing is started, and the exit code says so', async () => {
  const { code, text } = await command(['--explain', 'acme/web'], {});
  expect(text).toBe('--explain takes an issue, owner/name#7, and not "acme/web"\n');
  expect(code).toBe(2);
});

test('whoever only reads is led to the instance at work, and never to one that is gone', async () => {
  const folder = aFolder();
  const parts = await ownParts({ folder, now: Date.now });
  const shared = await sharedParts({ folder, now: Date.now });
  expect(shared.dynamo).toBe(parts.dynamo);
  await shared.close();
  expect(existsSync(join(folder, 'parts.json'))).toBe(true);
  writeFileSync(
    join(folder, 'parts.json'),
    JSON.stringify({ pid: 1, parameters: parts.parameters, dynamo: parts.dynamo, table: parts.table }),
  );
  await expect(sharedParts({ folder, now: Date.now })).rejects.toThrow('another instance');
  await parts.close();
});
