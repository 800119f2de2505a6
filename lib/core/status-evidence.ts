import { assertNever } from './assert.ts';
import {
  branchWords,
  capital,
  environmentWords,
  homeOf,
  linked,
  pullWords,
  standsWords,
  type ToldRun,
} from './comment-words.ts';
import { type ChecklistRow, checklistOf, pushUnderWatch, type ShownPhase } from './phase-checklist.ts';
import type { RepoSettings } from './settings.ts';

/** What was seen of a run, as paragraphs of Markdown: the checklist, the commits, the turns beyond the first. Pure. */
export const evidenceOf = (run: ToldRun, settings: RepoSettings): readonly string[] => [
  checklist(run, settings),
  ...commits(run),
  run.rewritten ? `⚠️ The history of ${branchWords(run)} was rewritten while this run was on its way.` : '',
  effort(run),
];

const checklist = (run: ToldRun, settings: RepoSettings): string =>
  [
    '| | Step | How it is known |',
    '|:-:|:--|:--|',
    ...checklistOf(run, settings.environments).map(
      (row) => `| ${row.ticked ? '✅' : '⬜'} | ${stepWords(row.phase, run, settings)} | ${knownWords(row)} |`,
    ),
  ].join('\n');

const stepWords = (phase: ShownPhase, run: ToldRun, { environments, noCi }: RepoSettings): string => {
  switch (phase) {
    case 'worktree':
      return 'Agent at work';
    case 'tests-red':
      return 'A failing test first';
    case 'green':
      return 'Tests green';
    case 'proposed':
      return run.pull === null
        ? 'Pull request opened'
        : `${capital(pullWords(run, run.pull))}: ${standsWords[run.pull.stands]}`;
    case 'pushed':
      return run.landing === 'push' ? 'Pushed to the default branch' : 'On the default branch';
    case 'CI':
      return noCi === 'accept' ? 'CI green, or none there' : 'CI green';
    case 'deployed':
      // Even in a code span a bar would end the cell.
      return `Deployed to ${environmentWords(environments).replaceAll('|', '\\|')}`;
    case 'done':
      return 'Done';
    default:
      return assertNever(phase);
  }
};

const knownWords = ({ known }: ChecklistRow): string =>
  known === 'declared' ? 'declared by the agent' : (known ?? '');

const effort = ({ attempts, nudges, restarts }: ToldRun): string =>
  [
    attempts > 0 ? `Attempts to mend: ${attempts}` : '',
    nudges > 0 ? `reminders: ${nudges}` : '',
    restarts > 0 ? `restarts: ${restarts}` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ')
    .replace(/^r/, 'R');

const commits = (run: ToldRun): readonly string[] => {
  if (run.commits.length === 0 || pushUnderWatch(run) === null) return [];
  const home = homeOf(run);
  const links = run.commits.map((sha) =>
    linked(`\`${sha.slice(0, 7)}\``, home === null ? null : `${home}/commit/${sha}`, run),
  );
  return [`**Commits**, newest first: ${links.join(', ')}`];
};
