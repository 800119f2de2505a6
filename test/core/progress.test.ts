import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Check, expectedFrom } from '../../lib/core/ci-verdict.ts';
import { deadlines } from '../../lib/core/deadlines.ts';
import type { StartedRun } from '../../lib/core/evolve.ts';
import type { AgentFacts, Facts, IssueFacts } from '../../lib/core/facts.ts';
import { leave, sentOf } from '../../lib/core/leave.ts';
import { askedToLeave, endingOf, obeyed, restarted } from '../../lib/core/next.ts';
import { type ActiveRun, isActive, type OpenRun, runTime } from '../../lib/core/run.ts';
import type { RepoSettings } from '../../lib/core/settings.ts';
import { isTurnOut, type SituationName } from '../../lib/core/situation.ts';
import { step } from '../../lib/core/step.ts';
import { turnState } from '../../lib/core/turn-state.ts';
import type { Thread } from '../../lib/ports.ts';
import { aFixingRun, aRestartingRun, aVerifyingRun, aWorkingRun, shaOf, someSettings } from '../support/told-runs.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const start = Date.UTC(2026, 0, 5, 9, 0);
const iso = (at: number): string => new Date(at).toISOString();

/** A world in which nothing happens any more, whatever is asked of it: it accepts every order and does none. */
type Still = {
  thread: Thread | undefined;
  whereabouts: 'archived' | 'deleted' | 'absent';
  words: AgentFacts['words'];
  request: AgentFacts['request'];
  tokens: AgentFacts['tokens'];
  issue: IssueFacts | 'gone' | null;
  isExecutorDown: boolean;
  executorSuspect: boolean;
};

const started = (run: OpenRun): StartedRun => {
  if (run.phase === 'claimed') throw new Error('nothing was asked for yet');
  return run;
};

const active = (run: OpenRun): ActiveRun => {
  if (!isActive(run)) throw new Error(`a ${run.phase} run is not active`);
  return run;
};

const factsOf = (run: StartedRun, world: Still, now: number): Facts => {
  // While the executor is down the watcher counts the time as everybody's.
  const lostMs = world.isExecutorDown ? now - start : 0;
  const { thread } = world;
  const agent: AgentFacts = {
    state: turnState(thread, run.turn ?? { after: null }),
    stamp: thread?.updatedAt ?? null,
    lastMessageAt: thread?.lastMessageAt ?? null,
    lastError: thread?.session?.lastError ?? null,
    words: world.words,
    request: world.request,
    tokens: world.tokens,
  };
  return {
    now,
    clock: runTime(run, lostMs, now),
    lostMs,
    agent: world.isExecutorDown ? null : agent,
    executorDownMs: world.isExecutorDown ? now - start : 0,
    issue: world.issue,
    executorSuspect: world.executorSuspect,
  };
};

/** What a tick makes of a run, and the world of its orders: nothing. As the watcher does it, without its ports. */
const ticked = (run: StartedRun, world: Still, now: number, settings: RepoSettings): StartedRun => {
  const facts = factsOf(run, world, now);
  const { clock, lostMs } = facts;
  const signature = { now, by: 'invocation-1' };
  if (isActive(run)) {
    const { run: following } = step(run, facts, settings, signature);
    return following.command === null ? following : obeyed(following, clock);
  }
  if (run.phase === 'ending' || facts.agent === null) return run;
  const asked = leave(
    world.thread,
    world.thread === undefined ? world.whereabouts : null,
    run.leaving,
    clock,
    sentOf(run.turn),
  );
  if (asked === 'out') {
    const isGone = world.thread === undefined;
    return obeyed(
      restarted(run, { isGone, lastMessageAt: world.thread?.lastMessageAt ?? null }, signature, clock),
      clock,
    );
  }
  if (asked === 'unseen' || clock - run.leaving.since > deadlines.leaveMs) {
    const end = {
      why: 'late',
      clock,
      now,
      lostMs,
      lastWords: null,
      couldNotStart: false,
      deployed: false,
      outOfReach: false,
    };
    return endingOf(run, 'escalated', end);
  }
  return typeof asked === 'string' ? run : { ...askedToLeave(run, asked.order, signature, clock), command: null };
};

/** Minutes until the run ends or lies parked with a wake time; null where that is not so within `withinMs`. */
const minutesToRest = (run: StartedRun, world: Still, settings: RepoSettings, withinMs: number): number | null => {
  let here = run;
  for (let now = start; now - start <= withinMs; now += minute) {
    here = ticked(here, world, now, settings);
    if (here.phase === 'ending') return (now - start) / minute;
  }
  return null;
};

const aStamp = fc.integer({ min: -120, max: 0 }).map((minutes) => iso(start + minutes * minute));
const anInstant = fc.integer({ min: -90, max: 0 }).map((minutes) => start + minutes * minute);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary);

const aThread: fc.Arbitrary<Thread> = fc.record({
  id: fc.constant('thread-1'),
  projectId: fc.constant('project-1'),
  turn: maybe(
    fc.record({
      id: fc.constant('turn-1'),
      state: fc.constantFrom('running', 'completed', 'error', 'interrupted', 'unknown'),
      requestedAt: aStamp,
    }),
  ),
  session: maybe(
    fc.record({
      status: fc.constantFrom('idle', 'starting', 'running', 'ready', 'interrupted', 'stopped', 'error', 'unknown'),
      updatedAt: aStamp,
      lastError: maybe(fc.constant('it broke')),
    }),
  ),
  lastMessageAt: maybe(aStamp),
  updatedAt: aStamp,
  pending: fc.constantFrom(null, 'question', 'approval'),
  backgroundWork: fc.boolean(),
});

const checkOf = (name: string, state: Check['state']): Check => ({
  kind: 'check',
  name,
  app: 'github-actions',
  appId: 1,
  workflow: 'CI',
  workflowId: 1,
  event: 'push',
  state,
  startedAt: null,
  completedAt: null,
  url: null,
});
const checkStates = [
  'queued',
  'running',
  'waiting',
  'action-required',
  'success',
  'failure',
  'timed-out',
  'startup-failure',
  'cancelled',
  'stale',
  'skipped',
  'neutral',
  'unknown',
] as const satisfies readonly Check['state'][];

const aProof: fc.Arbitrary<NonNullable<IssueFacts['proof']>> = fc.record({
  ci: fc.record({
    checks: fc
      .array(fc.tuple(fc.constantFrom('test', 'lint'), fc.constantFrom(...checkStates)), { maxLength: 3 })
      .map((checks) => checks.map(([name, state]) => checkOf(name, state))),
    message: fc.constantFrom('fix: mend it', 'fix: mend it [skip ci]'),
    hasDescendant: fc.boolean(),
    required: fc.constantFrom([], [{ name: 'lint', appId: null }], [{ name: 'test', appId: 2 }]),
  }),
  deployments: fc.constant([]),
});

/** Nobody called the run off: that it then ends is no question of time. */
const anIssue: fc.Arbitrary<IssueFacts> = fc.record({
  open: fc.constant(true),
  hasReady: fc.constant(true),
  hasHold: fc.constant(false),
  hasInProgress: fc.constant(true),
  readyOffBy: fc.constant(null),
  holdBy: fc.constant(null),
  closedBy: fc.constant(null),
  closedByOwnCommit: fc.constant(false),
  branch: fc.constant('main'),
  landing: fc.constant(null),
  // What waits for people is no question of these limits: it has a deadline of its own.
  pull: fc.constant(null),
  elsewhere: maybe(fc.constant({ url: 'https://github.com/acme/web/pull/3' })),
  proof: aProof,
});

const aWorld: fc.Arbitrary<Still> = fc.record({
  thread: fc.oneof({ weight: 5, arbitrary: aThread }, { weight: 1, arbitrary: fc.constant(undefined) }),
  whereabouts: fc.constantFrom('archived', 'deleted', 'absent'),
  words: maybe(fc.record({ lastWords: fc.constant('That is all.'), idle: fc.boolean() })),
  request: maybe(
    fc.record({
      requestId: fc.constantFrom('q1', 'q2'),
      kind: fc.constantFrom('question', 'approval'),
      text: fc.constant('Which?'),
    }),
  ),
  tokens: maybe(fc.record({ total: maybe(fc.constantFrom(1000, 2_000_000)) })),
  issue: fc.oneof({ weight: 8, arbitrary: anIssue }, { weight: 1, arbitrary: fc.constantFrom('gone', null) }),
  isExecutorDown: fc.boolean().map((is) => is),
  executorSuspect: fc.boolean(),
});

const aTurn = fc.record({
  n: fc.nat(8),
  kind: fc.constantFrom('opening', 'fix', 'nudge', 'restart', 'answer', 'resume'),
  thread: fc.nat(1),
  after: maybe(aStamp),
  sentAt: anInstant,
  startingAt: maybe(anInstant),
  readyAt: maybe(anInstant),
  takenUpAt: maybe(anInstant),
  overAt: maybe(anInstant),
});
const aLearnt = fc.record({
  attempts: fc.nat(5),
  nudges: fc.nat(1),
  restarts: fc.nat(1),
  answers: fc.nat(3),
  releases: fc.nat(2),
  idleFixes: fc.nat(3),
  parks: fc.nat(3),
  parkedUntil: maybe(fc.integer({ min: 0, max: 40 }).map((minutes) => start + minutes * minute)),
  question: maybe(
    fc.record({
      requestId: fc.constantFrom('q1', 'q2'),
      stage: fc.constantFrom('answered', 'interrupted'),
      at: anInstant,
    }),
  ),
  halt: maybe(fc.record({ at: anInstant, interrupts: fc.nat(3), lastOrderAt: anInstant })),
  tokens: fc.array(fc.constantFrom(0, 1000, 3_000_000), { maxLength: 2 }),
  tokensAt: maybe(anInstant),
  tokensReadAt: maybe(anInstant),
  baseRed: fc.constantFrom([], ['test']),
  expected: fc.constantFrom([], [...expectedFrom([checkOf('test', 'success'), checkOf('lint', 'success')], [])]),
  firstTakenUpAt: maybe(anInstant),
  firstRedAt: maybe(anInstant),
  goneSince: maybe(anInstant),
  movement: fc.record({ stamp: maybe(aStamp), movedAt: anInstant }),
  claimedAt: anInstant,
});
const aPush = fc.record({
  tip: fc.constant(shaOf('a')),
  origin: fc.constant(shaOf('a')),
  seenAt: anInstant,
  hasDescendant: fc.boolean(),
  redAt: maybe(anInstant),
  greenAt: maybe(anInstant),
});
const aLeaving = fc.record({
  since: anInstant,
  interrupts: fc.nat(2),
  stops: fc.nat(2),
  unarchives: fc.nat(2),
  lastOrderAt: maybe(anInstant),
});
const anActiveRun: fc.Arbitrary<ActiveRun> = fc
  .tuple(fc.constantFrom('working', 'verifying', 'fixing'), aLearnt, aTurn, aPush)
  .map(([phase, learnt, turn, push]) => {
    if (phase === 'working') return active(aWorkingRun({ ...learnt, turn }));
    return active((phase === 'verifying' ? aVerifyingRun : aFixingRun)({ ...learnt, turn, push }));
  });
const aRestarting: fc.Arbitrary<StartedRun> = fc
  .tuple(aLearnt, aTurn, maybe(aPush), aLeaving)
  .map(([learnt, turn, push, leaving]) => started(aRestartingRun({ ...learnt, restarts: 1, turn, push, leaving })));
const aStartedRun: fc.Arbitrary<StartedRun> = fc.oneof({ weight: 4, arbitrary: anActiveRun }, aRestarting);

// What a still world can make a run wait for, one after the other; every wait ends at the tick after its deadline.
const { restartsMax } = someSettings();
const turns = 1 + restartsMax + 1;
const sum =
  // The three parks, and what each of them waits for to be sure that the turn is over.
  deadlines.parkMs * (1 + 2 + 4) +
  3 * deadlines.overSettlesMs +
  // A request: answered, interrupted, and told again.
  deadlines.answerMs +
  deadlines.leaveMs +
  // Each turn that is sent: lost, or starting and starting, or not moving.
  turns *
    (deadlines.noSessionMs +
      deadlines.startingMs +
      deadlines.readyWithoutTurnMs +
      deadlines.movementGrainMs +
      deadlines.stillMs) +
  // Each restart: the agent has so long to leave.
  restartsMax * deadlines.leaveMs +
  // The push: CI, then the deployment, then the grace for a turn that tidies up.
  deadlines.ciAppearsMs +
  deadlines.ciMs +
  deadlines.deployMs +
  deadlines.graceAfterGreenMs +
  // An issue that is not found.
  deadlines.goneMs +
  // One tick for each of some thirty steps.
  30 * minute;

type Case = {
  what: string;
  run: StartedRun;
  agent?: Partial<AgentFacts> | null;
  issue?: Partial<IssueFacts> | 'gone' | null;
  settings?: Partial<RepoSettings>;
  /** The last instant after the start at which it is still that, and the first at which it is this. */
  until: readonly [number, SituationName];
  from: readonly [number, SituationName];
};

const at = (run: StartedRun, afterMs: number, { agent = {}, issue = {}, settings = {} }: Case): SituationName => {
  const now = start + afterMs;
  const lostMs = agent === null ? afterMs : 0;
  const facts: Facts = {
    now,
    clock: runTime(run, lostMs, now),
    lostMs,
    agent:
      agent === null
        ? null
        : {
            state: { is: 'at work' },
            stamp: 's1',
            lastMessageAt: iso(start),
            lastError: null,
            words: null,
            request: null,
            tokens: null,
            ...agent,
          },
    executorDownMs: lostMs,
    issue: issue === null || issue === 'gone' ? issue : { ...standing, ...issue },
    executorSuspect: false,
  };
  return step(active(run), facts, someSettings(settings), { now, by: 'invocation-1' }).situation.name;
};
const standing: IssueFacts = {
  open: true,
  hasReady: true,
  hasHold: false,
  hasInProgress: true,
  readyOffBy: null,
  holdBy: null,
  closedBy: null,
  closedByOwnCommit: false,
  branch: 'main',
  landing: null,
  pull: null,
  elsewhere: null,
  proof: null,
};
const ci = (...checks: Check[]): Partial<IssueFacts> => ({
  proof: {
    ci: { checks, message: 'fix: mend it', hasDescendant: false, required: [] },
    deployments: [],
  },
});
const told = {
  n: 0,
  kind: 'opening',
  thread: 0,
  after: null,
  sentAt: start,
  startingAt: null,
  readyAt: null,
  takenUpAt: null,
  overAt: null,
};
const began = { ...told, takenUpAt: start };
const ended = { ...began, overAt: start };
const fresh = { claimedAt: start, movement: { stamp: 's1', movedAt: start } };
const working = (over: Record<string, unknown> = {}) =>
  started(aWorkingRun({ ...fresh, turn: began, firstTakenUpAt: start, ...over }));
const pushed = { tip: shaOf('a'), origin: shaOf('a'), seenAt: start, hasDescendant: false, redAt: null, greenAt: null };
const verifying = (over: Record<string, unknown> = {}) =>
  started(aVerifyingRun({ ...fresh, turn: ended, firstTakenUpAt: start, push: pushed, ...over }));
const over: Partial<AgentFacts> = {
  state: { is: 'over', how: 'completed', lastError: null },
  words: { lastWords: null, idle: false },
};
const moving = (afterMs: number) => ({ movement: { stamp: 's1', movedAt: start + afterMs } });
const asks: Partial<AgentFacts> = {
  state: { is: 'asking', what: 'question' },
  request: { requestId: 'q1', kind: 'question', text: 'Which?' },
};
const asked = (stage: 'answered' | 'interrupted') => ({ question: { requestId: 'q1', stage, at: start } });

const proposing = (over: Record<string, unknown> = {}) => {
  const head = shaOf('f');
  const pull = { number: 3, head, seenAt: start, stands: 'open', firstRedAt: null, mended: null, merge: null };
  return working({ turn: ended, landing: 'pull-request', pull: { ...pull, ...over } });
};
const proposed = (...checks: Check[]): Partial<IssueFacts> => ({
  pull: {
    shown: {
      ...{ number: 3, url: 'https://github.com/acme/web/pull/3', state: 'open', draft: false, conflicting: false },
      ...{ review: 'required', head: shaOf('f'), mergeCommit: null, closedBy: null },
    },
    ci: { checks, message: 'fix: mend it', hasDescendant: false, required: [] },
  },
});

/** The design's deadlines once more, as instants in the life of a run: none can be removed or changed unseen. */
const cases: readonly Case[] = [
  {
    what: 'a turn nothing shows of is lost after 2 min',
    run: working({ turn: told }),
    agent: { state: { is: 'queued' } },
    until: [2 * minute, 'at work'],
    from: [2 * minute + 1, 'lost'],
  },
  {
    what: 'a session that is ready without the turn for over 30 s could not start',
    run: working({ turn: { ...told, readyAt: start } }),
    agent: { state: { is: 'ready without turn' } },
    until: [30 * second, 'at work'],
    from: [30 * second + 1, 'could not start'],
  },
  {
    what: 'a session that is starting for over 10 min is stalled',
    run: working({ turn: { ...told, startingAt: start } }),
    agent: { state: { is: 'starting' } },
    until: [10 * minute, 'at work'],
    from: [10 * minute + 1, 'stalled'],
  },
  {
    what: 'a turn in which nothing moves for over 20 min is stalled',
    run: working(),
    until: [20 * minute, 'at work'],
    from: [20 * minute + 1, 'stalled'],
  },
  {
    what: 'nothing pushed 4 h after the first turn was taken up is overdue',
    run: working(moving(4 * hour)),
    until: [4 * hour, 'at work'],
    from: [4 * hour + 1, 'turn overdue'],
    settings: { usdPerMillionTokens: 0 },
  },
  {
    what: 'a run ends after 12 h whatever its state',
    run: verifying({ turn: began, push: { ...pushed, seenAt: start + 12 * hour }, ...moving(12 * hour) }),
    issue: ci(checkOf('test', 'running')),
    until: [12 * hour, 'CI pending'],
    from: [12 * hour + 1, 'run overdue'],
  },
  {
    what: 'CI has 10 min to appear',
    run: verifying(),
    agent: over,
    issue: ci(),
    until: [10 * minute - 1, 'CI pending'],
    from: [10 * minute, 'no CI'],
  },
  {
    what: 'CI has 60 min',
    run: verifying({ push: { ...pushed, hasDescendant: true } }),
    agent: over,
    issue: {
      proof: {
        ci: {
          checks: [checkOf('test', 'cancelled')],
          message: '',
          hasDescendant: true,
          required: [],
        },
        deployments: [],
      },
    },
    until: [60 * minute - 1, 'CI pending'],
    from: [60 * minute, 'CI overdue'],
  },
  {
    what: 'a check that still runs after 60 min blocks',
    run: verifying(),
    agent: over,
    issue: ci(checkOf('test', 'running')),
    until: [60 * minute - 1, 'CI pending'],
    from: [60 * minute, 'CI blocked'],
  },
  {
    what: 'a deployment has 60 min',
    run: verifying(),
    agent: over,
    issue: ci(checkOf('test', 'success')),
    settings: { environments: ['production'] },
    until: [60 * minute - 1, 'deployment pending'],
    from: [60 * minute, 'deployment overdue'],
  },
  {
    what: 'green has to hold for 60 s',
    run: verifying(),
    agent: over,
    issue: ci({ ...checkOf('test', 'success'), completedAt: start }),
    until: [minute - 1, 'CI pending'],
    from: [minute, 'landed'],
  },
  {
    what: 'a turn has 10 min of grace after green',
    run: verifying({ turn: began, push: { ...pushed, greenAt: start } }),
    issue: ci(checkOf('test', 'success')),
    until: [10 * minute - 1, 'landed, turn still out'],
    from: [10 * minute, 'landed'],
  },
  {
    what: 'a turn that reads over is judged 45 s later',
    run: working({ turn: ended }),
    agent: over,
    until: [45 * second - 1, 'over, not yet settled'],
    from: [45 * second, 'silent end'],
  },
  {
    what: 'red is mended 45 s after the turn was over',
    run: verifying(),
    agent: over,
    issue: ci(checkOf('test', 'failure')),
    until: [45 * second - 1, 'over, not yet settled'],
    from: [45 * second, 'red, turn over'],
  },
  {
    what: 'a turn that is out has 60 min to mend red',
    run: verifying({ turn: began, firstRedAt: start, ...moving(60 * minute) }),
    issue: ci(checkOf('test', 'failure')),
    until: [60 * minute - 1, 'red, turn still out'],
    from: [60 * minute, 'red too long'],
  },
  {
    what: 'an executor out of reach for over 24 h ends the run',
    run: working(),
    agent: null,
    until: [24 * hour, 'out of reach'],
    from: [24 * hour + 1, 'out of reach too long'],
  },
  {
    what: 'a tracker out of reach for over 24 h ends the run',
    run: working({ trackerDownSince: start }),
    issue: null,
    until: [24 * hour, 'out of reach'],
    from: [24 * hour + 1, 'out of reach too long'],
  },
  {
    what: 'an issue is believed to be gone after 10 min',
    run: working({ goneSince: start, trackerDownSince: start }),
    issue: 'gone',
    until: [10 * minute - 1, 'out of reach'],
    from: [10 * minute, 'issue gone'],
  },
  {
    what: 'an answer has 45 s to be taken up',
    run: working(asked('answered')),
    agent: asks,
    until: [45 * second - 1, 'at work'],
    from: [45 * second, 'asking still'],
  },
  {
    what: 'an interrupt of one that asks has 10 min',
    run: working(asked('interrupted')),
    agent: asks,
    until: [10 * minute, 'at work'],
    from: [10 * minute + 1, 'asking again'],
  },
  {
    what: 'a park is over when its time has come',
    run: working({ turn: ended, parks: 1, parkedUntil: start + 10 * minute }),
    agent: over,
    until: [10 * minute - 1, 'parked'],
    from: [10 * minute, 'park over'],
  },
  {
    what: 'a turn that tells no tokens has spent 20 USD after 266 min',
    run: verifying({ turn: began, firstRedAt: start + 267 * minute, ...moving(267 * minute) }),
    issue: ci(checkOf('test', 'failure')),
    until: [266 * minute, 'red, turn still out'],
    from: [267 * minute, 'over budget'],
  },
  {
    what: 'the checks of a pull request that are not over are waited for for 60 min',
    run: proposing(),
    agent: over,
    issue: proposed(checkOf('test', 'running')),
    until: [60 * minute - 1, 'pull request pending'],
    from: [60 * minute, 'pull request overdue'],
  },
  {
    what: 'a pull request waits for people for 8 h',
    run: proposing(),
    agent: over,
    issue: proposed(checkOf('test', 'success')),
    until: [8 * hour - 1, 'pull request waits'],
    from: [8 * hour, 'pull request overdue'],
  },
  {
    what: 'one without any check waits for them for 10 min, and then for people',
    run: proposing(),
    agent: over,
    issue: proposed(),
    until: [10 * minute - 1, 'pull request pending'],
    from: [10 * minute, 'pull request waits'],
  },
  {
    what: 'a further turn on a pull request that waited for hours has its own 4 h',
    run: working({
      ...{ turn: { ...began, n: 1, kind: 'fix', takenUpAt: start }, firstTakenUpAt: start - 5 * hour },
      ...{ landing: 'pull-request', pull: proposing().pull, ...moving(4 * hour) },
    }),
    until: [4 * hour, 'at work'],
    from: [4 * hour + 1, 'turn overdue'],
  },
];

/*
 * What is not a matter of one look is seen to fail elsewhere when it is removed:
 * ownMs, leaseMs: test/simulation/crash.test.ts · staleClaimMs: test/shell/recovery.test.ts · coolDownMs and the breaker:
 * test/shell/recovery.test.ts · gapMs, tokensEveryMs, haltMs, the day's budget: test/simulation/depth.test.ts · haltAgainMs:
 * test/shell/halt.test.ts · leaveMs of an ending: test/simulation/recordings.test.ts · refusalMs: test/shell/poison.test.ts ·
 * maxOpenRuns, maxRunsPerDay: test/shell/brakes.test.ts.
 */
describe('each deadline has its length', () => {
  test.each(cases)('$what', (one) => {
    const { run, until, from } = one;
    expect([at(run, until[0], one), at(run, from[0], one)]).toEqual([until[1], from[1]]);
  });

  test('a wait for a provider is 10, then 20, then 40 min', () => {
    const idle: Case = { ...cases[0]!, agent: { ...over, words: { lastWords: null, idle: true } } };
    const parkedFor = [0, 1, 2].map((parks) => {
      const run = working({ turn: ended, parks });
      expect(at(run, minute, idle)).toBe('idle end');
      const now = start + minute;
      const facts = { ...factsOf(run, still, now), agent: { ...factsOf(run, still, now).agent!, ...idle.agent } };
      const { run: following } = step(active(run), facts, someSettings(), { now, by: 'i' });
      return (following.parkedUntil! - now) / minute;
    });
    expect(parkedFor).toEqual([10, 20, 40]);
  });
});

/** A turn that is over, and nothing was pushed. */
const still: Still = {
  thread: {
    id: 'thread-1',
    projectId: 'project-1',
    turn: { id: 'turn-1', state: 'completed', requestedAt: iso(start) },
    session: { status: 'ready', updatedAt: iso(start), lastError: null },
    lastMessageAt: iso(start),
    updatedAt: iso(start),
    pending: null,
    backgroundWork: false,
  },
  whereabouts: 'absent',
  words: { lastWords: null, idle: false },
  request: null,
  tokens: null,
  issue: standing,
  isExecutorDown: false,
  executorSuspect: false,
};

describe('Bounded: each allowance has its number', () => {
  const decided = (run: StartedRun, world: Still, settings: Partial<RepoSettings> = {}) =>
    step(active(run), factsOf(run, world, start + minute), someSettings(settings), { now: start + minute, by: 'i' })
      .decision;
  const idle: Still = { ...still, words: { lastWords: null, idle: true } };
  const red: Still = { ...still, issue: { ...standing, ...ci(checkOf('test', 'failure')) } };
  const gone: Still = {
    ...still,
    thread: { ...still.thread!, turn: null, session: { status: 'error', updatedAt: iso(start), lastError: null } },
  };
  const fixing = (more: Record<string, unknown> = {}) =>
    started(
      aFixingRun({ ...fresh, turn: { ...ended, n: 1, kind: 'fix' }, push: pushed, firstTakenUpAt: start, ...more }),
    );

  test.each<[string, StartedRun, Still, Partial<RepoSettings>, string]>([
    ['a first nudge', working({ turn: ended }), still, {}, 'nudge'],
    ['no second one', working({ turn: ended, nudges: 1 }), still, {}, 'escalate'],
    ['as many as an operator allows', working({ turn: ended, nudges: 1 }), still, { nudgesMax: 2 }, 'nudge'],
    ['a third park', working({ turn: ended, parks: 2 }), idle, {}, 'park'],
    ['no fourth one', working({ turn: ended, parks: 3 }), idle, {}, 'nudge'],
    ['a first restart', working({ turn: told }), gone, {}, 'restart'],
    ['no second one', working({ turn: told, restarts: 1 }), gone, {}, 'escalate'],
    [
      'a release where the executor is suspect',
      working({ turn: told, restarts: 1, firstTakenUpAt: null }),
      { ...gone, executorSuspect: true },
      {},
      'release',
    ],
    [
      'no third release of one labelling',
      working({ turn: told, restarts: 1, firstTakenUpAt: null, releases: 2 }),
      { ...gone, executorSuspect: true },
      {},
      'escalate',
    ],
    ['a fifth attempt', verifying({ attempts: 4 }), red, {}, 'fix forward'],
    ['no sixth one', verifying({ attempts: 5 }), red, {}, 'freeze'],
    [
      'an attempt within 60 min of the first red',
      verifying({ firstRedAt: start - 59 * minute + 1 }),
      red,
      {},
      'fix forward',
    ],
    ['none after', verifying({ firstRedAt: start - 59 * minute }), red, {}, 'freeze'],
    ['a second turn that mends, after one without a commit', fixing(), red, {}, 'fix forward'],
    ['no third one', fixing({ idleFixes: 1 }), red, {}, 'freeze'],
    ['a budget that is not spent', verifying({ tokens: [3_999_999], tokensAt: start }), red, {}, 'fix forward'],
    ['none that is', verifying({ tokens: [4_000_000], tokensAt: start }), red, {}, 'freeze'],
    [
      'a raised one counts at once',
      verifying({ tokens: [4_000_000], tokensAt: start }),
      red,
      { budgetUsd: 21 },
      'fix forward',
    ],
  ])('%s (%#)', (_, run, world, settings, expected) => {
    expect(decided(run, world, settings)).toBe(expected);
  });

  test('a fix that follows one without a commit is counted, and one that follows a new commit begins anew', () => {
    const next = (run: StartedRun) =>
      step(active(run), factsOf(run, red, start + minute), someSettings(), { now: start + minute, by: 'i' }).run
        .idleFixes;
    expect([next(verifying({ idleFixes: 1 })), next(fixing())]).toEqual([0, 1]);
  });
});

describe('Every wait has an end', () => {
  test('the sum of the deadlines is well below the one for the whole run, so that it is not that which ends them', () => {
    expect(sum).toBeLessThan(deadlines.wholeRunMs - 90 * minute);
  });

  test('from every state, with the world standing still, a run ends within the sum of the deadlines', async () => {
    await fc.assert(
      fc.property(
        aStartedRun,
        aWorld,
        fc.constantFrom<Partial<RepoSettings>>({}, { environments: ['production'] }, { noCi: 'accept' }),
        (run, world, change) => {
          const readable = { ...world, isExecutorDown: false, issue: world.issue ?? 'gone' };
          expect(minutesToRest(run, readable, someSettings(change), sum)).not.toBeNull();
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('what cannot be read for a day ends too, and not before', async () => {
    await fc.assert(
      fc.property(anActiveRun, aWorld, fc.boolean(), (run, world, isExecutor) => {
        const dark: Still = { ...world, isExecutorDown: isExecutor, issue: isExecutor ? world.issue : null };
        if (dark.issue === 'gone') return;
        const found = minutesToRest({ ...run, goneSince: null }, dark, someSettings(), 24 * hour + sum);
        expect(found).not.toBeNull();
        expect(found).toBeGreaterThanOrEqual(24 * 60);
      }),
      { numRuns: 40 },
    );
  });

  test('a run that lies parked has a wake time, and none that is later than forty minutes', async () => {
    await fc.assert(
      fc.property(anActiveRun, aWorld, (run, world) => {
        const facts = factsOf(run, { ...world, isExecutorDown: false }, start);
        const { run: following, decision } = step(run, facts, someSettings(), { now: start, by: 'invocation-1' });
        if (decision !== 'park') return;
        expect(following.parkedUntil! - facts.clock).toBeGreaterThan(0);
        expect(following.parkedUntil! - facts.clock).toBeLessThanOrEqual(40 * minute);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('No double dispatch', () => {
  test('in no state a further turn is asked for while one is out, nor while nobody knows', async () => {
    let asked = 0;
    await fc.assert(
      fc.property(anActiveRun, aWorld, (run, world) => {
        const facts = factsOf(run, world, start);
        const { run: following, decision } = step(run, facts, someSettings(), { now: start, by: 'invocation-1' });
        const isNew = following.turn !== null && following.turn.n !== run.turn.n;
        expect(isNew).toBe(['fix forward', 'nudge', 'say so', 'try again', 'resume'].includes(decision));
        if (!isNew) return;
        asked += 1;
        expect(facts.agent).not.toBeNull();
        expect(isTurnOut(facts.agent!)).toBe(false);
      }),
      { numRuns: 15_000 },
    );
    expect(asked).toBeGreaterThan(100);
  });

  test('a run that ends or restarts asks for no further turn', async () => {
    await fc.assert(
      fc.property(anActiveRun, aWorld, (run, world) => {
        const { run: following } = step(run, factsOf(run, world, start), someSettings(), { now: start, by: 'i' });
        if (following.phase !== 'ending' && following.phase !== 'restarting') return;
        expect([following.command, following.turn?.n]).toEqual([null, run.turn.n]);
      }),
      { numRuns: 2000 },
    );
  });
});
