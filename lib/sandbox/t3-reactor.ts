/** Where commands wait between their 200 and their effect. Jobs of one thread happen in the order they were given. */
export type T3Reactor = {
  /** Does the job now, or later if the thread is held or the server wedged. */
  readonly take: (threadId: string, job: (at: number) => void, at: number) => void;
  /** Keeps the thread's further jobs back until `release`, once for each hold: T3 does not look up while an agent starts. */
  readonly hold: (threadId: string) => void;
  readonly release: (threadId: string, at: number) => void;
  /** From now on no job of any thread is done, until `unwedge` by the same culprit. */
  readonly wedge: (culprit: object) => void;
  readonly unwedge: (culprit: object, at: number) => void;
  /** What a restart does: every job still waiting is lost. */
  readonly forget: () => void;
};

/**
 * The part of T3 that turns accepted commands into starts, interrupts and stops. It is one queue for the whole server:
 * a call to an agent that never answers is why one silent agent stops the turns of every other thread.
 */
export const t3Reactor = (): T3Reactor => {
  let waiting: { threadId: string; job: (at: number) => void }[] = [];
  let wedgedBy: object | null = null;
  const holds = new Map<string, number>();
  const isHeld = (threadId: string): boolean => (holds.get(threadId) ?? 0) > 0;

  const drain = (at: number): void => {
    for (;;) {
      const next = wedgedBy === null ? waiting.find(({ threadId }) => !isHeld(threadId)) : undefined;
      if (next === undefined) return;
      waiting = waiting.filter((other) => other !== next);
      next.job(at);
    }
  };

  return {
    take: (threadId, job, at) => {
      waiting.push({ threadId, job });
      drain(at);
    },
    hold: (threadId) => {
      holds.set(threadId, (holds.get(threadId) ?? 0) + 1);
    },
    release: (threadId, at) => {
      holds.set(threadId, (holds.get(threadId) ?? 0) - 1);
      drain(at);
    },
    wedge: (culprit) => {
      wedgedBy ??= culprit;
    },
    unwedge: (culprit, at) => {
      if (wedgedBy !== culprit) return;
      wedgedBy = null;
      drain(at);
    },
    forget: () => {
      waiting = [];
      wedgedBy = null;
      holds.clear();
    },
  };
};
