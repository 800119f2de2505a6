import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { CfnResource, Stack } from 'aws-cdk-lib/core';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { environmentOf } from '../../functions/environment.ts';
import { wantedOf } from '../../functions/tick-event.ts';
import { deployedEnvironments, richContext, topicArn } from '../functions/deployed-environment.ts';
import { acknowledgedIn, anApp, propertiesOf, removeApps, resourcesOf, templateOf } from './synthesis.ts';

const app = anApp();
const template = templateOf(app);
afterAll(removeApps);

const only = (type: string) => {
  const found = propertiesOf(template, type);
  expect(found).toHaveLength(1);
  return found[0]!;
};

describe('the template', () => {
  test('is what it was: a difference here is to be read before it is deployed', async () => {
    const text = JSON.stringify(template, null, 2).replace(/[0-9a-f]{64}\.zip/g, 'ASSET.zip');
    await expect(`${text}\n`).toMatchFileSnapshot('snapshots/template.json.snap');
  });

  test('is the same from run to run', () => {
    expect(templateOf(anApp())).toEqual(template);
  });

  test('passes AwsSolutions with nothing acknowledged', () => {
    expect(acknowledgedIn(app)).toEqual([]);
  });

  test.each([
    ['a rule of AwsSolutions is broken', 'AwsSolutions-SQS4', (stack: Stack) => new CfnQueue(stack, 'Broken')],
    [
      'it does not fit the schemas of CloudFormation',
      'Additional properties are not allowed',
      (stack: Stack) => new CfnResource(stack, 'Broken', { type: 'AWS::SNS::Topic', properties: { Surprise: 1 } }),
    ],
  ])('is not made at all where %s', (_, finding, breakIt) => {
    const broken = anApp();
    const stack = broken.node.findChild('Afk');
    if (!Stack.isStack(stack)) throw new Error('no stack');
    breakIt(stack);
    expect(() => broken.synth()).toThrow(finding);
  });
});

describe('a function', () => {
  const functions = propertiesOf(template, 'AWS::Lambda::Function');
  const invocations = propertiesOf(template, 'AWS::Lambda::EventInvokeConfig');

  test('is invoked one at a time, and is over before the next minute', () => {
    expect(functions.map((it) => it['FunctionName'])).toEqual(['afk-poller', 'afk-watcher']);
    for (const it of functions) {
      expect(it['ReservedConcurrentExecutions']).toBe(1);
      expect(it['Timeout']).toBeLessThan(60);
      expect(it).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    }
  });

  test('has no reservation where the account’s quota is too small for one', () => {
    const without = propertiesOf(templateOf(anApp({ reservedConcurrency: '0' })), 'AWS::Lambda::Function');
    expect(without.map((it) => it['ReservedConcurrentExecutions'])).toEqual([undefined, undefined]);
  });

  test('is never retried, never late, and leaves what failed in the queue', () => {
    const [failures] = Object.keys(resourcesOf(template, 'AWS::SQS::Queue')).filter((id) => !id.includes('Seen'));
    expect(invocations).toHaveLength(2);
    for (const it of invocations)
      expect(it).toMatchObject({
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: 60,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [failures, 'Arn'] } } },
      });
  });

  test('writes into a log of its own that forgets after 90 days', () => {
    const logs = propertiesOf(template, 'AWS::Logs::LogGroup').map((it) => it['RetentionInDays']);
    expect(logs).toEqual([90, 90]);
    const named = functions.map((it) => JSON.stringify(it['LoggingConfig']));
    expect(new Set(named).size).toBe(2);
  });

  test('is given an environment that it accepts, and that the built one is started with in another test', () => {
    const rich = propertiesOf(templateOf(anApp(richContext)), 'AWS::Lambda::Function');
    const given = (of: readonly Record<string, unknown>[]) => {
      const [poller, watcher] = of.map((it) => {
        const { Variables } = z.object({ Variables: z.record(z.string(), z.unknown()) }).parse(it['Environment']);
        return environmentOf(
          Object.fromEntries(
            Object.entries(Variables).map(([name, value]) => [
              name,
              typeof value === 'string' ? value : resolved(value),
            ]),
          ),
        );
      });
      return { poller, watcher };
    };
    expect({ plain: given(functions), rich: given(rich) }).toEqual(deployedEnvironments);
  });
});

/** A reference as CloudFormation resolves it: to a table's name, to a topic's ARN. */
const resolved = (value: unknown): string => (JSON.stringify(value).includes('Topic') ? topicArn : 'Afk-Runs');

describe('a schedule', () => {
  const schedules = propertiesOf(template, 'AWS::Scheduler::Schedule');

  test('ticks once a minute, hands over once and not late', () => {
    expect(schedules.map((it) => it['Name'])).toEqual(['afk-poller', 'afk-watcher']);
    for (const it of schedules)
      expect(it).toMatchObject({
        ScheduleExpression: 'rate(1 minute)',
        State: 'ENABLED',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } },
      });
  });

  test('sends an event that the function takes for a tick', () => {
    for (const it of schedules) {
      const { Input } = z.object({ Input: z.string() }).parse(it['Target']);
      expect(wantedOf(JSON.parse(Input))).toMatchObject({ kind: 'tick', only: null });
    }
  });

  test('is deployed switched off where that is asked for', () => {
    const off = propertiesOf(templateOf(anApp({ schedules: 'off' })), 'AWS::Scheduler::Schedule');
    expect(off.map((it) => it['State'])).toEqual(['DISABLED', 'DISABLED']);
  });
});

test('a changed control parameter wakes the watcher and nothing else', () => {
  const [watcher] = Object.entries(resourcesOf(template, 'AWS::Lambda::Function')).filter(
    ([, { Properties }]) => Properties['FunctionName'] === 'afk-watcher',
  );
  expect(only('AWS::Events::Rule')).toMatchObject({
    EventPattern: {
      source: ['aws.ssm'],
      'detail-type': ['Parameter Store Change'],
      detail: { name: propertiesOf(template, 'AWS::SSM::Parameter').map((it) => it['Name']) },
    },
    Targets: [
      {
        Arn: { 'Fn::GetAtt': [watcher![0], 'Arn'] },
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    ],
  });
  expect(propertiesOf(template, 'AWS::Lambda::Permission')).toHaveLength(1);
});

test('the table can be recovered, cannot be deleted by mistake, and outlives the stack', () => {
  const [table] = Object.values(resourcesOf(template, 'AWS::DynamoDB::GlobalTable'));
  expect(table).toMatchObject({
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      Replicas: [
        {
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      ],
    },
  });
  expect(table?.Properties).not.toHaveProperty('TimeToLiveSpecification');
  expect(table?.Properties).not.toHaveProperty('GlobalSecondaryIndexes');
});
