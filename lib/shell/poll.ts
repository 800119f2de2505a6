import { ageOf, leftOf } from '../core/age.ts';
import { usdOf } from '../core/budget.ts';
import { deadlines } from '../core/deadlines.ts';
import {
  blockersToAsk,
  type Candidate,
  type DispatchContext,
  type RepoFacts,
  type Ruled,
  ruleListed,
} from '../core/dispatch-policy.ts';
import type { RepoRef, RepoScan } from '../core/issue.ts';
import { labelsKeyOf } from '../core/labels-key.ts';
import { type LastWatch, lostBy } from '../core/lost-time.ts';
import { opened } from '../core/next.ts';
import { byUrgency } from '../core/priority.ts';
import { dateOf, type ItemOf, issueKey, newMemory } from '../core/record.ts';
import { comparable } from '../core/repo-name.ts';
import { isRemembered } from '../core/ruling.ts';
import type { ClaimedRun } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import type { Stored } from '../ports.ts';
import { advance } from './advance.ts';
import { claim } from './claim.ts';
import { lookCloser } from './closer.ts';
import { change } from './finish.ts';
import { tellOfHold } from './hold.ts';
import { paced } from './pacing.ts';
import { type Enrolled, enrolledRepos, isFormerName, preflightAgain } from './preflight.ts';
import { recheckClaim } from './recheck.ts';
import { sweep } from './sweep.ts';
import {
  emptyReport,
  fail,
  hasTime,
  inParallel,
  lastWatchIn,
  meantItems,
  meantNames,
  ofKind,
  type Report,
  readOpenItems,
  reasonOf,
  type StoredRun,
  type Tick,
  type TickContext,
} from './tick.ts';

/**
 * The poller: settings, open items, one scan; then a list for each idle repo with a waiting issue, a ruling on every
 * issue listed, and a closer look at the best of each repo. What passes is claimed and dispatched. With nothing ready
 * it has made three calls. One repo's failure never stops the others.
 */
export const poll = async (context: TickContext): Promise<Report> => {
  const report = emptyReport('poll');
  const control = await context.gate.read();
  if (control.state === 'off')
    return { ...report, state: 'off', reason: control.reason, unreadable: control.unreadable };
  if (control.noDispatch !== null) return { ...report, reason: control.noDispatch };
  const ports = await context.connect(control.settings);
  const unpaced: Tick = { ...context, ports, settings: control.settings, report };
  // Open runs before the queue: one that ends between the two reads still counts as busy, until the next tick.
  const { items: all, unreadable } = await readOpenItems(unpaced);
  const { tick, isHeld, settle } = paced(unpaced, all);
  const items = meantItems(all, context);
  const enrolled = new Set(control.allowlist);
  const repos = await enrolledRepos(tick, { meant: meantNames(control.allowlist, context), enrolled }, items);
  const queue = await readQueue(tick, { repos, enrolled }, items, unreadable);
  const ruled = ruleListed(queue.candidates, contextOf(tick, control.allowlist, repos, items, queue));
  await resumeClaims(tick, items, lastWatchIn({ items: all, unreadable }));
  await dispatchBest(tick, ruled, items);
  // What is parked may have a run that cannot be read: its label may be right.
  const known = repos.filter(({ id }) => !queue.parked.has(id));
  // Noted before it is done: what a limit would cut short waits for a tick that may.
  if (context.only === undefined && !isHeld()) await sweep(tick, known, items);
  await settle();
  return report;
};

/** What waits, and what was found out about it. */
export type Queue = {
  scans: ReadonlyMap<string, RepoScan>;
  candidates: readonly Candidate[];
  blockers: DispatchContext['blockers'];
  parked: ReadonlyMap<string, string>;
};

/** What waits in idle repos. The scan says where something may wait; each list is asked again for the label. */
const readQueue = async (
  tick: Tick,
  { repos, enrolled }: { repos: readonly ItemOf<'repo'>[]; enrolled: Enrolled },
  items: readonly Stored[],
  unreadable: readonly { key: string; reason: string }[],
): Promise<Queue> => {
  const { tracker } = tick.ports;
  const refs = repos.filter(({ id }) => id !== '').map(refOf);
  const labelOf = (repo: RepoRef): string => settingsFor(tick.settings, repo.name).labels.ready;
  const scans = new Map<string, RepoScan>();
  const amiss = new Set<string>();
  for (const [label, group] of Map.groupBy(refs, labelOf)) {
    try {
      for (const scan of await tracker.scan(group, label)) scans.set(scan.id, scan);
      // Where issues are off, or the name is by now another repo's, none is listed: nobody would be told why nothing begins.
      for (const { id, name } of group) {
        const scan = scans.get(id);
        if (scan?.issuesEnabled !== true || isFormerName(name, scan.name, enrolled)) amiss.add(id);
      }
    } catch (error) {
      fail(tick.report, `scan for ${label}`, error);
    }
  }
  await preflightAgain(tick, { amiss: repos.filter(({ id }) => amiss.has(id)), enrolled }, items);
  const parked = new Map(
    refs.flatMap((repo) =>
      unreadable
        // Ended by a `#`, or an id would stand for all that begin like it.
        .filter(({ key }) => `${key}#`.includes(`#${repo.host}#${repo.id}#`))
        .map(({ reason }) => [repo.id, reason] as const),
    ),
  );
  const busy = new Set(ofKind(items, 'run').map(({ item }) => item.run.repo.id));
  const idle = refs.filter((repo) => !busy.has(repo.id) && (scans.get(repo.id)?.readyCount ?? 0) > 0);
  const candidates: Candidate[] = [];
  await inParallel(idle, 10, async (repo) => {
    if (!hasTime(tick)) {
      tick.report.notReached += 1;
      return;
    }
    try {
      for (const issue of await tracker.listReady(repo, labelOf(repo))) candidates.push({ repo, issue });
    } catch (error) {
      fail(tick.report, `queue of ${repo.name}`, error);
    }
  });
  return { scans, candidates, blockers: await blockersOf(tick, candidates), parked };
};

/** A repo as it is asked for. */
export const refOf = ({ host, id, nodeId, name }: ItemOf<'repo'>): RepoRef => ({ host, id, nodeId, name });

/** Each blocker's real state; what cannot be read blocks. */
export const blockersOf = async (
  tick: Tick,
  candidates: readonly Candidate[],
): Promise<DispatchContext['blockers']> => {
  const refs = blockersToAsk(candidates);
  if (refs.length === 0) return new Map();
  try {
    return await tick.ports.tracker.blockerStates(refs);
  } catch (error) {
    fail(tick.report, 'blockers', error);
    return new Map();
  }
};

/** What the cheap gates are judged on. */
export const contextOf = (
  tick: Tick,
  allowlist: readonly string[],
  repos: readonly ItemOf<'repo'>[],
  items: readonly Stored[],
  { scans, blockers, parked }: Queue,
): DispatchContext => {
  const now = tick.now();
  const runs = ofKind(items, 'run').map(({ item }) => item.run);
  const breaker = ofKind(items, 'breaker')[0]?.item;
  const day = ofKind(items, 'day').find(({ item }) => item.date === dateOf(now));
  const isOwnName = ({ id, name }: ItemOf<'repo'>): boolean => comparable(scans.get(id)?.name ?? '') === name;
  const factsOf = (item: ItemOf<'repo'>): RepoFacts => ({
    enrolledAs: item.name,
    scan: scans.get(item.id) ?? null,
    preflight: item.preflight.failures,
    settings: settingsFor(tick.settings, item.name),
    openRun: runs.find((run) => run.repo.id === item.id)?.issue.number ?? null,
    unreadable: parked.get(item.id) ?? null,
  });
  return {
    now,
    executor:
      breaker?.openUntil != null && leftOf(breaker.openUntil, now, deadlines.coolDownMs) > 0
        ? `${breaker.streak} runs in a row could not start`
        : null,
    enrolled: new Set(allowlist),
    // Enrolled by two names, a repo is judged by its own, which is last.
    repos: new Map(
      [...repos.filter((item) => !isOwnName(item)), ...repos.filter(isOwnName)].map((item) => [item.id, factsOf(item)]),
    ),
    memories: new Map(
      ofKind(items, 'issue').map(({ item }) => [issueKey({ host: item.host, id: item.repoId }, item.number), item]),
    ),
    owed: new Set(ofKind(items, 'owed').map(({ item: { run } }) => issueKey(run.repo, run.issue.number))),
    blockers,
    openRuns: tick.report.openRuns,
    maxOpenRuns: tick.settings.maxOpenRuns,
    runsToday: day?.item.runs ?? 0,
    maxRunsPerDay: tick.settings.maxRunsPerDay,
    usdToday: usdToday(tick, items, dateOf(now)),
    budgetUsdPerDay: tick.settings.budgetUsdPerDay,
  };
};

/** Estimated money of the day: what its ended runs cost, and what the open ones have cost so far. */
const usdToday = (tick: Tick, items: readonly Stored[], date: string): number => {
  const ended = ofKind(items, 'spend').find(({ item }) => item.date === date)?.item.usd ?? 0;
  const open = ofKind(items, 'run').map(({ item: { run } }) =>
    usdOf(
      run.tokens.reduce((sum, total) => sum + total, 0),
      settingsFor(tick.settings, run.repo.name),
    ),
  );
  return open.reduce((sum, usd) => sum + usd, ended);
};

/** Looks closer at the best issue of each repo, and at the next one only where that is refused; claims what passes. */
const dispatchBest = async (tick: Tick, ruled: readonly Ruled[], items: readonly Stored[]): Promise<void> => {
  const say = ({ candidate: { repo, issue } }: Ruled, ruling: Ruled['ruling'], detail: string): void => {
    tick.report.rulings.push({ repo: repo.name, issue: issue.number, ruling, detail });
  };
  for (const one of ruled) if (one.rank === null) say(one, one.ruling, one.detail);
  const ranked = ruled.filter((one) => one.rank !== null);
  const perRepo = [...Map.groupBy(ranked, ({ candidate }) => candidate.repo.id).values()].map((ofRepo) =>
    ofRepo.sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0)),
  );
  // What keeps one from being claimed and would keep all the others too.
  let full: { ruling: 'over the cap' | 'executor unavailable'; detail: string } | null = null;
  for (const ofRepo of perRepo.sort(byFirst)) {
    let chosen: number | null = null;
    for (const one of ofRepo) {
      if (chosen !== null) say(one, 'outranked', `outranked by #${chosen}`);
      else if (full !== null) say(one, full.ruling, full.detail);
      else if (tick.timeLeftMs() <= claimingMs) tick.report.notReached += 1;
      else {
        const { ruling, detail } = await tryOne(tick, one.candidate, items);
        say(one, ruling, detail);
        if (ruling === 'over the cap' || ruling === 'executor unavailable') full = { ruling, detail };
        // Busy by somebody else's claim, or by ours: either way the repo has its run.
        if (ruling === 'dispatch' || ruling === 'repo busy') chosen = one.candidate.issue.number;
      }
    }
  }
};

/** Nothing is claimed in a tick's last 15 s. */
const claimingMs = 15_000;

const byFirst = ([a]: readonly Ruled[], [b]: readonly Ruled[]): number =>
  a === undefined || b === undefined ? 0 : byUrgency(a.candidate.issue, b.candidate.issue);

const tryOne = async (
  tick: Tick,
  { repo, issue }: Candidate,
  items: readonly Stored[],
): Promise<{ ruling: Ruled['ruling']; detail: string }> => {
  const settings = settingsFor(tick.settings, repo.name);
  const memory = memoryOf(items, repo, issue.number);
  try {
    const ref = { repo, number: issue.number, nodeId: issue.nodeId };
    const closer = await lookCloser(tick, ref, memory, settings);
    if (closer.ruling !== 'dispatch') {
      if (isRemembered(closer.ruling)) await remember(tick, { repo, issue }, closer.ruling, closer.why);
      if (closer.held) await tellOfHold(tick, ref, closer.held, memory);
      return { ruling: closer.ruling, detail: closer.why };
    }
    const { detail, act, how } = closer;
    if (tick.isDryRun) return { ruling: 'dispatch', detail: how };
    const spelled = settingsFor(tick.settings, detail.repo.name);
    const refused = await claim(tick, { repo: detail.repo, detail, act, how, settings: spelled, memory });
    // What only a push or a clone mends is not asked again every minute.
    if (refused?.ruling === 'base red' || refused?.ruling === 'preflight failed')
      await remember(tick, { repo, issue }, refused.ruling, refused.detail);
    return refused ?? { ruling: 'dispatch', detail: how };
  } catch (error) {
    // The claim may stand and its dispatch be owed; the watcher knows what to do. Nothing is known of this issue.
    fail(tick.report, `dispatch of ${repo.name}#${issue.number}`, error);
    return { ruling: 'trust unknown', detail: reasonOf(error) };
  }
};

/** What is remembered of an issue, or null. */
export const memoryOf = (items: readonly Stored[], repo: RepoRef, number: number): ItemOf<'issue'> | null =>
  ofKind(items, 'issue').find(
    ({ item }) => item.host === repo.host && item.repoId === repo.id && item.number === number,
  )?.item ?? null;

/** A refusal seen in the detail holds for nothing while the list shows the same, so that one bad issue costs no call a minute. */
const remember = (tick: Tick, { repo, issue }: Candidate, ruling: string, detail: string): Promise<void> =>
  change(tick, issueKey(repo, issue.number), (known): ItemOf<'issue'> => {
    const at = tick.now();
    const base = known?.kind === 'issue' ? known : newMemory(repo, issue.number, at);
    return {
      ...base,
      refusal: {
        ruling,
        detail: detail.slice(0, 500),
        updatedAt: issue.updatedAt,
        labels: labelsKeyOf(issue.labels),
        at,
      },
      changedAt: at,
    };
  });

/** Claims whose invocation died before the first command: ruled upon anew, and either carried on or given back. */
const resumeClaims = async (tick: Tick, items: readonly Stored[], lastWatch: LastWatch): Promise<void> => {
  for (const stored of ofKind(items, 'run')) {
    const { run } = stored.item;
    if (run.phase !== 'claimed' || ageOf(run.claimedAt, tick.now()) < deadlines.ownMs) continue;
    try {
      await resumeClaim(tick, stored, run, { items, lastWatch });
    } catch (error) {
      fail(tick.report, `claim of ${run.repo.name}#${run.issue.number}`, error);
    }
  }
};

const resumeClaim = async (
  tick: Tick,
  stored: StoredRun,
  run: ClaimedRun,
  { items, lastWatch }: { items: readonly Stored[]; lastWatch: LastWatch },
): Promise<void> => {
  if ((await recheckClaim(tick, stored, run)) !== null) return;
  const now = tick.now();
  const open = ofKind(items, 'run').map(({ item }) => item.run);
  await advance(tick, stored, opened(run, { now, by: tick.by }), {
    look: await tick.ports.executor.look(),
    lostMs: lostBy(lastWatch, open, now),
  });
};
