import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dynamoClient, dynamoStore } from '../lib/adapters/dynamo-store.ts';
import { rehearsalGate, ssmClient, ssmGate } from '../lib/adapters/ssm-gate.ts';
import { isRepoName } from '../lib/core/repo-name.ts';
import { localAws } from '../lib/local/dynalite.ts';
import { FolderInUse } from '../lib/local/instance-lock.ts';
import { type Parts, sharedParts } from '../lib/local/parts.ts';
import { dryRunPorts } from '../lib/shell/dry-run.ts';
import { explain } from '../lib/shell/explain.ts';
import { poll } from '../lib/shell/poll.ts';
import type { TickContext } from '../lib/shell/tick.ts';
import { watch } from '../lib/shell/watch.ts';
import { countCalls } from './calls.ts';
import { realCredentials } from './local-environment.ts';
import { dryRunOf, explainSummaryOf, summaryOf, type TickSummary } from './tick-summary.ts';
import { type Credentials, portsOf } from './wiring.ts';

/** What a person asked for on the command line, not yet looked at. */
export type Asked = { dryRun: boolean; explain: string | undefined; only: string | undefined };

type Wanted = { kind: 'dry run'; only: string | null } | { kind: 'explain'; repo: string; number: number };

/**
 * The same rehearsals as from the Lambda console, on the data of one machine, also beside the instance at work on it:
 * `--dry-run` is both ticks, `--explain` every gate of one issue. Behind a gate that is a rehearsal nothing that can
 * write is ever connected. Returns the exit code: 0, 2 for what is asked wrongly, 3 where the folder is in use by an
 * instance that does not let others read.
 */
export const runRehearsal = async (
  asked: Asked,
  { folder, env }: { folder: string; env: NodeJS.ProcessEnv },
): Promise<number> => {
  const wanted = rehearsalOf(asked);
  if (typeof wanted === 'string') return refuse(wanted, 2);
  const read = realCredentials(env);
  if ('refusal' in read) return refuse(read.refusal, 2);
  if (!existsSync(folder))
    return refuse(`there is no data folder ${folder}: npm start makes it (or name it with --data)`, 2);
  const parts = await sharedParts({ folder, now: Date.now }).catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    return error;
  });
  if (parts instanceof FolderInUse) return refuse(parts.message, 3);
  try {
    await rehearse(wanted, parts, read.credentials);
    return 0;
  } finally {
    await parts.close();
  }
};

const refuse = (words: string, code: number): number => {
  process.stderr.write(`${words}\n`);
  return code;
};

/** What is rehearsed, or in words how to ask for it. */
export const rehearsalOf = ({ dryRun, explain: issue, only }: Asked): Wanted | string => {
  if (only !== undefined && !isRepoName(only))
    return `--only takes a repo's name, owner/name, and not ${JSON.stringify(only)}`;
  if (issue === undefined)
    return dryRun ? { kind: 'dry run', only: only ?? null } : '--only narrows a --dry-run: add it, or leave both out';
  if (dryRun || only !== undefined) return '--explain stands alone: leave --dry-run and --only out';
  const [, repo, number] = /^([^#\s]+)#(\d{1,9})$/.exec(issue) ?? [];
  return repo !== undefined && isRepoName(repo) && Number(number) > 0
    ? { kind: 'explain', repo, number: Number(number) }
    : `--explain takes an issue, owner/name#7, and not ${JSON.stringify(issue)}`;
};

const tickMs = 50_000;

const rehearse = async (wanted: Wanted, parts: Parts, credentials: Credentials): Promise<void> => {
  const parameters = ssmClient({ endpoint: parts.parameters, ...localAws });
  const table = dynamoClient({ endpoint: parts.dynamo, ...localAws });
  const control = await ssmGate({ client: parameters }).read();
  const disarmed = control.state === 'off' ? control.reason : null;
  const by = `rehearsal-${randomBytes(4).toString('hex')}`;
  const store = dynamoStore({ client: table, table: parts.table, writer: by });
  const would: string[] = [];
  const until = Date.now() + tickMs;
  const context: TickContext = {
    gate: rehearsalGate({ client: parameters }),
    connect: async (settings) =>
      dryRunPorts(portsOf({ store, credentials, now: Date.now, writeSpacingMs: 0 }, settings), would),
    now: Date.now,
    by,
    newRunId: () => randomBytes(16).toString('hex'),
    timeLeftMs: () => until - Date.now(),
    isDryRun: true,
    ...(wanted.kind === 'dry run' && wanted.only !== null && { only: wanted.only }),
  };
  try {
    if (wanted.kind === 'explain') return await explainOne(context, wanted, disarmed);
    for (const kind of ['poll', 'watch'] as const) {
      would.length = 0;
      const begun = Date.now();
      const counting = countCalls();
      const report = await (kind === 'poll' ? poll(context) : watch(context));
      const summary = summaryOf(report, wanted.only, { calls: counting.stop(), ms: Date.now() - begun });
      show(dryRunOf(summary, would, disarmed));
    }
  } finally {
    table.destroy();
    parameters.destroy();
  }
};

const explainOne = async (
  context: TickContext,
  { repo, number }: Extract<Wanted, { kind: 'explain' }>,
  disarmed: string | null,
): Promise<void> => {
  const begun = Date.now();
  const counting = countCalls();
  const explanation = await explain(context, { repo, number }, disarmed);
  const {
    explain: issue,
    says,
    gates,
  } = explainSummaryOf(explanation, {
    calls: counting.stop(),
    ms: Date.now() - begun,
  });
  say(`${issue}: ${says}`);
  for (const gate of gates) say(`  ${gate}`);
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Lists that are empty are left out, but for what was ruled: that nothing waits is an answer. */
const show = ({ tick, dryRun, wouldHave, ...told }: TickSummary & { dryRun: string; wouldHave: string[] }): void => {
  say(`The ${tick === 'poll' ? 'poller' : 'watcher'}: ${dryRun}.`);
  if (told.reason !== null) say(`  ${told.reason}`);
  const { ruled, decided, failed } = told;
  const parts: readonly (readonly [string, readonly string[]])[] = [
    [tick === 'poll' ? 'what waits' : '', ruled],
    ['what is seen', told.seen],
    ['decided', decided],
    ['what else happens', [...told.dispatched, ...told.happened, ...told.ended]],
    ['failed', failed],
    ['it would', wouldHave],
  ];
  for (const [title, lines] of parts.filter(([name]) => name !== '')) {
    if (lines.length === 0 && title !== 'what waits') continue;
    say(`  ${title}${lines.length === 0 ? ': nothing' : ''}`);
    for (const line of lines) say(`    ${line}`);
  }
  say(`  ${told.openRuns} open runs, ${told.calls.total} requests, ${(told.ms / 1000).toFixed(1)} s`);
};
