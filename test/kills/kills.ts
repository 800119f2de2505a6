/**
 * Kills `npm start` with -9 at random moments, starts it again each time on the same folder, and looks at what came of
 * it. See `npm run kills -- --help`.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { endWithReader, exitCodeOf, optionsIn, wholeNumber } from '../../lib/local/command-line.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import { scenes } from '../../lib/sandbox/scenario.ts';
import { StandInsAddress, Standing } from '../../lib/sandbox/stand-ins.ts';
import { verdicts } from '../../lib/sandbox/verdict.ts';
import { type Dice, dice } from '../simulation/histories/dice.ts';

const help = `Kills the sandbox with -9 at random moments, and starts it again on the same folder each time.

  npm run kills                          50 kills of seed 1
  npm run kills -- --times 10 --seed 7

Options
  --times N   so many kills in all (default 50); further stories are begun until they were made
  --seed S    draws the moments (default 1)
  --help      this page

GitHub, T3 and the agents are stand-ins in a process of their own, which is not killed: the world goes on. Killed is all
of AFK: both ticks, its DynamoDB and its Parameter Store, in whatever they are doing. Exit code 0 where every issue of
every story ended as scripted, with one thread and one comment each, nothing owed and no lock.
`;

const program = fileURLToPath(new URL('../../functions/local.ts', import.meta.url));
const storyMsMax = 8 * 60_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

type Started = { text: () => string; ended: Promise<{ code: number | null }>; kill: () => void };

/** AFK on that folder, in a process group of its own. */
const start = (folder: string): Started => {
  const { T3_TOKEN: _token, T3_URL: _url, ...env } = process.env;
  const child = spawn(process.execPath, [program, '--data', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text = `${text}${chunk.toString()}`.slice(-20_000);
    });
  const ended = new Promise<{ code: number | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code }));
  });
  return {
    text: () => text,
    ended,
    kill: () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    },
  };
};

/** Where the world of that folder is; null where there is none yet, or none any more. */
const controlIn = (folder: string): string | null => {
  const file = join(folder, 'sandbox/stand-ins.json');
  return existsSync(file) ? StandInsAddress.parse(JSON.parse(readFileSync(file, 'utf8'))).control : null;
};

/** The world as it stands now; null where there is none. */
const standingIn = async (folder: string): Promise<Standing | null> => {
  const control = controlIn(folder);
  if (control === null) return null;
  try {
    const answer = await fetch(`${control}/standing`, { signal: AbortSignal.timeout(5000) });
    return Standing.parse(await answer.json());
  } catch {
    return null;
  }
};

/** A story that was given up leaves its world behind. */
const sendAway = async (folder: string): Promise<void> => {
  const control = controlIn(folder);
  if (control !== null) await fetch(`${control}/quit`, { method: 'POST' }).catch(() => undefined);
};

/** One in three while it starts, the others anywhere in some ticks. */
const drawnMs = (throws: Dice): number => (throws.chance(1 / 3) ? throws.int(900) : 900 + throws.int(3600));

type Story = { kills: number; wrong: readonly string[] };

/** One story to its end, with up to so many kills on the way; the world is looked at twice a second. */
const play = async (folder: string, times: number, throws: Dice): Promise<Story> => {
  const until = Date.now() + storyMsMax;
  const wrong = new Set<string>();
  let kills = 0;
  let standing: Standing | null = null;
  const look = async (): Promise<boolean> => {
    const now = await standingIn(folder);
    standing = now ?? standing;
    for (const what of now === null ? [] : doubled(now)) wrong.add(what);
    return now !== null;
  };
  for (;;) {
    const afk = start(folder);
    let code: number | null = null;
    let isGone = false;
    void afk.ended.then((ended) => {
      isGone = true;
      code = ended.code;
    });
    // Before there is a world there is nothing to leave alone: the first kill comes after it.
    while (!isGone && standing === null && !(await look())) await sleep(50);
    const killAt = kills < times ? Date.now() + drawnMs(throws) : until;
    for (let leftMs = killAt - Date.now(); !isGone && leftMs > 0; leftMs = killAt - Date.now()) {
      await Promise.race([afk.ended, sleep(Math.min(500, leftMs))]);
      if (leftMs > 500) await look();
    }
    if (!isGone) afk.kill();
    await afk.ended;
    // Killed: but where the world is gone too, everything was over by then.
    if (code === null) kills += 1;
    if (code === null && (await look()) && Date.now() < until) continue;
    if (code !== null && code !== 0) wrong.add(`exit code ${code}: ${afk.text().slice(-1500)}`);
    if (Date.now() >= until) wrong.add(`no end within ${storyMsMax / 60_000} minutes: ${afk.text().slice(-1500)}`);
    for (const what of [...notAsScripted(standing), ...(await leftIn(join(folder, 'sandbox/table')))]) wrong.add(what);
    return { kills, wrong: [...wrong] };
  }
};

/** At no time more than one thread and one comment for the one labelling that each issue has. */
const doubled = ({ issues, threads }: Standing): readonly string[] =>
  issues.flatMap(({ repo, number, comments }) => {
    const ours = threads.filter(({ title }) => title.startsWith(`${repo}#${number}: `)).length;
    return ours > 1 || comments.length > 1 ? [`${repo}#${number}: ${ours} threads, ${comments.length} comments`] : [];
  });

const notAsScripted = (standing: Standing | null): readonly string[] =>
  standing === null
    ? ['there was no world']
    : verdicts(standing).flatMap(({ issue, wanted, found, isRight }) =>
        isRight ? [] : [`${issue} should be ${wanted} and is ${found}`],
      );

/** What is still in the table and should not be: a lock, a debt, or what cannot be read. */
const leftIn = async (path: string): Promise<readonly string[]> => {
  const dynamo = await embeddedDynamo({ path });
  const client = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
  try {
    const { items, unreadable } = await dynamoStore({ client, table: dynamo.table, writer: 'kills' }).readNow();
    return [
      ...items.flatMap(({ item }) =>
        item.kind === 'run' || item.kind === 'owed'
          ? [`${item.kind === 'run' ? 'a lock' : 'a debt'} of ${item.run.repo.name}#${item.run.issue.number} is left`]
          : [],
      ),
      ...unreadable.map(({ key, reason }) => `${key} cannot be read: ${reason}`),
    ];
  } finally {
    client.destroy();
    await dynamo.close();
  }
};

const main = async (): Promise<number> => {
  const values = optionsIn(process.argv.slice(2), {
    times: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const times = wholeNumber('times', values.times, [1, 10_000]);
  const seed = wholeNumber('seed', values.seed, [0, 999_999]);
  const throws = dice(seed);
  let [kills, stories, broken] = [0, 0, 0];
  const begun = Date.now();
  while (kills < times) {
    const folder = mkdtempSync(join(tmpdir(), 'afk-kills-'));
    try {
      const { kills: made, wrong } = await play(folder, times - kills, throws);
      stories += 1;
      kills += made;
      if (wrong.length > 0) broken += 1;
      say(
        `story ${stories}: killed ${made} times; ${wrong.length === 0 ? `all ${scenes.length} issues as scripted, one thread and one comment each, nothing owed, no lock` : 'NOT as it should be'}`,
      );
      for (const what of wrong) say(`  ${what}`);
      if (made === 0 && wrong.length > 0) break;
    } finally {
      await sendAway(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  }
  say(
    `seed ${seed}: ${kills} kills in ${stories} stories, ${broken} of them not as they should be, ${Math.round((Date.now() - begun) / 1000)} s`,
  );
  return broken === 0 ? 0 : 1;
};

endWithReader(process.stdout, (code) => process.exit(code));
process.exitCode = await exitCodeOf(main, (line) => void process.stderr.write(line));
