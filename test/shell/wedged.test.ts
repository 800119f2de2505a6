import { expect, test } from 'vitest';
import type { ExecutorLook, Thread } from '../../lib/ports.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { simulation } from '../simulation/simulation.ts';
import { minutes } from './minutes.ts';

/** A turn of somebody's that T3 accepted two minutes ago and has not started. */
const queuedSince = (now: number, id: string): Thread => {
  const asked = new Date(now - 120_000).toISOString();
  return {
    id,
    projectId: 'project-1',
    turn: null,
    session: null,
    lastMessageAt: asked,
    updatedAt: asked,
    pending: null,
    backgroundWork: false,
  };
};

test('a report says whether T3 is wedged, and nothing of it where T3 was not looked at', async () => {
  let waiting = 0;
  const sim = simulation(
    [{ repo: 'acme/web', agent: 'hangs' }],
    {},
    {
      portsOver: (world, time) => {
        const ports = worldPorts(world, time);
        const look = async (): Promise<ExecutorLook> => {
          const seen = await ports.executor.look();
          const queued = Array.from({ length: waiting }, (_, n) => queuedSince(time.now(), `thread-${n}`));
          return {
            ...seen,
            threads: new Map([...seen.threads, ...queued.map((thread) => [thread.id, thread] as const)]),
          };
        };
        return { ...ports, executor: { ...ports.executor, look } };
      },
    },
  );
  const wedgedIn = async (): Promise<(boolean | null)[]> =>
    (await minutes(sim, 1, { kinds: ['watch'] })).reports.map(({ wedged }) => wedged);

  expect(await wedgedIn()).toEqual([null]);
  await minutes(sim, 1, { kinds: ['poll'] });
  expect(await wedgedIn()).toEqual([false]);
  waiting = 2;
  expect(await wedgedIn()).toEqual([true]);
  waiting = 0;
  expect(await wedgedIn()).toEqual([false]);
});
