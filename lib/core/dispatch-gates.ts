import { ageOf, leftOf } from './age.ts';
import { cycleIn } from './blockers.ts';
import { cleanLine } from './clean-text.ts';
import { deadlines } from './deadlines.ts';
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
export const firstRefusal = (judged: Judged): Refusal | null => {
  for (const [ruling, whyNot] of outerGates) {
    const why = whyNot(judged);
    if (why !== null) return refusal(ruling, why);
  }
  const subject = subjectOf(judged);
  if (subject === null) return null;
  for (const [ruling, whyNot] of gates) {
    const why = whyNot(subject);
    if (why !== null) return refusal(ruling, why);
  }
  return rememberedOf(subject);
};

/**
 * Every cheap gate for one candidate in the same order, also those behind one that refuses: `why` is null where it lets
 * the issue pass. Of a repo nobody knows only those that need no repo.
 */
export const everyGate = (judged: Judged): { ruling: Ruling; why: string | null }[] => {
  const outer = outerGates.map(([ruling, whyNot]) => ({ ruling, why: whyNot(judged) }));
  const subject = subjectOf(judged);
  if (subject === null) return outer;
  const inner = gates.map(([ruling, whyNot]) => ({ ruling, why: whyNot(subject) }));
  const remembered = rememberedOf(subject);
  const isSaid = remembered !== null && inner.some(({ ruling, why }) => ruling === remembered.ruling && why !== null);
  const last =
    remembered === null || isSaid
      ? { ruling: 'looked at before' as const, why: null }
      : { ruling: remembered.ruling, why: remembered.detail };
  return [...outer, ...inner, last];
};

export type Judged = Candidate & { graph: Graph; context: DispatchContext };

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
export const comesFirst = (a: Remembered, b: Remembered, now: number): number =>
  Number(isUnchanged(a.issue, a.memory)) - Number(isUnchanged(b.issue, b.memory)) ||
  lastLookAt(a.memory, now) - lastLookAt(b.memory, now) ||
  a.issue.number - b.issue.number;

type Remembered = { issue: ListedIssue; memory: Memory };

const lastLookAt = (memory: Memory, now: number): number =>
  memory?.refusal == null || ageOf(memory.refusal.at, now) === Number.POSITIVE_INFINITY ? 0 : memory.refusal.at;

/** An issue as blockers name it: lower-case `owner/name#n`. */
export const refOf = (repo: RepoRef, number: number): string => `${comparable(repo.name)}#${number}`;

type Graph = ReadonlyMap<string, readonly string[]>;
type Memory = ItemOf<'issue'> | undefined;
type Refusal = { ruling: Ruling; detail: string };
type Subject = Judged & { facts: RepoFacts; scan: RepoScan };

const refusal = (ruling: Ruling, why: string): Refusal => ({ ruling, detail: cleanLine(why, 500) });

const when = (is: boolean, why: string): string | null => (is ? why : null);
const has = ({ labels }: ListedIssue, label: string): boolean =>
  labels.some((each) => each.toLowerCase() === label.toLowerCase());

const factsOf = ({ repo, context }: Judged): RepoFacts | undefined => context.repos.get(repo.id);
const nameOf = (judged: Judged): string => factsOf(judged)?.scan?.name ?? judged.repo.name;
const isEnrolled = (judged: Judged): boolean => {
  const name = nameOf(judged);
  return isRepoName(name) && judged.context.enrolled.has(comparable(name));
};
/** Enrolled under a name that is not the repo's any more. */
const wasEnrolled = (judged: Judged): boolean => {
  const facts = factsOf(judged);
  return !isEnrolled(judged) && facts !== undefined && judged.context.enrolled.has(comparable(facts.enrolledAs));
};

// What can be asked before anything is known of the repo.
const outerGates: readonly (readonly [Ruling, (judged: Judged) => string | null])[] = [
  ['executor unavailable', ({ context }) => context.executor],
  [
    'not enrolled',
    (judged) => when(!isEnrolled(judged) && !wasEnrolled(judged), `${nameOf(judged)} is not in the allowlist`),
  ],
  ['renamed', (judged) => when(wasEnrolled(judged), `renamed to ${nameOf(judged)}: enrol that name`)],
  ['repo unreadable', (judged) => whyUnreadable(factsOf(judged))],
];

const whyUnreadable = (facts: RepoFacts | undefined): string | null => {
  if (facts === undefined) return 'nothing is known of the repo';
  return facts.unreadable ?? when(facts.scan === null, 'the repo did not come back from the tracker');
};

const subjectOf = (judged: Judged): Subject | null => {
  const facts = factsOf(judged);
  return facts === undefined || facts.scan === null ? null : { ...judged, facts, scan: facts.scan };
};

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
  const left = leftOf(memory?.coolUntil ?? now, now, deadlines.coolDownMs);
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
