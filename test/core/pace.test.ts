import { describe, expect, test } from 'vitest';
import { allows, type Budget, type Hold, holdOf, limitedUntil, type Need } from '../../lib/core/pace.ts';

const minute = 60_000;
const now = Date.parse('2026-03-02T08:00:00Z');

const left = (remaining: number, change: Partial<Budget> = {}): Budget => ({
  account: 'token',
  resource: 'core',
  limit: 5_000,
  remaining,
  resetAt: now + 40 * minute,
  ...change,
});
const met = (until: number, may: Hold['may'] = 'nothing'): Hold => ({ may, until, why: 'it said so' });

describe('what may still be asked follows from what is left and what was refused', () => {
  const table: readonly [string, readonly Budget[], readonly Hold[], Hold['may'] | 'all', number | null][] = [
    ['nothing is known', [], [], 'all', null],
    ['all is left', [left(5_000)], [], 'all', null],
    ['a tenth is left', [left(500)], [], 'all', null],
    ['a bit less than a tenth', [left(499)], [], 'open runs only', 40],
    ['two hundredths', [left(100)], [], 'open runs only', 40],
    ['a bit less than two hundredths', [left(99)], [], 'writes only', 40],
    ['one', [left(1)], [], 'writes only', 40],
    ['none', [left(0)], [], 'nothing', 40],
    ['none of one that was reset meanwhile', [left(0, { resetAt: now })], [], 'all', null],
    ['none of a budget that ends later than any', [left(0, { resetAt: now + 91 * minute })], [], 'all', null],
    ['little of one of two', [left(4_000), left(300, { resource: 'graphql' })], [], 'open runs only', 40],
    ['the stricter of two', [left(50, { resetAt: now + minute }), left(300)], [], 'writes only', 1],
    ['the longer of two that are as strict', [left(0, { resetAt: now + minute }), left(0)], [], 'nothing', 40],
    ['a limit was met', [left(4_000)], [met(now + minute)], 'nothing', 1],
    ['it is over', [left(4_000)], [met(now)], 'all', null],
    ['it is over and little is left', [left(300)], [met(now - 1)], 'open runs only', 40],
    ['it ends later than any could', [], [met(now + 91 * minute)], 'all', null],
  ];
  test.each(table)('%s', (_, budgets, known, may, until) => {
    const hold = holdOf(budgets, known, now);
    expect([hold?.may ?? 'all', hold === null ? null : (hold.until - now) / minute]).toEqual([may, until]);
    expect(holdOf([...budgets].reverse(), [...known].reverse(), now)).toEqual(hold);
  });
});

test.each<[Hold['may'] | 'all', readonly Need[]]>([
  ['all', ['new work', 'open run', 'write']],
  ['open runs only', ['open run', 'write']],
  ['writes only', ['write']],
  ['nothing', []],
])('where %s may be asked, that is what goes through', (may, through) => {
  const hold = may === 'all' ? null : met(now + minute, may);
  const needs: readonly Need[] = ['new work', 'open run', 'write'];
  expect(needs.filter((need) => allows(hold, need))).toEqual(through);
});

test.each<[string, number | null, number, number]>([
  ['as long as it says', 5, 1, 5],
  ['a minute where it does not say', null, 1, 1],
  ['twice as long for the second in a row', null, 2, 2],
  ['eight times for the fourth', 1, 4, 8],
  ['as it says, where that is longer', 30, 4, 30],
  ['and never longer than any window is', null, 12, 90],
])('after a limit nothing is asked: %s', (_, named, times, waits) => {
  expect(limitedUntil(named === null ? null : now + named * minute, times, now) - now).toBe(waits * minute);
});
