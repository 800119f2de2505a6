import { nodeIdOf, shaOf } from './github-ids.ts';
import { invalid, notFound } from './github-refusal.ts';
import type { Account, Commit, Label, Repo, Role, Rules, State } from './github-state.ts';
import { accountOf, advance, findRepo, identity, repoOf } from './github-state.ts';

type Person = {
  type?: Account['type'];
  token?: string;
  app?: string;
  notAUser?: boolean;
};

/** How a repository is set up; `permissions` by login. */
export type RepoOptions = {
  permissions?: Readonly<Record<string, Role>>;
  defaultBranch?: string;
  private?: boolean;
  /** Of an organisation whose single sign-on no token here has passed: what mentions from there is refused. */
  behindSso?: boolean;
  archived?: boolean;
  issuesEnabled?: boolean;
  pullsEnabled?: boolean;
  rules?: Rules;
};

const nodePrefix = { User: 'U', Bot: 'BOT', Organization: 'O', Mannequin: 'MAN' } as const;

const firstCommit = (state: State, repo: Repo, author: string, at: number): Commit => {
  const sha = shaOf(`${repo.id}:0`);
  const commit: Commit = {
    sha,
    nodeId: nodeIdOf('C', sha),
    index: 0,
    repoId: repo.id,
    message: 'Initial commit',
    author,
    at,
    parents: [],
    files: ['README.md'],
  };
  repo.commits.set(sha, commit);
  repo.branches.set(repo.defaultBranch, sha);
  state.nodes.set(commit.nodeId, { kind: 'commit', commit });
  return commit;
};

/** Accounts, repositories and labels: who there is and what they may do. Set-up acts take no rights into account. */
export const peopleActs = (state: State) => {
  /** Adds an account; with a token, requests that carry it are this account's. Adding one twice is a mistake. */
  const addUser = (login: string, person: Person = {}): Account => {
    if (state.accounts.has(login.toLowerCase())) throw new Error(`this story has ${login} already`);
    const type = person.type ?? 'User';
    const account: Account = {
      ...identity(state, nodePrefix[type]),
      login,
      type,
      notAUser: person.notAUser ?? false,
      deleted: false,
      app: person.app ?? (type === 'Bot' ? login.replace(/\[bot\]$/, '') : null),
      createdAt: state.at,
    };
    state.accounts.set(login.toLowerCase(), account);
    state.nodes.set(account.nodeId, { kind: 'account', account });
    if (person.token !== undefined) state.tokens.set(person.token, account.login);
    return account;
  };

  /** A further token for an account, or a fresh one in place of an old one. */
  const addToken = (login: string, token: string): void => {
    state.tokens.set(token, accountOf(state, login).login);
  };

  /** From now on the token is 401. */
  const revokeToken = (token: string): void => {
    state.tokens.delete(token);
  };

  /** What the account did stays; who did it becomes null. */
  const deleteUser = (login: string): void => {
    accountOf(state, login).deleted = true;
  };

  /** Adds a repository with one commit on its default branch; an unknown owner becomes an organisation. */
  const addRepo = (name: string, options: RepoOptions = {}, at = state.at): Repo => {
    const now = advance(state, at);
    const owner = name.split('/')[0] ?? '';
    if (!state.accounts.has(owner.toLowerCase())) addUser(owner, { type: 'Organization' });
    if (findRepo(state, name)?.name.toLowerCase() === name.toLowerCase()) throw new Error(`${name} exists already`);
    const repo: Repo = {
      ...identity(state, 'R'),
      name,
      defaultBranch: options.defaultBranch ?? 'main',
      private: options.private ?? false,
      behindSso: options.behindSso ?? false,
      archived: options.archived ?? false,
      disabled: false,
      issuesEnabled: options.issuesEnabled ?? true,
      pullsEnabled: options.pullsEnabled ?? true,
      createdAt: now,
      permissions: new Map(),
      acting: null,
      labels: [],
      issues: new Map(),
      numbers: 0,
      commits: new Map(),
      branches: new Map(),
      activity: [],
      pushes: 0,
      suites: [],
      checks: [],
      statuses: [],
      deployments: [],
      rules: options.rules ?? {},
    };
    for (const [login, role] of Object.entries(options.permissions ?? {})) {
      repo.permissions.set(accountOf(state, login).login.toLowerCase(), role);
    }
    state.repos.set(repo.id, repo);
    state.names.set(name.toLowerCase(), repo.id);
    state.nodes.set(repo.nodeId, { kind: 'repo', repo });
    firstCommit(state, repo, owner, now);
    return repo;
  };

  /** Null takes the grant away; on a public repository the account can still read. */
  const setPermission = (name: string, login: string, role: Role | null): void => {
    const repo = repoOf(state, name);
    const key = accountOf(state, login).login.toLowerCase();
    if (role === null) repo.permissions.delete(key);
    else repo.permissions.set(key, role);
  };

  /** The old name leads to the repository until another one takes it. A new owner must be a known account. */
  const renameRepo = (from: string, to: string): void => {
    const repo = repoOf(state, from);
    accountOf(state, to.split('/')[0] ?? '');
    repo.name = to;
    state.names.set(to.toLowerCase(), repo.id);
  };

  /** Gone for everybody, as if it had never been. */
  const deleteRepo = (name: string): void => {
    const repo = repoOf(state, name);
    state.repos.delete(repo.id);
    state.nodes.delete(repo.nodeId);
    for (const issue of repo.issues.values()) state.nodes.delete(issue.nodeId);
    for (const commit of repo.commits.values()) state.nodes.delete(commit.nodeId);
    for (const label of repo.labels) state.nodes.delete(label.nodeId);
  };

  const archiveRepo = (name: string, archived = true): void => {
    repoOf(state, name).archived = archived;
  };

  const setIssuesEnabled = (name: string, enabled: boolean): void => {
    repoOf(state, name).issuesEnabled = enabled;
  };

  const setPullsEnabled = (name: string, enabled: boolean): void => {
    repoOf(state, name).pullsEnabled = enabled;
  };

  /** Rules on the default branch, in place of those before. */
  const setRules = (name: string, rules: Rules): void => {
    repoOf(state, name).rules = rules;
  };

  /** Names are unique without case: a second one is refused with 422 `already_exists`. */
  const addLabel = (name: string, label: { name: string; color?: string; description?: string }): Label => {
    const repo = repoOf(state, name);
    if (labelNamed(repo, label.name) !== undefined) throw invalid('Label', 'name', 'already_exists');
    const added: Label = {
      ...identity(state, 'LA'),
      name: label.name,
      color: label.color ?? 'ededed',
      description: label.description ?? null,
    };
    repo.labels.push(added);
    state.nodes.set(added.nodeId, { kind: 'label', label: added, repo });
    return added;
  };

  /** Issues that carry the label carry it under its new name; no event tells. */
  const renameLabel = (name: string, from: string, to: string): void => {
    const repo = repoOf(state, name);
    const label = labelNamed(repo, from);
    if (label === undefined) throw notFound();
    const other = labelNamed(repo, to);
    if (other !== undefined && other !== label) throw invalid('Label', 'name', 'already_exists');
    label.name = to;
  };

  return {
    addUser,
    addToken,
    revokeToken,
    deleteUser,
    addRepo,
    setPermission,
    renameRepo,
    deleteRepo,
    archiveRepo,
    setIssuesEnabled,
    setPullsEnabled,
    setRules,
    addLabel,
    renameLabel,
  };
};

/** The repository's label of that name, compared without case. */
export const labelNamed = (repo: Repo, name: string): Label | undefined =>
  repo.labels.find((label) => label.name.toLowerCase() === name.toLowerCase());
