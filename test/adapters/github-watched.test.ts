import { describe, expect, test } from 'vitest';
import { githubClient } from '../../lib/adapters/github-client.ts';
import { githubForge } from '../../lib/adapters/github-forge.ts';
import { githubTracker } from '../../lib/adapters/github-tracker.ts';
import { type WatchMemory, watchMemory } from '../../lib/adapters/github-watched.ts';
import type { IssueRef } from '../../lib/core/issue.ts';
import type { CheckPlan } from '../../lib/sandbox/github-ci.ts';
import type { Fault, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import type { GithubWorld } from '../../lib/sandbox/github-world.ts';
import { readyIssue, shopRef, shopWorld } from '../contract/tracker-contract.ts';
import { startGithub } from '../support/github-stand-in.ts';

const shop = 'acme/shop';
const minute = 60_000;

const check = (name: string, endsAfterMs?: number, conclusion = 'success'): CheckPlan => ({
  ...{ kind: 'check', name, startsAfterMs: 0, conclusion },
  ...(endsAfterMs !== undefined && { endsAfterMs }),
});

/** Issues with runs that have pushed; what a watcher's tick asks of them, by a memory that lasts and by none. */
const watching = async (count = 1, fault: (request: HttpRequest) => Fault | null = () => null) => {
  const world = shopWorld();
  const now = () => world.state.at;
  const requests: string[] = [];
  const server = await startGithub(world, {
    now,
    fault: (request) => {
      requests.push(/query (\w+)/.exec(request.body)?.[1] ?? request.path);
      return fault(request) ?? undefined;
    },
  });
  const issues = Array.from({ length: count }, () => readyIssue(world));
  const { after: head } = world.push(
    shop,
    { actor: 'maintainer', commits: [{ message: 'fix: mend it' }] },
    world.state.at,
  );
  world.report(shop, head, [check('test', 2 * minute), check('lint', 2 * minute)], world.state.at);
  const asking = (watched: WatchMemory) => {
    const client = githubClient({ token: 'afk-token', baseUrl: server.url, writeSpacingMs: 0, now });
    const [tracker, forge] = [githubTracker({ client, watched }), githubForge({ client, watched })];
    const repo = shopRef(world, [...world.state.repos.values()][0]!.name);
    return {
      glance: () => tracker.glance(issues),
      watch: (issue: IssueRef) => tracker.watch(issue),
      facts: async () => ({
        watched: await Promise.all(issues.map((issue) => tracker.watch(issue))),
        ci: await forge.ci(repo, { sha: head, hasDescendant: false, environments: [] }),
      }),
      deployed: () => forge.ci(repo, { sha: head, hasDescendant: false, environments: ['production'] }),
    };
  };
  const memory = watchMemory(now);
  const taken = (): string[] => requests.splice(0);
  return { world, issues, head, taken, memory, lasting: asking(memory), fresh: () => asking(watchMemory(now)) };
};

describe('A glance spares what is as it was, and hides nothing that changed', () => {
  test('the first tick reads in full and glances at nothing; later ones ask once for all', async () => {
    const { lasting, taken, world } = await watching(3);
    await lasting.glance();
    const first = await lasting.facts();
    expect(taken().sort()).toEqual(['Ci', 'Watch', 'Watch', 'Watch']);
    for (let minutes = 0; minutes < 3; minutes += 1) {
      world.settle(world.state.at + 10_000);
      await lasting.glance();
      expect(await lasting.facts()).toEqual(first);
      expect(taken()).toEqual(['Glance']);
    }
  });

  const changes: readonly [string, (world: GithubWorld, at: { number: number; head: string }) => void][] = [
    [
      'the ready label is taken off',
      (w, { number }) => w.unlabel(shop, number, 'ready-for-agent', 'stranger', w.state.at),
    ],
    [
      'it is taken off and put on again',
      (w, { number }) => {
        w.unlabel(shop, number, 'ready-for-agent', 'maintainer', w.state.at + 1000);
        w.label(shop, number, 'ready-for-agent', 'triager', w.state.at + 1000);
      },
    ],
    ['a label is renamed', (w) => w.renameLabel(shop, 'ready-for-agent', 'ready')],
    ['the issue is closed', (w, { number }) => w.close(shop, number, 'maintainer', w.state.at + 1000)],
    [
      'it is closed, reopened and closed by another',
      (w, { number }) => {
        w.close(shop, number, 'maintainer', w.state.at + 1000);
        w.reopen(shop, number, 'maintainer', w.state.at + 1000);
        w.close(shop, number, 'stranger', w.state.at + 1000);
      },
    ],
    ['it is deleted', (w, { number }) => w.deleteIssue(shop, number)],
    ['the branch is renamed', (w) => w.renameDefaultBranch(shop, 'trunk')],
    ['somebody pushes', (w) => void w.push(shop, { actor: 'maintainer', commits: [{ message: 'docs' }] }, w.state.at)],
    [
      'the branch is rewritten',
      (w) => void w.rewrite(shop, { actor: 'maintainer', commits: [{ message: 'docs' }] }, w.state.at),
    ],
    ['the checks end', (w) => w.settle(w.state.at + 3 * minute)],
    ['a further check starts', (w, { head }) => w.report(shop, head, [check('e2e')], w.state.at)],
    [
      'a check of another app',
      (w, { head }) => w.report(shop, head, [{ ...check('e2e', 0), app: 'buildkite' } as CheckPlan], w.state.at),
    ],
    [
      'a status is reported',
      (w, { head }) =>
        w.report(shop, head, [{ kind: 'status', context: 'ci/legacy', afterMs: 0, state: 'failure' }], w.state.at),
    ],
    [
      'a suite without runs waits',
      (w, { head }) => w.report(shop, head, [{ kind: 'suite', app: 'github-actions', workflow: 'Slow' }], w.state.at),
    ],
  ];
  test.each(changes)('%s', async (_, change) => {
    const { lasting, fresh, world, issues, head, taken } = await watching(2);
    const before = await lasting.facts();
    change(world, { number: issues[0]!.number, head });
    world.settle(world.state.at + 1000);
    taken();
    await lasting.glance();
    const after = await lasting.facts();
    expect(taken().length).toBeGreaterThan(1);
    expect(after).toEqual(await fresh().facts());
    expect(after).not.toEqual(before);
  });

  test('the repo is renamed: known by its new name at once; what its checks were is still told by the old one', async () => {
    const { lasting, fresh, world, taken } = await watching();
    const before = await lasting.facts();
    world.renameRepo(shop, 'acme/store');
    taken();
    await lasting.glance();
    const after = await lasting.facts();
    expect(taken()).toEqual(['Glance', 'Watch']);
    expect(after.watched).toEqual((await fresh().facts()).watched);
    expect(after.ci).toEqual(before.ci);
  });

  test('two checks of one suite that change places: the counts are the same, and the suite’s time is not', async () => {
    const { lasting, fresh, world, head } = await watching();
    world.report(shop, head, [check('unit', 0, 'failure'), check('e2e', 0)], world.state.at);
    world.settle(world.state.at + 5 * minute);
    await lasting.facts();
    // Each is run again, and comes out as the other did.
    world.report(shop, head, [check('unit', 1000), check('e2e', 1000, 'failure')], world.state.at);
    world.settle(world.state.at + minute);
    await lasting.glance();
    expect(await lasting.facts()).toEqual(await fresh().facts());
  });

  test('a workflow without jobs that ends: no count tells of it, and the suites do', async () => {
    const { lasting, fresh, world, head } = await watching();
    const broken = { kind: 'suite', app: 'github-actions', workflow: 'Broken' } as const;
    world.report(shop, head, [{ ...broken, endsAfterMs: 2 * minute, conclusion: 'failure' }], world.state.at);
    world.settle(world.state.at + minute);
    const before = await lasting.facts();
    world.settle(world.state.at + 2 * minute);
    await lasting.glance();
    const after = await lasting.facts();
    expect(after).toEqual(await fresh().facts());
    expect(after).not.toEqual(before);
  });

  test('two statuses that change places: the counts are the same, and the statuses themselves are not', async () => {
    const { lasting, fresh, world, head } = await watching();
    const say = (context: string, state: 'success' | 'failure') =>
      world.report(shop, head, [{ kind: 'status', context, afterMs: 0, state }], world.state.at);
    say('ci/required', 'success');
    say('ci/other', 'failure');
    world.settle(world.state.at + 5 * minute);
    const before = await lasting.facts();
    say('ci/required', 'failure');
    say('ci/other', 'success');
    world.settle(world.state.at + minute);
    await lasting.glance();
    const after = await lasting.facts();
    expect(after).toEqual(await fresh().facts());
    expect(after).not.toEqual(before);
  });
});

describe('What was kept is used only beside a glance of the same tick', () => {
  test('once: who asks again in that tick is told what is there now', async () => {
    const { lasting, issues, taken, world } = await watching();
    const [issue] = issues;
    await lasting.facts();
    await lasting.glance();
    await lasting.facts();
    taken();
    world.unlabel(shop, issue!.number, 'ready-for-agent', 'maintainer', world.state.at);
    expect((await lasting.watch(issue!))?.labels).toEqual([]);
    expect(taken()).toEqual(['Watch']);
  });

  test('not without a glance, nor a minute after it', async () => {
    const { lasting, taken, world } = await watching();
    await lasting.facts();
    taken();
    await lasting.facts();
    expect(taken().sort()).toEqual(['Ci', 'Watch']);
    await lasting.glance();
    world.settle(world.state.at + minute);
    taken();
    await lasting.facts();
    expect(taken().sort()).toEqual(['Ci', 'Watch']);
  });

  test('after ten minutes all is read in full: what no glance shows is not missed for longer', async () => {
    const { lasting, world } = await watching();
    world.settle(world.state.at + 5 * minute);
    await lasting.facts();
    world.setRules(shop, { requiredChecks: [{ context: 'security' }] });
    const demanded: number[] = [];
    for (let minutes = 1; minutes <= 10; minutes += 1) {
      world.settle(world.state.at + minute);
      await lasting.glance();
      demanded.push((await lasting.facts()).ci.ci.required.length);
    }
    expect(demanded).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  test('deployments are of other commits as well, and are asked for each time', async () => {
    const { lasting, taken } = await watching();
    await lasting.facts();
    await lasting.deployed();
    taken();
    await lasting.glance();
    await lasting.deployed();
    expect(taken()).toEqual(['Glance', 'CiAndDeployments']);
  });
});

test('what a glance does not show is read in full: no rights, half an answer, no answer', async () => {
  const answers: (Fault | null)[] = [
    'drop',
    { status: 502, body: {} },
    { status: 200, body: { data: { issues: [null] }, errors: [{ type: 'NOT_FOUND', message: 'gone' }] } },
    { status: 200, body: { data: { issues: [{ id: 'I_else' }], c0: null } } },
  ];
  for (const answer of answers) {
    let isFaulty = false;
    const { lasting, taken } = await watching(1, ({ body }) =>
      isFaulty && body.includes('query Glance') ? answer : null,
    );
    const before = await lasting.facts();
    isFaulty = true;
    taken();
    await lasting.glance().catch(() => undefined);
    expect(await lasting.facts()).toEqual(before);
    expect(taken().sort()).toEqual(['Ci', 'Glance', 'Watch']);
  }
});

test('a hundred a request', async () => {
  const { lasting, taken } = await watching(101);
  await lasting.facts();
  taken();
  await lasting.glance();
  await lasting.facts();
  expect(taken()).toEqual(['Glance', 'Glance']);
});
