import { describe, expect, test } from 'vitest';
import type { Fault, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import type { Limits } from '../../lib/sandbox/github-limits.ts';
import { memoryStore } from '../../lib/sandbox/memory-store.ts';
import type { Report } from '../../lib/shell/tick.ts';
import { commentsOf, type Simulation, standing } from '../simulation/simulation.ts';
import { locks, minutes, threadsOf, toRest } from './minutes.ts';
import { simulationOverHttp } from './over-http.ts';

const web = 'acme/web';
const api = 'acme/api';

const saying = (status: number, message: string, headers: Record<string, string>): Fault => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
});

/** Every way GitHub has of saying that it is too much, each with the minutes for which nothing may be asked. */
const limits = (now: number): readonly (readonly [string, Fault, number])[] => {
  const reset = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String((now + 7 * 60_000) / 1000) };
  const exceeded = 'API rate limit exceeded for user ID 1001.';
  const secondary = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  return [
    ['403, primary', saying(403, exceeded, reset), 7],
    ['429, primary', saying(429, exceeded, reset), 7],
    ['403, secondary', saying(403, secondary, { 'retry-after': '120' }), 2],
    ['429, secondary, without a time', saying(429, secondary, {}), 1],
    [
      '200 with RATE_LIMITED',
      { status: 200, headers: reset, body: { errors: [{ type: 'RATE_LIMITED', message: exceeded }] } },
      7,
    ],
    [
      '200 with RATE_LIMIT, while much is said to remain',
      {
        status: 200,
        headers: { ...reset, 'x-ratelimit-remaining': '4321' },
        body: {
          errors: [{ type: 'RATE_LIMIT', code: 'graphql_rate_limit', message: 'API rate limit already exceeded.' }],
        },
      },
      1,
    ],
    ['200, secondary, without a type', { status: 200, body: { errors: [{ message: secondary }] } }, 1],
    ['200 with a message alone', { status: 200, headers: { 'retry-after': '180' }, body: { message: secondary } }, 3],
  ];
};

const isQuery =
  (name: string) =>
  ({ path, body }: HttpRequest): boolean =>
    path.startsWith('/graphql') && body.includes(`query ${name}`);
const isRest =
  (part: string) =>
  ({ method, path }: HttpRequest): boolean =>
    method === 'GET' && path.includes(part);

const isWrite = ({ method, path, body }: HttpRequest): boolean =>
  method !== 'GET' && (!path.startsWith('/graphql') || body.includes('mutation'));

/** Two issues wait. All requests are counted; from the first one that `isFirst` on, each is answered with `fault`. */
const waiting = async (budgets: Partial<Limits> = {}) => {
  const { sim, faults, account } = await simulationOverHttp(
    [
      { repo: web, agent: 'lands at once' },
      { repo: api, agent: 'lands at once' },
    ],
    {},
    { limits: budgets },
  );
  const requests: HttpRequest[] = [];
  const limitFrom = (isFirst: (request: HttpRequest) => boolean, fault: Fault): void => {
    let isLimited = false;
    faults.github = (request) => {
      requests.push(request);
      isLimited ||= isFirst(request);
      return isLimited ? fault : null;
    };
  };
  const mend = (): void => {
    requests.length = 0;
    limitFrom(() => false, 'drop');
  };
  mend();
  const invoke = async (kind: 'poll' | 'watch'): Promise<Report> => {
    const report = await sim.invoke(kind);
    if (report === 'died') throw new Error('nobody was to die here');
    return report;
  };
  const label = (repo: string, number: number): void =>
    sim.world.github.label(repo, number, 'ready-for-agent', 'maintainer', sim.now());
  return { sim, faults, account, requests, limitFrom, mend, invoke, label };
};

const stored = ({ table }: Simulation): readonly string[] =>
  [...table.rows.keys()].filter((key) => key.startsWith('limit#'));

const saysUntil = (report: Report): readonly string[] =>
  report.failed.map(({ reason }) => / until (\S+):/.exec(reason)?.[1] ?? reason);

const doneAll = (sim: Simulation) =>
  [web, api].map((repo) => [standing(sim, repo, 1), commentsOf(sim.world, repo, 1).length]);

const bothDone = [
  ['done', 1],
  ['done', 1],
];

describe('On a limit a tick ends early and says until when; nothing is asked before, and the next one resumes', () => {
  test.each(limits(0).map(([name], index) => [name, index] as const))('%s', async (_, index) => {
    const { sim, requests, limitFrom, mend, invoke } = await waiting();
    const [, fault, waits] = limits(sim.now())[index]!;
    const isRestOnly = typeof fault === 'object' && fault.status !== 200;
    // At the lists, which are REST, or at the detail, which is GraphQL.
    limitFrom(isRestOnly ? isRest('/issues?') : isQuery('Detail'), fault);
    const first = await invoke('poll');
    const until = new Date(sim.now() + waits * 60_000).toISOString();
    expect(requests.length - 1 - requests.findIndex(isRestOnly ? isRest('/issues?') : isQuery('Detail'))).toBeLessThan(
      2,
    );
    expect([saysUntil(first), locks(sim)]).toEqual([[until], []]);
    expect(first.limits).toMatchObject([{ may: 'nothing', until: Date.parse(until) }]);
    expect(stored(sim)).toEqual([expect.stringMatching(/^limit#127\.0\.0\.1:\d+#token$/)]);
    mend();
    // Nobody tries whether it is over: by either tick, until a second before.
    sim.pass(waits * 60_000 - 1_000);
    const second = await invoke('poll');
    await invoke('watch');
    expect([requests.length, saysUntil(second), second.reason]).toEqual([0, [until], expect.stringContaining(until)]);
    sim.pass(1_000);
    const third = await invoke('poll');
    expect([third.failed, third.happened.filter(({ what }) => what === 'dispatched').length]).toEqual([[], 2]);
    expect(stored(sim)).toEqual([]);
  });
});

describe('A limit in the middle of a tick: what was begun is left whole, and nothing further is asked', () => {
  const places: readonly [string, (request: HttpRequest) => boolean][] = [
    ['looking a repo over', isRest('/labels')],
    ['at the scan', isQuery('Scan')],
    ['at the lists', isRest('/issues?')],
    ['at the detail', isQuery('Detail')],
    ['at the permission', isRest('/permission')],
    ['at the checks of the base, under the lease', isQuery('Ci')],
  ];
  test.each(places)('%s', async (_, isFirst) => {
    const { sim, requests, limitFrom, mend, invoke } = await waiting();
    const [[, fault, waits] = []] = limits(sim.now());
    limitFrom(isFirst, fault!);
    const report = await invoke('poll');
    // Lists are asked for side by side: one may have been under way.
    expect(requests.length - 1 - requests.findIndex(isFirst)).toBeLessThan(2);
    expect([report.limits.length, report.failed.length, locks(sim), threadsOf(sim, web, 1)]).toEqual([1, 1, [], []]);
    mend();
    sim.pass(waits! * 60_000 - 1_000);
    await invoke('poll');
    expect(requests).toEqual([]);
    sim.pass(1_000);
    await toRest(sim, 60);
    expect(doneAll(sim)).toEqual(bothDone);
    expect([threadsOf(sim, web, 1).length, threadsOf(sim, api, 1).length]).toEqual([1, 1]);
  });

  test.each([1, 2, 3])(
    'after write %i: neither comment nor label is doubled, and a later tick finishes',
    async (writes) => {
      const { sim, requests, limitFrom, mend, invoke } = await waiting();
      const [[, fault, waits] = []] = limits(sim.now());
      await invoke('poll');
      await minutes(sim, 10, { until: () => requests.some(isQuery('Ci')) });
      mend();
      // From here on the mirrors of two landings and two ends: whatever is asked after so many writes is refused.
      limitFrom(() => requests.filter(isWrite).length > writes, fault!);
      await minutes(sim, 20, { until: () => stored(sim).length > 0 });
      const written = requests.filter(isWrite).length;
      expect(written).toBe(writes + 1);
      mend();
      sim.pass(waits! * 60_000);
      await toRest(sim, 60);
      expect(doneAll(sim)).toEqual(bothDone);
      expect([sim.rung.length, stored(sim)]).toEqual([2, []]);
    },
  );
});

test('for the watcher a limit is a world out of reach: clocks pause, nothing is concluded, waits grow', async () => {
  const { sim, requests, limitFrom, mend } = await waiting();
  await minutes(sim, 2);
  expect(locks(sim)).toHaveLength(2);
  const [, , [, secondary] = []] = limits(sim.now());
  mend();
  limitFrom(() => true, secondary!);
  const { reports } = await minutes(sim, 100, { kinds: ['watch'] });
  // Asked again after 2, 2, 4, 8, 16 and 32 minutes, by two runs side by side.
  expect(requests.length).toBeLessThanOrEqual(14);
  expect(reports.flatMap(({ ended }) => ended)).toEqual([]);
  expect(reports.every((report) => report.limits.length === 1 && report.failed.length === 1)).toBe(true);
  mend();
  sim.pass(60 * 60_000);
  await toRest(sim, 60);
  expect([doneAll(sim), sim.rung.length, stored(sim)]).toEqual([bothDone, 2, []]);
});

test('where little of the hour is left nothing new is looked for, and open runs are seen through', async () => {
  const { sim, requests, mend, invoke, label } = await waiting({ graphqlPerHour: 100 });
  await minutes(sim, 2);
  expect(locks(sim)).toHaveLength(2);
  sim.world.github.openIssue(web, { author: 'maintainer', title: 'More', body: 'Mend it.' }, sim.now());
  label(web, 2);
  const told = await minutes(sim, 50, { kinds: ['watch', 'poll', 'watch', 'watch', 'watch', 'poll', 'poll', 'poll'] });
  const held = told.reports.filter(({ limits }) => limits.some(({ may }) => may === 'open runs only'));
  expect(held.length).toBeGreaterThan(5);
  mend();
  const poll = await invoke('poll');
  expect([requests.length, poll.reason]).toEqual([0, expect.stringContaining('no new work before')]);
  expect(threadsOf(sim, web, 2)).toEqual([]);
});

test('where almost nothing is left of the hour, what is owed is written all the same', async () => {
  const { sim, faults, account, requests, invoke } = await waiting();
  await minutes(sim, 20, { until: () => requests.some(isQuery('Ci')) });
  // GitHub closes no issue: both runs come to their end, and owe showing it.
  faults.github = ({ body }) => (body.includes('closeIssue') ? { status: 502, body: {} } : null);
  await minutes(sim, 20, { until: () => sim.rung.length === 2 });
  faults.github = () => null;
  sim.pass(2 * 60_000);
  const now = sim.now();
  await memoryStore(sim.table, 'another').insert({
    kind: 'limit',
    account,
    may: 'writes only',
    until: now + 30 * 60_000,
    why: '90 of 5000 left in the hour of core',
    times: 0,
    at: now,
  });
  const report = await invoke('watch');
  expect(report.limits).toMatchObject([{ account, may: 'writes only' }]);
  expect(doneAll(sim)).toEqual(bothDone);
});
