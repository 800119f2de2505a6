import { describe, expect, test } from 'vitest';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { type Fate, runToRest, simulation, standing } from './simulation.ts';

const repo = 'acme/web';

/** Five agents whose ways through the two ticks differ most, and how each issue must end however often we die. */
const scripts: readonly (readonly [AgentName, 'done' | 'handed back'])[] = [
  ['lands at once', 'done'],
  ['lands after a red CI', 'done'],
  ['closes the issue by keyword and turns out red', 'done'],
  ['stops without pushing', 'handed back'],
  ['cannot start', 'handed back'],
];

const dieAt =
  (n: number, when: 'die before' | 'die after'): Fate =>
  ({ number }) =>
    number === n ? when : 'live';

describe('No phantom lock, no double dispatch: a crash at any line costs a repeat, never a second thread', () => {
  // Nothing happens between two port calls, so dying before one is dying after the one before it: tried once to the full.
  test.each([
    ['die before', 'lands at once', 'done'] as const,
    ...scripts.map(([agent, end]) => ['die after', agent, end] as const),
  ])(
    'dying at each port call in turn (%s it), with an agent that %s',
    async (when, agent, end) => {
      const whole = simulation([{ repo, agent }]);
      expect(await runToRest(whole)).toEqual([]);
      for (let n = 1; n <= whole.calls(); n += 1) {
        const sim = simulation([{ repo, agent }]);
        const at = `${when} call ${n} of ${whole.calls()}`;
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
