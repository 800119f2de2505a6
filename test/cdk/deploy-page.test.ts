import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contextTable } from '../../cdk/context.ts';
import { secretNames, secretsOf } from '../../functions/environment.ts';
import { wantedOf } from '../../functions/tick-event.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/deploy.md'), 'utf8');

/** The rows of the table in a section, cells as a reader sees them. */
const rowsIn = (heading: string): string[][] =>
  (page.split(`\n## ${heading}\n`)[1] ?? '')
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );

describe('the page on deploying', () => {
  test('shows every context value as it is: name, meaning, default', () => {
    expect(rowsIn('Context values')).toEqual(contextTable().map((row) => [row.name, row.meaning, row.default]));
  });

  test('shows every secret, and who may read it', () => {
    const readers = (name: string) =>
      Object.entries(secretsOf)
        .filter(([, names]) => names.some((one) => one === name))
        .map(([reader]) => reader)
        .join(' and ');
    const shown = rowsIn('3. Put the secrets').map(([name, , readBy]) => [name, readBy]);
    expect(shown).toEqual(Object.values(secretNames).map((name) => [name, readers(name)]));
  });

  test('shows test events that are understood', () => {
    const events = rowsIn('6. Rehearse').map(([event = '']) => event);
    expect(events.length).toBeGreaterThanOrEqual(4);
    for (const event of events) expect(() => wantedOf(JSON.parse(event))).not.toThrow();
  });

  test('reads both gates back, and warns of what would undo a flip', () => {
    for (const word of [
      'get-parameters --names /afk/control/kill-switch /afk/control/allowlist',
      '--revert-drift',
      '--tags',
    ])
      expect(page).toContain(word);
  });
});
