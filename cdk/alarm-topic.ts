import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

/** The topic that the alarms are sent to, and notices where that was chosen. `email` is subscribed, once confirmed. */
export const alarmTopic = (scope: Construct, email: string | undefined): sns.Topic => {
  const topic = new sns.Topic(scope, 'Topic', { displayName: 'AFK', enforceSSL: true });
  // A topic with a policy of its own has lost the default one, by which alarms of the account may publish.
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'Alarms',
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
  return topic;
};
