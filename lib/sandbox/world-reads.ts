import { subIssuesSummary } from './github-reads.ts';
import type { Issue, IssueEvent, Repo, State } from './github-state.ts';

/** The newest events of these kinds, oldest first; `complete` where there are no older ones. */
export const newestEvents = <K extends IssueEvent['kind']>(issue: Issue, kinds: readonly K[], max: number) => {
  const wanted: ReadonlySet<string> = new Set(kinds);
  const isWanted = (event: IssueEvent): event is Extract<IssueEvent, { kind: K }> => wanted.has(event.kind);
  // Time never goes back in a world, so the events lie in the order of time.
  const found = issue.events.filter(isWanted);
  return { list: found.slice(-max), complete: found.length <= max };
};

/** The default branch and where it stands; null where the repo has none. */
export const branchOf = (repo: Repo): { name: string; head: string } | null => {
  const head = repo.branches.get(repo.defaultBranch);
  return head === undefined || !repo.commits.has(head) ? null : { name: repo.defaultBranch, head };
};

/** By the tracker's own count, which knows also what the viewer may not see. */
export const openBlockers = (state: State, issue: Issue): number =>
  issue.blockedBy.filter((id) => state.issues.get(id)?.state === 'open').length;

export const openSubIssues = (state: State, issue: Issue): number => {
  const { total, completed } = subIssuesSummary(state, issue);
  return total - completed;
};

/** GitHub shows whole seconds. */
export const secondOf = (at: number): number => Math.floor(at / 1000) * 1000;
