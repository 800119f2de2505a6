import { describe, expect, test } from 'vitest';
import type { ExecutorLook } from '../../lib/ports.ts';
import { historyOf } from '../../lib/sandbox/memory-store.ts';
import { minutes, threadsOf } from '../shell/minutes.ts';
import { commentsOf, simulation, standing } from '../simulation/simulation.ts';
import { pushFor, runOf } from './kit.ts';

const web = 'acme/web';
const green = (startsAfterMs: number, endsAfterMs: number) => ({
  kind: 'check' as const,
  name: 'test',
  startsAfterMs,
  endsAfterMs,
  conclusion: 'success',
});

describe('Closed only on proof: a commit of this run on the default branch', () => {
  test('a push that somebody force-pushed away before CI was green proves nothing', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    const base = runOf(sim).base;
    pushFor(sim, web);
    await minutes(sim, 2);
    expect(runOf(sim).phase).toBe('verifying');
    // CI of the vanished commit takes four minutes and turns green all the same.
    sim.world.github.rewrite(
      web,
      { actor: 'maintainer', commits: [{ message: 'docs: another page' }], onto: base },
      sim.now(),
    );
    await minutes(sim, 40);
    expect(historyOf(sim.table).map(({ outcome }) => outcome)).not.toContain('done');
    expect(standing(sim, web, 1)).not.toBe('done');
  });
});

describe('the nearest descendant with checks', () => {
  test('a colleague’s push cancels our CI (concurrency: cancel-in-progress) and turns green: done', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.world.github.setCi(web, {
      ci: ({ message }) =>
        message.startsWith('docs')
          ? [green(20_000, 240_000)]
          : [{ kind: 'check', name: 'test', startsAfterMs: 20_000, endsAfterMs: 90_000, conclusion: 'cancelled' }],
    });
    pushFor(sim, web);
    await minutes(sim, 1);
    sim.world.github.push(web, { actor: 'maintainer', commits: [{ message: 'docs: a page' }] }, sim.now());
    await minutes(sim, 100);
    expect(historyOf(sim.table).map(({ outcome, reason }) => `${outcome}: ${reason}`)).toEqual([
      expect.stringMatching(/^done/),
    ]);
  });
});

describe('CI green on the very commit before it came to the branch', () => {
  const failing = (ms: number) => ({ ...green(ms + 10_000, ms + 80_000), queuedAfterMs: ms, conclusion: 'failure' });
  test.each(['push', 'pull_request'])(
    'by a %s elsewhere, and CI of the branch begins late and is red: not done',
    async (event) => {
      const sim = simulation([{ repo: web, agent: 'stops without pushing' }]);
      await minutes(sim, 3);
      const before = ['lint', 'test'].map((name) => ({ ...green(-600_000, -500_000), name, event }));
      sim.world.github.setCi(web, { ci: () => [...before, failing(180_000)] });
      pushFor(sim, web);
      await minutes(sim, 12);
      const { phase } = runOf(sim);
      expect(historyOf(sim.table)).toEqual([]);
      expect(['verifying', 'fixing']).toContain(phase);
      expect(runOf(sim)).toMatchObject({ firstRedAt: expect.any(Number) });
    },
  );
});

describe('a default branch that is renamed or rewritten under a run', () => {
  test('the agent is asked to mend the branch by its name of today, and people read that name', async () => {
    const sim = simulation([{ repo: web, agent: 'never gets green' }]);
    await minutes(sim, 3);
    sim.world.github.renameDefaultBranch(web, 'trunk');
    await minutes(sim, 30, { until: () => runOf(sim).phase === 'fixing' });
    await minutes(sim, 2);
    const [thread] = threadsOf(sim, web, 1);
    const asked = thread!.messages.filter(({ role }) => role === 'user').map(({ text }) => text);
    expect(asked.at(-1)).toContain('`trunk`');
    expect(asked.at(-1)).not.toContain('`main`');
    expect(commentsOf(sim.world, web, 1)[0]!.body).toContain('`trunk`');
  });

  test('a rewritten branch is told of in the log and on the issue, once', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    pushFor(sim, web);
    await minutes(sim, 2);
    const rewriting = () =>
      sim.world.github.rewrite(web, { actor: 'maintainer', commits: [{ message: 'docs: anew' }] }, sim.now());
    rewriting();
    const { happened } = await minutes(sim, 3);
    rewriting();
    const later = await minutes(sim, 3);
    expect([...happened, ...later.happened].filter((what) => what.endsWith(' rewritten'))).toHaveLength(1);
    expect(commentsOf(sim.world, web, 1)[0]!.body).toMatch(/history of .*`main`.* was rewritten/);
  });
});

test('a workflow that our own labels started, and that finds no runner, keeps nobody waiting', async () => {
  const triage = { kind: 'suite', app: 'github-actions', workflow: 'Triage', event: 'issues', afterMs: 5_000 } as const;
  const sim = simulation([{ repo: web, agent: 'lands at once' }]);
  sim.world.github.setCi(web, { ci: () => [green(20_000, 90_000), triage] });
  await minutes(sim, 40);
  expect(historyOf(sim.table).map(({ outcome }) => outcome)).toEqual(['done']);
});

test('CI of one push of the run, green, proves no later one that is there by the time it is read', async () => {
  const begun = async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    sim.world.github.setCi(web, {
      ci: ({ message }) => [{ ...green(20_000, 90_000), conclusion: /the rest/.test(message) ? 'failure' : 'success' }],
    });
    await minutes(sim, 1);
    return sim;
  };
  // The later push comes right before the ticks in which the run would be done without it.
  const alone = await begun();
  const { reports } = await minutes(alone, 40, { until: () => runOf(alone).phase === 'ending' });
  const sim = await begun();
  await minutes(sim, reports.length / 2 - 1);
  pushFor(sim, web, 'fix: mend the rest');
  await minutes(sim, 1);
  expect(runOf(sim)).toMatchObject({ phase: 'verifying', push: { greenAt: null } });
  await minutes(sim, 3);
  expect(runOf(sim)).toMatchObject({ phase: 'fixing', firstRedAt: expect.any(Number) });
});

test('a check that main has and that starts late is waited for beside a fast green one', async () => {
  const lint = { ...green(1_000, 10_000), name: 'lint' };
  const late = { ...green(120_000, 180_000), conclusion: 'failure' };
  const sim = simulation([{ repo: web, agent: 'lands at once' }], {}, { laterCi: { [web]: () => [lint, late] } });
  await minutes(sim, 40);
  expect(historyOf(sim.table).map(({ outcome }) => outcome)).not.toContain('done');
});

describe('verdict "none" only after its deadline', () => {
  // By the names that main has, so that nothing expected is waited for.
  const skipped = ['test', 'lint'].map((name) => ({
    ...{ kind: 'check' as const, name, workflow: 'Docs' },
    ...{ startsAfterMs: 1000, endsAfterMs: 2000, conclusion: 'skipped' },
  }));
  const external = (afterMs: number) => ({
    kind: 'status' as const,
    context: 'ci/external',
    afterMs,
    state: 'failure',
  });
  test('noCi accept: a skipped check first and an external red nine minutes later is never done', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }], {
      defaults: {
        model: 'm',
        workspaceRoot: '/srv/checkouts/{owner}__{name}',
        agentLogins: ['agent-bot'],
        noCi: 'accept',
      },
    });
    sim.world.github.setCi(web, { ci: () => [...skipped, external(9 * 60_000)] });
    await minutes(sim, 40);
    expect(historyOf(sim.table).map(({ outcome }) => outcome)).not.toContain('done');
  });
  test('noCi escalate: a skipped check first is no reason to freeze within a minute', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.world.github.setCi(web, { ci: () => [...skipped, { ...green(150_000, 240_000), workflow: 'CI' }] });
    pushFor(sim, web);
    await minutes(sim, 2, { kinds: ['watch'] });
    expect(runOf(sim).phase).toBe('verifying');
  });
});

test('fix-forward: 60 min after the first red a fix turn that is still out ends as frozen', async () => {
  const sim = simulation([{ repo: web, agent: 'hangs' }], {
    defaults: {
      model: 'm',
      workspaceRoot: '/srv/checkouts/{owner}__{name}',
      agentLogins: ['agent-bot'],
      budgetUsd: 1000,
    },
  });
  await minutes(sim, 5);
  sim.world.github.setCi(web, { ci: () => [{ ...green(1000, 2000), conclusion: 'failure' }] });
  pushFor(sim, web);
  // It works on, and something moves every minute.
  let n = 0;
  sim.intercept(async (call, pass) => {
    const look = (await pass()) as ExecutorLook;
    if (call.method !== 'look') return look;
    n += 1;
    return {
      ...look,
      threads: new Map(
        [...look.threads].map(([id, thread]) => [id, { ...thread, updatedAt: new Date(sim.now() + n).toISOString() }]),
      ),
    };
  });
  await minutes(sim, 5 * 60, { kinds: ['watch'] });
  expect(historyOf(sim.table).map(({ outcome }) => outcome)).toEqual(['frozen']);
});
