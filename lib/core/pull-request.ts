import type { Actor } from './issue.ts';

/** A pull request as one look shows it. `review` is null where none is demanded and none was given. */
export type PullFacts = {
  number: number;
  url: string;
  state: 'open' | 'merged' | 'closed';
  draft: boolean;
  /** It cannot be merged before somebody has brought it up to date. */
  conflicting: boolean;
  review: 'approved' | 'changes requested' | 'required' | null;
  /** The commit that stands at its end. */
  head: string;
  /** The newest commit that its merge left on the default branch; null before. */
  mergeCommit: string | null;
  /** Who closed it without merging it; null otherwise, and where the account is gone. */
  closedBy: Actor;
};

/** Of a run's pull requests the one that counts: the newest open one, else the newest. Pure; the order given is no matter. */
export const pullThatCounts = (pulls: readonly PullFacts[]): PullFacts | null => {
  const newestFirst = pulls.toSorted((a, b) => b.number - a.number);
  return newestFirst.find(({ state }) => state === 'open') ?? newestFirst[0] ?? null;
};
