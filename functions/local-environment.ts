import * as z from 'zod';
import type { Credentials } from './wiring.ts';

/** What the real thing on one machine needs of the environment. */
const Environment = z.object({
  GITHUB_TOKEN: z.string().min(1),
  GITHUB_URL: z.url().optional(),
  T3_URL: z.url(),
  T3_TOKEN: z.string().min(1),
  SLACK_WEBHOOK: z.url().optional(),
  NTFY_URL: z.url().optional(),
  NTFY_TOPIC: z.string().optional(),
  NTFY_TOKEN: z.string().optional(),
});

/** The credentials and the T3 server, or in words every name that is missing or wrong, at once; no value is quoted. */
export const realCredentials = (
  env: NodeJS.ProcessEnv,
): { credentials: Credentials; t3Url: string } | { refusal: string } => {
  const parsed = Environment.safeParse(env);
  if (parsed.success) return { credentials: credentialsOf(parsed.data), t3Url: parsed.data.T3_URL };
  const problems = parsed.error.issues.map(({ path }) => {
    const name = path.join('.');
    return `  ${name} ${env[name] === undefined ? 'is not set' : 'does not look right'}: ${meaningOf(name)}`;
  });
  return { refusal: `The real thing needs more of the environment (npm start -- --help):\n${problems.join('\n')}` };
};

const meaningOf = (name: string): string => {
  switch (name) {
    case 'GITHUB_TOKEN':
      return 'a token that may read and label the enrolled repos';
    case 'T3_URL':
      return 'the address of the T3 server, such as https://t3.example.com';
    case 'T3_TOKEN':
      return 'a T3 bearer, minted on its host (docs/t3-host.md)';
    default:
      return 'an address, or leave it unset';
  }
};

const credentialsOf = (env: z.infer<typeof Environment>): Credentials => ({
  githubToken: env.GITHUB_TOKEN,
  ...(env.GITHUB_URL !== undefined && { githubUrl: env.GITHUB_URL }),
  t3Token: env.T3_TOKEN,
  ...(env.SLACK_WEBHOOK !== undefined && { slackWebhook: env.SLACK_WEBHOOK }),
  ...(env.NTFY_URL !== undefined &&
    env.NTFY_TOPIC !== undefined && {
      ntfy: {
        url: env.NTFY_URL,
        topic: env.NTFY_TOPIC,
        ...(env.NTFY_TOKEN !== undefined && { token: env.NTFY_TOKEN }),
      },
    }),
});
