import type { Thread } from './thread.ts';
import { turnState } from './turn-state.ts';

const minuteMs = 60_000;

/**
 * Why the executor can take nothing on, or null. Several threads that have been queued for over a minute show a server
 * that a silent agent has wedged; one that waits for longer than half an hour was lost and says nothing any more. A
 * message that was sent into a running turn waits for that turn, and not for the server. `now` is wall time, epoch ms.
 * Pure.
 */
export const wedgedReason = (threads: Iterable<Thread>, now: number): string | null => {
  const queued = [...threads].filter((thread) => {
    if (thread.lastMessageAt === null || turnState(thread, { after: null }).is !== 'queued') return false;
    const waitedMs = now - Date.parse(thread.lastMessageAt);
    return waitedMs > minuteMs && waitedMs < 30 * minuteMs;
  });
  return queued.length < 2
    ? null
    : `T3 is wedged: ${queued.length} turns have waited for over a minute; look for an agent process that does not answer on its host, and kill it`;
};
