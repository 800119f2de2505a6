import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { breaks } from './catalogue.ts';
import { pageOf, rowsOf } from './page.ts';

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
