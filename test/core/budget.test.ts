import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOverBudget, tokensOf, unknownTokensPerMinute, usdOf } from '../../lib/core/budget.ts';
import { evolve } from '../../lib/core/evolve.ts';
import type { Facts } from '../../lib/core/facts.ts';
import { type ActiveRun, isActive, type OpenRun } from '../../lib/core/run.ts';
import { aClaimedRun, aWorkingRun, someSettings } from '../support/told-runs.ts';

const minute = 60_000;
const startedAt = 10 * minute;
const turn = {
  n: 0,
  kind: 'opening',
  thread: 0,
  after: null,
  sentAt: 0,
  startingAt: null,
  readyAt: null,
  takenUpAt: startedAt,
  overAt: null,
};
const active = (run: OpenRun): ActiveRun => {
  if (!isActive(run)) throw new Error('it works');
  return run;
};
const aRun = (over: Record<string, unknown> = {}) => aWorkingRun({ turn, ...over });

describe('Bounded: what a run has spent', () => {
  test('is what its threads told, each the highest total, all of them together', () => {
    expect(tokensOf(aRun({ tokens: [100, 0, 250], tokensAt: startedAt }), false, 90 * minute)).toBe(350);
  });

  test('is nothing before anything was asked for, and before a turn was taken up', () => {
    expect(tokensOf(aClaimedRun(), true, 90 * minute)).toBe(0);
    expect(tokensOf(aRun({ turn: { ...turn, takenUpAt: null } }), true, 90 * minute)).toBe(0);
  });

  test('unknown is counted pessimistically: a turn that is out and tells nothing costs by the minute', () => {
    expect(tokensOf(aRun(), true, startedAt)).toBe(0);
    expect(tokensOf(aRun(), true, startedAt + 60 * minute)).toBe(900_000);
    expect(unknownTokensPerMinute * 60).toBe(900_000);
  });

  test('a turn that is over costs nothing more, however long it lies', () => {
    expect(tokensOf(aRun({ tokens: [500], tokensAt: startedAt }), false, startedAt + 600 * minute)).toBe(500);
  });

  test('never double counted: a total that is told takes the place of the guess', () => {
    const told = aRun({ tokens: [1000], tokensAt: startedAt + 60 * minute });
    expect(tokensOf(told, true, startedAt + 60 * minute)).toBe(1000);
    expect(tokensOf(told, true, startedAt + 61 * minute)).toBe(1000 + unknownTokensPerMinute);
  });

  test('a total told of an earlier turn guesses nothing about the time before this one', () => {
    const later = aRun({ tokens: [1000], tokensAt: minute, turn: { ...turn, n: 1, takenUpAt: startedAt } });
    expect(tokensOf(later, true, startedAt + minute)).toBe(1000 + unknownTokensPerMinute);
  });

  test('a clock that went back guesses nothing away', () => {
    expect(tokensOf(aRun({ tokens: [1000], tokensAt: startedAt }), true, 0)).toBe(1000);
  });
});

describe('the money', () => {
  test('is the tokens at the repo’s price', () => {
    expect(usdOf(4_000_000, { usdPerMillionTokens: 5 })).toBe(20);
    expect(usdOf(4_000_000, { usdPerMillionTokens: 0 })).toBe(0);
  });

  test('is spent once it reaches the budget, and a raised budget counts at once', () => {
    const run = aRun({ tokens: [4_000_000], tokensAt: startedAt });
    expect(isOverBudget(run, false, startedAt, someSettings())).toBe(true);
    expect(isOverBudget(aRun({ tokens: [3_999_999], tokensAt: startedAt }), false, startedAt, someSettings())).toBe(
      false,
    );
    expect(isOverBudget(run, false, startedAt, someSettings({ budgetUsd: 21 }))).toBe(false);
  });
});

describe('totals as they are told', () => {
  const told = (total: number | null, clock: number): Facts => ({
    now: clock,
    clock,
    agent: {
      state: { is: 'at work' },
      stamp: 's1',
      lastMessageAt: 'm1',
      lastError: null,
      words: null,
      request: null,
      tokens: { total },
    },
    executorDownMs: 0,
    lostMs: 0,
    issue: null,
    executorSuspect: false,
  });

  test('running totals are absolute: told in any order and any number of times, the highest of each thread counts', async () => {
    const report = fc.record({ thread: fc.nat(3), total: fc.option(fc.nat(1_000_000)) });
    await fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 20 }), (reports) => {
        let run = active(aRun({ tokens: [] }));
        for (const [index, { thread, total }] of reports.entries()) {
          run = evolve({ ...run, turn: { ...run.turn, thread } }, told(total, startedAt + index));
        }
        const highest = [0, 1, 2, 3].map((thread) =>
          Math.max(0, ...reports.filter((one) => one.thread === thread).map(({ total }) => total ?? 0)),
        );
        expect(run.tokens.reduce((sum, total) => sum + total, 0)).toBe(highest.reduce((sum, total) => sum + total, 0));
      }),
    );
  });

  test('asked and not told is remembered as asked only: the guess goes on', () => {
    const asked = evolve(active(aRun({ tokens: [1000], tokensAt: startedAt })), told(null, startedAt + 10 * minute));
    expect(asked).toMatchObject({ tokens: [1000], tokensAt: startedAt, tokensReadAt: startedAt + 10 * minute });
    expect(tokensOf(asked, true, startedAt + 10 * minute)).toBe(1000 + 10 * unknownTokensPerMinute);
  });
});
