import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Control, controlNames, parseControl } from '../../lib/core/control.ts';

const good = JSON.stringify({
  t3Url: 'https://t3.example.com',
  defaults: { model: 'claude-opus', workspaceRoot: '/srv/{owner}__{name}' },
});
const armed = { 'kill-switch': 'false', allowlist: 'acme/app', settings: good };

const control = (values: Readonly<Record<string, string>>, problem: string | null = null): Control =>
  parseControl(new Map(Object.entries(values).map(([name, value]) => [`/afk/control/${name}`, value])), problem);
const on = (values: Readonly<Record<string, string>>) => {
  const read = control(values);
  if (read.state === 'off') throw new Error(read.reason);
  return read;
};

describe('Off means off: only the exact word false arms', () => {
  test.each(['false', 'FALSE', ' False\n', '\tfalse '])('%j is off the brake', (word) => {
    expect(control({ ...armed, 'kill-switch': word })).toMatchObject({ state: 'on', noDispatch: null });
  });

  test.each(['true', ' TRUE '])('%j is the operator’s own decision', (word) => {
    expect(control({ ...armed, 'kill-switch': word })).toEqual({
      state: 'off',
      reason: 'the kill switch is on',
      unreadable: false,
      halt: null,
    });
  });

  test.each(['', '0', 'no', 'off', 'falsе', 'false;', 'fal se', '"false"', 'false false', 'null', 'ｆａｌｓｅ'])(
    '%j is on, and says what it reads',
    (word) => {
      const read = control({ ...armed, 'kill-switch': word });
      expect(read).toMatchObject({ state: 'off', unreadable: true });
      expect(read.state === 'off' && read.reason).toContain('neither true nor false');
    },
  );

  test('a letter that only looks right is spelled out', () => {
    const read = control({ ...armed, 'kill-switch': 'fals\u0435' });
    expect(read.state === 'off' && read.reason).toContain('fals\\u{435}');
  });

  test('no text but false arms', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(text.trim().toLowerCase() !== 'false');
        expect(control({ ...armed, 'kill-switch': text }).state).toBe('off');
      }),
    );
  });

  test('a switch that is absent is on', () => {
    const { 'kill-switch': _, ...rest } = armed;
    expect(control(rest)).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringContaining('absent') });
  });

  test('a read that failed is on, whatever else was answered, and its words are cleaned and redacted', () => {
    const read = control(armed, 'time-out\u001b[31m after 2500 ms, Bearer abcdefghijklmnopqrstuvwx');
    expect(read).toEqual({
      state: 'off',
      reason: 'the control parameters could not be read: time-out after 2500 ms, Bearer [redacted]',
      unreadable: true,
      halt: null,
    });
  });

  test('nothing configured is disarmed, as shipped and even with the switch off', () => {
    expect(control({}).state).toBe('off');
    expect(control({ 'kill-switch': 'true', allowlist: 'none', settings: '{}' })).toMatchObject({ unreadable: false });
    expect(control({ 'kill-switch': 'false', allowlist: 'none', settings: '{}' })).toMatchObject({
      state: 'off',
      unreadable: true,
    });
  });

  test('settings that do not hold disarm, and the key is named', () => {
    const read = control({ ...armed, settings: good.replace('t3Url', 't3Uri') });
    expect(read).toMatchObject({ state: 'off', unreadable: true });
    expect(read.state === 'off' && read.reason).toContain('unknown key "t3Uri"');
    const { settings: _, ...rest } = armed;
    expect(control(rest)).toMatchObject({
      state: 'off',
      unreadable: true,
      reason: expect.stringContaining('settings is absent'),
    });
  });

  test('the operator’s own true is told before anything broken', () => {
    expect(control({ 'kill-switch': 'true', settings: '{' })).toMatchObject({ unreadable: false });
  });

  test('any parameters give an answer, and a short one', () => {
    const values = fc.dictionary(
      fc.constantFrom('kill-switch', 'allowlist', 'allowlist-2', 'settings'),
      fc.oneof(fc.string(), fc.constantFrom('false', good)),
    );
    fc.assert(
      fc.property(values, (each) => {
        const read = control(each);
        expect((read.state === 'off' ? read.reason : (read.noDispatch ?? '')).length).toBeLessThanOrEqual(2100);
      }),
    );
  });
});

describe('Two gates: only what is exactly enrolled may start, and what is out is still watched', () => {
  test('names are parted by commas or white space, without case, once, over all parts', () => {
    const read = on({
      ...armed,
      allowlist: ' Acme/App,,\n acme/web\tx.y/z_1 ',
      'allowlist-2': 'b/2 acme/app',
      'allowlist-7': 'b/7',
    });
    expect(read.allowlist).toEqual(['acme/app', 'acme/web', 'x.y/z_1', 'b/2', 'b/7']);
    expect(read.noDispatch).toBeNull();
  });

  test.each(['none', ' NONE ', ' , '])('%j enrols nobody', (allowlist) => {
    expect(on({ ...armed, allowlist })).toMatchObject({ allowlist: [], noDispatch: 'no repo is enrolled' });
  });

  test('a further part that reads none is empty', () => {
    expect(on({ ...armed, 'allowlist-2': 'none' })).toMatchObject({ allowlist: ['acme/app'], noDispatch: null });
  });

  test('a first part that reads none stops what further parts name', () => {
    expect(on({ ...armed, allowlist: 'none', 'allowlist-2': 'acme/app' }).noDispatch).toContain('reads none');
  });

  test('an absent list starts nothing', () => {
    const { allowlist: _, ...rest } = armed;
    expect(on(rest).noDispatch).toContain('/afk/control/allowlist is absent');
    expect(on({ ...rest, 'allowlist-2': 'acme/app' }).noDispatch).toContain('absent');
  });

  test.each([
    ['acme/*', '"acme/*"'],
    ['*', '"*"'],
    ['acme', '"acme"'],
    ['acme/app/x', '"acme/app/x"'],
    ['https://github.com/acme/app', '"https://github.com/acme/app"'],
    ['acme/..', '"acme/.."'],
    ['acme/app;acme/web', '"acme/app;acme/web"'],
    ['acme/a\u200bpp', '"acme/a\\u{200b}pp"'],
    ['acme/\u212ait', '"acme/\\u{212a}it"'],
    ['acme/\u0007', '"acme/\\u{7}"'],
    ['acme/other none', '"none"'],
    ['a'.repeat(300), `"${'a'.repeat(60)}…"`],
  ])('one malformed entry stops all dispatch, is named, and enrols nothing: %j', (entry, shown) => {
    const read = on({ ...armed, 'allowlist-3': `b/c ${entry}` });
    expect(read.noDispatch).toContain(`/afk/control/allowlist-3 holds ${shown}`);
    expect(read.allowlist).toEqual(expect.arrayContaining(['acme/app', 'b/c']));
    expect(read.allowlist).not.toContain('acme/kit');
    for (const name of read.allowlist) expect(name).toMatch(/^[a-z/]+$/);
  });
});

test('nine names are asked for, all under control: the secrets are none of them', () => {
  expect(controlNames).toHaveLength(9);
  expect(new Set(controlNames).size).toBe(9);
  for (const name of controlNames)
    expect(name).toMatch(/^\/afk\/control\/(?:kill-switch|settings|allowlist(?:-[2-7])?)$/);
});

describe('the halt: an operator’s flip is told from what shipped', () => {
  const on = new Map([
    ['/afk/control/kill-switch', 'true'],
    ['/afk/control/settings', armed.settings],
  ]);
  test('a second version carries the instant of the flip and where the agents are', () => {
    expect(parseControl(on, null, { version: 2, changedAt: 1000 })).toMatchObject({
      state: 'off',
      halt: { since: 1000, settings: { maxOpenRuns: 5 } },
    });
  });
  test.each([
    ['as shipped', on, { version: 1, changedAt: 1000 }],
    ['without a stamp', on, null],
    [
      'without settings that can be read',
      new Map([['/afk/control/kill-switch', 'true']]),
      { version: 2, changedAt: 1000 },
    ],
    [
      'a word that is neither',
      new Map([...on, ['/afk/control/kill-switch', 'maybe']]),
      { version: 2, changedAt: 1000 },
    ],
  ])('nothing is halted %s', (_, parameters, stamp) => {
    expect(parseControl(parameters, null, stamp)).toMatchObject({ state: 'off', halt: null });
  });
});
