import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Runs test files of these contents and no others, as the project's tests are run; the exit code and the last line printed. */
const closing = async (files: readonly string[]): Promise<{ code: number | null; last: string }> => {
  // Inside the project, so that the throw-away file finds the test runner; ignored by it and by everything else there.
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'reporter-'));
  try {
    const reporter = JSON.stringify(join(root, 'test', 'reporter.ts'));
    const config = `import { closingLine } from ${reporter};
export default { test: { include: ['*.case.mjs'], exclude: [], reporters: ['default', closingLine()] } };`;
    writeFileSync(join(folder, 'vitest.config.mjs'), config);
    for (const [at, content] of files.entries()) writeFileSync(join(folder, `${at}.case.mjs`), content);
    return await lastLineOf(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const lastLineOf = async (folder: string): Promise<{ code: number | null; last: string }> => {
  const printed = join(folder, 'printed.txt');
  // One file for both: what is read from two pipes says nothing about which came last.
  const out = openSync(printed, 'a');
  const args = ['run', '--root', folder, '--config', join(folder, 'vitest.config.mjs')];
  const child = spawn(process.execPath, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), ...args], {
    // Not as a test within a test: the child must not think that it is one of our workers.
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', out, out],
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  }).finally(() => closeSync(out));
  return { code, last: readFileSync(printed, 'utf8').trimEnd().split('\n').at(-1) ?? '' };
};

const imports = `import { afterAll, expect, test } from 'vitest';\n`;
const green = `${imports}test('a', () => {}); test('b', () => {}); test.skip('c', () => {});`;
const red = `${imports}test('a', () => { expect(1).toBe(2); });`;
const missing = `import './nowhere.mjs';\n${green}`;
const late = `${imports}afterAll(() => { throw new Error('late'); }); test('a', () => {});`;
const floating = `${imports}test('a', () => { void Promise.reject(new Error('floating')); });`;

test.concurrent.each([
  ['a green run', [green], 0, '2 passed, 0 failed'],
  ['a failed test', [green, red], 1, '2 passed, 1 failed'],
  ['an import that is missing', [missing], 1, '0 passed, 1 failed'],
  ['a hook that throws after all is done', [late], 1, '1 passed, 1 failed'],
  ['a rejection nobody awaits', [floating], 1, '1 passed, 1 failed'],
  ['no tests at all', [], 1, '0 passed, 1 failed'],
  ['everything at once', [green, red, missing, late, floating], 1, '4 passed, 4 failed'],
])('the closing line tells the truth of %s', async (_what, files, code, last) => {
  expect(await closing(files)).toEqual({ code, last });
});
