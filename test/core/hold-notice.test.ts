import { describe, expect, test } from 'vitest';
import { type Hold, holdNotice, holdOf, mayBeTold } from '../../lib/core/hold-notice.ts';
import { markerOf, markerOfAct } from '../../lib/core/ids.ts';
import type { Actor, IssueDetail, Permission } from '../../lib/core/issue.ts';
import { Item, newMemory } from '../../lib/core/record.ts';
import { shipped } from '../../lib/core/settings-schema.ts';
import { judgeTrust, type TrustPolicy } from '../../lib/core/trust.ts';
import { aDetail, edit, happened, labelledAt, labelling, user } from './issue-builders.ts';

const ready = 'ready-for-agent';
const rights: ReadonlyMap<string, Permission> = new Map<string, Permission>([
  ['maintainer', { level: 'write', role: 'write' }],
  ['triager', { level: 'read', role: 'triage' }],
  ['stranger', { level: 'read', role: 'read' }],
]);
const policy: TrustPolicy = { ...shipped, readyLabel: ready, agentLogins: ['agent-bot'] };
const heldIn = (detail: IssueDetail, over: Partial<TrustPolicy> = {}): Hold | null =>
  holdOf(detail, judgeTrust(detail, rights, { ...policy, ...over }), ready);
const by = (actor: Actor) => aDetail({ events: [labelling({ actor })] });
const textOf = (hold: Hold | null): string => holdNotice(hold!).comment!.body;

describe('A hold is for whoever could mend it', () => {
  const maintained = { events: [labelling()] };
  const rows: readonly (readonly [row: number, who: string, asked: string, detail: IssueDetail])[] = [
    [1, 'no labelling to be seen', 'author', aDetail({ author: user('author'), events: [] })],
    [4, 'an account the agent acts as', 'agent-bot', by(user('agent-bot'))],
    [5, 'an agent’s suggestion', 'maintainer', aDetail({ labelling: { throughApp: null, byAgent: true } })],
    [8, 'triage only', 'triager', by(user('triager'))],
    [9, 'read only', 'stranger', by(user('stranger'))],
    [12, 'a body changed after it', 'maintainer', aDetail({ ...maintained, edits: [edit(labelledAt + 1000)] })],
    [
      13,
      'a title changed after it',
      'maintainer',
      aDetail({ events: [labelling(), happened('renamed', labelledAt + 1)] }),
    ],
    [14, 'reopened after it', 'maintainer', aDetail({ events: [labelling(), happened('reopened', labelledAt + 1)] })],
    [15, 'a body changed right before it', 'maintainer', aDetail({ ...maintained, edits: [edit(labelledAt - 5000)] })],
    [16, 'edits that were not read', 'maintainer', aDetail({ edits: { complete: false, list: [] } })],
  ];
  test.each(rows)('row %i, %s: asks %s', (row, _who, asked, detail) => {
    expect(heldIn(detail)).toMatchObject({
      row,
      by: asked,
      actId: detail.events.list.length === 0 ? 'none:I_7' : 'LE_1',
    });
  });

  test('row 6: somebody who labelled through an app that the policy does not allow', () => {
    const detail = aDetail({ labelling: { throughApp: 'helper', byAgent: false } });
    expect(heldIn(detail, { allowThroughApp: false })).toMatchObject({ row: 6, by: 'maintainer' });
  });

  test('row 18: somebody who labelled a stranger’s issue where a trusted author is required', () => {
    const hold = heldIn(aDetail(), { requireTrustedAuthor: true });
    expect(hold).toMatchObject({ row: 18, by: 'maintainer' });
    expect(textOf(hold)).toContain('stranger, who wrote the issue, may only read (rule 18).');
  });

  test.each([
    ['row 2, without the label', aDetail({ labels: [] })],
    ['row 2, taken off last', aDetail({ events: [labelling({ kind: 'unlabeled' })] })],
    ['row 17, locked', aDetail({ locked: true })],
    ['row 17, archived', aDetail({ archived: true })],
    ['row 3, an account that is gone', by(null)],
    ['row 3, no user', by({ login: 'acme', kind: 'other' })],
    // Without its suffix a bot is named like a person who may have every right.
    ['row 4, a bot named like a maintainer', by({ login: 'maintainer', kind: 'bot' })],
    ['row 1, an author who is gone', aDetail({ author: null, events: [] })],
    ['row 11, a right not known yet', by(user('somebody-new'))],
    ['row 7, trusted', aDetail()],
  ])('%s: nobody is asked', (_row, detail) => {
    expect(heldIn(detail)).toBeNull();
  });

  test('a label renamed into the ready one asks who had put it on', () => {
    const events = [labelling({ actor: user('triager'), label: { id: 'L_ready', name: 'nice' } })];
    expect(heldIn(aDetail({ events }))).toMatchObject({ row: 1, by: 'triager', actId: 'LE_1' });
  });

  test.each([
    ['admin', 'admin', true],
    ['write', 'maintain', true],
    ['read', 'triage', true],
    ['read', 'read', false],
    ['read', 'Triage ', false],
    ['none', 'triage', false],
    ['notFound', 'triage', false],
  ] as const)('%s with the role %j is told: %s', (level, role, told) => {
    expect(mayBeTold({ level, role })).toBe(told);
  });
});

describe('The notice says why and what to do, and touches nothing but its comment', () => {
  test.each([
    ['triage', by(user('triager'))],
    ['edited', aDetail({ edits: [edit(labelledAt + 1000)] })],
    ['unseen', aDetail({ events: [] })],
    ['edited-too-often', aDetail({ edits: { complete: false, list: [] } })],
  ])('%s, as it is read on the issue', async (name, detail) => {
    await expect(textOf(heldIn(detail))).toMatchFileSnapshot(`./snapshots/hold-${name}.md`);
  });

  test('its labels and state are nobody’s, and its marker is the act’s, never a run’s', () => {
    const { labels, comment, state } = holdNotice(heldIn(by(user('triager')))!);
    expect([labels, state]).toEqual([{ add: [], remove: [] }, 'as is']);
    expect(comment?.body.startsWith(`${markerOfAct('LE_1')}\n`)).toBe(true);
    expect(comment?.marker).not.toBe(markerOf('LE_1'));
  });

  test('a further labelling has a notice of its own, the same labelling the same one', () => {
    const one = heldIn(by(user('triager')));
    const other = heldIn(aDetail({ events: [labelling({ id: 'LE_2', actor: user('triager') })] }));
    expect(textOf(one)).toBe(textOf(heldIn(by(user('triager')))));
    expect(holdNotice(one!).comment?.marker).not.toBe(holdNotice(other!).comment?.marker);
  });

  test('what others chose a name for is quoted, redacted and bounded', () => {
    const token = `ghp_${'a'.repeat(36)}`;
    const app = `@everyone <img src=x> [x](https://evil.example) closes #1 ${token}`;
    const detail = aDetail({ labelling: { throughApp: app, byAgent: false } });
    const text = textOf(heldIn(detail, { allowThroughApp: false }));
    const open = text.replace(/`[^`\n]*`/g, '');
    expect(open).not.toMatch(/@|<img|\]\(|#1|ghp_/);
    expect(text).not.toContain(token);
    const long = holdNotice({
      actId: 'a',
      at: 0,
      by: 'x',
      row: 9,
      reason: 'w '.repeat(5000),
      remedy: 'v '.repeat(5000),
    });
    expect(long.comment!.body.length).toBeLessThan(2000);
  });
});

test('what the version before remembered of an issue was told to nobody', () => {
  const { told: _later, ...before } = newMemory({ host: 'github.com', id: '1' }, 7, 0);
  expect(Item.parse(before)).toEqual({ ...before, told: null });
});
