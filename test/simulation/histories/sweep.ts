import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { endWithReader, exitCodeOf, optionsIn, wholeNumber } from '../../../lib/local/command-line.ts';
import { agentNames } from '../../../lib/sandbox/agents.ts';
import { dyingAt, momentsOf } from '../crash-scenes.ts';
import { coverageOf } from './coverage.ts';
import { type History, historyOf } from './history.ts';
import { play } from './play.ts';
import { shrink } from './shrink.ts';
import type { Failed, Told } from './sweep-worker.ts';

const help = `Random histories of AFK: two ticks, a whole world in memory, and whatever can go wrong.

  npm run sim                             200 histories of seed 1
  npm run sim -- --runs 20000 --seed 7    so many, of another seed
  npm run sim -- --only 7000130           one history by its number, with its story
  npm run sim -- --only 7000130 --small   the same, made as small as it goes if it does not hold
  npm run sim -- --crashes                no histories: each scripted agent, dying at each port call there is

Options
  --runs N       how many histories (default 200)
  --seed S       history n of seed S has the number S x 1,000,000 + n (default 1)
  --only NUMBER  play this one and tell it
  --small        with --only: leave away whatever it takes not
  --crashes      die at each port call of each scripted agent's issue, one run for each
  --http         reach the world by the real adapters over HTTP, each exchange held against GitHub's documents;
                 some seven times slower
  --coverage     list how often each fault, situation, decision, ruling, command and end was met
  --workers N    threads (default: one per core)
  --help         this page

Exit code 0 where everything held; 1 where something did not, with the smallest story found; 2 for a bad option.
`;

const options = {
  runs: { type: 'string', default: '200' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string' },
  small: { type: 'boolean', default: false },
  coverage: { type: 'boolean', default: false },
  crashes: { type: 'boolean', default: false },
  http: { type: 'boolean', default: false },
  workers: { type: 'string', default: String(availableParallelism()) },
  help: { type: 'boolean', default: false },
} as const;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const perSeed = 1_000_000;

const sweep = async (from: number, runs: number, workers: number, overHttp: boolean): Promise<Told> => {
  const sum: { played: number; invocations: number; met: Record<string, number>; failed: Failed[] } = {
    played: 0,
    invocations: 0,
    met: {},
    failed: [],
  };
  const add = (told: Told): void => {
    sum.played += told.played;
    sum.invocations += told.invocations;
    sum.failed.push(...told.failed);
    for (const [what, count] of Object.entries(told.met)) sum.met[what] = (sum.met[what] ?? 0) + count;
    if (process.stderr.isTTY) process.stderr.write(`\r${sum.played} of ${runs}`);
  };
  await Promise.all(
    Array.from(
      { length: workers },
      (_, first) =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL('./sweep-worker.ts', import.meta.url), {
            workerData: { from, runs, first, stride: workers, overHttp },
          });
          worker.on('message', add);
          worker.on('error', reject);
          worker.on('exit', () => resolve());
        }),
    ),
  );
  if (process.stderr.isTTY) process.stderr.write('\r');
  return { ...sum, failed: sum.failed.sort((a, b) => a.number - b.number) };
};

/** A history as a person reads it: who is there, what goes wrong, what came of it. */
const tellOf = async (history: History, overHttp: boolean): Promise<boolean> => {
  const { wrong, story } = await play(history, { isTold: true, overHttp });
  for (const { repo, agent, labelled } of history.issues)
    say(`issue in ${repo}, an agent that ${agent}, labelled by ${labelled === false ? 'nobody' : labelled}`);
  const { settings, repoSettings, ci, deploys } = history;
  say(
    `settings ${JSON.stringify({ ...settings, ...repoSettings })}; CI ${ci}${deploys ? ', deployed when green' : ''}`,
  );
  for (const line of story) say(line.slice(0, 240));
  for (const what of wrong) say(`DOES NOT HOLD: ${what}`);
  if (wrong.length > 0) say(`as data: ${JSON.stringify(history)}`);
  return wrong.length === 0;
};

const failing =
  (overHttp: boolean) =>
  async (history: History): Promise<boolean> =>
    (await play(history, { overHttp })).wrong.length > 0;

const crashes = async (): Promise<number> => {
  let points = 0;
  const wrong: string[] = [];
  for (const agent of agentNames) {
    const { calls } = await momentsOf(agent);
    const begun = performance.now();
    for (let call = 1; call <= calls; call += 1) wrong.push(...(await dyingAt(agent, call, 'die after')));
    points += calls;
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    say(`${String(calls).padStart(5)} calls  ${seconds} s  an agent that ${agent}`);
  }
  for (const what of wrong.slice(0, 20)) say(`DOES NOT HOLD: ${what}`);
  say(`${points} crash points, ${wrong.length} that do not hold`);
  return wrong.length === 0 ? 0 : 1;
};

const main = async (): Promise<number> => {
  const values = optionsIn(process.argv.slice(2), options);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.crashes) return crashes();
  const doesNotHold = failing(values.http);
  if (values.only !== undefined) {
    const history = historyOf(wholeNumber('only', values.only, [0, Number.MAX_SAFE_INTEGER]));
    const isMadeSmall = values.small && (await doesNotHold(history));
    return (await tellOf(isMadeSmall ? await shrink(history, doesNotHold) : history, values.http)) ? 0 : 1;
  }
  const runs = wholeNumber('runs', values.runs, [1, perSeed]);
  const seed = wholeNumber('seed', values.seed, [0, 4000]);
  const begun = performance.now();
  const told = await sweep(seed * perSeed, runs, wholeNumber('workers', values.workers, [1, 64]), values.http);
  const counts = new Map(Object.entries(told.met));
  const { kinds, met, unmet } = coverageOf(counts);
  const seconds = (performance.now() - begun) / 1000;
  say(
    `seed ${seed}: ${told.played} histories, ${told.invocations} ticks, ${told.failed.length} that do not hold, ${seconds.toFixed(0)} s; met ${met} of ${kinds} faults, situations, decisions, rulings, commands and ends`,
  );
  if (unmet.length > 0) say(`never met: ${unmet.join('; ')}`);
  if (values.coverage) for (const [what, count] of [...counts].sort()) say(`${String(count).padStart(7)}  ${what}`);
  const [worst] = told.failed;
  if (worst === undefined) return 0;
  for (const { number, wrong } of told.failed.slice(0, 20)) say(`${number}  ${wrong}`);
  say('The first, made as small as it goes:');
  await tellOf(await shrink(historyOf(worst.number), doesNotHold), values.http);
  return 1;
};

endWithReader(process.stdout, (code) => process.exit(code));
process.exitCode = await exitCodeOf(main, (line) => void process.stderr.write(line));
