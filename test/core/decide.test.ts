import { describe, expect, test } from 'vitest';
import { type Allowances, afterHalt, decide } from '../../lib/core/decide.ts';
import { situationNames } from '../../lib/core/situation.ts';

// The rule once more, as data. `*` is any; every combination must match exactly one row.
// situation, pushed, attempt, nudge, restart, park, release allowed → decision
const table = [
  ['cancelled by a person', '*', '*', '*', '*', '*', '*', 'end cancelled'],
  ['issue gone', '*', '*', '*', '*', '*', '*', 'end cancelled'],
  ['out of reach', '*', '*', '*', '*', '*', '*', 'wait'],
  ['out of reach too long', '*', '*', '*', '*', '*', '*', 'escalate'],
  ['run overdue', false, '*', '*', '*', '*', '*', 'escalate'],
  ['run overdue', true, '*', '*', '*', '*', '*', 'freeze'],
  ['asking', '*', '*', '*', '*', '*', '*', 'answer'],
  ['asking still', '*', '*', '*', '*', '*', '*', 'interrupt'],
  ['told to stop asking', '*', '*', '*', '*', '*', '*', 'say so'],
  ['asking again', false, '*', '*', '*', '*', '*', 'escalate'],
  ['asking again', true, '*', '*', '*', '*', '*', 'freeze'],
  ['over budget', false, '*', '*', '*', '*', '*', 'escalate'],
  ['over budget', true, '*', '*', '*', '*', '*', 'freeze'],
  ['red too long', '*', '*', '*', '*', '*', '*', 'freeze'],
  ['red as the base was', false, '*', '*', '*', '*', '*', 'escalate'],
  ['red as the base was', true, '*', '*', '*', '*', '*', 'freeze'],
  ['pull request pending', '*', '*', '*', '*', '*', '*', 'wait'],
  ['pull request waits', '*', '*', '*', '*', '*', '*', 'wait'],
  ['pull request merged', '*', '*', '*', '*', '*', '*', 'wait'],
  ['pull request overdue', false, '*', '*', '*', '*', '*', 'escalate'],
  ['pull request overdue', true, '*', '*', '*', '*', '*', 'freeze'],
  ['pull request refused', false, '*', '*', '*', '*', '*', 'escalate'],
  ['pull request refused', true, '*', '*', '*', '*', '*', 'freeze'],
  ['pull request red', '*', true, '*', '*', '*', '*', 'fix forward'],
  ['pull request red', false, false, '*', '*', '*', '*', 'escalate'],
  ['pull request red', true, false, '*', '*', '*', '*', 'freeze'],
  ['pull request conflicting', '*', true, '*', '*', '*', '*', 'fix forward'],
  ['pull request conflicting', false, false, '*', '*', '*', '*', 'escalate'],
  ['pull request conflicting', true, false, '*', '*', '*', '*', 'freeze'],
  ['pull request draft', '*', '*', true, '*', '*', '*', 'nudge'],
  ['pull request draft', false, '*', false, '*', '*', '*', 'escalate'],
  ['pull request draft', true, '*', false, '*', '*', '*', 'freeze'],
  ['no pull request', '*', '*', true, '*', '*', '*', 'nudge'],
  ['no pull request', '*', '*', false, '*', '*', '*', 'escalate'],
  ['parked', '*', '*', '*', '*', '*', '*', 'wait'],
  ['park over', '*', '*', '*', '*', '*', '*', 'try again'],
  ['landed', '*', '*', '*', '*', '*', '*', 'end done'],
  ['landed, turn still out', '*', '*', '*', '*', '*', '*', 'wait'],
  ['no CI', '*', '*', '*', '*', '*', '*', 'freeze'],
  ['CI blocked', '*', '*', '*', '*', '*', '*', 'freeze'],
  ['CI overdue', '*', '*', '*', '*', '*', '*', 'freeze'],
  ['CI pending', '*', '*', '*', '*', '*', '*', 'wait'],
  ['deployment overdue', '*', '*', '*', '*', '*', '*', 'freeze'],
  ['deployment pending', '*', '*', '*', '*', '*', '*', 'wait'],
  ['could not start', '*', '*', '*', true, '*', '*', 'restart'],
  ['could not start', '*', '*', '*', false, '*', true, 'release'],
  ['could not start', false, '*', '*', false, '*', false, 'escalate'],
  ['could not start', true, '*', '*', false, '*', false, 'freeze'],
  ['lost', '*', '*', '*', true, '*', '*', 'restart'],
  ['lost', '*', '*', '*', false, '*', true, 'release'],
  ['lost', false, '*', '*', false, '*', false, 'escalate'],
  ['lost', true, '*', '*', false, '*', false, 'freeze'],
  ['stalled', '*', '*', '*', true, '*', '*', 'restart'],
  ['stalled', false, '*', '*', false, '*', '*', 'escalate'],
  ['stalled', true, '*', '*', false, '*', '*', 'freeze'],
  ['vanished', false, '*', '*', '*', '*', '*', 'escalate'],
  ['vanished', true, '*', '*', '*', '*', '*', 'freeze'],
  ['failed', false, '*', '*', '*', '*', '*', 'escalate'],
  ['failed', true, '*', '*', '*', '*', '*', 'freeze'],
  ['turn overdue', '*', '*', '*', '*', '*', '*', 'escalate'],
  ['red, turn still out', '*', '*', '*', '*', '*', '*', 'wait'],
  ['red, turn over', '*', true, '*', '*', '*', '*', 'fix forward'],
  ['red, turn over', '*', false, '*', '*', '*', '*', 'freeze'],
  ['elsewhere', '*', '*', '*', '*', '*', '*', 'escalate'],
  ['idle end', '*', '*', '*', '*', true, '*', 'park'],
  ['idle end', '*', '*', true, '*', false, '*', 'nudge'],
  ['idle end', '*', '*', false, '*', false, '*', 'escalate'],
  ['silent end', '*', '*', true, '*', '*', '*', 'nudge'],
  ['silent end', '*', '*', false, '*', '*', '*', 'escalate'],
  ['over, not yet settled', '*', '*', '*', '*', '*', '*', 'wait'],
  ['at work', '*', '*', '*', '*', '*', '*', 'wait'],
] as const;

const both = [false, true];
const everyAllowances: Allowances[] = both.flatMap((pushed) =>
  both.flatMap((attempt) =>
    both.flatMap((nudge) =>
      both.flatMap((restart) =>
        both.flatMap((park) => both.map((release) => ({ pushed, attempt, nudge, restart, park, release }))),
      ),
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
        allowances.park,
        allowances.release,
      ];
      const rows = table.filter(
        ([name, ...cells]) =>
          name === situation && given.every((value, index) => cells[index] === '*' || cells[index] === value),
      );
      expect(rows, JSON.stringify(allowances)).toHaveLength(1);
      expect(decide(situation, allowances), JSON.stringify(allowances)).toBe(rows[0]?.[7]);
    }
  });

  test('has no row for a situation that cannot be', () => {
    expect(new Set(table.map(([name]) => name))).toEqual(new Set(situationNames));
  });

  // Answering is bounded by its own stages, and a park by its count.
  test('Bounded: nothing that asks the agent for more is decided once its allowance is used up', () => {
    for (const situation of situationNames) {
      const decision = decide(situation, {
        pushed: true,
        attempt: false,
        nudge: false,
        restart: false,
        park: false,
        release: false,
      });
      if (
        situation === 'asking' ||
        situation === 'asking still' ||
        situation === 'told to stop asking' ||
        situation === 'park over'
      )
        continue;
      expect(['wait', 'end done', 'end cancelled', 'escalate', 'freeze']).toContain(decision);
    }
  });
});

describe('after a halt', () => {
  // decision, situation, turn out → what is done
  test.each([
    ['nudge', 'silent end', false, 'resume'],
    ['park', 'idle end', false, 'resume'],
    ['wait', 'CI pending', false, 'resume'],
    ['wait', 'CI pending', true, 'wait'],
    ['wait', 'deployment pending', false, 'resume'],
    ['wait', 'pull request pending', false, 'resume'],
    ['wait', 'pull request waits', false, 'resume'],
    ['wait', 'pull request merged', false, 'resume'],
    ['wait', 'parked', false, 'resume'],
    ['wait', 'out of reach', false, 'wait'],
    ['wait', 'over, not yet settled', false, 'wait'],
    ['wait', 'at work', true, 'wait'],
    ['wait', 'red, turn still out', true, 'wait'],
    ['end done', 'landed', false, 'end done'],
    ['fix forward', 'red, turn over', false, 'fix forward'],
    ['end cancelled', 'cancelled by a person', false, 'end cancelled'],
    ['escalate', 'silent end', false, 'resume'],
    ['escalate', 'idle end', false, 'resume'],
    ['escalate', 'elsewhere', false, 'escalate'],
    ['freeze', 'CI overdue', false, 'freeze'],
  ] as const)('%s on %s, turn out: %s, is %s', (decision, situation, isOut, expected) => {
    expect(afterHalt(decision, situation, { mayResume: !isOut, isMending: false })).toBe(expected);
  });

  test.each(['fix forward', 'freeze'] as const)(
    'a turn that was mending is taken up again instead of %s',
    (decision) => {
      expect(afterHalt(decision, 'red, turn over', { mayResume: true, isMending: true })).toBe('resume');
    },
  );
});
