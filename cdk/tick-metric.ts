import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { metricDimensions, metricNamespace } from '../functions/metric-names.ts';

/**
 * A metric that a tick emits, of one function, in periods of five minutes. `outcome` only for `RunsEnded`, whose
 * values stand apart by it.
 */
export const tickMetric = (
  name: string,
  kind: 'poller' | 'watcher',
  statistic: 'Sum' | 'Maximum' | 'Minimum' | 'Average',
  { outcome, label = name }: { outcome?: string; label?: string } = {},
): cloudwatch.Metric =>
  new cloudwatch.Metric({
    namespace: metricNamespace,
    metricName: name,
    dimensionsMap: {
      [metricDimensions.function]: kind,
      ...(outcome !== undefined && { [metricDimensions.outcome]: outcome }),
    },
    statistic,
    period: Duration.minutes(5),
    label,
  });
