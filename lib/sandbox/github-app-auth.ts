import { createVerify } from 'node:crypto';
import * as z from 'zod';
import type { App, Permissions } from './github-apps.ts';
import { covers, grants } from './github-apps.ts';
import { GithubRefusal } from './github-refusal.ts';
import type { State } from './github-state.ts';
import { accountOf } from './github-state.ts';

/** Who asks: an account by its own token, an App's bot by an installation's, or an App by a signed statement. */
export type Asking =
  | { as: 'user'; login: string; payer: string; granted: null }
  | { as: 'installation'; login: string; payer: string; granted: Permissions }
  | { as: 'app'; app: App };

/**
 * Who a credential stands for at `now`. A refusal is thrown: of a token that is not known, or no longer, and of a
 * statement whose signature or times do not hold. The rights of an App's bot are set to those of its token.
 */
export const askingBy = (state: State, credential: string | undefined, now: number): Asking => {
  if (credential === undefined) throw new GithubRefusal(401, 'Requires authentication', 'UNAUTHENTICATED');
  if (isJwt(credential)) return { as: 'app', app: appOf(state, credential, now) };
  const token = state.installationTokens.get(credential);
  if (token !== undefined && now < token.expiresAt) return installationAsks(state, token);
  const login = state.tokens.get(credential);
  if (login === undefined || accountOf(state, login).deleted)
    throw new GithubRefusal(401, 'Bad credentials', 'UNAUTHENTICATED');
  return { as: 'user', login, payer: login, granted: null };
};

const installationAsks = (state: State, { installationId, permissions, repos }: Token): Asking => {
  const installation = state.installations.get(installationId);
  const app = installation && state.apps.get(installation.appId);
  if (installation === undefined || app === undefined)
    throw new GithubRefusal(401, 'Bad credentials', 'UNAUTHENTICATED');
  if (installation.suspendedAt !== null) throw suspended();
  const login = `${app.slug}[bot]`;
  const role = grants(permissions, 'issues', 'write') ? 'write' : 'read';
  for (const repo of state.repos.values()) {
    const isReached = covers(installation, repo) && (repos === null || repos.has(repo.id));
    repo.acting = isReached ? { login, role } : null;
  }
  return { as: 'installation', login, payer: `installation ${installationId}`, granted: permissions };
};

type Token = { installationId: number; permissions: Permissions; repos: ReadonlySet<number> | null };

/** What GitHub says to an App whose installation somebody suspended. */
export const suspended = (): GithubRefusal =>
  new GithubRefusal(403, 'This installation has been suspended', 'FORBIDDEN');

const isJwt = (credential: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(credential);

const Header = z.object({ alg: z.literal('RS256') });
const Claims = z.object({ iat: z.int(), exp: z.int(), iss: z.union([z.string(), z.number()]).transform(Number) });

/** The App that signed, if GitHub would believe it: RS256, issued in the past, good for ten minutes at most. */
const appOf = (state: State, jwt: string, now: number): App => {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const claims = Claims.safeParse(jsonIn(payload)).data;
  if (!Header.safeParse(jsonIn(header)).success || claims === undefined) throw undecodable();
  const app = state.apps.get(claims.iss);
  if (app === undefined) throw new GithubRefusal(404, 'Integration not found', 'NOT_FOUND');
  const isSigned = createVerify('RSA-SHA256')
    .update(`${header}.${payload}`)
    .verify(app.publicKey, signature, 'base64url');
  if (!isSigned) throw undecodable();
  const seconds = Math.floor(now / 1000);
  if (claims.iat > seconds)
    throw unfit("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
  if (claims.exp <= seconds)
    throw unfit(
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (claims.exp - seconds > 600) throw unfit("'Expiration time' claim ('exp') is too far in the future");
  return app;
};

const unfit = (message: string): GithubRefusal => new GithubRefusal(401, message, 'UNAUTHENTICATED');
const undecodable = (): GithubRefusal => unfit('A JSON web token could not be decoded');

const jsonIn = (part: string): unknown => {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
};
