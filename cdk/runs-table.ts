import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { RemovalPolicy } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

/**
 * The one table: string keys `pk` and `sk`, paid by request, recoverable to any second of the last 35 days, and kept
 * when the stack goes. No index and no expiry: nothing in the store asks for either.
 */
export const runsTable = (scope: Construct): dynamodb.TableV2 =>
  new dynamodb.TableV2(scope, 'Runs', {
    partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
    sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
    billing: dynamodb.Billing.onDemand(),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    // Without the open runs in it nobody knows which repo is held by an agent.
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
