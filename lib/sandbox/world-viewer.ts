import { graphqlRefusal, refusalOf } from '../adapters/github-refusal.ts';
import type { Actor, IssueRef, RepoRef } from '../core/issue.ts';
import { PortError } from '../ports.ts';
import { GithubRefusal, gone, issuesOff, notFound } from './github-refusal.ts';
import type { Issue, Repo, State } from './github-state.ts';
import { accountOf, hasRole } from './github-state.ts';
import type { GithubWorld } from './github-world.ts';

/**
 * One account's way into a GitHub world without requests: what it may see, and refusals as the ports know them. Each
 * call of a port begins with `enter`, named after what the HTTP face is asked first: it lets the world come to the
 * present, and an account that is gone has no token any more.
 */
export const worldViewer = (github: GithubWorld, login: string, settle: () => void): WorldViewer => {
  const { state } = github;

  const refused = (what: string, { status, message, errors }: GithubRefusal): PortError =>
    refusalOf(what, { status, headers: {}, data: { message, errors } }, state.at);

  const maySee = (repo: Repo): boolean => hasRole(repo, login, 'read');

  const repoAt = ({ id }: RepoRef): Repo => {
    const repo = state.repos.get(Number(id));
    if (repo === undefined || !maySee(repo)) throw notFound();
    return repo;
  };

  const repoOfNode = (nodeId: string): Repo | null => {
    const entity = state.nodes.get(nodeId);
    return entity?.kind === 'repo' && maySee(entity.repo) ? entity.repo : null;
  };

  const unresolved = (what: string, thing: string): PortError =>
    graphqlRefusal(what, [{ type: 'NOT_FOUND', message: `Could not resolve to ${thing}` }]);

  return {
    github,
    state,
    login,
    maySee,
    repoAt,
    enter: (what) => {
      settle();
      if (accountOf(state, login).deleted) {
        throw refused(what, new GithubRefusal(401, 'Bad credentials', 'UNAUTHORISED'));
      }
    },
    repoOfNode,
    repoOf: ({ nodeId }, what) => {
      const repo = repoOfNode(nodeId);
      if (repo === null) throw unresolved(what, `a node with the global id of '${nodeId}'`);
      return repo;
    },
    unresolved,
    issueOfNode: (nodeId) => {
      const entity = state.nodes.get(nodeId);
      if (entity?.kind !== 'issue') return null;
      const repo = state.repos.get(entity.issue.repoId);
      return repo !== undefined && maySee(repo) ? { issue: entity.issue, repo } : null;
    },
    issueAt: ({ repo: ref, number }, way) => {
      const repo = repoAt(ref);
      const issue = repo.issues.get(number);
      if (issue === undefined) throw notFound();
      if (!repo.issuesEnabled && issue.pull === null) {
        throw issuesOff();
      }
      if (issue.deleted) throw gone();
      const moved = issue.movedTo === null ? undefined : state.issues.get(issue.movedTo);
      if (moved === undefined) return { issue, repo };
      const there = state.repos.get(moved.repoId);
      if (there === undefined || !maySee(there)) throw notFound();
      throw way === 'read'
        ? new GithubRefusal(301, 'Moved Permanently', 'MOVED')
        : new GithubRefusal(307, 'Temporary Redirect', 'MOVED');
    },
    asking: (route, act) => {
      try {
        return act();
      } catch (error) {
        if (error instanceof GithubRefusal) throw refused(route, error);
        throw error;
      }
    },
    actor: (name) => actorOf(state, name),
  };
};

export type WorldViewer = {
  readonly github: GithubWorld;
  readonly state: State;
  readonly login: string;
  readonly enter: (what: string) => void;
  readonly maySee: (repo: Repo) => boolean;
  /** By database id; throws the 404 of REST. */
  readonly repoAt: (ref: RepoRef) => Repo;
  /** By node id, as GraphQL finds it; null where there is none to be seen. */
  readonly repoOfNode: (nodeId: string) => Repo | null;
  readonly issueOfNode: (nodeId: string) => { issue: Issue; repo: Repo } | null;
  /** By node id where the rest of an answer is nothing without it; throws what GraphQL then says. */
  readonly repoOf: (ref: RepoRef, what: string) => Repo;
  readonly unresolved: (what: string, thing: string) => PortError;
  /** By number, as REST finds it; throws its 404, 410 or redirect, which has another status for a write. */
  readonly issueAt: (ref: IssueRef, way: 'read' | 'write') => { issue: Issue; repo: Repo };
  /** What is refused within `act` becomes the `PortError` of an answer to that route. */
  readonly asking: <T>(route: string, act: () => T) => T;
  readonly actor: (login: string) => Actor;
};

/** Such a name in a path leads to another place: an empty label to all labels, dots up. The client asks for none. */
export const refuseStray = (route: string, ...names: readonly string[]): void => {
  if (names.some((name) => ['', '.', '..'].includes(name))) {
    throw new PortError('refused', `${route}: a name that is empty or made of dots`);
  }
};

const actorOf = (state: State, login: string): Actor => {
  const { login: name, type, deleted } = accountOf(state, login);
  if (deleted) return null;
  switch (type) {
    case 'User':
      return { login: name, kind: 'user' };
    case 'Bot':
      return { login: name.replace(/\[bot\]$/, ''), kind: 'bot' };
    default:
      return { login: name, kind: 'other' };
  }
};
