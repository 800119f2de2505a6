import type { Exchange, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import { githubHandler } from '../../lib/sandbox/github-handler.ts';
import { aBusyWorld, busyFrom } from './github-busy-world.ts';

/** A seeded fault: what is wrong, the exchange that has it, and the words that must name its operation and place. */
export type Seeded = readonly [what: string, exchange: Exchange, names: string];

/** The busy world of the tour, and who asks it for one exchange at a time; nothing is held against any document. */
export const recorder = () => {
  const { world, repo, last } = aBusyWorld();
  const recorded: Exchange[] = [];
  const handle = githubHandler(world, {
    now: () => busyFrom + 40 * 60_000,
    base: () => 'http://127.0.0.1:1',
    onExchange: (exchange) => recorded.push(exchange),
  });
  const ask = (method: string, path: string, body?: unknown, headers: HttpRequest['headers'] = {}): Exchange => {
    const text = body === undefined ? '' : JSON.stringify(body);
    handle({ method, path, headers: { authorization: 'token of-helper', ...headers }, body: text });
    return recorded.at(-1)!;
  };
  return { repo, last, ask };
};

/** The exchange with another path and query. */
export const withPath = (exchange: Exchange, path: string): Exchange => ({
  ...exchange,
  request: { ...exchange.request, path },
});

/** The exchange with another request body: a text as it is, all else as JSON. */
export const withRequest = (exchange: Exchange, body: unknown): Exchange => ({
  ...exchange,
  request: { ...exchange.request, body: typeof body === 'string' ? body : JSON.stringify(body) },
});

/** The exchange with something else about its answer: its status, its headers, its body as text. */
export const withResponse = (exchange: Exchange, change: Partial<NonNullable<Exchange['response']>>): Exchange => ({
  ...exchange,
  response: { ...exchange.response!, ...change },
});

/** The exchange with its answer's JSON spoilt. */
// biome-ignore lint/suspicious/noExplicitAny: a fault is put wherever it likes
export const withAnswer = (exchange: Exchange, spoil: (body: any) => void): Exchange => {
  const body = JSON.parse(exchange.response!.body);
  spoil(body);
  return withResponse(exchange, { body: JSON.stringify(body) });
};
