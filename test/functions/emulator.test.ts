import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { bundle } from '../../cdk/bundle.ts';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { anApp, removeApps, templateOf } from '../cdk/synthesis.ts';
import { isAtHand } from '../support/at-hand.ts';
import { emulatedAccount, forEmulator } from '../support/cloudformation.ts';
import { lambdaWorld } from './lambda-world.ts';

afterAll(removeApps);

/** An account that was bootstrapped, and what a person at its keyboard would type. */
const anAccount = async () => {
  const account = await emulatedAccount();
  const ssm = new SSMClient(account.aws);
  onTestFinished(() => {
    ssm.destroy();
    account.close();
  });
  const put = async (name: string, value: string, type: 'String' | 'SecureString' = 'String'): Promise<void> => {
    await ssm.send(new PutParameterCommand({ Name: name, Value: value, Type: type, Overwrite: true }));
  };
  const get = async (name: string): Promise<string | undefined> =>
    (await ssm.send(new GetParameterCommand({ Name: name }))).Parameter?.Value;
  await put('/cdk-bootstrap/hnb659fds/version', '30');
  return { ...account, put, get };
};

describe('The template in an emulator of CloudFormation', () => {
  test('comes up disarmed, gives the built functions all they need, and a second deploy undoes no flip', async (it) => {
    if (!isAtHand('moto_server')) it.skip('moto_server is not installed here');
    const account = await anAccount();
    const { template, leftOut } = forEmulator(templateOf(anApp()));
    // What it does not know is its matter; that it should know less than this would be ours.
    expect(leftOut).toEqual([
      'AWS::CloudWatch::Alarm',
      'AWS::Lambda::EventInvokeConfig',
      'AWS::SNS::TopicPolicy',
      'AWS::SQS::QueuePolicy',
      'AWS::Scheduler::Schedule',
      'AWS::Scheduler::ScheduleGroup',
    ]);
    await account.deploy('CreateStack', template);
    expect(await account.get('/afk/control/kill-switch')).toBe('true');
    expect(await account.get('/afk/control/allowlist')).toBe('none');

    const environments = {
      poller: await account.environmentOf('afk-poller'),
      watcher: await account.environmentOf('afk-watcher'),
    };
    const dist = mkdtempSync(join(tmpdir(), 'afk-bundle-'));
    onTestFinished(() => rmSync(dist, { recursive: true, force: true }));
    await bundle(dist);
    const at = {
      AWS_REGION: account.aws.region,
      AWS_ENDPOINT_URL_SSM: account.aws.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: account.aws.endpoint,
    };
    const world = await lambdaWorld(dist, ['lands at once'], (kind) => ({ ...environments[kind], ...at }));
    for (const kind of ['poller', 'watcher'] as const)
      expect(await world.tick(kind)).toMatchObject({ reason: 'the kill switch is on', calls: { total: 1 } });

    for (const [name, value] of Object.entries(world.secrets)) await account.put(name, value, 'SecureString');
    await account.put('/afk/control/settings', JSON.stringify(world.settings));
    await account.put('/afk/control/allowlist', 'acme/web');
    await account.put('/afk/control/kill-switch', 'false');
    expect((await world.tick('poller')).dispatched).toEqual(['acme/web#1 dispatched: turn 0: opening']);
    const client = dynamoClient(account.aws);
    onTestFinished(() => client.destroy());
    const store = dynamoStore({ client, table: environments.poller['TABLE_NAME'] ?? '', writer: 'a-test' });
    expect((await store.readNow()).items.map(({ item }) => item.kind)).toContain('run');

    const changed = forEmulator(templateOf(anApp({ schedules: 'off' }, 'export const handler = async () => 1;')));
    await account.deploy('UpdateStack', changed.template);
    expect(await account.get('/afk/control/kill-switch')).toBe('false');
    expect(await account.get('/afk/control/allowlist')).toBe('acme/web');

    await account.put('/afk/control/kill-switch', 'true');
    expect(await world.tick('poller')).toMatchObject({ reason: 'the kill switch is on', calls: { total: 1 } });
    // A program of its own, which shares two cores with every other test.
  }, 120_000);
});
