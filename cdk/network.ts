import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { ScheduledFunction } from './scheduled-function.ts';

/** Where in a VPC the functions stand; the VPC is the one its subnets are in. */
export type Network = { subnetIds: readonly string[]; securityGroupIds: readonly string[] };

/**
 * Puts the functions into a VPC. Lambda makes and removes the network interfaces in the name of a function's role,
 * and takes these actions on all resources only: the one statement with a wildcard, and only in this variant.
 */
export const placeInNetwork = (
  scope: Construct,
  functions: readonly ScheduledFunction[],
  { subnetIds, securityGroupIds }: Network,
): void => {
  const policy = new iam.Policy(scope, 'NetworkInterfaces', {
    roles: functions.map(({ role }) => role),
    statements: [
      new iam.PolicyStatement({
        actions: [
          'ec2:AssignPrivateIpAddresses',
          'ec2:CreateNetworkInterface',
          'ec2:DeleteNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
      }),
    ],
  });
  Validations.of(policy).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'Lambda takes the permissions for its network interfaces on all resources only.',
  });
  for (const { fn } of functions) {
    const resource = fn.node.defaultChild;
    if (!(resource instanceof lambda.CfnFunction)) throw new Error('a function without its resource');
    resource.vpcConfig = { subnetIds: [...subnetIds], securityGroupIds: [...securityGroupIds] };
    resource.node.addDependency(policy);
  }
};
