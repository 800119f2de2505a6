import type { OpenRun } from './run.ts';
import type { RepoSettings } from './settings.ts';

/** What a turn at work is taken to spend while nobody tells: rather too much, so that silence is no way round a cap. */
export const unknownTokensPerMinute = 15_000;

/**
 * Tokens of a run so far: the totals told of its threads, and for a turn that is out the time since the last one told,
 * counted pessimistically. `clock` is run time. A total that is told later takes the place of the guess.
 */
export const tokensOf = (run: OpenRun, isOut: boolean, clock: number): number => {
  const told = run.tokens.reduce((sum, total) => sum + total, 0);
  const turn = run.phase === 'claimed' ? null : run.turn;
  if (!isOut || turn === null || turn.takenUpAt === null) return told;
  const since = Math.max(run.tokensAt ?? turn.takenUpAt, turn.takenUpAt);
  return told + Math.ceil((Math.max(0, clock - since) / 60_000) * unknownTokensPerMinute);
};

/** The same in US dollars, an estimate by the repo's price. */
export const usdOf = (tokens: number, { usdPerMillionTokens }: Pick<RepoSettings, 'usdPerMillionTokens'>): number =>
  (tokens / 1_000_000) * usdPerMillionTokens;

/** Whether the run has spent what it may. */
export const isOverBudget = (run: OpenRun, isOut: boolean, clock: number, settings: RepoSettings): boolean =>
  usdOf(tokensOf(run, isOut, clock), settings) >= settings.budgetUsd;
