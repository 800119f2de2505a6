import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Actor, IssueDetail, Permission } from '../../lib/core/issue.ts';
import { shipped } from '../../lib/core/settings-schema.ts';
import { judgeTrust, type Trust, type TrustPolicy } from '../../lib/core/trust.ts';
import { aDetail, edit, happened, labelledAt, labelling, user } from './issue-builders.ts';

const policy: TrustPolicy = {
  ...shipped,
  readyLabel: 'ready-for-agent',
  agentLogins: ['Agent-Account'],
};
const permissions: ReadonlyMap<string, Permission> = new Map<string, Permission>([
  ['maintainer', { level: 'write', role: 'maintain' }],
  ['admin', { level: 'admin', role: 'admin' }],
  ['colleague', { level: 'write', role: 'write' }],
  ['custom', { level: 'write', role: 'triage' }],
  ['triager', { level: 'read', role: 'triage' }],
  ['titled', { level: 'read', role: 'admin' }],
  ['stranger', { level: 'read', role: 'read' }],
  ['outsider', { level: 'none', role: 'none' }],
  ['ghost', { level: 'notFound', role: '' }],
  // Write access does not make a person of them.
  ['agent-account', { level: 'admin', role: 'admin' }],
  ['robot', { level: 'admin', role: 'admin' }],
  ['robot[bot]', { level: 'admin', role: 'admin' }],
]);
const judge = (detail: IssueDetail, over: Partial<TrustPolicy> = {}): Trust =>
  judgeTrust(detail, permissions, { ...policy, ...over });
const rowOf = (detail: IssueDetail, over: Partial<TrustPolicy> = {}): number | 'trusted' | 'unknown' => {
  const trust = judge(detail, over);
  return trust.trusted === null ? 'unknown' : trust.trusted ? 'trusted' : trust.row;
};
/** Whose permission is to be asked next. */
const loginsToAsk = (
  detail: IssueDetail,
  asked: TrustPolicy,
  known: ReadonlyMap<string, Permission> = new Map(),
): readonly string[] => {
  const trust = judgeTrust(detail, known, asked);
  return trust.trusted === null ? trust.unknown : [];
};
const by = (actor: Actor) => aDetail({ events: [labelling({ actor })] });

describe('Trust is the labelling act: only the actor of the newest labelling decides', () => {
  test('row 7: somebody who may write authorises one act, whoever wrote the issue', () => {
    expect(judge(aDetail())).toEqual({
      trusted: true,
      act: { id: 'LE_1', by: 'maintainer', at: labelledAt },
      throughApp: null,
    });
    expect(judge(aDetail({ author: null }))).toMatchObject({ trusted: true });
  });

  test('row 7: the level decides, whatever the role is called', () => {
    expect(rowOf(by(user('admin')))).toBe('trusted');
    expect(rowOf(by(user('custom')))).toBe('trusted');
    expect(rowOf(by(user('Maintainer')))).toBe('trusted');
    expect(rowOf(by(user('titled')))).toBe(9);
  });

  test('an author who may write does not make up for a labeller who may not', () => {
    expect(rowOf(aDetail({ author: user('maintainer'), events: [labelling({ actor: user('stranger') })] }))).toBe(9);
  });

  test('the newest labelling counts, and not the trusted one before it', () => {
    const events = [
      labelling({ id: 'LE_1', at: labelledAt - 2 }),
      labelling({ id: 'LE_2', at: labelledAt - 1, kind: 'unlabeled' }),
      labelling({ id: 'LE_3', at: labelledAt, actor: user('stranger') }),
    ];
    expect(rowOf(aDetail({ events }))).toBe(9);
    expect(judge(aDetail({ events: [...events.slice(0, 2), labelling({ id: 'LE_4' })] }))).toMatchObject({
      act: { id: 'LE_4' },
    });
  });

  test('of two with one stamp the later in the tracker’s order counts', () => {
    const events = [
      labelling({ id: 'a' }),
      labelling({ id: 'b', kind: 'unlabeled' }),
      labelling({ id: 'c', actor: user('stranger') }),
    ];
    expect(rowOf(aDetail({ events }))).toBe(9);
    expect(rowOf(aDetail({ events: events.toReversed() }))).toBe('trusted');
  });

  test('another label’s acts say nothing', () => {
    const other = labelling({
      id: 'x',
      at: labelledAt + 5,
      actor: user('stranger'),
      label: { id: 'L_bug', name: 'bug' },
    });
    expect(judge(aDetail({ events: [labelling(), other] }))).toMatchObject({ act: { id: 'LE_1' } });
  });

  test('row 1: what nobody is seen to have done is not trusted', () => {
    expect(rowOf(aDetail({ events: [] }))).toBe(1);
    expect(rowOf(aDetail({ events: { complete: false, list: [] } }))).toBe(1);
  });

  test('row 1: a label of the same name that was deleted since is another label', () => {
    expect(rowOf(aDetail({ events: [labelling({ label: { id: 'L_old', name: 'ready-for-agent' } })] }))).toBe(1);
  });

  test('row 1: a label renamed into the ready one was never put on as that', () => {
    expect(rowOf(aDetail({ events: [labelling({ label: { id: 'L_ready', name: 'question' } })] }))).toBe(1);
  });

  test('an event without an id goes by its name, without case', () => {
    expect(rowOf(aDetail({ events: [labelling({ label: { id: null, name: 'Ready-For-Agent' } })] }))).toBe('trusted');
    expect(
      rowOf(
        aDetail({
          events: [
            labelling(),
            labelling({
              id: 'x',
              at: labelledAt + 1,
              actor: user('stranger'),
              label: { id: null, name: 'ready-for-agent' },
            }),
          ],
        }),
      ),
    ).toBe(9);
  });

  test('row 2: a label that is off asks for nothing', () => {
    expect(rowOf(aDetail({ labels: [{ id: 'L_bug', name: 'bug' }] }))).toBe(2);
    expect(rowOf(aDetail({ events: [labelling(), labelling({ kind: 'unlabeled', at: labelledAt + 1 })] }))).toBe(2);
  });

  test('row 3: an account that is gone, or is no user, is nobody', () => {
    expect(rowOf(by(null))).toBe(3);
    expect(rowOf(by({ login: 'acme', kind: 'other' }))).toBe(3);
  });

  test('row 4: bots and the agent’s own accounts never count, whatever they may do', () => {
    expect(rowOf(by({ login: 'robot', kind: 'bot' }))).toBe(4);
    expect(rowOf(by(user('robot[bot]')))).toBe(4);
    expect(rowOf(by(user('Agent-Account')))).toBe(4);
  });

  test('row 5: an agent’s labelling is not a person’s, whatever is allowed', () => {
    for (const throughApp of [null, 'some-app'])
      expect(
        rowOf(aDetail({ labelling: { throughApp, byAgent: true } }), { allowTriage: true, allowThroughApp: true }),
      ).toBe(5);
  });

  test('row 6: a person’s app is allowed by policy and recorded', () => {
    const detail = aDetail({ labelling: { throughApp: 'some-app', byAgent: false } });
    expect(judge(detail)).toMatchObject({ trusted: true, throughApp: 'some-app' });
    expect(rowOf(detail, { allowThroughApp: false })).toBe(6);
  });

  test('row 8: triage may label and not push, so it is held unless that is allowed', () => {
    expect(rowOf(by(user('triager')))).toBe(8);
    expect(rowOf(by(user('triager')), { allowTriage: true })).toBe('trusted');
    expect(rowOf(by(user('stranger')), { allowTriage: true })).toBe(9);
  });

  test('row 9: to read is not enough', () => {
    expect(rowOf(by(user('stranger')))).toBe(9);
    expect(rowOf(by(user('outsider')))).toBe(9);
  });

  test('row 10: whom the tracker does not know is held', () => {
    expect(rowOf(by(user('ghost')))).toBe(10);
  });

  test('row 11: without an answer nothing is concluded', () => {
    expect(judgeTrust(aDetail(), new Map(), policy)).toEqual({ trusted: null, unknown: ['maintainer'] });
  });

  test.each<[Actor, number | 'trusted']>([
    [user('colleague'), 'trusted'],
    [user('maintainer'), 'trusted'],
    [user('stranger'), 18],
    [user('outsider'), 18],
    [user('ghost'), 18],
    [user('triager'), 18],
    [user('agent-account'), 18],
    [{ login: 'robot', kind: 'bot' }, 18],
    [{ login: 'acme', kind: 'other' }, 18],
    [null, 18],
  ])('row 18: where a trusted author is required, %j is asked for what an editor is: %s', (author, row) => {
    expect(rowOf(aDetail({ author }), { requireTrustedAuthor: true })).toBe(row);
    expect(rowOf(aDetail({ author }))).toBe('trusted');
  });

  test('row 18: an author who triages passes where a labeller would; an author makes up for nobody else', () => {
    const required = { requireTrustedAuthor: true };
    expect(rowOf(aDetail({ author: user('triager') }), { ...required, allowTriage: true })).toBe('trusted');
    const author = user('colleague');
    expect(rowOf(aDetail({ author, events: [labelling({ actor: user('stranger') })] }), required)).toBe(9);
    expect(rowOf(aDetail({ author, edits: [edit(labelledAt)] }), required)).toBe(12);
  });

  test('row 18: the author is asked about after the labeller, and not where no answer could help', () => {
    const required = { ...policy, requireTrustedAuthor: true };
    const labeller = new Map([...permissions].filter(([login]) => login === 'maintainer'));
    expect(loginsToAsk(aDetail(), required)).toEqual(['maintainer']);
    expect(loginsToAsk(aDetail(), required, labeller)).toEqual(['stranger']);
    expect(loginsToAsk(aDetail({ author: null }), required, labeller)).toEqual([]);
  });

  test('row 17: what is locked or archived is left alone, before anything is asked', () => {
    expect(rowOf(aDetail({ locked: true }))).toBe(17);
    expect(rowOf(aDetail({ archived: true }))).toBe(17);
    expect(loginsToAsk(aDetail({ locked: true }), policy)).toEqual([]);
  });
});

describe('nobody untrusted changed anything since that act', () => {
  const edited = (at: number, editor: Actor = user('stranger')) => aDetail({ edits: [edit(at, editor)] });
  const renamed = (at: number, actor: Actor = user('stranger')) =>
    aDetail({ events: [labelling(), happened('renamed', at, actor)] });

  test.each([
    ['long before', -121_000, 'trusted', 'trusted'],
    ['just outside the two minutes before', -120_001, 'trusted', 'trusted'],
    ['two minutes before', -120_000, 15, 15],
    ['a second before', -1000, 15, 15],
    ['within the same second', 0, 12, 13],
    ['after', 60_000, 12, 13],
  ] as const)('rows 12, 13, 15: a stranger’s change of body or title %s', (_, offset, body, title) => {
    expect(rowOf(edited(labelledAt + offset))).toBe(body);
    expect(rowOf(renamed(labelledAt + offset))).toBe(title);
  });

  test.each<[Actor, string]>([
    [user('stranger'), 'reads only'],
    [user('triager'), 'triages only'],
    [user('outsider'), 'has no access'],
    [user('ghost'), 'is not known'],
    [user('agent-account'), 'is the agent'],
    [{ login: 'robot', kind: 'bot' }, 'is a bot'],
    [{ login: 'acme', kind: 'other' }, 'is no user'],
    [null, 'is gone'],
  ])('rows 12, 13, 15: %j changed it, who %s', (actor) => {
    expect(rowOf(edited(labelledAt + 1000, actor))).toBe(12);
    expect(rowOf(renamed(labelledAt + 1000, actor))).toBe(13);
    expect(rowOf(edited(labelledAt - 1000, actor))).toBe(15);
  });

  test('the author’s own edit needs the same right', () => {
    expect(rowOf({ ...edited(labelledAt + 1000), author: user('stranger') })).toBe(12);
    expect(rowOf({ ...edited(labelledAt + 1000, user('colleague')), author: user('colleague') })).toBe('trusted');
  });

  test('row 12: a maintainer’s later typo fix does not hide a stranger’s edit', () => {
    const edits = [edit(labelledAt + 1000), edit(labelledAt + 2000, user('maintainer'))];
    expect(rowOf(aDetail({ edits }))).toBe(12);
    expect(rowOf(aDetail({ edits: edits.toReversed() }))).toBe(12);
  });

  test('people who may write may edit at any time', () => {
    expect(rowOf(edited(labelledAt + 1000, user('colleague')))).toBe('trusted');
    expect(rowOf(renamed(labelledAt - 1000, user('admin')))).toBe('trusted');
  });

  test.each(['transferred', 'reopened'] as const)('row 14: once %s it wants a fresh label, whoever did it', (kind) => {
    const with_ = (at: number) =>
      aDetail({
        events: [happened(kind, at, user('maintainer')), labelling(), happened(kind, at, user('maintainer'))],
      });
    expect(rowOf(with_(labelledAt + 1000))).toBe(14);
    expect(rowOf(with_(labelledAt))).toBe(14);
    expect(rowOf(with_(labelledAt - 1000))).toBe('trusted');
  });

  test('row 16: edits that were not read are not trusted', () => {
    expect(rowOf(aDetail({ edits: { complete: false, list: [] } }))).toBe(16);
    expect(rowOf(aDetail({ edits: { complete: false, list: [edit(labelledAt - 500_000)] } }))).toBe(16);
  });

  test('row 16: neither are events that were not read, unless all from two minutes before the act were', () => {
    const cut = (oldest: number) =>
      aDetail({ events: { complete: false, list: [happened('renamed', oldest, user('maintainer')), labelling()] } });
    expect(rowOf(aDetail({ events: { complete: false, list: [labelling()] } }))).toBe(16);
    expect(rowOf(cut(labelledAt - 120_000))).toBe(16);
    expect(rowOf(cut(labelledAt - 121_000))).toBe('trusted');
  });
});

test('row 16: whatever is older, an event that cannot be read may be the one that matters', () => {
  const list = [happened('renamed', labelledAt - 500_000, user('maintainer')), labelling()];
  expect(rowOf(aDetail({ events: { complete: false, hasHole: true, list } }))).toBe(16);
  expect(rowOf(aDetail({ events: { complete: true, hasHole: true, list } }))).toBe(16);
});

test('row 16: what cannot be told of how the label was put on, by whomever, is not trusted', () => {
  expect(rowOf(aDetail({ labelling: null }))).toBe(16);
  expect(rowOf(aDetail({ labelling: null, events: [labelling({ actor: null })] }))).toBe(3);
});

describe('as few permissions as possible are asked', () => {
  test('first the labeller, and only then those who changed something', () => {
    const detail = aDetail({
      edits: [
        edit(labelledAt + 1, user('colleague')),
        edit(labelledAt + 2, user('colleague')),
        edit(labelledAt - 500_000),
      ],
    });
    expect(loginsToAsk(detail, policy)).toEqual(['maintainer']);
    const known = new Map([...permissions].filter(([login]) => login === 'maintainer'));
    expect(loginsToAsk(detail, policy, known)).toEqual(['colleague']);
    expect(loginsToAsk(detail, policy, permissions)).toEqual([]);
  });

  test('nobody is asked about where no answer could help', () => {
    expect(loginsToAsk(by(null), policy)).toEqual([]);
    expect(loginsToAsk(aDetail({ edits: [edit(labelledAt, null)] }), policy)).toEqual([]);
    expect(loginsToAsk(aDetail({ edits: { complete: false, list: [] } }), policy)).toEqual([]);
  });
});

describe('for any history', () => {
  const actor = fc.constantFrom<Actor>(
    user('maintainer'),
    user('colleague'),
    user('stranger'),
    user('triager'),
    user('agent-account'),
    { login: 'robot', kind: 'bot' },
    null,
  );
  const at = fc.integer({ min: -200, max: 200 }).map((seconds) => labelledAt + seconds * 1000);
  const event = fc.oneof(
    fc
      .tuple(at, actor, fc.constantFrom('labeled' as const, 'unlabeled' as const))
      .map(([when, who, kind]) => labelling({ kind, at: when, actor: who, id: `LE_${when}` })),
    fc
      .tuple(at, actor, fc.constantFrom('renamed' as const, 'reopened' as const))
      .map(([when, who, kind]) => happened(kind, when, who)),
  );
  const history = fc.record({
    events: fc.array(event, { maxLength: 4 }).map((list) => list.sort((a, b) => a.at - b.at)),
    edits: fc.array(
      fc.tuple(at, actor).map(([when, who]) => edit(when, who)),
      { maxLength: 3 },
    ),
  });
  const mayWrite = (who: Actor): boolean => who !== null && ['maintainer', 'colleague'].includes(who.login);

  test('whoever is trusted put the label on last, may write, and nobody else touched it since', () => {
    let trusted = 0;
    fc.assert(
      fc.property(history, (over) => {
        const trust = judge(aDetail(over));
        if (trust.trusted !== true) return;
        trusted += 1;
        const last = over.events.findLast(({ kind }) => kind === 'labeled' || kind === 'unlabeled');
        expect(last).toMatchObject({ kind: 'labeled', at: trust.act.at, actor: { login: trust.act.by } });
        expect(mayWrite(user(trust.act.by))).toBe(true);
        for (const { at: when, editor } of over.edits)
          if (when >= trust.act.at - 120_000) expect(mayWrite(editor)).toBe(true);
        for (const each of over.events) {
          if (each.kind === 'renamed' && each.at >= trust.act.at - 120_000) expect(mayWrite(each.actor)).toBe(true);
          if (each.kind === 'reopened') expect(each.at).toBeLessThan(trust.act.at);
        }
      }),
      { numRuns: 2000 },
    );
    expect(trusted).toBeGreaterThan(0);
  });

  test('asking one by one ends, and in what all answers at once would have said', () => {
    fc.assert(
      fc.property(history, (over) => {
        const detail = aDetail(over);
        const known = new Map<string, Permission>();
        for (
          let asked = loginsToAsk(detail, policy, known);
          asked.length > 0;
          asked = loginsToAsk(detail, policy, known)
        ) {
          for (const login of asked) {
            expect(known.has(login)).toBe(false);
            known.set(login, permissions.get(login)!);
          }
        }
        const [gradually, atOnce] = [judgeTrust(detail, known, policy), judge(detail)];
        expect(gradually).toEqual(atOnce);
      }),
    );
  });

  test('a refusal says which row, why and what to do, in few words', () => {
    fc.assert(
      fc.property(history, fc.string({ maxLength: 500 }), (over, login) => {
        const trust = judge(
          aDetail({ ...over, edits: [...over.edits, edit(labelledAt + 999_000, { login, kind: 'bot' })] }),
        );
        expect(trust.trusted).toBe(false);
        if (trust.trusted !== false) return;
        expect(trust.row).toBeGreaterThanOrEqual(1);
        expect(trust.reason).toMatch(/^[^\n]{5,300}$/);
        expect(trust.remedy).toMatch(/^[^\n]{5,300}$/);
      }),
    );
  });
});
