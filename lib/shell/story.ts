import type { StartedRun } from '../core/evolve.ts';
import { type ActiveRun, pushOf } from '../core/run.ts';
import type { What } from './tick.ts';

/** What one look taught a run, in the words of the report: only what is new, in the order in which it happens. */
export const learnt = (before: ActiveRun, after: StartedRun): readonly { what: What; why: string }[] => {
  const was = pushOf(before);
  const is = pushOf(after);
  const isNewTip = is !== null && is.tip !== was?.tip;
  const news: { what: What; why: string; isNews: boolean }[] = [
    {
      what: 'at work',
      why: 'the agent took the turn up',
      isNews: before.turn.takenUpAt === null && after.turn?.takenUpAt != null && after.turn.n === before.turn.n,
    },
    {
      what: 'proposed',
      why: `pull request #${after.pull?.number}, at ${after.pull?.head.slice(0, 7)}`,
      isNews: after.pull !== null && after.pull.number !== before.pull?.number,
    },
    {
      what: 'rewritten',
      why: `${after.repo.branch} lost what this run pushed, or began on`,
      isNews: after.rewritten && !before.rewritten,
    },
    { what: 'pushed', why: `to ${after.repo.branch}: ${is?.tip.slice(0, 7)}`, isNews: isNewTip },
    { what: 'CI red', why: `on ${is?.tip.slice(0, 7)}`, isNews: is?.redAt != null && (isNewTip || was?.redAt == null) },
    {
      what: 'CI green',
      why: `on ${is?.tip.slice(0, 7)}`,
      isNews: is?.greenAt != null && (isNewTip || was?.greenAt == null),
    },
    {
      what: 'reopened',
      why: 'a closing keyword had closed it before it was proven',
      isNews: after.reopened && !before.reopened,
    },
  ];
  return news.filter(({ isNews }) => isNews).map(({ what, why }) => ({ what, why }));
};
