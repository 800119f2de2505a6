import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byUrgency, priorityOf } from '../../lib/core/priority.ts';

test.each([
  [['priority:2'], 2],
  [['Priority: 0', 'priority:3'], 0],
  [['bug', 'priority:10', 'priority:9'], 9],
  [[], null],
  [['priority:high', 'priority', 'priority:-1', 'xpriority:1', 'priority:1.5', 'priority:12345678'], null],
])('the lowest number counts, and words do not: %j', (labels, priority) => {
  expect(priorityOf(labels)).toBe(priority);
});

const anIssue = fc.record({
  number: fc.integer({ min: 1, max: 9 }),
  labels: fc.array(fc.constantFrom('priority:0', 'priority:1', 'priority:2', 'bug'), { maxLength: 2 }),
});

test('an issue without a priority comes after every one that has one; then the lower number first', () => {
  const sorted = [
    { number: 9, labels: ['priority:0'] },
    { number: 3, labels: ['priority:1'] },
    { number: 4, labels: ['priority:1'] },
    { number: 1, labels: ['bug'] },
    { number: 2, labels: [] },
  ];
  expect(sorted.toReversed().sort(byUrgency)).toEqual(sorted);
});

test('any two issues are in one order only', () => {
  fc.assert(
    fc.property(anIssue, anIssue, (a, b) => {
      // Not negated: minus nought is not nought.
      expect(Math.sign(byUrgency(a, b)) + Math.sign(byUrgency(b, a))).toBe(0);
    }),
  );
});
