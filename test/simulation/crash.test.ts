import { describe, expect, test } from 'vitest';
import { beforeToo, callsOf, deepScenes, dyingAt, plainScenes } from './crash-scenes.ts';

describe('No phantom lock, no double dispatch: a crash at any line costs a repeat, never a second thread', () => {
  // Nothing happens between two port calls, so dying before one is dying after the one before it: tried once to the full.
  test.each([
    ...beforeToo.map((agent) => ['die before', agent] as const),
    ...plainScenes.map((agent) => ['die after', agent] as const),
  ])(
    'dying at each port call in turn (%s it), with an agent that %s',
    async (when, agent) => {
      const calls = await callsOf(agent);
      for (let n = 1; n <= calls; n += 1) expect(await dyingAt(agent, n, when)).toEqual([]);
    },
    60_000,
  );
});

test('the crash points that are tried are more than two thousand, as docs/simulation.md says', async () => {
  const counts = await Promise.all([...plainScenes, ...beforeToo, ...deepScenes].map(callsOf));
  expect(counts.reduce((sum, calls) => sum + calls, 0)).toBeGreaterThan(2000);
});
