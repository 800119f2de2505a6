import { describe, expect, test } from 'vitest';
import { type Allowances, decide } from '../../lib/core/decide.ts';
import { situationNames } from '../../lib/core/situation.ts';

// The rule once more, as data. `*` is any; every combination must match exactly one row.
// situation, pushed, attempt, nudge, restart, executor suspect → decision
const table = [
  ['cancelled by a person', '*', '*', '*', '*', '*', 'end cancelled'],
  ['issue gone', '*', '*', '*', '*', '*', 'end cancelled'],
  ['out of reach', '*', '*', '*', '*', '*', 'wait'],
  ['out of reach too long', '*', '*', '*', '*', '*', 'escalate'],
  ['run overdue', false, '*', '*', '*', '*', 'escalate'],
  ['run overdue', true, '*', '*', '*', '*', 'freeze'],
  ['asking', false, '*', '*', '*', '*', 'escalate'],
  ['asking', true, '*', '*', '*', '*', 'freeze'],
  ['landed', '*', '*', '*', '*', '*', 'end done'],
  ['landed, turn still out', '*', '*', '*', '*', '*', 'wait'],
  ['no CI', '*', '*', '*', '*', '*', 'freeze'],
  ['CI blocked', '*', '*', '*', '*', '*', 'freeze'],
  ['CI overdue', '*', '*', '*', '*', '*', 'freeze'],
  ['CI pending', '*', '*', '*', '*', '*', 'wait'],
  ['deployment overdue', '*', '*', '*', '*', '*', 'freeze'],
  ['deployment pending', '*', '*', '*', '*', '*', 'wait'],
  ['could not start', '*', '*', '*', true, '*', 'restart'],
  ['could not start', '*', '*', '*', false, true, 'release'],
  ['could not start', false, '*', '*', false, false, 'escalate'],
  ['could not start', true, '*', '*', false, false, 'freeze'],
  ['lost', '*', '*', '*', true, '*', 'restart'],
  ['lost', '*', '*', '*', false, true, 'release'],
  ['lost', false, '*', '*', false, false, 'escalate'],
  ['lost', true, '*', '*', false, false, 'freeze'],
  ['stalled', '*', '*', '*', true, '*', 'restart'],
  ['stalled', false, '*', '*', false, '*', 'escalate'],
  ['stalled', true, '*', '*', false, '*', 'freeze'],
  ['vanished', false, '*', '*', '*', '*', 'escalate'],
  ['vanished', true, '*', '*', '*', '*', 'freeze'],
  ['failed', false, '*', '*', '*', '*', 'escalate'],
  ['failed', true, '*', '*', '*', '*', 'freeze'],
  ['turn overdue', false, '*', '*', '*', '*', 'escalate'],
  ['turn overdue', true, '*', '*', '*', '*', 'freeze'],
  ['red, turn still out', '*', '*', '*', '*', '*', 'wait'],
  ['red, turn over', '*', true, '*', '*', '*', 'fix forward'],
  ['red, turn over', '*', false, '*', '*', '*', 'freeze'],
  ['elsewhere', '*', '*', '*', '*', '*', 'escalate'],
  ['idle end', '*', '*', true, '*', '*', 'nudge'],
  ['idle end', '*', '*', false, '*', '*', 'escalate'],
  ['silent end', '*', '*', true, '*', '*', 'nudge'],
  ['silent end', '*', '*', false, '*', '*', 'escalate'],
  ['over, not yet settled', '*', '*', '*', '*', '*', 'wait'],
  ['at work', '*', '*', '*', '*', '*', 'wait'],
] as const;

const both = [false, true];
const everyAllowances: Allowances[] = both.flatMap((pushed) =>
  both.flatMap((attempt) =>
    both.flatMap((nudge) =>
      both.flatMap((restart) => both.map((executorSuspect) => ({ pushed, attempt, nudge, restart, executorSuspect }))),
    ),
  ),
);

describe('the decision table', () => {
  test.each(situationNames)('%s is decided as the table says, whatever is still allowed', (situation) => {
    for (const allowances of everyAllowances) {
      const given = [
        allowances.pushed,
        allowances.attempt,
        allowances.nudge,
        allowances.restart,
        allowances.executorSuspect,
      ];
      const rows = table.filter(
        ([name, ...cells]) =>
          name === situation && given.every((value, index) => cells[index] === '*' || cells[index] === value),
      );
      expect(rows, JSON.stringify(allowances)).toHaveLength(1);
      expect(decide(situation, allowances), JSON.stringify(allowances)).toBe(rows[0]?.[6]);
    }
  });

  test('has no row for a situation that cannot be', () => {
    expect(new Set(table.map(([name]) => name))).toEqual(new Set(situationNames));
  });

  test('Bounded: nothing that asks the agent for more is decided once its allowance is used up', () => {
    for (const situation of situationNames) {
      const decision = decide(situation, {
        pushed: true,
        attempt: false,
        nudge: false,
        restart: false,
        executorSuspect: false,
      });
      expect(['wait', 'end done', 'end cancelled', 'escalate', 'freeze']).toContain(decision);
    }
  });
});
