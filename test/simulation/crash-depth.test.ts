import { expect, test } from 'vitest';
import { dyingAt, dyingAtEachMoment, halves, momentsOf } from './crash-scenes.ts';

const [, half] = halves;

test.each(half)(
  'No phantom lock, no double dispatch: dying at every moment there is, with an agent that %s',
  async (agent) => {
    expect(await dyingAtEachMoment(agent)).toEqual([]);
  },
  60_000,
);

test.each(['die before', 'die after'] as const)(
  'dying at each port call there is, whatever the call does (%s it), with an agent that lands at once',
  async (when) => {
    const { calls } = await momentsOf('lands at once');
    for (let call = 1; call <= calls; call += 1) expect(await dyingAt('lands at once', call, when)).toEqual([]);
  },
  60_000,
);
