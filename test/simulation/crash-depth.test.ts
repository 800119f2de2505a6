import { expect, test } from 'vitest';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { runToRest, simulation, standing } from './simulation.ts';

/** The situations that ask the agent for more than a turn, each killed right after every port call there is. */
test.each<[AgentName, 'done' | 'handed back']>([
  ['asks a question and takes the answer', 'done'],
  ['asks again and again', 'handed back'],
  ['needs a nudge', 'done'],
  ['meets a failing provider', 'done'],
])(
  'No double dispatch: dying after each port call in turn, with an agent that %s',
  async (agent, end) => {
    const issues = [{ repo: 'acme/web', agent }];
    const whole = simulation(issues);
    expect(await runToRest(whole)).toEqual([]);
    for (let n = 1; n <= whole.calls(); n += 1) {
      const sim = simulation(issues);
      const at = `call ${n} of ${whole.calls()}`;
      expect(await runToRest(sim, { fate: ({ number }) => (number === n ? 'die after' : 'live') }), at).toEqual([]);
      expect(standing(sim, 'acme/web', 1), at).toBe(end);
    }
  },
  60_000,
);
