import { ageOf } from '../core/age.ts';
import { publicLine } from '../core/clean-text.ts';
import { deadlines } from '../core/deadlines.ts';
import type { RepoName } from '../core/issue.ts';
import type { LastWatch } from '../core/lost-time.ts';
import type { Hold } from '../core/pace.ts';
import type { Item, ItemOf } from '../core/record.ts';
import { comparable } from '../core/repo-name.ts';
import type { Ruling } from '../core/ruling.ts';
import type { EndedRun } from '../core/run.ts';
import type { Settings } from '../core/settings.ts';
import type { Situation, SituationName } from '../core/situation.ts';
import { type Gate, PortError, type Ports, type Store, type Stored, type Unreadable } from '../ports.ts';

/**
 * What one invocation is given. `now` is wall time in epoch ms, read whenever it matters; `by` names this invocation
 * in what it records; `newRunId` draws 128 random bits as hex; `timeLeftMs` is real time, for stopping in time.
 * `connect` is called only once the gate said go: before that nothing but the gate is reached.
 */
export type TickContext = {
  gate: Gate;
  connect: (settings: Settings) => Promise<Ports>;
  now: () => number;
  by: string;
  newRunId: () => string;
  timeLeftMs: () => number;
  /** Work on this repo alone, by name in any case; whatever is for all repos is left to the next full tick. */
  only?: RepoName;
  /** A dry run: `connect` gives ports that write nothing, and a ruling to dispatch is the last word. */
  isDryRun?: boolean;
};

/** An armed tick at work: its context, its ports, and what it will have to say. */
export type Tick = TickContext & { ports: Ports; settings: Settings; report: Report };

/** Something that happened to one issue, with a constant word for what and a sentence for why. */
export type Happening = { at: number; repo: string; issue: number; run: string | null; what: What; why: string };

export type What =
  | 'claimed'
  | 'dispatched'
  | 'asked'
  | 'at work'
  | 'proposed'
  | 'rewritten'
  | 'pushed'
  | 'CI red'
  | 'CI green'
  | 'reopened'
  | 'decided'
  | 'braked'
  | 'refused'
  | 'agent asked to leave'
  | 'ended'
  | 'stuck'
  | 'halted'
  | 'mirrored'
  | 'rang'
  | 'released'
  | 'told'
  | 'swept';

/** What one look at a run was taken to mean, also where nothing follows from it. */
export type Looked = { repo: string; issue: number; run: string; situation: SituationName; why: string };

/** What a tick did, logged and returned. `state` is `off` where the gate stopped it; then nothing else is filled in. */
export type Report = {
  tick: 'poll' | 'watch';
  state: 'on' | 'off';
  reason: string | null;
  unreadable: boolean;
  rulings: { repo: string; issue: number; ruling: Ruling; detail: string }[];
  looks: Looked[];
  happened: Happening[];
  ended: EndedRun[];
  /** One thing that failed without stopping the rest. */
  failed: { what: string; reason: string }[];
  /** What the tracker's limits hold back, by account; `until` in epoch ms. Each is also said among what failed. */
  limits: ({ account: string } & Hold)[];
  openRuns: number;
  /** Runs whose agent was not seen to leave in time, as this tick found them. */
  stuck: number;
  /** Whether the executor was seen to take nothing on although it answers; null where this tick did not look. */
  wedged: boolean | null;
  notReached: number;
};

export const emptyReport = (tick: Report['tick']): Report => ({
  tick,
  state: 'on',
  reason: null,
  unreadable: false,
  rulings: [],
  looks: [],
  happened: [],
  ended: [],
  failed: [],
  limits: [],
  openRuns: 0,
  stuck: 0,
  wedged: null,
  notReached: 0,
});

export type StoredRun = Stored<ItemOf<'run'>>;

/** How many runs are open; one whose item cannot be read holds its lock all the same. */
export const openRunsIn = (items: readonly Stored[], unreadable: readonly Unreadable[]): number =>
  items.filter(({ item }) => item.kind === 'run').length +
  unreadable.filter(({ key }) => key.startsWith('run#')).length;

/** What a tick for one repo alone may see: that repo's runs, debts and record, and what belongs to no repo. */
export const meantItems = (items: readonly Stored[], { only }: Pick<TickContext, 'only'>): readonly Stored[] =>
  only === undefined ? items : items.filter(({ item }) => isMeant(repoNameOf(item), only));

/** The enrolled names a tick works on. */
export const meantNames = (names: readonly RepoName[], { only }: Pick<TickContext, 'only'>): readonly RepoName[] =>
  only === undefined ? names : names.filter((name) => isMeant(name, only));

/** Names differ in case and mean the same repo; null belongs to no repo. */
const isMeant = (name: RepoName | null, only: RepoName): boolean =>
  name === null || comparable(name) === comparable(only);

const repoNameOf = (item: Stored['item']): RepoName | null => {
  if (item.kind === 'run' || item.kind === 'owed') return item.run.repo.name;
  return item.kind === 'repo' ? item.name : null;
};

/** A tick begins nothing in its last 10 s. */
export const hasTime = (tick: Pick<TickContext, 'timeLeftMs'>): boolean => tick.timeLeftMs() > 10_000;

// The report is logged, returned and shown on a terminal as it is, and a reason may quote whoever named a check.
const shown = (why: string): string => publicLine(why, 600);

/** Notes a happening of a run, its reason cleaned, redacted and bounded; the instant is the tick's. */
export const note = (
  tick: Tick,
  run: { id: string; repo: { name: string }; issue: { number: number } },
  what: What,
  why: string,
): void => {
  const { id, repo, issue } = run;
  tick.report.happened.push({ at: tick.now(), repo: repo.name, issue: issue.number, run: id, what, why: shown(why) });
};

/** Notes what a look at a run was taken to mean, in the same way. */
export const noteLook = (
  { report }: Tick,
  run: { id: string; repo: { name: string }; issue: { number: number } },
  { name, why }: Situation,
): void => {
  report.looks.push({ repo: run.repo.name, issue: run.issue.number, run: run.id, situation: name, why: shown(why) });
};

/** Says that one thing failed. A limit is said once for its account (`paced`), not by each call that it held back. */
export const fail = (report: Report, what: string, error: unknown): void => {
  if (error instanceof PortError && error.isLimit) return;
  report.failed.push({ what, reason: reasonOf(error) });
};

/** A failure in words, on one line, cleaned, redacted and bounded: an answer that made it may be quoted there. */
export const reasonOf = (error: unknown): string =>
  publicLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error), 500);

/** Runs `work` over all of `list`, at most `width` at a time, in order of start. */
export const inParallel = async <T>(
  list: readonly T[],
  width: number,
  work: (one: T) => Promise<void>,
): Promise<void> => {
  const queue = [...list];
  const worker = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, worker));
};

/** The items of one kind. */
export const ofKind = <K extends Item['kind']>(items: readonly Stored[], kind: K): Stored<ItemOf<K>>[] =>
  items.filter((stored): stored is Stored<ItemOf<K>> => stored.item.kind === kind);

/** Whether another invocation is at what it noted as its own: for a while nobody takes it over. */
export const isAnothers = ({ by, now }: Tick, holder: { by: string; at: number } | null): boolean =>
  holder !== null && holder.by !== by && ageOf(holder.at, now()) < deadlines.ownMs;

/** What the watcher wrote of lost time, as it was read. */
export const lastWatchIn = ({ items, unreadable }: Awaited<ReturnType<Store['readNow']>>): LastWatch =>
  unreadable.some(({ key }) => key === 'lastWatch') ? 'unreadable' : ofKind(items, 'lastWatch')[0]?.item;

/** Everything a tick must know, in one read: how many runs are open is counted, and what cannot be read is said. */
export const readOpenItems = async ({ ports, report }: Tick): ReturnType<Store['readNow']> => {
  const read = await ports.store.readNow();
  report.failed.push(...read.unreadable.map(({ key, reason }) => ({ what: `unreadable item ${key}`, reason })));
  report.openRuns = openRunsIn(read.items, read.unreadable);
  return read;
};
