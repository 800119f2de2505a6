import { expect, test } from 'vitest';
import { callsOf, deepScenes } from './crash-scenes.ts';
import { runToRest, simulation, standing } from './simulation.ts';

/** The situations that ask the agent for more than a turn, each killed right after every port call there is. */
test.each(deepScenes)(
  'No double dispatch: dying after each port call in turn, with an agent that %s',
  async (agent, end) => {
    const issues = [{ repo: 'acme/web', agent }];
    const calls = await callsOf(agent);
    for (let n = 1; n <= calls; n += 1) {
      const sim = simulation(issues);
      const at = `call ${n} of ${calls}`;
      expect(await runToRest(sim, { fate: ({ number }) => (number === n ? 'die after' : 'live') }), at).toEqual([]);
      expect(standing(sim, 'acme/web', 1), at).toBe(end);
    }
  },
  60_000,
);
