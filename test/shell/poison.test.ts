import { describe, expect, test } from 'vitest';
import { PortError } from '../../lib/ports.ts';
import { plantRow } from '../../lib/sandbox/memory-store.ts';
import { simulation, standing } from '../simulation/simulation.ts';
import { isCall, labelsOf, locks, minutes, threadsOf, toRest, unavailable } from './minutes.ts';

const web = 'acme/web';
const api = 'acme/api';
const both = [
  { repo: web, agent: 'lands at once' as const },
  { repo: api, agent: 'lands at once' as const },
];

const idOf = (sim: ReturnType<typeof simulation>, name: string): number =>
  [...sim.world.github.state.repos.values()].find((repo) => repo.name === name)!.id;

describe('Poison stays local', () => {
  const rows: readonly (readonly [string, (id: number) => { sk: string } & Record<string, unknown>, RegExp])[] = [
    [
      'a run of another schema version',
      (id) => ({ sk: `run#github.com#${id}`, v: 2, rev: 1, data: {} }),
      /schema version 2/,
    ],
    [
      'a run that is none',
      (id) => ({ sk: `run#github.com#${id}`, v: 1, rev: 1, data: { kind: 'run', run: null } }),
      /run/,
    ],
    ['a row without an envelope', (id) => ({ sk: `run#github.com#${id}` }), /./],
    [
      'what was remembered of an issue',
      (id) => ({ sk: `issue#github.com#${id}#1`, v: 9, rev: 1, data: {} }),
      /schema version 9/,
    ],
  ];
  test.each(rows)(
    '%s, unreadable, parks its repo with the reason, and the other repo goes on',
    async (_, row, reason) => {
      const sim = simulation(both);
      const planted = row(idOf(sim, web));
      plantRow(sim.table, planted);
      const { reports, rulings } = await minutes(sim, 40);
      expect(standing(sim, api, 1)).toBe('done');
      expect([threadsOf(sim, web, 1), labelsOf(sim, web, 1)]).toEqual([[], ['ready-for-agent']]);
      expect(rulings[0]).toMatch(/^acme\/web#1 repo unreadable: /);
      // Both ticks name it, every time: it is an operator's to mend.
      for (const { failed } of reports)
        expect(failed).toContainEqual({ what: `unreadable item ${planted.sk}`, reason: expect.stringMatching(reason) });
      sim.table.rows.delete(planted.sk);
      await toRest(sim);
      expect(standing(sim, web, 1)).toBe('done');
    },
  );

  test('an issue whose detail cannot be read is passed over with the reason; the next one of its repo runs', async () => {
    const sim = simulation([both[0]!, both[0]!, both[1]!]);
    sim.intercept(async (call, pass) => {
      const isBad =
        isCall(call, 'tracker', 'detail') &&
        JSON.stringify(call.args[0]).includes('"number":1,') &&
        JSON.stringify(call.args[0]).includes('acme/web');
      if (isBad) throw new PortError('refused', 'query Detail: FORBIDDEN: not for you');
      return pass();
    });
    const { rulings } = await minutes(sim, 40);
    expect(rulings).toContain(`${web}#1 trust unknown: PortError: query Detail: FORBIDDEN: not for you`);
    expect([standing(sim, web, 2), standing(sim, api, 1)]).toEqual(['done', 'done']);
  });

  test('a repo whose queue cannot be listed is named, and the other goes on', async () => {
    const sim = simulation(both);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'listReady') && JSON.stringify(call.args[0]).includes('acme/web'))
        throw new PortError('refused', '410, it is gone');
      return pass();
    });
    const { failed } = await minutes(sim, 40);
    expect(failed).toContain(`queue of ${web}: PortError: 410, it is gone`);
    expect([standing(sim, api, 1), labelsOf(sim, web, 1)]).toEqual(['done', ['ready-for-agent']]);
  });

  test('a run that cannot be looked at does not keep the others from being looked at', async () => {
    const sim = simulation(both);
    await minutes(sim, 3);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'watch') && JSON.stringify(call.args[0]).includes('acme/web'))
        throw new TypeError('what cannot be');
      return pass();
    });
    const { failed } = await minutes(sim, 40);
    expect(failed).toContain(`run of ${web}#1: TypeError: what cannot be`);
    expect(standing(sim, api, 1)).toBe('done');
    sim.intercept((_, pass) => pass());
    await toRest(sim);
    expect(standing(sim, web, 1)).toBe('done');
  });

  test('a repo without a checkout is refused with what to do, and the other goes on', async () => {
    const sim = simulation(both);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'createProject') && JSON.stringify(call.args[0]).includes('acme__web'))
        return 'no checkout';
      return pass();
    });
    const { rulings } = await minutes(sim, 40);
    expect(rulings[0]).toMatch(
      /acme\/web#1 preflight failed: there is no checkout at \/srv\/checkouts\/acme__web on the T3 host: clone the repo there/,
    );
    expect([standing(sim, api, 1), labelsOf(sim, web, 1)]).toEqual(['done', ['ready-for-agent']]);
    // Cloned meanwhile: found within the quarter of an hour.
    sim.intercept((_, pass) => pass());
    await toRest(sim, 60);
    expect(standing(sim, web, 1)).toBe('done');
  });

  test('last words in a script of many bytes do not keep a run from ending', async () => {
    const sim = simulation([{ repo: web, agent: 'stops without pushing', title: '設'.repeat(200) }]);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'detail'))
        return { lastWords: '設計'.repeat(600), toolCalls: 1, changedFiles: 1, totalTokens: null };
      return pass();
    });
    await toRest(sim, 13 * 60);
    expect(standing(sim, web, 1)).toBe('handed back');
  });

  test('failing checks with long names do not keep a run from being mended', async () => {
    const sim = simulation([{ repo: web, agent: 'lands after a red CI' }]);
    sim.intercept(async (call, pass) => {
      const answer = await pass();
      if (!isCall(call, 'forge', 'ci')) return answer;
      const found = answer as { ci: { checks: { name: string; url: string | null; state: string }[] } };
      const long = found.ci.checks.flatMap((check) =>
        [0, 1, 2, 3, 4].map((n) => ({
          ...check,
          name: `${n}${'検査'.repeat(59)}`,
          url: `https://ci.example/${n}/${'x'.repeat(260)}`,
        })),
      );
      return { ...found, ci: { ...found.ci, checks: long } };
    });
    const { failed } = await minutes(sim, 120, { until: () => standing(sim, web, 1) === 'done' });
    expect(failed).toEqual([]);
    expect(standing(sim, web, 1)).toBe('done');
  });

  test('an issue with a hundred long labels that is refused does not stop the other repos', async () => {
    const sim = simulation([
      { repo: web, agent: 'lands at once', author: 'stranger', labelled: 'form' },
      { repo: api, agent: 'lands at once' },
    ]);
    const { github } = sim.world;
    github.label(web, 1, 'priority:0', 'maintainer', sim.now());
    for (let n = 0; n < 98; n += 1)
      github.label(web, 1, `${String(n).padStart(2, '0')}-${'x'.repeat(47)}`, 'maintainer', sim.now());
    const { failed } = await minutes(sim, 60);
    expect(failed).toEqual([]);
    expect(standing(sim, api, 1)).toBe('done');
  });

  test('an unreadable item of one repo does not park another whose id begins alike', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    plantRow(sim.table, { sk: `run#github.com#${idOf(sim, web)}7`, v: 2, rev: 1, data: {} });
    await minutes(sim, 40);
    expect(standing(sim, web, 1)).toBe('done');
  });

  test('twenty enrolled repos that cannot be looked over do not keep the twenty-first from being', async () => {
    const bad = Array.from({ length: 20 }, (_, n) => `acme/bad-${n}`);
    const sim = simulation([...bad, web].map((repo) => ({ repo, agent: 'lands at once' as const })));
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'resolve') && String(call.args[0]).startsWith('acme/bad'))
        throw new PortError('refused', 'GET /repos/{owner}/{repo}: 403: SAML');
      return pass();
    });
    const { failed } = await minutes(sim, 40);
    expect(failed.some((line) => /preflight of acme\/bad-0: .*SAML/.test(line))).toBe(true);
    expect(standing(sim, web, 1)).toBe('done');
  });

  test.each([
    ['limits us', new PortError('unavailable', 'query Scan: 403: secondary rate limit'), 1],
    ['knows us no more', new PortError('unauthorised', 'query Scan: 401: Bad credentials'), 1],
    ['refuses us', new PortError('refused', 'query Scan: 403: This installation has been suspended'), 3],
  ])(
    'an owner that %s is not asked about each of its repos, all are named, and others go on',
    async (_, trouble, tries) => {
      const ofAcme = Array.from({ length: 11 }, (__, n) => `acme/shop-${n}`);
      const sim = simulation(
        [...ofAcme, 'globex/site'].map((repo) => ({ repo, agent: 'lands at once' as const, labelled: false })),
        { maxOpenRuns: 20 },
      );
      await minutes(sim, 2);
      let alone = 0;
      sim.intercept(async (call, pass) => {
        if (!isCall(call, 'tracker', 'scan')) return pass();
        const names = (call.args[0] as { name: string }[]).map(({ name }) => name);
        if (names.length === 1 && names[0]?.startsWith('acme/')) {
          alone += 1;
          throw trouble;
        }
        return ((await pass()) as { name: string }[]).filter(({ name }) => !name.startsWith('acme/'));
      });
      for (const repo of [...ofAcme, 'globex/site'])
        sim.world.github.label(repo, 1, 'ready-for-agent', 'maintainer', sim.now());
      const { failed, happened } = await minutes(sim, 1, { kinds: ['poll'] });
      expect(alone).toBe(tries);
      for (const repo of ofAcme) expect(failed.join('\n')).toContain(repo);
      expect(happened.filter((line) => line.endsWith(' dispatched'))).toEqual(['globex/site#1 dispatched']);
      sim.intercept((_call, pass) => pass());
      const after = await minutes(sim, 1, { kinds: ['poll'] });
      expect(after.happened.filter((line) => line.endsWith(' dispatched'))).toHaveLength(11);
    },
  );

  test('a repo whose preflight fails without a word each time puts off no other of its owner for long', async () => {
    const repos = [web, ...Array.from({ length: 4 }, (_, n) => `acme/shop-${n}`)];
    const sim = simulation(repos.map((repo) => ({ repo, agent: 'lands at once' as const })));
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'resolve') && call.args[0] === web) throw unavailable('GitHub answered 502');
      return pass();
    });
    await minutes(sim, 6, { kinds: ['poll'] });
    expect(repos.filter((repo) => threadsOf(sim, repo, 1).length === 1)).toEqual(repos.slice(1));
  });

  test('a scan that fails is in the report, and the tick goes on to what it can do', async () => {
    const sim = simulation(
      [
        { repo: web, agent: 'lands at once' },
        { repo: api, agent: 'lands at once' },
      ],
      {
        repos: { [api]: { labels: { ready: 'go' } } },
      },
    );
    sim.world.github.label(api, 1, 'go', 'maintainer', sim.now());
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'scan') && call.args[1] === 'go') throw unavailable('GitHub answered 502');
      return pass();
    });
    const { failed } = await minutes(sim, 40);
    expect(failed.some((line) => /scan.*502/.test(line))).toBe(true);
    expect(standing(sim, web, 1)).toBe('done');
  });

  test('an unreadable count of runs that could not start holds no lock', async () => {
    const sim = simulation([{ repo: web, agent: 'cannot start' }]);
    plantRow(sim.table, { sk: 'breaker', v: 2, rev: 1, data: {} });
    await minutes(sim, 60);
    expect(locks(sim)).toEqual([]);
  });

  test('an unreadable lastWatch does not stop every clock', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    plantRow(sim.table, { sk: 'lastWatch', v: 2, rev: 1, data: {} });
    await minutes(sim, 90);
    expect(locks(sim)).toEqual([]);
  });

  test('nor do claims, which each know as little of it: a still agent is found as soon as without them', async () => {
    const stalledIn = async (labelledLater: readonly string[]): Promise<number> => {
      const sim = simulation(
        [web, 'acme/b', 'acme/c'].map((repo) => ({ repo, agent: 'hangs', labelled: repo === web && 'maintainer' })),
      );
      plantRow(sim.table, { sk: 'lastWatch', v: 2, rev: 1, data: {} });
      for (let minute = 0; minute < 90; minute += 1) {
        for (const [index, repo] of labelledLater.entries())
          if (minute === 6 * (index + 1)) sim.world.github.label(repo, 1, 'ready-for-agent', 'maintainer', sim.now());
        const { happened } = await minutes(sim, 1);
        if (happened.includes(`${web}#1 decided`)) return minute;
      }
      return Number.POSITIVE_INFINITY;
    };
    expect(await stalledIn(['acme/b', 'acme/c'])).toBe(await stalledIn([]));
  });

  test('a tracker that refuses the watcher is in the report', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'watch')) throw new PortError('unauthorised', 'query Watch: 401: Bad credentials');
      return pass();
    });
    const { failed } = await minutes(sim, 1, { kinds: ['watch'] });
    expect(failed).toEqual([`look at ${web}#1: PortError: query Watch: 401: Bad credentials`]);
  });

  test('Bounded: a run that cannot be read counts as open', async () => {
    const sim = simulation(
      [
        { repo: web, agent: 'hangs' },
        { repo: api, agent: 'hangs' },
      ],
      { maxOpenRuns: 1 },
    );
    plantRow(sim.table, { sk: `run#github.com#${idOf(sim, web)}`, v: 2, rev: 1, data: {} });
    await minutes(sim, 10);
    expect(threadsOf(sim, api, 1)).toEqual([]);
  });

  test('the label of a run that cannot be read is not swept', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    plantRow(sim.table, { sk: `run#github.com#${idOf(sim, web)}`, v: 2, rev: 1, data: {} });
    await minutes(sim, 70, { kinds: ['poll'] });
    expect(labelsOf(sim, web, 1)).toContain('agent-in-progress');
  });

  test.each(['refused', 'unavailable'] as const)(
    'a glance that is %s spares nothing and stops nothing; only a refusal is worth a word',
    async (kind) => {
      const sim = simulation([{ repo: web, agent: 'lands at once' }]);
      sim.intercept(async (call, pass) => {
        if (isCall(call, 'tracker', 'glance')) throw new PortError(kind, 'query Glance: no such field');
        return pass();
      });
      const { failed } = await toRest(sim, 60);
      expect(standing(sim, web, 1)).toBe('done');
      expect([...new Set(failed)]).toEqual(
        kind === 'refused' ? ['glance: PortError: query Glance: no such field'] : [],
      );
    },
  );
});
