import { appMemory, githubApp } from '../lib/adapters/github-app.ts';
import { githubClient } from '../lib/adapters/github-client.ts';
import { whyTooOld } from '../lib/adapters/github-server-age.ts';
import { t3Client } from '../lib/adapters/t3-client.ts';
import { PortError } from '../lib/ports.ts';
import type { Credentials, GithubLogin } from './wiring.ts';

/** The T3 Code version whose answers this was built and tested on. */
const t3Known = '0.0.32';

/**
 * What a person wants to know before arming: who the tokens are, how long they last, what is in the way and how to
 * mend it. Reads only, and nothing of any repo: those are preflighted once they are enrolled.
 */
export const startUpCheck = async (
  { github: login, githubUrl, t3Token }: Credentials,
  { t3Url, agentLogins, now }: { t3Url: string; agentLogins: readonly string[]; now: number },
): Promise<readonly string[]> => {
  const t3 = t3Client({ url: t3Url, token: t3Token });
  const [onGithub, onT3] = await Promise.all([
    said(() => onGithubAs(login, { githubUrl, agentLogins, now })),
    said(async () => {
      const { version, tokenExpiresAt, canOperate } = await t3.health();
      const days = tokenExpiresAt === null ? null : Math.floor((tokenExpiresAt - now) / 86_400_000);
      return [
        `  T3: version ${version}${days === null ? '' : `, its token is good for ${days} days`}`,
        ...(version === t3Known
          ? []
          : [
              `  T3: this was built on ${t3Known}; other versions may answer in words it does not know, which run into deadlines`,
            ]),
        ...(canOperate
          ? []
          : [
              '  T3: the token may not dispatch: mint one with orchestration:read and orchestration:operate (docs/t3-host.md)',
            ]),
        ...(days !== null && days < 7 ? ['  T3: mint a new token on the host before it ends (docs/t3-host.md)'] : []),
      ];
    }),
  ]);
  return [...onGithub, ...onT3];
};

const onGithubAs = async (
  login: GithubLogin,
  { githubUrl, agentLogins, now }: { githubUrl: string | undefined; agentLogins: readonly string[]; now: number },
): Promise<readonly string[]> => {
  const options = { now: () => now, ...(githubUrl !== undefined && { baseUrl: githubUrl }) };
  if ('app' in login) {
    // What its server can do is asked by an installation, when a repo is preflighted.
    const who = await githubApp({ ...options, app: login.app, memory: appMemory() }).ownLogin();
    return [whoWeAre('the App', who, agentLogins)];
  }
  const client = githubClient({ ...options, token: login.token });
  const who = await client.ownLogin();
  const tooOld = githubUrl === undefined ? null : await whyTooOld(client);
  return [whoWeAre('the token', who, agentLogins), ...(tooOld === null ? [] : [`  GitHub: ${tooOld}`])];
};

const whoWeAre = (what: string, who: string, agentLogins: readonly string[]): string => {
  const isShared = agentLogins.some((agent) => agent.toLowerCase() === who.toLowerCase());
  return isShared
    ? `  GitHub: ${what} is ${who}'s, which is also one of agentLogins: give the agent an account of its own, or nobody can tell its acts from ours`
    : `  GitHub: ${what} is ${who}'s`;
};

/** A service that does not answer is said, and is no reason not to start: the ticks ask again every minute. */
const said = async (ask: () => Promise<readonly string[]>): Promise<readonly string[]> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return [`  ${error.message}`];
  }
};
