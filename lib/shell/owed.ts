import { deadlines } from '../core/deadlines.ts';
import { commandIdOf, threadIdOf } from '../core/ids.ts';
import { type Mirror, mirrorOf } from '../core/mirror.ts';
import { noticeOf } from '../core/notification.ts';
import type { ItemOf } from '../core/record.ts';
import { settingsFor } from '../core/settings.ts';
import { PortError, type Stored } from '../ports.ts';
import { brakeOn } from './obey.ts';
import { fail, isAnothers, note, type Tick } from './tick.ts';

type StoredOwed = Stored<ItemOf<'owed'>>;

/**
 * Pays what an ended run still owes: the tracker's mirror, the doorbells, the thread's archiving. Each part is marked
 * as it is paid, none waits for another, and the item goes when nothing is left.
 */
export const payOwed = async (tick: Tick, stored: StoredOwed): Promise<void> => {
  // Two payers at once would ring twice.
  if (isAnothers(tick, stored.item.payer)) return;
  const at = tick.now();
  let owed: StoredOwed | 'lost' = await tick.ports.store.replace(stored, {
    ...stored.item,
    since: stored.item.since + unseenMs(stored.item, at),
    payer: { by: tick.by, at },
  });
  for (const pay of [payMirror, ...tick.ports.doorbells.map((bell) => payRing(bell.name)), payArchive]) {
    if (owed === 'lost') return;
    owed = await attempt(tick, owed, pay);
  }
  if (owed === 'lost' || !isPaid(tick, owed.item)) return;
  await tick.ports.store.remove(owed);
};

type Pay = (tick: Tick, item: ItemOf<'owed'>) => Promise<ItemOf<'owed'>>;

/** One part; a failure is said, stays owed and does not keep the next part from being paid. */
const attempt = async (tick: Tick, stored: StoredOwed, pay: Pay): Promise<StoredOwed | 'lost'> => {
  const { repo, issue } = stored.item.run;
  try {
    const paid = await pay(tick, stored.item);
    return paid === stored.item ? stored : tick.ports.store.replace(stored, paid);
  } catch (error) {
    fail(tick.report, `owed by ${repo.name}#${issue.number} for ${hoursOf(tick, stored.item)} h`, error);
    return stored;
  }
};

/**
 * How far `since` is to move for what went by since the last try and was not waited for: all beyond an hour, or, below 0,
 * what a clock went back by.
 */
const unseenMs = ({ payer, since }: ItemOf<'owed'>, now: number): number => {
  const passedMs = now - (payer?.at ?? since);
  return passedMs < 0 ? passedMs : Math.max(0, passedMs - tryMs);
};

const tryMs = 60 * 60_000;

const hoursOf = (tick: Tick, item: ItemOf<'owed'>): number => Math.floor((tick.now() - item.since) / 3_600_000);

const payMirror: Pay = async (tick, item) => {
  const { run } = item;
  if (item.mirrored) return item;
  const mirror = mirrorOf(run, settingsFor(tick.settings, run.repo.name));
  if (mirror === null) return { ...item, mirrored: true };
  const issue = { repo: run.repo, number: run.issue.number, nodeId: run.issue.nodeId };
  try {
    const due = await withFreshStart(tick, item, mirror);
    // The brake is the last thing asked before the act.
    const brake = due.state === 'closed' ? await brakeOn(tick, run.repo.name, false) : null;
    if (brake !== null) {
      note(tick, run, 'braked', brake);
      return item;
    }
    await tick.ports.tracker.ensureMirror(issue, due, run.mirror.commentId);
  } catch (error) {
    // An issue that is gone for good can be shown nothing; before a day has passed it may only be out of sight.
    const isHopeless =
      error instanceof PortError && error.kind === 'refused' && tick.now() - item.since > deadlines.outOfReachMs;
    if (!isHopeless) throw error;
    fail(tick.report, `mirror of ${run.repo.name}#${run.issue.number} given up`, error);
  }
  note(tick, run, 'mirrored', run.outcome);
  return { ...item, mirrored: true };
};

/** Somebody put the ready label on again before the end was shown: a fresh start, which is not ours to take off. */
const withFreshStart = async (tick: Tick, { run }: ItemOf<'owed'>, mirror: Mirror): Promise<Mirror> => {
  const { ready } = settingsFor(tick.settings, run.repo.name).labels;
  if (!mirror.labels.remove.includes(ready)) return mirror;
  const watched = await tick.ports.tracker.watch({
    repo: run.repo,
    number: run.issue.number,
    nodeId: run.issue.nodeId,
  });
  const act = watched?.labelActs.get(ready.toLowerCase());
  if (act?.kind !== 'labeled' || act.at <= run.act.at) return mirror;
  return { ...mirror, labels: { ...mirror.labels, remove: mirror.labels.remove.filter((label) => label !== ready) } };
};

const payRing =
  (name: string): Pay =>
  async (tick, item) => {
    const bell = tick.ports.doorbells.find((one) => one.name === name);
    if (bell === undefined || item.rings[name] !== false) return item;
    await bell.ring(noticeOf(item.run));
    note(tick, item.run, 'rang', name);
    return { ...item, rings: { ...item.rings, [name]: true } };
  };

/** Threads of closed runs are put away, so that the executor's shell stays small; those of handed-back runs are kept. */
const payArchive: Pay = async (tick, item) => {
  const { run } = item;
  if (item.archived || run.turn === null) return { ...item, archived: true };
  // Refused where it is archived or was deleted: either way it is out of the shell.
  await tick.ports.executor.archive({
    commandId: commandIdOf(run.id, run.turn.n, 'archive', 0),
    threadId: threadIdOf(run.id, run.turn.thread),
    at: tick.now(),
  });
  return { ...item, archived: true };
};

// A doorbell that was taken out of the settings owes nothing any more.
const isPaid = (tick: Tick, item: ItemOf<'owed'>): boolean =>
  item.mirrored && item.archived && tick.ports.doorbells.every((bell) => item.rings[bell.name] !== false);
