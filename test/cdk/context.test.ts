import { describe, expect, test } from 'vitest';
import { contextOf } from '../../cdk/context.ts';

describe('context values', () => {
  test('have safe defaults, and what the CDK adds is passed over', () => {
    const given = { '@aws-cdk/core:explicitStackTags': true, 'aws:cdk:toolkit': true, 'vpc-provider:account=1': {} };
    expect(contextOf(given)).toEqual({ reservedConcurrency: 1, schedules: 'on', doorbellTopic: 'off' });
  });

  test.each([
    [{ reservedConcurrency: '0' }, { reservedConcurrency: 0 }],
    [{ reservedConcurrency: 5 }, { reservedConcurrency: 5 }],
    [{ tags: 'a=b, c=d e' }, { tags: ['a=b', 'c=d e'] }],
    [
      { subnetIds: 'subnet-01234567, subnet-89abcdef', securityGroupIds: 'sg-01234567' },
      { subnetIds: ['subnet-01234567', 'subnet-89abcdef'], securityGroupIds: ['sg-01234567'] },
    ],
  ])('%j are understood', (given, understood) => {
    expect(contextOf(given)).toMatchObject(understood);
  });

  test.each([
    [{ reservedConcurrency: '-1' }, 'reservedConcurrency must be a whole number from 0 to 100'],
    [{ reservedConcurrency: '' }, 'reservedConcurrency must be a whole number from 0 to 100'],
    [{ schedules: 'no' }, 'schedules must be on or off'],
    [{ reservedConcurency: '0' }, 'reservedConcurency unknown; there are reservedConcurrency, schedules,'],
    [{ subnetIds: 'subnet-01234567' }, 'subnetIds needs securityGroupIds'],
    [{ securityGroupIds: 'sg-01234567' }, 'securityGroupIds needs subnetIds'],
    [{ ntfyTopic: 'afk' }, 'ntfyTopic needs ntfyUrl'],
    [{ subnetIds: 'vpc-01234567' }, 'subnetIds must be ids of subnets, separated by commas'],
    [{ githubUrl: 'http://10.1.2.3/api/v3' }, 'githubUrl must be an https URL such as https://HOST/api/v3'],
    [{ githubUrl: 'https://github.example.com' }, 'githubUrl must be an https URL such as https://HOST/api/v3'],
    [{ alarmEmail: 'nobody' }, 'alarmEmail must be an e-mail address'],
    [{ secretsKeyArn: 'alias/mine' }, 'secretsKeyArn must be the ARN of a KMS key (not of an alias)'],
    [{ tags: 'aws:x=y' }, 'tags must be key=value pairs, separated by commas'],
    [{ schedules: 'no', alarmEmail: 'nobody' }, 'schedules must be on or off; alarmEmail must be an e-mail address'],
  ])('%j are refused in words', (given, message) => {
    expect(() => contextOf(given)).toThrow(message);
  });

  test('a value with several faults is named once', () => {
    expect(() => contextOf({ subnetIds: 'a,b', vpcId: 'vpc-1', zones: 'x' })).toThrow(
      /^context: subnetIds must be ids of subnets, separated by commas; vpcId, zones unknown; there are [^;]+$/,
    );
  });
});
