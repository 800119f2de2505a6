import { expect, test } from 'vitest';
import { dyingAt, halves, momentsOf } from './crash-scenes.ts';

const [, half] = halves;

test.each(half)(
  'No phantom lock, no double dispatch: dying at every moment there is, with an agent that %s',
  async (agent) => {
    const { moments } = await momentsOf(agent);
    for (const call of moments) expect(await dyingAt(agent, call)).toEqual([]);
  },
  60_000,
);
