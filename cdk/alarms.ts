import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { functionNames, metricNames } from '../functions/metric-names.ts';
import { tickMetric } from './tick-metric.ts';

export type AlarmsProps = {
  poller: lambda.Function;
  watcher: lambda.Function;
  failures: sqs.Queue;
  topic: sns.ITopic;
};

const { poller, watcher } = functionNames;
const five = Duration.minutes(5);
const { BREACHING, NOT_BREACHING } = cloudwatch.TreatMissingData;

/**
 * Every alarm, sent to `topic`. They stay on while AFK is disarmed: an inert tick is a tick. What each
 * means and what to do is in `docs/runbook.md`, by the same names, which a test compares.
 */
export const alarms = (parent: Construct, props: AlarmsProps): cloudwatch.Alarm[] => {
  const scope = new Construct(parent, 'Alarms');
  const action = new SnsAction(props.topic);
  return [...lambdaAlarms(scope, props), ...tickAlarms(scope)].map((alarm) => {
    alarm.addAlarmAction(action);
    return alarm;
  });
};

/** An alarm when `metric` reaches `at` (1 unless told) in `times` periods one after the other. */
type Rule = {
  name: string;
  says: string;
  metric: cloudwatch.IMetric;
  at?: number;
  times?: number;
  below?: true;
};

const alarm = (scope: Construct, { name, says, metric, at = 1, times = 1, below }: Rule): cloudwatch.Alarm =>
  new cloudwatch.Alarm(scope, name, {
    alarmName: `afk-${name}`,
    alarmDescription: says,
    metric,
    threshold: at,
    evaluationPeriods: times,
    comparisonOperator: below
      ? cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
      : cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    // Where something must be there, its absence is the alarm.
    treatMissingData: below ? BREACHING : NOT_BREACHING,
  });

/** What AWS itself counts: it speaks also where our own code cannot. */
const lambdaAlarms = (
  scope: Construct,
  { poller: poll, watcher: watch, failures }: AlarmsProps,
): cloudwatch.Alarm[] => [
  ...[
    { kind: poller, fn: poll },
    { kind: watcher, fn: watch },
  ].flatMap(({ kind, fn }) => [
    alarm(scope, {
      name: `${kind}-silent`,
      says: `The ${kind} has not been invoked for 15 minutes.`,
      metric: fn.metricInvocations({ period: five, statistic: 'Sum' }),
      times: 3,
      below: true,
    }),
    alarm(scope, {
      name: `${kind}-errors`,
      says: `A tick of the ${kind} failed or ran out of time.`,
      metric: fn.metricErrors({ period: five, statistic: 'Sum' }),
    }),
    alarm(scope, {
      name: `${kind}-throttles`,
      says: `A tick of the ${kind} was not let in.`,
      metric: fn.metricThrottles({ period: five, statistic: 'Sum' }),
    }),
  ]),
  alarm(scope, {
    name: 'failures-waiting',
    says: 'Failed ticks wait in the failure queue to be looked at.',
    metric: failures.metricApproximateNumberOfMessagesVisible({ period: five, statistic: 'Maximum' }),
  }),
];

/** What the ticks say of themselves. */
const tickAlarms = (scope: Construct): cloudwatch.Alarm[] => [
  alarm(scope, {
    name: 'settings-unreadable',
    says: 'The control parameters could not be read or understood: AFK is off, and nobody asked for it.',
    metric: ofBoth(metricNames.controlUnreadable, 'Sum'),
    // A single tick that could not read is off for its minute, and no reason to call anybody.
    at: 2,
  }),
  alarm(scope, {
    name: 'secret-missing',
    says: 'A secret that is needed does not stand under its name.',
    metric: ofBoth(metricNames.secretMissing, 'Maximum'),
  }),
  alarm(scope, {
    name: 'ending-stuck',
    says: 'An agent was not seen to leave: its repo stays locked until somebody looks.',
    metric: tickMetric(metricNames.endingStuck, watcher, 'Maximum'),
  }),
  alarm(scope, {
    name: 'handed-back',
    says: 'A run was given back to a person.',
    metric: tickMetric(metricNames.handedBack, watcher, 'Sum'),
  }),
  alarm(scope, {
    name: 't3-unreachable',
    says: 'T3 has not answered any tick for 15 minutes, or refuses us.',
    metric: ofBoth(metricNames.executorUnreachable, 'Minimum'),
    times: 3,
  }),
  alarm(scope, {
    name: 't3-wedged',
    says: 'T3 answers, and for 10 minutes has started no turn: a silent agent blocks it.',
    metric: tickMetric(metricNames.executorWedged, watcher, 'Minimum'),
    times: 2,
  }),
  alarm(scope, {
    name: 'github-unreachable',
    says: 'GitHub has not answered any tick for 15 minutes, or refuses us.',
    metric: ofBoth(metricNames.trackerUnreachable, 'Minimum'),
    times: 3,
  }),
  alarm(scope, {
    name: 'work-stands-still',
    says: 'Issues could start, no run is open, and for 30 minutes none was started.',
    metric: new cloudwatch.MathExpression({
      // FILL: a poller that does not say how many wait is no proof that somebody waits.
      expression: 'IF(FILL(waiting, 0) > 0 AND FILL(open, 0) == 0 AND FILL(started, 0) == 0, 1, 0)',
      usingMetrics: {
        waiting: tickMetric(metricNames.workWaiting, poller, 'Minimum'),
        open: tickMetric(metricNames.openRuns, poller, 'Maximum'),
        started: tickMetric(metricNames.runsDispatched, poller, 'Sum'),
      },
      period: five,
      label: 'work stands still',
    }),
    times: 6,
  }),
  alarm(scope, {
    name: 'runs-failing',
    says: 'For 30 minutes something failed in the work on single runs or repos, tick after tick.',
    metric: ofBoth(metricNames.runsFailed, 'Maximum'),
    times: 6,
  }),
  alarm(scope, {
    name: 'doorbell-unsent',
    says: 'A doorbell could not be rung for 15 minutes: people do not hear of ends.',
    metric: tickMetric(metricNames.doorbellUnsent, watcher, 'Maximum'),
    times: 3,
  }),
  alarm(scope, {
    name: 'not-reached',
    says: 'For 30 minutes the ticks had more to do than time.',
    metric: ofBoth(metricNames.notReached, 'Maximum'),
    times: 6,
  }),
];

/** The larger of the two functions' values; one that is silent counts as zero. */
const ofBoth = (name: string, statistic: 'Sum' | 'Maximum' | 'Minimum'): cloudwatch.MathExpression =>
  new cloudwatch.MathExpression({
    expression: 'MAX([FILL(poller, 0), FILL(watcher, 0)])',
    usingMetrics: {
      poller: tickMetric(name, poller, statistic),
      watcher: tickMetric(name, watcher, statistic),
    },
    period: five,
    label: name,
  });
