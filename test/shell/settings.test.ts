import { describe, expect, test } from 'vitest';
import { simulation, standing } from '../simulation/simulation.ts';
import { labelsOf, minutes, operate, operateSettings, threadsOf, toRest } from './minutes.ts';

const web = 'acme/web';
const api = 'acme/api';

/** One run is out in one repo; in the other an issue waits. */
const oneOut = async () => {
  const sim = simulation([
    { repo: web, agent: 'lands at once' },
    { repo: api, agent: 'lands at once', labelled: false },
  ]);
  const { happened } = await minutes(sim, 2);
  expect(happened).toContain(`${web}#1 dispatched`);
  sim.world.github.label(api, 1, 'ready-for-agent', 'maintainer', sim.now());
  sim.pass(3 * 60_000);
  return sim;
};

describe('Two gates: nothing new starts on a list nobody can be sure of, and what is out is seen through', () => {
  test.each([
    ['acme/*', /acme\/\*/],
    ['https://github.com/acme/api', /https:\/\/github\.com\/acme\/api/],
    ['api', /api/],
    ['acme/api;acme/web', /acme\/api;acme\/web/],
  ])('a malformed entry "%s" is named', async (entry, named) => {
    const sim = await oneOut();
    operate(sim, 'allowlist', `${web} ${api} ${entry}`);
    const { reports } = await minutes(sim, 40, { until: () => standing(sim, web, 1) === 'done' });
    const polls = reports.filter(({ tick }) => tick === 'poll');
    expect(polls.every(({ reason }) => named.test(reason ?? '') && /no exact owner\/name/.test(reason ?? ''))).toBe(
      true,
    );
    expect(standing(sim, web, 1)).toBe('done');
    expect([threadsOf(sim, api, 1), labelsOf(sim, api, 1)]).toEqual([[], ['ready-for-agent']]);
    operate(sim, 'allowlist', `${web} ${api}`);
    await toRest(sim);
    expect(standing(sim, api, 1)).toBe('done');
  });

  test('a repo taken off the list gets nothing new, and its run is seen through', async () => {
    const sim = await oneOut();
    operate(sim, 'allowlist', api);
    await toRest(sim);
    expect([standing(sim, web, 1), standing(sim, api, 1)]).toEqual(['done', 'done']);
    sim.world.github.openIssue(web, { author: 'maintainer', title: 'Later', labels: ['ready-for-agent'] }, sim.now());
    await minutes(sim, 10);
    expect(threadsOf(sim, web, 2)).toEqual([]);
  });
});

describe('Off means off: what cannot be read disarms both ticks, with the reason, and nothing is lost by it', () => {
  const spoilt: readonly (readonly [string, (sim: ReturnType<typeof simulation>) => void, RegExp])[] = [
    ['a kill switch of `maybe`', (sim) => operate(sim, 'kill-switch', 'maybe'), /kill-switch reads .*maybe/],
    ['no kill switch', (sim) => sim.parameters.delete('/afk/control/kill-switch'), /kill-switch is absent/],
    ['no settings', (sim) => sim.parameters.delete('/afk/control/settings'), /settings is absent/],
    ['settings that are no JSON', (sim) => operate(sim, 'settings', '{"t3Url": "http'), /settings are not JSON/],
    [
      'a setting nobody knows',
      (sim) => operateSettings(sim, (settings) => ({ ...settings, maxOpenRun: 3 })),
      /maxOpenRun\b/,
    ],
    [
      'a negative number',
      (sim) => operateSettings(sim, (settings) => ({ ...settings, maxRunsPerDay: -1 })),
      /maxRunsPerDay must be .*not -1/,
    ],
    [
      'no model',
      (sim) =>
        operateSettings(sim, (settings) => ({ ...settings, defaults: { workspaceRoot: '/srv/{owner}__{name}' } })),
      /defaults\.model is missing/,
    ],
  ];
  test.each(spoilt)('%s', async (_, spoil, reason) => {
    const sim = await oneOut();
    const before = new Map(sim.parameters);
    const made = sim.calls();
    spoil(sim);
    const { reports } = await minutes(sim, 20);
    expect(reports.every(({ state, unreadable }) => state === 'off' && unreadable)).toBe(true);
    expect(reports.every((report) => reason.test(report.reason ?? ''))).toBe(true);
    // One call a tick: the gate's own.
    expect(sim.calls() - made).toBe(reports.length);
    for (const [name, value] of before) sim.parameters.set(name, value);
    await toRest(sim);
    expect([standing(sim, web, 1), standing(sim, api, 1)]).toEqual(['done', 'done']);
    expect([threadsOf(sim, web, 1), threadsOf(sim, api, 1)].map((threads) => threads.length)).toEqual([1, 1]);
  });
});

describe('the way of landing is preflighted against the branch', () => {
  const rulesOn = (sim: ReturnType<typeof simulation>): void => sim.world.github.setRules(web, { pullRequest: true });
  const overriding = (landing: string) => ({ repos: { [web]: { landing } } });
  const land = (sim: ReturnType<typeof simulation>, landing: string): void =>
    operateSettings(sim, (settings) => ({ ...settings, ...overriding(landing) }));

  test('a branch that takes no push holds its issues back until landing is set to pull-request, and then at once', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    rulesOn(sim);
    const { rulings } = await minutes(sim, 2);
    expect(rulings[0]).toMatch(/preflight failed: .*takes changes by pull request only.*set landing to pull-request/);
    land(sim, 'pull-request');
    const { happened } = await minutes(sim, 2);
    expect(happened).toContain(`${web}#1 dispatched`);
  });

  test('a repo that was set back to push is looked over again before anything is begun in it', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs', labelled: false }], overriding('pull-request'));
    rulesOn(sim);
    await minutes(sim, 2);
    land(sim, 'push');
    sim.world.github.label(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    sim.pass(3 * 60_000);
    const { rulings } = await minutes(sim, 2);
    expect(rulings[0]).toMatch(/preflight failed: .*set landing to pull-request/);
    expect(threadsOf(sim, web, 1)).toEqual([]);
  });
});
