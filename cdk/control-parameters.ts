import * as ssm from 'aws-cdk-lib/aws-ssm';
import { RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { controlNames } from '../lib/core/control.ts';

/**
 * The control parameters with their safe values, and nothing else ever: CloudFormation writes the value of its
 * template back whenever *any* property of a parameter changes, a tag or a description included. So these resources
 * never change again. `test/cdk/control-parameters.test.ts` holds them byte for byte; they take no tags
 * (`tagged` in `stack.ts`), and their logical ids are fixed, because another id is another resource.
 * They outlive the stack. Returns their names; the allowlist's further parts are an operator's own to create.
 */
export const controlParameters = (scope: Construct): readonly string[] => {
  const shipped = [
    { id: 'KillSwitch', name: '/afk/control/kill-switch', value: 'true', allowedPattern: '^(true|false)$' },
    { id: 'Allowlist', name: '/afk/control/allowlist', value: 'none' },
    { id: 'Settings', name: '/afk/control/settings', value: '{}' },
  ];
  for (const { id, ...properties } of shipped) {
    const parameter = new ssm.CfnParameter(scope, id, { type: 'String', ...properties });
    parameter.overrideLogicalId(id);
    parameter.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
  return shipped.map(({ name }) => name);
};

/** The ARNs of all nine control parameters, in the order in which they are asked for. */
export const controlArns = (scope: Construct): string[] => controlNames.map((name) => parameterArn(scope, name));

/** The ARN of one parameter by exact name. */
export const parameterArn = (scope: Construct, name: string): string =>
  Stack.of(scope).formatArn({ service: 'ssm', resource: 'parameter', resourceName: name.replace(/^\//, '') });
