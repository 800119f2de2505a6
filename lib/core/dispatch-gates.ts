import { cycleIn } from './blockers.ts';
import { cleanLine } from './clean-text.ts';
import type { BlockerState, Candidate, DispatchContext, RepoFacts } from './dispatch-policy.ts';
import type { ListedIssue, RepoRef, RepoScan } from './issue.ts';
import { labelsKeyOf } from './labels-key.ts';
import { type ItemOf, issueKey } from './record.ts';
import { comparable, isRepoName } from './repo-name.ts';
import { isRefusal, type Ruling } from './ruling.ts';

/**
 * The cheap gates, in the design's order: the first that refuses gives the ruling, and its words the reason. Null for
 * an issue that may be looked at more closely. `graph` leads from each candidate to what its body is blocked by.
 */
export const firstRefusal = (candidate: Candidate & { graph: Graph; context: DispatchContext }): Refusal | null => {
  const { context, repo } = candidate;
  if (context.executor !== null) return refusal('executor unavailable', context.executor);
  const facts = context.repos.get(repo.id);
  const scan = facts?.scan ?? null;
  const name = scan?.name ?? repo.name;
  if (!isRepoName(name) || !context.enrolled.has(comparable(name))) {
    if (facts !== undefined && context.enrolled.has(comparable(facts.enrolledAs)))
      return refusal('renamed', `renamed to ${name}: enrol that name`);
    return refusal('not enrolled', `${name} is not in the allowlist`);
  }
  if (facts === undefined) return refusal('repo unreadable', 'nothing is known of the repo');
  if (facts.unreadable !== null) return refusal('repo unreadable', facts.unreadable);
  if (scan === null) return refusal('repo unreadable', 'the repo did not come back from the tracker');

  const subject = { ...candidate, facts, scan };
  for (const [ruling, whyNot] of gates) {
    const why = whyNot(subject);
    if (why !== null) return refusal(ruling, why);
  }
  return rememberedOf(subject);
};

/** Why an issue is blocked, naming by what, or null. Not to know a blocker's state is to be blocked by it. */
export const whyBlocked = (
  blockers: { openCount: number; listed: readonly string[]; refs: readonly string[] },
  stateOf: (ref: string) => BlockerState | undefined,
): string | null => {
  const native =
    blockers.openCount > 0
      ? [
          `${blockers.openCount} open by the tracker's count${blockers.listed.length > 0 ? ` (${blockers.listed.slice(0, 10).join(', ')})` : ''}`,
        ]
      : [];
  const named = blockers.refs.flatMap((ref) => {
    const state = stateOf(ref) ?? 'unreadable';
    return state === 'closed' ? [] : [state === 'open' ? ref : `${ref} (cannot be read)`];
  });
  const all = [...native, ...named];
  return all.length === 0
    ? null
    : `blocked by ${all.slice(0, 10).join(', ')}${all.length > 10 ? ` and ${all.length - 10} more` : ''}`;
};

/** True for an issue that had a closer look, or a run: it is looked at again only now and then. */
export const wasLookedAt = (memory: Memory): boolean =>
  memory !== undefined && (memory.refusal !== null || memory.spent !== null);

/** Orders issues that were looked at before: what changed since first, then the longest ago, so that none is left out for good. */
export const comesFirst = (a: ListedIssue, memoryA: Memory, b: ListedIssue, memoryB: Memory): number =>
  Number(isUnchanged(a, memoryA)) - Number(isUnchanged(b, memoryB)) ||
  (memoryA?.refusal?.at ?? 0) - (memoryB?.refusal?.at ?? 0) ||
  a.number - b.number;

/** An issue as blockers name it: lower-case `owner/name#n`. */
export const refOf = (repo: RepoRef, number: number): string => `${comparable(repo.name)}#${number}`;

type Graph = ReadonlyMap<string, readonly string[]>;
type Memory = ItemOf<'issue'> | undefined;
type Refusal = { ruling: Ruling; detail: string };
type Subject = Candidate & { graph: Graph; context: DispatchContext; facts: RepoFacts; scan: RepoScan };

const refusal = (ruling: Ruling, why: string): Refusal => ({ ruling, detail: cleanLine(why, 500) });

const when = (is: boolean, why: string): string | null => (is ? why : null);
const has = ({ labels }: ListedIssue, label: string): boolean =>
  labels.some((each) => each.toLowerCase() === label.toLowerCase());

const gates: readonly (readonly [Ruling, (subject: Subject) => string | null])[] = [
  ['repo paused', ({ facts }) => when(facts.settings.paused, 'the repo is paused in the settings')],
  ['repo archived', ({ scan }) => when(scan.archived, 'the repo is archived')],
  ['issues off', ({ scan }) => when(!scan.issuesEnabled, 'the repo has its issues switched off')],
  ['preflight failed', ({ facts, scan }) => whyNotReady(facts, scan)],
  ['pull request', ({ issue }) => when(issue.isPullRequest, 'a pull request is nobody’s issue')],
  ['locked', ({ issue }) => when(issue.locked, 'the issue is locked')],
  [
    'label gone',
    ({
      issue,
      facts: {
        settings: { labels },
      },
    }) => when(!has(issue, labels.ready), `the label ${labels.ready} is not on the issue`),
  ],
  [
    'hold label',
    ({
      issue,
      facts: {
        settings: { labels },
      },
    }) => when(has(issue, labels.hold), `the label ${labels.hold} is on the issue`),
  ],
  ['with a human', (subject) => rememberedAs(subject, 'with a human')],
  ['already run', (subject) => rememberedAs(subject, 'already run')],
  ['parent', ({ issue }) => when(issue.openSubIssues > 0, `${issue.openSubIssues} of its sub-issues are open`)],
  ['blocked', (subject) => whyListedBlocked(subject)],
  ['repo busy', ({ facts }) => when(facts.openRun !== null, `the run of #${facts.openRun} holds the repo`)],
  [
    'still owed',
    ({ repo, issue, context }) =>
      when(context.owed.has(issueKey(repo, issue.number)), 'its last run is still owed to the tracker or to people'),
  ],
  ['over the cap', ({ context }) => whyOverCap(context)],
  [
    'cooling down',
    ({ repo, issue, context }) => whyCooling(context, context.memories.get(issueKey(repo, issue.number))),
  ],
];

const whyNotReady = ({ preflight }: RepoFacts, { defaultBranch }: RepoScan): string | null => {
  if (preflight === null) return 'the repo was not looked over yet';
  if (preflight.length > 0) return preflight.join('; ');
  return when(defaultBranch === null, 'the repo is empty: it has no default branch');
};

const whyListedBlocked = ({ repo, issue, graph, context }: Subject): string | null => {
  const self = refOf(repo, issue.number);
  const refs = graph.get(self) ?? [];
  const why = whyBlocked({ openCount: issue.openBlockers ?? 0, listed: [], refs }, (ref) =>
    graph.has(ref) ? 'open' : context.blockers.get(ref),
  );
  if (why === null) return null;
  const cycle = cycleIn(graph, self);
  return cycle === null ? why : `${why}; they wait for each other: ${cycle.join(' → ')}`;
};

const whyOverCap = ({
  openRuns,
  maxOpenRuns,
  runsToday,
  maxRunsPerDay,
  usdToday,
  budgetUsdPerDay,
}: DispatchContext): string | null => {
  if (openRuns >= maxOpenRuns) return `${openRuns} runs are open, the limit is ${maxOpenRuns}`;
  if (runsToday >= maxRunsPerDay) return `${runsToday} runs were begun today, the limit is ${maxRunsPerDay}`;
  return when(usdToday >= budgetUsdPerDay, `about ${usdToday} USD were spent today, the limit is ${budgetUsdPerDay}`);
};

const whyCooling = ({ now }: DispatchContext, memory: Memory): string | null => {
  const left = (memory?.coolUntil ?? now) - now;
  return when(left > 0, `cooling down for another ${Math.ceil(left / 60_000)} min`);
};

// A refusal seen in the detail holds for nothing while the list shows the same, and no longer than this.
const holdsMs = 15 * 60_000;

const rememberedOf = ({ repo, issue, context }: Subject): Refusal | null => {
  const memory = context.memories.get(issueKey(repo, issue.number));
  if (!memory?.refusal || !isUnchanged(issue, memory) || Math.abs(context.now - memory.refusal.at) >= holdsMs)
    return null;
  const { ruling, detail } = memory.refusal;
  return refusal(isRefusal(ruling) ? ruling : 'looked at before', detail);
};

const rememberedAs = (subject: Subject, ruling: Ruling): string | null => {
  const remembered = rememberedOf(subject);
  return remembered?.ruling === ruling ? remembered.detail : null;
};

const isUnchanged = ({ updatedAt, labels }: ListedIssue, memory: Memory): boolean =>
  memory?.refusal?.updatedAt === updatedAt && memory.refusal.labels === labelsKeyOf(labels);
