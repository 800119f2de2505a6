import { describe, expect, test } from 'vitest';
import { ruleDetailed } from '../../lib/core/closer-look.ts';
import type { IssueDetail } from '../../lib/core/issue.ts';
import type { ItemOf } from '../../lib/core/record.ts';
import { isRemembered, rulings } from '../../lib/core/ruling.ts';
import type { Trust } from '../../lib/core/trust.ts';
import { aDetail, labelledAt, labelling } from './issue-builders.ts';

const labels = {
  ready: 'ready-for-agent',
  inProgress: 'agent-in-progress',
  human: 'ready-for-human',
  hold: 'afk-hold',
};
const act = { id: 'LE_1', by: 'maintainer', at: labelledAt };
const trusted: Trust = { trusted: true, act, throughApp: null };
const untrusted = (row: number): Trust => ({
  trusted: false,
  row,
  reason: 'stranger may only read',
  remedy: 'put it on again',
});

const memory = (spent: Partial<NonNullable<ItemOf<'issue'>['spent']>>): ItemOf<'issue'> => ({
  kind: 'issue',
  host: 'github.com',
  repoId: '1',
  number: 7,
  spent: { actId: 'LE_0', actAt: labelledAt - 1000, outcome: 'done', runId: 'r', commits: [], ...spent },
  refusal: null,
  releases: null,
  coolUntil: null,
  told: null,
  changedAt: 0,
});
const rule = (detail: IssueDetail | null, trust: Trust = trusted, remembered: ItemOf<'issue'> | null = null) =>
  ruleDetailed(detail, trust, remembered, { labels });
const labelled = (...names: string[]) => names.map((name) => ({ id: `L_${name}`, name }));
const handed = (at: number, id = 'H') =>
  labelling({ id, at, label: { id: 'L_ready-for-human', name: 'ready-for-human' } });

test('a trusted issue with nothing in its way is dispatched, for the act that authorises it', () => {
  expect(rule(aDetail())).toEqual({ ruling: 'dispatch', act, detail: 'labelled by maintainer' });
});

test('where the label was put on through an app, the ruling names it', () => {
  expect(rule(aDetail(), { ...trusted, throughApp: 'some\u200b-app' })).toMatchObject({
    detail: 'labelled by maintainer through the app some-app',
  });
});

describe('the detail is fresher than the list', () => {
  test.each([
    ['gone', null],
    ['closed', aDetail({ open: false })],
    ['repo archived', aDetail({ archived: true })],
    ['locked', aDetail({ locked: true })],
    ['label gone', aDetail({ labels: labelled('bug') })],
    ['hold label', aDetail({ labels: labelled('ready-for-agent', 'Afk-Hold') })],
    ['parent', aDetail({ openSubIssues: 1 })],
    ['blocked', aDetail({ blockers: { openCount: 1, listed: [] } })],
    ['blocked', aDetail({ body: 'Blocked by #3' })],
    ['too long', aDetail({ title: 'x', body: 'x'.repeat(100_000) })],
  ] as const)('%s', (ruling, detail) => {
    expect(rule(detail).ruling).toBe(ruling);
  });

  test('a text that just fits is not too long', () => {
    expect(rule(aDetail({ title: 'x', body: 'x'.repeat(99_999) })).ruling).toBe('dispatch');
  });

  test('a blocker the list did not name yet counts as open until it is read', () => {
    const detail = aDetail({ body: 'Blocked by #3' });
    const with_ = (state: 'open' | 'closed') =>
      ruleDetailed(detail, trusted, null, { labels }, new Map([['acme/app#3', state]]));
    expect(with_('closed').ruling).toBe('dispatch');
    expect(with_('open')).toEqual({ ruling: 'blocked', detail: 'blocked by acme/app#3' });
    expect(rule(detail).detail).toBe('blocked by acme/app#3 (cannot be read)');
  });

  test('blockers nobody may see are counted all the same, and those seen are named', () => {
    expect(rule(aDetail({ blockers: { openCount: 2, listed: ['acme/lib#4'] } })).detail).toContain(
      "2 open by the tracker's count (acme/lib#4)",
    );
  });
});

describe('Trust is the labelling act: a refusal says which rule', () => {
  test.each([
    ...[1, 3, 4, 5, 6, 8, 9, 10].map((row) => [row, 'not trusted'] as const),
    ...[12, 13, 14, 15, 16].map((row) => [row, 'changed since'] as const),
    [2, 'label gone'] as const,
    [17, 'locked'] as const,
  ])('row %i is told as %s', (row, ruling) => {
    expect(rule(aDetail(), untrusted(row))).toEqual({
      ruling,
      detail: `stranger may only read (rule ${row}): put it on again`,
    });
  });

  test('what nobody answered is neither a refusal to remember nor leave to go on', () => {
    const ruled = rule(aDetail(), { trusted: null, unknown: ['maintainer'] });
    expect(ruled).toEqual({ ruling: 'trust unknown', detail: 'no answer yet on the rights of maintainer' });
    expect(rulings.filter((ruling) => !isRemembered(ruling))).toEqual(['trust unknown', 'dispatch']);
  });
});

describe('No double dispatch: one labelling act starts at most one run', () => {
  test.each<[string, Partial<NonNullable<ItemOf<'issue'>['spent']>>, string]>([
    ['the very act had its run', { actId: 'LE_1' }, 'already run'],
    ['a later act had its run', { actAt: labelledAt + 1000 }, 'already run'],
    ['an act with the same stamp had its run', { actAt: labelledAt }, 'already run'],
    ['cancelled is over too', { actId: 'LE_1', outcome: 'cancelled' }, 'already run'],
    ['an earlier act had its run', {}, 'dispatch'],
    ['escalated, not labelled again', { actId: 'LE_1', outcome: 'escalated' }, 'with a human'],
    ['frozen, not labelled again', { actId: 'LE_1', outcome: 'frozen' }, 'with a human'],
    ['escalated, and labelled again', { outcome: 'escalated' }, 'dispatch'],
  ])('%s', (_, spent, ruling) => {
    expect(rule(aDetail(), trusted, memory(spent)).ruling).toBe(ruling);
  });

  test('a spent act stays spent where it is no longer trusted', () => {
    expect(rule(aDetail(), untrusted(12), memory({ actId: 'LE_1' })).ruling).toBe('already run');
    expect(rule(aDetail(), untrusted(12), memory({ actAt: labelledAt })).ruling).toBe('already run');
  });

  test('where the act the trust names is not the newest seen, the spent one still starts nothing', () => {
    const events = [labelling(), labelling({ id: 'LE_2', at: labelledAt + 1 })];
    expect(rule(aDetail({ events }), trusted, memory({ actId: 'LE_1' })).ruling).toBe('already run');
  });
});

describe('A handed-back issue stays handed back until a trusted person labels it again', () => {
  const both = labelled('ready-for-agent', 'ready-for-human');
  test.each([
    ['handed over after the labelling', [labelling(), handed(labelledAt + 1000)], 'with a human'],
    ['handed over before it', [handed(labelledAt - 1000), labelling()], 'dispatch'],
    ['in the same second, after it', [labelling(), handed(labelledAt)], 'with a human'],
    ['in the same second, before it', [handed(labelledAt), labelling()], 'dispatch'],
    ['nobody knows when', [labelling()], 'with a human'],
    ['handed over again since', [handed(labelledAt - 1000), labelling(), handed(labelledAt + 5, 'H2')], 'with a human'],
  ] as const)('%s', (_, events, ruling) => {
    expect(rule(aDetail({ labels: both, events })).ruling).toBe(ruling);
  });

  test('a labelling that is not trusted does not take it back', () => {
    expect(rule(aDetail({ labels: both, events: [handed(labelledAt - 1000), labelling()] }), untrusted(9)).ruling).toBe(
      'not trusted',
    );
  });

  test('the label being off again, only the record speaks', () => {
    expect(rule(aDetail({ events: [labelling(), handed(labelledAt + 1000)] })).ruling).toBe('dispatch');
  });
});

test('of every combination only what is open, labelled, free, trusted and not yet run is dispatched', () => {
  const yesOrNo = [true, false];
  let dispatched = 0;
  for (const open of yesOrNo)
    for (const locked of yesOrNo)
      for (const archived of yesOrNo)
        for (const on of [
          ['ready-for-agent'],
          ['ready-for-agent', 'afk-hold'],
          ['ready-for-agent', 'ready-for-human'],
          ['bug'],
          [],
        ])
          for (const openSubIssues of [0, 1])
            for (const body of ['', 'Blocked by #1'])
              for (const trust of [
                trusted,
                untrusted(9),
                untrusted(12),
                { trusted: null, unknown: ['x'] } satisfies Trust,
              ])
                for (const [spent, isSpent] of [
                  [null, false],
                  [memory({}), false],
                  [memory({ actId: 'LE_1' }), true],
                  [memory({ actAt: labelledAt }), true],
                ] as const) {
                  const ruled = rule(
                    aDetail({ open, locked, archived, labels: labelled(...on), openSubIssues, body }),
                    trust,
                    spent,
                  );
                  expect(ruled.detail.length).toBeGreaterThan(0);
                  const may =
                    open &&
                    !locked &&
                    !archived &&
                    on.join() === 'ready-for-agent' &&
                    openSubIssues === 0 &&
                    body === '' &&
                    trust === trusted &&
                    !isSpent;
                  expect(ruled.ruling === 'dispatch').toBe(may);
                  dispatched += Number(may);
                }
  expect(dispatched).toBe(2);
});
