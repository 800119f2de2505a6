import { expect, test } from 'vitest';
import { callsOf, deepScenes, dyingAt, otherScenes } from './crash-scenes.ts';

/** The situations that ask the agent for more than a turn, each killed right after every port call there is. */
test.each(deepScenes)(
  'No double dispatch: dying after each port call in turn, with an agent that %s',
  async (agent) => {
    const calls = await callsOf(agent);
    for (let n = 1; n <= calls; n += 1) expect(await dyingAt(agent, n)).toEqual([]);
  },
  60_000,
);

/** A few of each, spread over its whole course; the step is prime, so that it meets all kinds of calls. */
test.each(otherScenes)(
  'No double dispatch: dying here and there, with an agent that %s',
  async (agent) => {
    const calls = await callsOf(agent);
    const step = calls > 1000 ? 499 : 53;
    for (let n = 1 + (calls % step); n <= calls; n += step) expect(await dyingAt(agent, n)).toEqual([]);
  },
  60_000,
);
