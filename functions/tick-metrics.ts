import type { Ruling } from '../lib/core/ruling.ts';
import type { Outcome } from '../lib/core/run.ts';
import type { Report } from '../lib/shell/tick.ts';
import { metricNames } from './metric-names.ts';

/** What a tick's report does not say: how the worlds behaved towards it. Null for a world it had nothing to ask of. */
export type TickFacts = {
  trackerUnreachable: boolean | null;
  executorUnreachable: boolean | null;
  doorbellsUnsent: number;
  secretsMissing: number;
};

/** One number; `outcome` is its dimension beside the function's. */
export type TickMetric = { name: string; value: number; unit: 'Count' | 'Milliseconds'; outcome?: Outcome };

/**
 * A tick's metrics; `facts` null for one that reached nobody. What a tick did not look at it says nothing of: a zero
 * would be an all-clear, and would hide what the other function sees. Pure.
 */
export const tickMetrics = (report: Report, facts: TickFacts | null, ms: number): TickMetric[] => {
  const isOff = report.state === 'off';
  return [
    { name: metricNames.tickMs, value: ms, unit: 'Milliseconds' },
    count(metricNames.tickRan, !isOff),
    count(metricNames.tickDisarmed, isOff),
    count(metricNames.controlUnreadable, report.unreadable),
    ...(facts === null ? [] : worldMetrics(report, facts)),
    ...(facts === null || isOff ? [] : report.tick === 'poll' ? pollMetrics(report) : watchMetrics(report, facts)),
  ];
};

const count = (name: string, value: number | boolean): TickMetric => ({ name, value: Number(value), unit: 'Count' });

const worldMetrics = (report: Report, facts: TickFacts): TickMetric[] => [
  count(metricNames.openRuns, report.openRuns),
  count(metricNames.runsFailed, report.failed.length),
  count(metricNames.notReached, report.notReached),
  count(metricNames.secretMissing, facts.secretsMissing),
  ...trackerMetric(report, facts),
  ...(facts.executorUnreachable === null ? [] : [count(metricNames.executorUnreachable, facts.executorUnreachable)]),
];

/** A tracker that may not be asked is out of reach, also where for that very reason nothing was asked of it. */
const trackerMetric = ({ limits }: Report, { trackerUnreachable }: TickFacts): TickMetric[] => {
  const isLimited = limits.some(({ may }) => may === 'nothing' || may === 'writes only');
  if (trackerUnreachable === null && !isLimited) return [];
  return [count(metricNames.trackerUnreachable, trackerUnreachable === true || isLimited)];
};

const pollMetrics = ({ happened, rulings }: Report): TickMetric[] => [
  count(metricNames.runsDispatched, happened.filter(({ what }) => what === 'dispatched').length),
  count(metricNames.workWaiting, rulings.filter(({ ruling }) => waiting.has(ruling)).length),
];

const watchMetrics = ({ stuck, ended, wedged }: Report, { doorbellsUnsent }: TickFacts): TickMetric[] => [
  count(metricNames.endingStuck, stuck),
  ...(wedged === null ? [] : [count(metricNames.executorWedged, wedged)]),
  count(metricNames.doorbellUnsent, doorbellsUnsent),
  count(metricNames.handedBack, ended.filter(({ outcome }) => outcome === 'escalated' || outcome === 'frozen').length),
  ...[...Map.groupBy(ended, ({ outcome }) => outcome)].map(([outcome, runs]) => ({
    ...count(metricNames.runsEnded, runs.length),
    outcome,
  })),
];

/** Waits for nothing a person has to do on the issue: where this lasts, something else is in the way. */
const waiting: ReadonlySet<Ruling> = new Set<Ruling>([
  'executor unavailable',
  'renamed',
  'repo unreadable',
  'preflight failed',
  'base red',
  'repo busy',
  'still owed',
  'over the cap',
  'cooling down',
  'trust unknown',
  'looked at before',
  'outranked',
  'look closer',
]);
