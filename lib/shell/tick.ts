import type { ItemOf } from '../core/record.ts';
import type { Ruling } from '../core/ruling.ts';
import type { EndedRun } from '../core/run.ts';
import type { Settings } from '../core/settings.ts';
import type { Gate, Ports, Stored } from '../ports.ts';

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
  | 'mirrored'
  | 'rang'
  | 'released'
  | 'swept';

/** What a tick did, logged and returned. `state` is `off` where the gate stopped it; then nothing else is filled in. */
export type Report = {
  tick: 'poll' | 'watch';
  state: 'on' | 'off';
  reason: string | null;
  unreadable: boolean;
  rulings: { repo: string; issue: number; ruling: Ruling; detail: string }[];
  happened: Happening[];
  ended: EndedRun[];
  /** One thing that failed without stopping the rest. */
  failed: { what: string; reason: string }[];
  openRuns: number;
  notReached: number;
};

export const emptyReport = (tick: Report['tick']): Report => ({
  tick,
  state: 'on',
  reason: null,
  unreadable: false,
  rulings: [],
  happened: [],
  ended: [],
  failed: [],
  openRuns: 0,
  notReached: 0,
});

export type StoredRun = Stored<ItemOf<'run'>>;

/** A tick begins nothing in its last 10 s. */
export const hasTime = (tick: Pick<TickContext, 'timeLeftMs'>): boolean => tick.timeLeftMs() > 10_000;

/** Notes a happening of a run; the instant is the tick's. */
export const note = (
  tick: Tick,
  run: { id: string; repo: { name: string }; issue: { number: number } },
  what: What,
  why: string,
): void => {
  tick.report.happened.push({ at: tick.now(), repo: run.repo.name, issue: run.issue.number, run: run.id, what, why });
};

/** A failure in words, bounded; a secret never gets into an error's message in the first place. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 500);

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
