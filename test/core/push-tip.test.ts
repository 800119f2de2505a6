import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Commit,
  commitsOfRun,
  declaredPhases,
  type History,
  nextTip,
  type Push,
  pushTip,
} from '../../lib/core/push-tip.ts';

const runId = '5f3c9a';
const ours = `Parse dates\n\nAFK-Run: ${runId}`;

/** Commits in a row on `base`, named by letters; a capital letter is one of this run. */
const inARow = (letters: string): readonly Commit[] =>
  [...letters].map((sha, index) => ({
    sha,
    message: sha === sha.toUpperCase() ? ours : 'Something else',
    parents: [index === 0 ? 'base' : (letters[index - 1] ?? 'base')],
  }));

/** Each word is one push, oldest first. */
const pushed = (...words: string[]): History => {
  const tips = words.map((word) => word.at(-1) ?? '');
  const pushes = tips.map((after, index): Push => ({ before: tips[index - 1] ?? 'base', after, at: null }));
  return { commits: inARow(words.join('')), pushes: pushes.reverse(), head: tips.at(-1) ?? 'base', checked: new Set() };
};

const tipOf = (history: History): string | null => {
  const found = pushTip(history, runId);
  return found && `${found.tip} by ${found.by}${found.hasDescendant ? ', not the last' : ''}`;
};

describe('a trailer of this run', () => {
  const isOurs = (message: string): boolean => commitsOfRun([{ sha: 'a', message, parents: [] }], runId).length === 1;

  test.each([
    `Subject\n\nAFK-Run: ${runId}`,
    `Subject\n\nafk-run: ${runId}`,
    `Subject\n\nAFK-Run:${runId}`,
    `Subject\n\nAFK-Run: ${runId}  \t`,
    `Subject\r\n\r\nAFK-Run: ${runId}\r\nAFK-Phase: green\r\n`,
    `Squashed\n\n* One\n\nAFK-Run: ${runId}\nAFK-Phase: tests-red\n\n* Two\n\nCo-authored-by: maintainer`,
    `Two runs\n\nAFK-Run: another\nAFK-Run: ${runId}`,
    `AFK-Run: ${runId}`,
    `AFK-Run: ${runId.toUpperCase()}`,
  ])('is seen in %j', (message) => {
    expect(isOurs(message)).toBe(true);
  });

  test.each([
    'Subject',
    '',
    'AFK-Run:',
    `AFK-Run: ${runId}0`,
    `AFK-Run: 0${runId}`,
    `AFK-Run: ${runId} and more`,
    `AFK-Run ${runId}`,
    ` AFK-Run: ${runId}`,
    `\tAFK-Run: ${runId}`,
    `> AFK-Run: ${runId}`,
    `* AFK-Run: ${runId}`,
    `Reverts AFK-Run: ${runId}`,
    `X-AFK-Run: ${runId}`,
    `AFK-Run:\n${runId}`,
    `"AFK-Run: ${runId}"`,
  ])('is not seen in %j', (message) => {
    expect(isOurs(message)).toBe(false);
  });

  test('is a text and not a pattern', () => {
    const commits = [{ sha: 'a', message: 'AFK-Run: abc', parents: [] }];
    expect(commitsOfRun(commits, 'a.c')).toEqual([]);
    expect(commitsOfRun(commits, '.*')).toEqual([]);
  });
});

describe('the phases an agent declared', () => {
  test.each([
    [['AFK-Phase: tests-red'], true, false],
    [['Work\n\nAFK-Phase: green\nAFK-Run: x'], false, true],
    [['afk-phase: tests-red', 'Squash\n\nAFK-Phase: green\n\nmore'], true, true],
    [['AFK-Phase: tests-redder', '> AFK-Phase: green', ' AFK-Phase: green', 'AFK-Phase: deployed'], false, false],
    [[], false, false],
  ])('in %j: tests red %s, green %s', (messages, testsRed, green) => {
    expect(declaredPhases(messages)).toEqual({ testsRed, green });
  });
});

describe('the tip of the push', () => {
  test.each([
    ['carries our only commit', pushed('A'), 'A by push'],
    ['is the last commit of the push, be it ours or not', pushed('x', 'Ab', 'c'), 'b by push, not the last'],
    ['carries the newest of ours', pushed('Ab', 'cD', 'e'), 'D by push, not the last'],
    ['is the head where one push brought all', pushed('aBcD'), 'D by push'],
  ])('%s', (_, history, expected) => {
    expect(tipOf(history)).toBe(expected);
  });

  test('is nowhere while the branch has no commit of this run', () => {
    expect(pushTip(pushed('a', 'b'), runId)).toBeNull();
    expect(pushTip({ commits: [], pushes: [], head: 'base', checked: new Set() }, runId)).toBeNull();
  });

  test('comes with all commits of this run, oldest first', () => {
    expect(pushTip(pushed('Ab', 'cD', 'e'), runId)?.commits.map((commit) => commit.sha)).toEqual(['A', 'D']);
  });

  test('is not one that a forced push took off the branch', () => {
    // `X` carried ours once; the branch was rewritten, and ours came again with `B`.
    const rewritten: History = {
      commits: inARow('aBc'),
      pushes: [
        { before: 'X', after: 'c', at: null },
        { before: 'base', after: 'X', at: null },
      ],
      head: 'c',
      checked: new Set(),
    };
    expect(tipOf(rewritten)).toBe('c by push');
  });

  test('is that of the last push that brought ours, where the branch was set back in between', () => {
    const back: History = {
      commits: inARow('Abc'),
      pushes: [
        { before: 'base', after: 'c', at: null },
        { before: 'b', after: 'base', at: null },
        { before: 'base', after: 'b', at: null },
      ],
      head: 'c',
      checked: new Set(),
    };
    expect(tipOf(back)).toBe('c by push');
  });

  test('is found at once in a history of many merges', () => {
    const rungs = Array.from({ length: 200 }, (_, at): readonly Commit[] => {
      const below = at === 0 ? 'base' : `m${at - 1}`;
      return [
        { sha: `l${at}`, message: at === 0 ? ours : 'left', parents: [below] },
        { sha: `r${at}`, message: 'right', parents: [below] },
        { sha: `m${at}`, message: 'Merge', parents: [`l${at}`, `r${at}`] },
      ];
    });
    expect(tipOf({ commits: rungs.flat(), pushes: [], head: 'm199', checked: new Set(['m7']) })).toBe(
      'm7 by checks, not the last',
    );
  });

  test('is that of the merge, where ours lie on a merged branch among older commits', () => {
    // Ours was made before `a` and `b` were pushed, and lies first in the list; only `m` brought it to the branch.
    const merged: History = {
      commits: [
        { sha: 'F', message: ours, parents: ['base'] },
        { sha: 'a', message: 'a', parents: ['base'] },
        { sha: 'b', message: 'b', parents: ['a'] },
        { sha: 'm', message: 'Merge', parents: ['b', 'F'] },
        { sha: 'c', message: 'c', parents: ['m'] },
      ],
      pushes: [
        { before: 'm', after: 'c', at: null },
        { before: 'b', after: 'm', at: null },
        { before: 'a', after: 'b', at: null },
        { before: 'base', after: 'a', at: null },
      ],
      head: 'c',
      checked: new Set(['F', 'a', 'b', 'm', 'c']),
    };
    expect(tipOf(merged)).toBe('m by push, not the last');
    // Without the record of pushes: `F` has checks, but not as a commit of the branch.
    expect(tipOf({ ...merged, pushes: [] })).toBe('m by checks, not the last');
  });
});

describe('where the push is not known', () => {
  const unknown = (checked: string, over: Partial<History> = {}): History => ({
    ...pushed('a', 'Bc', 'd', 'e'),
    pushes: [],
    checked: new Set(checked),
    ...over,
  });

  test.each([
    ['the commit itself, if it has checks, is watched', unknown('aBcd'), 'B by checks, not the last'],
    ['the nearest descendant that has checks is watched', unknown('ade'), 'd by checks, not the last'],
    ['the head is watched when nothing after ours has checks', unknown('a'), 'e by head'],
    [
      'a later push that found ours already there is not taken for it',
      unknown('c', { pushes: [{ before: 'd', after: 'e', at: null }] }),
      'c by checks, not the last',
    ],
    [
      'an earlier push that does not carry ours is not taken for it',
      unknown('', { pushes: [{ before: 'base', after: 'a', at: null }] }),
      'e by head',
    ],
    [
      'the last listed commit stands for a head that moved on meanwhile',
      unknown('', { head: 'newer' }),
      'e by head, not the last',
    ],
  ])('%s', (_, history, expected) => {
    expect(tipOf(history)).toBe(expected);
  });
});

describe('where to look on when a newer push cut ours short', () => {
  const history = pushed('Ab', 'cd', 'e');

  test('the next push is watched, and after it the one after', () => {
    expect(nextTip(history, 'b')).toEqual({ tip: 'd', by: 'push', hasDescendant: true, pushedAt: null });
    expect(nextTip(history, 'd')).toEqual({ tip: 'e', by: 'push', hasDescendant: false, pushedAt: null });
  });

  test('without the record of pushes it is the nearest descendant that has checks, else the head', () => {
    expect(nextTip({ ...history, pushes: [], checked: new Set('bc') }, 'b')?.tip).toBe('c');
    expect(nextTip({ ...history, pushes: [], checked: new Set('b') }, 'b')?.tip).toBe('e');
  });

  test('there is nowhere to look on after the head, or from a commit the branch lost', () => {
    expect(nextTip(history, 'e')).toBeNull();
    expect(nextTip(history, 'lost')).toBeNull();
  });
});

// ---------------------------------------------------------------------------------------------------------------

/** Pushes in a row, each a few commits, some of them of this run. */
const someRow = fc
  .array(fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 })
  .map((pushes) => {
    const flat = pushes.flatMap((commits, push) => commits.map((mine, at) => ({ mine, sha: `${push}.${at}`, push })));
    const commits = flat.map(
      ({ mine, sha }, index): Commit => ({
        sha,
        message: mine ? ours : 'Something else',
        parents: [flat[index - 1]?.sha ?? 'base'],
      }),
    );
    const tips = pushes.map((each, push) => `${push}.${each.length - 1}`);
    const newest = flat.findLast(({ mine }) => mine);
    return { commits, tips, expected: newest ? (tips[newest.push] ?? null) : null };
  });

/** Any history with merges: each commit on one or two of those before it, the last containing them all or not. */
const someGraph: fc.Arbitrary<History> = fc
  .array(fc.record({ first: fc.nat(3), second: fc.option(fc.nat(5)), mine: fc.boolean(), checked: fc.boolean() }), {
    minLength: 1,
    maxLength: 10,
  })
  .chain((drawn) => {
    const shaAt = (index: number): string => (index < 0 ? 'base' : `c${index}`);
    const all = drawn.map(
      ({ first, second, mine }, index): Commit => ({
        sha: shaAt(index),
        message: mine ? ours : 'Something else',
        parents: [shaAt(index - 1 - first), ...(second === null ? [] : [shaAt(index - 1 - second)])],
      }),
    );
    // A compare list holds what the head contains, and nothing else.
    const contained = reach(all, shaAt(drawn.length - 1));
    const shas = fc.constantFrom('base', 'gone', ...all.map((commit) => commit.sha));
    return fc.record({
      commits: fc.constant(all.filter((commit) => contained.has(commit.sha))),
      pushes: fc.array(fc.record({ before: shas, after: shas, at: fc.constant(null) }), { maxLength: 5 }),
      head: fc.constant(shaAt(drawn.length - 1)),
      checked: fc.constant(new Set(drawn.flatMap(({ checked }, index) => (checked ? [shaAt(index)] : [])))),
    });
  });

const reach = (commits: readonly Commit[], from: string): ReadonlySet<string> => {
  const found = new Set([from]);
  for (const commit of commits.toReversed())
    if (found.has(commit.sha)) for (const parent of commit.parents) found.add(parent);
  return found;
};

describe('whatever the history', () => {
  test('in a row of pushes the tip is that of the push with the newest commit of this run', () => {
    fc.assert(
      fc.property(someRow, ({ commits, tips, expected }) => {
        const pushes = tips.map((after, index) => ({ before: tips[index - 1] ?? 'base', after, at: null })).reverse();
        const head = tips.at(-1) ?? 'base';
        const found = pushTip({ commits, pushes, head, checked: new Set() }, runId);
        expect(found?.tip ?? null).toBe(expected);
        if (found) expect(found.hasDescendant).toBe(expected !== head);
      }),
    );
  });

  test('the tip is on the branch and contains every commit of this run', () => {
    fc.assert(
      fc.property(someGraph, (history) => {
        const found = pushTip(history, runId);
        const mine = history.commits.filter((commit) => commit.message === ours);
        expect(found === null).toBe(mine.length === 0);
        if (!found) return;
        expect(history.commits.map((commit) => commit.sha)).toContain(found.tip);
        const contained = reach(history.commits, found.tip);
        for (const commit of mine) expect(contained.has(commit.sha)).toBe(true);
        expect(found.hasDescendant).toBe(found.tip !== history.head);
      }),
    );
  });

  test('looking on always comes to the head, each step containing the one before', () => {
    fc.assert(
      fc.property(someGraph, (history) => {
        let tip = pushTip(history, runId)?.tip ?? null;
        for (let steps = 0; tip !== null && tip !== history.head; steps += 1) {
          expect(steps).toBeLessThan(history.commits.length);
          const next = nextTip(history, tip);
          expect(next).not.toBeNull();
          expect(next?.tip).not.toBe(tip);
          expect(reach(history.commits, next?.tip ?? '').has(tip)).toBe(true);
          tip = next?.tip ?? null;
        }
      }),
    );
  });
});
