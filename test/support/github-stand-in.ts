import { onTestFinished } from 'vitest';
import type { Exchange } from '../../lib/sandbox/github-handler.ts';
import type { GithubServer, ServerOptions } from '../../lib/sandbox/github-server.ts';
import { githubServer } from '../../lib/sandbox/github-server.ts';
import type { GithubWorld } from '../../lib/sandbox/github-world.ts';
import { violationsOf } from './github-exchange-validator.ts';

/**
 * Starts the stand-in for the running test and stops it after. Every exchange is held against GitHub's own documents:
 * a violation fails the test that made it, whichever side was wrong. Call it inside a test or a `beforeEach`.
 */
export const startGithub = async (world: GithubWorld, options: ServerOptions): Promise<GithubServer> => {
  const server = await validatedGithub(world, options);
  onTestFinished(server.close);
  return server;
};

/** The same for whoever closes it themselves: `close` throws with all that GitHub does not document, each line once. */
export const validatedGithub = async (world: GithubWorld, options: ServerOptions): Promise<GithubServer> => {
  const exchanges: Exchange[] = [];
  const server = await githubServer(world, {
    ...options,
    // Looked at when all is over: the clients of some tests wait no second for their answer.
    onExchange: (exchange) => {
      exchanges.push(exchange);
      options.onExchange?.(exchange);
    },
  });
  const close = async (): Promise<void> => {
    await server.close();
    const violations = [...new Set(exchanges.splice(0).flatMap(violationsOf))].sort();
    if (violations.length > 0) throw new Error(['exchanges that GitHub does not document:', ...violations].join('\n'));
  };
  return { ...server, close };
};
