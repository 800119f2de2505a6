import { markerOf } from '../../../lib/core/ids.ts';
import type { EndedRun } from '../../../lib/core/run.ts';
import type { Issue } from '../../../lib/sandbox/github-state.ts';
import type { Simulation } from '../simulation.ts';

const login = 'afk-bot';

/**
 * Why an issue stands where it stands, once everything is at rest: what is wrong with that, in words. `runs` are its
 * ended runs, the oldest first; `isTidied` says that somebody deleted comments of ours, `isGivenUp` that for a day it
 * could not be shown an end.
 */
export const wronglyStanding = (
  sim: Simulation,
  issue: Issue,
  runs: readonly EndedRun[],
  { isTidied, isGivenUp = false }: { isTidied: boolean; isGivenUp?: boolean },
): readonly string[] => {
  if (issue.deleted || issue.movedTo !== null) return [];
  const wrong: string[] = [];
  const labels = issue.labels.map(({ name }) => name);
  if (labels.includes('agent-in-progress')) wrong.push('shows in progress, and nothing is');
  const last = runs.at(-1);
  const closings = issue.events.filter(({ kind }) => kind === 'closed');
  if (closings.some(({ actor }) => actor === login) && !runs.some(({ outcome }) => outcome === 'done'))
    wrong.push('closed by us without a run that is done');
  if (isGivenUp) return wrong;
  const comments = [...sim.world.github.state.comments.values()].filter(({ issueId }) => issueId === issue.id);
  for (const run of runs)
    if (!isTidied && saysSomething(run) && !comments.some(({ body }) => body.startsWith(markerOf(run.id))))
      wrong.push(`nothing says that a run of it ended as ${run.outcome}`);
  const newest = issue.events.findLast((event) => event.kind === 'labeled' && event.label.name === 'ready-for-agent');
  const isSpent = last !== undefined && last.outcome !== 'released' && newest?.nodeId === last.act.id;
  if (labels.includes('ready-for-agent') && isSpent && issue.state === 'open')
    wrong.push(`its labelling had its run (${last.outcome}), and the label is still on`);
  if (labels.includes('ready-for-agent')) return wrong;
  const off = issue.events.findLast((event) => event.kind === 'unlabeled' && event.label.name === 'ready-for-agent');
  const isOffByUs = off?.actor === login;
  const reopened = issue.events.findLast(({ kind }) => kind === 'reopened');
  switch (last?.outcome) {
    case undefined:
    case 'released':
      if (isOffByUs) wrong.push('lost: we took it out of the queue, and no run tells why');
      break;
    case 'done':
      if (issue.state === 'open' && (reopened === undefined || reopened.actor === login))
        wrong.push('open although its run is done');
      break;
    case 'escalated':
    case 'frozen':
      if (issue.state === 'open' && !labels.includes('ready-for-human')) wrong.push('handed back to nobody');
      break;
    case 'cancelled':
      break;
  }
  return wrong;
};

/** Ends of which people are told on the issue, whatever was shown before. */
const saysSomething = ({ outcome }: EndedRun): boolean =>
  outcome === 'done' || outcome === 'escalated' || outcome === 'frozen';
