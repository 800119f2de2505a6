import { isoOf } from './github-ids.ts';

/** GitHub's numbers for one user; any of them can be made small for a test. */
export type Limits = {
  restPerHour: number;
  graphqlPerHour: number;
  restPointsPerMinute: number;
  graphqlPointsPerMinute: number;
  writesPerMinute: number;
  writesPerHour: number;
  primaryStatus: 403 | 429;
  graphqlPrimaryType: GraphqlPrimaryType;
};

/** Both are met; GitHub documents only the first. */
export type GraphqlPrimaryType = 'RATE_LIMITED' | 'RATE_LIMIT';

export const githubLimits: Limits = {
  restPerHour: 5000,
  graphqlPerHour: 5000,
  restPointsPerMinute: 900,
  graphqlPointsPerMinute: 2000,
  writesPerMinute: 80,
  writesPerHour: 500,
  primaryStatus: 403,
  graphqlPrimaryType: 'RATE_LIMITED',
};

/** Which of the two budgets a request is charged to. */
export type Resource = 'core' | 'graphql';

type Window = { used: number; resetAt: number };
type Charge = { at: number; resource: Resource; points: number; writes: boolean };

const minuteMs = 60_000;
const hourMs = 3_600_000;

/**
 * The budgets of every viewer, in the time of the clock that is handed in. The hourly ones are windows that begin with
 * the first request; the secondary ones look back a minute and an hour.
 */
export const githubBudgets = (limits: Limits) => {
  const windows = new Map<string, Window>();
  const charges = new Map<string, Charge[]>();

  const limitOf = (resource: Resource): number => (resource === 'core' ? limits.restPerHour : limits.graphqlPerHour);

  const windowOf = (viewer: string, resource: Resource, now: number): Window => {
    const key = `${viewer}:${resource}`;
    const known = windows.get(key);
    if (known !== undefined && now < known.resetAt) return known;
    const fresh = { used: 0, resetAt: now + hourMs };
    windows.set(key, fresh);
    return fresh;
  };

  const recent = (viewer: string, now: number): Charge[] => {
    const kept = (charges.get(viewer) ?? []).filter((charge) => charge.at > now - hourMs);
    charges.set(viewer, kept);
    return kept;
  };

  /** What the headers and `rateLimit` tell. `resetAt` in epoch milliseconds, on a whole second. */
  const standing = (viewer: string, resource: Resource, now: number) => {
    const { used, resetAt } = windowOf(viewer, resource, now);
    const limit = limitOf(resource);
    const reset = Math.ceil(resetAt / 1000);
    return { limit, used, remaining: Math.max(0, limit - used), reset, resetAt: isoOf(reset * 1000) };
  };

  /** Whether a request may go ahead, and if not, which limit it met. Charges nothing. */
  const check = (viewer: string, resource: Resource, cost: number, writes: boolean, now: number) => {
    const done = recent(viewer, now);
    const lastMinute = done.filter((charge) => charge.at > now - minuteMs);
    const points = lastMinute
      .filter((charge) => charge.resource === resource)
      .reduce((sum, one) => sum + one.points, 0);
    const pointsMax = resource === 'core' ? limits.restPointsPerMinute : limits.graphqlPointsPerMinute;
    if (points + (writes ? 5 : 1) > pointsMax) return 'secondary' as const;
    const written = (list: readonly Charge[]): number => list.filter((charge) => charge.writes).length;
    if (writes && (written(lastMinute) >= limits.writesPerMinute || written(done) >= limits.writesPerHour)) {
      return 'secondary' as const;
    }
    return windowOf(viewer, resource, now).used + cost > limitOf(resource) ? ('primary' as const) : ('free' as const);
  };

  /** Takes a request into account. An answer of 304 costs nothing of the hour's budget: `cost` 0. */
  const charge = (viewer: string, resource: Resource, cost: number, writes: boolean, now: number): void => {
    windowOf(viewer, resource, now).used += cost;
    recent(viewer, now).push({ at: now, resource, points: writes ? 5 : 1, writes });
  };

  const { primaryStatus, graphqlPrimaryType } = limits;
  return { standing, check, charge, primaryStatus, graphqlPrimaryType };
};

/** How GraphQL says with a status of 200 that the hour's budget of `whose` is spent. */
export const graphqlExceeded = (type: GraphqlPrimaryType, whose: string): object => ({
  errors: [
    type === 'RATE_LIMITED'
      ? { type, message: `API rate limit exceeded for ${whose}.` }
      : { type, code: 'graphql_rate_limit', message: `API rate limit already exceeded for ${whose}.` },
  ],
});
