import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { functionNames, metricNames } from '../functions/metric-names.ts';
import { Outcome } from '../lib/core/run.ts';
import { tickMetric } from './tick-metric.ts';

export type DashboardProps = {
  poller: lambda.Function;
  watcher: lambda.Function;
  table: dynamodb.TableV2;
  alarms: cloudwatch.Alarm[];
};

const { poller, watcher } = functionNames;

/** One page that answers, from top to bottom: is it alive, what is it doing, at what cost. */
export const dashboard = (scope: Construct, props: DashboardProps): cloudwatch.Dashboard => {
  const page = new cloudwatch.Dashboard(scope, 'Dashboard', {
    dashboardName: 'afk',
    defaultInterval: Duration.hours(6),
    periodOverride: cloudwatch.PeriodOverride.INHERIT,
  });
  page.addWidgets(heading('Alive?'));
  page.addWidgets(...alive(props));
  page.addWidgets(heading('Doing what?'));
  page.addWidgets(...doing(props));
  page.addWidgets(heading('At what cost?'));
  page.addWidgets(...cost(props));
  return page;
};

const heading = (text: string): cloudwatch.TextWidget =>
  new cloudwatch.TextWidget({
    markdown: `## ${text}`,
    width: 24,
    height: 1,
    background: cloudwatch.TextWidgetBackground.TRANSPARENT,
  });

const graph = (
  title: string,
  left: cloudwatch.IMetric[],
  options: Partial<cloudwatch.GraphWidgetProps> = {},
): cloudwatch.GraphWidget =>
  new cloudwatch.GraphWidget({ title, left, width: 8, height: 6, leftYAxis: { min: 0, showUnits: false }, ...options });

const alive = ({ poller: poll, watcher: watch, alarms }: DashboardProps): cloudwatch.IWidget[] => [
  new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms, width: 8, height: 6 }),
  graph('Ticks in five minutes: armed, inert, rehearsed', [
    ...[poller, watcher].flatMap((kind) => [
      tickMetric(metricNames.tickRan, kind, 'Sum', { label: `${kind}: armed` }),
      tickMetric(metricNames.tickDisarmed, kind, 'Sum', { label: `${kind}: inert` }),
      tickMetric(metricNames.rehearsed, kind, 'Sum', { label: `${kind}: dry runs` }),
    ]),
  ]),
  graph(
    'Length of a tick, and what failed',
    [
      ...[poller, watcher].map((kind) =>
        tickMetric(metricNames.tickMs, kind, 'Maximum', { label: `${kind}: longest, ms` }),
      ),
    ],
    {
      right: [poll, watch].map((fn, at) =>
        fn.metricErrors({ period: Duration.minutes(5), statistic: 'Sum', label: `${[poller, watcher][at]}: errors` }),
      ),
      rightYAxis: { min: 0, showUnits: false },
      leftAnnotations: [{ value: 50_000, label: 'time-out' }],
    },
  ),
];

const doing = ({ poller: poll, watcher: watch }: DashboardProps): cloudwatch.IWidget[] => [
  graph('Work', [
    tickMetric(metricNames.workWaiting, poller, 'Maximum', { label: 'issues that wait' }),
    tickMetric(metricNames.openRuns, watcher, 'Maximum', { label: 'runs that are open' }),
    tickMetric(metricNames.runsDispatched, poller, 'Sum', { label: 'runs begun' }),
    tickMetric(metricNames.endingStuck, watcher, 'Maximum', { label: 'runs that are stuck' }),
  ]),
  graph(
    'Ends in an hour',
    Outcome.options.map((outcome) =>
      tickMetric(metricNames.runsEnded, watcher, 'Sum', { outcome, label: outcome }).with({
        period: Duration.hours(1),
      }),
    ),
    { stacked: true },
  ),
  graph('In the way', [
    tickMetric(metricNames.executorUnreachable, poller, 'Sum', { label: 'T3 unreachable' }),
    tickMetric(metricNames.executorWedged, watcher, 'Sum', { label: 'T3 wedged' }),
    tickMetric(metricNames.trackerUnreachable, poller, 'Sum', { label: 'GitHub unreachable' }),
    tickMetric(metricNames.runsFailed, watcher, 'Maximum', { label: 'failed for a run' }),
    tickMetric(metricNames.doorbellUnsent, watcher, 'Maximum', { label: 'doorbells not rung' }),
    tickMetric(metricNames.notReached, watcher, 'Maximum', { label: 'not reached' }),
  ]),
  new cloudwatch.LogQueryWidget({
    title: 'What happened last',
    width: 24,
    height: 8,
    logGroupNames: [poll.logGroup.logGroupName, watch.logGroup.logGroupName],
    queryLines: [
      'fields @timestamp, service, repo, issue, what, coalesce(why, reason) as because',
      'filter message = "run moved" or message = "part failed"',
      'sort @timestamp desc',
      'limit 50',
    ],
  }),
];

const cost = ({ poller: poll, watcher: watch, table }: DashboardProps): cloudwatch.IWidget[] => {
  const day = { period: Duration.days(1), statistic: 'Sum' };
  return [
    new cloudwatch.SingleValueWidget({
      title: 'USD a day, about: Lambda and table (see docs/deploy.md for the rest)',
      width: 8,
      height: 6,
      period: Duration.days(1),
      metrics: [
        new cloudwatch.MathExpression({
          label: 'Lambda',
          period: Duration.days(1),
          // 512 MB on arm64 at 0.0000133334 USD for a GB-second, and 0.20 USD for a million invocations.
          expression: '(pollMs + watchMs) / 1000 * 0.5 * 0.0000133334 + (polls + watches) * 0.0000002',
          usingMetrics: {
            pollMs: poll.metricDuration(day),
            watchMs: watch.metricDuration(day),
            polls: poll.metricInvocations(day),
            watches: watch.metricInvocations(day),
          },
        }),
        new cloudwatch.MathExpression({
          label: 'Table',
          period: Duration.days(1),
          // On demand: 0.125 USD for a million read units, 0.625 USD for a million write units.
          expression: 'reads * 0.000000125 + writes * 0.000000625',
          usingMetrics: {
            reads: table.metricConsumedReadCapacityUnits(day),
            writes: table.metricConsumedWriteCapacityUnits(day),
          },
        }),
      ],
    }),
    graph('Seconds of Lambda in an hour', [
      new cloudwatch.MathExpression({
        label: 'poller',
        period: Duration.hours(1),
        expression: 'pollMs / 1000',
        usingMetrics: { pollMs: poll.metricDuration({ period: Duration.hours(1), statistic: 'Sum' }) },
      }),
      new cloudwatch.MathExpression({
        label: 'watcher',
        period: Duration.hours(1),
        expression: 'watchMs / 1000',
        usingMetrics: { watchMs: watch.metricDuration({ period: Duration.hours(1), statistic: 'Sum' }) },
      }),
    ]),
    graph('Runs begun in a day, which cost the agents’ money', [
      tickMetric(metricNames.runsDispatched, poller, 'Sum', { label: 'runs' }).with({ period: Duration.days(1) }),
    ]),
  ];
};
