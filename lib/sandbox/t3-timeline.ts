/** What is still to happen in a world, and the world's clock. `stillDue` is asked before an event is shown or happens. */
export type T3Timeline = {
  readonly schedule: (at: number, happen: (at: number) => void, stillDue?: () => boolean) => void;
  readonly nextAt: () => number | null;
  readonly settle: (until: number) => void;
  readonly now: () => number;
};

type Due = {
  readonly at: number;
  readonly happen: (at: number) => void;
  readonly stillDue: () => boolean;
};

/**
 * Virtual time: `settle` lets everything due up to and including `until` happen, earliest first, and what is due at the
 * same instant in the order it was scheduled. So one long step and many short ones give the same world. Time never goes back.
 */
export const t3Timeline = (): T3Timeline => {
  let dues: Due[] = [];
  let clock = Number.NEGATIVE_INFINITY;

  const next = (): Due | undefined => {
    dues = dues.filter((due) => due.stillDue());
    // The list is in the order of scheduling, so of several at one instant the first scheduled is found.
    return dues.reduce<Due | undefined>((first, due) => (first && first.at <= due.at ? first : due), undefined);
  };

  return {
    schedule: (at, happen, stillDue = () => true) => {
      dues.push({ at: Math.max(at, clock), happen, stillDue });
    },
    nextAt: () => next()?.at ?? null,
    settle: (until) => {
      for (let due = next(); due !== undefined && due.at <= until; due = next()) {
        const happening = due;
        dues = dues.filter((other) => other !== happening);
        clock = Math.max(clock, happening.at);
        happening.happen(happening.at);
      }
      clock = Math.max(clock, until);
    },
    now: () => clock,
  };
};
