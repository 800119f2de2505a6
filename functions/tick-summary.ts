import { publicLine } from '../lib/core/clean-text.ts';
import type { Explanation } from '../lib/shell/explain.ts';
import type { Report } from '../lib/shell/tick.ts';
import type { Calls } from './calls.ts';

/**
 * A tick as a person reads it in the Lambda console: one line for each thing, oldest first. `calls` counts requests
 * that left this process, `ms` is real time, `notReached` what there was no time for.
 */
export type TickSummary = {
  tick: 'poll' | 'watch';
  /** Why the tick did nothing, or nothing new; null where nothing held it back. */
  reason: string | null;
  armed: boolean;
  only: string | null;
  ruled: string[];
  dispatched: string[];
  /** What each open run was seen to be in, also where it is only waited for. */
  seen: string[];
  decided: string[];
  /** What else happened to runs. */
  happened: string[];
  ended: string[];
  failed: string[];
  openRuns: number;
  notReached: number;
  calls: Calls;
  ms: number;
};

/** A dry run says the same, what it would have written, and that it wrote nothing. */
export type DryRunSummary = TickSummary & { dryRun: string; wouldHave: string[] };

export type ExplainSummary = { explain: string; says: string; gates: string[]; calls: Calls; ms: number };

/** What an invocation returns. */
export type Answer = TickSummary | DryRunSummary | ExplainSummary;

/** What ran beside the report. */
export type Measured = { calls: Calls; ms: number };

/** At most so many lines of each kind, so that neither the answer nor its log line grows out of the console. */
const linesMax = 100;

/** The report in lines. Titles, words and reasons are other people's: each line is cleaned, redacted and bounded. */
export const summaryOf = (report: Report, only: string | null, { calls, ms }: Measured): TickSummary => {
  const told = (...whats: readonly string[]): string[] =>
    bounded(
      report.happened
        .filter(({ what }) => whats.includes(what))
        .map(({ repo, issue, what, why }) => `${repo}#${issue} ${what}: ${why}`),
    );
  const others = report.happened.filter(({ what }) => !['dispatched', 'asked', 'decided', 'ended'].includes(what));
  return {
    tick: report.tick,
    reason: report.reason === null ? null : publicLine(report.reason, lineMax),
    armed: report.state === 'on',
    only,
    ruled: bounded(report.rulings.map(({ repo, issue, ruling, detail }) => `${repo}#${issue} ${ruling}: ${detail}`)),
    dispatched: told('dispatched', 'asked'),
    seen: bounded(report.looks.map(({ repo, issue, situation, why }) => `${repo}#${issue} ${situation}: ${why}`)),
    decided: told('decided'),
    happened: bounded(others.map(({ repo, issue, what, why }) => `${repo}#${issue} ${what}: ${why}`)),
    ended: bounded(
      report.ended.map(({ repo, issue, outcome, reason }) => `${repo.name}#${issue.number} ${outcome}: ${reason}`),
    ),
    failed: bounded(report.failed.map(({ what, reason }) => `${what}: ${reason}`)),
    openRuns: report.openRuns,
    notReached: report.notReached,
    calls,
    ms,
  };
};

/** `disarmed` is why the real gate is shut, or null. */
export const dryRunOf = (summary: TickSummary, would: readonly string[], disarmed: string | null): DryRunSummary => ({
  dryRun:
    disarmed === null
      ? 'nothing was written; this is what a tick would do now'
      : `nothing was written; AFK is disarmed (${publicLine(disarmed, lineMax)}), and this is what a tick would do if the kill switch were off`,
  ...summary,
  armed: disarmed === null && summary.armed,
  wouldHave: bounded(would),
});

export const explainSummaryOf = ({ issue, says, gates }: Explanation, { calls, ms }: Measured): ExplainSummary => ({
  explain: issue,
  says: publicLine(says, lineMax),
  gates: bounded(gates.map(({ gate, passes, fact }) => `${markOf(passes)} ${gate}: ${fact}`)),
  calls,
  ms,
});

const markOf = (passes: boolean | null): string => (passes === null ? 'unknown' : passes ? 'passes' : 'REFUSES');

const lineMax = 600;

const bounded = (lines: readonly string[]): string[] => {
  const shown = lines.slice(0, linesMax).map((line) => publicLine(line, lineMax));
  return lines.length > linesMax ? [...shown, `and ${lines.length - linesMax} more`] : shown;
};
