import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetParametersCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ssmClient, ssmGate } from '../../lib/adapters/ssm-gate.ts';
import { localAws } from '../../lib/local/dynalite.ts';
import { type Fault, localParameterStore } from '../../lib/local/parameter-store.ts';

const aFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'control');
};

/** The endpoint on a folder, and the real client. `clock.now` is what it takes for the time. */
const started = async (folder = aFolder(), fault: () => Fault | null = () => null) => {
  const clock = { now: 1_000_000 };
  const { endpoint, close } = await localParameterStore({ folder, now: () => clock.now, fault });
  const client = ssmClient({ endpoint, ...localAws });
  onTestFinished(async () => {
    client.destroy();
    await close();
  });
  const get = async (...names: string[]) => {
    const answer = await client.send(new GetParametersCommand({ Names: names.map((name) => `/afk/control/${name}`) }));
    return { found: answer.Parameters ?? [], absent: answer.InvalidParameters ?? [] };
  };
  const value = async (name: string) => (await get(name)).found[0]?.Value ?? null;
  const stamp = async (name: string) => {
    const [parameter] = (await get(name)).found;
    return { version: parameter?.Version, at: parameter?.LastModifiedDate?.getTime() };
  };
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
  return { folder, clock, client, get, value, stamp, write };
};

describe('the values that ship', () => {
  test('a fresh folder gets the values that start nothing', async () => {
    const { folder, value, client } = await started();
    expect([await value('kill-switch'), await value('allowlist'), await value('settings')]).toEqual([
      'true',
      'none',
      '{}',
    ]);
    expect(readdirSync(folder).toSorted()).toEqual(['.stamps.json', 'allowlist', 'kill-switch', 'settings']);
    expect(await ssmGate({ client }).read()).toEqual({
      state: 'off',
      reason: 'the kill switch is on',
      unreadable: false,
      halt: null,
    });
  });

  test('nothing is written into a folder where somebody has been', async () => {
    const folder = aFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, 'allowlist'), 'acme/shop\n');
    const { value } = await started(folder);
    expect(await value('allowlist')).toBe('acme/shop');
    expect(readdirSync(folder).toSorted()).toEqual(['.stamps.json', 'allowlist']);
  });

  test('a restart changes no value', async () => {
    const folder = aFolder();
    const first = await started(folder);
    first.write('kill-switch', 'false\n');
    rmSync(join(folder, 'settings'));
    const second = await started(folder);
    expect(await second.value('kill-switch')).toBe('false');
    expect(await second.value('settings')).toBeNull();
  });
});

describe('a file is a parameter', () => {
  test('a change with an editor shows at the next read', async () => {
    const { value, write } = await started();
    for (const word of ['false', 'true', 'false']) {
      write('kill-switch', `${word}\n`);
      expect(await value('kill-switch')).toBe(word);
    }
  });

  test('line ends behind a value and a byte order mark before it are not part of it, all else is', async () => {
    const { value, write } = await started();
    write('allowlist', '\ufeff a/b,\n c/d \r\n\n');
    expect(await value('allowlist')).toBe(' a/b,\n c/d ');
  });

  test('what is not there or empty is absent', async () => {
    const { get, write } = await started();
    write('allowlist-2', '\n');
    expect(await get('allowlist-2', 'allowlist-3')).toEqual({
      found: [],
      absent: ['/afk/control/allowlist-2', '/afk/control/allowlist-3'],
    });
  });

  test('no name leads out of the folder or to the stamps', async () => {
    const { folder, get, client } = await started();
    writeFileSync(join(folder, '..', 'secret'), 'x');
    expect((await get('../secret', '.stamps.json', '', 'a/../kill-switch')).found).toEqual([]);
    const others = new GetParametersCommand({ Names: ['kill-switch', '/afk/secret/kill-switch', '/etc/passwd'] });
    expect((await client.send(others)).Parameters).toEqual([]);
  });

  test('a file that no parameter could hold turns the gate off and is named', async () => {
    for (const spoil of [
      (path: string) => writeFileSync(path, 'x'.repeat(4097)),
      (path: string) => writeFileSync(path, 'x'.repeat(100_000)),
      (path: string) => mkdirSync(path),
    ]) {
      const { client, folder, write } = await started();
      write('kill-switch', 'false');
      spoil(join(folder, 'allowlist-2'));
      const control = await ssmGate({ client }).read();
      expect(control).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringContaining('allowlist-2') });
    }
  });

  test('4096 bytes are not too long', async () => {
    const { value, write } = await started();
    write('allowlist', `${'x'.repeat(4096)}\n`);
    expect(await value('allowlist')).toHaveLength(4096);
  });
});

describe('version and date', () => {
  test('a fresh folder is version 1, and reading does not change that', async () => {
    const { clock, stamp } = await started();
    expect(await stamp('kill-switch')).toEqual({ version: 1, at: 1_000_000 });
    clock.now += 60_000;
    expect(await stamp('kill-switch')).toEqual({ version: 1, at: 1_000_000 });
  });

  test('new content is the next version, dated when it was first read; others keep theirs', async () => {
    const { clock, stamp, write } = await started();
    await stamp('kill-switch');
    await stamp('allowlist');
    write('kill-switch', 'false\n');
    clock.now += 60_000;
    expect(await stamp('kill-switch')).toEqual({ version: 2, at: 1_060_000 });
    clock.now += 60_000;
    write('kill-switch', 'true\n');
    expect(await stamp('kill-switch')).toEqual({ version: 3, at: 1_120_000 });
    expect(await stamp('allowlist')).toEqual({ version: 1, at: 1_000_000 });
  });

  test('a file that was saved again with the same value is not new', async () => {
    const { clock, stamp, write } = await started();
    await stamp('kill-switch');
    clock.now += 60_000;
    write('kill-switch', 'true');
    expect(await stamp('kill-switch')).toEqual({ version: 1, at: 1_000_000 });
  });

  test('a restart keeps the stamps, and finds what was flipped while it was down', async () => {
    const folder = aFolder();
    const first = await started(folder);
    await first.stamp('kill-switch');
    await first.stamp('allowlist');
    first.write('allowlist', 'acme/shop');
    const second = await started(folder);
    second.clock.now += 60_000;
    expect(await second.stamp('kill-switch')).toEqual({ version: 1, at: 1_000_000 });
    expect(await second.stamp('allowlist')).toEqual({ version: 2, at: 1_060_000 });
  });

  test('where the stamps are spoilt everything counts as just changed', async () => {
    const { folder, clock, stamp } = await started();
    await stamp('kill-switch');
    for (const spoilt of ['', '{"/afk/control/kill-switch":', '{"/afk/control/kill-switch":1}']) {
      clock.now += 60_000;
      writeFileSync(join(folder, '.stamps.json'), spoilt);
      expect(await stamp('kill-switch')).toEqual({ version: 2, at: clock.now });
    }
    expect(JSON.parse(readFileSync(join(folder, '.stamps.json'), 'utf8'))).toHaveProperty(['/afk/control/kill-switch']);
  });
});

describe('the protocol', () => {
  test('nothing can be written through it', async () => {
    const { client, value } = await started();
    const arm = new PutParameterCommand({ Name: '/afk/control/kill-switch', Value: 'false', Overwrite: true });
    await expect(client.send(arm)).rejects.toMatchObject({ name: 'UnknownOperationException' });
    expect(await value('kill-switch')).toBe('true');
  });

  test('more names than the product takes are refused', async () => {
    const { get } = await started();
    const names = Array.from({ length: 11 }, (_, n) => `allowlist-${n}`);
    await expect(get(...names)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('each fault turns the gate off, and it can be read again when the fault is over', async () => {
    const faults: readonly Fault[] = ['drop', 'hang', 'stall', { type: 'ThrottlingException', status: 400 }];
    await Promise.all(
      faults.map(async (fault) => {
        let now: Fault | null = fault;
        const { client } = await started(aFolder(), () => now);
        expect(await ssmGate({ client }).read()).toMatchObject({ state: 'off', unreadable: true });
        now = null;
        expect(await ssmGate({ client }).read()).toMatchObject({ reason: 'the kill switch is on' });
      }),
    );
  });
});
