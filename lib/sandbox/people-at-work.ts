import type { WorldAct } from './agents.ts';
import { GithubRefusal } from './github-refusal.ts';
import { repoOf } from './github-state.ts';
import type { GithubWorld } from './github-world.ts';

/**
 * The maintainers of a world as far as its agents' pull requests need them: each does with one what its script says, at
 * its instant, and whoever wants to merge waits until GitHub lets them.
 */
export const peopleAtWork = (agent: string) => {
  let due: Due[] = [];

  /** Opens the pull request of a branch, or makes the one that is open ready, and plans what people do with it. */
  const propose = (github: GithubWorld, { repo, branch, pull }: Proposal, at: number): void => {
    const open = [...repoOf(github.state, repo).issues.values()].find(
      (issue) => issue.state === 'open' && issue.pull?.head === branch,
    );
    const { draft = false, conflicts = false, fate } = pull;
    const opening = { author: agent, title: pull.title, body: pull.body, head: branch, draft };
    const { number } = open ?? github.openPull(repo, opening, at);
    if (open !== undefined && !draft) github.markReady(repo, number, at);
    if (conflicts) github.setConflicting(repo, number, true);
    if (fate?.does === 'auto-merge') github.enableAutoMerge(repo, number, { actor: maintainer, method: 'squash' }, at);
    else if (fate !== undefined) due.push({ at: at + fate.afterMs, repo, number, does: fate.does });
  };

  const act = (github: GithubWorld, now: number): void => {
    const mine = due.filter(({ at }) => at <= now);
    due = due.filter(({ at }) => at > now);
    for (const one of mine) if (!done(github, one, now)) due.push({ ...one, at: now + againMs });
  };

  return {
    propose,
    act,
    nextAt: (): number | null => (due.length === 0 ? null : Math.min(...due.map(({ at }) => at))),
  };
};

type Proposal = { repo: string; branch: string; pull: NonNullable<WorldAct['pull']> };
type Does = Exclude<NonNullable<Proposal['pull']['fate']>['does'], 'auto-merge'>;
type Due = { at: number; repo: string; number: number; does: Does };

const maintainer = 'maintainer';
const againMs = 5 * 60_000;

/** False where GitHub does not let them, or its checks are not green: then they come back to it later. */
const done = (github: GithubWorld, one: Due, at: number): boolean => {
  try {
    return dealtWith(github, one, at);
  } catch (error) {
    if (error instanceof GithubRefusal) return false;
    throw error;
  }
};

const dealtWith = (github: GithubWorld, { repo, number, does }: Due, at: number): boolean => {
  const issue = repoOf(github.state, repo).issues.get(number);
  if (issue?.pull == null || issue.state === 'closed') return true;
  switch (does) {
    case 'close':
      github.close(repo, number, maintainer, at);
      return true;
    case 'ask for changes':
      github.reviewPull(repo, number, 'changes_requested', at);
      return true;
    case 'merge':
    case 'squash':
    case 'rebase':
    case 'squash in own words': {
      if (!github.isGreen(repo, issue.pull.sha)) return false;
      github.reviewPull(repo, number, 'approved', at);
      const message = does === 'squash in own words' ? { message: `Mend it, as agreed (#${number})` } : {};
      const method = does === 'squash in own words' ? 'squash' : does;
      github.landPull(repo, number, { actor: maintainer, method, ...message }, at);
      return true;
    }
  }
};
