import * as z from 'zod';
import { assertNever } from './assert.ts';
import { landings } from './settings-schema.ts';

/**
 * A run: one try at landing one issue, stored as it is. Instants ending in `At` are **run time** (see `runTime`)
 * unless they are marked wall time; every number of milliseconds ends in `Ms`.
 */

const Instant = z.number().int();
const Sha = z.string().regex(/^[0-9a-f]{40,64}$/);

/** The turn asked for last. `n` 0 opens the run. `thread` counts the threads of this run from 0. */
export const Turn = z.strictObject({
  n: z.number().int().min(0),
  kind: z.enum(['opening', 'fix', 'nudge', 'restart', 'answer', 'resume']),
  thread: z.number().int().min(0),
  /** The executor's own stamp of the last message before this turn was asked for: a later one proves it was accepted. */
  after: z.string().nullable(),
  /** Null until the executor accepted it. */
  sentAt: Instant.nullable(),
  /** First seen starting, first seen taken up, first seen over. */
  startingAt: Instant.nullable(),
  /** First seen ready without having been taken up; forgotten when that passes. */
  readyAt: Instant.nullable(),
  takenUpAt: Instant.nullable(),
  overAt: Instant.nullable(),
  /** It was asked to mend what is nobody's fault, and cost no attempt. */
  isFree: z.boolean().default(false),
});
export type Turn = z.infer<typeof Turn>;

/** The tip of the push that carries this run's newest commit: what CI is asked about. */
export const Push = z.strictObject({
  tip: Sha,
  /** The tip by the trailer, where `tip` is a later commit that is watched because CI was cut short on this one. */
  origin: Sha,
  seenAt: Instant,
  /** When the tip came to the branch, wall time by the tracker's stamp; null where it does not tell. */
  pushedAt: Instant.nullable().default(null),
  /** A later commit stands on the branch: it carries this one on when CI cuts the tip short. */
  hasDescendant: z.boolean(),
  redAt: Instant.nullable(),
  greenAt: Instant.nullable(),
});
export type Push = z.infer<typeof Push>;

/** The run's pull request, where changes land by one: the newest open one, else the newest. */
export const Pull = z.strictObject({
  number: z.number().int(),
  /** Where it stands, and since when it has been seen there. */
  head: Sha,
  seenAt: Instant,
  /** How it stands, for people to read; what is decided is decided on a look. */
  stands: z.enum(['open', 'draft', 'conflicting', 'red', 'checked', 'unreviewed', 'unmerged', 'merged', 'closed']),
  firstRedAt: Instant.nullable(),
  /** The head that a turn was last asked to mend, and what was wrong with it; nothing once a push is what is mended. */
  mended: z.strictObject({ head: Sha, why: z.enum(['red', 'conflicting']) }).nullable(),
  /** What the newest merge of a pull request of this run left on the default branch. */
  merge: Sha.nullable(),
});
export type Pull = z.infer<typeof Pull>;

/**
 * The one thing asked of the executor and not yet known done. `recordedAt` is wall time, `by` the invocation that
 * recorded it: for 90 s it is that invocation's to do. `attempt` makes the ids of a repeated order new ones.
 */
export const Command = z.strictObject({
  order: z.enum(['start', 'interrupt', 'stop', 'unarchive', 'answer']),
  attempt: z.number().int().min(0),
  recordedAt: Instant,
  by: z.string(),
});
export type Command = z.infer<typeof Command>;

/** How far the agent has been asked to leave; `since` is when the first order to leave was given. */
export const Leaving = z.strictObject({
  since: Instant,
  interrupts: z.number().int().min(0),
  stops: z.number().int().min(0),
  unarchives: z.number().int().min(0),
  lastOrderAt: Instant.nullable(),
});
export type Leaving = z.infer<typeof Leaving>;

/** How a run ends. `released` gives the issue back to the queue with its act unspent: the executor was at fault. */
export const Outcome = z.enum(['done', 'cancelled', 'escalated', 'frozen', 'released']);
export type Outcome = z.infer<typeof Outcome>;

const Common = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  repo: z.strictObject({ host: z.string(), id: z.string(), nodeId: z.string(), name: z.string(), branch: z.string() }),
  issue: z.strictObject({ number: z.number().int(), nodeId: z.string(), title: z.string().max(300), url: z.string() }),
  act: z.strictObject({ id: z.string(), by: z.string(), at: Instant }),
  /** Where the default branch stood at the claim: this run's commits come after it. */
  base: Sha,
  /** How the agent was told to land: what is set later holds for the next run. */
  landing: z.enum(landings).default('push'),
  pull: Pull.nullable().default(null),
  /** An earlier run of the same issue, whose commits the agent is told of. */
  earlier: z.strictObject({ id: z.string(), commits: z.array(Sha).max(5) }).nullable(),
  /** Wall time of the claim, which is also where this run's own clock begins. */
  claimedAt: Instant,
  /** The watcher's count of lost time at the claim, and what this run alone lost since, to be taken off its clock. */
  lostMsAtClaim: z.number().int(),
  pausedMs: z.number().int().min(0),
  /** Wall time since when the tracker could not be read for this run, and the watcher's count of lost time then. */
  trackerDownSince: Instant.nullable(),
  trackerDownLostMs: z.number().int(),
  /** Wall time since when the tracker has been saying that there is no such issue. */
  goneSince: Instant.nullable(),
  attempts: z.number().int().min(0),
  nudges: z.number().int().min(0),
  restarts: z.number().int().min(0),
  answers: z.number().int().min(0),
  /** Earlier runs of this labelling that were released, since the executor was at fault. */
  releases: z.number().int().min(0),
  /** The default branch was seen without what this run had pushed there, or the commit that it began on. */
  rewritten: z.boolean().default(false),
  /** Reopened by us after our own keyword closed it too early. */
  reopened: z.boolean(),
  /** The default branch's head that was searched last for this run's commits. */
  headSeen: Sha.nullable(),
  /** The newest commits of this run on the default branch, newest first, and what they declare of the way there. */
  commits: z.array(Sha).max(5),
  declared: z.strictObject({ testsRed: z.boolean(), green: z.boolean() }),
  /** Checks that were red on `base` before anything was begun: no fault of this run's. */
  baseRed: z.array(z.string().max(60)).max(3),
  /** Checks that ran on `base`, by `expectedFrom`: what a push is expected to bring. Nothing once the run ends. */
  expected: z
    .array(z.string().regex(/^[0-9a-f]{8}$/))
    .max(12)
    .default([]),
  /** Turns in a row that were asked to mend and brought no new commit. */
  idleFixes: z.number().int().min(0),
  /** Waits after what looked like a provider's failure, and until when the present one lasts. */
  parks: z.number().int().min(0),
  parkedUntil: Instant.nullable(),
  /** The one request of the agent that was answered, and how: by an answer, or by interrupting it to say so in a turn. */
  question: z
    .strictObject({ requestId: z.string().max(200), stage: z.enum(['answered', 'interrupted']), at: Instant })
    .nullable(),
  /** Interrupted by the kill switch (wall times), to be looked at again after it. */
  halt: z.strictObject({ at: Instant, interrupts: z.number().int().min(0), lastOrderAt: Instant }).nullable(),
  /** Tokens by thread of this run, each the highest total ever told; when one was last told, and last asked for. */
  tokens: z.array(z.number().int().min(0)).max(12),
  tokensAt: Instant.nullable(),
  tokensReadAt: Instant.nullable(),
  firstTakenUpAt: Instant.nullable(),
  firstRedAt: Instant.nullable(),
  /** The executor's last stamp of movement, and when it was seen to change. */
  movement: z.strictObject({ stamp: z.string().nullable(), movedAt: Instant }),
  /** What the tracker was last confirmed to show, and which invocation is writing to it now (wall time). */
  mirror: z.strictObject({
    commentId: z.string().nullable(),
    confirmed: z.string().nullable(),
    writing: z.strictObject({ by: z.string(), at: Instant }).nullable(),
  }),
  command: Command.nullable(),
});

const turn = Turn;
const push = Push;
const Claimed = Common.extend({ phase: z.literal('claimed') });
const Working = Common.extend({ phase: z.literal('working'), turn });
const Verifying = Common.extend({ phase: z.literal('verifying'), turn, push });
const failing = z
  .array(z.strictObject({ name: z.string().max(120), url: z.string().max(300).nullable(), state: z.string().max(40) }))
  .max(5);
const Fixing = Common.extend({ phase: z.literal('fixing'), turn, push, mends: Sha, failing });
const Restarting = Common.extend({ phase: z.literal('restarting'), turn, push: push.nullable(), leaving: Leaving });
const Ending = Common.extend({
  phase: z.literal('ending'),
  turn: turn.nullable(),
  push: push.nullable(),
  outcome: Outcome,
  reason: z.string().max(2000),
  /** The agent's last words or the executor's error, cleaned and bounded; null where there were none. */
  lastWords: z.string().max(1200).nullable(),
  couldNotStart: z.boolean(),
  deployed: z.boolean(),
  leaving: Leaving,
  /** Told to people that the agent was not seen to leave in time. */
  stuck: z.boolean(),
  /** By doorbell: whether it rang for that. */
  stuckRings: z.record(z.string(), z.boolean()),
  /** The invocation that is ringing for it now. */
  stuckRinger: z.strictObject({ by: z.string(), at: Instant }).nullable().default(null),
});

/** A run that holds its repo's lock, by phase; what a phase has is what it needs. */
export const OpenRun = z.discriminatedUnion('phase', [Claimed, Working, Verifying, Fixing, Restarting, Ending]);
export type OpenRun = z.infer<typeof OpenRun>;
export type ClaimedRun = z.infer<typeof Claimed>;
export type RestartingRun = z.infer<typeof Restarting>;
export type EndingRun = z.infer<typeof Ending>;
/** A run whose agent was asked for something and is not being asked to leave. */
export type ActiveRun = Extract<OpenRun, { phase: 'working' | 'verifying' | 'fixing' }>;

/** The last state of an ending run, kept in history and in what is still owed; its lock is free. */
export const EndedRun = Ending.omit({ command: true, stuckRinger: true }).extend({
  phase: z.literal('ended'),
  endedAt: Instant,
});
export type EndedRun = z.infer<typeof EndedRun>;

/**
 * The run's own clock, epoch ms: wall time less what outages took from it, so that no deadline is an outage's fault.
 * `lostMs` is the watcher's running count of time in which nobody could look (gaps, executor down, a clock that jumped);
 * it is below the run's own where the clock was ahead at the claim and was put right since.
 */
export const runTime = (
  run: Pick<OpenRun, 'lostMsAtClaim' | 'pausedMs' | 'trackerDownSince' | 'trackerDownLostMs'>,
  lostMs: number,
  now: number,
): number => {
  return now - (lostMs - run.lostMsAtClaim) - run.pausedMs - trackerDownMs(run, lostMs, now);
};

/** What the tracker's present outage took from a run, less what the watcher counts as lost for all runs anyway. */
export const trackerDownMs = (
  run: Pick<OpenRun, 'trackerDownSince' | 'trackerDownLostMs'>,
  lostMs: number,
  now: number,
): number =>
  run.trackerDownSince === null ? 0 : Math.max(0, now - run.trackerDownSince - (lostMs - run.trackerDownLostMs));

/** The same clock, going again: what the outage took is kept as paused. */
export const withTrackerBack = <R extends Pick<OpenRun, 'trackerDownSince' | 'trackerDownLostMs' | 'pausedMs'>>(
  run: R,
  lostMs: number,
  now: number,
): R =>
  run.trackerDownSince === null
    ? run
    : { ...run, trackerDownSince: null, pausedMs: run.pausedMs + trackerDownMs(run, lostMs, now) };

/** The push under watch, or null where nothing was seen on the default branch. */
export const pushOf = (run: OpenRun): Push | null => {
  switch (run.phase) {
    case 'claimed':
    case 'working':
      return null;
    case 'verifying':
    case 'fixing':
    case 'restarting':
    case 'ending':
      return run.push;
    default:
      return assertNever(run);
  }
};

/** True once the agent is asked for nothing more and only has to be seen out. */
export const isActive = (run: OpenRun): run is ActiveRun =>
  run.phase === 'working' || run.phase === 'verifying' || run.phase === 'fixing';

/** What every phase has, without what only one of them has: what a run takes along into another phase. */
export const commonOf = (run: OpenRun): Omit<ClaimedRun, 'phase'> => ({
  id: run.id,
  repo: run.repo,
  issue: run.issue,
  act: run.act,
  base: run.base,
  landing: run.landing,
  pull: run.pull,
  earlier: run.earlier,
  claimedAt: run.claimedAt,
  lostMsAtClaim: run.lostMsAtClaim,
  pausedMs: run.pausedMs,
  trackerDownSince: run.trackerDownSince,
  trackerDownLostMs: run.trackerDownLostMs,
  goneSince: run.goneSince,
  releases: run.releases,
  attempts: run.attempts,
  nudges: run.nudges,
  restarts: run.restarts,
  answers: run.answers,
  rewritten: run.rewritten,
  reopened: run.reopened,
  headSeen: run.headSeen,
  baseRed: run.baseRed,
  expected: run.expected,
  idleFixes: run.idleFixes,
  parks: run.parks,
  parkedUntil: run.parkedUntil,
  question: run.question,
  halt: run.halt,
  tokens: run.tokens,
  tokensAt: run.tokensAt,
  tokensReadAt: run.tokensReadAt,
  commits: run.commits,
  declared: run.declared,
  firstTakenUpAt: run.firstTakenUpAt,
  firstRedAt: run.firstRedAt,
  movement: run.movement,
  mirror: run.mirror,
  command: run.command,
});
