import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import * as z from 'zod';

/** One request of this process to anybody: to which port, and for what. */
export type Outgoing = { port: string; path: string };

/** Bytes on the sockets themselves, headers included. */
export type Bytes = { received: number; sent: number };

/**
 * Counts what this process asks of the network, whoever asks and whomever it asks: every client socket that is opened
 * and every HTTP request, of `node:http` and of `fetch`. It listens to the platform itself, so no adapter can call
 * past it. `stop` ends it.
 */
export const outgoing = () => {
  const sockets: Socket[] = [];
  const portOf = new WeakMap<Socket, string>();
  const requests: Outgoing[] = [];
  const channels: readonly (readonly [string, (message: unknown) => void])[] = [
    [
      'net.client.socket',
      (message) => {
        const { socket } = SocketMessage.parse(message);
        sockets.push(socket);
        // A closed socket does not know any more whom it was connected to.
        socket.once('connect', () => portOf.set(socket, String(socket.remotePort)));
      },
    ],
    [
      'http.client.request.start',
      (message) => {
        const { request } = HttpMessage.parse(message);
        requests.push({ port: new URL(`${request.protocol}//${request.getHeader('host')}`).port, path: request.path });
      },
    ],
    [
      'undici:request:create',
      (message) => {
        const { request } = FetchMessage.parse(message);
        requests.push({ port: new URL(request.origin).port, path: request.path });
      },
    ],
  ];
  for (const [channel, listener] of channels) subscribe(channel, listener);
  return {
    requests: requests as readonly Outgoing[],
    sockets: (): number => sockets.length,
    /** On all sockets to that port so far. */
    bytes: (port: string): Bytes => {
      const ours = sockets.filter((socket) => portOf.get(socket) === port);
      return {
        received: ours.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
        sent: ours.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
      };
    },
    stop: (): void => {
      for (const [channel, listener] of channels) unsubscribe(channel, listener);
    },
  };
};

const SocketMessage = z.object({ socket: z.instanceof(Socket) });
const HttpMessage = z.object({
  request: z.custom<{ protocol: string; path: string; getHeader: (name: string) => unknown }>(),
});
const FetchMessage = z.object({ request: z.custom<{ origin: string; path: string }>() });
