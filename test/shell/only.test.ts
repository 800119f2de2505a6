import { expect, test } from 'vitest';
import { parseControl } from '../../lib/core/control.ts';
import { memoryStore } from '../../lib/sandbox/memory-store.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { poll } from '../../lib/shell/poll.ts';
import { watch } from '../../lib/shell/watch.ts';
import { type Simulation, simulation } from '../simulation/simulation.ts';
import { minutes, threadsOf } from './minutes.ts';

const tick = (sim: Simulation, kind: 'poll' | 'watch', only: string) => {
  const context = {
    gate: { read: async () => parseControl(sim.parameters, null) },
    connect: async () => ({
      ...worldPorts(sim.world, { now: sim.now, login: 'afk-bot' }),
      store: memoryStore(sim.table, 'by-hand'),
      doorbells: [],
    }),
    now: sim.now,
    by: 'by-hand',
    newRunId: () => 'b'.repeat(32),
    timeLeftMs: () => 50_000,
    only,
  };
  return kind === 'poll' ? poll(context) : watch(context);
};

const rowsOf = ({ table }: Simulation, part: string): string =>
  JSON.stringify([...table.rows].filter(([key, row]) => `${key}${JSON.stringify(row)}`.includes(part)));

test('a tick for one repo dispatches there and nowhere else, and forgets nothing of the others', async () => {
  const sim = simulation(
    [
      { repo: 'acme/web', agent: 'lands at once' },
      { repo: 'acme/api', agent: 'lands at once' },
    ],
    { repos: { 'acme/web': { paused: true }, 'acme/api': { paused: true } } },
  );
  await minutes(sim, 1, { kinds: ['poll'] });
  const { repos: _paused, ...settings } = JSON.parse(sim.parameters.get('/afk/control/settings')!);
  sim.parameters.set('/afk/control/settings', JSON.stringify(settings));
  const others = rowsOf(sim, 'acme/api');
  expect(others).not.toBe('[]');
  const report = await tick(sim, 'poll', 'ACME/web');
  expect(report.rulings).toEqual([
    { repo: 'acme/web', issue: 1, ruling: 'dispatch', detail: 'labelled by maintainer' },
  ]);
  expect(rowsOf(sim, 'acme/api')).toBe(others);
  expect(threadsOf(sim, 'acme/api', 1)).toEqual([]);
});

test('a watcher for one repo moves its run alone; the others’ runs and debts wait for the next full tick', async () => {
  const sim = simulation([
    { repo: 'acme/web', agent: 'lands at once' },
    { repo: 'acme/api', agent: 'lands at once' },
  ]);
  await minutes(sim, 1, { kinds: ['poll'] });
  const [before, others] = [rowsOf(sim, 'acme/web'), rowsOf(sim, 'acme/api')];
  const report = await tick(sim, 'watch', 'acme/web');
  // The caps count all runs, whomever the tick is for.
  expect(report.openRuns).toBe(2);
  expect(report.happened.map(({ repo }) => repo)).not.toContain('acme/api');
  expect(rowsOf(sim, 'acme/api')).toBe(others);
  expect(rowsOf(sim, 'acme/web')).not.toBe(before);
});
