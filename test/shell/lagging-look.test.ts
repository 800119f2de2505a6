import { expect, test } from 'vitest';
import { simulation, standing } from '../simulation/simulation.ts';
import { isCall, minutes, threadsOf, toRest, unavailable } from './minutes.ts';

const web = 'acme/web';

test.each(['createThread', 'startTurn'])(
  'Asked twice, got once: the answer to %s is lost and T3 shows nothing of it for minutes; what is asked again has the same ids',
  async (method) => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    let before: unknown = null;
    let lagsUntil = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'look')) {
        if (before !== null && sim.now() < lagsUntil) return before;
        before = await pass();
        return before;
      }
      if (!isCall(call, 'executor', method) || lagsUntil > 0) return pass();
      await pass();
      lagsUntil = sim.now() + 150_000;
      throw unavailable('T3 gave no answer');
    });
    await minutes(sim, 5);
    const threads = threadsOf(sim, web, 1);
    expect(threads).toHaveLength(1);
    expect(sim.world.t3.messagesOf(threads[0]!.id).filter(({ role }) => role === 'user')).toHaveLength(1);
    await toRest(sim);
    expect(standing(sim, web, 1)).toBe('done');
  },
);

test.each(['createProject', 'createThread', 'startTurn'])(
  'A refused id is burnt: where T3 refuses one of %s, and for good, what is asked for has the next id, and the run goes on',
  async (method) => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    let burnt: string | null = null;
    sim.intercept(async (call, pass) => {
      if (!isCall(call, 'executor', method)) return pass();
      const [{ commandId }] = call.args as [{ commandId: string }];
      burnt ??= commandId;
      return commandId === burnt ? 'refused' : pass();
    });
    const { reports } = await toRest(sim);
    expect(burnt).not.toBeNull();
    expect(reports.flatMap(({ ended }) => ended.map(({ outcome }) => outcome))).toEqual(['done']);
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  },
);
