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
import { endWithReader, exitCodeOf, optionsIn, UsageError, wholeNumber } from '../../lib/local/command-line.ts';
import { type Break, breaks } from './catalogue.ts';
import { pageOf, rowsOf } from './page.ts';
import { Results, verdictOf } from './verdict.ts';

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
the first test that fails caught it. A test that is only too slow catches nothing. Exit code 0 where every break is
caught; 1 where one survives.
`;

/** Some test files or folders, of which tests with a certain name may be passed over. */
type Stage = { files: readonly string[]; without?: string };

const simulation = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `test/simulation/${name}.test.ts`);

/**
 * Stories first, the cheapest and those nobody wrote by hand before the others; tables and adapters last. A break that
 * gets past one is tried against the next. A page that is compared as a whole notices nearly everything and tells
 * nothing of what was promised: only what gets past all others is tried against it.
 */
const stages: readonly Stage[] = [
  { files: simulation('depth', 'overlap', 'blame', 'recordings'), without: 'the page' },
  { files: simulation('histories/histories', 'histories/witnesses') },
  { files: ['test/regression', 'test/shell', ...simulation('pull-request')] },
  { files: simulation('crash', 'crash-depth') },
  { files: ['test/core', 'test/adapters', 'test/functions/disarmed.test.ts'] },
  { files: simulation('recordings') },
];

const root = resolve(import.meta.dirname, '../..');
const page = join(root, 'docs/breaks.md');
const say = (line: string): void => void process.stdout.write(`${line}\n`);

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

/**
 * The first test of a stage that fails there, by one worker; null where all pass. Where the first to fail was only too
 * slow, which says nothing of the break, those behind it have their say in a second run, which goes on to the end.
 */
const failingIn = async (folder: string, stage: Stage): Promise<string | null> => {
  const verdict = await runStage(folder, stage, ['--bail=1']);
  if (verdict !== 'too slow') return verdict?.by ?? null;
  const patient = await runStage(folder, stage, [`--testTimeout=${2 * minuteMs}`, `--hookTimeout=${2 * minuteMs}`]);
  return patient === 'too slow' ? null : (patient?.by ?? null);
};

/** Null where all pass. */
const runStage = async (
  folder: string,
  { files, without }: Stage,
  how: readonly string[],
): Promise<ReturnType<typeof verdictOf> | null> => {
  const output = join(folder, 'results.json');
  rmSync(output, { force: true });
  const flags = [...how, '--maxWorkers=1', '--cache=false', '--fsModuleCache=false', '--reporter=json'];
  if (without !== undefined) flags.push(`--testNamePattern=^(?!${without} )`);
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
  if (code === 0) return null;
  if (!existsSync(output)) throw new Error(`no results: ${said}`);
  return verdictOf(Results.parse(JSON.parse(readFileSync(output, 'utf8'))), folder);
};

/** What catches it: the first test of the first stage that fails; null where it survives them all. */
const caughtBy = async (broken: Break | null): Promise<string | null> => {
  const folder = copyOf();
  try {
    if (broken !== null) applied(folder, broken);
    for (const [index, stage] of stages.entries()) {
      if (index > 0) process.stderr.write(`${broken?.name ?? 'no break'}: through ${index} of ${stages.length}\n`);
      const failing = await failingIn(folder, stage);
      if (failing !== null) return failing;
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
