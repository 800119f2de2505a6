import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { acquireInstanceLock, FolderInUse } from '../../lib/local/instance-lock.ts';

const aFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const alive = () => true;
const gone = () => false;

test('a second instance is kept out, and told by whom and by which file', () => {
  const folder = aFolder();
  const { path } = acquireInstanceLock(folder, { pid: 4711 });
  const second = () => acquireInstanceLock(folder, { pid: 4712, isAlive: (pid) => pid === 4711 });
  expect(second).toThrow(FolderInUse);
  expect(second).toThrow('pid 4711');
  expect(second).toThrow(path);
  expect(readFileSync(path, 'utf8')).toBe('4711\n');
});

test('the same process does not get in twice', () => {
  const folder = aFolder();
  acquireInstanceLock(folder);
  expect(() => acquireInstanceLock(folder)).toThrow(FolderInUse);
});

test('the lock is free again once it was released, and nothing is left behind', () => {
  const folder = join(aFolder(), 'made', 'on', 'the', 'way');
  acquireInstanceLock(folder, { pid: 4711 }).release();
  expect(readdirSync(folder)).toEqual([]);
  const next = acquireInstanceLock(folder, { pid: 4712, isAlive: alive });
  expect(readdirSync(folder)).toEqual(['instance.lock']);
  expect(readFileSync(next.path, 'utf8')).toBe('4712\n');
});

test('a release that is repeated does not free the lock of who came after', () => {
  const folder = aFolder();
  const first = acquireInstanceLock(folder, { pid: 4711 });
  first.release();
  acquireInstanceLock(join(folder, 'other')).release();
  writeFileSync(first.path, '4712\n');
  first.release();
  expect(existsSync(first.path)).toBe(true);
});

test('the lock of a process that is gone is taken over', () => {
  const folder = aFolder();
  writeFileSync(join(folder, 'instance.lock'), '4711\n');
  const { path } = acquireInstanceLock(folder, { pid: 4712, isAlive: gone });
  expect(readFileSync(path, 'utf8')).toBe('4712\n');
  expect(readdirSync(folder)).toEqual(['instance.lock']);
});

test('a lock with our own pid that is not ours was left by an earlier start under the same pid', () => {
  const folder = aFolder();
  writeFileSync(join(folder, 'instance.lock'), '1\n');
  expect(acquireInstanceLock(folder, { pid: 1, isAlive: alive }).path).toBe(join(folder, 'instance.lock'));
});

test('a lock that names nobody is not taken over', () => {
  const folder = aFolder();
  for (const content of ['', 'yes', '-1\n', '12 34\n']) {
    writeFileSync(join(folder, 'instance.lock'), content);
    expect(() => acquireInstanceLock(folder, { isAlive: gone })).toThrow(join(folder, 'instance.lock'));
  }
});

test('while another start takes a stale lock over, nobody else does', () => {
  const folder = aFolder();
  writeFileSync(join(folder, 'instance.lock'), '4711\n');
  let inner: unknown;
  // The second start happens while the first is looking whether the old process is alive, and is through before it.
  acquireOnce(folder, 4712, () => {
    inner = acquireOnce(folder, 4713, () => {});
  });
  expect(inner).toBe('got it');
  expect(readFileSync(join(folder, 'instance.lock'), 'utf8')).toBe('4713\n');
});

test('a start that was killed while it took a stale lock over keeps nobody out, however often that happens', () => {
  const folder = aFolder();
  const lock = join(folder, 'instance.lock');
  for (const left of [lock, `${lock}.takeover`, `${lock}.takeover.takeover`]) writeFileSync(left, '4711\n');
  const { path } = acquireInstanceLock(folder, { pid: 4712, isAlive: gone });
  expect(readFileSync(path, 'utf8')).toBe('4712\n');
  expect(readdirSync(folder)).toEqual(['instance.lock']);
});

test('a start that is taking a stale lock over keeps everybody else out', () => {
  const folder = aFolder();
  const lock = join(folder, 'instance.lock');
  writeFileSync(lock, '4711\n');
  writeFileSync(`${lock}.takeover`, '4712\n');
  const second = () => acquireInstanceLock(folder, { pid: 4713, isAlive: (pid) => pid === 4712 });
  expect(second).toThrow('pid 4712');
  expect(second).toThrow(`${lock}.takeover`);
  expect(readFileSync(lock, 'utf8')).toBe('4711\n');
});

/** A start during whose first look something else happens. */
const acquireOnce = (folder: string, pid: number, meanwhile: () => void): string => {
  let looks = 0;
  try {
    acquireInstanceLock(folder, {
      pid,
      isAlive: (other) => {
        looks += 1;
        if (looks === 1) meanwhile();
        return other !== 4711;
      },
    });
    return 'got it';
  } catch (error) {
    expect(error).toBeInstanceOf(FolderInUse);
    return 'kept out';
  }
};

test('of several processes that start at once on a stale lock exactly one gets in', async () => {
  const folder = aFolder();
  writeFileSync(join(folder, 'instance.lock'), '4711\n');
  const starter = `
    import { acquireInstanceLock } from ${JSON.stringify(new URL('../../lib/local/instance-lock.ts', import.meta.url).href)};
    process.stdin.once('data', () => {
      try { acquireInstanceLock(${JSON.stringify(folder)}, { isAlive: (pid) => pid !== 4711 }); console.log('got it'); }
      catch (error) { console.log(error.name); }
      process.stdin.once('data', () => process.exit(0));
    });
    console.log('ready');`;
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--no-warnings', '-e', starter]);
    onTestFinished(() => void child.kill());
    return child;
  });
  const word = async (child: (typeof children)[number]) => String((await once(child.stdout, 'data'))[0]).trim();
  expect(await Promise.all(children.map(word))).toEqual(['ready', 'ready', 'ready', 'ready']);
  const said = Promise.all(children.map(word));
  for (const child of children) child.stdin.write('go\n');
  expect((await said).toSorted()).toEqual(['FolderInUse', 'FolderInUse', 'FolderInUse', 'got it']);
});
