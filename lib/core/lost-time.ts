import { deadlines } from './deadlines.ts';
import type { ItemOf } from './record.ts';
import type { OpenRun } from './run.ts';

/** What the count of lost time was at an instant (wall time): as the watcher last wrote it, or as a run was claimed. */
type Count = { at: number; lostMs: number };

/** The watcher's own count: `unreadable` where it stands in the store and does not parse, undefined where it does not. */
export type LastWatch = ItemOf<'lastWatch'> | 'unreadable' | undefined;

/**
 * The count of lost time by now, for the watcher and for a claim alike: time in which nobody could look, since ticks
 * were too far apart or the executor was out of reach. Wall time less this count never goes back, and leaps by no more
 * than `gapMs`, whatever the clock does: a clock that jumps is no time at all, in either direction, and the count falls
 * with one that goes back, below 0 if need be. Where the watcher's own count cannot be read it is what the latest of
 * the runs knew of it at its claim, for whoever asks: their clocks go on. Pure.
 */
export const lostBy = (
  lastWatch: LastWatch,
  runs: readonly OpenRun[],
  now: number,
  isDown = typeof lastWatch === 'object' && lastWatch.executorDownSince !== null,
): number => {
  if (lastWatch === 'unreadable') return latest(atClaims(runs), now)?.lostMs ?? 0;
  const last = latest([...(lastWatch === undefined ? [] : [lastWatch]), ...atClaims(runs)], now);
  if (last === null) return 0;
  const sinceMs = now - last.at;
  return last.lostMs + (isDown || sinceMs < 0 || sinceMs > deadlines.gapMs ? sinceMs : 0);
};

const atClaims = (runs: readonly OpenRun[]): readonly Count[] =>
  runs.map(({ claimedAt, lostMsAtClaim }) => ({ at: claimedAt, lostMs: lostMsAtClaim }));

/** By the clock that never goes back; of two that are as late by it, the nearer to now. */
const latest = (counts: readonly Count[], now: number): Count | null => {
  const later = (a: Count, b: Count): number =>
    b.at - b.lostMs - (a.at - a.lostMs) || Math.abs(now - a.at) - Math.abs(now - b.at);
  return counts.toSorted(later)[0] ?? null;
};
