import { fence, publicText } from './clean-text.ts';
import { type ToldRun, withoutRunId } from './comment-words.ts';
import type { EndedRun, EndingRun } from './run.ts';
import type { RepoSettings } from './settings.ts';
import { adviceOf } from './status-advice.ts';
import { evidenceOf } from './status-evidence.ts';
import { storyOf } from './status-story.ts';

/**
 * What the run's comment says, as Markdown: a headline, a few sentences, the checklist, the commits, and what a person
 * may do. Only what changes a handful of times in a run, and no run id. Everything that others wrote is cleaned,
 * redacted, bounded and fenced. Pure; under 20,000 characters whatever the run holds.
 */
export const statusComment = (run: ToldRun, settings: RepoSettings): string => {
  const [story, evidence, advice] = [storyOf(run, settings), evidenceOf(run, settings), adviceOf(run, settings)];
  // While it runs people look for how far it is; once they are needed, for why and what now.
  const parts = isOver(run) ? [...story, ...lastWords(run), advice, ...evidence] : [...story, ...evidence, advice];
  return parts.filter((part) => part !== '').join('\n\n');
};

const isOver = (run: ToldRun): run is EndingRun | EndedRun =>
  run.phase === 'ended' || (run.phase === 'ending' && run.stuck);

const lastWords = (run: EndingRun | EndedRun): readonly string[] => {
  const words = run.lastWords === null ? '' : withoutRunId(publicText(run.lastWords, 1200), run);
  if (words === '' || run.outcome === 'done' || run.reason.includes(words)) return [];
  return [run.couldNotStart ? '**What the agent host said**' : '**The agent’s last words**', fence(words, 'text')];
};
