import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type T3Request, type T3Response, t3Handler } from './t3-handler.ts';
import type { T3World } from './t3-world.ts';

/**
 * What a request meets instead of its answer. `drop` and `hang` never reach the world; `drop-after` and `stall-body` do,
 * so that a client without an answer may still have been obeyed.
 */
export type T3Fault =
  | 'drop'
  | 'drop-after'
  | 'hang'
  | 'stall-body'
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };

/** What came in and what went out: `status` 0 and no bytes where a fault left no answer. */
export type T3Served = {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly bytesOut: number;
};

export type T3ListenerOptions = {
  /** The world's time, asked once for each request. */
  readonly now: () => number;
  readonly fault?: (request: T3Request) => T3Fault | null;
  readonly served?: (served: T3Served) => void;
};

/** A T3 world behind node's HTTP, for whoever has a server already: faults, gzip and the log are its own. */
export const t3Listener = (world: T3World, { now, fault = () => null, served = () => {} }: T3ListenerOptions) => {
  const handle = t3Handler(world);

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const request = await requestOf(incoming);
    const { method, path } = request;
    const log = (status: number, bytesOut: number): void => served({ method, path, status, bytesOut });
    const met = fault(request);
    if (met === 'hang') {
      log(0, 0);
      return;
    }
    if (met === 'drop') {
      log(0, 0);
      incoming.socket.destroy();
      return;
    }
    if (met !== null && typeof met === 'object') {
      log(met.status, Buffer.byteLength(met.body));
      outgoing.writeHead(met.status, met.headers).end(met.body);
      return;
    }
    const response = handle(request, now());
    if (met === 'drop-after') {
      log(0, 0);
      incoming.socket.destroy();
      return;
    }
    const { headers, bytes } = packed(response, request.headers['accept-encoding']);
    const sent = met === 'stall-body' ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes;
    log(response.status, sent.length);
    outgoing.writeHead(response.status, { ...headers, 'content-length': bytes.length });
    if (met === 'stall-body') outgoing.write(sent);
    else outgoing.end(sent);
  };

  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // A client that went away in mid-request is not the server's trouble.
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  };
};

/** Serves a T3 world on a port of its own (`port` 0: any free one). `close` also ends requests that hang. */
export const t3Server = async (
  world: T3World,
  {
    host = '127.0.0.1',
    port = 0,
    ...options
  }: Omit<T3ListenerOptions, 'served'> & { readonly host?: string; readonly port?: number },
): Promise<{ url: string; close: () => Promise<void>; requests: readonly T3Served[] }> => {
  const requests: T3Served[] = [];
  const server = createServer(t3Listener(world, { ...options, served: (request) => requests.push(request) }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${boundPort(server.address())}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const requestOf = async (incoming: IncomingMessage): Promise<T3Request> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
  const body = Buffer.concat(chunks).toString('utf8');
  return { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers, body };
};

const packed = (
  { headers, body }: T3Response,
  acceptEncoding = '',
): { headers: Record<string, string>; bytes: Buffer } =>
  acceptEncoding.includes('gzip') && body !== ''
    ? { headers: { ...headers, 'content-encoding': 'gzip' }, bytes: gzipSync(body) }
    : { headers: { ...headers }, bytes: Buffer.from(body) };

const boundPort = (address: string | AddressInfo | null): number => {
  if (address === null || typeof address === 'string') throw new Error('a server that listens has a port');
  return address.port;
};
