import { expect, test } from 'vitest';
import { agentNames } from '../../lib/sandbox/agents.ts';
import { dyingAt, halves, misjudgedIn, momentsOf } from './crash-scenes.ts';

const [half] = halves;

test.each(half)(
  'No phantom lock, no double dispatch: dying at every moment there is, with an agent that %s',
  async (agent) => {
    const { moments } = await momentsOf(agent);
    for (const call of moments) expect(await dyingAt(agent, call)).toEqual([]);
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

test('the moments are all there are: a call that is none of those that only look changes the world, and no other does', async () => {
  const agents = agentNames.filter((agent) => !agent.startsWith('never') && !agent.endsWith('nobody merges'));
  expect((await Promise.all(agents.map(misjudgedIn))).flat()).toEqual([]);
});

test('the moments stand for as many port calls as docs/simulation.md says', async () => {
  const all = await Promise.all(agentNames.map(momentsOf));
  const moments = all.reduce((sum, one) => sum + one.moments.length, 0);
  const calls = all.reduce((sum, one) => sum + one.calls, 0);
  expect([Math.floor(moments / 100), Math.floor(calls / 100)]).toEqual([18, 88]);
});
