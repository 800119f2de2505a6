import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Check } from '../../lib/core/ci-verdict.ts';
import {
  type Deployment,
  type DeploymentInputs,
  deploymentDefaults,
  deploymentVerdict,
} from '../../lib/core/deployment-verdict.ts';

const minute = 60_000;

const aDeployment = (over: Partial<Deployment> = {}): Deployment => ({
  environment: 'production',
  sha: 'c0ffee',
  containsOurs: true,
  state: 'success',
  everSucceeded: over.state === undefined || over.state === 'success',
  createdAt: 1_000,
  url: null,
  ...over,
});

const aDeployCheck = (over: Partial<Check> = {}): Check => ({
  kind: 'status',
  name: 'argocd/shop',
  app: null,
  appId: null,
  workflow: null,
  workflowId: null,
  event: null,
  state: 'success',
  startedAt: 1_000,
  completedAt: 2_000,
  url: null,
  ...over,
});

const inputsOf = (over: Partial<DeploymentInputs> = {}): DeploymentInputs => ({
  deployments: [],
  checks: [],
  environments: ['production'],
  deployPatterns: [],
  ageMs: 10 * minute,
  ...deploymentDefaults,
  ...over,
});

const resultOf = (over: Partial<DeploymentInputs>): string => deploymentVerdict(inputsOf(over)).result;

// ---------------------------------------------------------------------------------------------------------------
// The rule for one environment once more, as data: what was deployed before, what is newest, what is not ours.

const states = ['pending', 'queued', 'running', 'waiting', 'success', 'failure', 'inactive', 'unknown'] as const;
const space = {
  newest: ['none', ...states],
  newestEverSucceeded: [false, true],
  older: ['none', 'succeeded', 'failed', 'superseded after success'],
  foreign: ['none', 'succeeded', 'failed'],
  overdue: [false, true],
} as const;

type Space = typeof space;
type Evidence = { [K in keyof Space]: Space[K][number] };
type Pattern = { [K in keyof Space]?: readonly Space[K][number][] };

const unproven = { newestEverSucceeded: [false], older: ['none', 'failed'] } as const satisfies Pattern;
const olderSays = { newest: ['none'], older: ['none'] } as const satisfies Pattern;

const rows: readonly { row: string; when: readonly Pattern[]; gives: string }[] = [
  {
    row: 'a deployment that contains ours and ever succeeded is deployed, whatever came later',
    when: [
      { newest: states, newestEverSucceeded: [true] },
      { newest: ['success'], newestEverSucceeded: [false] },
      {
        newest: ['pending', 'queued', 'running', 'waiting', 'failure', 'inactive', 'unknown'],
        newestEverSucceeded: [false],
        older: ['succeeded', 'superseded after success'],
      },
      { newest: ['none'], older: ['succeeded', 'superseded after success'] },
    ],
    gives: 'deployed',
  },
  {
    row: 'the newest that contains ours failed',
    when: [
      { ...unproven, newest: ['failure'] },
      { newest: ['none'], older: ['failed'] },
    ],
    gives: 'failed',
  },
  { row: 'the newest waits for approval', when: [{ ...unproven, newest: ['waiting'] }], gives: 'approval' },
  {
    row: 'queued, running or pending is deploying',
    when: [{ ...unproven, newest: ['pending', 'queued', 'running'] }],
    gives: 'deploying',
  },
  {
    row: 'none that contains ours, or one that says nothing, is deploying before the deadline',
    when: [
      { ...olderSays, overdue: [false] },
      { ...unproven, newest: ['inactive', 'unknown'], overdue: [false] },
    ],
    gives: 'deploying',
  },
  {
    row: 'none that contains ours, or one that says nothing, is missing after the deadline',
    when: [
      { ...olderSays, overdue: [true] },
      { ...unproven, newest: ['inactive', 'unknown'], overdue: [true] },
    ],
    gives: 'missing',
  },
];

const everything = Object.entries(space).reduce<Record<string, unknown>[]>(
  (found, [key, values]) => found.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
  [{}],
) as Evidence[];

const matches = (evidence: Evidence, row: (typeof rows)[number]): boolean =>
  row.when.some((pattern) =>
    Object.entries(pattern).every(([key, allowed]) =>
      (allowed as readonly unknown[]).includes(evidence[key as keyof Evidence]),
    ),
  );

const olderOf: Record<Evidence['older'], readonly Deployment[]> = {
  none: [],
  succeeded: [aDeployment({ createdAt: 1_000 })],
  failed: [aDeployment({ createdAt: 1_000, state: 'failure' })],
  'superseded after success': [aDeployment({ createdAt: 1_000, state: 'inactive', everSucceeded: true })],
};

const inputsFor = ({ newest, newestEverSucceeded, older, foreign, overdue }: Evidence): DeploymentInputs =>
  inputsOf({
    deployments: [
      ...(newest === 'none'
        ? []
        : [aDeployment({ state: newest, everSucceeded: newestEverSucceeded, createdAt: 2_000 })]),
      ...olderOf[older],
      // Of an older commit, and created last of all: a roll-back, say.
      ...(foreign === 'none'
        ? []
        : [
            aDeployment({
              sha: 'other',
              containsOurs: false,
              state: foreign === 'failed' ? 'failure' : 'success',
              createdAt: 3_000,
            }),
          ]),
    ],
    ageMs: overdue ? 60 * minute : 60 * minute - 1,
  });

describe('the table for one environment', () => {
  test('has exactly one row for each combination of evidence', () => {
    const wrong = everything
      .map((evidence) => ({ evidence, rows: rows.filter((row) => matches(evidence, row)).map((row) => row.row) }))
      .filter((found) => found.rows.length !== 1);
    expect(everything.length).toBe(432);
    expect(wrong).toEqual([]);
  });

  test.each(rows)('$row', (row) => {
    const matching = everything.filter((evidence) => matches(evidence, row));
    const wrong = matching
      .map((evidence) => ({ evidence, result: deploymentVerdict(inputsFor(evidence)).result }))
      .filter(({ result }) => result !== row.gives);
    expect(matching).not.toEqual([]);
    expect(wrong).toEqual([]);
  });
});

// ---------------------------------------------------------------------------------------------------------------

describe('a check that matches a deploy pattern', () => {
  const alone: readonly [Check['state'], number | null, string, string][] = [
    ['queued', null, 'deploying', 'deploying'],
    ['running', null, 'deploying', 'deploying'],
    ['waiting', null, 'approval', 'approval'],
    ['action-required', null, 'approval', 'approval'],
    ['success', 1, 'deployed', 'deployed'],
    ['failure', 1, 'failed', 'failed'],
    ['timed-out', 1, 'failed', 'failed'],
    ['startup-failure', 1, 'failed', 'failed'],
    ['cancelled', 1, 'deploying', 'missing'],
    ['stale', 1, 'deploying', 'missing'],
    ['skipped', 1, 'deploying', 'missing'],
    ['neutral', 1, 'deploying', 'missing'],
    ['unknown', 1, 'deploying', 'missing'],
    ['unknown', null, 'deploying', 'deploying'],
  ];
  test.each(alone)('and is %s (over at %s) is %s, and %s past the deadline', (state, completedAt, early, late) => {
    const only = {
      environments: [],
      deployPatterns: ['argocd/*'],
      checks: [aDeployCheck({ state, completedAt })],
    };
    expect(resultOf({ ...only, ageMs: 60 * minute - 1 })).toBe(early);
    expect(resultOf({ ...only, ageMs: 60 * minute })).toBe(late);
  });

  test('is awaited like an environment when nothing matches', () => {
    const only = { environments: [], deployPatterns: ['argocd/*'], checks: [aDeployCheck({ name: 'unit' })] };
    expect(resultOf(only)).toBe('deploying');
    expect(resultOf({ ...only, ageMs: 60 * minute })).toBe('missing');
  });

  test('counts whatever event it came from, since deployments are often dispatched', () => {
    const checks = [aDeployCheck({ kind: 'check', event: 'workflow_dispatch', state: 'failure' })];
    expect(resultOf({ environments: [], deployPatterns: ['argocd/*'], checks })).toBe('failed');
  });

  test('counts in its newest try', () => {
    const checks = [aDeployCheck({ state: 'failure' }), aDeployCheck({ startedAt: 9_000 })];
    expect(resultOf({ environments: [], deployPatterns: ['argocd/*'], checks })).toBe('deployed');
  });

  test('says nothing when it was skipped beside one that passed', () => {
    const checks = [aDeployCheck({ name: 'argocd/docs', state: 'skipped' }), aDeployCheck()];
    expect(resultOf({ environments: [], deployPatterns: ['argocd/*'], checks })).toBe('deployed');
  });

  test('spoils the pattern when one beside it passed and it did not', () => {
    const pairs = (['failure', 'waiting', 'running', 'cancelled'] as const).map((state) =>
      resultOf({
        environments: [],
        deployPatterns: ['argocd/*'],
        checks: [aDeployCheck({ name: 'argocd/eu', state }), aDeployCheck()],
      }),
    );
    expect(pairs).toEqual(['failed', 'approval', 'deploying', 'deploying']);
  });
});

describe('all places together', () => {
  test('nothing configured is not tracked, whatever was deployed', () => {
    expect(
      deploymentVerdict(
        inputsOf({ environments: [], deployments: [aDeployment({ state: 'failure' })], checks: [aDeployCheck()] }),
      ),
    ).toEqual({ result: 'not tracked', places: [] });
  });

  const order = ['failed', 'approval', 'missing', 'deploying', 'deployed'] as const;
  const evidenceOf: Record<(typeof order)[number], readonly Partial<Deployment>[]> = {
    failed: [{ state: 'failure' }],
    approval: [{ state: 'waiting' }],
    missing: [],
    deploying: [{ state: 'running' }],
    deployed: [{ state: 'success' }],
  };
  const pairs = order.flatMap((one, index) => order.slice(index).map((other) => [one, other] as const));
  test.each(pairs)('%s beside %s is the former, either way round', (worse, better) => {
    const both = [worse, better].flatMap((word, index) =>
      evidenceOf[word].map((over) => aDeployment({ ...over, environment: `place-${index}` })),
    );
    const late = { deployments: both, ageMs: 60 * minute };
    expect(resultOf({ ...late, environments: ['place-0', 'place-1'] })).toBe(worse);
    expect(resultOf({ ...late, environments: ['place-1', 'place-0'] })).toBe(worse);
  });

  test('environments and patterns are both needed, and are reported place by place', () => {
    const inputs = inputsOf({
      environments: ['Production'],
      deployments: [aDeployment({ url: 'https://deploy.example/1' }), aDeployment({ environment: 'staging' })],
      deployPatterns: ['argocd/*'],
      checks: [aDeployCheck({ state: 'failure', url: 'https://argo.example/2' })],
    });
    expect(deploymentVerdict(inputs)).toEqual({
      result: 'failed',
      places: [
        { kind: 'environment', name: 'Production', result: 'deployed', url: 'https://deploy.example/1' },
        { kind: 'pattern', name: 'argocd/*', result: 'failed', url: 'https://argo.example/2' },
      ],
    });
  });

  test('of two deployments at one instant the worse counts, and of two alike always the same is linked', () => {
    const failed = ['https://deploy.example/2', 'https://deploy.example/1'].map((url) =>
      aDeployment({ state: 'failure', url }),
    );
    const all = [...failed, aDeployment({ state: 'running' })];
    const expected = { kind: 'environment', name: 'production', result: 'failed', url: 'https://deploy.example/1' };
    expect(deploymentVerdict(inputsOf({ deployments: all })).places).toEqual([expected]);
    expect(deploymentVerdict(inputsOf({ deployments: all.toReversed() })).places).toEqual([expected]);
  });

  test('an environment of another name is no evidence', () => {
    expect(resultOf({ deployments: [aDeployment({ environment: 'production-eu' })] })).toBe('deploying');
  });
});

// ---------------------------------------------------------------------------------------------------------------

const someDeployment: fc.Arbitrary<Deployment> = fc.record({
  environment: fc.constantFrom('production', 'staging'),
  sha: fc.constantFrom('a', 'b'),
  containsOurs: fc.boolean(),
  state: fc.constantFrom(...states),
  everSucceeded: fc.boolean(),
  createdAt: fc.integer({ min: 1, max: 3 }),
  url: fc.constantFrom('https://deploy.example/1', 'https://deploy.example/2', null),
});
const someInputs: fc.Arbitrary<DeploymentInputs> = fc.record({
  deployments: fc.array(someDeployment, { maxLength: 6 }),
  checks: fc.array(
    fc
      .record({
        name: fc.constantFrom('argocd/shop', 'argocd/docs', 'unit'),
        state: fc.constantFrom<Check['state']>('success', 'failure', 'running', 'skipped', 'cancelled', 'unknown'),
        startedAt: fc.option(fc.integer({ min: 1, max: 3 })),
      })
      .map(aDeployCheck),
    { maxLength: 4 },
  ),
  environments: fc.subarray(['production', 'staging']),
  deployPatterns: fc.subarray(['argocd/*']),
  ageMs: fc.integer({ min: 0, max: 70 * minute }),
  deadlineMs: fc.constant(deploymentDefaults.deadlineMs),
});

describe('whatever was deployed', () => {
  test('the order of deployments and checks does not matter', () => {
    const shuffled = someInputs.chain((inputs) =>
      fc.record({
        inputs: fc.constant(inputs),
        deployments: fc.shuffledSubarray([...inputs.deployments], { minLength: inputs.deployments.length }),
        checks: fc.shuffledSubarray([...inputs.checks], { minLength: inputs.checks.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ inputs, deployments, checks }) => {
        expect(deploymentVerdict({ ...inputs, deployments, checks })).toEqual(deploymentVerdict(inputs));
      }),
    );
  });

  test('deployed is said only with a proof for every environment', () => {
    fc.assert(
      fc.property(someInputs, (inputs) => {
        fc.pre(deploymentVerdict(inputs).result === 'deployed');
        for (const name of inputs.environments) {
          const proof = inputs.deployments.some(
            (one) => one.environment === name && one.containsOurs && (one.everSucceeded || one.state === 'success'),
          );
          expect(proof).toBe(true);
        }
        if (inputs.deployPatterns.length > 0) {
          expect(inputs.checks.some((one) => one.name.startsWith('argocd/') && one.state === 'success')).toBe(true);
        }
      }),
    );
  });

  test('a deployment that does not contain ours, even of the newest time, changes nothing', () => {
    fc.assert(
      fc.property(someInputs, someDeployment, (inputs, deployment) => {
        const foreign = { ...deployment, containsOurs: false, createdAt: 9 };
        expect(deploymentVerdict({ ...inputs, deployments: [...inputs.deployments, foreign] })).toEqual(
          deploymentVerdict(inputs),
        );
      }),
    );
  });

  test('containment counts, never an equal commit', () => {
    const batch = [aDeployment({ sha: 'a-later-commit', containsOurs: true })];
    const stranger = [aDeployment({ sha: 'c0ffee', containsOurs: false })];
    expect([resultOf({ deployments: batch }), resultOf({ deployments: stranger })]).toEqual(['deployed', 'deploying']);
  });

  test('time alone only turns deploying into missing', () => {
    fc.assert(
      fc.property(someInputs, fc.nat(70 * minute), (inputs, moreMs) => {
        const before = deploymentVerdict(inputs).result;
        const later = deploymentVerdict({ ...inputs, ageMs: inputs.ageMs + moreMs }).result;
        if (before === 'deploying') expect(['deploying', 'missing']).toContain(later);
        else expect(later).toBe(before);
      }),
    );
  });
});
