import { blockersIn } from './blockers.ts';
import { comesFirst, firstRefusal, refOf, wasLookedAt } from './dispatch-gates.ts';
import type { ListedIssue, RepoRef, RepoScan } from './issue.ts';
import { byUrgency, priorityOf } from './priority.ts';
import { type ItemOf, issueKey } from './record.ts';
import type { Ruling } from './ruling.ts';
import type { RepoSettings } from './settings.ts';

/**
 * Rules on every candidate once, on listed facts and our own records, with the gates in the design's order. What
 * passes them all is ranked within its repo: rank 0, the lowest priority and then the lowest number, reads `look
 * closer`; the others read `outranked` and keep their rank, so that the next may be looked at where one before it is
 * refused. Of a repo's ranked issues at most one was looked at before; the rest of those wait for another tick. Limits
 * are those of this moment: whoever claims checks them again. Pure: the same candidates in any order get the same
 * rulings. Sorted by repo, then rank, then number.
 */
export const ruleListed = (candidates: readonly Candidate[], context: DispatchContext): Ruled[] => {
  const graph = new Map(
    candidates.map(({ repo, issue }) => [refOf(repo, issue.number), blockersIn(issue.body, repo.name)]),
  );
  const ruled: Ruled[] = [];
  const passed: Candidate[] = [];
  for (const candidate of candidates) {
    const refusal = firstRefusal({ ...candidate, graph, context });
    if (refusal === null) passed.push(candidate);
    else ruled.push({ candidate, ...refusal, rank: null });
  }
  for (const ofRepo of Map.groupBy(passed, ({ repo }) => repo.id).values()) ruled.push(...ranked(ofRepo, context));
  return ruled.sort(inOrder);
};

/** A ready issue as its repo's list shows it. */
export type Candidate = { repo: RepoRef; issue: ListedIssue };

/** `rank` counts from 0 within the repo; null for what is refused. `detail` says why, in at most 500 characters. */
export type Ruled = { candidate: Candidate; ruling: Ruling; detail: string; rank: number | null };

/** What is known of a repo. `scan` is null where it did not come back, `preflight` (failures in words) where none was done. */
export type RepoFacts = {
  /** The name it was enrolled under, when it was last resolved. */
  enrolledAs: string;
  scan: RepoScan | null;
  preflight: readonly string[] | null;
  settings: Pick<RepoSettings, 'paused' | 'labels'>;
  /** The issue whose run holds the lock. */
  openRun: number | null;
  /** Why a stored item of this repo cannot be read; null where all can. */
  unreadable: string | null;
};

/**
 * `executor`: why it is unavailable, or null. `enrolled`: lower-case names. `repos` by repo id, `memories` and `owed`
 * by `issueKey`, `blockers` by lower-case `owner/name#n`; what is missing there counts as not known. Money is USD.
 */
export type DispatchContext = {
  now: number;
  executor: string | null;
  enrolled: ReadonlySet<string>;
  repos: ReadonlyMap<string, RepoFacts>;
  memories: ReadonlyMap<string, ItemOf<'issue'>>;
  owed: ReadonlySet<string>;
  blockers: ReadonlyMap<string, BlockerState>;
  openRuns: number;
  maxOpenRuns: number;
  runsToday: number;
  maxRunsPerDay: number;
  usdToday: number;
  budgetUsdPerDay: number;
};
export type BlockerState = 'open' | 'closed' | 'unreadable';

/** The blockers whose state the bodies ask for, each once; those that are candidates themselves are known to be open. */
export const blockersToAsk = (candidates: readonly Candidate[]): string[] => {
  const listed = new Set(candidates.map(({ repo, issue }) => refOf(repo, issue.number)));
  const refs = new Set(candidates.flatMap(({ repo, issue }) => blockersIn(issue.body, repo.name)));
  return [...refs].filter((ref) => !listed.has(ref));
};

const ranked = (ofRepo: readonly Candidate[], context: DispatchContext): Ruled[] => {
  const memoryOf = ({ repo, issue }: Candidate) => context.memories.get(issueKey(repo, issue.number));
  const before = ofRepo
    .map((candidate) => ({ candidate, issue: candidate.issue, memory: memoryOf(candidate) }))
    .filter(({ memory }) => wasLookedAt(memory))
    .sort((a, b) => comesFirst(a, b, context.now))
    .map(({ candidate }) => candidate);
  const again = before[0];
  const waiting = new Set(before.slice(1));
  const first = ofRepo.filter((candidate) => !waiting.has(candidate)).sort((a, b) => byUrgency(a.issue, b.issue));
  const best = first[0];
  return [
    ...first.map((candidate, rank): Ruled => {
      if (rank === 0)
        return { candidate, ruling: 'look closer', detail: `first of ${ofRepo.length} in its repo`, rank };
      const { number = 0, labels = [] } = best?.issue ?? {};
      const priority = priorityOf(labels);
      return {
        candidate,
        ruling: 'outranked',
        detail: `outranked by #${number}${priority === null ? '' : `, priority ${priority}`}`,
        rank,
      };
    }),
    ...[...waiting].map((candidate): Ruled => {
      const detail = `looked at before: one such issue at a time is looked at again, and #${again?.issue.number} is first`;
      return { candidate, ruling: 'looked at before', detail, rank: null };
    }),
  ];
};

const inOrder = (a: Ruled, b: Ruled): number =>
  compare(a.candidate.repo.name.toLowerCase(), b.candidate.repo.name.toLowerCase()) ||
  compare(a.candidate.repo.id, b.candidate.repo.id) ||
  compare(a.rank ?? Number.POSITIVE_INFINITY, b.rank ?? Number.POSITIVE_INFINITY) ||
  compare(a.candidate.issue.number, b.candidate.issue.number);

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
