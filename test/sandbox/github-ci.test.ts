import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckPlan, DeployPlan } from '../../lib/sandbox/github-ci.ts';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { askGithub, graphqlOf } from '../support/github-ask.ts';
import { watchQuery } from '../support/github-tour-queries.ts';

const start = Date.parse('2026-03-01T09:00:00Z');
const minute = 60_000;
const app = '/repos/acme/app';

const aWorld = (ci: readonly CheckPlan[], deploys: readonly DeployPlan[] = []) => {
  const world = githubWorld({ at: start });
  world.addUser('maintainer', { token: 't' });
  world.addRepo('acme/app', { permissions: { maintainer: 'write' }, ci: () => ci, deploys: () => deploys });
  world.openIssue('acme/app', { author: 'maintainer', title: 'It breaks' }, start);
  const ask = askGithub(world);
  const push = (message = 'x') => world.push('acme/app', { actor: 'maintainer', commits: [{ message }] }, start).after;
  const watch = (oid: string) =>
    graphqlOf(ask)('t', watchQuery, { owner: 'acme', repo: 'app', oid, number: 1, environments: ['production'] }).body
      .data.repository;
  return { world, push, watch, ask: (route: string) => ask('t', route).body };
};

const build: CheckPlan = {
  kind: 'check',
  name: 'build',
  queuedAfterMs: minute,
  startsAfterMs: 2 * minute,
  endsAfterMs: 5 * minute,
  conclusion: 'failure',
};

describe('a check', () => {
  const rows = [
    [0, null, null],
    [1, 'queued', null],
    [2, 'in_progress', null],
    [4, 'in_progress', null],
    [5, 'completed', 'failure'],
    [90, 'completed', 'failure'],
  ] as const;
  test.each(rows)(
    'after %i minutes is %s with the conclusion %s, over REST and GraphQL alike',
    (minutes, status, conclusion) => {
      const { world, push, watch, ask } = aWorld([build]);
      const sha = push();
      world.settle(start + minutes * minute);
      const listed = ask(`GET ${app}/commits/${sha}/check-runs`).check_runs;
      expect(listed).toMatchObject(status === null ? [] : [{ status, conclusion }]);
      const { statusCheckRollup } = watch(sha).object;
      expect(statusCheckRollup?.contexts.nodes[0]?.status ?? null).toBe(status?.toUpperCase() ?? null);
      expect(statusCheckRollup?.contexts.nodes[0]?.conclusion ?? null).toBe(conclusion?.toUpperCase() ?? null);
      const runs = ask(`GET ${app}/actions/runs?head_sha=${sha}`).workflow_runs;
      expect(runs).toMatchObject(status === null ? [] : [{ name: 'CI', event: 'push', status, conclusion }]);
    },
  );

  test('that was run again counts as its newest run', () => {
    const { world, push, ask } = aWorld([build]);
    const sha = push();
    world.report('acme/app', sha, [{ kind: 'check', name: 'build', startsAfterMs: 0 }], start + 10 * minute);
    expect(ask(`GET ${app}/commits/${sha}/check-runs`).check_runs).toMatchObject([{ status: 'in_progress' }]);
    expect(ask(`GET ${app}/commits/${sha}/check-runs?filter=all`).total_count).toBe(2);
  });

  test('that waits for a person says so', () => {
    const { push, watch } = aWorld([{ kind: 'check', name: 'deploy', startsAfterMs: 0, unfinished: 'waiting' }]);
    expect(watch(push()).object.statusCheckRollup).toMatchObject({
      state: 'PENDING',
      contexts: { nodes: [{ status: 'WAITING' }], checkRunCountsByState: [{ state: 'WAITING', count: 1 }] },
    });
  });

  test('of a scheduled workflow on the same commit is told apart by its event', () => {
    const { world, push, watch } = aWorld([build]);
    const sha = push();
    world.report(
      'acme/app',
      sha,
      [{ kind: 'check', name: 'build', event: 'schedule', startsAfterMs: 0 }],
      start + 10 * minute,
    );
    const nodes = watch(sha).object.statusCheckRollup.contexts.nodes;
    expect(
      nodes.map((one: { checkSuite: { workflowRun: { event: string } } }) => one.checkSuite.workflowRun.event),
    ).toEqual(['push', 'schedule']);
  });
});

test('an app’s suite without runs stays queued for ever', () => {
  const { world, push, watch } = aWorld([{ kind: 'suite', app: 'dependabot' }]);
  const sha = push();
  world.settle(start + 1000 * minute);
  expect(watch(sha).object).toMatchObject({
    statusCheckRollup: null,
    checkSuites: {
      nodes: [
        {
          status: 'QUEUED',
          conclusion: null,
          app: { slug: 'dependabot' },
          workflowRun: null,
          checkRuns: { totalCount: 0 },
        },
      ],
    },
  });
});

test('a workflow that breaks before a job began ends without runs, and is in no rollup', () => {
  const broken = { kind: 'suite', app: 'github-actions', workflow: 'CI', endsAfterMs: minute } as const;
  const { world, push, watch } = aWorld([{ ...broken, conclusion: 'startup_failure' }]);
  const sha = push();
  const standing = () => watch(sha).object.checkSuites.nodes[0];
  expect(standing()).toMatchObject({ status: 'QUEUED', conclusion: null });
  world.settle(start + 2 * minute);
  expect(standing()).toMatchObject({
    status: 'COMPLETED',
    conclusion: 'STARTUP_FAILURE',
    checkRuns: { totalCount: 0 },
  });
  expect(watch(sha).object.statusCheckRollup).toBeNull();
});

test('only the last commit of a push is seen by CI', () => {
  const { world, ask } = aWorld([{ kind: 'status', context: 'ci', afterMs: 0, state: 'success' }]);
  const { shas } = world.push(
    'acme/app',
    { actor: 'maintainer', commits: [{ message: 'a' }, { message: 'b' }] },
    start,
  );
  expect(shas.map((sha) => ask(`GET ${app}/commits/${sha}/status`).total_count)).toEqual([0, 1]);
});

test('without any status the combined status is pending, with a count of none', () => {
  const { push, ask } = aWorld([]);
  expect(ask(`GET ${app}/commits/${push()}/status`)).toMatchObject({ state: 'pending', total_count: 0, statuses: [] });
});

test('of a context only the newest status counts', () => {
  const at = (afterMs: number, state: string): CheckPlan => ({ kind: 'status', context: 'ci', afterMs, state });
  const { world, push, ask } = aWorld([at(0, 'pending'), at(minute, 'error'), at(2 * minute, 'success')]);
  const sha = push();
  const seen = [0, 1, 2].map((minutes) => {
    world.settle(start + minutes * minute);
    return ask(`GET ${app}/commits/${sha}/status`).state;
  });
  expect(seen).toEqual(['pending', 'failure', 'success']);
});

test('a skip directive keeps Actions from a push, and nothing else', () => {
  const other: CheckPlan[] = [
    { kind: 'check', name: 'preview', app: 'vercel', startsAfterMs: 0 },
    { kind: 'status', context: 'ci/woodpecker', afterMs: 0, state: 'success' },
  ];
  const { push, watch } = aWorld([{ ...build, queuedAfterMs: 0 }, ...other]);
  const contexts = (message: string): string[] =>
    watch(push(message)).object.statusCheckRollup.contexts.nodes.map(
      (one: { name?: string; context?: string }) => one.name ?? one.context,
    );
  expect(contexts('x')).toEqual(['build', 'preview', 'ci/woodpecker']);
  expect(contexts('x [skip ci]')).toEqual(['preview', 'ci/woodpecker']);
  expect(contexts('x\n\nskip-checks: true')).toEqual(['preview', 'ci/woodpecker']);
});

test('a deployment goes through its states and is inactive once the next one succeeded', () => {
  const plan: DeployPlan = {
    environment: 'production',
    afterMs: minute,
    states: [
      { afterMs: 2 * minute, state: 'in_progress' },
      { afterMs: 3 * minute, state: 'success' },
    ],
  };
  const { world, push, watch, ask } = aWorld([], [plan]);
  const sha = push();
  const states = [0, 1, 2, 3].map((minutes) => {
    world.settle(start + minutes * minute);
    return watch(sha).deployments.nodes[0]?.state;
  });
  expect(states).toEqual([undefined, 'PENDING', 'IN_PROGRESS', 'ACTIVE']);
  world.deploy(
    'acme/app',
    'f'.repeat(40),
    { environment: 'production', afterMs: 0, states: [{ afterMs: minute, state: 'success' }] },
    start + 4 * minute,
  );
  world.settle(start + 5 * minute);
  expect(watch(sha).deployments.nodes.map((one: { state: string }) => one.state)).toEqual(['ACTIVE', 'INACTIVE']);
  const [old] = ask(`GET ${app}/deployments?sha=${sha}`);
  const statuses = ask(`GET ${app}/deployments/${old.id}/statuses`).map((one: { state: string }) => one.state);
  expect(statuses).toEqual(['inactive', 'success', 'in_progress']);
});

const plans: fc.Arbitrary<CheckPlan> = fc.oneof(
  fc.record({
    kind: fc.constant('check' as const),
    name: fc.constantFrom('build', 'test'),
    startsAfterMs: fc.nat(10_000),
    endsAfterMs: fc.integer({ min: 10_000, max: 20_000 }),
    conclusion: fc.constantFrom('success', 'failure'),
  }),
  fc.record({
    kind: fc.constant('status' as const),
    context: fc.constantFrom('a', 'b'),
    afterMs: fc.nat(20_000),
    state: fc.constantFrom('pending', 'success'),
  }),
);

describe('time', () => {
  const until = 20_000;

  test('settled in one step or in many gives the same world', () => {
    fc.assert(
      fc.property(fc.array(plans, { maxLength: 6 }), fc.array(fc.nat(until), { maxLength: 8 }), (ci, steps) => {
        const told = (stops: readonly number[]) => {
          const { world, push, watch } = aWorld(ci);
          const sha = push();
          for (const stop of [...stops].sort((a, b) => a - b)) world.settle(start + stop);
          world.settle(start + until);
          return [watch(sha), world.state.at, world.nextAt()];
        };
        expect(told(steps)).toEqual(told([]));
      }),
      { numRuns: 50 },
    );
  });

  test('stops at every instant at which something changes, and changes nothing between them', () => {
    fc.assert(
      fc.property(fc.array(plans, { minLength: 1, maxLength: 6 }), (ci) => {
        const { world, push, watch } = aWorld(ci);
        const sha = push();
        let seen = watch(sha);
        for (let next = world.nextAt(); next !== null; next = world.nextAt()) {
          expect(next).toBeGreaterThan(world.state.at);
          world.settle(next - 1);
          expect(watch(sha)).toEqual(seen);
          world.settle(next);
          seen = watch(sha);
        }
        world.settle(start + 10 * until);
        expect(watch(sha)).toEqual(seen);
      }),
      { numRuns: 50 },
    );
  });

  test('never goes back', () => {
    const { world } = aWorld([]);
    world.settle(start + minute);
    world.settle(start);
    world.label('acme/app', 1, 'x', 'maintainer', start);
    expect(world.state.at).toBe(start + minute);
    expect(world.state.repos.values().next().value?.issues.get(1)?.events[0]?.at).toBe(start + minute);
  });
});
