import { describe, expect, test } from 'vitest';
import type { Check } from '../../lib/core/ci-verdict.ts';
import { deadlines } from '../../lib/core/deadlines.ts';
import { evolve } from '../../lib/core/evolve.ts';
import type { AgentFacts, Facts, IssueFacts } from '../../lib/core/facts.ts';
import { obeyed, withdrawn } from '../../lib/core/next.ts';
import type { PullFacts } from '../../lib/core/pull-request.ts';
import { type ActiveRun, isActive, type OpenRun, runTime } from '../../lib/core/run.ts';
import type { RepoSettings } from '../../lib/core/settings.ts';
import { type SituationName, situationNames } from '../../lib/core/situation.ts';
import { step } from '../../lib/core/step.ts';
import { aFixingRun, aVerifyingRun, aWorkingRun, shaOf, someSettings } from '../support/told-runs.ts';

const minute = 60_000;
const signature = { now: 0, by: 'invocation-1' };

const active = (run: OpenRun): ActiveRun => {
  if (!isActive(run)) throw new Error(`a ${run.phase} run is not active`);
  return run;
};

const check = (state: Check['state'], name = 'test'): Check => ({
  kind: 'check',
  name,
  app: 'github-actions',
  appId: 1,
  workflow: 'CI',
  workflowId: 1,
  event: 'push',
  state,
  startedAt: 0,
  completedAt: state === 'running' ? null : 0,
  url: null,
});

const anAgent = (over: Partial<AgentFacts> = {}): AgentFacts => ({
  state: { is: 'at work' },
  stamp: 's1',
  lastMessageAt: 'm1',
  lastError: null,
  words: null,
  request: null,
  tokens: null,
  ...over,
});
const over = (how: 'completed' | 'error' | 'crashed' = 'completed'): AgentFacts =>
  anAgent({ state: { is: 'over', how, lastError: null }, words: { lastWords: 'that is all', idle: false } });

const asks = (kind: 'question' | 'approval'): AgentFacts =>
  anAgent({ state: { is: 'asking', what: kind }, request: { requestId: 'q1', kind, text: 'which one?' } });

const anIssue = (change: Partial<IssueFacts> = {}): IssueFacts => ({
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
  ...change,
});
const proof = (...checks: Check[]): IssueFacts['proof'] => ({
  ci: { checks, message: 'fix: mend it', hasDescendant: false, required: [] },
  deployments: [],
});
const person = { login: 'maintainer', kind: 'user' } as const;

const at = (clock: number, change: Partial<Facts> = {}): Facts => ({
  now: clock,
  clock,
  lostMs: 0,
  agent: anAgent(),
  executorDownMs: 0,
  issue: anIssue(),
  executorSuspect: false,
  ...change,
});

// Turns and pushes of the builders: claimed at 2000, sent at 3000, push seen at 5000.
const working = (turn: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): ActiveRun =>
  active(
    aWorkingRun({
      turn: {
        n: 0,
        kind: 'opening',
        thread: 0,
        after: null,
        sentAt: 3000,
        startingAt: null,
        takenUpAt: 4000,
        overAt: null,
        ...turn,
      },
      firstTakenUpAt: 4000,
      movement: { stamp: 's1', movedAt: 4000 },
      ...rest,
    }),
  );
const verifying = (turn: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): ActiveRun =>
  active(
    aVerifyingRun({
      turn: {
        n: 0,
        kind: 'opening',
        thread: 0,
        after: null,
        sentAt: 3000,
        startingAt: null,
        takenUpAt: 4000,
        overAt: 4500,
        ...turn,
      },
      movement: { stamp: 's1', movedAt: 4000 },
      ...rest,
    }),
  );

const ended = {
  ...{ n: 0, kind: 'opening', thread: 0, after: null },
  ...{ sentAt: 3000, startingAt: null, takenUpAt: 4000, overAt: 4500 },
};
const aPull = (change: Record<string, unknown> = {}) => ({
  ...{ number: 3, head: shaOf('f'), seenAt: 5000, stands: 'open' },
  ...{ firstRedAt: null, mended: null, merge: null, ...change },
});
/** A run whose pull request was seen at 5000, with its turn over. */
const proposing = (rest: Record<string, unknown> = {}, turn: Record<string, unknown> = {}): ActiveRun =>
  working({ overAt: 4500, ...turn }, { landing: 'pull-request', pull: aPull(), ...rest });
const pulled = (change: Partial<PullFacts>, ...checks: Check[]): IssueFacts =>
  anIssue({
    pull: {
      shown: {
        ...{ number: 3, url: 'https://github.com/acme/web/pull/3', state: 'open', draft: false },
        ...{ conflicting: false, review: null, head: shaOf('f'), mergeCommit: null, closedBy: null, ...change },
      },
      ci: { checks, message: 'fix: mend it', hasDescendant: false, required: [] },
    },
  });

type Case = { because: string; run: ActiveRun; facts: Facts; settings?: Partial<RepoSettings> };

/** One way or more into each situation. */
const cases: Record<SituationName, readonly Case[]> = {
  'cancelled by a person': [
    {
      because: 'a person closed the issue',
      run: working(),
      facts: at(10_000, { issue: anIssue({ open: false, closedBy: person }) }),
    },
    { because: 'the closer is unknown', run: working(), facts: at(10_000, { issue: anIssue({ open: false }) }) },
    {
      because: 'the ready label was taken off',
      run: working(),
      facts: at(10_000, { issue: anIssue({ hasReady: false, readyOffBy: person }) }),
    },
    {
      because: 'the hold label was put on',
      run: verifying(),
      facts: at(10_000, { issue: anIssue({ hasHold: true, holdBy: person }) }),
    },
    {
      because: 'it goes before an executor out of reach',
      run: working(),
      facts: at(10_000, { agent: null, issue: anIssue({ hasReady: false }) }),
    },
    {
      because: 'it goes before green CI',
      run: verifying(),
      facts: at(10 * minute, {
        agent: over(),
        issue: anIssue({ hasHold: true, holdBy: person, proof: proof(check('success')) }),
      }),
    },
  ],
  'issue gone': [
    {
      because: 'it has not been found for ten minutes',
      run: working({}, { trackerDownSince: 1000, goneSince: 1000 }),
      facts: at(1000 + 10 * minute, { issue: 'gone' }),
    },
  ],
  'out of reach': [
    { because: 'the executor cannot be read', run: working(), facts: at(10_000, { agent: null }) },
    { because: 'the tracker cannot be read', run: working(), facts: at(10_000, { issue: null }) },
    { because: 'the issue is not found for the first time', run: working(), facts: at(10_000, { issue: 'gone' }) },
    {
      because: 'the executor is down for just under a day',
      run: working(),
      facts: at(10_000, { agent: null, executorDownMs: deadlines.outOfReachMs }),
    },
  ],
  'out of reach too long': [
    {
      because: 'the executor is down for over a day',
      run: working(),
      facts: at(10_000, { agent: null, executorDownMs: deadlines.outOfReachMs + 1 }),
    },
    {
      because: 'the tracker is down for over a day',
      run: working({}, { trackerDownSince: 1000 }),
      facts: at(20_000, { now: 1001 + deadlines.outOfReachMs, issue: null }),
    },
  ],
  'run overdue': [
    {
      because: 'twelve hours have passed since the claim, whatever the state',
      run: verifying(),
      facts: at(2001 + deadlines.wholeRunMs, { agent: over(), issue: anIssue({ proof: proof(check('success')) }) }),
    },
  ],
  asking: [
    { because: 'the agent asks a question', run: working(), facts: at(10_000, { agent: asks('question') }) },
    {
      because: 'the agent asks for an approval after it pushed',
      run: verifying(),
      facts: at(10_000, { agent: asks('approval'), issue: anIssue({ proof: proof(check('success')) }) }),
    },
  ],
  'asking still': [
    {
      because: 'the answer was not taken up within a look',
      run: working({}, { answers: 1, question: { requestId: 'q1', stage: 'answered', at: 5000 } }),
      facts: at(5000 + deadlines.answerMs, { agent: asks('question') }),
    },
  ],
  'asking again': [
    {
      because: 'it is a second request',
      run: working({}, { answers: 1, question: { requestId: 'q0', stage: 'answered', at: 5000 } }),
      facts: at(10_000, { agent: asks('question') }),
    },
    {
      because: 'interrupting did not help for ten minutes',
      run: working(
        {},
        {
          answers: 1,
          question: { requestId: 'q1', stage: 'interrupted', at: 5000 },
          movement: { stamp: 's1', movedAt: 5000 },
        },
      ),
      facts: at(5001 + deadlines.leaveMs, { agent: asks('question') }),
    },
  ],
  'told to stop asking': [
    {
      because: 'the interrupted agent is idle now',
      run: working({ overAt: 4500 }, { answers: 1, question: { requestId: 'q1', stage: 'interrupted', at: 4500 } }),
      facts: at(4500 + deadlines.overSettlesMs, { agent: over() }),
    },
  ],
  'over budget': [
    {
      because: 'the tokens told cost more than the run may',
      run: working({}, { tokens: [4_000_000], tokensAt: 9000, tokensReadAt: 9000 }),
      facts: at(10_000),
    },
    {
      because: 'a turn that tells nothing is counted pessimistically',
      run: working({}, { movement: { stamp: 's1', movedAt: 100 * minute } }),
      facts: at(101 * minute),
      settings: { budgetUsd: 7 },
    },
    {
      because: 'it is over although the push is red',
      run: verifying({}, { tokens: [4_000_000], tokensAt: 4000, tokensReadAt: 4000 }),
      facts: at(10 * minute, { agent: over(), issue: anIssue({ proof: proof(check('failure')) }) }),
    },
  ],
  'red too long': [
    {
      because: 'the turn that mends it is still out an hour after the first red',
      run: active(aFixingRun({ firstRedAt: 6000, movement: { stamp: 's1', movedAt: 60 * minute } })),
      facts: at(6000 + 60 * minute, { issue: anIssue({ proof: proof(check('failure')) }) }),
    },
  ],
  'red as the base was': [
    {
      because: 'the pull request is red only where the base was',
      run: proposing({ baseRed: ['test'] }),
      facts: at(10 * minute, { agent: over(), issue: pulled({}, check('failure'), check('success', 'lint')) }),
    },
    {
      because: 'only what was red before is red now',
      run: verifying({}, { baseRed: ['test'] }),
      facts: at(10 * minute, {
        agent: over(),
        issue: anIssue({ proof: proof(check('failure'), check('success', 'lint')) }),
      }),
    },
  ],
  parked: [
    {
      because: 'the wait for the provider lasts',
      run: working({ overAt: 4500 }, { parks: 1, parkedUntil: 4500 + 10 * minute }),
      facts: at(4499 + 10 * minute, { agent: over() }),
    },
  ],
  'park over': [
    {
      because: 'the wait for the provider is over',
      run: working({ overAt: 4500 }, { parks: 1, parkedUntil: 4500 + 10 * minute }),
      facts: at(4500 + 10 * minute, { agent: over() }),
    },
  ],
  landed: [
    {
      because: 'CI is green and the turn is over',
      run: verifying(),
      facts: at(10 * minute, { agent: over(), issue: anIssue({ proof: proof(check('success')) }) }),
    },
    {
      because: 'CI is green for ten minutes and the turn still out',
      run: verifying(
        { overAt: null },
        { push: { tip: shaOf('a'), seenAt: 5000, hasDescendant: false, redAt: null, greenAt: 5000 } },
      ),
      facts: at(5000 + deadlines.graceAfterGreenMs, { issue: anIssue({ proof: proof(check('success')) }) }),
    },
    {
      because: 'no CI spoke and the operator accepts that',
      run: verifying(),
      facts: at(5000 + deadlines.ciAppearsMs, { agent: over(), issue: anIssue({ proof: proof() }) }),
      settings: { noCi: 'accept' },
    },
    {
      because: 'the agent crashed after it had landed',
      run: verifying(),
      facts: at(10 * minute, { agent: over('crashed'), issue: anIssue({ proof: proof(check('success')) }) }),
    },
    {
      because: 'our own keyword closed the issue and CI is green',
      run: verifying(),
      facts: at(10 * minute, {
        agent: over(),
        issue: anIssue({ open: false, closedByOwnCommit: true, proof: proof(check('success')) }),
      }),
    },
  ],
  'landed, turn still out': [
    {
      because: 'CI is green and the turn is out',
      run: verifying({ overAt: null }),
      facts: at(10 * minute, { issue: anIssue({ proof: proof(check('success')) }) }),
    },
  ],
  'no CI': [
    {
      because: 'no check was reported within ten minutes',
      run: verifying(),
      facts: at(5000 + deadlines.ciAppearsMs, { agent: over(), issue: anIssue({ proof: proof() }) }),
    },
  ],
  'CI blocked': [
    {
      because: 'an approval is waited for until the deadline',
      run: verifying(),
      facts: at(5000 + deadlines.ciMs, { agent: over(), issue: anIssue({ proof: proof(check('waiting')) }) }),
    },
    {
      because: 'it holds whatever noCi says',
      run: verifying(),
      facts: at(5000 + deadlines.ciMs, { agent: over(), issue: anIssue({ proof: proof(check('waiting')) }) }),
      settings: { noCi: 'accept' },
    },
  ],
  'CI overdue': [
    {
      because: 'checks were cut short and the later commit never spoke',
      run: verifying({}, { push: { tip: shaOf('a'), seenAt: 5000, hasDescendant: true, redAt: null, greenAt: null } }),
      facts: at(5000 + deadlines.ciMs, {
        agent: over(),
        issue: anIssue({
          proof: {
            ci: { checks: [check('cancelled')], message: '', hasDescendant: true, required: [] },
            deployments: [],
          },
        }),
      }),
    },
  ],
  'CI pending': [
    {
      because: 'a check runs',
      run: verifying(),
      facts: at(10 * minute, { agent: over(), issue: anIssue({ proof: proof(check('running')) }) }),
    },
    {
      because: 'an approval is waited for',
      run: verifying(),
      facts: at(10 * minute, { agent: over(), issue: anIssue({ proof: proof(check('waiting')) }) }),
    },
    {
      because: 'nothing was reported yet',
      run: verifying(),
      facts: at(2 * minute, { agent: over(), issue: anIssue({ proof: proof() }) }),
    },
    {
      because: 'a crashed agent changes nothing while CI decides',
      run: verifying(),
      facts: at(2 * minute, { agent: over('crashed'), issue: anIssue({ proof: proof() }) }),
    },
  ],
  'deployment overdue': [
    {
      because: 'green, and not deployed within the hour',
      run: verifying(),
      facts: at(5000 + deadlines.deployMs, { agent: over(), issue: anIssue({ proof: proof(check('success')) }) }),
      settings: { environments: ['production'] },
    },
  ],
  'deployment pending': [
    {
      because: 'green, and not deployed yet',
      run: verifying(),
      facts: at(10 * minute, { agent: over(), issue: anIssue({ proof: proof(check('success')) }) }),
      settings: { environments: ['production'] },
    },
  ],
  'could not start': [
    {
      because: 'the session failed',
      run: working({ takenUpAt: null }),
      facts: at(10_000, { agent: anAgent({ state: { is: 'could not start', lastError: 'no such binary' } }) }),
    },
    {
      because: 'the session is ready without a turn for over 30 s',
      run: working({ takenUpAt: null, readyAt: 3500 }),
      facts: at(3501 + deadlines.readyWithoutTurnMs, { agent: anAgent({ state: { is: 'ready without turn' } }) }),
    },
    {
      because: 'the turn that was to mend a red CI could not start',
      run: active(aFixingRun()),
      facts: at(10_000, {
        agent: anAgent({ state: { is: 'could not start', lastError: null } }),
        issue: anIssue({ proof: proof(check('failure')) }),
      }),
    },
  ],
  lost: [
    {
      because: 'nothing shows of the turn for two minutes',
      run: working({ takenUpAt: null }),
      facts: at(3001 + deadlines.noSessionMs, { agent: anAgent({ state: { is: 'queued' } }) }),
    },
    {
      because: 'the executor never had it',
      run: working({ takenUpAt: null }),
      facts: at(3001 + deadlines.noSessionMs, { agent: anAgent({ state: { is: 'not accepted' } }) }),
    },
  ],
  stalled: [
    { because: 'nothing moved for twenty minutes', run: working(), facts: at(4001 + deadlines.stillMs) },
    {
      because: 'a word nobody knows runs into the same deadline',
      run: working(),
      facts: at(4001 + deadlines.stillMs, { agent: anAgent({ state: { is: 'unknown' } }) }),
    },
    {
      because: 'the session has been starting for ten minutes',
      run: working({ takenUpAt: null, startingAt: 3500 }),
      facts: at(3501 + deadlines.startingMs, { agent: anAgent({ state: { is: 'starting' } }) }),
    },
  ],
  vanished: [
    {
      because: 'the thread is not there any more',
      run: working(),
      facts: at(10_000, { agent: anAgent({ state: { is: 'absent' } }) }),
    },
  ],
  failed: [
    {
      because: 'the agent crashed on a red pull request',
      run: proposing(),
      facts: at(10 * minute, { agent: over('crashed'), issue: pulled({}, check('failure')) }),
    },
    { because: 'the agent crashed', run: working(), facts: at(10_000, { agent: over('crashed') }) },
    {
      because: 'the agent failed on a red push',
      run: verifying(),
      facts: at(10 * minute, { agent: over('error'), issue: anIssue({ proof: proof(check('failure')) }) }),
    },
  ],
  'turn overdue': [
    {
      because: 'four hours of work and nothing pushed',
      run: working({}, { movement: { stamp: 's1', movedAt: 4000 + deadlines.prePushMs } }),
      facts: at(4001 + deadlines.prePushMs),
    },
  ],
  'red, turn still out': [
    {
      because: 'the agent may be mending it',
      run: verifying({ overAt: null }),
      facts: at(10 * minute, { issue: anIssue({ proof: proof(check('failure')) }) }),
    },
    {
      because: 'the turn that mends it is at work',
      run: active(aFixingRun({ movement: { stamp: 's1', movedAt: 9 * minute } })),
      facts: at(10 * minute, { issue: anIssue({ proof: proof(check('failure')) }) }),
    },
  ],
  'red, turn over': [
    {
      because: 'a check failed',
      run: verifying(),
      facts: at(10 * minute, {
        agent: over(),
        issue: anIssue({ proof: proof(check('failure'), check('running', 'lint')) }),
      }),
    },
    {
      because: 'the deployment failed',
      run: verifying(),
      facts: at(10 * minute, {
        agent: over(),
        issue: anIssue({
          proof: {
            ...proof(check('success'))!,
            deployments: [
              {
                environment: 'production',
                sha: shaOf('a'),
                containsOurs: true,
                state: 'failure',
                everSucceeded: false,
                createdAt: 0,
                url: null,
              },
            ],
          },
        }),
      }),
      settings: { environments: ['production'] },
    },
  ],
  'pull request pending': [
    {
      because: 'its checks are running',
      run: proposing(),
      facts: at(10 * minute, { agent: over(), issue: pulled({}, check('success'), check('running', 'lint')) }),
    },
    {
      because: 'a crashed agent takes nothing from what it proposed',
      run: proposing(),
      facts: at(10 * minute, { agent: over('crashed'), issue: pulled({}, check('running')) }),
    },
    {
      because: 'what is red on the branch is being mended by it',
      run: active(aFixingRun({ turn: { ...ended, n: 1, kind: 'fix' }, landing: 'pull-request', pull: aPull() })),
      facts: at(10 * minute, {
        agent: over(),
        issue: { ...pulled({}, check('running')), proof: proof(check('failure')) },
      }),
    },
  ],
  'pull request waits': [
    {
      because: 'its checks are green and a review is demanded',
      run: proposing(),
      facts: at(20 * minute, { agent: over(), issue: pulled({ review: 'required' }, check('success')) }),
    },
    {
      because: 'no check ever spoke for it: that is for people to judge, and no proof',
      run: proposing(),
      facts: at(20 * minute, { agent: over(), issue: pulled({}) }),
    },
    {
      because: 'a check waits for a person',
      run: proposing(),
      facts: at(20 * minute, { agent: over(), issue: pulled({}, check('action-required')) }),
    },
  ],
  'pull request merged': [
    {
      because: 'the branch was read before the merge',
      run: proposing(),
      facts: at(20 * minute, { agent: over(), issue: pulled({ state: 'merged', mergeCommit: shaOf('d') }) }),
    },
  ],
  'pull request overdue': [
    {
      because: 'its checks do not end',
      run: proposing(),
      facts: at(5000 + deadlines.ciMs, { agent: over(), issue: pulled({}, check('running')) }),
    },
    {
      because: 'nobody merges it',
      run: proposing(),
      facts: at(5000 + deadlines.pullMs, { agent: over(), issue: pulled({}, check('success')) }),
    },
  ],
  'pull request refused': [
    {
      because: 'a person closed it',
      run: proposing(),
      facts: at(20 * minute, { agent: over(), issue: pulled({ state: 'closed', closedBy: person }) }),
    },
    {
      because: 'somebody closed it whose account is gone',
      run: proposing(),
      facts: at(20 * minute, { agent: over(), issue: pulled({ state: 'closed', closedBy: null }) }),
    },
    {
      because: 'a review asks for changes, whatever its checks say',
      run: proposing(),
      facts: at(20 * minute, { agent: over(), issue: pulled({ review: 'changes requested' }, check('failure')) }),
    },
  ],
  'pull request red': [
    {
      because: 'a check failed',
      run: proposing(),
      facts: at(10 * minute, { agent: over(), issue: pulled({}, check('failure'), check('running', 'lint')) }),
    },
  ],
  'pull request conflicting': [
    {
      because: 'somebody changed the same lines',
      run: proposing(),
      facts: at(10 * minute, { agent: over(), issue: pulled({ conflicting: true }, check('success')) }),
    },
  ],
  'pull request draft': [
    {
      because: 'the agent left it one',
      run: proposing(),
      facts: at(10 * minute, { agent: over(), issue: pulled({ draft: true }, check('success')) }),
    },
  ],
  'no pull request': [
    {
      because: 'only a branch was pushed',
      run: working({ overAt: 4500 }, { landing: 'pull-request' }),
      facts: at(4500 + deadlines.overSettlesMs, {
        agent: over(),
        issue: anIssue({ elsewhere: { url: 'https://github.com/acme/web/commit/abc' } }),
      }),
    },
    {
      because: 'the agent closed its own, and opened no other',
      run: proposing(),
      facts: at(20 * minute, {
        agent: over(),
        issue: {
          ...pulled({ state: 'closed', closedBy: { login: 'Agent-Bot', kind: 'user' } }),
          elsewhere: { url: 'https://github.com/acme/web/pull/3' },
        },
      }),
      settings: { agentLogins: ['agent-bot'] },
    },
  ],
  elsewhere: [
    {
      because: 'the commits are in a pull request',
      run: working({ overAt: 4500 }),
      facts: at(4500 + deadlines.overSettlesMs, {
        agent: over(),
        issue: anIssue({ elsewhere: { url: 'https://github.com/acme/web/pull/3' } }),
      }),
    },
  ],
  'idle end': [
    {
      because: 'no tool call, no changed file, no commit',
      run: working({ overAt: 4500 }),
      facts: at(4500 + deadlines.overSettlesMs, {
        agent: { ...over(), words: { lastWords: 'API Error', idle: true } },
      }),
    },
  ],
  'silent end': [
    {
      because: 'the turn ended and nothing was pushed',
      run: working({ overAt: 4500 }),
      facts: at(4500 + deadlines.overSettlesMs, { agent: over() }),
    },
  ],
  'over, not yet settled': [
    { because: 'the turn has just ended', run: working(), facts: at(10_000, { agent: over() }) },
    {
      because: 'red, and the turn has just ended',
      run: verifying({ overAt: null }),
      facts: at(10 * minute, { agent: over(), issue: anIssue({ proof: proof(check('failure')) }) }),
    },
  ],
  'at work': [
    {
      because: 'a turn on an open pull request is out',
      run: proposing({}, { overAt: null }),
      facts: at(10 * minute, { agent: anAgent({ stamp: 's2' }), issue: pulled({}) }),
    },
    { because: 'the turn runs', run: working(), facts: at(10_000) },
    {
      because: 'the turn is queued for less than two minutes',
      run: working({ takenUpAt: null }),
      facts: at(3000 + deadlines.noSessionMs, { agent: anAgent({ state: { is: 'queued' } }) }),
    },
    { because: 'nothing moved for just twenty minutes', run: working(), facts: at(4000 + deadlines.stillMs) },
    {
      because: 'work goes on in the background',
      run: working(),
      facts: at(10_000, { agent: anAgent({ state: { is: 'background' } }) }),
    },
  ],
};

const stepped = ({ run, facts, settings }: Case) => step(run, facts, someSettings(settings), signature);

describe('every situation is named', () => {
  for (const name of situationNames)
    test.each(cases[name])(`${name}: $because`, (one) => {
      expect(stepped(one).situation.name).toBe(name);
    });
});

describe('a step', () => {
  test('that learns nothing and waits gives back the very same run, so that a quiet tick writes nothing', () => {
    const run = working();
    expect(step(run, at(10_000), someSettings(), signature).run).toBe(run);
  });

  test('adopts the push that carries the run’s newest commit and watches its tip', () => {
    const landing = {
      head: shaOf('c'),
      commits: [shaOf('b')],
      tip: shaOf('c'),
      follows: null,
      hasDescendant: false,
      pushedAt: 9_000,
      declared: { testsRed: true, green: true },
      rewritten: false,
    };
    const { run } = step(
      working(),
      at(10_000, { issue: anIssue({ landing, proof: proof() }) }),
      someSettings(),
      signature,
    );
    expect(run).toMatchObject({
      phase: 'verifying',
      push: { tip: shaOf('c'), seenAt: 10_000 },
      commits: [shaOf('b')],
      headSeen: shaOf('c'),
    });
  });

  test('that mends a red push asks for the next turn in the same thread and remembers which commit it mends', () => {
    const { run, decision } = stepped(cases['red, turn over'][0]!);
    expect(decision).toBe('fix forward');
    expect(run).toMatchObject({
      phase: 'fixing',
      mends: shaOf('a'),
      attempts: 1,
      turn: { n: 1, kind: 'fix', thread: 0, after: 'm1', sentAt: null, takenUpAt: null, overAt: null },
      command: { order: 'start', attempt: 0, by: 'invocation-1' },
      failing: [{ name: 'test' }],
    });
  });

  test('Bounded: mends no more once the attempts are used up, and leaves the broken state as it is', () => {
    const one = cases['red, turn over'][0]!;
    expect(stepped({ ...one, run: { ...one.run, attempts: 5 } })).toMatchObject({
      decision: 'freeze',
      run: { phase: 'ending', outcome: 'frozen' },
    });
    expect(stepped({ ...one, run: { ...one.run, attempts: 4 } }).decision).toBe('fix forward');
  });

  test('Bounded: mends no more an hour after the first red', () => {
    const one = cases['red, turn over'][0]!;
    expect(stepped({ ...one, run: { ...one.run, firstRedAt: 10 * minute - deadlines.ciMs } }).decision).toBe('freeze');
  });

  test('Every wait has an end: the one red commit is not asked to be mended again while the turn is out', () => {
    const first = stepped(cases['red, turn over'][0]!).run;
    if (!isActive(first)) throw new Error('it mends');
    const sent = { ...first, command: null, turn: { ...first.turn, sentAt: 10 * minute } };
    // The executor still shows the turn before: the one asked for last is queued.
    const again = step(
      sent,
      at(10 * minute + 1000, {
        agent: anAgent({ state: { is: 'queued' } }),
        issue: anIssue({ proof: proof(check('failure')) }),
      }),
      someSettings(),
      signature,
    );
    expect(again.decision).toBe('wait');
    expect(again.run).toMatchObject({ attempts: 1, turn: { n: 1 } });
  });

  test('Closed only on proof: the agent’s word ends no run as done', () => {
    for (const name of situationNames)
      for (const one of cases[name]) {
        const { run, judged } = stepped(one);
        if (run.phase === 'ending' && run.outcome === 'done') expect(judged.proof.state).toBe('proven');
      }
  });

  test('our own keyword that closed the issue is undone once CI is red, and only once', () => {
    const issue = anIssue({ open: false, closedByOwnCommit: true, proof: proof(check('failure')) });
    const { run, situation } = step(verifying({ overAt: null }), at(10 * minute, { issue }), someSettings(), signature);
    expect(situation.name).toBe('red, turn still out');
    expect(run.reopened).toBe(true);
  });

  test('an account the agent acts as is not a person', () => {
    const bot = { login: 'Agent-Bot', kind: 'user' } as const;
    const settings = someSettings({ agentLogins: ['agent-bot'] });
    const acts = [
      anIssue({ open: false, closedBy: bot }),
      anIssue({ hasReady: false, readyOffBy: bot }),
      anIssue({ hasHold: true, holdBy: bot }),
    ];
    for (const issue of acts)
      expect(step(working(), at(10_000, { issue }), settings, signature).situation.name).toBe('at work');
  });

  test('a run handed back keeps the agent’s last words', () => {
    const one = cases['silent end'][0]!;
    expect(stepped({ ...one, run: { ...one.run, nudges: 1 } }).run).toMatchObject({
      phase: 'ending',
      outcome: 'escalated',
      lastWords: 'that is all',
    });
  });

  test('a nudge is given once and then the run is handed back', () => {
    const one = cases['silent end'][0]!;
    expect(stepped(one).run).toMatchObject({
      phase: 'working',
      nudges: 1,
      turn: { n: 1, kind: 'nudge' },
      command: { order: 'start' },
    });
    expect(stepped({ ...one, run: { ...one.run, nudges: 1 } }).decision).toBe('escalate');
  });

  test('a fault of the executor is never charged to an issue: the second run in a row that cannot start is released', () => {
    const one = cases['could not start'][0]!;
    const facts = { ...one.facts, executorSuspect: true };
    const run = { ...one.run, firstTakenUpAt: null };
    expect(stepped({ ...one, facts, run }).run).toMatchObject({ phase: 'restarting', restarts: 1, attempts: 0 });
    const again = { ...run, restarts: 1 };
    expect(stepped({ ...one, facts, run: again }).run).toMatchObject({
      phase: 'ending',
      outcome: 'released',
      couldNotStart: true,
    });
    // One that had its start is not given back, nor one that was given back twice before.
    expect(stepped({ ...one, facts, run: { ...again, firstTakenUpAt: 4000 } }).decision).toBe('escalate');
    expect(stepped({ ...one, facts, run: { ...again, releases: 2 } }).decision).toBe('escalate');
  });
});

describe('a step of a run with a pull request', () => {
  const red = cases['pull request red'][0]!;

  test('asks for the next turn in the same thread, and remembers which head it mends', () => {
    const { run, decision } = stepped(red);
    expect(decision).toBe('fix forward');
    expect(run).toMatchObject({
      ...{ phase: 'working', attempts: 1, command: { order: 'start' } },
      turn: { n: 1, kind: 'fix', thread: 0, after: 'm1', sentAt: null },
      pull: { stands: 'red', firstRedAt: 10 * minute, mended: { head: shaOf('f'), why: 'red' } },
    });
  });

  test('charges no attempt for what nobody is to blame for, and counts its own hour from its own first red', () => {
    const cut = { ...red, facts: { ...red.facts, issue: pulled({}, check('cancelled')) } };
    expect(stepped(cut)).toMatchObject({ decision: 'fix forward', run: { attempts: 0 } });
    expect(stepped({ ...red, run: proposing({ firstRedAt: 0 }) }).decision).toBe('fix forward');
    const hourAgo = aPull({ firstRedAt: 10 * minute - 3_600_000 });
    expect(stepped({ ...red, run: proposing({ pull: hourAgo }) }).decision).toBe('escalate');
  });

  test('asks twice at most for the same head', () => {
    const mended = { head: shaOf('f'), why: 'red' };
    const once = stepped({ ...red, run: proposing({ pull: aPull({ mended }), attempts: 1 }) });
    expect(once).toMatchObject({ decision: 'fix forward', run: { idleFixes: 1 } });
    const twice = stepped({ ...red, run: proposing({ pull: aPull({ mended }), attempts: 2, idleFixes: 1 }) });
    expect(twice.decision).toBe('escalate');
    const moved = stepped({
      ...red,
      run: proposing({ pull: aPull({ mended: { ...mended, head: shaOf('e') } }), idleFixes: 1 }),
    });
    expect(moved).toMatchObject({ decision: 'fix forward', run: { idleFixes: 0 } });
  });

  test('a new head begins the waits anew, a new pull request everything; the merge that was seen stays known', () => {
    const before = aPull({ firstRedAt: 6000, mended: { head: shaOf('f'), why: 'red' }, merge: shaOf('d') });
    const next = (change: Partial<PullFacts>) =>
      evolve(proposing({ pull: before }), at(20 * minute, { issue: pulled(change) })).pull;
    expect(next({ head: shaOf('e') })).toMatchObject({ head: shaOf('e'), seenAt: 20 * minute, firstRedAt: 6000 });
    expect(next({ number: 4, head: shaOf('e') })).toEqual(
      aPull({ number: 4, head: shaOf('e'), seenAt: 20 * minute, merge: shaOf('d') }),
    );
  });

  test('a quiet look at one that waits writes nothing', () => {
    const run = proposing({ pull: aPull({ stands: 'unmerged' }) });
    const facts = at(20 * minute, { agent: over(), issue: pulled({}, check('success')) });
    expect(step(run, facts, someSettings(), signature).run).toBe(run);
  });

  test('Closed only on proof: a green pull request, merged or not, is none', () => {
    for (const name of situationNames.filter((one) => one.startsWith('pull request')))
      for (const one of cases[name]) expect(stepped(one).run).not.toMatchObject({ outcome: 'done' });
  });

  test('a turn that mends it on a branch that is red has its own time', () => {
    const run = active(
      aFixingRun({
        ...{ turn: { ...ended, n: 1, kind: 'fix', overAt: null }, landing: 'pull-request' },
        ...{ pull: aPull({ stands: 'conflicting' }), firstRedAt: 0, movement: { stamp: 's1', movedAt: 119 * minute } },
      }),
    );
    const issue = { ...pulled({ conflicting: true }), proof: proof(check('failure')) };
    expect(stepped({ because: '', run, facts: at(120 * minute, { issue }) }).situation.name).toBe(
      'red, turn still out',
    );
    const alone = { ...run, pull: null };
    const facts = at(120 * minute, { issue: anIssue({ proof: proof(check('failure')) }) });
    expect(stepped({ because: '', run: alone, facts }).situation.name).toBe('red too long');
  });
});

describe('the run’s clock', () => {
  test('No deadline is an outage’s fault: time in which nobody could look is taken off', () => {
    const run = working();
    expect(runTime(run, 0, 10_000)).toBe(10_000);
    expect(runTime(run, 4000, 10_000)).toBe(6000);
    expect(runTime({ ...run, lostMsAtClaim: 3000 }, 4000, 10_000)).toBe(9000);
  });

  test('stands still while the tracker is out of reach, and goes on from there', () => {
    const down = evolve(working(), at(20_000, { issue: null }));
    expect(runTime(down, 0, 20_000)).toBe(20_000);
    expect(runTime(down, 0, 50_000)).toBe(20_000);
    const back = evolve(down, at(20_000, { now: 50_000 }));
    expect(runTime(back, 0, 50_000)).toBe(20_000);
    expect(runTime(back, 0, 51_000)).toBe(21_000);
  });

  test('movement is written only when the stored stamp is over five minutes old', () => {
    const run = working();
    const early = evolve(run, at(4000 + deadlines.movementGrainMs, { agent: anAgent({ stamp: 's2' }) }));
    expect(early).toBe(run);
    const late = evolve(run, at(4001 + deadlines.movementGrainMs, { agent: anAgent({ stamp: 's2' }) }));
    expect(late.movement).toEqual({ stamp: 's2', movedAt: 4001 + deadlines.movementGrainMs });
  });

  test('a turn that moves on after it read over is not over', () => {
    const ended = evolve(working(), at(10_000, { agent: over() }));
    expect(ended).toMatchObject({ turn: { overAt: 10_000 } });
    expect(evolve(ended, at(20_000, { agent: anAgent({ stamp: 's3' }) }))).toMatchObject({ turn: { overAt: null } });
  });
});

test('what was to be said and was not sent is still to be said', () => {
  const asked = { answers: 1, question: { requestId: 'q1', stage: 'interrupted', at: 4500 } } as const;
  const facts = at(4500 + deadlines.overSettlesMs, { agent: over() });
  const { run, decision } = step(working({ overAt: 4500 }, asked), facts, someSettings(), signature);
  expect(decision).toBe('say so');
  const again = withdrawn(active(run), facts.clock);
  const later = at(facts.clock + deadlines.overSettlesMs, { agent: over() });
  expect(step(again, later, someSettings(), signature).decision).toBe('say so');
  expect(obeyed(active(run), facts.clock).question).toMatchObject({ stage: 'answered' });
});

describe('once the turn that takes up a halted one is sent', () => {
  test.each([
    ['the halt before it is forgotten', -minute, true],
    ['one that came since is not: it was of this turn', minute, false],
    ['one from later than any could last is', 25 * 60 * minute, true],
  ])('%s', (_, sinceMs, isForgotten) => {
    const halt = { at: 0, interrupts: 1, lastOrderAt: 10 * minute + sinceMs };
    const command = { order: 'start', attempt: 0, recordedAt: 10 * minute, by: 'i' } as const;
    const owing = { ...working({ kind: 'resume' }, { halt }), command };
    expect(obeyed(owing, 10 * minute).halt === null).toBe(isForgotten);
  });
});

describe('a halt is forgotten', () => {
  test.each([
    ['within ten minutes it is not', 9 * minute, false],
    ['once its turn outlived the last interrupt by more', 11 * minute, true],
    [
      'where a clock that was ahead has stamped it it is kept: that costs a turn, and not a nudge',
      -24 * 60 * minute,
      false,
    ],
  ])('%s', (_, agoMs, isForgotten) => {
    const halted = 5 * minute - agoMs;
    const run = working({}, { halt: { at: halted, interrupts: 1, lastOrderAt: halted } });
    expect(step(run, at(5 * minute), someSettings(), signature).run.halt === null).toBe(isForgotten);
  });
});
