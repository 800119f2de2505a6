import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { executorUrl } from '../lib/core/executor-url.ts';
import { githubUrl, githubUrlForm } from '../lib/core/github-url.ts';
import { githubLogin } from './github-login.ts';
import type { Credentials, GithubLogin } from './wiring.ts';

/** What the real thing on one machine needs of the environment. */
const Environment = z.object({
  GITHUB_TOKEN: z.string().optional(),
  GITHUB_APP_ID: z.string().optional(),
  GITHUB_APP_KEY_FILE: z.string().optional(),
  GITHUB_URL: z.string().transform(githubUrl).pipe(z.string()).optional(),
  T3_URL: z.string().transform(executorUrl).pipe(z.string()),
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
  const github = githubIn(env);
  if (parsed.success && 'login' in github)
    return { credentials: credentialsOf(parsed.data, github.login), t3Url: parsed.data.T3_URL };
  const problems = (parsed.error?.issues ?? []).map(({ path }) => {
    const name = path.join('.');
    return `  ${name} ${env[name] === undefined ? 'is not set' : 'does not look right'}: ${meaningOf(name)}`;
  });
  const all = 'refusal' in github ? [`  ${github.refusal}`, ...problems] : problems;
  return { refusal: `The real thing needs more of the environment (npm start -- --help):\n${all.join('\n')}` };
};

const names = { token: 'GITHUB_TOKEN', app: 'GITHUB_APP_ID with GITHUB_APP_KEY_FILE' };

const githubIn = (env: NodeJS.ProcessEnv): { login: GithubLogin } | { refusal: string } => {
  // A variable that is empty is as good as none.
  const [token, appId, file] = ['GITHUB_TOKEN', 'GITHUB_APP_ID', 'GITHUB_APP_KEY_FILE'].map(
    (name) => env[name] || undefined,
  );
  if (appId === undefined && file === undefined) return githubLogin({ token, app: undefined, names });
  if (appId === undefined || file === undefined)
    return { refusal: 'GITHUB_APP_ID and GITHUB_APP_KEY_FILE are set both or not at all' };
  const privateKey = textOf(file);
  return privateKey === null
    ? { refusal: 'GITHUB_APP_KEY_FILE names a file that cannot be read' }
    : githubLogin({ token, app: JSON.stringify({ appId, privateKey }), names });
};

const textOf = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
};

const meaningOf = (name: string): string => {
  switch (name) {
    case 'T3_URL':
      return 'the https URL of the T3 server (http only on a loopback or private address), without a password, a query or a fragment';
    case 'GITHUB_URL':
      return `${githubUrlForm}, or leave it unset`;
    case 'T3_TOKEN':
      return 'a T3 bearer, minted on its host (docs/t3-host.md)';
    default:
      return 'an address, or leave it unset';
  }
};

const credentialsOf = (env: z.infer<typeof Environment>, github: GithubLogin): Credentials => ({
  github,
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
