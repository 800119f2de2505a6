import { setTimeout as delay } from 'node:timers/promises';
import { Octokit } from '@octokit/rest';
import * as z from 'zod';
import { type Meter, PortError } from '../ports.ts';
import { accountAt, githubLedger, publicApi } from './github-ledger.ts';
import {
  type GithubAnswer,
  type GraphqlError,
  graphqlRefusal,
  isGraphqlLimit,
  isLimit,
  refusalOf,
  silenceOf,
} from './github-refusal.ts';

/**
 * GitHub over HTTP: one attempt, one time-out, no throttling and no retries, since the next tick is the retry.
 * Redirects are answers like any other, or a POST to a renamed repo would come back as a GET that succeeded.
 * Writes are begun at least `writeSpacingMs` apart. `signal` ends whatever is under way; `now` is our clock.
 */
export const githubClient = (options: GithubOptions): GithubClient => {
  const {
    token,
    baseUrl = publicApi,
    timeoutMs = 10_000,
    writeSpacingMs = 1_000,
    signal,
    now,
    wait = delay,
    account = 'token',
  } = options;
  const octokit = new Octokit({ baseUrl, userAgent: 'afk', log: silent });
  const tokens = typeof token === 'string' ? fixed(token) : token;
  const nextWrite = spaced(writeSpacingMs, wait);
  const ledger = githubLedger(accountAt(baseUrl, account));
  const noted = (answer: GithubAnswer): GithubAnswer => {
    ledger.note(answer.headers, now());
    return answer;
  };

  const send = async (route: string, params: Params): Promise<GithubAnswer> => {
    const held = await tokens.current();
    const answer = await sendAs(held, route, params);
    if (answer.status !== 401) return answer;
    // Nothing was done under a token that is refused: whatever it was may be asked once more under another.
    const other = await tokens.renewed(held);
    return other === null ? answer : sendAs(other, route, params);
  };

  const sendAs = async (held: string, route: string, params: Params): Promise<GithubAnswer> => {
    // A header with a line end is refused by the platform, in words that quote it.
    if (!/^[\x21-\x7e]+$/.test(held)) throw new PortError('unauthorised', 'the GitHub token is empty or no token');
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      const { status, headers, data } = await octokit.request(route, {
        ...params,
        headers: { authorization: `${schemeOf(held)} ${held}`, 'x-github-api-version': '2022-11-28' },
        request: { redirect: 'manual', signal: ended, log: silent },
      });
      // A body that stalls is swallowed by Octokit and reads as an empty one.
      if (ended.aborted) throw silenceOf(route, ended.reason);
      return noted({ status, headers: Headers.parse(headers), data });
    } catch (error) {
      const answered = Failed.safeParse(error);
      if (answered.success) return noted(answered.data.response);
      throw error instanceof PortError ? error : silenceOf(route, ended.aborted ? ended.reason : error);
    }
  };

  const ask: GithubClient['ask'] = async (route, params, accepted) => {
    // No encoding keeps these in their place: to take the label `` or `.` off would be to take off all.
    const inPath = Object.entries(params).filter(([name]) => route.includes(`{${name}}`));
    if (inPath.some(([, value]) => value === '' || value === '.' || value === '..')) {
      throw new PortError('refused', `${route}: a name that is empty or made of dots`);
    }
    if (!route.startsWith('GET ')) await nextWrite();
    const answer = await send(route, params);
    if (accepted.includes(answer.status) && !isLimit(answer)) return answer;
    throw refusalOf(route, answer, now());
  };

  const query: GithubClient['query'] = async (document, variables) => {
    const answer = await send(`POST ${graphqlUrl(baseUrl)}`, { query: document, variables });
    const what = /^\s*((?:query|mutation) \w+)/.exec(document)?.[1] ?? 'query';
    const body = GraphqlBody.safeParse(answer.data);
    if (answer.status !== 200 || !body.success) throw refusalOf(what, answer, now());
    const { data = null, errors = [] } = body.data;
    const isLimited = isGraphqlLimit(answer, errors);
    // A secondary limit may come as 200 with the message of a REST refusal, which is no list of errors.
    if (isLimited && errors.length === 0) throw refusalOf(what, { ...answer, status: 429 }, now());
    if (isLimited || (data === null && errors.length > 0)) throw graphqlRefusal(what, errors, answer.headers, now());
    return { data, errors };
  };

  const mutate: GithubClient['mutate'] = async (document, variables) => {
    await nextWrite();
    return query(document, variables);
  };

  let login: Promise<string> | null = null;
  const whose = async (): Promise<string> =>
    tokens.ownLogin?.() ?? read(OwnAccount, (await ask('GET /user', {}, [200])).data, 'GET /user').login;
  const ownLogin = (): Promise<string> => {
    login ??= whose();
    // A failure is not kept: the next to ask tries again.
    login.catch(() => {
      login = null;
    });
    return login;
  };

  return { ask, query, mutate, ownLogin, hasRole: tokens.ownLogin === undefined, meter: ledger.meter };
};

export type GithubOptions = {
  token: string | TokenSource;
  /** `https://HOST/api/v3` on a server of one's own. */
  baseUrl?: string;
  timeoutMs?: number;
  writeSpacingMs?: number;
  signal?: AbortSignal;
  now: () => number;
  /** How the time between writes passes; by itself unless given. */
  wait?: (ms: number) => Promise<void>;
  /** Whose budget this client spends, where that is not the one token's. */
  account?: string;
};

/**
 * Where a token comes from that does not last. `renewed` is asked once for a token that was refused with 401: another
 * one to try, or null. `ownLogin` where the token's owner cannot be asked for under it.
 */
export type TokenSource = {
  current: () => Promise<string>;
  renewed: (refused: string) => Promise<string | null>;
  ownLogin?: () => Promise<string>;
};

export type GithubClient = {
  /**
   * One request; `route` is a method and a path with `{placeholders}`, which are encoded, as the rest goes into the query
   * or the body. Any status that is not `accepted` is a `PortError`, and so is silence.
   */
  ask: (route: string, params: Params, accepted: readonly number[]) => Promise<GithubAnswer>;
  /** One GraphQL request. Errors beside data are the caller's to judge; limits, and errors without data, are a `PortError`. */
  query: (document: string, variables: Params) => Promise<GraphqlAnswer>;
  /** One GraphQL request that writes: spaced like any write, sent once. Its parts are done in order and fail one by one. */
  mutate: (document: string, variables: Params) => Promise<GraphqlAnswer>;
  /** Whose token this is; asked once. */
  ownLogin: () => Promise<string>;
  /** Whether an account is behind it, with a role in each repo. An App has none, whatever an answer says of its rights. */
  hasRole: boolean;
  meter: Meter;
};

export type Params = Readonly<Record<string, unknown>>;

export type GraphqlAnswer = { data: unknown; errors: readonly GraphqlError[] };

/** A value from outside by its schema. What does not fit says nothing about the world, so it is `unavailable`. */
export const read = <T extends z.ZodType>(schema: T, value: unknown, what: string): z.infer<T> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.').slice(0, 60);
  throw new PortError('unavailable', `${what}: GitHub answered something else than documented${at ? ` at ${at}` : ''}`);
};

/** The number of the last page by the `link` header; 1 where there is but one. */
export const lastPage = (headers: Readonly<Record<string, string>>): number => {
  const [, page] = /<[^<>]*[?&]page=(\d+)[^<>]*>;\s*rel="last"/.exec(headers['link'] ?? '') ?? [];
  return page === undefined ? 1 : Number(page);
};

// Of three parts is what an App signs, which GitHub takes as a bearer only.
const schemeOf = (token: string): string => (token.split('.').length === 3 ? 'bearer' : 'token');

const fixed = (token: string): TokenSource => ({ current: async () => token, renewed: async () => null });

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const Headers = z
  .record(z.string(), z.union([z.string(), z.number()]).optional())
  .transform((headers) =>
    Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === undefined ? '' : String(value)]),
    ),
  );

// Octokit throws what is not 2xx or 3xx; with a `response` GitHub did answer, without one it did not.
const Failed = z.object({ response: z.object({ status: z.number(), headers: Headers, data: z.unknown() }) });

const GraphqlBody = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string().catch('no reason given'),
        type: z.string().nullish().catch(null),
        code: z.string().nullish().catch(null),
        path: z
          .array(z.union([z.string(), z.number()]))
          .nullish()
          .catch(null),
      }),
    )
    .optional(),
});

const OwnAccount = z.object({ login: z.string() });

const graphqlUrl = (baseUrl: string): string => `${baseUrl.replace(/\/+$/, '').replace(/\/v3$/, '')}/graphql`;

/** Each call waits until the one before it is `spacingMs` old. */
const spaced = (spacingMs: number, wait: (ms: number) => Promise<void>): (() => Promise<void>) => {
  let free = Promise.resolve();
  return () => {
    const mine = free;
    if (spacingMs > 0) free = mine.then(() => wait(spacingMs));
    return mine;
  };
};
