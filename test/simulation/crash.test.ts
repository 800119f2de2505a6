import { expect, test } from 'vitest';
import { type AgentName, agentNames } from '../../lib/sandbox/agents.ts';
import { dyingAtEachMoment, halves, misjudgedIn, momentsOf } from './crash-scenes.ts';

const [half] = halves;

test.each(half)(
  'No phantom lock, no double dispatch: dying at every moment there is, with an agent that %s',
  async (agent) => {
    expect(await dyingAtEachMoment(agent)).toEqual([]);
  },
  60_000,
);

test('the moments are all there are: a call that is none of those that only look changes the world, and no other does', async () => {
  const agents: readonly AgentName[] = [
    'closes the issue by keyword and turns out red',
    'asks a question and takes the answer',
    'cannot start',
    'stays alive after green',
    'opens a pull request whose checks are red first',
  ];
  expect((await Promise.all(agents.map(misjudgedIn))).flat()).toEqual([]);
});

test('the moments are as many as docs/simulation.md says, and stand for as many port calls', async () => {
  const all = await Promise.all(agentNames.map(momentsOf));
  const moments = all.reduce((sum, one) => sum + one.moments.length, 0);
  const calls = all.reduce((sum, one) => sum + one.calls, 0);
  expect([Math.floor(moments / 100), Math.floor(calls / 100)]).toEqual([17, 89]);
});
