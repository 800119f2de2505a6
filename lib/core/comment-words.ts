import { cleanLine, quoteMarkdown } from './clean-text.ts';
import type { EndedRun, OpenRun, Pull } from './run.ts';

/** A run of which there is something to tell. */
export type ToldRun = Exclude<OpenRun, { phase: 'claimed' }> | EndedRun;

/** The default branch as an inline code span. */
export const branchWords = (run: ToldRun): string => quoteMarkdown(cleanLine(run.repo.branch, 100));

/** Environment names as code spans, the first five; operators may name many. */
export const environmentWords = (environments: readonly string[]): string => {
  const named = environments.slice(0, 5).map((environment) => quoteMarkdown(cleanLine(environment, 60)));
  return [...named, ...(environments.length > 5 ? [`and ${environments.length - 5} more`] : [])].join(', ');
};

/** Whoever knows the run id can sign commits as this run: an agent that quotes it is not quoted with it. */
export const withoutRunId = (text: string, run: ToldRun): string => text.replaceAll(run.id, '[run id]');

/** The repo's own address, from the issue's; null where that does not look like one. */
export const homeOf = (run: Pick<ToldRun, 'issue'>): string | null =>
  /^(https?:\/\/[\w.:/-]+)\/issues\/\d+$/.exec(run.issue.url)?.[1] ?? null;

/** Words as a link, if it leads to a page of the repo itself: an address somewhere else is a stranger's choice. */
export const linked = (words: string, url: string | null, run: ToldRun): string => {
  const home = homeOf(run);
  return home !== null && url?.startsWith(`${home}/`) && /^[\w.:/?=&%#-]+$/.test(url) ? `[${words}](${url})` : words;
};

/** How a pull request stands, in words that follow its number. */
export const standsWords: Readonly<Record<Pull['stands'], string>> = {
  open: 'open',
  draft: 'a draft',
  conflicting: 'conflicts',
  red: 'checks red',
  checked: 'checks running',
  unreviewed: 'waits for a review',
  unmerged: 'waits to be merged',
  merged: 'merged',
  closed: 'closed unmerged',
};

/** The run's pull request as a link, if it leads to a page of the repo itself. */
export const pullWords = (run: ToldRun, { number }: Pull): string => {
  const home = homeOf(run);
  return linked(`pull request #${number}`, home === null ? null : `${home}/pull/${number}`, run);
};

/** At the beginning of a sentence, also where its first word stands in a link. */
export const capital = (text: string): string => text.replace(/[a-z]/, (letter) => letter.toUpperCase());
