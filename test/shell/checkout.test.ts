import { expect, test } from 'vitest';
import { type Intercept, simulation, standing } from '../simulation/simulation.ts';
import { toRest } from './minutes.ts';

test('a repo has one checkout, spelled as the tracker spells its name, however it is enrolled', async () => {
  const sim = simulation([{ repo: 'Acme/Web', agent: 'lands at once' }]);
  const roots: unknown[] = [];
  const listen: Intercept = (call, pass) => {
    const [ask] = call.args;
    if (typeof ask === 'object' && ask !== null && 'workspaceRoot' in ask) roots.push(ask.workspaceRoot);
    return pass();
  };
  sim.intercept(listen);
  await toRest(sim);
  expect(standing(sim, 'Acme/Web', 1)).toBe('done');
  expect(roots).toEqual(['/srv/checkouts/Acme__Web']);
});
