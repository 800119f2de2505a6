import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Control } from '../lib/core/control.ts';
import { FolderInUse } from '../lib/local/instance-lock.ts';
import { localService } from '../lib/local/service.ts';
import { paint, timeline } from '../lib/local/timeline.ts';
import type { Report } from '../lib/shell/tick.ts';
import { startUpCheck } from './start-up.ts';
import { type Credentials, portsOf } from './wiring.ts';

const minuteMs = 60_000;

/** What real mode needs of the environment; every name that is missing is said at once. */
const Environment = z.object({
  GITHUB_TOKEN: z.string().min(1),
  GITHUB_URL: z.url().optional(),
  T3_URL: z.url(),
  T3_TOKEN: z.string().min(1),
  SLACK_WEBHOOK: z.url().optional(),
  NTFY_URL: z.url().optional(),
  NTFY_TOPIC: z.string().optional(),
  NTFY_TOKEN: z.string().optional(),
});

/**
 * The real thing on one machine: real time, disarmed until a person edits two files. It never writes a control value
 * once the folder is there. Returns the exit code; ends on SIGTERM or SIGINT after the tick that is under way.
 */
export const runReal = async ({ folder, env }: { folder: string; env: NodeJS.ProcessEnv }): Promise<number> => {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path }) => {
      const name = path.join('.');
      return `  ${name} ${env[name] === undefined ? 'is not set' : 'does not look right'}: ${meaningOf(name)}`;
    });
    process.stderr.write(
      `The real thing needs more of the environment (npm start -- --help):\n${problems.join('\n')}\n`,
    );
    return 2;
  }
  seed(join(folder, 'control'), parsed.data.T3_URL);
  const credentials = credentialsOf(parsed.data);
  const tint = paint(process.stdout.isTTY === true && env['NO_COLOR'] === undefined);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

  const service = await localService({
    folder,
    now: Date.now,
    newId: () => randomBytes(16).toString('hex'),
    realNow: Date.now,
    connect: async (settings, store) => portsOf({ store, credentials, now: Date.now, writeSpacingMs: 1000 }, settings),
  }).catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  });
  if (service === null) return 3;

  const print = timeline(say, tint, Date.now());
  say(`AFK, real time. GitHub ${credentials.githubUrl ?? 'https://api.github.com'}, T3 ${parsed.data.T3_URL}.`);
  say(`Its parameters are files in ${resolve(service.controlFolder)}. To arm it:`);
  say(`  1. settings     model and checkouts; see the table in README.md`);
  say(`  2. allowlist    the repos, owner/name, one a line`);
  say(`  3. kill-switch  false`);
  say(`To stop everything: write true into kill-switch. Ctrl-C ends this process after the tick under way.`);
  const control = await service.gate.read();
  const settings = control.state === 'on' ? control.settings : null;
  const agentLogins = settings?.defaults.agentLogins ?? [];
  for (const line of await startUpCheck(credentials, {
    t3Url: settings?.t3Url ?? parsed.data.T3_URL,
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

const meaningOf = (name: string): string => {
  switch (name) {
    case 'GITHUB_TOKEN':
      return 'a token that may read and label the enrolled repos';
    case 'T3_URL':
      return 'the address of the T3 server, such as https://t3.example.com';
    case 'T3_TOKEN':
      return 'a T3 bearer, minted on its host (docs/t3-host.md)';
    default:
      return 'an address, or leave it unset';
  }
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

const credentialsOf = (env: z.infer<typeof Environment>): Credentials => ({
  githubToken: env.GITHUB_TOKEN,
  ...(env.GITHUB_URL !== undefined && { githubUrl: env.GITHUB_URL }),
  t3Token: env.T3_TOKEN,
  ...(env.SLACK_WEBHOOK !== undefined && { slackWebhook: env.SLACK_WEBHOOK }),
  ...(env.NTFY_URL !== undefined &&
    env.NTFY_TOPIC !== undefined && {
      ntfy: {
        url: env.NTFY_URL,
        topic: env.NTFY_TOPIC,
        ...(env.NTFY_TOKEN !== undefined && { token: env.NTFY_TOKEN }),
      },
    }),
});

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
