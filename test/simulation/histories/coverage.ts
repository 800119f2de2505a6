import { situationNames } from '../../../lib/core/situation.ts';
import { operatorActs, personActs, t3Acts } from './history.ts';

/** Everything that histories are meant to reach, by the words in which a play says that it met it. */
export const toBeMet: readonly string[] = [
  ...situationNames.map((name) => `situation: ${name}`),
  ...[
    ...['fix forward', 'nudge', 'answer', 'interrupt', 'say so', 'park', 'try again', 'resume', 'restart', 'release'],
    ...['end done', 'end cancelled', 'escalate', 'freeze'],
  ].map((name) => `decision: ${name}`),
  ...['createProject', 'createThread', 'startTurn', 'answer', 'interrupt', 'stop', 'archive', 'unarchive'].map(
    (name) => `command: ${name}`,
  ),
  ...['done', 'cancelled', 'escalated', 'frozen', 'released'].map((name) => `end: ${name}`),
  ...operatorActs.map((name) => `fault: operator, ${name}`),
  ...personActs.map((name) => `fault: person ${name}`),
  ...t3Acts.map((name) => `fault: T3 ${name}`),
  ...['poll', 'watch'].flatMap((tick) => [`fault: ${tick}, die before`, `fault: ${tick}, die after`]),
  ...['tracker', 'forge', 'executor', 'store', 'gate', 'doorbell'].map((port) => `fault: ${port} down`),
  ...['tracker', 'forge', 'executor', 'store', 'doorbell'].map((port) => `fault: ${port} answer lost`),
  ...['tracker', 'forge', 'executor'].map((port) => `fault: ${port} refuses`),
  ...['tracker', 'forge', 'executor', 'store', 'gate', 'doorbell'].map((port) => `fault: ${port} down for days`),
  ...['poll, poll', 'watch, watch', 'poll, watch', 'poll, watch, poll, watch'].map((at) => `fault: overlap of ${at}`),
  ...['tick twice', 'tick missing', 'watcher first', 'overlap with a death', 'slow calls', 'out of time'].map(
    (name) => `fault: ${name}`,
  ),
  ...['once it ended', 'operator in mid-tick', 'red base'].map((name) => `fault: ${name}`),
  ...['stale answer', 'partial scan', 'blind', 'rate limit', 'no tick', 'clock jumps', 'person in mid-tick'].map(
    (name) => `fault: ${name}`,
  ),
];

/** How often each was met, and which never were. */
export const coverageOf = (
  counts: ReadonlyMap<string, number>,
): { kinds: number; met: number; unmet: readonly string[] } => ({
  kinds: toBeMet.length,
  met: toBeMet.filter((name) => counts.has(name)).length,
  unmet: toBeMet.filter((name) => !counts.has(name)),
});
