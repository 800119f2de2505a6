import { afterAll, describe, expect, test } from 'vitest';
import { controlNames, parseControl } from '../../lib/core/control.ts';
import { anApp, propertiesOf, removeApps, resourcesOf, templateOf } from './synthesis.ts';

afterAll(removeApps);

/**
 * The control parameters as they have been deployed, byte for byte. CloudFormation writes a parameter's value back
 * when any property of it changes, so a change of this text disarms every installation at its next deploy, and loses
 * its allowlist and its settings. Do not bring this up to date; take back what changed it.
 */
const frozen = `{
  "KillSwitch": {
    "Type": "AWS::SSM::Parameter",
    "Properties": {
      "AllowedPattern": "^(true|false)$",
      "Name": "/afk/control/kill-switch",
      "Type": "String",
      "Value": "true"
    },
    "UpdateReplacePolicy": "Retain",
    "DeletionPolicy": "Retain"
  },
  "Allowlist": {
    "Type": "AWS::SSM::Parameter",
    "Properties": {
      "Name": "/afk/control/allowlist",
      "Type": "String",
      "Value": "none"
    },
    "UpdateReplacePolicy": "Retain",
    "DeletionPolicy": "Retain"
  },
  "Settings": {
    "Type": "AWS::SSM::Parameter",
    "Properties": {
      "Name": "/afk/control/settings",
      "Type": "String",
      "Value": "{}"
    },
    "UpdateReplacePolicy": "Retain",
    "DeletionPolicy": "Retain"
  }
}`;

const everything = {
  reservedConcurrency: 0,
  schedules: 'off',
  alarmEmail: 'on-duty@example.com',
  githubUrl: 'https://github.example.com/api/v3',
  ntfyUrl: 'https://ntfy.example.com',
  ntfyTopic: 'afk',
  subnetIds: 'subnet-0123456789abcdef0',
  securityGroupIds: 'sg-0123456789abcdef0',
  secretsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/0123-abcd',
  tags: 'owner=platform, commit=0123456',
};

describe('the control parameters', () => {
  const app = anApp();
  const template = templateOf(app);

  test('are frozen byte for byte', () => {
    expect(JSON.stringify(resourcesOf(template, 'AWS::SSM::Parameter'), null, 2)).toBe(frozen);
  });

  test('are the same after a deploy with other code, other tags and every choice made otherwise', () => {
    const later = anApp(everything, 'export const handler = async () => 2;');
    const changed = templateOf(later);
    expect(JSON.stringify(resourcesOf(changed, 'AWS::SSM::Parameter'), null, 2)).toBe(frozen);
    // The deploy is another one indeed, and its tags are there.
    const codeOf = (of: typeof template) => propertiesOf(of, 'AWS::Lambda::Function').map((it) => it['Code']);
    expect(codeOf(changed)).not.toEqual(codeOf(template));
    expect(propertiesOf(changed, 'AWS::Lambda::Function')[0]).toMatchObject({
      Tags: [
        { Key: 'commit', Value: '0123456' },
        { Key: 'owner', Value: 'platform' },
      ],
    });
    // CloudFormation hands tags of the stack itself on to every resource.
    expect(later.synth().getStackByName('Afk').tags).toEqual({});
  });

  test('ship disarmed: nothing runs, nothing is enrolled', () => {
    const shipped = new Map(
      propertiesOf(template, 'AWS::SSM::Parameter').map((it) => [String(it['Name']), String(it['Value'])]),
    );
    expect([...shipped.keys()].filter((name) => !controlNames.includes(name))).toEqual([]);
    expect(parseControl(shipped, null)).toMatchObject({
      state: 'off',
      reason: 'the kill switch is on',
      unreadable: false,
    });
    // Each of the two gates alone is enough.
    const settings =
      '{"t3Url":"https://t3.example.com","defaults":{"model":"m","workspaceRoot":"/srv/{owner}__{name}"}}';
    const flipped = new Map([...shipped, ['/afk/control/kill-switch', 'false'], ['/afk/control/settings', settings]]);
    expect(parseControl(flipped, null)).toMatchObject({
      state: 'on',
      allowlist: [],
      noDispatch: 'no repo is enrolled',
    });
  });
});
