/** A topic's ARN, as CloudFormation resolves it. */
export const topicArn = 'arn:aws:sns:eu-west-1:111122223333:Afk-Topic0A1B2C3D-x';

/** Context values of a deploy that asks for everything an environment can hold. */
export const richContext = {
  githubUrl: 'https://github.example.com/api/v3',
  ntfyUrl: 'https://ntfy.example.com',
  ntfyTopic: 'afk',
  doorbellTopic: 'on',
};

const table = { TABLE_NAME: 'Afk-Runs' };
const onEnterprise = { ...table, GITHUB_URL: richContext.githubUrl };

/**
 * What the template gives each function, without any context value and with all of them: one test holds the template to
 * it, another starts the built functions with exactly this.
 */
export const deployedEnvironments = {
  plain: { poller: table, watcher: table },
  rich: {
    poller: onEnterprise,
    watcher: {
      ...onEnterprise,
      NTFY_URL: richContext.ntfyUrl,
      NTFY_TOPIC: richContext.ntfyTopic,
      DOORBELL_TOPIC_ARN: topicArn,
    },
  },
} as const;
