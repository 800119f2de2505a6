import type { EndedRun, EndingRun, OpenRun } from '../../lib/core/run.ts';
import { EndedRun as EndedSchema, OpenRun as OpenSchema } from '../../lib/core/run.ts';
import type { RepoSettings } from '../../lib/core/settings.ts';

/** A run for tests of words: issue 12 of acme/web, parsed by the schema, so that none of them is a run that cannot be. */
export const runId = '00112233445566778899aabbccddeeff';
export const shaOf = (digit: string): string => digit.repeat(40);

const common = {
  id: runId,
  repo: { host: 'github.com', id: '100', nodeId: 'R_100', name: 'acme/web', branch: 'main' },
  issue: {
    number: 12,
    nodeId: 'I_12',
    title: 'The total of the cart ignores discounts',
    url: 'https://github.com/acme/web/issues/12',
  },
  act: { id: 'LE_1', by: 'maintainer', at: 1000 },
  base: shaOf('0'),
  earlier: null,
  claimedAt: 2000,
  lostMsAtClaim: 0,
  pausedMs: 0,
  trackerDownSince: null,
  trackerDownLostMs: 0,
  goneSince: null,
  releases: 0,
  attempts: 0,
  nudges: 0,
  restarts: 0,
  answers: 0,
  reopened: false,
  headSeen: null,
  baseRed: [],
  idleFixes: 0,
  parks: 0,
  parkedUntil: null,
  question: null,
  halt: null,
  tokens: [],
  tokensAt: null,
  tokensReadAt: null,
  commits: [],
  declared: { testsRed: false, green: false },
  firstTakenUpAt: null,
  firstRedAt: null,
  movement: { stamp: null, movedAt: 2000 },
  mirror: { commentId: null, confirmed: null, writing: null },
};
const turn = {
  n: 0,
  kind: 'opening',
  thread: 0,
  after: null,
  sentAt: 3000,
  startingAt: null,
  readyAt: null,
  takenUpAt: null,
  overAt: null,
};
const push = { tip: shaOf('a'), origin: shaOf('a'), seenAt: 5000, hasDescendant: false, redAt: null, greenAt: null };
const leaving = { since: 9000, interrupts: 1, stops: 1, unarchives: 0, lastOrderAt: 9500 };
const landed = {
  firstTakenUpAt: 4000,
  commits: [shaOf('a'), shaOf('b')],
  declared: { testsRed: true, green: true },
};
const ending = {
  turn: { ...turn, takenUpAt: 4000 },
  push: null,
  outcome: 'escalated',
  reason: 'the turn ended and nothing was pushed',
  lastWords: null,
  couldNotStart: false,
  deployed: false,
  leaving,
  stuck: false,
  stuckRings: {},
};

/** Loose on purpose: what is passed is merged over a sensible run of that phase and then parsed. */
type Over = Record<string, unknown>;

/** A turn or a push that is given in part has the rest as usual. */
const filled = (over: Over): Over => ({
  ...over,
  ...('turn' in over && over['turn'] !== null && { turn: { ...turn, ...Object(over['turn']) } }),
  ...('push' in over && over['push'] !== null && { push: { ...push, ...Object(over['push']) } }),
});

export const aClaimedRun = (over: Over = {}): OpenRun =>
  OpenSchema.parse({ ...common, command: null, phase: 'claimed', ...filled(over) });
export const aWorkingRun = (over: Over = {}): OpenRun =>
  OpenSchema.parse({ ...common, command: null, phase: 'working', turn, ...filled(over) });
export const aVerifyingRun = (over: Over = {}): OpenRun =>
  OpenSchema.parse({ ...common, ...landed, command: null, phase: 'verifying', turn, push, ...filled(over) });
export const aFixingRun = (over: Over = {}): OpenRun =>
  OpenSchema.parse({
    ...common,
    ...landed,
    command: null,
    attempts: 1,
    phase: 'fixing',
    turn: { ...turn, n: 1, kind: 'fix' },
    push: { ...push, redAt: 6000 },
    mends: shaOf('a'),
    failing: [{ name: 'build (node 24)', url: 'https://github.com/acme/web/actions/runs/1/job/2', state: 'failure' }],
    ...filled(over),
  });
export const aRestartingRun = (over: Over = {}): OpenRun =>
  OpenSchema.parse({
    ...common,
    command: null,
    restarts: 1,
    phase: 'restarting',
    turn,
    push: null,
    leaving,
    ...filled(over),
  });
export const anEndingRun = (over: Over = {}): EndingRun => {
  const run = OpenSchema.parse({
    ...common,
    firstTakenUpAt: 4000,
    command: null,
    ...ending,
    phase: 'ending',
    ...filled(over),
  });
  if (run.phase !== 'ending') throw new Error('an ending run ends');
  return run;
};
export const anEndedRun = (over: Over = {}): EndedRun =>
  EndedSchema.parse({ ...common, firstTakenUpAt: 4000, ...ending, phase: 'ended', endedAt: 10_000, ...filled(over) });

/** What a landed run has more. */
export const aLanding = (over: Over = {}): Over => ({ ...landed, push: { ...push, greenAt: 8000 }, ...filled(over) });

/** Settings as shipped, with what a case needs. */
export const someSettings = (over: Partial<RepoSettings> = {}): RepoSettings => ({
  labels: { ready: 'ready-for-agent', inProgress: 'agent-in-progress', human: 'ready-for-human', hold: 'afk-hold' },
  providerInstance: 'claudeAgent',
  runtimeMode: 'full-access',
  model: 'a-model',
  workspaceRoot: '/srv/checkouts/acme__web',
  fixForwardMaxAttempts: 5,
  fixForwardMaxMs: 3_600_000,
  nudgesMax: 1,
  restartsMax: 1,
  budgetUsd: 20,
  usdPerMillionTokens: 5,
  noCi: 'escalate',
  landing: 'push',
  baselineRed: 'hold',
  environments: [],
  deployPatterns: [],
  agentLogins: [],
  allowTriage: false,
  allowThroughApp: true,
  requireTrustedAuthor: false,
  paused: false,
  ...over,
});
