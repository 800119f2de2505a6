import * as z from 'zod';
import { publicLine } from '../core/clean-text.ts';
import { PortError } from '../ports.ts';
import { resetOn } from './github-ledger.ts';

/**
 * What GitHub's answer means when it is not the one hoped for.
 *
 * | answer                                                              | error                                        |
 * |---------------------------------------------------------------------|----------------------------------------------|
 * | 429; 403 with `retry-after`, none remaining, or a limit in its words | unavailable, not before the time it names     |
 * | 401                                                                  | unauthorised                                 |
 * | 408, 5xx, or 2xx that is not the documented answer                   | unavailable                                  |
 * | any other 3xx and 4xx                                                | refused                                      |
 * | GraphQL, 200: `RATE_LIMITED`, `RATE_LIMIT`, or a limit in its words  | as 429                                       |
 *
 * The message is GitHub's own `message`, cleaned and bounded; never a body, never what was sent.
 */
export const refusalOf = (what: string, answer: GithubAnswer, now: number): PortError => {
  const { status, headers } = answer;
  const said = wordsOf(answer);
  const words = publicLine(`${what}: ${meaning(status)}${said === '' ? '' : `: ${said}`}`, wordsMax);
  if (isLimit(answer)) return new PortError('unavailable', words, { notBefore: limitEnd(headers, now), isLimit: true });
  if (status === 401) return new PortError('unauthorised', words);
  if (status === 408 || status >= 500)
    return new PortError('unavailable', words, { notBefore: retryAfter(headers, now) });
  return new PortError(status >= 300 ? 'refused' : 'unavailable', words);
};

/** The same for a GraphQL answer, which is 200 whatever happened. An error without a known type may pass by itself. */
export const graphqlRefusal = (
  what: string,
  errors: readonly GraphqlError[],
  headers: GithubAnswer['headers'] = {},
  now = 0,
): PortError => {
  const limit = errors.find((error) => isLimitError(error));
  const worst = limit ?? errors.find((error) => isDefinite(error)) ?? errors[0];
  const remedy = worst && isUnknownField(worst) ? ': GitHub Enterprise Server is worked with from 3.19 on' : '';
  const words = publicLine(
    `${what}: ${worst?.type ?? 'error'}: ${worst?.message ?? 'no reason given'}${remedy}`,
    wordsMax,
  );
  if (limit) return new PortError('unavailable', words, { notBefore: limitEnd(headers, now), isLimit: true });
  return new PortError(worst && isDefinite(worst) ? 'refused' : 'unavailable', words);
};

/**
 * Whether it only hides one item of a list: anybody may mention an issue from a place that is kept from us, as from an
 * organisation with SAML, and the item is then null. `list` is the path to the connection; to the whole of it, or to
 * anything beside it, the error is not meant.
 */
export const hidesOneItem = ({ type, path }: GraphqlError, list: readonly string[]): boolean =>
  (type === 'FORBIDDEN' || type === 'NOT_FOUND') &&
  [...list, 'nodes'].every((step, at) => path?.[at] === step) &&
  typeof path?.[list.length + 1] === 'number';

/** Whether GitHub only asks for a pause: a 403 then says nothing of rights. */
export const isLimit = (answer: GithubAnswer): boolean => {
  const { status, headers } = answer;
  if (status === 429) return true;
  const isSpent = headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0';
  return status === 403 && (isSpent || saysLimit(wordsOf(answer)));
};

/** The same of a GraphQL answer of 200, whose secondary limits come without a type, or as a REST message. */
export const isGraphqlLimit = (answer: GithubAnswer, errors: readonly GraphqlError[]): boolean =>
  errors.some((error) => isLimitError(error)) || saysLimit(wordsOf(answer));

// Both types are GitHub's for the hourly limit; the second comes with the code, and even while much is said to remain.
const isLimitError = ({ type, code, message }: GraphqlError): boolean =>
  type === 'RATE_LIMITED' ||
  type === 'RATE_LIMIT' ||
  code === 'graphql_rate_limit' ||
  // An error with another type may quote what was asked for: only one without any is judged by its words.
  (!type && saysLimit(message));

const saysLimit = (words: string): boolean => /rate limit|abuse/i.test(words);

/** No answer, or not all of it. Only the kind of failure is named: the words of a failed request may hold the token. */
export const silenceOf = (route: string, reason: unknown): PortError => {
  const { name, code, cause } = Reason.safeParse(reason).data ?? {};
  const isTimeout = name === 'TimeoutError' || cause?.name === 'TimeoutError';
  const words = isTimeout ? 'GitHub did not answer in time' : 'GitHub could not be reached';
  const why = isTimeout ? '' : (cause?.cause?.code ?? cause?.code ?? code ?? cause?.name ?? name ?? '');
  return new PortError('unavailable', publicLine(`${route}: ${words}${why === '' ? '' : ` (${why})`}`, wordsMax));
};

/** An answer of any status; header names are in lower case. */
export type GithubAnswer = { status: number; headers: Readonly<Record<string, string>>; data: unknown };

/** `type` is GitHub's word, such as `NOT_FOUND`, and `code` a rarer one beside it; `path` leads to the null it stands for. */
export type GraphqlError = {
  message: string;
  type?: string | null | undefined;
  code?: string | null | undefined;
  path?: readonly (string | number)[] | null | undefined;
};

const wordsMax = 300;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const Message = z.object({ message: z.string() });

const Cause = { name: z.string().optional().catch(undefined), code: z.string().optional().catch(undefined) };
const Reason = z.object({
  ...Cause,
  cause: z
    .object({ ...Cause, cause: z.object(Cause).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

const meaning = (status: number): string => {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return `${status}, it was moved`;
    case 410:
      return '410, it is gone';
    default:
      return status < 300 ? 'not the documented answer' : String(status);
  }
};

const wordsOf = ({ data }: GithubAnswer): string => Message.safeParse(data).data?.message ?? '';

// The documentation's order: retry-after, else the reset once nothing remains, else a minute. An hour is the longest window there is.
const limitEnd = (headers: GithubAnswer['headers'], now: number): number => {
  const reset = headers['x-ratelimit-remaining'] === '0' ? resetOn(headers, now) : null;
  const named = retryAfter(headers, now) ?? reset ?? now + minuteMs;
  return Math.min(Math.max(named, now + 1_000), now + hourMs);
};

const retryAfter = (headers: GithubAnswer['headers'], now: number): number | null => {
  const seconds = Number(headers['retry-after'] ?? '');
  return headers['retry-after'] !== undefined && Number.isFinite(seconds) && seconds >= 0
    ? now + Math.min(seconds * 1_000, hourMs)
    : null;
};

const definite: ReadonlySet<string> = new Set([
  'FORBIDDEN',
  'NOT_FOUND',
  'INSUFFICIENT_SCOPES',
  'UNPROCESSABLE',
  'ARGUMENT_LIMIT',
]);
const isDefinite = (error: GraphqlError): boolean =>
  (typeof error.type === 'string' && definite.has(error.type)) || isUnknownField(error);

// Only a server that is older than what is asked for says so, and it then refuses the query as a whole.
const isUnknownField = ({ message }: GraphqlError): boolean => /^Field '\w+' doesn't exist on type '\w+'/.test(message);
