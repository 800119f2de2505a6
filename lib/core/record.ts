import * as z from 'zod';
import { EndedRun, OpenRun } from './run.ts';
import { landings } from './settings-schema.ts';

/**
 * What is stored in partition `now`: everything a tick must know, read in one query. Every item is under 4 KB, has a
 * key computed from its content, and is written only on a condition. All instants here are wall time, epoch ms.
 */

const Instant = z.number().int();

/** The lock *is* the open run: one per repo, by the repo's immutable id. */
const RunItem = z.strictObject({ kind: z.literal('run'), run: OpenRun });

/** What is remembered of an issue between ticks. */
const IssueItem = z.strictObject({
  kind: z.literal('issue'),
  host: z.string(),
  repoId: z.string(),
  number: z.number().int(),
  /** The last labelling that had its run, with how that run ended; a hand-back is one with outcome escalated or frozen. */
  spent: z
    .strictObject({
      actId: z.string(),
      actAt: Instant,
      outcome: z.string(),
      runId: z.string(),
      commits: z.array(z.string()).max(5),
    })
    .nullable(),
  /** A refusal seen in the detail; it holds for nothing while `updatedAt` and `labels` stay, for 15 min at most. */
  refusal: z
    .strictObject({
      ruling: z.string(),
      detail: z.string().max(500),
      updatedAt: z.string(),
      /** `labelsKeyOf` what the list showed. */
      labels: z.string(),
      at: Instant,
    })
    .nullable(),
  /** How often a run of this labelling was released, since the executor was at fault. */
  releases: z.strictObject({ actId: z.string(), count: z.number().int() }).nullable(),
  coolUntil: Instant.nullable(),
  /** The labelling about which a comment said that it is held back. */
  told: z.string().nullable().default(null),
  changedAt: Instant,
});

/** What is known of an enrolled repo; `preflight.failures` are in words, each with its remedy. */
const RepoItem = z.strictObject({
  kind: z.literal('repo'),
  host: z.string(),
  /** Lower case: names are compared without case. */
  name: z.string(),
  id: z.string(),
  nodeId: z.string(),
  defaultBranch: z.string(),
  preflight: z.strictObject({
    at: Instant,
    failures: z.array(z.string().max(300)).max(10),
    /** The way of landing that was checked: under another one it is checked again at once. */
    landing: z.enum(landings).default('push'),
  }),
});

/** Runs begun on a UTC date, `YYYY-MM-DD`, counted before they are claimed. */
const DayItem = z.strictObject({ kind: z.literal('day'), date: z.string(), runs: z.number().int() });

/** Money estimated for the runs that ended on a UTC date, and the newest of them, so that none is counted twice. */
const SpendItem = z.strictObject({
  kind: z.literal('spend'),
  date: z.string(),
  usd: z.number().min(0),
  runs: z.array(z.string()).max(40),
});

/** Runs in a row that could not start; at two no dispatch until `openUntil`. */
const BreakerItem = z.strictObject({
  kind: z.literal('breaker'),
  streak: z.number().int(),
  /** The run counted last: counted again after a crash, it stays one. */
  runId: z.string().nullable(),
  /** When it was counted last. */
  at: Instant,
  openUntil: Instant.nullable(),
});

/** When the watcher last looked at open runs, how much time was lost to looks that could not be, since ever. */
const LastWatchItem = z.strictObject({
  kind: z.literal('lastWatch'),
  at: Instant,
  lostMs: z.number().int(),
  executorDownSince: Instant.nullable(),
});

/** What is still owed to the tracker and to people for a run that is over. A ring is true once it rang. */
const OwedItem = z.strictObject({
  kind: z.literal('owed'),
  run: EndedRun,
  mirrored: z.boolean(),
  archived: z.boolean(),
  rings: z.record(z.string(), z.boolean()),
  /** The invocation that is paying now. */
  payer: z.strictObject({ by: z.string(), at: Instant }).nullable(),
  /** When it began to be owed, less what was not waited for since (wall time): tried for a day, a mirror may be given up. */
  since: Instant,
});

/** Held for the moment of a claim or a notice: caps are counted by one at a time, and nobody is told twice. */
const LeaseItem = z.strictObject({ kind: z.literal('lease'), by: z.string(), until: Instant });

/** When in-progress labels without a run were last looked for. */
const SweepItem = z.strictObject({ kind: z.literal('sweep'), at: Instant });

/** What an account of the tracker may still be asked, until when and why; gone once that is over and it answered again. */
const LimitItem = z.strictObject({
  kind: z.literal('limit'),
  account: z.string().max(200),
  may: z.enum(['open runs only', 'writes only', 'nothing']),
  until: Instant,
  why: z.string().max(400),
  /** Limits that were met one after the other, each right after the one before had ended; 0 where none was met. */
  times: z.number().int().min(0),
  at: Instant,
});

export const Item = z.discriminatedUnion('kind', [
  RunItem,
  IssueItem,
  RepoItem,
  DayItem,
  SpendItem,
  BreakerItem,
  LastWatchItem,
  OwedItem,
  LeaseItem,
  SweepItem,
  LimitItem,
]);
export type Item = z.infer<typeof Item>;
export type ItemOf<K extends Item['kind']> = Extract<Item, { kind: K }>;

/** The sort key of an item within partition `now`; unique for what it speaks of. */
export const keyOf = (item: Item): string => {
  switch (item.kind) {
    case 'run':
      return runKey(item.run.repo);
    case 'issue':
      return issueKey({ host: item.host, id: item.repoId }, item.number);
    case 'repo':
      return `repo#${item.host}#${item.name}`;
    case 'day':
      return `day#${item.date}`;
    case 'spend':
      return `spend#${item.date}`;
    case 'owed':
      return `owed#${item.run.id}`;
    case 'limit':
      return `limit#${item.account}`;
    case 'breaker':
    case 'lastWatch':
    case 'lease':
    case 'sweep':
      return item.kind;
  }
};

/** The key of what is remembered of an issue. */
export const issueKey = (repo: { host: string; id: string }, number: number): string =>
  `issue#${repo.host}#${repo.id}#${number}`;

/** What is remembered of an issue of which nothing was. */
export const newMemory = (repo: { host: string; id: string }, number: number, at: number): ItemOf<'issue'> => ({
  kind: 'issue',
  host: repo.host,
  repoId: repo.id,
  number,
  spent: null,
  refusal: null,
  releases: null,
  coolUntil: null,
  told: null,
  changedAt: at,
});

/** The key of a repo's lock. */
export const runKey = (repo: { host: string; id: string }): string => `run#${repo.host}#${repo.id}`;

/** The UTC date of an instant, `YYYY-MM-DD`. */
export const dateOf = (now: number): string => new Date(now).toISOString().slice(0, 10);
