import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  acknowledgedIn,
  anApp,
  inWords,
  propertiesOf,
  removeApps,
  resourcesOf,
  type Template,
  templateOf,
} from './synthesis.ts';

const template = templateOf(anApp());
afterAll(removeApps);

const list = <S extends z.ZodType>(item: S) => z.union([z.array(item), item.transform((one: z.output<S>) => [one])]);
const Statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: list(z.string()),
  Resource: list(z.unknown()).optional(),
  Condition: z.unknown().optional(),
});
const Document = z.object({ Statement: z.array(Statement) });
type Statement = z.infer<typeof Statement>;

const Role = z.object({
  Description: z.string(),
  AssumeRolePolicyDocument: z.object({ Statement: z.array(z.looseObject({})) }),
  Policies: z.array(z.object({ PolicyDocument: Document })),
  ManagedPolicyArns: z.undefined().optional(),
});
const rolesOf = (of: Template) => propertiesOf(of, 'AWS::IAM::Role').map((it) => Role.parse(it));

/** Every permission as one line: the action, on what, under which condition. */
const linesOf = (statements: readonly Statement[]): string[] =>
  statements.flatMap(({ Action, Resource = [], Condition }) =>
    Action.flatMap((action) =>
      Resource.map((resource) =>
        [action, 'on', nameOf(inWords(resource)), ...(Condition === undefined ? [] : [JSON.stringify(Condition)])].join(
          ' ',
        ),
      ),
    ),
  );
const nameOf = (resource: string): string =>
  resource.replace(/[0-9A-F]{8}(?=\.Arn$)/, '').replace(/^arn::ssm:::parameter/, '');

const allowedTo = (description: string, of = template): string[] => {
  const [role] = rolesOf(of).filter((it) => it.Description === description);
  return linesOf(role!.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement));
};

const control = ['kill-switch', 'allowlist', ...[2, 3, 4, 5, 6, 7].map((part) => `allowlist-${part}`), 'settings'];
const onlyOpen = JSON.stringify({ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['now'] } });

describe('a role may do exactly this, and nothing more:', () => {
  test('the poller', () => {
    expect(allowedTo('What the poller may do')).toEqual([
      'dynamodb:GetItem on Runs.Arn',
      'dynamodb:PutItem on Runs.Arn',
      'dynamodb:Query on Runs.Arn',
      `dynamodb:DeleteItem on Runs.Arn ${onlyOpen}`,
      `dynamodb:UpdateItem on Runs.Arn ${onlyOpen}`,
      ...control.map((name) => `ssm:GetParameters on /afk/control/${name}`),
      'ssm:GetParameters on /afk/secret/github-token',
      'ssm:GetParameters on /afk/secret/github-app',
      'ssm:GetParameters on /afk/secret/t3-token',
      'logs:CreateLogStream on PollerLog.Arn',
      'logs:PutLogEvents on PollerLog.Arn',
      'sqs:SendMessage on Failures.Arn',
    ]);
  });

  test('the watcher, which alone rings', () => {
    expect(allowedTo('What the watcher may do')).toEqual([
      'dynamodb:GetItem on Runs.Arn',
      'dynamodb:PutItem on Runs.Arn',
      'dynamodb:Query on Runs.Arn',
      `dynamodb:DeleteItem on Runs.Arn ${onlyOpen}`,
      ...control.map((name) => `ssm:GetParameters on /afk/control/${name}`),
      'ssm:GetParameters on /afk/secret/github-token',
      'ssm:GetParameters on /afk/secret/github-app',
      'ssm:GetParameters on /afk/secret/t3-token',
      'ssm:GetParameters on /afk/secret/slack-webhook',
      'ssm:GetParameters on /afk/secret/ntfy-token',
      'logs:CreateLogStream on WatcherLog.Arn',
      'logs:PutLogEvents on WatcherLog.Arn',
      'sqs:SendMessage on Failures.Arn',
    ]);
  });

  test('the schedules, and only for a schedule of this group in this account', () => {
    expect(allowedTo('Invokes the two ticks and nothing else')).toEqual([
      'lambda:InvokeFunction on PollerFunction.Arn',
      'lambda:InvokeFunction on WatcherFunction.Arn',
    ]);
    const [role] = rolesOf(template).filter((it) => it.Description.startsWith('Invokes'));
    const [group] = Object.keys(resourcesOf(template, 'AWS::Scheduler::ScheduleGroup'));
    expect(role!.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 'scheduler.amazonaws.com' },
        Condition: {
          StringEquals: {
            'aws:SourceAccount': { Ref: 'AWS::AccountId' },
            'aws:SourceArn': { 'Fn::GetAtt': [group, 'Arn'] },
          },
        },
      },
    ]);
  });

  test('and there is no other role and no other policy', () => {
    expect(rolesOf(template)).toHaveLength(3);
    expect(propertiesOf(template, 'AWS::IAM::Policy')).toEqual([]);
    expect(propertiesOf(template, 'AWS::IAM::ManagedPolicy')).toEqual([]);
  });
});

/** Every statement of every policy, of roles and of resources. */
const statementsOf = (of: Template): Statement[] => {
  const found: Statement[] = [];
  JSON.stringify(of, (_, value: unknown) => {
    const parsed = Document.safeParse(value);
    if (parsed.success) found.push(...parsed.data.Statement);
    return value;
  });
  return found;
};
const wildcardsOf = (of: Template): string[] =>
  statementsOf(of)
    .filter(({ Effect }) => Effect === 'Allow')
    .filter((statement) => JSON.stringify(statement).includes('*'))
    .map(({ Action }) => Action.join(' '));

test('nothing is allowed with a wildcard', () => {
  expect(statementsOf(template).length).toBeGreaterThan(15);
  expect(wildcardsOf(template)).toEqual([]);
});

test('no role can arm, scan the table or read parameters by path', () => {
  const words = /PutParameter|DeleteParameter|ByPath|Scan|BatchWrite|Transact/;
  expect(statementsOf(template).flatMap(({ Action }) => Action.filter((action) => words.test(action)))).toEqual([]);
});

test('the watcher may publish to the topic of the alarms and to no other, and only where that is its doorbell', () => {
  const app = anApp({ doorbellTopic: 'on' });
  const ringing = templateOf(app);
  const added = (who: string): string[] => {
    const before = allowedTo(who);
    return allowedTo(who, ringing).filter((line) => !before.includes(line));
  };
  expect(added('What the watcher may do')).toEqual([expect.stringMatching(/^sns:Publish on Topic[0-9A-F]{8}$/)]);
  expect(added('What the poller may do')).toEqual([]);
  expect(wildcardsOf(ringing)).toEqual([]);
  expect(acknowledgedIn(app)).toEqual([]);
});

test('a key of its own for the secrets is used for these secrets only', () => {
  const key = 'arn:aws:kms:eu-west-1:111122223333:key/0123-abcd';
  const withKey = templateOf(anApp({ secretsKeyArn: key }));
  const added = allowedTo('What the poller may do', withKey).filter((line) => line.startsWith('kms:'));
  expect(added).toHaveLength(1);
  expect(added[0]).toMatch(/^kms:Decrypt on arn:aws:kms:.*PARAMETER_ARN/);
  expect(added[0]).toContain('/afk/secret/t3-token');
  expect(added[0]).not.toContain('/afk/secret/slack-webhook');
});

describe('inside a VPC', () => {
  const subnetIds = 'subnet-0123456789abcdef0,subnet-0123456789abcdef1';
  const app = anApp({ subnetIds, securityGroupIds: 'sg-0123456789abcdef0' });
  const inside = templateOf(app);

  test('both functions stand in its subnets', () => {
    for (const it of propertiesOf(inside, 'AWS::Lambda::Function'))
      expect(it['VpcConfig']).toEqual({
        SubnetIds: subnetIds.split(','),
        SecurityGroupIds: ['sg-0123456789abcdef0'],
      });
  });

  test('one statement has a wildcard, for network interfaces, and it alone is acknowledged', () => {
    expect(wildcardsOf(inside)).toEqual([
      'ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ' +
        'ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses',
    ]);
    expect(acknowledgedIn(app)).toHaveLength(1);
  });
});
