import type { HandlerOptions } from '../../lib/sandbox/github-handler.ts';
import { githubHandler } from '../../lib/sandbox/github-handler.ts';
import type { GithubWorld } from '../../lib/sandbox/github-world.ts';
import { violationsOf } from './github-exchange-validator.ts';

/** An answer as the tests of the stand-in read it; `body` is undefined when there is none. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
export type Answered = { status: number; headers: Readonly<Record<string, string>>; body: any };

/**
 * The stand-in without a socket: one call is one exchange, held against GitHub's documents on the spot.
 * Time is the world's own, so that it passes with the acts of the story.
 */
export const askGithub = (world: GithubWorld, options: Partial<HandlerOptions> = {}) => {
  const violations: string[] = [];
  const handle = githubHandler(world, {
    now: () => world.state.at,
    base: () => 'http://127.0.0.1:1',
    ...options,
    onExchange: (exchange) => violations.push(...violationsOf(exchange)),
  });
  return (token: string, route: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Answered => {
    const [method = '', path = ''] = route.split(' ');
    const text = body === undefined ? '' : JSON.stringify(body);
    const answer = handle({ method, path, headers: { authorization: `token ${token}`, ...headers }, body: text });
    if (typeof answer === 'string') throw new Error(`the connection: ${answer}`);
    if (violations.length > 0) throw new Error(violations.join('\n'));
    return { ...answer, body: answer.body === '' ? undefined : JSON.parse(answer.body) };
  };
};

/** One GraphQL request. */
export const graphqlOf =
  (ask: ReturnType<typeof askGithub>) =>
  (token: string, query: string, variables: Readonly<Record<string, unknown>> = {}): Answered =>
    ask(token, 'POST /graphql', { query, variables });
