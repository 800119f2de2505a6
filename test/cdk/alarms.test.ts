import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { functionNames, metricNames, metricNamespace } from '../../functions/metric-names.ts';
import { anApp, inWords, propertiesOf, removeApps, templateOf } from './synthesis.ts';

const template = templateOf(anApp({ alarmEmail: 'on-duty@example.com' }));
afterAll(removeApps);

const Metric = z.object({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
});
const Alarm = z.looseObject({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.unknown()).length(1),
  TreatMissingData: z.string(),
  EvaluationPeriods: z.number(),
  MetricName: z.string().optional(),
  Dimensions: z.array(z.object({ Value: z.unknown() })).optional(),
  Metrics: z.array(z.object({ MetricStat: z.object({ Metric, Period: z.number() }).optional() })).optional(),
});
const alarms = propertiesOf(template, 'AWS::CloudWatch::Alarm').map((it) => Alarm.parse(it));

describe('the alarms', () => {
  test.each(['Errors', 'Throttles', 'Invocations'])('watch %s of both functions', (metric) => {
    const watched = alarms
      .filter((it) => it.MetricName === metric)
      .map((it) => inWords(it.Dimensions?.[0]?.Value).replace(/[0-9A-F]{8}$/, ''));
    expect(watched).toEqual(['PollerFunction', 'WatcherFunction']);
  });

  test('call when a function has not ticked for 15 minutes, which shows only in what is missing', () => {
    for (const it of alarms.filter(({ MetricName }) => MetricName === 'Invocations'))
      expect(it).toMatchObject({
        TreatMissingData: 'breaching',
        ComparisonOperator: 'LessThanThreshold',
        Threshold: 1,
        Period: 300,
        EvaluationPeriods: 3,
      });
  });

  test('of all other kinds are quiet where nothing is said', () => {
    const others = alarms.filter(({ MetricName }) => MetricName !== 'Invocations');
    expect(new Set(others.map((it) => it.TreatMissingData))).toEqual(new Set(['notBreaching']));
  });

  test('are all sent to one topic, which takes them from alarms of this account only', () => {
    const [topic] = propertiesOf(template, 'AWS::SNS::TopicPolicy');
    expect(new Set(alarms.map((it) => inWords(it.AlarmActions[0]))).size).toBe(1);
    expect(topic).toMatchObject({
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          {
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
    });
    expect(propertiesOf(template, 'AWS::SNS::Subscription')).toMatchObject([
      { Protocol: 'email', Endpoint: 'on-duty@example.com' },
    ]);
  });

  test('speak of metrics that a tick emits, of a function that is there', () => {
    const own = alarms.flatMap((it) => it.Metrics ?? []).flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
    expect(own.length).toBeGreaterThan(8);
    for (const metric of own) {
      expect(metric.Namespace).toBe(metricNamespace);
      expect(Object.values(metricNames)).toContain(metric.MetricName);
      expect(metric.Dimensions).toEqual([{ Name: 'service', Value: expect.toBeOneOf(Object.values(functionNames)) }]);
    }
  });

  test('are explained in the runbook, each under its exact name, and no other is', () => {
    const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
    const explained = [...runbook.matchAll(/^### `(afk-[a-z0-9-]+)`$/gm)].map(([, name]) => name);
    expect(explained.toSorted()).toEqual(alarms.map((it) => it.AlarmName).toSorted());
  });

  test('look at as many metrics as the page on deploying counts the cost of', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/deploy.md'), 'utf8');
    const looked = alarms.map(
      ({ Metrics = [], MetricName }) =>
        Number(MetricName !== undefined) + Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length,
    );
    expect(page).toContain(`| ${looked.reduce((sum, each) => sum + each)} metrics that alarms look at × 0.10`);
  });
});

test('the dashboard asks three questions, and every metric of a tick answers one of them or has an alarm', () => {
  const [page] = propertiesOf(template, 'AWS::CloudWatch::Dashboard');
  const body = inWords(page!['DashboardBody']);
  for (const question of ['Alive?', 'Doing what?', 'At what cost?']) expect(body).toContain(`## ${question}`);
  const shown = `${body} ${JSON.stringify(alarms)}`;
  expect(Object.values(metricNames).filter((name) => !shown.includes(`"${name}"`))).toEqual([]);
});
