import { describe, expect, test } from 'vitest';
import { PortError } from '../../lib/ports.ts';
import { type Call, type Simulation, simulation, standing } from '../simulation/simulation.ts';
import { isCall, minutes, toRest } from './minutes.ts';

const repo = 'acme/web';

const mending = (): { sim: Simulation; calls: Call[]; prompts: () => readonly string[] } => {
  const sim = simulation([{ repo, agent: 'lands after a red CI' }]);
  const calls: Call[] = [];
  const prompts = () =>
    sim.world.t3
      .threads()
      .flatMap(({ id }) => sim.world.t3.messagesOf(id))
      .flatMap(({ role, text }) => (role === 'user' ? [text] : []));
  return { sim, calls, prompts };
};

describe('The fix prompt names the failing checks with what they said', () => {
  test('as data behind a mark, asked for once and only for the turn that mends', async () => {
    const { sim, calls, prompts } = mending();
    sim.intercept(async (call, pass) => {
      calls.push(call);
      return pass();
    });
    await toRest(sim);
    const [opening, fix] = prompts();
    expect(opening).not.toContain('  | ');
    expect(fix).toMatch(
      /^test \(failure\) https:\/\/\S+\n {2}\| 1 of 214 tests failed\n(?: {2}\|.*\n)* {2}\| AssertionError: expected 90, received 100\n----- END WHAT FAILED/m,
    );
    const asked = calls.filter((call) => isCall(call, 'forge', 'said'));
    expect(asked.map(({ args }) => args[1])).toEqual([{ sha: expect.any(String), names: ['test'] }]);
    expect(standing(sim, repo, 1)).toBe('done');
  });

  test('where they cannot be read the agent is asked all the same, and the report says what failed', async () => {
    const { sim, prompts } = mending();
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'forge', 'said')) throw new PortError('unauthorised', 'check runs may not be read');
      return pass();
    });
    const { reports } = await minutes(sim, 60);
    expect(prompts()[1]).toMatch(/^test \(failure\) https:\/\/\S+\n----- END WHAT FAILED/m);
    expect(reports.flatMap(({ failed }) => failed)).toEqual([
      { what: 'what CI said of acme/web#1', reason: 'PortError: check runs may not be read' },
    ]);
    expect(standing(sim, repo, 1)).toBe('done');
  });

  test('whatever a prompt takes is read before the brake, which is the last thing asked before a turn is sent', async () => {
    const { sim, calls } = mending();
    sim.intercept(async (call, pass) => {
      calls.push(call);
      return pass();
    });
    await toRest(sim);
    const starts = calls.flatMap((call, at) => (isCall(call, 'executor', 'startTurn') ? [at] : []));
    expect(starts.length).toBe(2);
    for (const at of starts) expect(calls[at - 1]).toMatchObject({ port: 'gate', method: 'read' });
  });
});
