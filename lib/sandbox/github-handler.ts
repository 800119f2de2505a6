import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Asking, askingBy } from './github-app-auth.ts';
import { prepare, runGraphql } from './github-graphql.ts';
import { isoOf } from './github-ids.ts';
import type { Limits, Resource } from './github-limits.ts';
import { githubBudgets, githubLimits, graphqlExceeded } from './github-limits.ts';
import { GithubRefusal } from './github-refusal.ts';
import { githubRest } from './github-rest.ts';
import { appAnswer } from './github-rest-apps.ts';
import { accountOf } from './github-state.ts';
import type { GithubWorld } from './github-world.ts';

/** `path` with its query; header names in lower case; `body` as it came. */
export type HttpRequest = {
  method: string;
  path: string;
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
};

export type HttpResponse = { status: number; headers: Record<string, string>; body: string };

/** One exchange as it went over the wire. `response` is null where the connection was cut or left hanging. */
export type Exchange = {
  number: number;
  at: number;
  viewer: string | null;
  request: HttpRequest;
  response: HttpResponse | null;
};

/**
 * What goes wrong instead: the connection is cut (`drop`), or never answered (`hang`), before anything is done; cut
 * after it was done (`lost`); or this answer is given.
 */
export type Fault =
  | 'drop'
  | 'hang'
  | 'lost'
  | { status: number; headers?: Readonly<Record<string, string>>; body: unknown };

/** `now` in epoch milliseconds; `base` is what addresses in answers begin with. */
export type HandlerOptions = {
  now: () => number;
  base: () => string;
  limits?: Partial<Limits>;
  fault?: (request: HttpRequest, number: number) => Fault | undefined;
  onExchange?: (exchange: Exchange) => void;
};

const Json = z.record(z.string(), z.unknown());
const GraphqlBody = z.object({ query: z.string(), variables: Json.nullish() });
const docs = 'https://docs.github.com/rest';

const parsed = (text: string): Record<string, unknown> | null => {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    const object = Json.safeParse(value);
    // GitHub takes a bare list of labels where it documents an object with `labels`.
    return object.success ? object.data : Array.isArray(value) ? { labels: value } : null;
  } catch {
    return null;
  }
};

const problem = (status: number, message: string) => ({ message, documentation_url: docs, status: String(status) });

const secondaryText =
  'You have exceeded a secondary rate limit. Please wait a few minutes before you try again. ' +
  'If you reach out to GitHub Support for help, please include the request ID.';

type Viewer = Exclude<Asking, { as: 'app' }>;

const refused = ({ status, message, errors }: GithubRefusal): Draft => ({
  status,
  body: { ...problem(status, message), ...(errors.length > 0 && { errors }) },
});

type Draft = { status: number; body: unknown; headers?: Readonly<Record<string, string>> };

/** GitHub without a socket: every request is answered from the world as it is at `now`. */
export const githubHandler = (world: GithubWorld, options: HandlerOptions) => {
  const budgets = githubBudgets({ ...githubLimits, ...options.limits });
  let served = 0;

  const credentialOf = (request: HttpRequest): string | undefined =>
    /^(?:token|bearer)\s+(\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1];

  const askingOf = (request: HttpRequest, now: number): Asking | Draft => {
    const credential = credentialOf(request);
    const given = request.headers['authorization'] !== undefined;
    try {
      return askingBy(world.state, credential ?? (given ? '' : undefined), now);
    } catch (error) {
      if (error instanceof GithubRefusal) return refused(error);
      throw error;
    }
  };

  const limitHeaders = (payer: string, resource: Resource, now: number): Record<string, string> => {
    const { limit, remaining, used, reset } = budgets.standing(payer, resource, now);
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-used': String(used),
      'x-ratelimit-reset': String(reset),
      'x-ratelimit-resource': resource,
    };
  };

  const secondary = (): Draft => ({ status: 403, body: problem(403, secondaryText), headers: { 'retry-after': '60' } });

  const payerName = ({ login, granted, payer }: Viewer): string =>
    granted === null ? `user ID ${accountOf(world.state, login).id}` : payer;

  const exceeded = (viewer: Viewer): string =>
    `API rate limit exceeded for ${payerName(viewer)}. ` +
    'If you reach out to GitHub Support for help, please include the request ID.';

  const graphql = (viewer: Viewer, request: HttpRequest, now: number): Draft => {
    const asked = GraphqlBody.safeParse(parsed(request.body));
    if (!asked.success) return { status: 400, body: problem(400, 'Problems parsing JSON') };
    const variables = asked.data.variables ?? {};
    const prepared = prepare(asked.data.query, variables);
    if ('errors' in prepared) return { status: 200, body: prepared };
    const writes = prepared.writes > 0;
    const verdict = budgets.check(viewer.payer, 'graphql', prepared.cost, writes, now);
    if (verdict === 'secondary') return secondary();
    if (verdict === 'primary')
      return { status: 200, body: graphqlExceeded(budgets.graphqlPrimaryType, payerName(viewer)) };
    budgets.charge(viewer.payer, 'graphql', prepared.cost, writes, now);
    const { limit, remaining, used, resetAt } = budgets.standing(viewer.payer, 'graphql', now);
    const budget = { limit, remaining, used, resetAt, cost: prepared.cost, nodeCount: prepared.nodes };
    const { login, granted } = viewer;
    const given = { variables, viewer: login, granted, base: options.base(), budget };
    return { status: 200, body: runGraphql(world, prepared, given) };
  };

  const rateLimit = ({ payer }: Viewer, now: number): Draft => {
    const resource = (name: Resource) => {
      const { limit, remaining, used, reset } = budgets.standing(payer, name, now);
      return { limit, remaining, used, reset };
    };
    const core = resource('core');
    const search = { limit: 30, remaining: 30, used: 0, reset: core.reset };
    return { status: 200, body: { resources: { core, graphql: resource('graphql'), search }, rate: core } };
  };

  const rest = (viewer: Viewer, request: HttpRequest, url: URL, now: number): Draft => {
    const body = parsed(request.body);
    if (body === null) return { status: 400, body: problem(400, 'Problems parsing JSON') };
    const writes = request.method !== 'GET';
    const verdict = budgets.check(viewer.payer, 'core', 1, writes, now);
    if (verdict === 'secondary') return secondary();
    if (verdict === 'primary')
      return { status: budgets.primaryStatus, body: problem(budgets.primaryStatus, exceeded(viewer)) };
    const { method } = request;
    const answer = githubRest(world, {
      method,
      path: url.pathname,
      query: url.searchParams,
      body,
      viewer: viewer.login,
      granted: viewer.granted,
      base: options.base(),
    });
    const links = Object.entries(answer.links ?? {}).map(([relation, address]) => `<${address}>; rel="${relation}"`);
    const text = JSON.stringify(answer.body);
    const etag = `W/"${etagOf(request, text)}"`;
    const unchanged = answer.status === 200 && !writes && request.headers['if-none-match'] === etag;
    budgets.charge(viewer.payer, 'core', unchanged ? 0 : 1, writes, now);
    const headers = {
      ...(links.length > 0 && { link: links.join(', ') }),
      ...(answer.location !== undefined && { location: answer.location }),
      ...(answer.status === 200 && !writes && { etag }),
    };
    return unchanged
      ? { status: 304, body: undefined, headers }
      : { status: answer.status, body: answer.body, headers };
  };

  const asApp = ({ app }: Extract<Asking, { as: 'app' }>, request: HttpRequest): Draft => {
    const body = parsed(request.body);
    if (body === null) return { status: 400, body: problem(400, 'Problems parsing JSON') };
    const path = new URL(request.path, 'http://github.invalid').pathname.split('/').slice(1).map(decodeURIComponent);
    try {
      const {
        status,
        body: given,
        location,
      } = appAnswer({ state: world.state, base: options.base(), app }, request.method, path, body);
      return { status, body: given, ...(location !== undefined && { headers: { location } }) };
    } catch (error) {
      if (error instanceof GithubRefusal) return refused(error);
      throw error;
    }
  };

  const answer = (asking: Asking, request: HttpRequest, now: number): Draft => {
    if (asking.as === 'app') return asApp(asking, request);
    const url = new URL(request.path, 'http://github.invalid');
    if (url.pathname === '/graphql') return graphql(asking, request, now);
    if (url.pathname === '/rate_limit') return rateLimit(asking, now);
    // What only an App may ask, in its own name.
    if (url.pathname === '/app' || url.pathname.startsWith('/app/') || url.pathname.endsWith('/installation'))
      return { status: 401, body: problem(401, 'A JSON web token could not be decoded') };
    return rest(asking, request, url, now);
  };

  const finish = (draft: Draft, payer: string | null, request: HttpRequest, now: number): HttpResponse => {
    const resource = request.path.startsWith('/graphql') ? 'graphql' : 'core';
    return {
      status: draft.status,
      headers: {
        date: new Date(now).toUTCString(),
        'x-github-request-id': `AFK0:${served.toString(16).toUpperCase().padStart(6, '0')}:${isoOf(now)}`,
        'x-github-media-type': 'github.v3; format=json',
        'cache-control': 'private, max-age=60, s-maxage=60',
        vary: 'Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept, X-Requested-With',
        ...(draft.body !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
        ...(payer !== null && limitHeaders(payer, resource, now)),
        ...draft.headers,
      },
      body: draft.body === undefined ? '' : JSON.stringify(draft.body),
    };
  };

  /** Answers one request; `drop` and `hang` are for whoever owns the connection. */
  const handle = (request: HttpRequest): HttpResponse | 'drop' | 'hang' => {
    served += 1;
    const now = options.now();
    world.settle(now);
    const asking = askingOf(request, now);
    const payer = 'as' in asking && asking.as !== 'app' ? asking.payer : null;
    const viewer = 'as' in asking ? (asking.as === 'app' ? `${asking.app.slug}[bot]` : asking.login) : null;
    const fault = options.fault?.(request, served);
    const seen = (response: HttpResponse | null): void =>
      options.onExchange?.({ number: served, at: now, viewer, request, response });
    if (fault === 'drop' || fault === 'hang') {
      seen(null);
      return fault;
    }
    if (typeof fault === 'object') {
      const given = finish(
        { status: fault.status, body: fault.body, ...(fault.headers && { headers: fault.headers }) },
        payer,
        request,
        now,
      );
      options.onExchange?.({ number: served, at: now, viewer, request, response: null });
      return given;
    }
    const response = finish('as' in asking ? answer(asking, request, now) : asking, payer, request, now);
    seen(response);
    return fault === 'lost' ? 'drop' : response;
  };

  return handle;
};

/** GitHub's, as observed: it depends on who asks and in what form, not on the content alone. */
const etagOf = (request: HttpRequest, body: string): string => {
  const { accept = '', authorization = '', cookie = '' } = request.headers;
  return createHash('sha256').update([accept, authorization, cookie, body].join(':')).digest('hex');
};
