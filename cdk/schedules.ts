import * as events from 'aws-cdk-lib/aws-events';
import * as eventTargets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

const minute = Duration.minutes(1);

/**
 * Both ticks once a minute, in a group of their own. Not handed over again and not handed over late: the next minute
 * is the retry. `enabled` false deploys them switched off.
 */
export const schedules = (
  parent: Construct,
  { poller, watcher, enabled }: { poller: lambda.Function; watcher: lambda.Function; enabled: boolean },
): void => {
  const scope = new Construct(parent, 'Schedules');
  // Its name is fixed: one that stayed behind would be in the way of the next stack.
  const group = new scheduler.ScheduleGroup(scope, 'Group', {
    scheduleGroupName: 'afk',
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new iam.Role(scope, 'Role', {
    description: 'Invokes the two ticks and nothing else',
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(scope).account, 'aws:SourceArn': group.scheduleGroupArn },
      },
    }),
    inlinePolicies: {
      invoke: new iam.PolicyDocument({
        statements: [
          new iam.PolicyStatement({
            actions: ['lambda:InvokeFunction'],
            resources: [poller.functionArn, watcher.functionArn],
          }),
        ],
      }),
    },
  });
  const ticks = [
    { id: 'Poller', fn: poller, name: 'afk-poller' },
    { id: 'Watcher', fn: watcher, name: 'afk-watcher' },
  ];
  for (const { id, fn, name } of ticks)
    new scheduler.Schedule(scope, id, {
      scheduleName: name,
      scheduleGroup: group,
      schedule: scheduler.ScheduleExpression.rate(minute),
      enabled,
      target: new LambdaInvoke(fn, {
        // Left to itself the target grants every version of the function as well, with a wildcard.
        role: role.withoutPolicyUpdates(),
        input: scheduler.ScheduleTargetInput.fromObject({
          source: 'aws.scheduler',
          scheduledTime: scheduler.ContextAttribute.scheduledTime,
          executionId: scheduler.ContextAttribute.executionId,
        }),
        retryAttempts: 0,
        maxEventAge: minute,
      }),
    });
};

/**
 * Wakes the watcher when a person changed a control parameter, sooner than the next minute. Such events may get lost:
 * a convenience, on which nothing rests.
 */
export const wakeOnChange = (scope: Construct, watcher: lambda.Function, names: readonly string[]): void => {
  new events.Rule(scope, 'ControlChanged', {
    description: 'Wakes the watcher when a control parameter was changed',
    eventPattern: { source: ['aws.ssm'], detailType: ['Parameter Store Change'], detail: { name: [...names] } },
    targets: [new eventTargets.LambdaFunction(watcher, { retryAttempts: 0, maxEventAge: minute })],
  });
};
