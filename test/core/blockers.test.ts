import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockersIn, cycleIn } from '../../lib/core/blockers.ts';

const refs = (body: string): string[] => blockersIn(body, 'Acme/App');

describe('what a body says it is blocked by', () => {
  test.each([
    ['Blocked by #1', ['acme/app#1']],
    ['BLOCKED BY #1.', ['acme/app#1']],
    ['blocked-by: #1', ['acme/app#1']],
    ['**Blocked by:** #1', ['acme/app#1']],
    ['_Blocked_ by **#1**', ['acme/app#1']],
    ['Is blocked by #1, #2 and #3.', ['acme/app#1', 'acme/app#2', 'acme/app#3']],
    ['Blocked by #1 & #2 + (#3)', ['acme/app#1', 'acme/app#2', 'acme/app#3']],
    ['Blocked by the new schema (#12)', ['acme/app#12']],
    ['Blocked by owner/my.repo_1#2', ['owner/my.repo_1#2']],
    ['Blocked by Owner/Repo#2 and owner/repo#2', ['owner/repo#2']],
    ['Blocked by https://github.com/O/R/issues/3#issuecomment-9', ['o/r#3']],
    ['Blocked by https://github.com/o/r/pull/3', ['o/r#3']],
    ['Blocked by [#3](https://github.com/o/r/issues/3)', ['o/r#3']],
    ['Do not start: blocked by #1', ['acme/app#1']],
    ['Do not start yet, blocked by #1', ['acme/app#1']],
    ['It has been blocked by #1 since May', ['acme/app#1']],
    ['> [!NOTE]\n> Blocked by #1', ['acme/app#1']],
    ['| Blocked by | #1 |\n| Blocks | #2 |', ['acme/app#1']],
    ['| Blocked by | #1 | Blocks | #2 |', ['acme/app#1']],
    ['Blocked by #1. See #2', ['acme/app#1']],
    ['Blocked by #1; #2 came before', ['acme/app#1']],
    ['Blocked by #1 (see #2)', ['acme/app#1']],
    ['Blocked by work that is not over (see #1)', ['acme/app#1']],
    ['Blocked by #1, blocks #2', ['acme/app#1']],
    ['Blocked by #1 but not #2', ['acme/app#1']],
    ['Blocked by #1\n\n#2', ['acme/app#1']],
    ['Blocked by #1\n#2', ['acme/app#1']],
    ['Blocked by #1,\n#2 and\n#3', ['acme/app#1', 'acme/app#2', 'acme/app#3']],
    ['Blocked by\n#1\nSee #2', ['acme/app#1']],
    [
      'Blocked by:\n- #1\n* a/b#2\n3. https://github.com/c/d/issues/3\n\n- #4\n\nSee #5',
      ['acme/app#1', 'a/b#2', 'c/d#3', 'acme/app#4'],
    ],
    ['Blocked by the following issues:\n\n- #1\n**Related:** #2', ['acme/app#1']],
    ['Blocked by\r\n\r\n- #1\r\n', ['acme/app#1']],
    ['#2 is done. Blocked by #1', ['acme/app#1']],
    ['Not blocked by #1. Blocked by #2', ['acme/app#2']],
    ['Blocked by #1, no longer blocked by #2', ['acme/app#1']],
    ['Blocked by #007 and #7', ['acme/app#7']],
  ])('a clause: %j', (body, expected) => {
    expect(refs(body)).toEqual(expected);
  });

  test.each([
    ['## Blocked by\n- #1\n- [ ] the other one: a/b#2\n\n#3\n## Notes\n#4', ['acme/app#1', 'a/b#2', 'acme/app#3']],
    ['### **Blocked by:**\n#1', ['acme/app#1']],
    ['# 🚧 Blocked by #1\ntext\n###### Next\n#2', ['acme/app#1']],
    ['## Blocked by\n- The schema. Tracked in #1', ['acme/app#1']],
    ['## Blocked by\n- #1 (blocks #2)', ['acme/app#1']],
    ['## Blocked by\nNone, though #2 is near', []],
    ['## Blocked by\n```\n#1\n```\n- `#2`\n<!-- #3 -->\n- ~~#4~~\n- #5', ['acme/app#5']],
    ['## Blocks\n- #1', []],
    ['## Not blocked by\n- #1', []],
    ['##Blocked\n- #1', []],
  ])('a section: %j', (body, expected) => {
    expect(refs(body)).toEqual(expected);
  });

  test.each([
    'not blocked by #1',
    'It is not currently blocked by #1',
    'no longer blocked by #1',
    'no longer being blocked by #1',
    'unblocked by #1',
    'Un-blocked by #1',
    'was blocked by #1',
    'were previously blocked by #1',
    'previously blocked by #1',
    'had been blocked by #1',
    'used to be blocked by #1',
    'never blocked by #1',
    "isn't blocked by #1",
    'wasn’t ever blocked: #1',
    'won’t be blocked by #1',
    'NOT BLOCKED BY #1',
    'not **blocked** by #1',
    'Not blocked by:\n- #1',
  ])('a negated or past phrase says nothing: %j', (body) => {
    expect(refs(body)).toEqual([]);
  });

  test.each([
    '',
    '#1',
    'See #1',
    'Blocked by nothing. See #1',
    'Blocked by: none',
    'Blocked by the vendor. #1 is next',
    'roadblocked by #1',
    'Blocked by word#1, &#39, /#1, #0, #1x, ##1',
    'Blocked by https://example.com/o/r/issues/3',
    'Blocked by https://example.com/#1',
    '`Blocked by #1`',
    '``Blocked by ` #1``',
    'Blocked by `#1`',
    '```\nBlocked by #1\n```',
    '~~~ md\nBlocked by #1\n```\nBlocked by #2\n~~~',
    '````\n```\nBlocked by #1\n````',
    '- list\n  ```sh\n  Blocked by #1\n  ```',
    '> ```\n> Blocked by #1\n> ```',
    '```\nBlocked by #1',
    '<!-- Blocked by #1 -->',
    '<!--\nBlocked by #1\n\n-->',
    '<!-- Blocked by #1',
    '~~Blocked by #1~~',
  ])('no blocker: %j', (body) => {
    expect(refs(body)).toEqual([]);
  });

  test.each([
    ['```inline``` Blocked by #1', ['acme/app#1']],
    ['`` ` Blocked by #1', ['acme/app#1']],
    ['```\ncode\n```\nBlocked by #1', ['acme/app#1']],
    ['<!-- a --> Blocked by <!-- b --> #1', ['acme/app#1']],
    ['`<!--` Blocked by #1', ['acme/app#1']],
    ['~~old~~ Blocked by ~~#2~~ #1 ~~', ['acme/app#1']],
    ['<!-- ```\n-->\nBlocked by #1', ['acme/app#1']],
    ['<!--\n```\n-->\nBlocked by #1', ['acme/app#1']],
  ])('what only looks like code, or ends, hides nothing: %j', (body, expected) => {
    expect(refs(body)).toEqual(expected);
  });

  test('at most fifty are named', () => {
    const many = Array.from({ length: 80 }, (_, n) => `#${n + 1}`);
    expect(refs(`Blocked by ${many.join(', ')}`)).toHaveLength(50);
    expect(refs(`## Blocked by\n- ${many.join('\n- ')}`)).toHaveLength(50);
  });

  test('whatever is written, each blocker is well formed and named once', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'blocked by ',
        '#1',
        'a/b#2',
        '\n',
        '- ',
        '## ',
        '`',
        '```',
        '<!--',
        '-->',
        '~~',
        'not ',
        ', ',
        '. ',
        'https://github.com/a/b/issues/3',
      ),
      fc.string({ maxLength: 5, unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const found = refs(pieces.join(''));
        expect(new Set(found).size).toBe(found.length);
        for (const ref of found) expect(ref).toMatch(/^[a-z0-9_.-]+\/[a-z0-9_.-]+#[1-9]\d*$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a hostile body costs no more than its length', () => {
  const msFor = (body: string): number => {
    const start = performance.now();
    refs(body);
    return performance.now() - start;
  };
  // The least of a few ratios, since whatever else the machine does only adds to one side or the other.
  const growth = (bodyOf: (length: number) => string): number => {
    const [small, large] = [bodyOf(60_000), bodyOf(240_000)];
    // Below a few milliseconds only noise is measured.
    const ratio = () => msFor(large) / Math.max(4, msFor(small));
    let least = ratio();
    for (let tries = 0; least > 8 && tries < 8; tries += 1) least = Math.min(least, ratio());
    return least;
  };
  const runsOfTicks = (length: number): string =>
    Array.from({ length: Math.ceil(Math.sqrt(2 * length)) }, (_, n) => '`'.repeat(n + 1)).join('x');

  test.each<[string, (length: number) => string]>([
    ['phrases', (length) => 'blocked by '.repeat(length / 11)],
    ['phrases on lines', (length) => 'blocked by\n'.repeat(length / 11)],
    ['one blocker for ever', (length) => `blocked by ${'#1, '.repeat(length / 4)}`],
    ['backticks', (length) => `${'`'.repeat(length)}x`],
    ['backticks of all lengths', runsOfTicks],
    ['fences', (length) => '```\n'.repeat(length / 4)],
    ['fences that are none', (length) => `${'~~~`'.repeat(length / 4)}`],
    ['comments', (length) => '<!--'.repeat(length / 4)],
    ['comments, closed', (length) => '<!---->'.repeat(length / 7)],
    ['slashes', (length) => 'a/'.repeat(length / 2)],
    ['hyphens', (length) => 'a-'.repeat(length / 2)],
    ['one word', (length) => 'a'.repeat(length)],
    ['quotes', (length) => '> '.repeat(length / 2)],
    ['bullets', (length) => '- '.repeat(length / 2)],
    ['spaces', (length) => `${' '.repeat(length)}x`],
    ['a heading of spaces', (length) => `## blocked${' '.repeat(length)}x`],
    ['tildes', (length) => '~~'.repeat(length / 2)],
    ['addresses', (length) => 'https://github.com/'.repeat(length / 19)],
    ['digits', (length) => `blocked by #${'1'.repeat(length)}`],
    ['negations', (length) => "n't blocked by ".repeat(length / 15)],
  ])('%s', (_, bodyOf) => {
    // Four times the length: four times the work if linear, sixteen if quadratic.
    expect(growth(bodyOf)).toBeLessThan(8);
  });
});

describe('a cycle of blockers is named', () => {
  const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

  test('the shortest, as the path back to where it begins', () => {
    expect(cycleIn(graph({ a: ['b'], b: ['c', 'd'], c: ['e'], d: ['a'], e: ['a'] }), 'a')).toEqual([
      'a',
      'b',
      'd',
      'a',
    ]);
  });

  test('an issue may name itself', () => {
    expect(cycleIn(graph({ a: ['a'] }), 'a')).toEqual(['a', 'a']);
  });

  test('a cycle further on is not one of this issue', () => {
    expect(cycleIn(graph({ a: ['b'], b: ['c'], c: ['b'] }), 'a')).toBeNull();
    expect(cycleIn(graph({ a: ['b'] }), 'a')).toBeNull();
    expect(cycleIn(graph({}), 'a')).toBeNull();
  });

  test('every step of a named cycle is an edge', () => {
    const node = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    fc.assert(
      fc.property(fc.dictionary(node, fc.array(node, { maxLength: 3 })), node, (edges, from) => {
        const cycle = cycleIn(graph(edges), from);
        if (cycle === null) return;
        expect([cycle[0], cycle.at(-1)]).toEqual([from, from]);
        for (const [index, step] of cycle.slice(1).entries()) expect(edges[cycle[index]!]).toContain(step);
      }),
    );
  });
});
