import { appActs } from './github-apps.ts';
import type { Ci, Deploys } from './github-ci.ts';
import { ciActs } from './github-ci.ts';
import { commitActs } from './github-commits.ts';
import { linkActs } from './github-issue-links.ts';
import { issueActs } from './github-issues.ts';
import type { RepoOptions } from './github-people.ts';
import { peopleActs } from './github-people.ts';
import { pullActs } from './github-pulls.ts';
import type { Repo, State } from './github-state.ts';

/**
 * GitHub as a state machine in virtual time: people, repositories, issues, commits, CI and deployments, changed by a
 * story's acts and by nothing else. Instants are epoch milliseconds and are handed in; ids and shas follow from the
 * order of the acts, so that the same story always gives the same world. What is reported after a push (checks,
 * statuses, deployments) becomes visible as `settle` lets time pass. Acts throw `GithubRefusal` where GitHub itself
 * would refuse, and a plain error where the story names something that does not exist.
 */
export const githubWorld = ({ at = 0 }: { at?: number } = {}) => {
  const state: State = {
    at,
    ids: 1000,
    due: [],
    accounts: new Map(),
    tokens: new Map(),
    apps: new Map(),
    installations: new Map(),
    installationTokens: new Map(),
    repos: new Map(),
    names: new Map(),
    issues: new Map(),
    comments: new Map(),
    nodes: new Map(),
  };
  const people = peopleActs(state);
  const { runCi, ...ci } = ciActs(state);
  const { mergeWhatIsReady, ...pulls } = pullActs(state, runCi);

  /** Lets time pass up to `until`, and auto-merge do its work. */
  const settle = (until: number): void => {
    ci.settle(until);
    mergeWhatIsReady(until);
  };

  /** As a repository is set up, with what its CI and its deployments do about a push. */
  const addRepo = (
    name: string,
    options: RepoOptions & { ci?: Ci; deploys?: Deploys } = {},
    since = state.at,
  ): Repo => {
    const { ci: checks, deploys, ...rest } = options;
    const repo = people.addRepo(name, rest, since);
    ci.setCi(name, { ...(checks && { ci: checks }), ...(deploys && { deploys }) });
    return repo;
  };

  const commits = commitActs(state, runCi);
  return {
    state,
    ...people,
    ...appActs(state),
    addRepo,
    ...issueActs(state),
    ...linkActs(state),
    ...commits,
    ...pulls,
    ...ci,
    settle,
  };
};

export type GithubWorld = ReturnType<typeof githubWorld>;
