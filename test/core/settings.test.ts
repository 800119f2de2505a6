import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSettings, type Settings, settingsFor, settingsTable } from '../../lib/core/settings.ts';
import { workspaceRootOf } from '../../lib/core/workspace-root.ts';

const required = { model: 'claude-opus', workspaceRoot: '/srv/checkouts/{owner}__{name}' };
const minimal = { t3Url: 'https://t3.example.com', defaults: required };

const parsed = (value: unknown): Settings => {
  const result = parseSettings(JSON.stringify(value));
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.settings;
};
const problemsOf = (value: unknown): string[] => {
  const result = parseSettings(typeof value === 'string' ? value : JSON.stringify(value));
  return result.ok ? [] : result.problems;
};
const withDefaults = (over: object) => ({ ...minimal, defaults: { ...required, ...over } });

describe('settings that do not hold are refused, by name and with the way out', () => {
  test('what is shipped is refused, naming everything that is missing', () => {
    const problems = problemsOf('{}');
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('t3Url is missing: it must be the https URL');
    expect(problems[1]).toContain('defaults is missing');
    expect(problems[1]).toContain('"model"');
    expect(problems[1]).toContain('"workspaceRoot"');
  });

  test.each(['', '{', 'null', '[]', '"x"', '7', '{"t3Url"'])('%j is no settings', (text) => {
    expect(problemsOf(text)).toHaveLength(1);
  });

  test.each([
    ['a key nobody knows', { ...minimal, maxOpenRun: 3 }, 'unknown key "maxOpenRun": known here: t3Url'],
    ['a key in the wrong place', { ...minimal, nudgesMax: 3 }, 'unknown key "nudgesMax": it belongs under "defaults"'],
    [
      'a key for all under one',
      withDefaults({ maxOpenRuns: 3 }),
      'defaults: unknown key "maxOpenRuns": it belongs at the top',
    ],
    ['a label nobody knows', withDefaults({ labels: { blocked: 'x' } }), 'defaults.labels: unknown key "blocked"'],
    [
      'a repo’s unknown key',
      { ...minimal, repos: { 'acme/app': { modle: 'x' } } },
      'repos["acme/app"]: unknown key "modle"',
    ],
    ['a wildcard', { ...minimal, repos: { 'acme/*': {} } }, 'repos: "acme/*" is no exact "owner/name"'],
    ['the key of all objects', '{"__proto__":{}}', '"__proto__"'],
    ['a repo called after it', '{"repos":{"__proto__":{"noCi":"accept"}}}', '"__proto__"'],
    [
      'too many attempts',
      withDefaults({ fixForwardMaxAttempts: 51 }),
      'defaults.fixForwardMaxAttempts must be a whole number from 0 to 50, not 51',
    ],
    [
      'half a nudge',
      withDefaults({ nudgesMax: 0.5 }),
      'defaults.nudgesMax must be a whole number from 0 to 10, not 0.5',
    ],
    ['no time at all', withDefaults({ fixForwardMaxSeconds: 0 }), 'defaults.fixForwardMaxSeconds must be'],
    ['no runs at all', { ...minimal, maxOpenRuns: 0 }, 'maxOpenRuns must be a whole number from 1 to 100, not 0'],
    ['free of charge', { ...minimal, budgetUsdPerDay: 0 }, 'budgetUsdPerDay must be'],
    ['a number in words', { ...minimal, maxRunsPerDay: 'many' }, 'maxRunsPerDay must be a whole number'],
    ['a word of its own', withDefaults({ noCi: 'ignore' }), 'defaults.noCi must be one of "escalate", "accept"'],
    [
      'a way of landing nobody knows',
      withDefaults({ landing: 'merge' }),
      'defaults.landing must be one of "push", "pull-request"',
    ],
    ['a string for a switch', withDefaults({ paused: 'false' }), 'defaults.paused must be true or false'],
    ['a label with a comma', withDefaults({ labels: { ready: 'a,b' } }), 'defaults.labels.ready must be a label'],
    [
      'one label for two things',
      withDefaults({ labels: { hold: 'Ready-For-Agent' } }),
      'defaults.labels must be four different labels',
    ],
    ['a list with a hole', withDefaults({ environments: ['production', ''] }), 'defaults.environments[1] must be'],
    ['no model', { ...minimal, defaults: { workspaceRoot: '/x/{owner}/{name}' } }, 'defaults.model is missing'],
    ['a repo twice', { ...minimal, repos: { 'acme/app': {}, 'Acme/App': {} } }, '"Acme/App" is there twice'],
    [
      'two repos in one checkout',
      { ...minimal, repos: { 'a/b': { workspaceRoot: '/srv/x' }, 'c/d': { workspaceRoot: '/srv/x' } } },
      'repos["c/d"].workspaceRoot is the path of another repo too',
    ],
  ])('%s', (_, value, problem) => {
    const problems = problemsOf(value);
    expect(problems.some((each) => each.startsWith(problem) || each.includes(problem))).toBe(true);
  });

  test('no text that was set is repeated, since it may be a password', () => {
    const value = {
      ...minimal,
      t3Url: 'https://u:hunter2@t3.example.com',
      defaults: { ...required, model: 'hunter2 x', noCi: 'hunter2', workspaceRoot: 'hunter2' },
    };
    expect(problemsOf(value)).toHaveLength(4);
    expect(problemsOf(value).join()).not.toContain('hunter2');
    expect(problemsOf('{"t3Url": hunter2}').join()).not.toContain('hunter2');
  });

  test('whatever the text, there is an answer, and it is short', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          defaults: fc.dictionary(fc.string(), fc.jsonValue()),
          repos: fc.dictionary(fc.string(), fc.jsonValue()),
        })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (each) => {
        const result = parseSettings(each);
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        expect(result.problems.length).toBeLessThanOrEqual(20);
        for (const problem of result.problems) expect(problem.length).toBeLessThanOrEqual(500);
      }),
    );
  });

  test('a flood of problems is cut, and says so', () => {
    const repos = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`acme/r${n}`, { [`k${n}`]: 1 }]));
    const problems = problemsOf({ ...minimal, repos });
    expect(problems).toHaveLength(20);
    expect(problems.at(-1)).toBe('and 31 more');
    expect(problemsOf(' '.repeat(70_000))[0]).toContain('longer than');
  });
});

describe('the executor is reached over https, or over a network that is nobody else’s', () => {
  test.each([
    'https://t3.example.com',
    'https://8.8.8.8:3773',
    'http://localhost:3773',
    'http://127.0.0.1:3773',
    'http://127.9.9.9',
    'http://[::1]:3773',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://172.31.255.254',
    'http://192.168.1.2',
    'http://100.64.0.1',
    'http://100.127.255.254',
    'http://[fd12:3456::1]',
    'http://t3.local',
    'http://t3.prod.internal',
    'http://box.tail1234.ts.net:3773',
  ])('%s', (t3Url) => {
    expect(parsed({ ...minimal, t3Url }).t3Url).toBe(t3Url);
  });

  test.each([
    'http://t3.example.com',
    'http://8.8.8.8',
    'http://172.15.0.1',
    'http://172.32.0.1',
    'http://192.169.0.1',
    'http://100.63.0.1',
    'http://100.128.0.1',
    'http://11.0.0.1',
    'http://128.0.0.1',
    'http://134744072',
    'http://[fe80::1]',
    'http://[::ffff:8.8.8.8]',
    'http://[fd::1]',
    'http://notlocalhost',
    'http://localhost.example.com',
    'http://10.0.0.1.example.com',
    'http://local',
    'http://evil-ts.net',
    'ftp://t3.example.com',
    'https://user:word@t3.example.com',
    'https://t3.example.com/?x=1',
    'https://t3.example.com/#x',
    'https://t3.example.com?',
    ' https://t3.example.com',
    't3.example.com',
    '',
  ])('not %j', (t3Url) => {
    expect(problemsOf({ ...minimal, t3Url }).join()).toContain('t3Url must be');
  });

  test('a slash at the end is taken off, a path stays', () => {
    expect(parsed({ ...minimal, t3Url: 'https://T3.example.com:443/base//' }).t3Url).toBe(
      'https://t3.example.com/base',
    );
  });
});

describe('each repo has a checkout of its own, inside the place that was set', () => {
  test.each([
    'srv/{owner}/{name}',
    '/srv/../{owner}/{name}',
    '/srv/./{owner}/{name}',
    '/srv/{owner}/{repo}',
    '/srv/{owner}/{name}/{',
    '/srv/{owner}/\n{name}',
    '/',
    '~/x',
  ])('%j is no path', (workspaceRoot) => {
    expect(problemsOf(withDefaults({ workspaceRoot })).join()).toContain(
      'defaults.workspaceRoot must be an absolute path',
    );
  });

  test.each(['/srv/{name}', '/srv/{owner}', '/srv/{owner}{name}', '/srv/{owner}-{name}', '/srv/app'])(
    '%j would be shared',
    (workspaceRoot) => {
      expect(problemsOf(withDefaults({ workspaceRoot })).join()).toContain('would share a checkout');
    },
  );

  test('one repo’s own path may be plain', () => {
    const settings = parsed({ ...minimal, repos: { 'acme/app': { workspaceRoot: '/home/agent/app' } } });
    expect(settingsFor(settings, 'acme/app').workspaceRoot).toBe('/home/agent/app');
  });

  test.each([
    '../etc/passwd',
    'acme/..',
    './app',
    'acme/app/..',
    'acme',
    'acme/',
    '/app',
    'acme/a b',
    'acme/a\n',
    'acme/$&',
    'acme/é',
  ])('%j is no name to make a path of', (name) => {
    expect(() => settingsFor(parsed(minimal), name)).toThrow();
  });

  const part = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
  test('a path stays below its root, with the very names', () => {
    fc.assert(
      fc.property(part, part, (owner, name) => {
        expect(workspaceRootOf('/srv/{owner}/{name}/x', `${owner}/${name}`)).toBe(`/srv/${owner}/${name}/x`);
      }),
    );
  });

  // An account's name has no two underscores in a row, and none at its end.
  const owner = fc.stringMatching(/^[a-z0-9](?:[_-]?[a-z0-9]){0,6}$/);
  test('two repos never get the same path', () => {
    fc.assert(
      fc.property(owner, part, owner, part, (ownerA, nameA, ownerB, nameB) => {
        const [a, b] = [`${ownerA}/${nameA}`, `${ownerB}/${nameB}`];
        fc.pre(a !== b);
        for (const pattern of ['/s/{owner}__{name}', '/s/{name}__{owner}', '/s/{owner}/{name}'])
          expect(workspaceRootOf(pattern, a)).not.toBe(workspaceRootOf(pattern, b));
      }),
    );
  });
});

describe('what holds for a repo: its own, then the defaults, then what is shipped', () => {
  test('the shipped defaults are the design’s', () => {
    const settings = parsed(minimal);
    expect(settings).toMatchObject({ maxOpenRuns: 5, maxRunsPerDay: 20, budgetUsdPerDay: 100 });
    expect(settingsFor(settings, 'acme/app')).toEqual({
      model: 'claude-opus',
      workspaceRoot: '/srv/checkouts/acme__app',
      labels: { ready: 'ready-for-agent', inProgress: 'agent-in-progress', human: 'ready-for-human', hold: 'afk-hold' },
      fixForwardMaxAttempts: 5,
      fixForwardMaxMs: 3_600_000,
      nudgesMax: 1,
      restartsMax: 1,
      budgetUsd: 20,
      usdPerMillionTokens: 5,
      providerInstance: 'claudeAgent',
      runtimeMode: 'full-access',
      noCi: 'escalate',
      landing: 'push',
      baselineRed: 'hold',
      environments: [],
      deployPatterns: [],
      agentLogins: [],
      allowTriage: false,
      allowThroughApp: true,
      requireTrustedAuthor: false,
      paused: false,
    });
  });

  test('an override is found without case, and leaves the other repos alone', () => {
    const settings = parsed({
      ...withDefaults({ nudgesMax: 2, labels: { ready: 'go' } }),
      repos: {
        'Acme/App': {
          nudgesMax: 0,
          paused: true,
          landing: 'pull-request',
          labels: { hold: 'stop' },
          fixForwardMaxSeconds: 60,
        },
      },
    });
    expect(settingsFor(settings, 'acme/app')).toMatchObject({
      nudgesMax: 0,
      paused: true,
      landing: 'pull-request',
      fixForwardMaxMs: 60_000,
      labels: { ready: 'go', hold: 'stop', human: 'ready-for-human' },
    });
    expect(settingsFor(settings, 'acme/other')).toMatchObject({
      nudgesMax: 2,
      paused: false,
      landing: 'push',
      labels: { ready: 'go', hold: 'afk-hold' },
    });
  });
});

test('every setting has a meaning, a unit and a default to be shown', () => {
  const table = settingsTable();
  for (const row of table) for (const cell of Object.values(row)) expect(cell).not.toBe('');
  expect(table.filter((row) => row.default === 'required').map(({ name }) => name)).toEqual([
    't3Url',
    'defaults.model',
    'defaults.workspaceRoot',
  ]);
  const shown = Object.fromEntries(table.map((row) => [row.name, row.default]));
  expect(shown).toMatchObject({
    maxOpenRuns: '5',
    'defaults.environments': 'none',
    'defaults.labels.hold': 'afk-hold',
    'defaults.paused': 'false',
  });
  // Every default that is shown is the one that holds.
  const { workspaceRoot: _, fixForwardMaxMs, labels, ...rest } = settingsFor(parsed(minimal), 'acme/app');
  for (const [name, value] of Object.entries({ ...rest, fixForwardMaxSeconds: fixForwardMaxMs / 1000 }))
    if (name !== 'model')
      expect(shown[`defaults.${name}`]).toBe(Array.isArray(value) ? value.join() || 'none' : String(value));
  for (const [name, value] of Object.entries(labels)) expect(shown[`defaults.labels.${name}`]).toBe(value);
});
