import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withoutComments } from '../../lib/core/markdown-text.ts';

describe('a comment that the page does not show is gone', () => {
  test.each([
    ['on a line', 'a <!-- hidden --> b', 'a  b'],
    ['on several lines', 'a\n<!-- hidden\n\nhidden --> b', 'a\n b'],
    ['two in a row', '<!-- hidden --><!-- hidden -->b', 'b'],
    ['never closed', 'a\n\n<!-- hidden\n\n```\nhidden', 'a\n\n'],
    ['never closed, in a list', '- a\n- <!-- hidden\n\nhidden', '- a\n- '],
    ['closed at once', '<!-->a\n\n<!--->b', 'a\n\nb'],
    ['with a fence within', '<!--\n```\nhidden\n-->\nb', '\nb'],
    ['behind code that ended', '```\na\n```\n<!-- hidden -->', '```\na\n```\n'],
    ['behind code on a line', '`a` <!-- hidden -->', '`a` '],
    ['behind old line ends', 'a\r\n<!-- hidden\r-->\rb', 'a\n\nb'],
  ])('%s', (_, text, shown) => {
    expect(withoutComments(text)).toBe(shown);
  });
});

describe('what the page shows stays', () => {
  test.each([
    ['in a fence', 'a\n\n```html\n<!-- seen -->\n```\nb'],
    ['in a fence that is not closed', '~~~\n<!-- seen'],
    ['in a fence that something shorter does not close', '````\n```\n<!-- seen -->\n````'],
    ['in a fence that a quoted one does not close', '```\n> ```\n<!-- seen -->\n    ```\n<!-- seen -->\n```'],
    ['in a code span', 'print `<!-- seen -->`, and ``a ` <!-- seen --> ``'],
    ['never closed, within a line', 'The page ends with <!-- and nothing else.\n\nMend it.'],
    ['never closed in its paragraph', 'See <!-- here.\n\nAnd --> there.'],
    ['no comment at all', 'a --> b <! -- c <- - d'],
  ])('%s', (_, text) => {
    expect(withoutComments(text)).toBe(text);
  });
});

describe('what only looks like code to us hides nothing', () => {
  test.each([
    ['a fence that a list ended', '- ```\n<!-- hidden -->'],
    ['a fence within a list, closed', '- ```\n  a\n  ```\n  <!-- hidden -->'],
    ['a fence in a numbered list, closed', '1. ~~~\n   a\n   ~~~\n   <!-- hidden -->'],
    ['a fence that a quote ended', '> ```\n<!-- hidden -->'],
    ['a fence indented so far that it is code itself', '    ```\n<!-- hidden -->'],
    ['a fence whose indented neighbour is none', '    ```\n```\na\n```\n<!-- hidden -->'],
    ['a fence within a block of HTML', '<details>\n```\n<!-- hidden -->\n```\n</details>'],
    ['a fence within preformatted HTML', '<pre>\n\n```\n<!-- hidden -->\n```\n</pre>'],
    ['a span within a block of HTML', '<div>`<!-- hidden -->`</div>'],
    ['a span that an attribute would open', 'a <a title="`"> <!-- hidden --> `'],
    ['a span that a masked backtick would open', 'a \\` <!-- hidden --> `'],
    ['a span whose first backtick closes one from the line above', 'a ` b\nc ` <!-- hidden --> ` d'],
    ['a span across two cells of a table', '| a | b |\n|---|---|\n| ` | <!-- hidden --> ` |'],
    ['a span behind a comment that made its line HTML', '<!-- a --> `<!-- hidden -->`'],
    ['a fence behind a backtick that a comment parted from its partner', 'a <!-- b --> ` c\nd ` <!-- hidden --> `'],
    ['Markdown that a tag let a comment swallow', '<div><!--\n\nhidden --> hidden'],
    ['the second comment of a line of HTML', '<!-- a --> <!-- hidden\n\nhidden --> hidden'],
  ])('%s', (_, text) => {
    expect(withoutComments(text)).not.toContain('hidden');
  });
});

const piece = fc.constantFrom(
  '<!--',
  '-->',
  '`',
  '``',
  '```',
  '\n',
  '\n\n',
  '    ',
  '> ',
  '- ',
  '|',
  '\\',
  '<b>',
  'a',
  '\r\n',
  '~~~',
);
const pieces = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));

describe('of any text', () => {
  test('what is left was there, in that order; what has no comment is left whole', () => {
    fc.assert(
      fc.property(pieces, (text) => {
        const left = withoutComments(text);
        const whole = text.replace(/\r\n?/g, '\n');
        let at = 0;
        for (const char of left) {
          at = whole.indexOf(char, at) + 1;
          expect(at).toBeGreaterThan(0);
        }
        if (!text.includes('<!--')) expect(left).toBe(whole);
      }),
      { numRuns: 2000 },
    );
  });

  test('a comment that begins a line after any text without fences is gone with what it holds', () => {
    fc.assert(
      fc.property(pieces, pieces, (before, inside) => {
        fc.pre(!/```|~~~/.test(before));
        const hidden = inside.replaceAll('-->', '').replace(/^-?>/, '');
        expect(withoutComments(`${before}\n\n<!-- HIDDEN ${hidden}`)).not.toContain('HIDDEN');
      }),
      { numRuns: 2000 },
    );
  });

  test('as much as an issue may hold is read in a moment, however it is made', () => {
    const started = performance.now();
    for (const unit of [
      '<!--',
      '<!-->',
      '<!-- -->',
      '`',
      '` ',
      '``\n',
      '```\n',
      '<a',
      '\\`',
      '\n',
      ' \n',
      '> ',
      '- ',
      '1. ',
      '|`',
      'a <!--\n\n',
    ])
      withoutComments(`<!-- -->\n${unit.repeat(100_000 / unit.length)}`);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
