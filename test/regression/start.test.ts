import { describe, expect, test } from 'vitest';
import type { Thread } from '../../lib/core/thread.ts';
import type { ExecutorLook } from '../../lib/ports.ts';
import { historyOf, plantRow } from '../../lib/sandbox/memory-store.ts';
import {
  busyAgents,
  isCall,
  labelsOf,
  locks,
  minutes,
  operateSettings,
  threadsOf,
  unavailable,
} from '../shell/minutes.ts';
import { simulation, standing } from '../simulation/simulation.ts';
import { runOf } from './kit.ts';

const web = 'acme/web';

describe('A fault of the executor is never charged to an issue', () => {
  test('five runs at once on an executor that starts no agent: at most the first is charged', async () => {
    const repos = ['acme/a', 'acme/b', 'acme/c', 'acme/d', 'acme/e'];
    const sim = simulation(repos.map((repo) => ({ repo, agent: 'lands at once' as const })));
    sim.intercept(async (call, pass) => (isCall(call, 'executor', 'startTurn') ? 'accepted' : pass()));
    await minutes(sim, 60, { until: () => sim.table.history.size === 5 });
    const charged = historyOf(sim.table).filter(({ outcome }) => outcome !== 'released');
    expect(charged.length).toBeLessThanOrEqual(1);
  });

  test('an agent that has been at work for long does not show that the executor starts agents', async () => {
    const old = 'acme/old';
    const sim = simulation(
      [
        { repo: old, agent: 'hangs' },
        ...['acme/b', 'acme/c', 'acme/d'].map((repo) => ({
          repo,
          agent: 'lands at once' as const,
          labelled: false as const,
        })),
      ],
      { maxOpenRuns: 2 },
    );
    await minutes(sim, 5);
    // From now on the executor starts nobody; the old agent goes on, moving every minute.
    let n = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'startTurn')) return 'accepted';
      const answer = (await pass()) as ExecutorLook;
      if (!isCall(call, 'executor', 'look')) return answer;
      n += 1;
      const moved = (thread: Thread) =>
        thread.turn ? { ...thread, updatedAt: new Date(sim.now() + n).toISOString() } : thread;
      return { ...answer, threads: new Map([...answer.threads].map(([id, thread]) => [id, moved(thread)])) };
    });
    for (const repo of ['acme/b', 'acme/c', 'acme/d'])
      sim.world.github.label(repo, 1, 'ready-for-agent', 'maintainer', sim.now());
    await minutes(sim, 90, { allows: /threads|comments/, until: () => sim.table.history.size === 3 });
    const ended = historyOf(sim.table).map(
      ({ repo, outcome, couldNotStart }) => `${repo.name} ${outcome} ${couldNotStart}`,
    );
    expect(ended.filter((one) => !one.includes('released')).length, JSON.stringify(ended)).toBeLessThanOrEqual(1);
  });
});

test('One labelling act starts at most one run: one that worked and pushed red is not released for a second', async () => {
  const sim = simulation([{ repo: web, agent: 'never gets green' }], {
    defaults: {
      model: 'm',
      workspaceRoot: '/srv/checkouts/{owner}__{name}',
      agentLogins: ['agent-bot'],
      restartsMax: 0,
    },
  });
  // The run before it, days ago, could not start.
  plantRow(sim.table, {
    sk: 'breaker',
    v: 1,
    rev: 1,
    data: { kind: 'breaker', streak: 1, runId: 'f'.repeat(32), openUntil: null },
  });
  let turns = 0;
  sim.intercept(async (call, pass) => {
    if (isCall(call, 'executor', 'startTurn') && ++turns > 1) return 'accepted';
    // The breaker stays as it is: the run is looked at by one watcher only that cannot write it.
    if (isCall(call, 'store', 'replace') && (call.args[1] as { kind?: string }).kind === 'breaker') return 'lost';
    return pass();
  });
  await minutes(sim, 60, { allows: /threads|comments/, until: () => sim.table.history.size > 0 });
  expect(historyOf(sim.table).map(({ outcome, commits }) => [outcome, commits.length > 0])).not.toContainEqual([
    'released',
    true,
  ]);
});

describe('Poison stays local', () => {
  test('a repo whose project T3 refuses does not keep the others from being dispatched', async () => {
    const sim = simulation([
      { repo: 'acme/bad', agent: 'lands at once', labelled: false },
      { repo: 'acme/web', agent: 'lands at once', labelled: false },
    ]);
    await minutes(sim, 3);
    // The root of one is refused from now on; its project was deleted after the daily preflight.
    const { t3, github } = sim.world;
    const project = t3.projects().find((one) => one.workspaceRoot.endsWith('bad'))!;
    t3.dispatch({ type: 'project.delete', commandId: 'person', projectId: project.id, force: true }, sim.now());
    sim.intercept(async (call, pass) =>
      isCall(call, 'executor', 'createProject') && JSON.stringify(call.args).includes('bad') ? 'refused' : pass(),
    );
    github.label('acme/bad', 1, 'ready-for-agent', 'maintainer', sim.now());
    github.label('acme/web', 1, 'ready-for-agent', 'maintainer', sim.now() + 1000);
    github.label('acme/bad', 1, 'priority:0', 'maintainer', sim.now() + 2000);
    const { rulings } = await minutes(sim, 60);
    expect(standing(sim, 'acme/web', 1), rulings.slice(-2).join('; ')).toBe('done');
  });
});

describe('settings that change while a run is out', () => {
  test('another name for the ready label is no person taking it off', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    operateSettings(sim, (settings) => ({
      ...settings,
      defaults: { ...Object(settings['defaults']), labels: { ready: 'go' } },
    }));
    await minutes(sim, 3);
    expect(runOf(sim).phase).toBe('working');
  });

  test('nor is an admin renaming the label on the tracker', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.world.github.renameLabel(web, 'ready-for-agent', 'agent-ready');
    await minutes(sim, 3);
    expect(runOf(sim).phase).toBe('working');
  });
});

describe('owed', () => {
  test('a doorbell that was taken out of the settings owes nothing', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }], {}, { bells: ['bell', 'old'] });
    const isBroken = true;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'doorbell') && call.name === 'old' && isBroken) throw unavailable('gone');
      return pass();
    });
    await minutes(sim, 30);
    const key = [...sim.table.rows.keys()].find((one) => one.startsWith('owed#'))!;
    // The same row in a world whose only doorbell is another one.
    const other = simulation([{ repo: web, agent: 'lands at once', labelled: false }]);
    other.table.rows.set(key, sim.table.rows.get(key)!);
    await minutes(other, 10);
    expect([...other.table.rows.keys()].filter((one) => one.startsWith('owed#'))).toEqual([]);
  });

  test('a thread whose agent nobody saw out is not archived: it would be out of reach for good', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'interrupt') || isCall(call, 'executor', 'stop')) return 'accepted';
      return pass();
    });
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    await minutes(sim, 25);
    expect(sim.rung).toHaveLength(1);
    sim.world.github.unlabel(web, 1, 'agent-in-progress', 'maintainer', sim.now());
    await minutes(sim, 5);
    expect(locks(sim)).toEqual([]);
    expect(busyAgents(sim)).toHaveLength(1);
    expect(threadsOf(sim, web, 1).map(({ archivedAt }) => archivedAt)).toEqual([null]);
  });

  test('labelled anew by a trusted person before the end was mirrored: the fresh start is not swallowed', async () => {
    const sim = simulation([{ repo: web, agent: 'stops without pushing' }]);
    let isDown = false;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'ensureMirror') && isDown) throw unavailable('GitHub answered 502');
      if (isCall(call, 'store', 'keepHistory')) isDown = true;
      return pass();
    });
    await minutes(sim, 40);
    expect(sim.rung).toHaveLength(1); // told: handed back
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    sim.world.github.label(web, 1, 'ready-for-agent', 'maintainer', sim.now() + 1000);
    sim.pass();
    isDown = false;
    sim.intercept((_, pass) => pass());
    await minutes(sim, 5, { allows: /2 (threads|comments)/ });
    expect(labelsOf(sim, web, 1).includes('ready-for-agent') || threadsOf(sim, web, 1).length === 2).toBe(true);
  });
});
