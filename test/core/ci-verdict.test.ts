import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bearingOf,
  type Check,
  type CiInputs,
  type CiVerdict,
  ciDefaults,
  ciVerdict,
  expectedFrom,
  isDeployName,
  lastCompletionAt,
} from '../../lib/core/ci-verdict.ts';

const minute = 60_000;

const aCheck = (over: Partial<Check> = {}): Check => ({
  kind: 'check',
  name: 'test',
  app: 'github-actions',
  appId: 1,
  workflow: 'CI',
  workflowId: 1,
  event: 'push',
  state: 'success',
  startedAt: 1_000,
  completedAt: 2_000,
  url: null,
  ...over,
});

const aStatus = (over: Partial<Check> = {}): Check =>
  aCheck({
    kind: 'status',
    name: 'ci/woodpecker',
    app: null,
    appId: null,
    workflow: null,
    workflowId: null,
    event: null,
    ...over,
  });

/** A workflow without jobs. */
const aSuite = (over: Partial<Check> = {}): Check => aCheck({ kind: 'suite', name: 'CI', ...over });

/** Demanded of whatever app. */
const named = (...names: string[]) => names.map((name) => ({ name, appId: null }));

/** Expected, since a commit before had them. */
const keysOf = (...names: string[]) =>
  expectedFrom(
    names.map((name) => aCheck({ name })),
    [],
  );

/** A push seen ten minutes ago whose checks are long over. */
const inputsOf = (over: Partial<CiInputs> = {}): CiInputs => ({
  checks: [],
  message: 'Add a parser',
  hasDescendant: false,
  required: [],
  expected: [],
  deployPatterns: [],
  ageMs: 10 * minute,
  pushedAt: null,
  sinceLastCompletionMs: 9 * minute,
  ...ciDefaults,
  ...over,
});

const wordOf = (verdict: CiVerdict): string =>
  verdict.verdict === 'pending' && verdict.follow ? 'follow' : verdict.verdict;

// ---------------------------------------------------------------------------------------------------------------
// The rule once more, as data.

const space = {
  failed: [false, true],
  cut: [false, true],
  busy: ['no', 'check', 'suite'],
  descendant: [false, true],
  held: [false, true],
  expectedMissing: [false, true],
  requiredMissing: [false, true],
  skip: [false, true],
  rest: ['nothing', 'void', 'success'],
  settled: [false, true],
  age: ['in grace', 'in settle', 'later', 'too old'],
} as const;

type Space = typeof space;
type Evidence = { [K in keyof Space]: Space[K][number] };
type Pattern = { [K in keyof Space]?: readonly Space[K][number][] };

const ages: Record<Evidence['age'], number> = {
  'in grace': 3 * minute - 1,
  'in settle': 4 * minute - 1,
  later: 60 * minute - 1,
  'too old': 60 * minute,
};

const no = [false] as const;
const yes = [true] as const;
const inTime = ['in grace', 'in settle', 'later'] as const;

// What every row below the running ones takes for granted.
const quiet = { failed: no, cut: no, busy: ['no'] } satisfies Pattern;
const calm = { ...quiet, held: no } satisfies Pattern;
// Expected checks are there, or are waited for no longer.
const arrived: readonly Pattern[] = [{ expectedMissing: no }, { expectedMissing: yes, age: ['later', 'too old'] }];
const complete = arrived.map((pattern): Pattern => ({ ...calm, ...pattern, requiredMissing: no, skip: no }));

const rows: readonly { row: string; when: readonly Pattern[]; gives: string }[] = [
  { row: 'a check that failed is red at once, even while others run', when: [{ failed: yes }], gives: 'red' },
  {
    row: 'a check cut short while others still run is pending',
    when: [{ failed: no, cut: yes, busy: ['check', 'suite'] }],
    gives: 'pending',
  },
  {
    row: 'a check cut short, nothing running and a descendant on the branch: the descendant is followed',
    when: [{ failed: no, cut: yes, busy: ['no'], descendant: yes }],
    gives: 'follow',
  },
  {
    row: 'a check cut short, nothing running and no descendant is red',
    when: [{ failed: no, cut: yes, busy: ['no'], descendant: no }],
    gives: 'red',
  },
  {
    row: 'anything queued or running, or an Actions suite without runs, is pending',
    when: [{ failed: no, cut: no, busy: ['check', 'suite'], age: inTime }],
    gives: 'pending',
  },
  {
    row: 'anything queued or running past the deadline is blocked',
    when: [{ failed: no, cut: no, busy: ['check', 'suite'], age: ['too old'] }],
    gives: 'blocked',
  },
  { row: 'a check that waits for a person is blocked', when: [{ ...quiet, held: yes }], gives: 'blocked' },
  {
    row: 'an expected check that is not there yet is pending for grace and settle together',
    when: [{ ...calm, expectedMissing: yes, age: ['in grace', 'in settle'] }],
    gives: 'pending',
  },
  {
    row: 'a required check that is not there is pending',
    when: [
      { ...calm, expectedMissing: no, requiredMissing: yes, age: inTime },
      { ...calm, expectedMissing: yes, requiredMissing: yes, age: ['later'] },
    ],
    gives: 'pending',
  },
  {
    row: 'a required check that is not there past the deadline is blocked',
    when: [{ ...calm, requiredMissing: yes, age: ['too old'] }],
    gives: 'blocked',
  },
  {
    row: 'a skip directive in the commit message is blocked',
    when: arrived.map((pattern) => ({ ...calm, ...pattern, requiredMissing: no, skip: yes })),
    gives: 'blocked',
  },
  {
    row: 'nothing reported within grace is pending',
    when: [{ ...calm, expectedMissing: no, requiredMissing: no, skip: no, rest: ['nothing'], age: ['in grace'] }],
    gives: 'pending',
  },
  {
    row: 'nothing reported after grace is none',
    when: [
      {
        ...calm,
        expectedMissing: no,
        requiredMissing: no,
        skip: no,
        rest: ['nothing'],
        age: ['in settle', 'later', 'too old'],
      },
      { ...calm, expectedMissing: yes, requiredMissing: no, skip: no, rest: ['nothing'], age: ['later', 'too old'] },
    ],
    gives: 'none',
  },
  {
    row: 'only skipped and neutral checks are none',
    when: complete.map((pattern) => ({ ...pattern, rest: ['void'] })),
    gives: 'none',
  },
  {
    row: 'a last completion younger than settle is pending',
    when: complete.map((pattern) => ({ ...pattern, rest: ['success'], settled: no })),
    gives: 'pending',
  },
  {
    row: 'at least one success and the rest skipped or neutral is green',
    when: complete.map((pattern) => ({ ...pattern, rest: ['success'], settled: yes })),
    gives: 'green',
  },
];

const everything: readonly Evidence[] = Object.entries(space).reduce<Record<string, unknown>[]>(
  (found, [key, values]) => found.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
  [{}],
) as Evidence[];

const isWithin = (evidence: Evidence, pattern: Pattern): boolean =>
  Object.entries(pattern).every(([key, allowed]) =>
    (allowed as readonly unknown[]).includes(evidence[key as keyof Evidence]),
  );

const matches = (evidence: Evidence, row: (typeof rows)[number]): boolean =>
  row.when.some((pattern) => isWithin(evidence, pattern));

const inputsFor = (evidence: Evidence): CiInputs =>
  inputsOf({
    checks: [
      ...(evidence.rest === 'success' ? [aCheck({ name: 'unit' })] : []),
      ...(evidence.rest === 'nothing'
        ? []
        : [aCheck({ name: 'docs', state: 'skipped' }), aStatus({ state: 'neutral' })]),
      ...(evidence.failed ? [aCheck({ name: 'lint', state: 'failure' })] : []),
      ...(evidence.cut ? [aCheck({ name: 'build', state: 'cancelled' })] : []),
      ...(evidence.busy === 'check' ? [aCheck({ name: 'e2e', state: 'running', completedAt: null })] : []),
      ...(evidence.busy === 'suite' ? [aSuite({ state: 'queued', completedAt: null })] : []),
      ...(evidence.held ? [aCheck({ name: 'gate', state: 'waiting', completedAt: null })] : []),
    ],
    message: evidence.skip ? 'Tidy up [skip ci]' : 'Tidy up',
    hasDescendant: evidence.descendant,
    required: named(...(evidence.requiredMissing ? ['must-be-there'] : [])),
    expected: evidence.expectedMissing ? keysOf('usually-there') : [],
    ageMs: ages[evidence.age],
    sinceLastCompletionMs: evidence.settled ? minute : minute - 1,
  });

describe('the CI table', () => {
  test('has exactly one row for each combination of evidence', () => {
    const wrong = everything
      .map((evidence) => ({ evidence, rows: rows.filter((row) => matches(evidence, row)).map((row) => row.row) }))
      .filter((found) => found.rows.length !== 1);
    expect(everything.length).toBe(9_216);
    expect(wrong).toEqual([]);
  });

  test.each(rows)('$row', (row) => {
    const matching = everything.filter((evidence) => matches(evidence, row));
    const wrong = matching
      .map((evidence) => ({ evidence, word: wordOf(ciVerdict(inputsFor(evidence))) }))
      .filter(({ word }) => word !== row.gives);
    expect(matching).not.toEqual([]);
    expect(wrong).toEqual([]);
  });
});

// ---------------------------------------------------------------------------------------------------------------

describe('states', () => {
  const alone: readonly [Check['state'], number | null, string][] = [
    ['queued', null, 'pending'],
    ['running', null, 'pending'],
    ['waiting', null, 'blocked'],
    ['action-required', 2_000, 'blocked'],
    ['success', 2_000, 'green'],
    ['failure', 2_000, 'red'],
    ['timed-out', 2_000, 'red'],
    ['startup-failure', 2_000, 'red'],
    ['cancelled', 2_000, 'red'],
    ['stale', 2_000, 'red'],
    ['skipped', 2_000, 'none'],
    ['neutral', 2_000, 'none'],
    ['unknown', 2_000, 'red'],
    ['unknown', null, 'pending'],
  ];
  test.each(alone)('a lone check that is %s (over at %s) is %s', (state, completedAt, word) => {
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck({ state, completedAt })] })))).toBe(word);
    expect(wordOf(ciVerdict(inputsOf({ checks: [aStatus({ state, completedAt })] })))).toBe(word);
  });

  test('red names what failed, and only that, ordered by name', () => {
    const lint = aCheck({ name: 'lint', state: 'timed-out' });
    const build = aCheck({ name: 'build', state: 'failure' });
    const verdict = ciVerdict(
      inputsOf({ checks: [lint, aCheck(), build, aCheck({ name: 'old', state: 'cancelled' })] }),
    );
    expect(verdict).toEqual({ verdict: 'red', failing: [build, lint] });
  });

  test('a word nobody knows that is not over runs into the deadline', () => {
    const checks = [aCheck(), aCheck({ name: 'new', state: 'unknown', completedAt: null })];
    expect(wordOf(ciVerdict(inputsOf({ checks, ageMs: 60 * minute })))).toBe('blocked');
  });
});

describe('which checks count', () => {
  test('of two tries of one check the newest counts', () => {
    const failed = aCheck({ state: 'failure', startedAt: 1_000 });
    const again = aCheck({ startedAt: 5_000 });
    expect(wordOf(ciVerdict(inputsOf({ checks: [failed, again] })))).toBe('green');
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck({ startedAt: 500 }), failed] })))).toBe('red');
  });

  test('a re-run that has not started is newer than the try that failed', () => {
    const rerun = aCheck({ state: 'queued', startedAt: null, completedAt: null });
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck({ state: 'failure' }), rerun] })))).toBe('pending');
  });

  test('a try that is over without a start is as old as its end', () => {
    const failed = aCheck({ state: 'failure', startedAt: null, completedAt: 2_000 });
    expect(wordOf(ciVerdict(inputsOf({ checks: [failed, aCheck({ startedAt: 5_000 })] })))).toBe('green');
    expect(wordOf(ciVerdict(inputsOf({ checks: [failed, aCheck({ startedAt: 1_000 })] })))).toBe('red');
  });

  test('of two tries at one instant the worse counts', () => {
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck(), aCheck({ state: 'failure' })] })))).toBe('red');
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck({ state: 'failure' }), aCheck()] })))).toBe('red');
  });

  test.each([
    ['app', { app: 'other' }],
    ['workflow', { workflow: 'Nightly' }],
    ['workflow file', { workflowId: 2 }],
    ['event', { event: 'pull_request' }],
    ['name', { name: 'test-2' }],
    ['kind', { kind: 'status' }],
  ] as const)('checks that differ in %s do not stand for each other', (_, over) => {
    const checks = [aCheck({ state: 'failure', startedAt: 1_000 }), aCheck({ ...over, startedAt: 5_000 })];
    expect(wordOf(ciVerdict(inputsOf({ checks })))).toBe('red');
  });

  const ignored = [
    'schedule',
    'issues',
    'issue_comment',
    'label',
    'discussion',
    'workflow_dispatch',
    'repository_dispatch',
  ];
  test.each(ignored)('a check of event %s is no evidence', (event) => {
    const nightly = aCheck({ name: 'nightly', event, state: 'failure' });
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck(), nightly] })))).toBe('green');
    expect(wordOf(ciVerdict(inputsOf({ checks: [{ ...nightly, state: 'success' }] })))).toBe('none');
  });

  test.each(ignored)('a required check counts although its event is %s', (event) => {
    const nightly = aCheck({ name: 'nightly', event, state: 'failure' });
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck(), nightly], required: named('nightly') })))).toBe('red');
  });

  test.each(['push', 'pull_request', 'workflow_run', 'merge_group', 'a_new_event'])(
    'a check of event %s counts',
    (event) => {
      const checks = [aCheck(), aCheck({ name: 'other', event, state: 'failure' })];
      expect(wordOf(ciVerdict(inputsOf({ checks })))).toBe('red');
    },
  );

  test('an ignored check does not stand for an expected one', () => {
    const checks = [aCheck({ name: 'unit' }), aCheck({ name: 'lint', event: 'schedule' })];
    expect(wordOf(ciVerdict(inputsOf({ checks, expected: keysOf('lint'), ageMs: minute })))).toBe('pending');
  });

  test('a check named like a required one from another app does not stand for it', () => {
    const required = [{ name: 'test', appId: 1 }];
    const of = (appId: number | null) =>
      ciVerdict(inputsOf({ checks: [aCheck({ name: 'lint' }), aCheck({ appId })], required }));
    expect([of(1), of(2), of(null)].map(wordOf)).toEqual(['green', 'pending', 'pending']);
    expect(of(2)).toMatchObject({ on: 'required and not there: test by app 1' });
    const status = inputsOf({ checks: [aStatus({ name: 'test' })], required, ageMs: 60 * minute });
    expect(ciVerdict(status)).toEqual({
      verdict: 'blocked',
      reason:
        'still waiting past the deadline: required and not there: test by app 1 (a status of that name is there, and no status tells which app reported it)',
    });
  });

  test('the failure of a check named like a required one from another app is red all the same', () => {
    const checks = [aCheck(), aCheck({ app: 'somebody-else', appId: 2, state: 'failure' })];
    expect(wordOf(ciVerdict(inputsOf({ checks, required: [{ name: 'test', appId: 1 }] })))).toBe('red');
  });

  test('a nightly check is not counted for a requirement that wants it from another app', () => {
    const nightly = aCheck({ name: 'nightly', event: 'schedule', state: 'failure', appId: 2 });
    const required = [{ name: 'nightly', appId: 1 }];
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck(), nightly], required })))).toBe('pending');
  });

  test('what is expected is what a push brought: no nightly runs, no deployments, at most twelve, of a push first', () => {
    const knowing = (...checks: Check[]) =>
      ciVerdict(
        inputsOf({
          expected: expectedFrom(checks, ['argocd/*']),
          checks: [aCheck()],
          ageMs: minute,
          sinceLastCompletionMs: minute,
        }),
      );
    expect(wordOf(knowing(aCheck()))).toBe('green');
    expect(
      wordOf(knowing(aCheck(), aCheck({ name: 'nightly', event: 'schedule' }), aStatus({ name: 'argocd/shop' }))),
    ).toBe('green');
    expect(wordOf(knowing(aCheck(), aStatus()))).toBe('pending');
    const many = [...Array.from({ length: 20 }, (_, n) => aStatus({ name: `a${n}` })), aCheck({ name: 'zzz' })];
    const keys = expectedFrom(many, []);
    expect(keys).toHaveLength(12);
    expect(keys[0]).toBe(keysOf('zzz')[0]);
  });

  test('expected and required checks that are there are waited for no longer', () => {
    const checks = [aCheck({ name: 'lint' }), aStatus()];
    const there = { checks, expected: keysOf('lint'), required: named('lint', 'ci/woodpecker') };
    expect(wordOf(ciVerdict(inputsOf({ ...there, ageMs: minute })))).toBe('green');
  });

  test('a deployment is no evidence for CI, be it red, missing or the only one', () => {
    const deployPatterns = ['argocd/*', '*deploy*'];
    const deploy = aStatus({ name: 'argocd/shop', state: 'failure' });
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck(), deploy], deployPatterns })))).toBe('green');
    expect(wordOf(ciVerdict(inputsOf({ checks: [{ ...deploy, state: 'success' }], deployPatterns })))).toBe('none');
    const demanded = { required: named('Deploy to production') };
    expect(wordOf(ciVerdict(inputsOf({ checks: [aCheck()], deployPatterns, ...demanded, ageMs: minute })))).toBe(
      'green',
    );
  });

  test('the last completion is that of a check that counts', () => {
    const checks = [
      aCheck({ completedAt: 3_000 }),
      aCheck({ name: 'lint', completedAt: 2_000 }),
      aCheck({ name: 'nightly', event: 'schedule', completedAt: 9_000 }),
      aCheck({ name: 'deploy', completedAt: 8_000 }),
      aCheck({ name: 'e2e', state: 'running', completedAt: null }),
    ];
    expect(lastCompletionAt({ checks, required: [], deployPatterns: ['deploy'] })).toBe(3_000);
    expect(lastCompletionAt({ checks, required: named('nightly'), deployPatterns: ['deploy'] })).toBe(9_000);
    expect(lastCompletionAt({ checks: [], required: [], deployPatterns: [] })).toBeNull();
  });

  test('where no completion time is known, settling is counted from the push', () => {
    const checks = [aCheck({ completedAt: null })];
    const words = [minute - 1, minute].map((ageMs) =>
      wordOf(ciVerdict(inputsOf({ checks, sinceLastCompletionMs: null, ageMs }))),
    );
    expect(words).toEqual(['pending', 'green']);
  });
});

describe('the same commit may have been tried before it was pushed here', () => {
  const pushedAt = 100 * minute;
  const before = { startedAt: pushedAt - 10 * minute, completedAt: pushedAt - 5 * minute };
  const after = { startedAt: pushedAt + 1000, completedAt: pushedAt + minute };
  const at = (ageMs: number, checks: Check[], over: Partial<CiInputs> = {}): string =>
    wordOf(ciVerdict(inputsOf({ checks, pushedAt, ageMs, sinceLastCompletionMs: 20 * minute, ...over })));
  const { graceMs, settleMs } = ciDefaults;

  test('what passed before the push proves it only once its own checks should have begun', () => {
    for (const event of ['push', 'pull_request', null]) {
      const checks = [aCheck({ ...before, event })];
      const words = [0, settleMs, graceMs + settleMs - 1, graceMs + settleMs].map((ageMs) => at(ageMs, checks));
      expect(words).toEqual(['pending', 'pending', 'pending', 'green']);
    }
    expect(at(settleMs, [aCheck(after)])).toBe('green');
  });

  test('no expected check is there by one from before the push, nor by one of a pull request', () => {
    const expected = keysOf('test');
    const fresh = aCheck({ ...after, name: 'lint' });
    const stands = [aCheck({ ...before, name: 'test' }), aCheck({ ...after, name: 'test', event: 'pull_request' })];
    for (const stand of stands) {
      expect(at(graceMs + settleMs - 1, [fresh, stand], { expected })).toBe('pending');
      expect(at(graceMs + settleMs, [fresh, stand], { expected })).toBe('green');
    }
    expect(at(settleMs, [fresh, aCheck({ ...after, name: 'test' })], { expected })).toBe('green');
  });

  test('what failed before it is red all the same, and stamps a minute apart are of one moment', () => {
    expect(at(settleMs, [aCheck({ ...before, state: 'failure' }), aCheck({ ...after, name: 'lint' })])).toBe('red');
    expect(at(settleMs, [aCheck({ ...after, startedAt: pushedAt - minute })])).toBe('green');
    expect(at(settleMs, [aCheck({ ...after, startedAt: pushedAt - minute - 1 })])).toBe('pending');
  });

  test('an old completion spares no push its settling', () => {
    const checks = [aCheck({ ...before, startedAt: null })];
    expect([at(settleMs - 1, checks), at(settleMs, checks)]).toEqual(['pending', 'green']);
  });
});

describe('lengths', () => {
  test('each is over when it is reached', () => {
    const silent = (ageMs: number): string => wordOf(ciVerdict(inputsOf({ ageMs })));
    const late = (ageMs: number): string =>
      wordOf(ciVerdict(inputsOf({ ageMs, checks: [aCheck()], expected: keysOf('lint') })));
    expect([silent(3 * minute - 1), silent(3 * minute)]).toEqual(['pending', 'none']);
    expect([late(4 * minute - 1), late(4 * minute)]).toEqual(['pending', 'green']);
  });
});

describe('a workflow without jobs', () => {
  test.each([
    ['queued', null, 'pending'],
    ['waiting', null, 'blocked'],
    ['action-required', 2_000, 'blocked'],
    ['failure', 2_000, 'red'],
    ['timed-out', 2_000, 'red'],
    ['cancelled', 2_000, 'red'],
    ['stale', 2_000, 'red'],
    ['unknown', null, 'pending'],
    ['unknown', 2_000, 'red'],
    ['success', 2_000, 'green'],
    ['neutral', 2_000, 'green'],
    ['skipped', 2_000, 'green'],
  ] as const)('that is %s (over at %s) beside a green check of another is %s', (state, completedAt, word) => {
    const docs = aCheck({ name: 'docs', workflow: 'Docs' });
    const verdict = ciVerdict(inputsOf({ checks: [docs, aSuite({ state, completedAt })] }));
    expect(wordOf(verdict)).toBe(word);
    if (verdict.verdict === 'red') expect(verdict.failing).toMatchObject([{ kind: 'suite', name: 'CI' }]);
  });

  test('cancelled where a later commit carries on, that one is followed', () => {
    const checks = [aCheck({ workflow: 'Docs' }), aSuite({ state: 'cancelled' })];
    expect(wordOf(ciVerdict(inputsOf({ checks, hasDescendant: true })))).toBe('follow');
  });

  test.each(['success', 'neutral', 'skipped'] as const)('that is %s and alone proves nothing', (state) => {
    expect(wordOf(ciVerdict(inputsOf({ checks: [aSuite({ state })] })))).toBe('none');
  });

  test('started by an event that says nothing of the push is nothing to wait for', () => {
    const checks = [aCheck(), aSuite({ name: 'Triage', workflow: 'Triage', event: 'issues', state: 'queued' })];
    expect(wordOf(ciVerdict(inputsOf({ checks, ageMs: 60 * minute })))).toBe('green');
  });

  test('named like a check that is demanded or expected does not stand for it', () => {
    const checks = [aCheck(), aSuite({ name: 'build', state: 'skipped' })];
    expect(wordOf(ciVerdict(inputsOf({ checks, required: [{ name: 'build', appId: 1 }] })))).toBe('pending');
    expect(wordOf(ciVerdict(inputsOf({ checks, expected: keysOf('build'), ageMs: minute })))).toBe('pending');
    expect(expectedFrom([aSuite({ name: 'build' })], [])).toEqual([]);
  });

  test('is no deployment, whatever its workflow is called: its other jobs may be tests', () => {
    const checks = [aCheck(), aSuite({ name: 'Test and deploy', state: 'failure' })];
    expect(wordOf(ciVerdict(inputsOf({ checks, deployPatterns: ['*deploy*'] })))).toBe('red');
  });

  test('does not stand for the check of the same name', () => {
    const checks = [aCheck({ name: 'CI', state: 'failure', startedAt: 1_000 }), aSuite({ startedAt: 5_000 })];
    expect(wordOf(ciVerdict(inputsOf({ checks })))).toBe('red');
  });
});

describe('deploy patterns', () => {
  test.each([
    ['argocd/shop', 'argocd/*', true],
    ['argocd/', 'argocd/*', true],
    ['my-argocd/shop', 'argocd/*', false],
    ['Vercel – site', 'vercel*', true],
    ['Build and Deploy', '*deploy*', true],
    ['deploy', '*deploy*', true],
    ['deploy', 'deploy', true],
    ['deployed', 'deploy', false],
    ['release/eu/live', 'release/*/live', true],
    ['release/live', 'release/*/live', false],
    ['aba', 'ab*ba', false],
    ['aba', '*ab*ba*', false],
    ['a.c', 'a?c', false],
    ['anything', '*', true],
    ['anything', '', false],
  ])('the name %j and the pattern %j: %s', (name, pattern, expected) => {
    expect(isDeployName(name, [pattern])).toBe(expected);
  });

  test('no patterns match nothing', () => {
    expect(isDeployName('deploy', [])).toBe(false);
  });

  test('a long name and a pattern full of stars are answered at once', () => {
    expect(isDeployName('a'.repeat(100_000), [`${'*a'.repeat(1_000)}*b`])).toBe(false);
  });
});

describe('skip directives', () => {
  const green = (message: string): string => wordOf(ciVerdict(inputsOf({ checks: [aCheck()], message })));

  test.each([
    'Tidy up [skip ci]',
    '[ci skip] Tidy up',
    'Tidy up\n\nSome words [no ci] in the body.',
    'Tidy up [skip actions]',
    'Tidy up [actions skip]',
    'Tidy up [Skip CI]',
    'Tidy up\n\n\nskip-checks: true',
    'Tidy up\n\n\nskip-checks:true\n',
    'Tidy up\r\n\r\n\r\nAFK-Run: abc\r\nskip-checks: true\r\n',
    'Tidy up\n\nSkip-Checks: true',
  ])('%j is one', (message) => {
    expect(green(message)).toBe('blocked');
  });

  test.each([
    'Skip CI for docs',
    'Tidy up [skip  ci]',
    'Tidy up (skip ci)',
    'Tidy up\n\nskip-checks: false',
    'Tidy up\n\nskip-checks: trueish',
    'Tidy up\n\nno-skip-checks: true',
    'Tidy up\n\n    skip-checks: true',
    'Read skip-checks: true as a directive',
    'Tidy up\n\nskip-checks: true\n\nAFK-Run: abc',
  ])('%j is none', (message) => {
    expect(green(message)).toBe('green');
  });
});

describe('words', () => {
  test('a text holds at most three names, each on one line and cut', () => {
    const checks = ['a\nb', 'c'.repeat(500), 'd', 'e', 'f'].map((name) =>
      aCheck({ name, state: 'running', completedAt: null }),
    );
    expect(ciVerdict(inputsOf({ checks }))).toEqual({
      verdict: 'pending',
      on: `running: a b, ${'c'.repeat(59)}…, d and 2 more`,
      follow: false,
    });
  });

  test('a name has no escapes, and a token at the place where it is cut leaves no half of itself', () => {
    const name = `${'n'.repeat(45)}\u001b[2J\u202e ghp_${'a'.repeat(36)}`;
    const checks = [aCheck({ name, state: 'running', completedAt: null })];
    expect(ciVerdict(inputsOf({ checks }))).toMatchObject({ on: `running: ${'n'.repeat(45)} [redacted]` });
  });

  test('what a person must do is named', () => {
    const held = [aCheck({ name: 'production', state: 'waiting' })];
    expect(ciVerdict(inputsOf({ checks: held }))).toEqual({
      verdict: 'blocked',
      reason: 'waits for a person: production',
    });
    expect(ciVerdict(inputsOf({ message: '[no ci]' }))).toEqual({
      verdict: 'blocked',
      reason: 'the commit message says [no ci]',
    });
    expect(ciVerdict(inputsOf({ required: named('lint'), ageMs: 60 * minute }))).toEqual({
      verdict: 'blocked',
      reason: 'still waiting past the deadline: required and not there: lint',
    });
  });
});

// ---------------------------------------------------------------------------------------------------------------

const states: readonly Check['state'][] = [
  'queued',
  'running',
  'waiting',
  'action-required',
  'success',
  'failure',
  'timed-out',
  'startup-failure',
  'cancelled',
  'stale',
  'skipped',
  'neutral',
  'unknown',
];
const someInstant = fc.option(fc.integer({ min: 1, max: 4 }));
// Names that often meet, so that tries of one check, required and deploy names are common. Success is too.
const someCheck: fc.Arbitrary<Check> = fc.record({
  kind: fc.constantFrom('check', 'status', 'suite'),
  name: fc.constantFrom('unit', 'lint', 'deploy'),
  app: fc.constantFrom('github-actions', null),
  appId: fc.constantFrom(1, null),
  workflow: fc.constantFrom('CI', null),
  workflowId: fc.constantFrom(1, 2, null),
  event: fc.constantFrom('push', 'schedule', null),
  state: fc.oneof(fc.constant<Check['state']>('success'), fc.constantFrom(...states)),
  startedAt: someInstant,
  completedAt: someInstant,
  url: fc.constantFrom('https://ci.example/1', null),
});
const isDemanded = (check: Check, { required }: CiInputs): boolean =>
  check.kind !== 'suite' &&
  required.some(({ name, appId }) => name === check.name && (appId === null || appId === check.appId));
const someLength = fc.integer({ min: 0, max: 70 * minute });
const someInputs: fc.Arbitrary<CiInputs> = fc.record({
  checks: fc.array(someCheck, { maxLength: 5 }),
  message: fc.oneof(fc.constant('Tidy up'), fc.constantFrom('[skip ci]', 'a\n\nskip-checks: true')),
  hasDescendant: fc.boolean(),
  required: fc.subarray([...named('unit', 'deploy'), { name: 'lint', appId: 1 }]),
  expected: fc.subarray(['unit', 'lint']).map((names) => keysOf(...names)),
  deployPatterns: fc.subarray(['*deploy*']),
  ageMs: someLength,
  pushedAt: fc.option(someInstant.filter((at) => at !== null)),
  sinceLastCompletionMs: fc.option(someLength),
  graceMs: fc.constantFrom(ciDefaults.graceMs, 0),
  settleMs: fc.constantFrom(ciDefaults.settleMs, 0),
  deadlineMs: fc.constantFrom(ciDefaults.deadlineMs, 0),
});

describe('whatever CI reports', () => {
  test('the order of checks does not matter', () => {
    const shuffled = someInputs.chain((inputs) =>
      fc.record({
        inputs: fc.constant(inputs),
        checks: fc.shuffledSubarray([...inputs.checks], { minLength: inputs.checks.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ inputs, checks }) => {
        expect(ciVerdict({ ...inputs, checks })).toEqual(ciVerdict(inputs));
      }),
    );
  });

  test('a further failing check that counts is red, whatever else there is', () => {
    fc.assert(
      fc.property(
        someInputs,
        fc.constantFrom<Check['state']>('failure', 'timed-out', 'startup-failure'),
        (inputs, state) => {
          const failing = aCheck({ name: 'fresh', state });
          expect(ciVerdict({ ...inputs, checks: [...inputs.checks, failing] }).verdict).toBe('red');
        },
      ),
    );
  });

  test('no further try that did not pass makes green of what was not', () => {
    fc.assert(
      fc.property(someInputs, someCheck, (inputs, check) => {
        const before = ciVerdict(inputs).verdict;
        fc.pre(before !== 'green' && bearingOf(check) === 'failed');
        expect(ciVerdict({ ...inputs, checks: [...inputs.checks, check] }).verdict).not.toBe('green');
      }),
    );
  });

  test('a check in a state nobody knows is never green', () => {
    fc.assert(
      fc.property(someInputs, someInstant, (inputs, completedAt) => {
        const strange = aCheck({ name: 'fresh', state: 'unknown', completedAt });
        expect(ciVerdict({ ...inputs, checks: [...inputs.checks, strange] }).verdict).not.toBe('green');
      }),
    );
  });

  test('green has a success, and nothing that counts is anything but passed or void', () => {
    fc.assert(
      fc.property(someInputs, (inputs) => {
        fc.pre(ciVerdict(inputs).verdict === 'green');
        const evidence = inputs.checks.filter(
          (check) =>
            !(inputs.deployPatterns.length > 0 && check.name === 'deploy' && check.kind !== 'suite') &&
            (check.event !== 'schedule' || isDemanded(check, inputs)),
        );
        expect(evidence.some((check) => check.state === 'success' && check.kind !== 'suite')).toBe(true);
        // The latest start of each key is what was seen last; none of those may be bad.
        for (const check of evidence) {
          const later = evidence.filter(
            (other) =>
              other !== check &&
              other.kind === check.kind &&
              other.name === check.name &&
              other.app === check.app &&
              other.workflow === check.workflow &&
              other.workflowId === check.workflowId &&
              other.event === check.event,
          );
          if (later.length === 0) expect(['success', 'skipped', 'neutral']).toContain(check.state);
        }
      }),
    );
  });

  test('checks of ignored events never change the verdict', () => {
    fc.assert(
      fc.property(
        someInputs,
        someCheck,
        fc.constantFrom('schedule', 'issues', 'workflow_dispatch'),
        (inputs, check, event) => {
          fc.pre(!isDemanded(check, inputs));
          const noise = { ...check, event };
          expect(ciVerdict({ ...inputs, checks: [...inputs.checks, noise] })).toEqual(ciVerdict(inputs));
        },
      ),
    );
  });

  test('deployments never change the verdict', () => {
    fc.assert(
      fc.property(someInputs, someCheck, (inputs, check) => {
        const withPattern = { ...inputs, deployPatterns: ['*deploy*'] };
        fc.pre(check.kind !== 'suite');
        const deployment = { ...check, name: 'Deploy to production' };
        expect(ciVerdict({ ...withPattern, checks: [...inputs.checks, deployment] })).toEqual(ciVerdict(withPattern));
      }),
    );
  });

  test('time alone only ends waiting: what is not pending stays as it is', () => {
    fc.assert(
      fc.property(someInputs, someLength, (inputs, moreMs) => {
        const before = ciVerdict(inputs);
        fc.pre(before.verdict !== 'pending');
        const since = inputs.sinceLastCompletionMs;
        const later = {
          ...inputs,
          ageMs: inputs.ageMs + moreMs,
          sinceLastCompletionMs: since === null ? null : since + moreMs,
        };
        expect(ciVerdict(later)).toEqual(before);
      }),
    );
  });

  test('a longer grace or settle only adds waiting', () => {
    fc.assert(
      fc.property(someInputs, someLength, someLength, (inputs, graceMs, settleMs) => {
        const before = ciVerdict(inputs);
        const slower = ciVerdict({
          ...inputs,
          graceMs: inputs.graceMs + graceMs,
          settleMs: inputs.settleMs + settleMs,
        });
        if (slower.verdict !== 'pending') expect(slower).toEqual(before);
      }),
    );
  });

  test('only what was cut short, with nothing running and a descendant, is followed', () => {
    fc.assert(
      fc.property(someInputs, (inputs) => {
        const verdict = ciVerdict(inputs);
        if (verdict.verdict === 'pending' && verdict.follow) {
          expect(inputs.hasDescendant).toBe(true);
        }
      }),
    );
  });
});
