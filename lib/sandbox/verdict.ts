import { type Scene, scenes } from './scenario.ts';
import type { Standing } from './stand-ins.ts';

/** How one issue of the story stands against its script. `isOver`: nothing more will happen to it. */
export type Verdict = { issue: string; wanted: Scene['ends']; found: string; isOver: boolean; isRight: boolean };

/** Compares the world with the story: by what the tracker shows, never by what the control plane says of itself. */
export const verdicts = (standing: Standing): readonly Verdict[] =>
  scenes.map(({ repo, number, ends, agent }) => {
    const issue = standing.issues.find((one) => one.repo === repo && one.number === number);
    const threads = standing.threads.filter(({ title }) => title.startsWith(`${repo}#${number}: `)).length;
    const found = issue === undefined ? 'missing' : lookOf(issue);
    const isOver = ends === 'untouched' ? true : found !== 'open';
    const wanted = ends === 'done' ? 'closed' : ends === 'untouched' ? 'open' : 'with a person';
    const comments = issue?.comments.length ?? 0;
    const isRight = found === wanted && comments === (agent === null ? 0 : 1) && threads === (agent === null ? 0 : 1);
    return {
      issue: `${repo}#${number}`,
      wanted: ends,
      found: `${found}, ${threads} threads, ${comments} comments`,
      isOver,
      isRight,
    };
  });

const lookOf = ({ open, labels }: Standing['issues'][number]): 'closed' | 'with a person' | 'open' => {
  if (labels.includes('agent-in-progress')) return 'open';
  if (!open) return 'closed';
  return labels.includes('ready-for-human') ? 'with a person' : 'open';
};
