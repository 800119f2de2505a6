import { existsSync, globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { wantedOf } from '../functions/tick-event.ts';
import { rulings } from '../lib/core/ruling.ts';
import { Outcome } from '../lib/core/run.ts';
import { parseSettings, settingsTable } from '../lib/core/settings.ts';

// What documents say about the code is checked here; what they say to people has to be read.
const root = join(import.meta.dirname, '..');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).sort()];
const decisions = documents.filter((file) => file.startsWith('docs/adr/'));
const sources = globSync('{functions,lib}/**/*.ts', { cwd: root });

type Fence = { language: string; code: string };

/** Fenced blocks of a document; language is what stands behind the opening fence. */
const fencesOf = (text: string): Fence[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({ language, code }));

const proseOf = (text: string): string => text.replace(/^```\w*\n[\s\S]*?^```$/gm, '');

/** The anchors of a document's headings, as GitHub makes them. */
const anchorsOf = (text: string): string[] =>
  [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** Where the relative links of a document lead: a file from the root, and an anchor in it or ''. */
const linksOf = (file: string): { target: string; anchor: string }[] =>
  [...proseOf(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor = ''] = link.split('#');
    return [{ target: path === '' ? file : normalize(join(dirname(file), path)), anchor }];
  });

/** The rows of the table below a heading, without its head; cells as a reader sees them. */
const tableBelow = (text: string, heading: string): string[][] => {
  const [, section = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const lines = section.split(/^#+ /m)[0]?.split('\n') ?? [];
  return lines
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
};

describe('the README', () => {
  const readme = textOf('README.md');

  test('shows the settings as the schema has them: name, meaning, unit, default', () => {
    const rows = settingsTable().map((row) => [row.name, row.meaning, row.unit, row.default]);
    expect(tableBelow(readme, 'Settings')).toEqual(rows);
  });

  test('begins with two commands, and they are these', () => {
    expect(fencesOf(readme).find(({ language }) => language === '')?.code).toBe('npm ci && npm start\nnpm test\n');
  });

  test('names every variable that real mode reads', () => {
    const read = [...textOf('functions/local-environment.ts').matchAll(/^ {2}([A-Z][A-Z_]+): z\./gm)].map(
      ([, name]) => name,
    );
    expect(read).toContain('GITHUB_TOKEN');
    const named = tableBelow(readme, 'Point it at a real repo').map(([name]) => name);
    expect(read.filter((name) => !named.includes(name))).toEqual([]);
  });

  test('leads to every other document', () => {
    const linked = linksOf('README.md').map(({ target }) => target);
    expect(documents.filter((file) => file !== 'README.md' && !linked.includes(file))).toEqual([]);
  });
});

describe.each(documents)('%s', (file) => {
  const text = textOf(file);

  test('has links that lead somewhere', () => {
    const broken = linksOf(file).filter(
      ({ target, anchor }) =>
        !existsSync(join(root, target)) || (anchor !== '' && !anchorsOf(textOf(target)).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, own]) => run ?? own ?? '');
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('names only environment variables that are read', () => {
    const code = sources
      .filter((path) => path.startsWith('functions/'))
      .map(textOf)
      .join('\n');
    const named = [...proseOf(text).matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !code.includes(name))).toEqual([]);
  });

  test('shows JSON that is accepted as it stands: events on the page about them, settings everywhere else', () => {
    const shown = fencesOf(text).filter(({ language }) => language === 'json');
    if (file === 'docs/test-events.md') {
      for (const { code } of shown) expect(() => wantedOf(JSON.parse(code)), code).not.toThrow();
    } else expect(shown.map(({ code }) => parseSettings(code)).filter(({ ok }) => !ok)).toEqual([]);
  });

  test('shows code that parses and is in the sources, apart from its layout', () => {
    const packed = (code: string): string => code.replace(/\s+/g, '').replace(/,(?=[)\]}])/g, '');
    const all = sources.map((path) => packed(textOf(path)));
    for (const { code } of fencesOf(text).filter(({ language }) => language === 'ts')) {
      expect(() => stripTypeScriptTypes(code)).not.toThrow();
      expect(all.some((source) => source.includes(packed(code)))).toBe(true);
    }
  });
});

describe('operating', () => {
  const operate = textOf('docs/operate.md');

  test('explains every ruling that can be read in the log', () => {
    const explained = tableBelow(operate, 'Rulings').flatMap(([names = '']) => names.split(', '));
    expect(explained).toEqual(rulings.filter((ruling) => ruling !== 'look closer' && ruling !== 'dispatch'));
  });

  test('explains every word of the log', () => {
    const [, union = ''] = /export type What =([^;]+);/.exec(textOf('lib/shell/tick.ts')) ?? [];
    const words = [...union.matchAll(/'([^']+)'/g)].map(([, word = '']) => word);
    expect(words).toContain('dispatched');
    const [, log = ''] = operate.split(/^## The log$/m);
    expect(words.filter((word) => !log.includes(`\`${word}\``))).toEqual([]);
  });

  test('explains every decision but to wait', () => {
    const [, union = ''] = /export type Decision =([^;]+);/.exec(textOf('lib/core/decide.ts')) ?? [];
    const words = [...union.matchAll(/'([^']+)'/g)].map(([, word = '']) => word);
    const explained = tableBelow(operate, 'Decisions').map(([name]) => name);
    expect(explained.toSorted()).toEqual(words.filter((word) => word !== 'wait').toSorted());
  });
});

test('the glossary knows every outcome', () => {
  const glossary = textOf('docs/glossary.md');
  expect(Outcome.options.filter((outcome) => !glossary.includes(outcome))).toEqual([]);
});

describe('a decision', () => {
  test.each(decisions)('%s is a page at most, with its five parts in order', (file) => {
    const text = textOf(file);
    const parts = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(parts).toEqual(['Context', 'Decision', 'Rejected', 'Consequences', 'Reopen when']);
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
  });

  test('has a number of its own, without gaps', () => {
    const numbers = decisions.map((file) => Number(/\/(\d{4})-/.exec(file)?.[1]));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });
});
