import { createHash } from 'node:crypto';
import { assertNever } from './assert.ts';
import { markerOf } from './ids.ts';
import type { EndedRun, OpenRun } from './run.ts';
import type { RepoSettings } from './settings.ts';
import { statusComment } from './status-comment.ts';

/**
 * How the tracker should look for a run. Labels not named are nobody's business here, the hold label above all.
 * `comment` is the one comment of the run, found again by its marker, which is also its first line; null where
 * there is nothing to say. `as is` leaves open or closed to people.
 */
export type Mirror = {
  labels: { add: readonly string[]; remove: readonly string[] };
  comment: { marker: string; body: string } | null;
  state: 'open' | 'closed' | 'as is';
};

/**
 * The mirror of a run; null while nothing may show yet, since the in-progress label goes on only once there is a thread.
 * Pure: the same run gives the same bytes, and nothing in them changes with time alone.
 *
 * | run                  | labels                                            | state                           |
 * |----------------------|---------------------------------------------------|---------------------------------|
 * | claimed, not begun   | none yet                                          |                                 |
 * | begun                | + in-progress, - ready-for-human; ready untouched | as is; open if we reopened it   |
 * | ending               | the same: the repo is locked until the agent left | as is                           |
 * | done                 | - ready, in-progress, ready-for-human             | closed                          |
 * | cancelled            | - ready, in-progress, ready-for-human             | as is                           |
 * | escalated, frozen    | + ready-for-human, - ready, in-progress           | open                            |
 * | released             | - in-progress                                     | as is                           |
 */
export const mirrorOf = (run: OpenRun | EndedRun, settings: RepoSettings): Mirror | null => {
  if (run.phase === 'claimed') return null;
  if (run.phase === 'ended') {
    // A run that ended before anything was shown, and that asks nothing of people, has nothing to say to them either.
    const isSilent = !hasBegun(run) && run.mirror.commentId === null && !isHandedBack(run);
    return { ...endOf(run, settings), comment: isSilent ? null : commentOf(run, settings) };
  }
  if (!hasBegun(run) && !(run.phase === 'ending' && run.stuck)) return null;
  const { inProgress, human } = settings.labels;
  // Reopening belongs to a run under way: a person who closes the issue again while the run ends is not fought.
  const state = run.reopened && run.phase !== 'ending' ? 'open' : 'as is';
  return { labels: { add: [inProgress], remove: [human] }, comment: commentOf(run, settings), state };
};

/** What is compared with the mirror confirmed last: equal hashes, nothing to write. */
export const mirrorHash = ({ labels, comment, state }: Mirror): string =>
  createHash('sha256')
    .update(JSON.stringify([labels.add, labels.remove, comment?.marker ?? null, comment?.body ?? null, state]))
    .digest('hex')
    .slice(0, 32);

const endOf = (run: EndedRun, { labels }: RepoSettings): Pick<Mirror, 'labels' | 'state'> => {
  const { ready, inProgress, human } = labels;
  switch (run.outcome) {
    case 'done':
      return { labels: { add: [], remove: [ready, inProgress, human] }, state: 'closed' };
    case 'cancelled':
      return { labels: { add: [], remove: [ready, inProgress, human] }, state: 'as is' };
    case 'escalated':
    case 'frozen':
      return { labels: { add: [human], remove: [ready, inProgress] }, state: 'open' };
    case 'released':
      return { labels: { add: [], remove: [inProgress] }, state: 'as is' };
    default:
      return assertNever(run.outcome);
  }
};

// The first turn was accepted, or another one after it: there is a thread, and perhaps an agent.
const hasBegun = ({ turn }: Exclude<OpenRun, { phase: 'claimed' }> | EndedRun): boolean =>
  turn !== null && (turn.n > 0 || turn.thread > 0 || turn.sentAt !== null);

const isHandedBack = ({ outcome }: EndedRun): boolean => outcome === 'escalated' || outcome === 'frozen';

const commentOf = (
  run: Exclude<OpenRun, { phase: 'claimed' }> | EndedRun,
  settings: RepoSettings,
): Mirror['comment'] => {
  const marker = markerOf(run.id);
  return { marker, body: `${marker}\n${statusComment(run, settings)}\n` };
};
