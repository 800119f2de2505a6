import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Received = { method: string; path: string; headers: IncomingHttpHeaders; body: string };

/** What a server does with a request it has read; leaving the response alone is a hang. */
export type Answer = (response: ServerResponse, request: Received) => unknown;

/** An HTTP server on loopback until the test is over. `received` and `connections` are what reached it so far. */
export const loopback = async (answer: Answer) => {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const request = { method: message.method!, path: message.url!, headers: message.headers, body };
    received.push(request);
    await answer(response, request);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, connections: () => connections };
};

/** An address on loopback at which nobody listens any more. */
export const nobody = async (): Promise<string> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
};

/** Answers with a status and a body. */
export const answers =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end(body);

/** Closes the connection without a word. */
export const drops: Answer = (response) => response.socket?.destroy();

/** Never answers. */
export const hangs: Answer = () => {};

/** Sends headers and the beginning of a body, and then nothing more. */
export const stalls =
  (headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(200, headers).write('{"Par');
