import { type Allowances, afterHalt, type Decision, decide } from '../../../lib/core/decide.ts';
import { type Ruling, rulings } from '../../../lib/core/ruling.ts';
import { Outcome } from '../../../lib/core/run.ts';
import { situationNames } from '../../../lib/core/situation.ts';
import type { Executor } from '../../../lib/ports.ts';
import { operatorActs, personActs, ports, t3Acts } from './history.ts';

/** All there are: a further one does not compile before it stands here. */
const decisions = keysOf<Decision>({
  ...{ wait: false, 'fix forward': true, nudge: true, answer: true, interrupt: true, 'say so': true, park: true },
  ...{ 'try again': true, resume: true, restart: true, release: true },
  ...{ 'end done': true, 'end cancelled': true, escalate: true, freeze: true },
});
const commands = keysOf<keyof Executor>({
  ...{ look: false, detail: false, whereabouts: false, health: false },
  ...{ createProject: true, createThread: true, startTurn: true, answer: true, interrupt: true, stop: true },
  ...{ archive: true, unarchive: true },
});

/**
 * Words that no report holds. What is to be looked at closer is, or is ruled upon by what prevented it. Repos outside the
 * allowlist are not listed, nor is an issue of one whose issues are off: only `explain` gives these two.
 */
const unruled: ReadonlySet<string> = new Set<Ruling>(['look closer', 'not enrolled', 'issues off']);

const halts = [true, false].flatMap((mayResume) => [true, false].map((isMending) => ({ mayResume, isMending })));

/** What is decided in each situation, whatever a run may still do, halted before or not; waits are not told. */
const rows = situationNames.flatMap((situation) => {
  const decided = [...new Set(everyAllowance().map((allowances) => decide(situation, allowances)))];
  const afterwards = decided.flatMap((decision) => halts.map((halt) => afterHalt(decision, situation, halt)));
  return [...new Set([...decided, ...afterwards])].flatMap((decision) =>
    decision === 'wait' ? [] : [`row: ${situation}, ${decision}`],
  );
});

/** Everything that histories are meant to reach, by the words in which a play says that it met it. */
export const toBeMet: readonly string[] = [
  ...situationNames.map((name) => `situation: ${name}`),
  ...rows,
  ...decisions.map((name) => `decision: ${name}`),
  ...commands.map((name) => `command: ${name}`),
  ...Outcome.options.map((name) => `end: ${name}`),
  ...rulings.filter((name) => !unruled.has(name)).map((name) => `ruling: ${name}`),
  ...operatorActs.map((name) => `fault: operator, ${name}`),
  ...personActs.map((name) => `fault: person ${name}`),
  ...t3Acts.map((name) => `fault: T3 ${name}`),
  ...['poll', 'watch'].flatMap((tick) => [`fault: ${tick}, die before`, `fault: ${tick}, die after`]),
  ...ports.map((port) => `fault: ${port} down`),
  ...['tracker', 'forge', 'executor', 'store', 'doorbell'].map((port) => `fault: ${port} answer lost`),
  ...['tracker', 'forge', 'executor'].map((port) => `fault: ${port} refuses`),
  ...ports.map((port) => `fault: ${port} down for days`),
  ...ports.map((port) => `fault: ${port} hangs`),
  ...['pager broken', 'id burnt', 'T3 in mid-tick'].map((name) => `fault: ${name}`),
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

/** The names that are wanted, out of all that there are. */
function keysOf<K extends string>(isWanted: Record<K, boolean>): readonly string[] {
  return Object.entries(isWanted).flatMap(([name, wanted]) => (wanted === true ? [name] : []));
}

function everyAllowance(): readonly Allowances[] {
  const names = ['pushed', 'attempt', 'nudge', 'restart', 'park', 'release'] as const;
  return Array.from({ length: 2 ** names.length }, (_, bits) => {
    const [pushed, attempt, nudge, restart, park, release] = names.map((_name, at) => (bits & (1 << at)) !== 0);
    return { pushed, attempt, nudge, restart, park, release } as Allowances;
  });
}
