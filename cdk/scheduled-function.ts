import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Duration, RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type Environment, secretsOf } from '../functions/environment.ts';
import { nowPartition } from '../lib/adapters/stored-item.ts';
import { controlArns, parameterArn } from './control-parameters.ts';

/** What a tick's function is made of. `code` is the folder of its bundle; `reservedConcurrency` 0 leaves it out. */
export type ScheduledFunctionProps = {
  kind: 'poller' | 'watcher';
  code: string;
  environment: Environment;
  table: dynamodb.TableV2;
  failures: sqs.IQueue;
  reservedConcurrency: number;
  secretsKeyArn: string | undefined;
  /** Where it rings, if anywhere on AWS. */
  doorbell?: sns.ITopic;
};

/** The function, and the role it acts in. */
export type ScheduledFunction = { fn: lambda.Function; role: iam.Role };

/** A tick is shorter than a minute, so that it is over before the next one begins. */
const timeout = Duration.seconds(50);

/**
 * One tick as a Lambda function: one at a time, never retried, its failures kept with what it was asked. The next
 * minute is the retry, and a tick that comes late is of no use to anybody.
 */
export const scheduledFunction = (
  parent: Construct,
  { kind, code, environment, table, failures, reservedConcurrency, secretsKeyArn, doorbell }: ScheduledFunctionProps,
): ScheduledFunction => {
  const scope = new Construct(parent, kind === 'poller' ? 'Poller' : 'Watcher');
  const logGroup = new logs.LogGroup(scope, 'Log', {
    retention: logs.RetentionDays.THREE_MONTHS,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new iam.Role(scope, 'Role', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    description: `What the ${kind} may do`,
    inlinePolicies: {
      tick: new iam.PolicyDocument({
        statements: [
          ...tableStatements(kind, table),
          ...parameterStatements(scope, kind, secretsKeyArn),
          allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]),
          allow(['sqs:SendMessage'], [failures.queueArn]),
          ...(doorbell === undefined ? [] : [allow(['sns:Publish'], [doorbell.topicArn])]),
        ],
      }),
    },
  });
  const fn = new lambda.Function(scope, 'Function', {
    functionName: `afk-${kind}`,
    description: kind === 'poller' ? 'Rules on ready issues and starts runs' : 'Sees open runs through to their end',
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    code: lambda.Code.fromAsset(code),
    handler: 'index.handler',
    environment: setIn(environment),
    // The role is complete as it stands: nothing that is attached to the function may widen it.
    role: role.withoutPolicyUpdates(),
    logGroup,
    loggingFormat: lambda.LoggingFormat.JSON,
    timeout,
    memorySize: 512,
    ...(reservedConcurrency > 0 && { reservedConcurrentExecutions: reservedConcurrency }),
    retryAttempts: 0,
    // Throttled events are tried again until they are too old, six hours by default: a burst of stale ticks.
    maxEventAge: Duration.seconds(60),
    onFailure: new destinations.SqsDestination(failures),
  });
  return { fn, role };
};

const setIn = (environment: Environment): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined));

const allow = (actions: string[], resources: string[], conditions: Record<string, unknown> = {}): iam.PolicyStatement =>
  new iam.PolicyStatement({ actions, resources, conditions });

// What `lib/adapters/dynamo-store.ts` sends. Only what is open is ever removed: of texts and history nothing is.
const tableStatements = (kind: 'poller' | 'watcher', table: dynamodb.TableV2): iam.PolicyStatement[] => [
  allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [table.tableArn]),
  allow(
    // Only a claim counts the day's runs.
    kind === 'poller' ? ['dynamodb:DeleteItem', 'dynamodb:UpdateItem'] : ['dynamodb:DeleteItem'],
    [table.tableArn],
    { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [nowPartition] } },
  ),
];

const parameterStatements = (
  scope: Construct,
  kind: 'poller' | 'watcher',
  secretsKeyArn: string | undefined,
): iam.PolicyStatement[] => {
  const secrets = secretsOf[kind].map((name) => parameterArn(scope, name));
  return [
    // All nine, also those that are normally absent: one name without permission refuses the whole read.
    allow(['ssm:GetParameters'], controlArns(scope)),
    allow(['ssm:GetParameters'], secrets),
    ...(secretsKeyArn === undefined
      ? []
      : [
          allow(['kms:Decrypt'], [secretsKeyArn], {
            StringEquals: { 'kms:EncryptionContext:PARAMETER_ARN': secrets },
          }),
        ]),
  ];
};
