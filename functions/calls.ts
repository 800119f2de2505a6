import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as z from 'zod';

/** Requests that left this process, by host, and in all. */
export type Calls = { total: number; byHost: Readonly<Record<string, number>> };

/**
 * Counts what this process asks of the network from now on, by the platform's own word: every request of `node:http`
 * and of `fetch`, whichever adapter made it. `stop` ends it and says how many there were.
 */
export const countCalls = (): { stop: () => Calls } => {
  const byHost: Record<string, number> = {};
  let total = 0;
  const add = (host: string): void => {
    total += 1;
    byHost[host] = (byHost[host] ?? 0) + 1;
  };
  const onHttp = (message: unknown): void => {
    const { success, data } = HttpMessage.safeParse(message);
    add(success ? String(data.request.getHeader('host')) : 'unknown');
  };
  const onFetch = (message: unknown): void => {
    const { success, data } = FetchMessage.safeParse(message);
    add(success ? new URL(data.request.origin).host : 'unknown');
  };
  subscribe('http.client.request.start', onHttp);
  subscribe('undici:request:create', onFetch);
  return {
    stop: () => {
      unsubscribe('http.client.request.start', onHttp);
      unsubscribe('undici:request:create', onFetch);
      return { total, byHost };
    },
  };
};

const HttpMessage = z.object({
  request: z.custom<{ getHeader: (name: string) => unknown }>((it) => typeof it === 'object' && it !== null),
});
const FetchMessage = z.object({
  request: z.custom<{ origin: string }>((it) => typeof it === 'object' && it !== null && 'origin' in it),
});
