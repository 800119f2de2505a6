import { describe, expect, test } from 'vitest';
import { PortError } from '../../lib/ports.ts';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { type Call, simulation, standing } from '../simulation/simulation.ts';
import { busyAgents, isCall, labelsOf, locks, minutes, operate, threadsOf, toRest } from './minutes.ts';

const web = 'acme/web';

describe('Off means off: a kill switch that goes on between the claim and the dispatch', () => {
  const flippedBeforeTheTurn = async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    sim.intercept(async (call, pass) => {
      // The second read of a polling tick is the one right before the act.
      if (isCall(call, 'store', 'keepText')) operate(sim, 'kill-switch', 'true');
      return pass();
    });
    const { happened, reports } = await minutes(sim, 1, { kinds: ['poll'] });
    expect(happened).toEqual([`${web}#1 claimed`, `${web}#1 braked`]);
    expect(reports[0]!.happened[1]!.why).toBe('the kill switch is on');
    sim.intercept((_, pass) => pass());
    return sim;
  };

  test('no turn is asked for and no label goes on, however long it stays', async () => {
    const sim = await flippedBeforeTheTurn();
    const { reports } = await minutes(sim, 60);
    expect(reports.every(({ state }) => state === 'off')).toBe(true);
    expect(threadsOf(sim, web, 1).flatMap(({ messages }) => messages)).toEqual([]);
    expect([busyAgents(sim), labelsOf(sim, web, 1)]).toEqual([[], ['ready-for-agent']]);
  });

  test.each([1, 5, 60])('nothing is lost: off again after %i min, the issue runs, once', async (after) => {
    const sim = await flippedBeforeTheTurn();
    await minutes(sim, after);
    operate(sim, 'kill-switch', 'false');
    const { happened } = await toRest(sim, 120, { allows: /2 threads for/ });
    expect(standing(sim, web, 1)).toBe('done');
    expect(happened.filter((what) => what === `${web}#1 dispatched`)).toHaveLength(1);
    expect(
      threadsOf(sim, web, 1).flatMap(({ messages }) => messages.filter(({ role }) => role === 'user')),
    ).toHaveLength(1);
  });

  test('a repo taken off the allowlist in that moment is not dispatched either', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'store', 'keepText')) operate(sim, 'allowlist', 'acme/other');
      return pass();
    });
    const { reports } = await minutes(sim, 1, { kinds: ['poll'] });
    expect(reports[0]!.happened.map(({ what, why }) => `${what}: ${why}`)).toContain(
      'braked: the repo was taken off the allowlist',
    );
    await minutes(sim, 30);
    expect([busyAgents(sim), locks(sim), labelsOf(sim, web, 1)]).toEqual([[], [], ['ready-for-agent']]);
  });
});

describe('The doorbell rings when a person calls a run off, and its agent is out', () => {
  const ways: readonly (readonly [string, (sim: ReturnType<typeof simulation>) => unknown, string])[] = [
    [
      'takes the ready label off',
      (sim) => sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now()),
      'open []',
    ],
    [
      'puts the hold label on',
      (sim) => sim.world.github.label(web, 1, 'afk-hold', 'maintainer', sim.now()),
      'open [afk-hold]',
    ],
    ['closes the issue', (sim) => sim.world.github.close(web, 1, 'maintainer', sim.now()), 'done'],
  ];
  test.each(ways)('a person %s', async (_, callOff, end) => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    expect(labelsOf(sim, web, 1)).toContain('agent-in-progress');
    expect(busyAgents(sim)).toHaveLength(1);
    callOff(sim);
    const { reports } = await minutes(sim, 15);
    expect(reports.flatMap(({ ended }) => ended.map(({ outcome }) => outcome))).toEqual(['cancelled']);
    expect([standing(sim, web, 1), busyAgents(sim), locks(sim)]).toEqual([end, [], []]);
    expect(sim.rung).toEqual([expect.stringMatching(/^cancelled: acme\/web#1 /)]);
  });

  test('an account the agent acts as is no person: its labelling ends nothing', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    await minutes(sim, 3);
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'agent-bot', sim.now());
    const { reports } = await toRest(sim);
    expect(reports.flatMap(({ ended }) => ended.map(({ outcome }) => outcome))).toEqual(['done']);
  });
});

describe('Off means off: the kill switch flipped right before any call, whatever the call', () => {
  const isAct = ({ port, method, args }: Call): boolean =>
    (port === 'executor' && (method === 'startTurn' || method === 'answer')) ||
    (port === 'tracker' && method === 'ensureMirror' && (args[1] as { state: string }).state === 'closed');

  /** Plays it up to so many calls, flips, and goes on for two minutes; the acts that followed upon the flip. */
  const flippedAt = async (agent: AgentName, at: number): Promise<{ calls: number; acts: readonly string[] }> => {
    const sim = simulation([{ repo: web, agent }]);
    const acts: string[] = [];
    let calls = 0;
    sim.intercept(async (call, pass) => {
      calls += 1;
      if (calls === at) sim.flip('true');
      else if (calls > at && isAct(call)) acts.push(`${call.method}, flipped ${calls - at} calls before`);
      return pass();
    });
    await minutes(sim, 120, { until: () => calls >= at || sim.table.history.size > 0 });
    await minutes(sim, 2);
    return { calls, acts };
  };

  test.each(['lands at once', 'needs a nudge', 'asks a question and takes the answer'] as const)(
    'no turn, no answer and no closing follows but the one that the call is itself: an agent that %s',
    async (agent) => {
      const { calls } = await flippedAt(agent, Number.POSITIVE_INFINITY);
      expect(calls).toBeGreaterThan(150);
      for (let at = 1; at <= calls; at += 1) expect([at, (await flippedAt(agent, at)).acts]).toEqual([at, []]);
    },
    60_000,
  );
});

describe('A handed-back issue stays handed back until a trusted person labels it again', () => {
  const handedBack = async () => {
    const sim = simulation([{ repo: web, agent: 'crashes' }]);
    await toRest(sim);
    expect([standing(sim, web, 1), threadsOf(sim, web, 1).length]).toEqual(['handed back', 1]);
    return sim;
  };

  test('nobody labels it: it is never picked up, not even after a month and a day', async () => {
    const sim = await handedBack();
    await minutes(sim, 30);
    for (let day = 0; day < 32; day += 1) {
      sim.pass(24 * 3_600_000);
      await minutes(sim, 2);
    }
    expect([standing(sim, web, 1), threadsOf(sim, web, 1).length]).toEqual(['handed back', 1]);
  });

  test('edits, comments and other labels do not bring it back', async () => {
    const sim = await handedBack();
    const { github } = sim.world;
    github.comment(web, 1, 'Any news? ready-for-agent', 'stranger', sim.now());
    github.editTitle(web, 1, 'A better title', 'maintainer', sim.now());
    github.label(web, 1, 'bug', 'maintainer', sim.now());
    await minutes(sim, 60);
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  });

  test('a stranger’s label does not bring it back, and the ruling says why', async () => {
    const sim = await handedBack();
    sim.world.github.label(web, 1, 'ready-for-agent', 'stranger', sim.now());
    const { rulings } = await minutes(sim, 60);
    expect(rulings[0]).toMatch(/acme\/web#1 not trusted: stranger.*rule 9/);
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  });

  test('its labels can never be turned: once that was given up, the labelling still had its run', async () => {
    const sim = simulation([{ repo: web, agent: 'crashes' }]);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'ensureMirror')) throw new PortError('refused', '422: Validation Failed');
      return pass();
    });
    const { failed, rulings } = await minutes(sim, 26 * 60, { every: 3 });
    expect(failed.some((line) => /mirror of acme\/web#1 given up: .*422/.test(line))).toBe(true);
    expect(labelsOf(sim, web, 1)).toEqual(['ready-for-agent']);
    expect(rulings.some((ruling) => /still owed/.test(ruling))).toBe(true);
    expect(rulings.at(-1)).toMatch(/with a human: handed back.*ready-for-agent/);
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  });

  test('a trusted person labels it: a fresh start, in a thread of its own, and one only', async () => {
    const sim = await handedBack();
    sim.world.github.label(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    const { happened } = await toRest(sim, 120, { allows: /2 (threads|comments) / });
    expect(happened.filter((what) => what === `${web}#1 dispatched`)).toHaveLength(1);
    const threads = threadsOf(sim, web, 1);
    expect(threads).toHaveLength(2);
    expect(labelsOf(sim, web, 1)).toEqual(['ready-for-human']);
    await minutes(sim, 60, { allows: /2 (threads|comments) / });
    expect(threadsOf(sim, web, 1)).toHaveLength(2);
  });
});

describe('Bounded', () => {
  const repos = Array.from({ length: 8 }, (_, index) => `acme/repo-${index}`);
  const issues = repos.flatMap((repo) => [1, 2].map(() => ({ repo, agent: 'lands at once' as const })));

  test('never more runs are open than maxOpenRuns, and in the end every issue had its turn', async () => {
    const sim = simulation(issues, { maxOpenRuns: 3, maxRunsPerDay: 1000 });
    let most = 0;
    sim.intercept(async (call, pass) => {
      const answer = await pass();
      if (isCall(call, 'store', 'insert')) most = Math.max(most, locks(sim).length);
      return answer;
    });
    const { rulings } = await toRest(sim);
    expect(most).toBe(3);
    expect(rulings.some((ruling) => /over the cap: 3 runs are open/.test(ruling))).toBe(true);
    expect(issues.map((_, index) => standing(sim, repos[Math.floor(index / 2)]!, (index % 2) + 1))).toEqual(
      issues.map(() => 'done'),
    );
  });

  test('the caps are counted one claim at a time, and as many as they allow begin in one tick', async () => {
    const sim = simulation(issues, { maxOpenRuns: 3 });
    const { happened } = await minutes(sim, 1, { kinds: ['poll'] });
    expect(happened.filter((what) => what.endsWith(' dispatched'))).toHaveLength(3);
  });

  test('never more runs are begun on a UTC day than maxRunsPerDay; the next day goes on', async () => {
    const sim = simulation(issues, { maxOpenRuns: 20, maxRunsPerDay: 5 });
    const first = await minutes(sim, 14 * 60, { until: () => sim.now() > Date.UTC(2026, 0, 5, 12) });
    const begun = (told: typeof first) => told.happened.filter((what) => what.endsWith(' dispatched')).length;
    expect(begun(first)).toBe(5);
    expect(first.rulings.some((ruling) => /over the cap: 5 runs were begun today/.test(ruling))).toBe(true);
    sim.pass(Date.UTC(2026, 0, 6, 0, 1) - sim.now());
    expect(begun(await minutes(sim, 60))).toBe(5);
  });
});
