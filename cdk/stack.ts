import * as sqs from 'aws-cdk-lib/aws-sqs';
import { CfnOutput, Duration, Stack, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Environment } from '../functions/environment.ts';
import { alarmTopic } from './alarm-topic.ts';
import { alarms } from './alarms.ts';
import type { Context } from './context.ts';
import { controlParameters } from './control-parameters.ts';
import { dashboard } from './dashboard.ts';
import { placeInNetwork } from './network.ts';
import { runsTable } from './runs-table.ts';
import { scheduledFunction } from './scheduled-function.ts';
import { schedules, wakeOnChange } from './schedules.ts';

/** Folders of the two bundles, as `cdk/bundle.ts` makes them. */
export type Bundles = { poller: string; watcher: string };

/**
 * All of AFK in one stack: two functions on schedules, the table, the control parameters with their safe values, and
 * what watches over them. As deployed it does nothing: a person arms it, with other tools than this one.
 */
export const afkStack = (app: Construct, context: Context, bundles: Bundles): Stack => {
  const stack = new Stack(app, 'Afk', { description: 'AFK: coding agents at work while nobody is at the keyboard' });
  const table = runsTable(stack);
  const names = controlParameters(stack);
  const failures = failureQueue(stack);
  const topic = alarmTopic(stack, context.alarmEmail);

  const { githubUrl, ntfyUrl, ntfyTopic, subnetIds, securityGroupIds, reservedConcurrency, secretsKeyArn } = context;
  const environment = { TABLE_NAME: table.tableName, GITHUB_URL: githubUrl } satisfies Environment;
  const doorbell = context.doorbellTopic === 'on' ? topic : undefined;
  const shared = { table, failures, reservedConcurrency, secretsKeyArn };
  const polling = scheduledFunction(stack, { ...shared, kind: 'poller', code: bundles.poller, environment });
  const watching = scheduledFunction(stack, {
    ...shared,
    kind: 'watcher',
    code: bundles.watcher,
    environment: {
      ...environment,
      NTFY_URL: ntfyUrl,
      NTFY_TOPIC: ntfyTopic,
      DOORBELL_TOPIC_ARN: doorbell?.topicArn,
    } satisfies Environment,
    ...(doorbell !== undefined && { doorbell }),
  });
  if (subnetIds !== undefined && securityGroupIds !== undefined)
    placeInNetwork(stack, [polling, watching], { subnetIds, securityGroupIds });
  const { fn: poller } = polling;
  const { fn: watcher } = watching;

  schedules(stack, { poller, watcher, enabled: context.schedules === 'on' });
  wakeOnChange(stack, watcher, names);
  const all = alarms(stack, { poller, watcher, failures, topic });
  dashboard(stack, { poller, watcher, table, alarms: all });

  tagged(stack, context.tags ?? []);
  const outputs = {
    TableName: table.tableName,
    PollerLog: poller.logGroup.logGroupName,
    WatcherLog: watcher.logGroup.logGroupName,
    FailureQueue: failures.queueUrl,
    AlarmTopic: topic.topicArn,
  };
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
  return stack;
};

/**
 * Failed ticks, each with the event it was given and the error. A message that was read three times and not deleted
 * moves aside, so that the alarm falls silent and can speak again.
 */
const failureQueue = (stack: Stack): sqs.Queue => {
  const kept = { enforceSSL: true, encryption: sqs.QueueEncryption.SQS_MANAGED, retentionPeriod: Duration.days(14) };
  const seen = new sqs.Queue(stack, 'FailuresSeen', kept);
  return new sqs.Queue(stack, 'Failures', { ...kept, deadLetterQueue: { queue: seen, maxReceiveCount: 3 } });
};

// A tag that comes or changes makes CloudFormation write a parameter's value back: a deploy would undo a person's flip.
const tagged = (stack: Stack, pairs: readonly string[]): void => {
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    Tags.of(stack).add(pair.slice(0, at), pair.slice(at + 1), { excludeResourceTypes: ['AWS::SSM::Parameter'] });
  }
};
