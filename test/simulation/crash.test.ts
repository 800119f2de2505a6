import { describe, expect, test } from 'vitest';
import { beforeToo, callsOf, deepScenes, plainScenes } from './crash-scenes.ts';
import { type Fate, runToRest, simulation, standing } from './simulation.ts';

const repo = 'acme/web';

const dieAt =
  (n: number, when: 'die before' | 'die after'): Fate =>
  ({ number }) =>
    number === n ? when : 'live';

describe('No phantom lock, no double dispatch: a crash at any line costs a repeat, never a second thread', () => {
  // Nothing happens between two port calls, so dying before one is dying after the one before it: tried once to the full.
  test.each([
    ...beforeToo.map(([agent, end]) => ['die before', agent, end] as const),
    ...plainScenes.map(([agent, end]) => ['die after', agent, end] as const),
  ])(
    'dying at each port call in turn (%s it), with an agent that %s',
    async (when, agent, end) => {
      const calls = await callsOf(agent);
      for (let n = 1; n <= calls; n += 1) {
        const sim = simulation([{ repo, agent }]);
        const at = `${when} call ${n} of ${calls}`;
        expect(await runToRest(sim, { fate: dieAt(n, when) }), at).toEqual([]);
        expect(standing(sim, repo, 1), at).toBe(end);
        expect(sim.rung.length, at).toBeGreaterThanOrEqual(1);
        expect(
          sim.world.t3.liveAgents().filter(({ busy }) => busy),
          at,
        ).toEqual([]);
      }
    },
    60_000,
  );
});

test('the crash points that are tried are more than two thousand, as docs/simulation.md says', async () => {
  const counts = await Promise.all([...plainScenes, ...beforeToo, ...deepScenes].map(([agent]) => callsOf(agent)));
  expect(counts.reduce((sum, calls) => sum + calls, 0)).toBeGreaterThan(2000);
});
