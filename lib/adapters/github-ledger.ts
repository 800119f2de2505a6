import type { Budget } from '../core/pace.ts';
import type { Meter } from '../ports.ts';

/** GitHub's own API; every Enterprise Server has another. */
export const publicApi = 'https://api.github.com';

/** Whose budgets those are, in words: the server's host and the account on it. */
export const accountAt = (baseUrl: string, account: string): string => `${new URL(baseUrl).host}#${account}`;

/**
 * What is left of one account's hourly budgets, as the headers of its answers say: REST and GraphQL have one each. The
 * newest answer counts; `now` is when it came. A server without limits sends no such headers, and then nothing is known.
 */
export const githubLedger = (account: string): { note: (headers: Headers, now: number) => void; meter: Meter } => {
  const budgets = new Map<string, Budget>();
  return {
    note: (headers, now) => {
      const [limit, remaining] = ['limit', 'remaining'].map((name) =>
        Number(headers[`x-ratelimit-${name}`] ?? Number.NaN),
      );
      const resource = headers['x-ratelimit-resource'];
      if (resource !== 'core' && resource !== 'graphql') return;
      const resetAt = resetOn(headers, now);
      if (!isCount(limit) || !isCount(remaining) || resetAt === null || limit === 0) return;
      budgets.set(resource, { account, resource, limit, remaining, resetAt });
    },
    meter: { accountOf: () => account, budgets: () => [...budgets.values()] },
  };
};

/**
 * When the hour of an answer's budget is over, on our clock; null where it does not say. GitHub names it on its own clock,
 * and what that shows is the answer's `Date`: ours may be minutes off. An hour that would be over already lasts a minute.
 */
export const resetOn = (headers: Headers, now: number): number | null => {
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1_000;
  if (!Number.isFinite(reset)) return null;
  const theirs = Date.parse(headers['date'] ?? '');
  const left = reset - (Number.isFinite(theirs) ? theirs : now);
  return now + (left > 0 ? left : minuteMs);
};

const minuteMs = 60_000;

type Headers = Readonly<Record<string, string>>;

const isCount = (value: number | undefined): value is number => value !== undefined && Number.isInteger(value);
