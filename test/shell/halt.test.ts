import { describe, expect, test } from 'vitest';
import { simulation, standing } from '../simulation/simulation.ts';
import { busyAgents, isCall, minutes, toRest } from './minutes.ts';

const web = 'acme/web';

describe('the kill switch halts what is out, again and again until it is seen over', () => {
  /** A turn at work, the kill switch just flipped, and a T3 that accepts so many interrupts without obeying them. */
  const flipped = async (unheard: number) => {
    const sim = simulation([{ repo: web, agent: 'takes its time' }]);
    await minutes(sim, 4);
    const asked: { commandId: string; at: number }[] = [];
    sim.intercept(async (call, pass) => {
      if (!isCall(call, 'executor', 'interrupt')) return pass();
      const [{ commandId }] = call.args as [{ commandId: string }];
      asked.push({ commandId, at: sim.now() });
      return asked.length <= unheard ? 'accepted' : pass();
    });
    sim.flip('true');
    return { sim, asked };
  };

  test('once a minute, under a new id each time, and no more once it is over', async () => {
    const { sim, asked } = await flipped(3);
    // Two ticks within the same minute, as the change event brings one of its own.
    for (let minute = 0; minute < 8; minute += 1) {
      await minutes(sim, 1, { kinds: ['watch', 'watch'] });
    }
    expect(asked.map(({ at }) => (at - asked[0]!.at) / 60_000)).toEqual([0, 1, 2, 3]);
    expect(new Set(asked.map(({ commandId }) => commandId)).size).toBe(4);
    expect(busyAgents(sim)).toEqual([]);
  });

  test('for half an hour and no longer', async () => {
    const { sim, asked } = await flipped(1000);
    await minutes(sim, 45, { kinds: ['watch'] });
    expect(asked).toHaveLength(30);
  });

  test('halted again after it was resumed, it is interrupted under ids that were not used before', async () => {
    const { sim, asked } = await flipped(1);
    await minutes(sim, 3);
    sim.flip('false');
    await minutes(sim, 3);
    expect(busyAgents(sim)).toHaveLength(1);
    sim.flip('true');
    await minutes(sim, 3);
    expect(busyAgents(sim)).toEqual([]);
    expect(new Set(asked.map(({ commandId }) => commandId)).size).toBe(asked.length);
    sim.flip('false');
    await toRest(sim);
    expect(standing(sim, web, 1)).toBe('done');
  });
});
