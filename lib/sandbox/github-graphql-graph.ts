import type { Account, Check, Comment, Commit, Deployment, Issue, Label, Repo, State, Suite } from './github-state.ts';
import { accountOf, hasRole } from './github-state.ts';

/** One object of an answer: a property per field, a function where the field takes arguments or leads further. */
export type Node = Readonly<Record<string, unknown>>;

/** One viewer's way through the world. Each entry makes the node of one thing, under the SDL's names. */
export type Graph = {
  state: State;
  viewer: string;
  base: string;
  actor: (login: string | null) => Node | null;
  repo: (repo: Repo) => Node;
  issue: (issue: Issue) => Node;
  comment: (comment: Comment) => Node;
  label: (repo: Repo, label: Label) => Node;
  commit: (repo: Repo, commit: Commit) => Node;
  suite: (repo: Repo, suite: Suite) => Node;
  check: (repo: Repo, check: Check) => Node;
  deployment: (repo: Repo, deployment: Deployment) => Node;
};

const html = 'https://github.com';

/** `Actor`, or null for an account that was deleted. Bots are named without the suffix that REST adds. */
export const actorNode = (state: State, login: string | null): Node | null => {
  const account = login === null ? null : accountOf(state, login);
  return account === null || account.deleted ? null : accountNode(account);
};

/** An account that is there. */
export const accountNode = (account: Account): Node => {
  const login = account.type === 'Bot' ? account.login.replace(/\[bot\]$/, '') : account.login;
  return {
    __typename: account.type,
    id: account.nodeId,
    databaseId: account.id,
    login,
    name: null,
    url: `${html}/${encodeURIComponent(login)}`,
    resourcePath: `/${encodeURIComponent(login)}`,
    avatarUrl: `https://avatars.githubusercontent.com/u/${account.id}?v=4`,
  };
};

/** What may be seen of it decides whether a node is there at all. */
export const canSee = (graph: Graph, repo: Repo): boolean => hasRole(repo, graph.viewer, 'read');
