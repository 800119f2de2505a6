import { assertNever } from './assert.ts';
import { quoteMarkdown } from './clean-text.ts';
import { pullWords, type ToldRun } from './comment-words.ts';
import { openPullOf } from './pull-request.ts';
import type { RepoSettings } from './settings.ts';

/** What a person may do now, as one paragraph; empty where nothing is left to do. Pure. */
export const adviceOf = (run: ToldRun, { labels }: RepoSettings): string => {
  const ready = quoteMarkdown(labels.ready);
  if (run.phase !== 'ending' && run.phase !== 'ended')
    return `To stop it, take ${ready} off, put ${quoteMarkdown(labels.hold)} on, or close the issue.`;
  if (run.phase === 'ending')
    return run.stuck
      ? `**What to do:** on the agent host, see that nothing is at work in this repository any more, and stop what is. This run then ends by itself. Only if its thread was deleted there, confirm that by taking both ${ready} and ${quoteMarkdown(labels.inProgress)} off this issue.`
      : '';
  switch (run.outcome) {
    case 'done':
      return `If something is missing, reopen the issue and put ${ready} on again: a new agent then starts afresh.`;
    case 'cancelled':
      return `To start afresh, see that the issue is open and without ${quoteMarkdown(labels.hold)}, then put ${ready} on again.`;
    case 'escalated': {
      const pull = openPullOf(run);
      if (pull !== null)
        return `**What to do:** take ${pullWords(run, pull)} from here: merge it and close this issue, or mend it by hand. Or close it and put ${ready} on again: a new agent then starts afresh.`;
      return `**What to do:** take it from here by hand, or make the issue clearer and put ${ready} on again. A new agent then starts afresh.`;
    }
    case 'frozen':
      return `**What to do:** mend or revert what was pushed, or put ${ready} on again. A new agent then starts afresh and is told of these commits.`;
    case 'released':
      return '';
    default:
      return assertNever(run.outcome);
  }
};
