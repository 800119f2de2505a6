import { describe, expect, test } from 'vitest';
import { metricNames } from '../../functions/metric-names.ts';
import { type TickFacts, tickMetrics } from '../../functions/tick-metrics.ts';
import { rulings } from '../../lib/core/ruling.ts';
import { emptyReport, type Report } from '../../lib/shell/tick.ts';

const quiet: TickFacts = {
  trackerUnreachable: null,
  executorUnreachable: null,
  doorbellsUnsent: 0,
  secretsMissing: 0,
};

const namesOf = (report: Report, facts: TickFacts | null): string[] =>
  tickMetrics(report, facts, 10).map(({ name }) => name);

const valueIn = (name: string, report: Report, facts: TickFacts | null = quiet): number | undefined =>
  tickMetrics(report, facts, 10).find((metric) => metric.name === name)?.value;

describe('A tick’s metrics', () => {
  test('one that is off says so, and whether anybody wanted it; it counts nothing it did not look at', () => {
    const off: Report = { ...emptyReport('watch'), state: 'off', reason: 'why' };
    expect(namesOf(off, null)).toEqual([
      metricNames.tickMs,
      metricNames.tickRan,
      metricNames.tickDisarmed,
      metricNames.controlUnreadable,
    ]);
    expect(valueIn(metricNames.controlUnreadable, off, null)).toBe(0);
    expect(valueIn(metricNames.controlUnreadable, { ...off, unreadable: true }, null)).toBe(1);
    expect(valueIn(metricNames.tickDisarmed, off, null)).toBe(1);
  });

  test('a world that was asked nothing is neither reached nor out of reach', () => {
    const names = namesOf(emptyReport('watch'), quiet);
    expect(names).not.toContain(metricNames.trackerUnreachable);
    expect(names).not.toContain(metricNames.executorUnreachable);
    const asked = { ...quiet, trackerUnreachable: false, executorUnreachable: true };
    expect(valueIn(metricNames.trackerUnreachable, emptyReport('poll'), asked)).toBe(0);
    expect(valueIn(metricNames.executorUnreachable, emptyReport('poll'), asked)).toBe(1);
  });

  test('a wedged T3 has a word of its own, and one that was not looked at is not called well', () => {
    const looked = (wedged: boolean | null): Report => ({ ...emptyReport('watch'), wedged });
    expect([null, false, true].map((wedged) => valueIn(metricNames.executorWedged, looked(wedged)))).toEqual([
      undefined,
      0,
      1,
    ]);
    expect(namesOf({ ...emptyReport('poll'), wedged: true }, quiet)).not.toContain(metricNames.executorWedged);
  });

  test('the poller does not speak of ends, nor the watcher of what waits', () => {
    expect(namesOf(emptyReport('poll'), quiet)).not.toContain(metricNames.handedBack);
    expect(namesOf(emptyReport('watch'), quiet)).not.toContain(metricNames.workWaiting);
  });

  test.each(rulings)('an issue ruled "%s" counts as waiting only where no person’s act on it is awaited', (ruling) => {
    // What a person or another issue holds back may wait for ever; and what is dispatched waits no more.
    const held = new Set<string>([
      'not enrolled',
      'repo paused',
      'repo archived',
      'issues off',
      'gone',
      'closed',
      'pull request',
      'locked',
      'label gone',
      'hold label',
      'with a human',
      'already run',
      'parent',
      'blocked',
      'not trusted',
      'changed since',
      'too long',
      'dispatch',
    ]);
    const report: Report = {
      ...emptyReport('poll'),
      rulings: [{ repo: 'acme/web', issue: 1, ruling, detail: '' }],
    };
    expect(valueIn(metricNames.workWaiting, report)).toBe(held.has(ruling) ? 0 : 1);
  });

  test('no metric has a name that the alarms do not know', () => {
    const known = Object.values<string>(metricNames);
    for (const tick of ['poll', 'watch'] as const)
      for (const name of namesOf(emptyReport(tick), { ...quiet, trackerUnreachable: true, executorUnreachable: true }))
        expect(known).toContain(name);
  });
});
