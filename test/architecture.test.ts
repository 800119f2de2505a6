import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

// What a machine can check is not written in reviews. Each rule says why it is one, since that is what its failure prints.
const root = join(import.meta.dirname, '..');
const sourcesIn = (folder: string): string[] =>
  globSync(`${folder}/**/*.ts`, { cwd: root })
    .filter((file) => !file.endsWith('.d.ts'))
    .sort();

/** The code of a file without comments, which may speak of what the code must not do. */
const codeOf = (file: string): string =>
  readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** What a file imports: paths from the root for our own, names for packages. */
const importsOf = (file: string): string[] =>
  [...codeOf(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target = '']) =>
    target.startsWith('.') ? normalize(join(dirname(file), target)) : target,
  );

const isOurs = (target: string): boolean => /^(?:lib|functions|test|cdk)\//.test(target);

describe('the rings', () => {
  test.each([
    ['lib/core', /^lib\/core\//, 'the core decides and knows nothing of the world'],
    ['lib/ports.ts', /^lib\/core\//, 'the ports speak in the words of the core'],
    ['lib/shell', /^lib\/(?:core|shell)\/|^lib\/ports\.ts$/, 'the shell works with any adapter'],
    [
      'lib/adapters',
      /^lib\/(?:core|adapters)\/|^lib\/ports\.ts$/,
      'an adapter knows one product and no way of using it',
    ],
    ['lib', /^lib\//, 'what is deployed needs neither tests nor its own composition root'],
    ['functions', /^(?:lib|functions)\//, 'what is deployed does not know how'],
    [
      'cdk',
      /^cdk\/|^functions\/(?:environment|metric-names)\.ts$|^lib\/core\/|^lib\/adapters\/stored-item\.ts$/,
      'the deployment knows the names it has to provide for, and nothing that runs',
    ],
  ])('%s imports only what it may', (folder, allowed, why) => {
    const files = folder.endsWith('.ts') ? [folder] : sourcesIn(folder);
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => isOurs(target) && !allowed.test(target))
        .map((target) => `${file} imports ${target}: ${why}`),
    );
    expect(wrong).toEqual([]);
  });

  test('the core needs no package but zod, and of Node only hashing', () => {
    const wrong = sourcesIn('lib/core').flatMap((file) =>
      importsOf(file)
        .filter((target) => !isOurs(target) && target !== 'zod' && target !== 'node:crypto')
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('nothing deployed needs the parts of one machine', () => {
    const wrong = ['lib/core', 'lib/shell', 'lib/adapters']
      .flatMap(sourcesIn)
      .flatMap((file) => importsOf(file).filter((target) => /^lib\/(?:local|sandbox)\//.test(target)));
    expect(wrong).toEqual([]);
  });
});

describe('words', () => {
  const clock = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/;
  const chance = /\brandomUUID\b|\bMath\.random\b|\brandomBytes\b|\bgetRandomValues\b/;
  test.each([
    ['lib/core', clock, 'time is an argument, or no test can move it'],
    ['lib/core', chance, 'an id that is drawn is another one at the next try'],
    ['lib/core', /\bprocess\.|\bglobalThis\b/, 'settings are arguments'],
    [
      'lib/core',
      /\bfetch\(|\bsetTimeout\b|\bsetInterval\b|\bconsole\.|\bawait\b|\basync\b/,
      'whatever waits, fails or speaks is in the shell',
    ],
    ['lib/shell', clock, 'a tick has one now, and it is an argument'],
    ['lib/shell', chance, 'ids follow from the record'],
    ['lib/shell', /\bprocess\.|\bfetch\(|\bconsole\./, 'the shell reaches the world through ports'],
    ['lib/adapters', clock, 'the sandbox runs adapters on a faster clock'],
    ['lib/adapters', chance, 'what is sent must be the same at the next try'],
    ['lib/adapters', /\bprocess\.env\b|\bconsole\./, 'settings are arguments, and an adapter that talks leaks'],
    ['cdk', clock, 'the same sources give the same template'],
    ['cdk', chance, 'the same sources give the same template'],
    ['{lib,functions,cdk}', /\bPutParameter/, 'no code path arms: only a person sets a parameter'],
    ['{lib,functions,cdk}', /\bexport default\b|^enum /m, 'named exports only, and no syntax that outlives its types'],
    ['{lib,functions,test}', /\bvi\.(?:mock|useFakeTimers)\b/, 'a missing argument, not a mock'],
    ['{lib,functions,test}', /\b(?:test|it|describe)\.(?:only|todo)\b/, 'a test that does not run guards nothing'],
  ])('%s holds nothing like %s', (folder, word, why) => {
    const wrong = sourcesIn(folder)
      .filter((file) => file !== 'test/architecture.test.ts')
      .flatMap((file) => {
        const found = word.exec(codeOf(file));
        return found === null ? [] : [`${file} holds ${found[0]}: ${why}`];
      });
    expect(wrong).toEqual([]);
  });
});

test('every exchange of every test with the stand-in for GitHub is held against what GitHub documents', () => {
  const unheld = /\bgithub(?:Server|Handler)\(/;
  const wrong = sourcesIn('test').filter((file) => unheld.test(codeOf(file)) && !holding.has(file));
  expect(wrong, 'start it with startGithub or validatedGithub of test/support/github-stand-in.ts').toEqual([]);
});

/** Those that hold exchanges against the documents, or spoil them; and the bench, whose time is what it measures. */
const holding = new Set([
  'test/support/github-stand-in.ts',
  'test/support/github-ask.ts',
  'test/support/github-exchange-kit.ts',
  'test/bench/stage.ts',
]);

test('these rules look at files that are there', () => {
  for (const folder of ['lib/core', 'lib/shell', 'lib/adapters', 'functions', 'cdk'])
    expect(sourcesIn(folder)).not.toEqual([]);
  expect(importsOf('lib/core/mirror.ts')).toContain('lib/core/ids.ts');
});
