import * as z from 'zod';
import type { RepoName, RepoRef } from '../core/issue.ts';
import { ownerOf } from '../core/repo-name.ts';
import { type Meter, PortError } from '../ports.ts';
import { appJwt, type GithubAppKey } from './github-app-jwt.ts';
import { type GithubClient, type GithubOptions, githubClient, read, type TokenSource } from './github-client.ts';
import { accountAt, publicApi } from './github-ledger.ts';
import { refusalOf } from './github-refusal.ts';
import { Id, Instant } from './github-wire.ts';
import { sealedTokens, type TextCache, type Token } from './sealed-tokens.ts';

/**
 * A GitHub App: a client for each installation, found by a repo's name and kept by its owner. Tokens are minted for an
 * hour with no more rights than are used, and shared: in memory within a container, encrypted in `shared` among all.
 * One that is refused with 401 is minted anew, once. What concerns one installation is refused for its repos alone.
 */
export const githubApp = (options: GithubAppOptions): GithubApp => {
  const { app, memory, shared = null, ...common } = options;
  const { now } = common;
  const tokens = shared === null ? null : sealedTokens(shared, { secret: app.privateKey, now });
  const asApp = githubClient({
    ...common,
    token: { current: async () => appJwt(app, now()), renewed: async () => null },
  });
  /** As the App itself. One that GitHub does not know is no word about any repo, though it comes as a 404 as well. */
  const ask: GithubClient['ask'] = async (route, params, accepted) => {
    const answer = await asApp.ask(route, params, [...accepted, 404]);
    if (answer.status !== 404) return answer;
    const refusal = refusalOf(route, answer, now());
    if (/integration not found/i.test(refusal.message))
      throw new PortError('unauthorised', 'GitHub knows no App with this id: compare it with the page of the App');
    if (accepted.includes(404)) return answer;
    throw refusal;
  };
  const clients = new Map<string, GithubClient>();
  const finding = new Map<string, Promise<Installation>>();

  let login: Promise<string> | null = null;
  const ownLogin = (): Promise<string> => {
    login ??= ask('GET /app', {}, [200]).then(({ data }) => `${read(OwnApp, data, 'GET /app').slug}[bot]`);
    login.catch(() => {
      login = null;
    });
    return login;
  };

  /** The installation that reaches this very repo, asked for anew; a former name leads to its present one. */
  const find = async (name: RepoName): Promise<Installation> => {
    const [owner = '', repo = '', ...rest] = name.split('/');
    if (rest.length > 0 || [owner, repo].some((part) => part === '' || /^\.+$/.test(part)))
      throw new NotInstalled(name);
    const route = 'GET /repos/{owner}/{repo}/installation';
    const first = await ask(route, { owner, repo }, [200, 301, 307, 404]);
    const [, id] = /\/repositories\/(\d+)\/installation$/.exec(first.headers['location'] ?? '') ?? [];
    const moved = first.status === 301 || first.status === 307;
    if (moved && id === undefined) throw refusalOf(route, first, now());
    const answer = moved ? await ask('GET /repositories/{repo_id}/installation', { repo_id: id }, [200, 404]) : first;
    if (answer.status === 404) throw new NotInstalled(name);
    const found = read(Installed, answer.data, route);
    const account = found.account?.login ?? owner;
    if (found.suspended_at !== null)
      throw new PortError('refused', `the GitHub App is suspended on ${account}: unsuspend its installation there`);
    memory.installations.set(keyOf(app, account), found.id);
    return { id: found.id, account };
  };

  const forget = (installation: Installation): void => {
    for (const [key, id] of memory.installations) if (id === installation.id) memory.installations.delete(key);
  };

  const mint = async (installation: Installation): Promise<Token> => {
    const route = 'POST /app/installations/{installation_id}/access_tokens';
    const asked = { installation_id: installation.id, permissions: appPermissions };
    const answer = await ask(route, asked, [201, 403, 404, 422]);
    if (answer.status === 201) {
      const { token, expires_at } = read(Minted, answer.data, route);
      return { token, expiresAt: expires_at };
    }
    // Installed again it has another id.
    forget(installation);
    const { message } = refusalOf(`the GitHub App gets no token for ${installation.account}`, answer, now());
    throw new PortError('refused', `${message}: ${remedies[answer.status] ?? ''}`);
  };

  const clientOf = (installation: Installation): GithubClient => {
    const known = clients.get(installation.id);
    if (known !== undefined) return known;
    const source = tokensOf({ ...installation, app, now, memory, tokens, mint: () => mint(installation) });
    const account = ownerOf(installation.account);
    const client = githubClient({ ...common, account, token: { ...source, ownLogin } });
    clients.set(installation.id, client);
    return client;
  };

  const known = (owner: string): Installation | null => {
    const id = memory.installations.get(keyOf(app, owner));
    return id === undefined ? null : { id, account: owner };
  };

  return {
    ownLogin,
    meter: {
      accountOf: (name) => accountAt(common.baseUrl ?? publicApi, ownerOf(name)),
      budgets: () => [...clients.values()].flatMap(({ meter }) => meter.budgets()),
    },
    clientFor: async (name) => {
      const owner = ownerOf(name);
      // One question for an owner at a time: the answer to it is most often the next one's too.
      const other = finding.get(owner);
      if (other !== undefined) await other.catch(() => undefined);
      const found = known(owner);
      if (found !== null) return clientOf(found);
      const asked = find(name);
      finding.set(owner, asked);
      try {
        return clientOf(await asked);
      } finally {
        if (finding.get(owner) === asked) finding.delete(owner);
      }
    },
    clientNow: async (name) => clientOf(await find(name)),
    nameNow: ({ id, name }) => memory.names.get(id) ?? name,
    learnName: ({ id, name }, now) => {
      if (ownerOf(name) === ownerOf(now)) memory.names.delete(id);
      else memory.names.set(id, now);
    },
  };
};

/** What concerns one repo: the App is not installed there, or nobody may see that it is. */
export class NotInstalled extends PortError {
  constructor(name: RepoName) {
    super(
      'refused',
      `the GitHub App is not installed on ${name}: install it there, or add the repo to its installation`,
    );
    this.name = 'NotInstalled';
  }
}

export type GithubApp = {
  /** The client of the installation on the repo's owner. Throws `NotInstalled`, or the `PortError` that says why not. */
  clientFor: (name: RepoName) => Promise<GithubClient>;
  /** The same by asking anew, of this very repo: the App may have been taken off it, or it moved to another owner. */
  clientNow: (name: RepoName) => Promise<GithubClient>;
  /** The name a repo goes by, where it was seen to have moved to another owner; else the one it is asked for by. */
  nameNow: (repo: RepoRef) => RepoName;
  learnName: (repo: RepoRef, now: RepoName) => void;
  /** `<slug>[bot]`, as REST names the account the App acts as. */
  ownLogin: () => Promise<string>;
  /** Each installation has budgets of its own. */
  meter: Meter;
};

export type GithubAppOptions = Omit<GithubOptions, 'token'> & {
  app: GithubAppKey;
  memory: AppMemory;
  shared?: TextCache | null;
};

/** What a container keeps of its Apps, from one invocation to the next. */
export type AppMemory = {
  installations: Map<string, string>;
  tokens: Map<string, Token>;
  /** By id, of repos whose owner is another one than when their run began. */
  names: Map<string, RepoName>;
};
export const appMemory = (): AppMemory => ({ installations: new Map(), tokens: new Map(), names: new Map() });

/** All that AFK ever asks for; each token is minted with these and no more. */
export const appPermissions = {
  metadata: 'read',
  issues: 'write',
  contents: 'read',
  checks: 'read',
  statuses: 'read',
  deployments: 'read',
  actions: 'read',
  pull_requests: 'read',
} as const;

type Installation = { id: string; account: string };

const keyOf = ({ appId }: GithubAppKey, rest: string): string => `${appId}#${rest.toLowerCase()}`;

const remedies: Readonly<Record<number, string>> = {
  403: 'unsuspend its installation there',
  404: 'it was uninstalled there; install it again, or take the repos off the allowlist',
  422: 'grant the installation all permissions that docs/deploy.md lists',
};

/** One installation's token: from memory, else from the others, else minted. Asked for at once, it is fetched once. */
const tokensOf = ({
  id,
  app,
  now,
  memory,
  tokens,
  mint,
}: Installation &
  Pick<GithubAppOptions, 'app' | 'now' | 'memory'> & {
    tokens: ReturnType<typeof sealedTokens> | null;
    mint: () => Promise<Token>;
  }): TokenSource => {
  // Another version may use more rights: its tokens are others.
  const key = `${keyOf(app, id)}#${Object.entries(appPermissions).flat().join('.')}`;
  const replacements = new Set<string>();
  let fetching: Promise<string> | null = null;
  const held = (): string | null => {
    const token = memory.tokens.get(key);
    return token !== undefined && token.expiresAt - now() >= leastMs ? token.token : null;
  };
  const mintAnew = async (): Promise<Token> => {
    const token = await mint();
    await tokens?.set(key, token);
    return token;
  };
  const fetched = (from: () => Promise<Token>): Promise<string> => {
    fetching ??= from()
      .then((token) => {
        memory.tokens.set(key, token);
        return token.token;
      })
      .finally(() => {
        fetching = null;
      });
    return fetching;
  };
  return {
    current: async () => held() ?? fetched(async () => (await tokens?.get(key)) ?? mintAnew()),
    renewed: async (refused) => {
      const other = held();
      if (other !== null && other !== refused) return other;
      // Minted in the place of a refused one and refused itself: a third would be as well.
      if (replacements.has(refused)) return null;
      const token = await fetched(mintAnew);
      replacements.add(token);
      return token;
    },
  };
};

/** As long as a tick may last, and clocks may differ. */
const leastMs = 5 * 60_000;

const OwnApp = z.object({ slug: z.string().regex(/^[\w-]+$/) });
const Installed = z.object({
  id: Id,
  account: z.object({ login: z.string() }).nullish(),
  suspended_at: z
    .string()
    .nullish()
    .transform((at) => at ?? null),
});
const Minted = z.object({ token: z.string().regex(/^[\x21-\x7e]+$/), expires_at: Instant });
