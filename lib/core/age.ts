/** An instant that lies further ahead than this was stamped by a clock that was wrong. */
const aheadMaxMs = 5 * 60_000;

/**
 * How old a stored wall-time instant is, ms. One from the future would be believed until it comes: it counts as very
 * old instead, so that what waits for its age goes on. Pure.
 */
export const ageOf = (at: number, now: number): number => (at - now > aheadMaxMs ? Number.POSITIVE_INFINITY : now - at);

/**
 * How much is left of a wait that was to last `lengthMs` and ends at `until` (wall time, ms); 0 once it is over. One that
 * ends later than any could was begun by a clock that was wrong, and is over. Pure.
 */
export const leftOf = (until: number, now: number, lengthMs: number): number =>
  until - now > lengthMs ? 0 : Math.max(0, until - now);
