import * as z from 'zod';
import { githubUrl, githubUrlForm } from '../lib/core/github-url.ts';
import { topicArnPattern } from '../lib/core/topic-arn.ts';

/**
 * What a function needs of its environment and no parameter can hold. The type is what `cdk/` must provide
 * (`satisfies Environment`); the names of parameters are fixed in `lib/core/control.ts` and below.
 */
export const Environment = z.object({
  TABLE_NAME: z.string().min(3),
  /** Only where the tracker is not github.com. */
  GITHUB_URL: z.string().transform(githubUrl).pipe(z.string()).optional(),
  /** A doorbell at ntfy: both or none. */
  NTFY_URL: z.url({ protocol: /^https?$/ }).optional(),
  NTFY_TOPIC: z.string().min(1).optional(),
  /** A doorbell on a topic of SNS. */
  DOORBELL_TOPIC_ARN: z.string().regex(topicArnPattern).optional(),
});
export type Environment = z.infer<typeof Environment>;

/** SecureStrings by exact name; put by a person, read after the gate and never before. */
export const secretNames = {
  githubToken: '/afk/secret/github-token',
  githubApp: '/afk/secret/github-app',
  t3Token: '/afk/secret/t3-token',
  slackWebhook: '/afk/secret/slack-webhook',
  ntfyToken: '/afk/secret/ntfy-token',
} as const;

/** What each function asks for and may read: the poller rings no doorbell. */
export const secretsOf = {
  poller: [secretNames.githubToken, secretNames.githubApp, secretNames.t3Token],
  watcher: [
    secretNames.githubToken,
    secretNames.githubApp,
    secretNames.t3Token,
    secretNames.slackWebhook,
    secretNames.ntfyToken,
  ],
} as const satisfies Record<string, readonly string[]>;

/** Parses the environment; throws an `Error` that names every value that is missing or wrong, and quotes none. */
export const environmentOf = (env: Readonly<Record<string, string | undefined>>): Environment => {
  const parsed = Environment.safeParse(env);
  if (parsed.success) {
    const { NTFY_URL, NTFY_TOPIC } = parsed.data;
    if ((NTFY_URL === undefined) !== (NTFY_TOPIC === undefined))
      throw new Error('environment: NTFY_URL and NTFY_TOPIC are set both or not at all');
    return parsed.data;
  }
  const problems = parsed.error.issues.map(({ path }) => {
    const name = path.join('.');
    if (env[name] === undefined) return `${name} is not set`;
    return name === 'GITHUB_URL' ? `${name} must be ${githubUrlForm}` : `${name} does not look right`;
  });
  throw new Error(`environment: ${problems.join('; ')}`);
};
