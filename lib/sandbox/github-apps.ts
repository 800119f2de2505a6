import type { Repo, State } from './github-state.ts';
import { accountOf, findRepo, identity, nextId, repoOf } from './github-state.ts';

/** What an App or a token of it may do, by GitHub's names of permissions. */
export type Permissions = Readonly<Record<string, 'read' | 'write' | 'admin'>>;

/** `publicKey` in PEM: what the App's signatures are verified with. `permissions` is what it asks an installation for. */
export type App = {
  id: number;
  nodeId: string;
  slug: string;
  owner: string;
  publicKey: string;
  permissions: Permissions;
  createdAt: number;
};

/** An App on one account. `repos` are ids, where somebody selected some. */
export type Installation = {
  id: number;
  appId: number;
  account: string;
  repos: ReadonlySet<number> | 'all';
  permissions: Permissions;
  suspendedAt: number | null;
  createdAt: number;
};

/** A token of an installation; `repos` where it was narrowed to some of them. */
export type InstallationToken = {
  installationId: number;
  permissions: Permissions;
  repos: ReadonlySet<number> | null;
  expiresAt: number;
};

/** Apps and their installations. The App's bot is an account of its own; its rights are those of the token at hand. */
export const appActs = (state: State) => {
  const installed = (slug: string, account: string): Installation => {
    const app = appNamed(state, slug);
    const found = [...state.installations.values()].find((one) => one.appId === app.id && isSame(one.account, account));
    if (found === undefined) throw new Error(`this story has no installation of ${slug} on ${account}`);
    return found;
  };

  /** Registers an App, and its bot `<slug>[bot]`. */
  const addApp = (slug: string, app: { publicKey: string; owner: string; permissions: Permissions }): App => {
    const bot = `${slug}[bot]`;
    const id = nextId(state);
    state.accounts.set(bot, {
      ...identity(state, 'BOT'),
      login: bot,
      type: 'Bot',
      app: slug,
      notAUser: false,
      deleted: false,
      createdAt: state.at,
    });
    const account = accountOf(state, bot);
    state.nodes.set(account.nodeId, { kind: 'account', account });
    const added: App = {
      id,
      nodeId: `A_${id}`,
      slug,
      owner: accountOf(state, app.owner).login,
      publicKey: app.publicKey,
      permissions: { metadata: 'read', ...app.permissions },
      createdAt: state.at,
    };
    state.apps.set(added.id, added);
    return added;
  };

  /** Installs an App on an account, for all of its repositories or those named; once more is a new installation. */
  const installApp = (
    slug: string,
    account: string,
    { repos, permissions }: { repos?: readonly string[]; permissions?: Permissions } = {},
  ): Installation => {
    const app = appNamed(state, slug);
    const added: Installation = {
      id: nextId(state),
      appId: app.id,
      account: accountOf(state, account).login,
      repos: repos === undefined ? 'all' : new Set(repos.map((name) => repoOf(state, name).id)),
      permissions: permissions === undefined ? app.permissions : { metadata: 'read', ...permissions },
      suspendedAt: null,
      createdAt: state.at,
    };
    state.installations.set(added.id, added);
    return added;
  };

  /** From now on there is no such installation, and its tokens are 401. */
  const uninstallApp = (slug: string, account: string): void => {
    const { id } = installed(slug, account);
    state.installations.delete(id);
    for (const [token, { installationId }] of state.installationTokens)
      if (installationId === id) state.installationTokens.delete(token);
  };

  const suspendApp = (slug: string, account: string, suspended = true): void => {
    installed(slug, account).suspendedAt = suspended ? state.at : null;
  };

  /** Only these repositories are the installation's from now on. */
  const selectRepos = (slug: string, account: string, repos: readonly string[]): void => {
    installed(slug, account).repos = new Set(repos.map((name) => repoOf(state, name).id));
  };

  return { addApp, installApp, uninstallApp, suspendApp, selectRepos };
};

/** Whether the installation reaches the repository: its owner is the installation's account, and it was selected. */
export const covers = ({ account, repos }: Pick<Installation, 'account' | 'repos'>, repo: Repo): boolean =>
  isSame(repo.name.split('/')[0] ?? '', account) && (repos === 'all' || repos.has(repo.id));

/** The App's installation that reaches a repository, by present or former name. */
export const installationFor = (state: State, app: App, name: string): Installation | undefined => {
  const repo = findRepo(state, name);
  return repo && [...state.installations.values()].find((one) => one.appId === app.id && covers(one, repo));
};

/** Whether a grant holds this permission, or more than it. */
export const grants = (granted: Permissions, name: string, level: 'read' | 'write' | 'admin'): boolean => {
  const held = granted[name];
  return held !== undefined && levels[held] >= levels[level];
};

const levels = { read: 1, write: 2, admin: 3 } as const;

const appNamed = (state: State, slug: string): App => {
  const app = [...state.apps.values()].find((one) => one.slug === slug);
  if (app === undefined) throw new Error(`this story has no App ${slug}`);
  return app;
};

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
