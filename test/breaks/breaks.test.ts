import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { breaks } from './catalogue.ts';
import { pageOf, rowsOf } from './page.ts';
import { type Results, verdictOf } from './verdict.ts';

const root = join(import.meta.dirname, '../..');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('the breaks that the tests are tried on', () => {
  test.each(breaks.map((one) => [one.name, one] as const))(
    '%s: what it changes is still there, once',
    (_, { edits }) => {
      for (const { file, find, replace } of edits) {
        expect(textOf(file).split(find), `${file} holds this once: ${find}`).toHaveLength(2);
        expect(replace).not.toBe(find);
      }
    },
  );

  test('are as many as were promised, and each has a name of its own', () => {
    expect(breaks.length).toBeGreaterThanOrEqual(20);
    expect(new Set(breaks.map(({ name }) => name)).size).toBe(breaks.length);
  });

  test('are all on the page, which names a test that caught each, and no other is', () => {
    const caught = rowsOf(textOf('docs/breaks.md'));
    expect([...caught.keys()]).toEqual(breaks.map(({ name }) => name));
    expect([...caught].filter(([, by]) => by === '')).toEqual([]);
    expect(textOf('docs/breaks.md')).toBe(pageOf(breaks, caught));
  });
});

describe('what caught a break', () => {
  const slow = 'Error: Test timed out in 20000ms.\nIf this is a long-running test, pass a timeout value';
  const wrong = 'AssertionError: expected 2 to be 1';
  /** A report of files by name, each with its tests by name and how each failed; null where it passed. */
  const ran = (files: Record<string, Record<string, string | null>>): Results => ({
    testResults: Object.entries(files).map(([name, tests]) => ({
      name: `/copy/${name}`,
      status: Object.values(tests).every((message) => message === null) ? 'passed' : 'failed',
      assertionResults: Object.entries(tests).map(([fullName, message]) => ({
        fullName,
        status: message === null ? 'passed' : 'failed',
        failureMessages: message === null ? [] : [message],
      })),
    })),
  });

  test('is the first test that fails by what it says', () => {
    const results = ran({ 'test/a.test.ts': { one: null, two: wrong }, 'test/b.test.ts': { three: wrong } });
    expect(verdictOf(results, '/copy')).toEqual({ by: 'test/a.test.ts: two' });
  });

  test('is none that was only too slow, whatever stands behind it', () => {
    const results = ran({ 'test/a.test.ts': { one: slow }, 'test/b.test.ts': { two: slow, three: wrong } });
    expect(verdictOf(results, '/copy')).toEqual({ by: 'test/b.test.ts: three' });
    expect(verdictOf(ran({ 'test/a.test.ts': { one: slow, two: null } }), '/copy')).toBe('too slow');
  });

  test('is asked for in vain where a file did not even load', () => {
    const results: Results = {
      testResults: [{ name: '/copy/test/a.test.ts', status: 'failed', message: 'no module', assertionResults: [] }],
    };
    expect(() => verdictOf(results, '/copy')).toThrow(/no test failed, and yet the run did: .* no module/);
  });
});
