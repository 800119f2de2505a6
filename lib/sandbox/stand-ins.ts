import { createServer } from 'node:http';
import * as z from 'zod';
import type { Exchange } from './github-handler.ts';
import { githubServer } from './github-server.ts';
import { t3Server } from './t3-server.ts';
import type { SandboxWorld } from './world.ts';

/**
 * Where a sandbox's stand-ins are found. With a `rate`, the world's time runs by itself at so many times real time
 * from `epoch` at the real instant `startedAt`; with rate 0 it stands still until it is set.
 */
export const StandInsAddress = z.strictObject({
  pid: z.number().int(),
  github: z.string(),
  t3: z.string(),
  control: z.string(),
  epoch: z.number().int(),
  startedAt: z.number().int(),
  rate: z.number(),
});
export type StandInsAddress = z.infer<typeof StandInsAddress>;

/** The sandbox's time at a real instant, for both processes alike. */
export const sandboxTime = (
  { epoch, startedAt, rate }: Pick<StandInsAddress, 'epoch' | 'startedAt' | 'rate'>,
  realNow: number,
): number => Math.round(epoch + (realNow - startedAt) * rate);

/** What the world came to, read by who compares it with the script. */
export const Standing = z.object({
  now: z.number(),
  issues: z.array(
    z.object({
      repo: z.string(),
      number: z.number(),
      open: z.boolean(),
      labels: z.array(z.string()),
      /** Comments by the control plane's own account. */
      comments: z.array(z.string()),
    }),
  ),
  threads: z.array(z.object({ title: z.string() })),
  liveAgents: z.number(),
});
export type Standing = z.infer<typeof Standing>;

/** Serves a world's two faces, and a third for the sandbox itself: set the clock, restart T3, read the standing, quit. */
export const standIns = async (
  world: SandboxWorld,
  options: {
    realNow: () => number;
    epoch: number;
    rate: number;
    owner: string;
    pid: number;
    onQuit: () => void;
    /** Sees what GitHub was asked and answered. */
    onExchange?: (exchange: Exchange) => void;
  },
): Promise<{ address: StandInsAddress; close: () => Promise<void>; lastUsedAt: () => number }> => {
  const { realNow, epoch, rate } = options;
  const startedAt = realNow();
  let set = epoch;
  let usedAt = startedAt;
  const now = (): number => {
    usedAt = realNow();
    const at = rate === 0 ? set : sandboxTime({ epoch, startedAt, rate }, usedAt);
    world.settle(at);
    return at;
  };
  const github = await githubServer(world.github, {
    now,
    ...(options.onExchange && { onExchange: options.onExchange }),
  });
  const t3 = await t3Server(world.t3, { now });
  const control = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox');
    if (request.method === 'POST' && pathname === '/clock') {
      set = z.coerce.number().int().parse(searchParams.get('now'));
      now();
      response.end('{}');
    } else if (request.method === 'POST' && pathname === '/restart') {
      world.t3.restart(now());
      response.end('{}');
    } else if (request.method === 'GET' && pathname === '/standing') {
      const at = now();
      response.end(JSON.stringify(standingOf(world, options.owner, at)));
    } else if (request.method === 'POST' && pathname === '/quit') {
      response.end('{}', options.onQuit);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
  const address = control.address();
  if (address === null || typeof address === 'string') throw new Error('the control server has no port');
  return {
    address: {
      pid: options.pid,
      github: github.url,
      t3: t3.url,
      control: `http://127.0.0.1:${address.port}`,
      epoch,
      startedAt,
      rate,
    },
    close: async () => {
      control.closeAllConnections();
      await Promise.all([github.close(), t3.close(), new Promise((resolve) => control.close(resolve))]);
    },
    lastUsedAt: () => usedAt,
  };
};

const standingOf = (world: SandboxWorld, owner: string, now: number): Standing => ({
  now,
  issues: [...world.github.state.repos.values()].flatMap((repo) =>
    [...repo.issues.values()].map((issue) => ({
      repo: repo.name,
      number: issue.number,
      open: issue.state === 'open',
      labels: issue.labels.map((label) => label.name).sort(),
      comments: [...world.github.state.comments.values()]
        .filter((comment) => comment.issueId === issue.id && comment.author === owner)
        .map((comment) => comment.body),
    })),
  ),
  threads: world.t3.threads().map(({ title }) => ({ title })),
  liveAgents: world.t3.liveAgents().filter(({ busy }) => busy).length,
});
