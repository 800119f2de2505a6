import { expect, onTestFinished } from 'vitest';
import type { GithubServer, ServerOptions } from '../../lib/sandbox/github-server.ts';
import { githubServer } from '../../lib/sandbox/github-server.ts';
import type { GithubWorld } from '../../lib/sandbox/github-world.ts';
import { violationsOf } from './github-exchange-validator.ts';

/**
 * Starts the stand-in for the running test and stops it after. Every exchange is held against GitHub's own documents:
 * a violation fails the test that made it, whichever side was wrong. Call it inside a test or a `beforeEach`.
 */
export const startGithub = async (world: GithubWorld, options: ServerOptions): Promise<GithubServer> => {
  const violations: string[] = [];
  const server = await githubServer(world, {
    ...options,
    onExchange: (exchange) => {
      violations.push(...violationsOf(exchange));
      options.onExchange?.(exchange);
    },
  });
  onTestFinished(async () => {
    await server.close();
    expect(violations, 'exchanges that GitHub does not document').toEqual([]);
  });
  return server;
};
