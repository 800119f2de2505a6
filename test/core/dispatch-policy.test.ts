import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blockersToAsk,
  type Candidate,
  type DispatchContext,
  type RepoFacts,
  ruleListed,
} from '../../lib/core/dispatch-policy.ts';
import type { ListedIssue, RepoRef } from '../../lib/core/issue.ts';
import { labelsKeyOf } from '../../lib/core/labels-key.ts';
import { type ItemOf, issueKey } from '../../lib/core/record.ts';
import { type Ruling, rulings } from '../../lib/core/ruling.ts';
import { aListed, aRepo, aScan, now } from './issue-builders.ts';

const minute = 60_000;
const labels = {
  ready: 'ready-for-agent',
  inProgress: 'agent-in-progress',
  human: 'ready-for-human',
  hold: 'afk-hold',
};

const facts = (over: Partial<RepoFacts> = {}): RepoFacts => ({
  enrolledAs: 'acme/app',
  scan: aScan(),
  preflight: [],
  settings: { paused: false, labels },
  openRun: null,
  unreadable: null,
  ...over,
});
const context = (over: Partial<DispatchContext> = {}): DispatchContext => ({
  now,
  executor: null,
  enrolled: new Set(['acme/app']),
  repos: new Map([['1', facts()]]),
  memories: new Map(),
  owed: new Set(),
  blockers: new Map(),
  openRuns: 0,
  maxOpenRuns: 5,
  runsToday: 0,
  maxRunsPerDay: 20,
  usdToday: 0,
  budgetUsdPerDay: 100,
  ...over,
});
const candidate = (over: Partial<ListedIssue> = {}, repo: Partial<RepoRef> = {}): Candidate => ({
  repo: aRepo(repo),
  issue: aListed(over),
});
const withRepo = (over: Partial<RepoFacts>) => context({ repos: new Map([['1', facts(over)]]) });

type Memory = ItemOf<'issue'>;
const memory = (over: Partial<Memory> = {}): Memory => ({
  kind: 'issue',
  host: 'github.com',
  repoId: '1',
  number: 7,
  spent: null,
  refusal: null,
  releases: null,
  coolUntil: null,
  told: null,
  changedAt: now,
  ...over,
});
const refusal = (over: Partial<NonNullable<Memory['refusal']>> = {}): NonNullable<Memory['refusal']> => ({
  ruling: 'not trusted',
  detail: 'stranger may only read (rule 9)',
  updatedAt: aListed().updatedAt,
  labels: labelsKeyOf(['ready-for-agent']),
  at: now - minute,
  ...over,
});
const spent: Memory['spent'] = { actId: 'LE_0', actAt: 0, outcome: 'done', runId: 'r', commits: [] };
const remembering = (...items: Memory[]) =>
  context({
    memories: new Map(items.map((item) => [issueKey({ host: item.host, id: item.repoId }, item.number), item])),
  });

const only = (issue: Partial<ListedIssue>, given: DispatchContext) => {
  const ruled = ruleListed([candidate(issue)], given);
  expect(ruled).toHaveLength(1);
  return ruled[0]!;
};
const inShort = (candidates: readonly Candidate[], given: DispatchContext) =>
  ruleListed(candidates, given).map(({ candidate: { issue }, ruling, rank }) => [issue.number, ruling, rank]);

test('an issue with nothing in its way is looked at more closely', () => {
  expect(only({}, context())).toMatchObject({ ruling: 'look closer', rank: 0 });
});

test('nothing to rule on gives no rulings', () => {
  expect(ruleListed([], context())).toEqual([]);
});

/** One row for each refusal, in the design's order: what it takes, and a word of the reason. */
const gates: readonly (readonly [
  Ruling,
  Partial<ListedIssue>,
  Partial<DispatchContext>,
  Partial<RepoFacts>,
  string,
])[] = [
  ['executor unavailable', {}, { executor: 'the breaker is open' }, {}, 'the breaker is open'],
  ['not enrolled', {}, { enrolled: new Set(['acme/other']) }, {}, 'acme/app is not in the allowlist'],
  ['repo unreadable', {}, {}, { unreadable: 'run#github.com#1 does not parse' }, 'does not parse'],
  ['repo paused', {}, {}, { settings: { paused: true, labels } }, 'paused'],
  ['repo archived', {}, {}, { scan: aScan({ archived: true }) }, 'archived'],
  ['issues off', {}, {}, { scan: aScan({ issuesEnabled: false }) }, 'switched off'],
  ['preflight failed', {}, {}, { preflight: ['no checkout at /srv/x: clone it'] }, 'clone it'],
  ['pull request', { isPullRequest: true }, {}, {}, 'pull request'],
  ['locked', { locked: true }, {}, {}, 'locked'],
  ['label gone', { labels: ['bug'] }, {}, {}, 'ready-for-agent is not on'],
  ['hold label', { labels: ['ready-for-agent', 'AFK-Hold'] }, {}, {}, 'afk-hold is on'],
  ['parent', { openSubIssues: 2 }, {}, {}, '2 of its sub-issues'],
  ['blocked', { openBlockers: 1 }, {}, {}, "1 open by the tracker's count"],
  ['repo busy', {}, {}, { openRun: 3 }, 'the run of #3'],
  ['still owed', {}, { owed: new Set(['issue#github.com#1#7']) }, {}, 'still owed'],
  ['over the cap', {}, { openRuns: 5 }, {}, '5 runs are open, the limit is 5'],
  ['cooling down', {}, remembering(memory({ coolUntil: now + 90_000 })), {}, 'another 2 min'],
];
const given = (rows: readonly (typeof gates)[number][]): [Partial<ListedIssue>, DispatchContext] => {
  const [issue, over, repo] = rows.reduce(
    ([a, b, c], row) => [
      { ...row[1], ...a },
      { ...pick(row), ...b },
      { ...row[3], ...c },
    ],
    [{}, {}, {}] as [Partial<ListedIssue>, Partial<DispatchContext>, Partial<RepoFacts>],
  );
  return [issue, context({ ...over, repos: new Map([['1', facts(repo)]]) })];
};
// Of a whole context only what this row is about.
const pick = ([ruling, , over]: (typeof gates)[number]): Partial<DispatchContext> =>
  ruling === 'cooling down' ? { memories: over.memories! } : over;

describe('each refusal has its word, and the first in the design’s order is the one that is told', () => {
  test.each(gates.map((row) => [row[0], row] as const))('%s', (ruling, row) => {
    const ruled = only(...given([row]));
    expect(ruled).toMatchObject({ ruling, rank: null });
    expect(ruled.detail).toContain(row[4]);
  });

  test('of several the first is told', () => {
    for (const [index, row] of gates.entries()) expect(only(...given(gates.slice(index))).ruling).toBe(row[0]);
  });

  test('the table above is in the order of the words', () => {
    const places = gates.map(([ruling]) => rulings.indexOf(ruling));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
});

describe('Two gates: only the exact repo that is enrolled, by the name it has today', () => {
  test('names are compared without case', () => {
    expect(only({}, withRepo({ scan: aScan({ name: 'Acme/App' }) })).ruling).toBe('look closer');
  });

  test('after a rename nothing new starts until the new name is enrolled', () => {
    const renamed = withRepo({ scan: aScan({ name: 'acme/new' }) });
    expect(only({}, renamed)).toMatchObject({ ruling: 'renamed', detail: 'renamed to acme/new: enrol that name' });
    expect(only({}, { ...renamed, enrolled: new Set(['acme/app', 'acme/new']) }).ruling).toBe('look closer');
    expect(only({}, { ...renamed, enrolled: new Set() }).ruling).toBe('not enrolled');
  });

  test('a repo of which nothing is known starts nothing', () => {
    expect(only({}, context({ repos: new Map() })).ruling).toBe('repo unreadable');
    expect(only({}, withRepo({ scan: null })).ruling).toBe('repo unreadable');
    expect(only({}, withRepo({ preflight: null })).ruling).toBe('preflight failed');
    expect(only({}, withRepo({ scan: aScan({ defaultBranch: null }) })).ruling).toBe('preflight failed');
  });
});

describe('Bounded: no run is begun over a limit', () => {
  test.each<[Partial<DispatchContext>, boolean]>([
    [{ openRuns: 4 }, false],
    [{ openRuns: 5 }, true],
    [{ openRuns: 6 }, true],
    [{ runsToday: 19 }, false],
    [{ runsToday: 20 }, true],
    [{ usdToday: 99.9 }, false],
    [{ usdToday: 100 }, true],
  ])('%j', (over, isOver) => {
    expect(only({}, context(over)).ruling).toBe(isOver ? 'over the cap' : 'look closer');
  });
});

describe('a blocked issue waits for what it names', () => {
  const body = 'Blocked by #1 and other/repo#2';
  test.each<[Record<string, 'open' | 'closed' | 'unreadable'>, string | null]>([
    [{ 'acme/app#1': 'closed', 'other/repo#2': 'closed' }, null],
    [{ 'acme/app#1': 'open', 'other/repo#2': 'closed' }, 'blocked by acme/app#1'],
    [{ 'acme/app#1': 'closed', 'other/repo#2': 'unreadable' }, 'blocked by other/repo#2 (cannot be read)'],
    [{ 'acme/app#1': 'closed' }, 'blocked by other/repo#2 (cannot be read)'],
    [{}, 'blocked by acme/app#1 (cannot be read), other/repo#2 (cannot be read)'],
  ])('%j', (states, detail) => {
    const ruled = only({ body }, context({ blockers: new Map(Object.entries(states)) }));
    expect(ruled).toMatchObject(detail === null ? { ruling: 'look closer' } : { ruling: 'blocked', detail });
  });

  test('a tracker that does not count leaves it to the closer look', () => {
    expect(only({ openBlockers: null }, context()).ruling).toBe('look closer');
  });

  test('cycles among what waits are named, from the issue that is told of it', () => {
    const ruled = ruleListed(
      [
        candidate({ number: 1, body: 'Blocked by #2' }),
        candidate({ number: 2, body: 'Blocked by #1' }),
        candidate({ number: 3, body: 'Blocked by #1' }),
      ],
      context({ blockers: new Map([['acme/app#1', 'closed']]) }),
    );
    expect(ruled.map(({ ruling, detail }) => [ruling, detail])).toEqual([
      ['blocked', 'blocked by acme/app#2; they wait for each other: acme/app#1 → acme/app#2 → acme/app#1'],
      ['blocked', 'blocked by acme/app#1; they wait for each other: acme/app#2 → acme/app#1 → acme/app#2'],
      ['blocked', 'blocked by acme/app#1'],
    ]);
  });

  test('an issue that names itself waits for ever, and is told so', () => {
    expect(only({ body: 'Blocked by #7' }, context()).detail).toContain('acme/app#7 → acme/app#7');
  });

  test('what is listed is known to be open, and is not asked about', () => {
    const candidates = [
      candidate({ number: 1 }),
      candidate({ number: 2, body: 'Blocked by #1, #9 and x/y#3' }),
      candidate({ number: 3, body: 'Blocked by #9' }),
    ];
    expect(blockersToAsk(candidates)).toEqual(['acme/app#9', 'x/y#3']);
  });
});

describe('a refusal is remembered, and holds for nothing while the list shows the same', () => {
  test('with its own words', () => {
    expect(only({}, remembering(memory({ refusal: refusal() })))).toMatchObject({
      ruling: 'not trusted',
      detail: 'stranger may only read (rule 9)',
      rank: null,
    });
    expect(only({}, remembering(memory({ refusal: refusal({ ruling: 'from another version' }) })))).toMatchObject({
      ruling: 'looked at before',
      rank: null,
    });
  });

  test.each(['look closer', 'dispatch', 'outranked'])('never as %j', (ruling) => {
    expect(only({}, remembering(memory({ refusal: refusal({ ruling }) })))).toMatchObject({
      ruling: 'looked at before',
      rank: null,
    });
  });

  test.each<[string, Partial<ListedIssue>, Partial<NonNullable<Memory['refusal']>>, boolean]>([
    ['unchanged, a minute old', {}, {}, true],
    [
      'the labels in another order',
      { labels: ['b', 'ready-for-agent'] },
      { labels: labelsKeyOf(['ready-for-agent', 'b']) },
      true,
    ],
    ['just under a quarter of an hour old', {}, { at: now - 15 * minute + 1 }, true],
    ['a quarter of an hour old', {}, { at: now - 15 * minute }, false],
    ['stamped far in the future', {}, { at: now + 15 * minute }, false],
    ['touched since', { updatedAt: '2026-01-15T12:01:00Z' }, {}, false],
    ['a label more', { labels: ['ready-for-agent', 'bug'] }, {}, false],
    ['a label less', {}, { labels: labelsKeyOf(['ready-for-agent', 'bug']) }, false],
  ])('%s', (_, issue, over, holds) => {
    expect(only(issue, remembering(memory({ refusal: refusal(over) }))).ruling).toBe(
      holds ? 'not trusted' : 'look closer',
    );
  });

  test.each(['with a human', 'already run'] as const)('%s is told before what else is in the way', (ruling) => {
    const busy = {
      ...remembering(memory({ refusal: refusal({ ruling }) })),
      repos: new Map([['1', facts({ openRun: 3 })]]),
    };
    expect(only({ openBlockers: 1 }, busy).ruling).toBe(ruling);
  });

  test('at most one issue that was looked at before is looked at again, and the others beside it', () => {
    const stale = (number: number, over: Partial<NonNullable<Memory['refusal']>> = {}) =>
      memory({ number, refusal: refusal({ at: now - 20 * minute, ...over }) });
    const four = [1, 2, 3, 4].map((number) => candidate({ number }));
    expect(inShort(four, remembering(stale(1), stale(2), stale(4)))).toEqual([
      [1, 'look closer', 0],
      [3, 'outranked', 1],
      [2, 'looked at before', null],
      [4, 'looked at before', null],
    ]);
    // What changed comes before what is only old, and what was looked at longest ago before the rest, whatever its rank.
    expect(inShort(four, remembering(stale(1), stale(2), stale(4, { at: now - 21 * minute })))).toContainEqual([
      4,
      'outranked',
      1,
    ]);
    expect(
      inShort(four, remembering(stale(1), stale(2, { updatedAt: 'before', at: now - minute }), stale(4))),
    ).toContainEqual([2, 'look closer', 0]);
    expect(inShort(four, remembering(stale(1), stale(2), memory({ number: 4, spent })))).toContainEqual([
      4,
      'outranked',
      1,
    ]);
  });

  test('none of many is left out for good', () => {
    const many = Array.from({ length: 40 }, (_, n) => candidate({ number: n + 1 }));
    const looked = new Map<number, number>(many.map(({ issue }) => [issue.number, now - 60 * minute]));
    const first = new Map(looked);
    for (let tick = 0; tick < 45; tick += 1) {
      const items = [...looked].map(([number, at]) => memory({ number, refusal: refusal({ at }) }));
      const at = now + tick * minute;
      const again = ruleListed(many, { ...remembering(...items), now: at }).find(({ rank }) => rank === 0);
      if (again !== undefined) looked.set(again.candidate.issue.number, at);
    }
    for (const [number, at] of looked) expect(at).toBeGreaterThan(first.get(number)!);
  });

  test('one that was looked at by a clock a year ahead has its turn like the others', () => {
    const many = [1, 2].map((number) => candidate({ number }));
    const [ahead, old] = [now + 400 * 24 * 60 * minute, now - 60 * minute];
    const items = [ahead, old].map((at, n) => memory({ number: n + 1, refusal: refusal({ at }) }));
    expect(inShort(many, remembering(...items))).toContainEqual([1, 'look closer', 0]);
  });
});

describe('per repo the lowest priority wins, then the lowest number', () => {
  test('the others keep their rank and are told by whom they are outranked', () => {
    const ruled = ruleListed(
      [
        candidate({ number: 1 }),
        candidate({ number: 2, labels: ['ready-for-agent', 'priority:1'] }),
        candidate({ number: 3, labels: ['ready-for-agent', 'priority:0'] }),
      ],
      context(),
    );
    expect(ruled.map(({ candidate: { issue }, ruling, rank, detail }) => [issue.number, ruling, rank, detail])).toEqual(
      [
        [3, 'look closer', 0, 'first of 3 in its repo'],
        [2, 'outranked', 1, 'outranked by #3, priority 0'],
        [1, 'outranked', 2, 'outranked by #3, priority 0'],
      ],
    );
  });

  test('what is refused outranks nobody', () => {
    expect(
      inShort(
        [candidate({ number: 1, locked: true, labels: ['ready-for-agent', 'priority:0'] }), candidate({ number: 2 })],
        context(),
      ),
    ).toEqual([
      [2, 'look closer', 0],
      [1, 'locked', null],
    ]);
  });

  test('repos do not outrank each other', () => {
    const two = context({
      enrolled: new Set(['acme/app', 'acme/web']),
      repos: new Map([
        ['1', facts()],
        ['2', facts({ enrolledAs: 'acme/web', scan: aScan({ id: '2', name: 'acme/web' }) })],
      ]),
    });
    expect(
      ruleListed([candidate({ number: 1 }), candidate({ number: 2 }, { id: '2', name: 'acme/web' })], two).map(
        ({ rank }) => rank,
      ),
    ).toEqual([0, 0]);
  });
});

test('a reason stays short and clean, whatever is quoted in it', () => {
  const ruled = only({}, context({ executor: `\u001b[31m${'x'.repeat(2000)}\n` }));
  expect(ruled.detail).toMatch(/^x{400,499}…$/);
});

describe('for any candidates', () => {
  const issue = fc.record({
    number: fc.integer({ min: 1, max: 12 }),
    labels: fc.constantFrom(
      ['ready-for-agent'],
      ['ready-for-agent', 'bug', 'priority:0'],
      ['ready-for-agent', 'priority:1'],
      ['ready-for-agent', 'afk-hold'],
    ),
    locked: fc.constantFrom(false, false, false, true),
    openSubIssues: fc.constantFrom(0, 0, 0, 1),
    openBlockers: fc.constantFrom(0, 0, 0, 1, null),
    body: fc.constantFrom('', '', '', 'Blocked by #1', 'Blocked by #2', 'Blocked by #3 and x/y#1'),
    updatedAt: fc.constantFrom('a', 'b'),
  });
  const repoId = fc.constantFrom('1', '2', '3');
  const candidates = fc.uniqueArray(
    fc.tuple(issue, repoId).map(([over, id]) => candidate(over, { id, name: `acme/r${id}` })),
    { selector: ({ repo, issue: { number } }) => `${repo.id}#${number}`, maxLength: 25 },
  );
  const repoFacts = (id: string) =>
    fc
      .record({ openRun: fc.constantFrom(null, null, 5), paused: fc.constantFrom(false, false, true) })
      .map(({ openRun, paused }) =>
        facts({
          enrolledAs: `acme/r${id}`,
          scan: aScan({ id, name: `acme/r${id}` }),
          openRun,
          settings: { paused, labels },
        }),
      );
  const memories = fc.array(
    fc
      .record({
        repoId,
        number: issue.map(({ number }) => number),
        updatedAt: fc.constantFrom('a', 'b'),
        age: fc.integer({ min: 0, max: 30 }),
        hasRun: fc.boolean(),
      })
      .map(({ age, hasRun, updatedAt, ...rest }) =>
        memory({ ...rest, spent: hasRun ? spent : null, refusal: refusal({ updatedAt, at: now - age * minute }) }),
      ),
    { maxLength: 15 },
  );
  const world = fc
    .record({
      one: repoFacts('1'),
      two: repoFacts('2'),
      three: repoFacts('3'),
      memories,
      enrolled: fc.subarray(['acme/r1', 'acme/r2', 'acme/r3'], { minLength: 1 }),
      openRuns: fc.constantFrom(0, 0, 0, 5),
      closed: fc.boolean(),
    })
    .map(({ one, two, three, memories: items, enrolled, openRuns, closed }) =>
      context({
        ...remembering(...items),
        repos: new Map([
          ['1', one],
          ['2', two],
          ['3', three],
        ]),
        enrolled: new Set(enrolled),
        openRuns,
        blockers: new Map([['x/y#1', closed ? 'closed' : 'open']]),
      }),
    );
  const keyOf = ({ repo, issue: { number } }: Candidate) => `${repo.id}#${number}`;

  test('in any order they get the same rulings', () => {
    fc.assert(
      fc.property(
        candidates.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        world,
        ([list, shuffled], given) => {
          expect(ruleListed(shuffled, given)).toEqual(ruleListed(list, given));
        },
      ),
    );
  });

  test('each is ruled on exactly once, with a reason', () => {
    fc.assert(
      fc.property(candidates, world, (list, given) => {
        const ruled = ruleListed(list, given);
        expect(ruled.map((each) => keyOf(each.candidate)).sort()).toEqual(list.map(keyOf).sort());
        for (const { detail } of ruled) expect(detail.length).toBeGreaterThan(0);
      }),
    );
  });

  test('ranks count from 0 within each repo, at most one of each was looked at before', () => {
    fc.assert(
      fc.property(candidates, world, (list, given) => {
        for (const ofRepo of Map.groupBy(ruleListed(list, given), (each) => each.candidate.repo.id).values()) {
          const ranked = ofRepo.filter(({ rank }) => rank !== null);
          expect(ranked.map(({ rank }) => rank)).toEqual(ranked.map((_, index) => index));
          expect(ranked.map(({ ruling }) => ruling)).toEqual(
            ranked.map((_, index) => (index === 0 ? 'look closer' : 'outranked')),
          );
          const again = ranked.filter(
            ({
              candidate: {
                repo,
                issue: { number },
              },
            }) => given.memories.has(issueKey(repo, number)),
          );
          expect(again.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('nothing that is busy, held, blocked, locked, paused, not enrolled or over a limit has a rank', () => {
    let looked = 0;
    fc.assert(
      fc.property(candidates, world, (list, given) => {
        const open = new Set(list.map(({ repo, issue: { number } }) => `${repo.name}#${number}`));
        for (const {
          candidate: { repo, issue: each },
          rank,
        } of ruleListed(list, given)) {
          if (rank === null) continue;
          looked += 1;
          const known = given.repos.get(repo.id)!;
          expect(given.enrolled.has(repo.name)).toBe(true);
          expect(known).toMatchObject({ openRun: null, settings: { paused: false } });
          expect(given.openRuns).toBeLessThan(5);
          expect(each).toMatchObject({ locked: false, openSubIssues: 0 });
          expect(each.openBlockers ?? 0).toBe(0);
          expect(each.labels).not.toContain('afk-hold');
          // Two statements of one rule: here a blocker is any number in the body that is listed, or not known closed.
          for (const [, other, number] of each.body.matchAll(/(x\/y)?#(\d)/g)) {
            expect(open.has(`${other ?? repo.name}#${number}`)).toBe(false);
            expect(given.blockers.get(`${other ?? repo.name}#${number}`)).toBe('closed');
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(looked).toBeGreaterThan(0);
  });
});
