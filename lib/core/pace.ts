/**
 * How fast the tracker may be asked. Nobody waits within a tick: what may not be asked now is left to a later one.
 *
 * | what was said last                                  | what may still be asked         | until             |
 * |-----------------------------------------------------|---------------------------------|-------------------|
 * | a limit was met, hourly or secondary                 | nothing                         | the time it named |
 * | nothing left of an hourly budget                     | nothing                         | its reset         |
 * | less than 2 % left                                   | writes only: what is owed       | its reset         |
 * | less than 10 % left                                  | open runs only: no new work     | its reset         |
 * | anything else, or the time has passed                | all                             |                   |
 */
export type May = 'all' | 'open runs only' | 'writes only' | 'nothing';

/** What holds an account back; `until` in epoch ms on our clock. */
export type Hold = { may: Exclude<May, 'all'>; until: number; why: string };

/** What is left of an hourly budget of one account; `resetAt` in epoch ms. */
export type Budget = { account: string; resource: string; limit: number; remaining: number; resetAt: number };

/** What a call is for. */
export type Need = 'new work' | 'open run' | 'write';

/** The strictest of what is in force, the longest of those; null where all may be asked. Pure. */
export const holdOf = (budgets: readonly Budget[], known: readonly Hold[], now: number): Hold | null => {
  const holds = [...known, ...budgets.flatMap((budget) => holdBy(budget) ?? [])].filter((hold) => isHeld(hold, now));
  const [strictest] = holds.sort((a, b) => strictness[b.may] - strictness[a.may] || b.until - a.until);
  return strictest ?? null;
};

/** Whether a call for this purpose may be made. */
export const allows = (hold: Hold | null, need: Need): boolean =>
  hold === null || strictness[hold.may] <= patience[need];

/** Until when nothing is asked after a limit: as long as it says, and each further one in a row twice as long at least. */
export const limitedUntil = (named: number | null, times: number, now: number): number => {
  const grown = minuteMs * 2 ** Math.max(0, times - 1);
  const until = named === null || times > 1 ? Math.max(named ?? 0, now + grown) : named;
  return Math.min(until, now + longestMs);
};

/** What ends later than any window of GitHub's was written before our clock went back, and holds nothing. */
const isHeld = ({ until }: Hold, now: number): boolean => until > now && until - now <= longestMs;

const holdBy = ({ resource, limit, remaining, resetAt }: Budget): Hold | null => {
  const left = remaining / limit;
  const may = remaining <= 0 ? 'nothing' : left < 0.02 ? 'writes only' : left < 0.1 ? 'open runs only' : null;
  return may === null ? null : { may, until: resetAt, why: `${remaining} of ${limit} left in the hour of ${resource}` };
};

const strictness = { all: 0, 'open runs only': 1, 'writes only': 2, nothing: 3 } as const satisfies Record<May, number>;

/** The strictest hold that each purpose still goes through. */
const patience = { 'new work': 0, 'open run': 1, write: 2 } as const satisfies Record<Need, number>;

const minuteMs = 60_000;

/** The longest window there is is an hour; the rest is for clocks that differ. */
const longestMs = 90 * minuteMs;
