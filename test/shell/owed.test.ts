import { describe, expect, test } from 'vitest';
import { commentsOf, isAtRest, simulation, standing } from '../simulation/simulation.ts';
import { isCall, labelsOf, locks, minutes, threadsOf, toRest, unavailable } from './minutes.ts';

const web = 'acme/web';
const issues = [
  { repo: web, agent: 'lands at once' as const },
  { repo: web, agent: 'stops without pushing' as const },
];

describe('The doorbell rings: at least once for every end, and never holds a lock', () => {
  test('one that fails for an hour: the lock is free, the others ring at once, and it rings once it can, once', async () => {
    const sim = simulation(issues, {}, { bells: ['broken', 'whole'] });
    const hour = sim.now() + 60 * 60_000;
    sim.intercept(async (call, pass) => {
      const isBroken = isCall(call, 'doorbell') && call.name === 'broken' && sim.now() < hour;
      if (isBroken) throw unavailable('the doorbell does not answer');
      return pass();
    });
    const { failed, happened } = await minutes(sim, 60, { until: () => sim.now() >= hour });
    // The second issue of the repo ran meanwhile: nothing waited for the bell.
    expect(happened).toEqual(expect.arrayContaining([`${web}#1 ended`, `${web}#2 dispatched`, `${web}#2 ended`]));
    expect([locks(sim), standing(sim, web, 1), standing(sim, web, 2)]).toEqual([[], 'done', 'handed back']);
    expect(sim.rungBy.map(({ bell }) => bell)).toEqual(['whole', 'whole']);
    expect(failed.some((line) => /owed by acme\/web#1 .*does not answer/.test(line))).toBe(true);
    await toRest(sim);
    await minutes(sim, 30);
    expect(sim.rungBy.map(({ bell, notice }) => `${bell}: ${notice.headline}`).sort()).toEqual([
      'broken: done: acme/web#1 Issue 1',
      'broken: handed back: acme/web#2 Issue 2',
      'whole: done: acme/web#1 Issue 1',
      'whole: handed back: acme/web#2 Issue 2',
    ]);
  });
});

describe('Quiet: one comment per run, whatever the tracker did meanwhile', () => {
  test('a tracker that takes no writes for an hour: the run goes on, and shows in one comment at the end', async () => {
    const sim = simulation([issues[0]!]);
    const until = sim.now() + 60 * 60_000;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'ensureMirror') && sim.now() < until)
        throw unavailable('the tracker takes no writes');
      return pass();
    });
    const { failed, happened } = await minutes(sim, 58);
    expect(happened).toEqual(expect.arrayContaining([`${web}#1 pushed`, `${web}#1 CI green`, `${web}#1 ended`]));
    expect(locks(sim)).toEqual([]);
    expect(failed.some((line) => /mirror of acme\/web#1: .*takes no writes/.test(line))).toBe(true);
    expect(failed.some((line) => /owed by acme\/web#1 .*takes no writes/.test(line))).toBe(true);
    expect([commentsOf(sim.world, web, 1), labelsOf(sim, web, 1)]).toEqual([[], ['ready-for-agent']]);
    await toRest(sim, 20);
    expect([standing(sim, web, 1), commentsOf(sim.world, web, 1).length, threadsOf(sim, web, 1).length]).toEqual([
      'done',
      1,
      1,
    ]);
    expect(sim.rung).toHaveLength(1);
  });

  test('a write that took hold although its answer was lost makes no second comment', async () => {
    const sim = simulation([issues[0]!]);
    let lost = 0;
    sim.intercept(async (call, pass) => {
      const answer = await pass();
      if (isCall(call, 'tracker', 'ensureMirror') && lost < 3) {
        lost += 1;
        throw unavailable('the answer got lost');
      }
      return answer;
    });
    await toRest(sim);
    expect([lost, standing(sim, web, 1), commentsOf(sim.world, web, 1).length]).toEqual([3, 'done', 1]);
  });

  test('while nothing changes nothing is written: a comment is edited only for another text', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    const [comment] = commentsOf(sim.world, web, 1);
    const edits = comment!.edits.length;
    let writes = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'ensureMirror')) writes += 1;
      return pass();
    });
    await minutes(sim, 14);
    expect([commentsOf(sim.world, web, 1)[0]!.edits.length, writes, isAtRest(sim)]).toEqual([edits, 0, false]);
  });
});
