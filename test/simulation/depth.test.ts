import { describe, expect, test } from 'vitest';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { breaches, isAtRest, type Simulation, simulation, standing } from './simulation.ts';

const repo = 'acme/web';

/** Ticks until rest; what was decided on the way, without the waits. Fails on the first breach of an invariant. */
const decisionsOf = async (
  sim: Simulation,
  each: (minute: number) => void = () => undefined,
): Promise<readonly string[]> => {
  const decided: string[] = [];
  for (let minute = 0; minute < 300 && !isAtRest(sim); minute += 1) {
    each(minute);
    for (const kind of ['poll', 'watch'] as const) {
      const report = await sim.invoke(kind);
      if (report === 'died') throw new Error('nobody dies here');
      expect(report.failed).toEqual([]);
      expect(breaches(sim)).toEqual([]);
      for (const { what, why } of report.happened) if (what === 'decided') decided.push(why.split(':')[0] ?? '');
    }
    sim.pass();
  }
  expect(isAtRest(sim)).toBe(true);
  return decided;
};

describe('a run that does not go straight', () => {
  test.each<[AgentName, 'done' | 'handed back', readonly string[]]>([
    ['asks a question and takes the answer', 'done', ['answer', 'end done']],
    ['asks again and again', 'handed back', ['answer', 'escalate']],
    ['needs a nudge', 'done', ['nudge', 'end done']],
    ['stops without pushing', 'handed back', ['nudge', 'escalate']],
    ['meets a failing provider', 'done', ['park', 'try again', 'end done']],
    [
      'never meets its provider',
      'handed back',
      ['park', 'try again', 'park', 'try again', 'park', 'try again', 'nudge', 'escalate'],
    ],
    ['spends too much', 'handed back', ['escalate']],
    ['stays alive after green', 'done', ['end done']],
    ['hangs', 'handed back', ['restart', 'escalate']],
    ['cannot start', 'handed back', ['restart', 'escalate']],
    ['crashes', 'handed back', ['escalate']],
  ])('an agent that %s: %s, by %j', async (agent, end, decisions) => {
    const sim = simulation([{ repo, agent }]);
    expect(await decisionsOf(sim)).toEqual(decisions);
    expect(standing(sim, repo, 1)).toBe(end);
  });

  test('a provider’s failure costs neither an attempt nor a nudge', async () => {
    const sim = simulation([{ repo, agent: 'meets a failing provider' }]);
    await decisionsOf(sim);
    const [ended] = [...sim.table.history.values()].map((json) => JSON.parse(json));
    expect(ended).toMatchObject({ attempts: 0, nudges: 0, parks: 1, outcome: 'done' });
  });

  test('Bounded: an agent of whose tokens nothing is told is taken to spend by the minute, and handed back', async () => {
    const defaults = { model: 'm', workspaceRoot: '/srv/checkouts/{owner}__{name}', agentLogins: ['agent-bot'] };
    const sim = simulation([{ repo, agent: 'takes its time' }], { defaults: { ...defaults, budgetUsd: 1 } });
    expect(await decisionsOf(sim)).toEqual(['escalate']);
    expect(standing(sim, repo, 1)).toBe('handed back');
  });

  test('Bounded: what a run has spent counts against the day', async () => {
    const sim = simulation(
      [
        { repo: 'acme/api', agent: 'spends too much' },
        { repo, agent: 'takes its time' },
      ],
      { budgetUsdPerDay: 40, maxOpenRuns: 1 },
    );
    for (let minute = 0; minute < 40; minute += 1) {
      for (const kind of ['poll', 'watch'] as const) await sim.invoke(kind);
      sim.pass();
    }
    // 9,000,000 tokens at 5 USD a million are 45 USD, and the day has 40.
    expect(sim.world.t3.threads()).toHaveLength(1);
  });
});

describe('the kill switch reaches what is out', () => {
  test.each([4, 11, 20, 33, 37])(
    'flipped in minute %i of a long turn, it is interrupted, and taken up again after the flip back',
    async (minute) => {
      const sim = simulation([{ repo, agent: 'takes its time' }]);
      const agents = () => sim.world.t3.liveAgents().filter(({ busy }) => busy);
      const interrupted: string[] = [];
      const decided = await decisionsOf(sim, (now) => {
        if (now === minute) sim.flip('true');
        if (now === minute + 3) {
          interrupted.push(`${agents().length} at work`);
          sim.flip('false');
        }
      });
      expect(interrupted).toEqual(['0 at work']);
      expect(standing(sim, repo, 1)).toBe('done');
      const [ended] = [...sim.table.history.values()].map((json) => JSON.parse(json));
      expect(ended).toMatchObject({ nudges: 0, attempts: 0, restarts: 0 });
      expect(decided).toEqual(['resume', 'end done']);
    },
  );

  test('Off means off: half an hour after the flip a tick makes one call, and nothing is interrupted any more', async () => {
    const sim = simulation([{ repo, agent: 'hangs' }]);
    for (const kind of ['poll', 'watch'] as const) await sim.invoke(kind);
    sim.flip('true');
    sim.pass(30 * 60_000);
    const before = sim.calls();
    expect(await sim.invoke('watch')).toMatchObject({ state: 'off', happened: [] });
    expect(await sim.invoke('poll')).toMatchObject({ state: 'off', happened: [] });
    expect(sim.calls() - before).toBe(2);
    expect(sim.world.t3.liveAgents().filter(({ busy }) => busy)).toHaveLength(1);
  });

  test('a run that had pushed when it was halted is closed on proof, not resumed', async () => {
    const sim = simulation([{ repo, agent: 'stays alive after green' }]);
    const decided = await decisionsOf(sim, (minute) => {
      if (minute === 16) sim.flip('true');
      if (minute === 22) sim.flip('false');
    });
    expect(decided).toEqual(['end done']);
    expect(standing(sim, repo, 1)).toBe('done');
  });

  test('a person who called the run off while it was halted is obeyed', async () => {
    const sim = simulation([{ repo, agent: 'takes its time' }]);
    const decided = await decisionsOf(sim, (minute) => {
      if (minute === 5) sim.flip('true');
      if (minute === 8) sim.world.github.unlabel(repo, 1, 'ready-for-agent', 'maintainer', sim.now());
      if (minute === 9) sim.flip('false');
    });
    expect(decided).toEqual(['end cancelled']);
    expect(sim.world.t3.liveAgents().filter(({ busy }) => busy)).toEqual([]);
  });

  test('the clocks stand while it is halted: hours of it cost no deadline', async () => {
    const sim = simulation([{ repo, agent: 'takes its time' }]);
    await decisionsOf(sim, (minute) => {
      if (minute === 5) sim.flip('true');
      if (minute === 7) sim.pass(13 * 3_600_000);
      if (minute === 8) sim.flip('false');
    });
    expect(standing(sim, repo, 1)).toBe('done');
  });
});

test.each([
  ['lands after a red CI', 16],
  ['never gets green', 60],
] as const)('a fix turn that the kill switch interrupted costs no second attempt: %s, minute %i', async (agent, at) => {
  const sim = simulation([{ repo: 'acme/web', agent }]);
  const decided: string[] = [];
  for (let minute = 0; minute < 300 && !isAtRest(sim); minute += 1) {
    if (minute === at) sim.flip('true');
    if (minute === at + 2) sim.flip('false');
    for (const kind of ['poll', 'watch'] as const) {
      const report = await sim.invoke(kind);
      if (report === 'died') throw new Error('nobody dies');
      for (const { what, why } of report.happened)
        if (what === 'decided' || what === 'halted') decided.push(`${minute} ${what} ${why}`);
    }
    sim.pass();
  }
  const [ended] = [...sim.table.history.values()].map((json) => JSON.parse(json));
  expect(ended.attempts).toBe(agent === 'never gets green' ? 5 : 1);
  if (agent === 'never gets green') expect(decided.at(-1)).toMatch(/^(6[89]|7\d)/);
});
