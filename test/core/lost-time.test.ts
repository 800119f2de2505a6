import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lostBy } from '../../lib/core/lost-time.ts';
import type { ItemOf } from '../../lib/core/record.ts';
import { runTime } from '../../lib/core/run.ts';
import { aWorkingRun } from '../support/told-runs.ts';

const minute = 60_000;
const hour = 60 * minute;

const watched = (at: number, lostMs: number, executorDownSince: number | null = null): ItemOf<'lastWatch'> => ({
  kind: 'lastWatch',
  at,
  lostMs,
  executorDownSince,
});
const claimed = (claimedAt: number, lostMsAtClaim: number) => aWorkingRun({ claimedAt, lostMsAtClaim });

describe('No deadline is ever an outage’s fault: what counts as lost', () => {
  test.each<[string, number, boolean, number]>([
    ['nothing from one tick to the next', minute, false, 0],
    ['nothing within three minutes', 3 * minute, false, 0],
    ['all of a longer gap', 4 * minute, false, 4 * minute],
    ['all of it while the executor is down', minute, true, minute],
    ['what a clock goes back is given back', -hour, false, -hour],
  ])('%s', (_, sinceMs, isDown, lost) => {
    expect(lostBy(watched(hour, 7), [], hour + sinceMs, isDown)).toBe(7 + lost);
  });

  test('for a claim the executor is down where it was when it was last looked at', () => {
    expect(lostBy(watched(hour, 7, hour), [], hour + minute)).toBe(7 + minute);
    expect(lostBy(undefined, [], hour)).toBe(0);
  });

  test('counted from the latest that is known: a claim that came after hours without a run', () => {
    const claim = claimed(10 * hour, 7 + 9 * hour);
    expect(lostBy(watched(hour, 7), [claim], 10 * hour + minute)).toBe(7 + 9 * hour);
    expect(lostBy('unreadable', [claim, claimed(hour, 7)], 11 * hour)).toBe(7 + 9 * hour);
    expect(lostBy('unreadable', [], hour)).toBe(0);
  });

  test('whatever the clock does, no run’s own clock goes back, or goes on by more than the time that passed', async () => {
    const event = fc.record({
      passedMs: fc.integer({ min: 0, max: 3 * minute }),
      jumpMs: fc.oneof(fc.constant(0), fc.integer({ min: -400 * 24 * hour, max: 400 * 24 * hour })),
      what: fc.constantFrom('watch', 'watch', 'claim'),
      isDown: fc.boolean(),
    });
    await fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        let [now, last] = [hour, undefined as ItemOf<'lastWatch'> | undefined];
        const runs: ReturnType<typeof claimed>[] = [];
        const before = new Map<ReturnType<typeof claimed>, number>();
        let passed = 0;
        for (const { passedMs, jumpMs, what, isDown } of events) {
          now += passedMs + jumpMs;
          passed += passedMs;
          // A leap of no more than a gap may be cannot be told from time.
          if (jumpMs > 0 && jumpMs <= 3 * minute) passed += jumpMs;
          if (what === 'claim') runs.push(claimed(now, lostBy(last, runs, now)));
          else if (runs.length > 0) last = watched(now, lostBy(last, runs, now, isDown), isDown ? now : null);
          const lostMs = lostBy(last, runs, now);
          for (const run of runs) {
            const clock = runTime(run, lostMs, now) - run.claimedAt;
            expect(clock).toBeGreaterThanOrEqual(before.get(run) ?? 0);
            expect(clock).toBeLessThanOrEqual(passed);
            before.set(run, clock);
          }
        }
      }),
    );
  });
});
