import { assertNever } from './assert.ts';
import { proseMarkdown, publicLine, quoteMarkdown } from './clean-text.ts';
import {
  branchWords,
  capital,
  environmentWords,
  homeOf,
  linked,
  pullWords,
  standsWords,
  type ToldRun,
  withoutRunId,
} from './comment-words.ts';
import { deadlines } from './deadlines.ts';
import { openPullOf } from './pull-request.ts';
import type { EndedRun, EndingRun, OpenRun, Pull } from './run.ts';
import type { RepoSettings } from './settings.ts';

/** The headline of a run's comment and the paragraphs below it, as Markdown: how it stands, and why. Pure. */
export const storyOf = (run: ToldRun, settings: RepoSettings): readonly string[] => {
  switch (run.phase) {
    case 'working':
      if (run.turn.overAt !== null && isAwaited(run)) return awaited(run, run.pull);
      if (run.turn.kind === 'fix' && run.pull !== null) return mendingPull(run, run.pull);
      if (run.turn.kind === 'nudge')
        return [
          '### 🤖 The agent has been reminded to land its work',
          `Its turn ended before anything ${run.landing === 'push' ? 'was pushed' : 'could be merged'}, so it was asked once more to finish.`,
        ];
      return run.firstTakenUpAt === null
        ? [
            '### 🤖 An agent has been asked to work on this issue',
            'It is being started. This comment follows it all the way; nothing is needed from you.',
          ]
        : [
            '### 🤖 An agent is at work on this issue',
            'This comment follows it all the way; nothing is needed from you.',
          ];
    case 'verifying':
      return verifying(run, settings);
    case 'fixing':
      return [
        '### 🔧 The agent is mending what came out red',
        `The change is on ${branchWords(run)}, and these did not pass on it:`,
        run.failing.map(({ name, url }) => `- ${linked(quoteMarkdown(publicLine(name, 120)), url, run)}`).join('\n'),
      ];
    case 'restarting':
      return [
        '### 🔁 The agent is being started afresh',
        'It could not start or went silent. It is asked to leave, and a new turn follows; nothing is needed from you.',
      ];
    case 'ending':
      return run.stuck
        ? stuck(run)
        : [
            '### 🏁 Wrapping up',
            `${soon(run.outcome)} The agent is asked to leave first; the rest follows once it is seen out.`,
          ];
    case 'ended':
      return ended(run, settings);
    default:
      return assertNever(run);
  }
};

type Proposed<R extends ToldRun> = R & { pull: Pull };

/** What it proposed is with its checks or with people; what can be done about it is theirs. */
const isAwaited = <R extends ToldRun>(run: R): run is Proposed<R> => {
  const stands = run.pull?.stands ?? 'open';
  return stands === 'checked' || stands === 'unreviewed' || stands === 'unmerged' || stands === 'merged';
};

const awaited = (run: ToldRun, pull: Pull): readonly string[] => {
  const on = `The change is in ${pullWords(run, pull)}.`;
  switch (pull.stands) {
    case 'unreviewed':
      return [
        '### 👀 A pull request waits for a review',
        `${on} **Review and merge it**, or close it. It is followed for ${hoursOf(deadlines.pullMs)}; until then nothing else is started in this repository.`,
      ];
    case 'unmerged':
      return [
        '### 👀 A pull request waits to be merged',
        `${on} **Merge it**, or close it, unless it merges by itself. It is followed for ${hoursOf(deadlines.pullMs)}; until then nothing else is started in this repository.`,
      ];
    default:
      return ['### ⏳ A pull request is open; its checks decide next', `${on} Nothing is needed from you yet.`];
  }
};

const hoursOf = (ms: number): string => `${ms / 3_600_000} hours`;

const mendingPull = (run: ToldRun, pull: Pull): readonly string[] => [
  '### 🔧 The agent is mending its pull request',
  pull.mended?.why === 'conflicting'
    ? `The change is in ${pullWords(run, pull)}, which conflicts with ${branchWords(run)}.`
    : `The change is in ${pullWords(run, pull)}, and its checks did not pass.`,
];

const verifying = (
  run: Extract<OpenRun, { phase: 'verifying' }>,
  { environments }: RepoSettings,
): readonly string[] => {
  const on = `The change is on ${branchWords(run)}.`;
  const arrived = run.landing === 'push' ? 'pushed' : 'merged';
  if (run.push.redAt !== null)
    return [
      `### 🔴 The change is ${arrived} and did not pass`,
      `${on} What failed is looked at as soon as the agent’s turn is over.`,
    ];
  if (run.push.greenAt === null)
    return [`### ⏳ The change is ${arrived}; CI decides next`, `${on} Nothing is needed from you.`];
  return environments.length === 0
    ? ['### 🟢 CI is green; the agent is tidying up', `${on} Nothing is needed from you.`]
    : [
        '### 🟢 CI is green; deployment comes next',
        `${on} It counts as done once it is deployed. Nothing is needed from you.`,
      ];
};

const soon = (outcome: EndingRun['outcome']): string => {
  switch (outcome) {
    case 'done':
      return 'The change is landed and proven.';
    case 'cancelled':
      return 'This run was cancelled.';
    case 'escalated':
    case 'frozen':
      return 'This issue goes back to a person.';
    case 'released':
      return 'This issue goes back to the queue.';
    default:
      return assertNever(outcome);
  }
};

const stuck = (run: EndingRun): readonly string[] => [
  '### 🚨 A person needs to look at the agent host',
  `${soon(run.outcome)} But its agent was not seen to leave, so it may still be at work. Until it is seen out, **no other issue of this repository is started**.`,
  why(run),
];

const ended = (run: EndedRun, settings: RepoSettings): readonly string[] => {
  switch (run.outcome) {
    case 'done':
      return ['### ✅ Done: landed and proven', proof(run, settings)];
    case 'cancelled':
      return ['### ⏹️ Cancelled', why(run), remains(run)];
    case 'escalated':
      return ['### 🙋 Handed back: a person is needed', why(run), remains(run)];
    case 'frozen':
      return ['### 🙋 Handed back: what was pushed needs a person', why(run), remains(run)];
    case 'released':
      return [
        '### ↩️ Back in the queue',
        'No agent could be started. That is not this issue’s fault: it is tried again by itself, and nothing is needed from you.',
        why(run),
      ];
    default:
      return assertNever(run.outcome);
  }
};

const proof = (run: EndedRun, { environments, noCi }: RepoSettings): string => {
  const ci =
    noCi === 'accept'
      ? 'nothing in CI speaks against it (this repository may have none)'
      : 'CI is green on the push that carries it';
  const deployed =
    run.deployed && environments.length > 0 ? `, and it is deployed to ${environmentWords(environments)}` : '';
  return `The change is on ${branchWords(run)}${deployed === '' ? ' and ' : ', '}${ci}${deployed}. The issue is closed on that proof, not on the agent’s word.`;
};

const why = (run: EndingRun | EndedRun): string => {
  const reason = proseMarkdown(withoutRunId(publicLine(run.reason, 1000), run), homeOf(run));
  return `**Why:** ${reason === '' ? 'no reason was recorded' : reason}${/[.!?…]$/.test(reason) ? '' : '.'}`;
};

const remains = (run: EndedRun): string => {
  const agent = run.turn === null ? 'No agent was started.' : 'Its agent is out.';
  const pull = openPullOf(run);
  const proposed =
    pull === null ? '' : ` ${capital(pullWords(run, pull))} stays as it is: ${standsWords[pull.stands]}.`;
  return run.push === null
    ? `${agent} Nothing of this run is on ${branchWords(run)}.${proposed}`
    : `${agent} What was pushed stays on ${branchWords(run)} as it is: nothing was reverted.${proposed}`;
};
