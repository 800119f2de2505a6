import { expect, test } from 'vitest';
import { plantRow } from '../../lib/sandbox/memory-store.ts';
import { minutes } from '../shell/minutes.ts';
import { commentsOf, simulation } from '../simulation/simulation.ts';

const web = 'acme/web';

test('a run that is released and claimed again has an end: it does not use up every day’s runs, nor comment each time', async () => {
  const sim = simulation([{ repo: web, agent: 'cannot start' }]);
  // One run before it, some time ago, could not start either.
  plantRow(sim.table, {
    sk: 'breaker',
    v: 1,
    rev: 1,
    data: { kind: 'breaker', streak: 1, runId: 'f'.repeat(32), openUntil: null },
  });
  const { happened } = await minutes(sim, 24 * 60, { allows: /threads|comments/ });
  expect({
    runs: happened.filter((what) => what.endsWith(' dispatched')).length,
    comments: commentsOf(sim.world, web, 1).length,
    rung: sim.rung.length,
  }).toEqual({
    runs: expect.toSatisfy((n: number) => n <= 4),
    comments: 1,
    rung: expect.toSatisfy((n: number) => n >= 1),
  });
});
