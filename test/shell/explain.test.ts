import { describe, expect, test } from 'vitest';
import { parseControl } from '../../lib/core/control.ts';
import { memoryStore } from '../../lib/sandbox/memory-store.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { dryRunPorts } from '../../lib/shell/dry-run.ts';
import { explain } from '../../lib/shell/explain.ts';
import { type Simulation, simulation } from '../simulation/simulation.ts';
import { minutes, operateSettings } from './minutes.ts';

const explained = (sim: Simulation, number: number, repo = 'acme/web') =>
  explain(
    {
      gate: { read: async () => parseControl(sim.parameters, null) },
      connect: async () =>
        dryRunPorts(
          {
            ...worldPorts(sim.world, { now: sim.now, login: 'afk-bot' }),
            store: memoryStore(sim.table, 'a-reader'),
            doorbells: [],
          },
          [],
        ),
      now: sim.now,
      by: 'a-reader',
      newRunId: () => 'd'.repeat(32),
      timeLeftMs: () => 50_000,
    },
    { repo, number },
    null,
  );

describe('An explanation names every gate for one issue, with the fact behind it', () => {
  test('of an issue that is next in its repo it says that nothing is in the way, and who is trusted for what', async () => {
    const issue = { repo: 'acme/web', agent: 'lands at once' } as const;
    // Paused, it is looked over and nothing more.
    const sim = simulation([issue, issue], { repos: { 'acme/web': { paused: true } } });
    await minutes(sim, 1, { kinds: ['poll'] });
    const { says, gates } = await explained(sim, 1);
    const fact = (gate: string): unknown => gates.find((row) => row.gate === gate)?.fact;
    expect(says).toMatch(/^it waits: repo paused: /);
    // What stands behind a gate that refuses is told all the same.
    expect(fact('trust and text')).toMatch(/labelled by maintainer at .*maintainer has write \(maintain\)/);
    expect(fact('hold label')).toBe('the label afk-hold is not on');
    expect(gates.map(({ gate }) => gate)).toEqual(
      expect.arrayContaining(['kill switch', 'not enrolled', 'locked', 'blocked']),
    );
    operateSettings(sim, ({ repos: _paused, ...settings }) => settings);
    const next = await explained(sim, 1);
    expect(next.says).toBe('nothing is in the way: the next poll dispatches it');
    expect(next.gates.filter(({ passes, fact }) => passes !== true || fact === '')).toEqual([]);
    expect((await explained(sim, 2)).says).toBe('it waits: outranked: outranked by #1');
  });

  test.each([
    ['blocked', { body: 'Blocked by #2' }, /^it waits: blocked: blocked by acme\/web#2/],
    ['labelled by a stranger', { author: 'stranger', labelled: 'form' as const }, /^it waits: not trusted: stranger/],
    [
      'not labelled',
      { labelled: false as const },
      /^it waits: label gone: the issue is open, and the label ready-for-agent/,
    ],
  ])('of one that is %s it says so', async (_, issue, says) => {
    const sim = simulation([
      { repo: 'acme/web', agent: 'lands at once', ...issue },
      { repo: 'acme/web', agent: 'hangs' },
    ]);
    await minutes(sim, 1, { kinds: ['poll'] });
    const told = await explained(sim, 1);
    // The other one's run holds the repo, which comes later or earlier than the gate this is about.
    expect(told.gates.find(({ gate }) => gate === 'repo busy')?.passes ?? false).toBe(false);
    const first = told.gates.find(({ gate, passes }) => passes === false && gate !== 'repo busy');
    expect(`it waits: ${first?.gate}: ${first?.fact}`).toMatch(says);
  });

  test('of an issue with a run, of one that is closed and of one that is not there it says so', async () => {
    const sim = simulation([{ repo: 'acme/web', agent: 'lands at once' }]);
    await minutes(sim, 1, { kinds: ['poll'] });
    expect((await explained(sim, 1)).says).toBe('it waits: repo busy: the run of #1 holds the repo');
    await minutes(sim, 30);
    expect((await explained(sim, 1)).says).toBe('it waits: label gone: the issue is closed');
    expect((await explained(sim, 9)).says).toBe('it waits: label gone: the tracker shows no such issue');
    expect((await explained(sim, 1, 'acme/none')).says).toBe(
      'it waits: repo: the tracker shows no repo acme/none to this token',
    );
  });
});
