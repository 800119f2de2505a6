import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appMemory } from '../lib/adapters/github-app.ts';
import { watchMemory } from '../lib/adapters/github-watched.ts';
import type { Control } from '../lib/core/control.ts';
import { FolderInUse } from '../lib/local/instance-lock.ts';
import { localService } from '../lib/local/service.ts';
import { paint, timeline } from '../lib/local/timeline.ts';
import type { Report } from '../lib/shell/tick.ts';
import { realCredentials } from './local-environment.ts';
import { startUpCheck } from './start-up.ts';
import { portsOf } from './wiring.ts';

const minuteMs = 60_000;

/**
 * The real thing on one machine: real time, disarmed until a person edits two files. It never writes a control value
 * once the folder is there. Returns the exit code; ends on SIGTERM or SIGINT after the tick that is under way.
 */
export const runReal = async ({ folder, env }: { folder: string; env: NodeJS.ProcessEnv }): Promise<number> => {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const read = realCredentials(env);
  if ('refusal' in read) {
    process.stderr.write(`${read.refusal}\n`);
    return 2;
  }
  const { credentials, t3Url } = read;
  seed(join(folder, 'control'), t3Url);
  const tint = paint(process.stdout.isTTY === true && env['NO_COLOR'] === undefined);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

  const memory = appMemory();
  const watched = watchMemory(Date.now);
  const service = await localService({
    folder,
    now: Date.now,
    newId: () => randomBytes(16).toString('hex'),
    realNow: Date.now,
    connect: async (settings, store) =>
      portsOf({ store, credentials, now: Date.now, writeSpacingMs: 1000, appMemory: memory, watched }, settings),
  }).catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  });
  if (service === null) return 3;

  const print = timeline(say, tint, Date.now());
  say(`AFK, real time. GitHub ${credentials.githubUrl ?? 'https://api.github.com'}, T3 ${t3Url}.`);
  say(`Its parameters are files in ${resolve(service.controlFolder)}. To arm it:`);
  say(`  1. settings     model and checkouts; see the table in README.md`);
  say(`  2. allowlist    the repos, owner/name, one a line`);
  say(`  3. kill-switch  false`);
  say(`To stop everything: write true into kill-switch. Ctrl-C ends this process after the tick under way.`);
  const control = await service.gate.read();
  const settings = control.state === 'on' ? control.settings : null;
  const agentLogins = settings?.defaults.agentLogins ?? [];
  for (const line of await startUpCheck(credentials, {
    t3Url: settings?.t3Url ?? t3Url,
    agentLogins,
    now: Date.now(),
  }))
    say(line);
  say(standingOf(control));
  let was = '';
  try {
    while (!stop.signal.aborted) {
      const begun = Date.now();
      for (const kind of ['poll', 'watch'] as const) {
        const report = await service.tick(kind).catch((error: unknown) => {
          // Infrastructure failed: this tick is lost, the next one is the retry.
          say(
            tint.as(
              'bad',
              `the ${kind === 'poll' ? 'poller' : 'watcher'} failed: ${error instanceof Error ? error.message : String(error)}`,
            ),
          );
          return null;
        });
        if (report !== null) print(report, Date.now());
        if (kind === 'poll' && report !== null) was = sayIfNew(report, was, say);
      }
      await sleep(Math.max(0, minuteMs - (Date.now() - begun)), undefined, { signal: stop.signal }).catch(
        () => undefined,
      );
    }
  } finally {
    await service.close();
  }
  say('Stopped. Runs that are out go on at T3; they are watched again at the next start.');
  return 0;
};

/** The first settings of a fresh folder: what can be known. Written once, and then a person's own. */
const seed = (controlFolder: string, t3Url: string): void => {
  if (existsSync(controlFolder)) return;
  mkdirSync(controlFolder, { recursive: true });
  const settings = { t3Url, defaults: { model: 'claude-sonnet-5', workspaceRoot: '/srv/checkouts/{owner}__{name}' } };
  writeFileSync(join(controlFolder, 'settings'), `${JSON.stringify(settings, null, 2)}\n`, { flag: 'wx' });
  // The two gates, closed.
  writeFileSync(join(controlFolder, 'kill-switch'), 'true\n', { flag: 'wx' });
  writeFileSync(join(controlFolder, 'allowlist'), 'none\n', { flag: 'wx' });
};

const standingOf = (control: Control): string => {
  if (control.state === 'off') return `Now: disarmed. ${control.reason}`;
  return control.noDispatch === null
    ? `Now: ARMED for ${control.allowlist.join(', ')}`
    : `Now: nothing new starts. ${control.noDispatch}`;
};

/** An armed or disarmed state is said when it changes, not every minute. */
const sayIfNew = (report: Report, was: string, say: (line: string) => void): string => {
  const is =
    report.state === 'off'
      ? `disarmed: ${report.reason}`
      : report.reason === null
        ? 'armed'
        : `nothing new starts: ${report.reason}`;
  if (is !== was) say(`${new Date().toISOString()}  ${is}`);
  return is;
};
