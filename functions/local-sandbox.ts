import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EndedRun } from '../lib/core/run.ts';
import { settingsFor } from '../lib/core/settings.ts';
import { closingTable } from '../lib/local/closing-table.ts';
import { type LocalService, localService } from '../lib/local/service.ts';
import { clockOf, paint, timeline } from '../lib/local/timeline.ts';
import { operate } from '../lib/sandbox/operator.ts';
import { sandboxControl, sandboxEvents, sandboxTokens } from '../lib/sandbox/scenario.ts';
import { StandInsAddress, Standing, sandboxTime } from '../lib/sandbox/stand-ins.ts';
import { verdicts } from '../lib/sandbox/verdict.ts';
import { portsOf } from './wiring.ts';

const minuteMs = 60_000;
/** The demo begins at one fixed instant, so that two of them are the same to the byte. */
const demoEpoch = Date.UTC(2026, 0, 5, 9, 0);
export type SandboxOptions = {
  folder: string;
  isDemo: boolean;
  /** Go on with stand-ins that are still there, as after a crash; else begin anew. */
  isResumed: boolean;
  rate: number;
};

/** Longer than the longest story takes. */
const endMs = 6 * 60 * minuteMs;

/**
 * The sandbox: real ticks, real adapters, real HTTP; only GitHub, T3 and the agents are stand-ins, in a process of
 * their own that survives this one. Returns the exit code: 0 only if every issue ended as its script demands.
 */
export const runSandbox = async ({ folder, isDemo, isResumed, rate }: SandboxOptions): Promise<number> => {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const tint = paint(process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined);
  say(
    isDemo
      ? 'AFK demo: the sandbox without waiting.'
      : `AFK sandbox: no account, no keys, ${rate} times real time (a minute passes in ${60 / rate} s). Ctrl-C ends it.`,
  );
  const file = `${folder}/stand-ins.json`;
  const known = isResumed ? await standInsAlready(file) : null;
  if (known === null) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const address = known ?? (await startStandIns(file, isDemo ? 0 : rate, isDemo ? demoEpoch : Date.now()));
  let demoNow = known === null ? address.epoch : (await standingOf(address)).now;
  const now = (): number => (isDemo ? demoNow : sandboxTime(address, Date.now()));
  let drawn = 0;
  // A demo from the beginning draws its ids from a count, since it has to be the same twice.
  const newId = (): string =>
    isDemo && known === null
      ? createHash('sha256').update(`demo-${++drawn}`).digest('hex').slice(0, 32)
      : randomBytes(16).toString('hex');
  const service = await localService({
    folder,
    now,
    newId,
    realNow: Date.now,
    connect: async (settings, store) =>
      portsOf(
        {
          store,
          now,
          writeSpacingMs: 0,
          credentials: {
            github: { token: sandboxTokens.github },
            githubUrl: address.github,
            t3Token: sandboxTokens.t3,
          },
        },
        settings,
      ),
  });
  const print = timeline(say, tint, address.epoch);
  const minutesIn = (): number => (now() - address.epoch) / minuteMs;
  const tell = (text: string): void => say(`${tint.dim(clockOf(now() - address.epoch))}  ${text}`);
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isStopping = true));

  const minute = async (): Promise<void> => {
    const begun = Date.now();
    for (const kind of ['poll', 'watch'] as const) {
      const report = await service.tick(kind);
      if (report.state === 'off')
        tell(
          report.happened.length > 0
            ? `the watcher halts what is out, and does nothing else: ${report.reason}`
            : `the ${kind === 'poll' ? 'poller' : 'watcher'} is inert: ${report.reason}`,
        );
      print(report, now());
    }
    if (isDemo) {
      demoNow += minuteMs;
      await post(`${address.control}/clock?now=${demoNow}`);
    } else await sleep(Math.max(0, minuteMs / address.rate - (Date.now() - begun)));
  };

  let isHalting = false;
  let isRestarted = minutesIn() > sandboxEvents.restartAt;
  /** What the story holds beside its issues, when its minute has come. */
  const events = async (): Promise<void> => {
    const minute = minutesIn();
    if (!isRestarted && minute >= sandboxEvents.restartAt) {
      isRestarted = true;
      await post(`${address.control}/restart`);
      tell('T3 is restarted: the turns it had out read as running for ever, and nobody works on them.');
    }
    const halts = minute >= sandboxEvents.haltFrom && minute < sandboxEvents.haltUntil;
    if (halts === isHalting) return;
    isHalting = halts;
    operate(service.controlFolder, { 'kill-switch': String(halts) });
    tell(
      halts
        ? 'The operator writes true into kill-switch: everything stops.'
        : 'The operator writes false into kill-switch: what was halted goes on.',
    );
  };

  try {
    if (known === null) {
      say(`As shipped it is disarmed. Two ticks, each with one network call:`);
      await minute();
      say(`Now the sandbox's operator flips both values in ${service.controlFolder}: allowlist and kill-switch.`);
      say('');
    } else say('The stand-ins were still there: going on where the last start left off.');
    operate(service.controlFolder, sandboxControl(address.t3));
    while (!isStopping && now() - address.epoch < endMs) {
      await events();
      await minute();
      if (isOver(await standingOf(address))) break;
    }
    // What an end owes the tracker is paid within another tick.
    if (!isStopping) await minute();
    const settled = verdicts(await standingOf(address));
    const control = await service.gate.read();
    say('');
    if (control.state === 'on')
      for (const line of closingTable(await endedRuns(service), (repo) => settingsFor(control.settings, repo)))
        say(line);
    say('');
    for (const { issue, wanted, found, isRight } of settled)
      if (!isRight) say(tint.as('bad', `${issue} should be ${wanted} and is ${found}`));
    const isRight = settled.every((one) => one.isRight);
    say(
      isRight
        ? tint.as('good', `All ${settled.length} issues ended as scripted.`)
        : 'Not every issue ended as scripted.',
    );
    return isRight ? 0 : 1;
  } finally {
    await service.close();
    await post(`${address.control}/quit`).catch(() => undefined);
    rmSync(file, { force: true });
  }
};

const endedRuns = async ({ storeFor }: LocalService): Promise<readonly EndedRun[]> => {
  const store = storeFor('closing-table');
  const { items } = await store.readNow();
  const repos = items.flatMap(({ item }) => (item.kind === 'repo' ? [item] : []));
  return (await Promise.all(repos.map((repo) => store.historyOf(repo)))).flat();
};

const isOver = (standing: Standing): boolean => verdicts(standing).every(({ isOver: over }) => over);

const standInsAlready = async (file: string): Promise<StandInsAddress | null> => {
  if (!existsSync(file)) return null;
  const parsed = StandInsAddress.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) return null;
  const isThere = await standingOf(parsed.data).then(
    () => true,
    () => false,
  );
  return isThere ? parsed.data : null;
};

const startStandIns = async (file: string, rate: number, epoch: number): Promise<StandInsAddress> => {
  const script = fileURLToPath(new URL('stand-ins.ts', import.meta.url));
  const child = spawn(process.execPath, [script, '--address', file, '--rate', String(rate), '--epoch', String(epoch)], {
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
  for (const until = Date.now() + 20_000; Date.now() < until; await sleep(25)) {
    if (existsSync(file)) return StandInsAddress.parse(JSON.parse(readFileSync(file, 'utf8')));
    if (child.exitCode !== null) break;
  }
  throw new Error('the stand-ins did not come up');
};

const standingOf = async (address: StandInsAddress): Promise<Standing> =>
  Standing.parse(await (await fetch(`${address.control}/standing`, { signal: AbortSignal.timeout(5000) })).json());

const post = async (url: string): Promise<void> => {
  await (await fetch(url, { method: 'POST', signal: AbortSignal.timeout(5000) })).text();
};
