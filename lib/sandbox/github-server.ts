import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Exchange, HandlerOptions, HttpRequest } from './github-handler.ts';
import { githubHandler } from './github-handler.ts';
import type { GithubWorld } from './github-world.ts';

export type ServerOptions = Omit<HandlerOptions, 'base'> & {
  port?: number;
  /** As a server of one's own: REST at `url/api/v3`, GraphQL at `url/api/graphql`, and pages of people on that host. */
  enterprise?: boolean;
};

const requestsKept = 1000;

/** A running stand-in; `requests` are the exchanges so far, oldest first, in a long run only the newest thousand or two. */
export type GithubServer = { url: string; requests: readonly Exchange[]; close: () => Promise<void> };

const bodyOf = async (message: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
};

const requestOf = async (message: IncomingMessage): Promise<HttpRequest> => ({
  method: message.method ?? 'GET',
  path: message.url ?? '/',
  headers: Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  ),
  body: await bodyOf(message),
});

/** Where a path of a server of one's own leads in the API; elsewhere there is nothing. */
const mounted = (path: string): string => {
  if (path === '/api/graphql') return '/graphql';
  return path.startsWith('/api/v3/') ? path.slice('/api/v3'.length) : '/not-the-api';
};

/** The world as GitHub's API on a loopback port: REST at `url`, GraphQL at `url/graphql`. */
export const githubServer = async (
  world: GithubWorld,
  { port = 0, enterprise = false, ...options }: ServerOptions,
): Promise<GithubServer> => {
  const requests: Exchange[] = [];
  let url = '';
  const onExchange = (exchange: Exchange): void => {
    requests.push(exchange);
    // A sandbox runs for days: only the newest are kept.
    if (requests.length > 2 * requestsKept) requests.splice(0, requestsKept);
    options.onExchange?.(exchange);
  };
  const handle = githubHandler(world, { ...options, base: () => (enterprise ? `${url}/api/v3` : url), onExchange });

  /** A mistake of the stand-in's own is an exchange too: loud, and unlike anything GitHub says. */
  const answerTo = (request: HttpRequest): ReturnType<typeof handle> => {
    try {
      return handle(request);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const headers = { 'content-type': 'text/plain' };
      const response = { status: 599, headers, body: `the stand-in failed: ${text}` };
      onExchange({ number: requests.length + 1, at: world.state.at, viewer: null, request, response });
      return response;
    }
  };

  const serve = async (message: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const request = await requestOf(message);
    const answer = answerTo(enterprise ? { ...request, path: mounted(request.path) } : request);
    if (answer === 'hang') return;
    if (answer === 'drop') {
      message.socket.destroy();
      return;
    }
    reply.sendDate = false;
    const body = enterprise ? answer.body.replaceAll('https://github.com/', `${url}/`) : answer.body;
    reply.writeHead(answer.status, answer.headers).end(body);
  };

  const server = createServer((message, reply) => {
    // A request that was cut off, or an answer to whom nobody waits any more.
    serve(message, reply).catch(() => message.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the stand-in got no port');
  url = `http://127.0.0.1:${address.port}`;

  const close = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.close((error) => (error === undefined ? resolve() : reject(error)));
      server.closeAllConnections();
    });
  return { url, requests, close };
};
