import { bearingOf, checkKeyOf, countedChecks, expectedFrom } from '../core/ci-verdict.ts';
import { cleanLine, withinBytes } from '../core/clean-text.ts';
import { wedgedReason } from '../core/executor-health.ts';
import type { Base } from '../core/facts.ts';
import type { Act, IssueDetail, RepoRef } from '../core/issue.ts';
import { lostBy } from '../core/lost-time.ts';
import { opened } from '../core/next.ts';
import { dateOf, type ItemOf } from '../core/record.ts';
import type { ClaimedRun } from '../core/run.ts';
import type { RepoSettings } from '../core/settings.ts';
import { type ExecutorLook, PortError } from '../ports.ts';
import { advance } from './advance.ts';
import { releasesOf } from './finish.ts';
import { underLease } from './lease.ts';
import { ensureProject, noCheckout } from './obey.ts';
import { frozenText, type Rechecked, recheckClaim } from './recheck.ts';
import { lastWatchIn, note, ofKind, openRunsIn, reasonOf, type StoredRun, type Tick } from './tick.ts';

/** An issue that passed every gate, with the labelling that authorises its run, and in words who did it and how. */
export type Chosen = {
  repo: RepoRef;
  detail: IssueDetail;
  act: Act;
  how: string;
  settings: RepoSettings;
  memory: ItemOf<'issue'> | null;
};

/** Null: claimed and on its way. Else why it was not, in words. */
export type NotClaimed = Rechecked;

/**
 * Claims an issue and dispatches it: caps under a lease, the frozen text, the lock, the recheck, and then the first
 * command. A refusal on the way leaves no lock; a crash may waste one of the day's runs and never exceeds them.
 */
export const claim = async (tick: Tick, chosen: Chosen): Promise<NotClaimed> => {
  const claimed = await underLease(tick, () => claimUnderLease(tick, chosen));
  if (claimed === null)
    return { ruling: 'over the cap', detail: 'another poller is at work, or the item named lease cannot be read' };
  if ('ruling' in claimed) return claimed;
  const { stored, run, look } = claimed;
  note(tick, run, 'claimed', chosen.how);
  const changed = await recheckClaim(tick, stored, run);
  if (changed !== null) return changed;
  await advance(tick, stored, opened(run, { now: tick.now(), by: tick.by }), {
    look,
    lostMs: run.lostMsAtClaim,
  });
  return null;
};

type UnderLease = { stored: StoredRun; run: ClaimedRun; look: ExecutorLook } | NonNullable<NotClaimed>;

const claimUnderLease = async (tick: Tick, { repo, detail, act, settings, memory }: Chosen): Promise<UnderLease> => {
  const { store, executor } = tick.ports;
  const { items, unreadable } = await store.readNow();
  const open = ofKind(items, 'run').map(({ item }) => item.run);
  const openRuns = openRunsIn(items, unreadable);
  if (openRuns >= tick.settings.maxOpenRuns) return { ruling: 'over the cap', detail: `${openRuns} runs are open` };
  if (open.some((run) => run.repo.id === repo.id && run.repo.host === repo.host))
    return { ruling: 'repo busy', detail: 'another run holds it' };
  const head = detail.defaultBranch;
  if (head === null) return { ruling: 'preflight failed', detail: 'the repo has no default branch' };
  const id = tick.newRunId();
  const look = await executor.look().catch((error: unknown) => refusedBy(error));
  if ('ruling' in look) return look;
  const wedged = wedgedReason(look.threads.values(), tick.now());
  if (wedged !== null) return { ruling: 'executor unavailable', detail: wedged };
  const project = await ensureProject(tick, { id, repo: repo.name }, look, settings);
  if (project === 'no checkout') return { ruling: 'preflight failed', detail: noCheckout(settings) };
  if (project === 'refused')
    return { ruling: 'preflight failed', detail: `T3 refuses a project at ${settings.workspaceRoot}: look at its log` };
  const seen = await seenOn(tick, repo, head.head, settings).catch((error: unknown) => unreadableBy(error));
  if ('ruling' in seen) return seen;
  const { baseRed, expected } = seen;
  if (baseRed.length > 0 && settings.baselineRed === 'hold')
    return { ruling: 'base red', detail: `${head.name} is red before anything was begun: ${baseRed.join(', ')}` };
  const now = tick.now();
  if ((await store.countRun(dateOf(now), tick.settings.maxRunsPerDay)) === 'full')
    return { ruling: 'over the cap', detail: `${tick.settings.maxRunsPerDay} runs were begun today` };
  await store.keepText(id, frozenText(detail));
  const run: ClaimedRun = {
    phase: 'claimed',
    id,
    repo: { ...repo, branch: head.name },
    issue: {
      number: detail.number,
      nodeId: detail.nodeId,
      title: withinBytes(cleanLine(detail.title, 200), 300),
      url: detail.url,
    },
    act,
    base: head.head,
    landing: settings.landing,
    pull: null,
    earlier: memory?.spent ? { id: memory.spent.runId, commits: memory.spent.commits.slice(0, 3) } : null,
    claimedAt: now,
    // A gap that the watcher will count as lost may have begun before: that part of it is not this run's.
    lostMsAtClaim: lostBy(lastWatchIn({ items, unreadable }), open, now),
    pausedMs: 0,
    trackerDownSince: null,
    trackerDownLostMs: 0,
    goneSince: null,
    releases: releasesOf(memory, act.id),
    attempts: 0,
    nudges: 0,
    restarts: 0,
    answers: 0,
    rewritten: false,
    reopened: false,
    headSeen: null,
    baseRed: [...baseRed],
    expected: [...expected],
    idleFixes: 0,
    parks: 0,
    parkedUntil: null,
    question: null,
    halt: null,
    tokens: [],
    tokensAt: null,
    tokensReadAt: null,
    commits: [],
    declared: { testsRed: false, green: false },
    firstTakenUpAt: null,
    firstRedAt: null,
    movement: { stamp: null, movedAt: now },
    mirror: { commentId: null, confirmed: null, writing: null },
    command: null,
  };
  const stored = await store.insert({ kind: 'run', run });
  return stored === 'taken' ? { ruling: 'repo busy', detail: 'another run holds it' } : { stored, run, look };
};

const refusedBy = (error: unknown): NonNullable<NotClaimed> => {
  if (!(error instanceof PortError)) throw error;
  return { ruling: 'executor unavailable', detail: reasonOf(error) };
};

const unreadableBy = (error: unknown): NonNullable<NotClaimed> => {
  if (!(error instanceof PortError)) throw error;
  return { ruling: 'repo unreadable', detail: reasonOf(error) };
};

/** The checks of a commit by now, by name: those that are red, for blame before repair, and those a push brings. */
const seenOn = async (tick: Tick, repo: RepoRef, sha: string, { deployPatterns }: RepoSettings): Promise<Base> => {
  const { ci } = await tick.ports.forge.ci(repo, { sha, hasDescendant: false, environments: [] });
  const counted = countedChecks({ checks: ci.checks, required: ci.required, deployPatterns });
  const red = counted.filter((check) => bearingOf(check) === 'failed');
  return {
    baseRed: red.slice(0, 3).map(({ name }) => checkKeyOf(name)),
    expected: expectedFrom(ci.checks, deployPatterns),
  };
};
