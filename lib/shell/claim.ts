import { createHash } from 'node:crypto';
import { cleanLine, withinBytes } from '../core/clean-text.ts';
import { deadlines } from '../core/deadlines.ts';
import type { Act, IssueDetail, RepoRef } from '../core/issue.ts';
import { opened } from '../core/next.ts';
import { dateOf, type ItemOf } from '../core/record.ts';
import type { ClaimedRun } from '../core/run.ts';
import type { RepoSettings } from '../core/settings.ts';
import type { ExecutorLook, FrozenText, Stored } from '../ports.ts';
import { advance } from './advance.ts';
import { ensureProject, noCheckout } from './obey.ts';
import { note, type StoredRun, type Tick } from './tick.ts';
import { ofKind } from './watch.ts';

/** An issue that passed every gate, with the labelling that authorises its run. */
export type Chosen = {
  repo: RepoRef;
  detail: IssueDetail;
  act: Act;
  settings: RepoSettings;
  memory: ItemOf<'issue'> | null;
};

/** Null: claimed and on its way. Else why it was not, in words. */
export type NotClaimed = null | {
  ruling: 'repo busy' | 'over the cap' | 'preflight failed' | 'executor unavailable';
  detail: string;
};

/**
 * Claims an issue and dispatches it: caps under a lease, the frozen text, the lock, and then the first command. A
 * refusal on the way leaves no lock; a crash may waste one of the day's runs and never exceeds them.
 */
export const claim = async (tick: Tick, chosen: Chosen): Promise<NotClaimed> => {
  const lease = await takeLease(tick);
  if (lease === null) return { ruling: 'over the cap', detail: 'another dispatch is under way' };
  const claimed = await claimUnderLease(tick, chosen).finally(() => tick.ports.store.remove(lease));
  if ('ruling' in claimed) return claimed;
  const { stored, run, look, lostMs } = claimed;
  note(tick, run, 'claimed', `labelled by ${cleanLine(run.act.by, 60)}`);
  await advance(tick, stored, opened(run, { now: tick.now(), by: tick.by }), { look, lostMs });
  return null;
};

/** Title and body as the agent will get them, with the hash that tells whether they changed since. */
export const frozenText = ({ title, body }: Pick<IssueDetail, 'title' | 'body'>): FrozenText => ({
  title,
  body,
  hash: createHash('sha256')
    .update(JSON.stringify([title, body]))
    .digest('hex'),
});

type UnderLease = { stored: StoredRun; run: ClaimedRun; look: ExecutorLook; lostMs: number } | NonNullable<NotClaimed>;

const claimUnderLease = async (tick: Tick, { repo, detail, act, settings, memory }: Chosen): Promise<UnderLease> => {
  const { store, executor } = tick.ports;
  const { items } = await store.readNow();
  const open = ofKind(items, 'run').map(({ item }) => item.run);
  if (open.length >= tick.settings.maxOpenRuns)
    return { ruling: 'over the cap', detail: `${open.length} runs are open` };
  if (open.some((run) => run.repo.id === repo.id && run.repo.host === repo.host))
    return { ruling: 'repo busy', detail: 'another run holds it' };
  const head = detail.defaultBranch;
  if (head === null) return { ruling: 'preflight failed', detail: 'the repo has no default branch' };
  const id = tick.newRunId();
  const look = await executor.look();
  const project = await ensureProject(tick, { id, repo: repo.name }, look, settings);
  if (project === 'no checkout') return { ruling: 'preflight failed', detail: noCheckout(settings) };
  if (project === 'refused')
    return { ruling: 'executor unavailable', detail: `T3 refuses a project at ${settings.workspaceRoot}` };
  const now = tick.now();
  if ((await store.countRun(dateOf(now), tick.settings.maxRunsPerDay)) === 'full')
    return { ruling: 'over the cap', detail: `${tick.settings.maxRunsPerDay} runs were begun today` };
  await store.keepText(id, frozenText(detail));
  const lostMs = ofKind(items, 'lastWatch')[0]?.item.lostMs ?? 0;
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
    earlier: memory?.spent ? { id: memory.spent.runId, commits: memory.spent.commits } : null,
    claimedAt: now,
    lostMsAtClaim: lostMs,
    pausedMs: 0,
    trackerDownSince: null,
    attempts: 0,
    nudges: 0,
    restarts: 0,
    answers: 0,
    reopened: false,
    headSeen: null,
    commits: [],
    declared: { testsRed: false, green: false },
    firstTakenUpAt: null,
    firstRedAt: null,
    movement: { stamp: null, movedAt: now },
    mirror: { commentId: null, confirmed: null, writing: null },
    command: null,
  };
  const stored = await store.insert({ kind: 'run', run });
  return stored === 'taken' ? { ruling: 'repo busy', detail: 'another run holds it' } : { stored, run, look, lostMs };
};

/** One claim at a time, so that caps are counted by one: held for the moment, free again after 90 s whatever happens. */
const takeLease = async (tick: Tick): Promise<Stored<ItemOf<'lease'>> | null> => {
  const lease: ItemOf<'lease'> = { kind: 'lease', by: tick.by, until: tick.now() + deadlines.leaseMs };
  const held = await tick.ports.store.read('lease');
  if (held === null) {
    const inserted = await tick.ports.store.insert(lease);
    return inserted === 'taken' ? null : inserted;
  }
  if (held.item.kind !== 'lease') return null;
  // A lease that ends later than any could was taken before our clock went back.
  const leftMs = held.item.until - tick.now();
  if (leftMs > 0 && leftMs <= deadlines.leaseMs) return null;
  const replaced = await tick.ports.store.replace(held, lease);
  return replaced === 'lost' ? null : replaced;
};
