/**
 * Breaks the product on purpose, one break at a time in a copy of its own, and looks which test notices: a test is
 * worth what it catches. See `npm run breaks -- --help`.
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { endWithReader, exitCodeOf, optionsIn, UsageError, wholeNumber } from '../../lib/local/command-line.ts';
import { type Break, breaks } from './catalogue.ts';
import { pageOf, rowsOf } from './page.ts';

const help = `Breaks the product on purpose, one break at a time, and looks which test notices.

  npm run breaks                        all of them, after a run without any
  npm run breaks -- --only "act before recording"
  npm run breaks -- --list              their names

Options
  --only NAME    this one alone, without the run that breaks nothing; may be given more than once
  --write        write what caught them into docs/breaks.md
  --at-once N    so many at a time (default 2)
  --list         the names
  --help         this page

Each runs in a private copy, first against the simulation, then against what is next to it, then against the rest;
the first test that fails caught it. Exit code 0 where every break is caught; 1 where one survives.
`;

/**
 * Stories first, the cheapest and those nobody wrote by hand before the others; tables and adapters last. A break that
 * gets past one is tried against the next.
 */
const stages: readonly (readonly string[])[] = [
  ['depth', 'overlap', 'blame', 'recordings'].map((name) => `test/simulation/${name}.test.ts`),
  ['test/simulation/histories/histories.test.ts'],
  ['test/regression', 'test/shell'],
  ['crash', 'crash-depth'].map((name) => `test/simulation/${name}.test.ts`),
  ['test/core', 'test/adapters', 'test/functions/disarmed.test.ts'],
];

const root = resolve(import.meta.dirname, '../..');
const page = join(root, 'docs/breaks.md');
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What came of one stage: the first test that failed, or none. */
type Verdict = { by: string } | 'passed';

const Results = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

/** A private copy of the project, without what no test of these needs. The caller removes it. */
const copyOf = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-break-'));
  for (const entry of readdirSync(root))
    if (!['node_modules', '.git', 'cdk.out', 'dist'].includes(entry))
      cpSync(join(root, entry), join(folder, entry), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
};

const applied = (folder: string, { edits }: Break): void => {
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(find).length !== 2) throw new Error(`${file} does not hold this once: ${find}`);
    // As a function: a replacement is no pattern.
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
};

const minuteMs = 60_000;

/** Runs some tests there, one worker, up to the first that fails. */
const runStage = async (folder: string, files: readonly string[]): Promise<Verdict> => {
  const output = join(folder, 'results.json');
  rmSync(output, { force: true });
  const flags = ['--bail=1', '--maxWorkers=1', '--cache=false', '--fsModuleCache=false', '--reporter=json'];
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...flags, `--outputFile=${output}`, ...files], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-4000);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, 10 * minuteMs);
  const code = await new Promise<number | null>((done) => child.on('close', done));
  clearTimeout(timer);
  if (isLate) return { by: `${files.join(', ')}: no end within ten minutes` };
  if (code === 0) return 'passed';
  if (!existsSync(output)) throw new Error(`no results: ${said}`);
  return verdictOf(Results.parse(JSON.parse(readFileSync(output, 'utf8'))), folder);
};

const verdictOf = ({ testResults }: z.infer<typeof Results>, folder: string): Verdict => {
  for (const { name, assertionResults } of testResults)
    for (const { fullName, status, failureMessages } of assertionResults)
      if (status === 'failed' && !isTimeOut(failureMessages ?? [])) {
        return { by: `${name.replace(`${folder}/`, '')}: ${fullName.trim()}` };
      }
  // A busy machine is slow without any break too: only what another test says counts.
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  if (all.some(({ failureMessages }) => isTimeOut(failureMessages ?? []))) return 'passed';
  // A copy that does not even load shows nothing of the break.
  const broken = testResults.find(({ status }) => status === 'failed');
  throw new Error(`no test failed, and yet the run did: ${broken?.name} ${broken?.message}`);
};

const isTimeOut = (messages: readonly string[]): boolean =>
  messages.length > 0 && messages.every((message) => /(?:Test|Hook) timed out in/.test(message));

/** What catches it: the first test of the first stage that fails; null where it survives them all. */
const caughtBy = async (broken: Break | null): Promise<string | null> => {
  const folder = copyOf();
  try {
    if (broken !== null) applied(folder, broken);
    for (const [index, stage] of stages.entries()) {
      if (index > 0) process.stderr.write(`${broken?.name ?? 'no break'}: through ${index} of ${stages.length}\n`);
      const verdict = await runStage(folder, stage);
      if (verdict !== 'passed') return verdict.by;
    }
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const options = {
  only: { type: 'string', multiple: true },
  write: { type: 'boolean', default: false },
  'at-once': { type: 'string', default: '2' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const main = async (): Promise<number> => {
  const values = optionsIn(process.argv.slice(2), options);
  if (values.help || values.list) {
    say(values.help ? help : breaks.map(({ name }) => name).join('\n'));
    return 0;
  }
  const atOnce = wholeNumber('at-once', values['at-once'], [1, 64]);
  const unknown = (values.only ?? []).filter((only) => !breaks.some(({ name }) => name === only));
  if (unknown.length > 0) throw new UsageError(`no break is called ${unknown.join(', ')}: npm run breaks -- --list`);
  const chosen = breaks.filter(({ name }) => values.only === undefined || values.only.includes(name));
  if (values.only === undefined) {
    const failing = await caughtBy(null);
    if (failing !== null) {
      process.stderr.write(`without any break this fails already: ${failing}\n`);
      return 1;
    }
    say('without any break every test passes');
  }
  const caught = new Map<string, string>();
  const survived: string[] = [];
  const queue = [...chosen];
  // Written as it comes, so that a sweep that is broken off has not been for nothing.
  const write = (): void => {
    if (!values.write) return;
    const before = existsSync(page) ? rowsOf(readFileSync(page, 'utf8')) : new Map<string, string>();
    for (const name of survived) before.delete(name);
    writeFileSync(page, pageOf(breaks, new Map([...before, ...caught])));
  };
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const by = await caughtBy(next);
      if (by === null) survived.push(next.name);
      else caught.set(next.name, by);
      say(`${by === null ? 'SURVIVES' : 'caught  '}  ${next.name}${by === null ? '' : `  by ${by}`}`);
      write();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  say(
    `${caught.size} of ${chosen.length} breaks are caught${survived.length > 0 ? `; ${survived.join(', ')}: not` : ''}`,
  );
  return survived.length === 0 ? 0 : 1;
};

endWithReader(process.stdout, (code) => process.exit(code));
process.exitCode = await exitCodeOf(main, (line) => void process.stderr.write(line));
