import type { Budget } from '../core/pace.ts';
import type { Meter } from '../ports.ts';

/** GitHub's own API; every Enterprise Server has another. */
export const publicApi = 'https://api.github.com';

/** Whose budgets those are, in words: the server's host and the account on it. */
export const accountAt = (baseUrl: string, account: string): string => `${new URL(baseUrl).host}#${account}`;

/**
 * What is left of one account's hourly budgets, as the headers of its answers say: REST and GraphQL have one each. The
 * newest answer counts. A server without limits sends no such headers, and then nothing is known.
 */
export const githubLedger = (account: string): { note: (headers: Headers) => void; meter: Meter } => {
  const budgets = new Map<string, Budget>();
  return {
    note: (headers) => {
      const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
        Number(headers[`x-ratelimit-${name}`] ?? Number.NaN),
      );
      const resource = headers['x-ratelimit-resource'];
      if (resource !== 'core' && resource !== 'graphql') return;
      if (!isCount(limit) || !isCount(remaining) || !isCount(reset) || limit === 0) return;
      budgets.set(resource, { account, resource, limit, remaining, resetAt: reset * 1_000 });
    },
    meter: { accountOf: () => account, budgets: () => [...budgets.values()] },
  };
};

type Headers = Readonly<Record<string, string>>;

const isCount = (value: number | undefined): value is number => value !== undefined && Number.isInteger(value);
