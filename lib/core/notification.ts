import { assertNever } from './assert.ts';
import { cleanLine, publicLine, publicText } from './clean-text.ts';
import { noticeIdOf } from './ids.ts';
import type { EndedRun, EndingRun, Outcome } from './run.ts';

/**
 * What a doorbell tells people: plain text, cleaned, redacted and bounded, still to be escaped as its product wants.
 * `headline` is one line of at most 120 characters that can be acted on at three in the morning; `body` is several
 * lines, at most 2,000 characters; `url` is the issue's. `id` is the same for the same notice, however often it rings.
 */
export type Notice = { id: string; headline: string; body: string; url: string; urgency: 'normal' | 'high' };

/** The notice of a run that is over. High where a person is needed. Pure. */
export const noticeOf = (run: EndedRun): Notice => ({
  id: noticeIdOf(run.id, 'ended'),
  headline: headline(endWords(run.outcome), run),
  body: body([endSentence(run), `Why: ${reasonOf(run)}`, ...lastWordsOf(run), afresh(run.outcome)], run),
  url: run.issue.url,
  urgency: run.outcome === 'escalated' || run.outcome === 'frozen' ? 'high' : 'normal',
});

/** The notice of a run whose agent was not seen to leave: its repo stays locked until somebody looks. Pure. */
export const noticeOfStuck = (run: EndingRun): Notice => ({
  id: noticeIdOf(run.id, 'stuck'),
  headline: headline('agent not seen out', run),
  body: body(
    [
      'Its run is over, but its agent may still be at work. No other issue of this repository is started until it is seen out.',
      `Why it ended: ${reasonOf(run)}`,
      ...lastWordsOf(run),
      'What to do: look at the agent host, and stop what is still at work in this repository. The run then ends by itself.',
    ],
    run,
  ),
  url: run.issue.url,
  urgency: 'high',
});

const endWords = (outcome: Outcome): string => {
  switch (outcome) {
    case 'done':
      return 'done';
    case 'cancelled':
      return 'cancelled';
    case 'escalated':
      return 'handed back';
    case 'frozen':
      return 'handed back after a push';
    case 'released':
      return 'back in the queue';
    default:
      return assertNever(outcome);
  }
};

const endSentence = (run: EndedRun): string => {
  const branch = cleanLine(run.repo.branch, 100);
  const pushed = run.push === null ? `Nothing of it is on ${branch}.` : `What was pushed stays on ${branch} as it is.`;
  switch (run.outcome) {
    case 'done':
      return `Landed on ${branch} and proven${run.deployed ? ', deployed too' : ''}. The issue is closed.`;
    case 'cancelled':
      return `The run was cancelled and its agent is out. ${pushed}`;
    case 'escalated':
    case 'frozen':
      return `The run is over and a person is needed. ${pushed}`;
    case 'released':
      return 'No agent could be started. The issue waits and is tried again by itself.';
    default:
      return assertNever(run.outcome);
  }
};

const afresh = (outcome: Outcome): string => {
  switch (outcome) {
    case 'done':
      return '';
    case 'cancelled':
      return 'To start afresh, put the ready label on again.';
    case 'escalated':
      return 'What to do: take it from here by hand, or make the issue clearer and put the ready label on again.';
    case 'frozen':
      return 'What to do: mend or revert what was pushed, or put the ready label on again.';
    case 'released':
      return 'Nothing is needed from you.';
    default:
      return assertNever(outcome);
  }
};

type ToldRun = EndedRun | EndingRun;

const headline = (words: string, { repo, issue, id }: ToldRun): string =>
  publicLine(`${words}: ${cleanLine(repo.name, 60)}#${issue.number} ${issue.title.replaceAll(id, '')}`, 120);

const reasonOf = (run: ToldRun): string => publicLine(run.reason, 500) || 'no reason was recorded';

const lastWordsOf = (run: ToldRun): readonly string[] => {
  const words = run.outcome === 'done' || run.lastWords === null ? '' : publicText(run.lastWords, 1200);
  if (words === '') return [];
  return [`${run.couldNotStart ? 'The agent host said' : 'Last words'}:\n${words}`];
};

// Whoever knows the run id can sign commits as this run, so that nobody's words carry it out.
const body = (parts: readonly string[], { id }: ToldRun): string =>
  publicText(
    parts
      .filter((part) => part !== '')
      .join('\n\n')
      .replaceAll(id, '[run id]'),
    2000,
  );
