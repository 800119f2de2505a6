import { type Hold, holdNotice, mayBeTold } from '../core/hold-notice.ts';
import type { IssueRef, Permission } from '../core/issue.ts';
import { type ItemOf, issueKey, newMemory } from '../core/record.ts';
import { change } from './finish.ts';
import { underLease } from './lease.ts';
import { brakeOn } from './obey.ts';
import { hasTime, reasonOf, type Tick } from './tick.ts';

/** A labelling that is held back, with its labeller's rights where the ruling had to ask for them. */
export type HeldBack = Hold & { permission: Permission | null };

/** Whether somebody is still to be told of this labelling: somebody who may label, and who was not told before. */
export const isToBeTold = async (
  tick: Tick,
  { repo }: IssueRef,
  { actId, by, permission }: HeldBack,
  memory: ItemOf<'issue'> | null,
): Promise<boolean> => {
  if (memory?.told === actId) return false;
  return mayBeTold(permission ?? (await tick.ports.tracker.permission(repo, by)));
};

/**
 * Says once why a labelling starts nothing and what to do, on one issue per repo and tick, so that a backlog labelled at
 * once floods nobody. Said by one poller at a time, then noted: a crash between the two finds the comment by its marker.
 * What fails is reported, and tried again when the issue is next looked at. People are notified, so the brakes are read
 * right before.
 */
export const tellOfHold = async (
  tick: Tick,
  issue: IssueRef,
  held: HeldBack,
  memory: ItemOf<'issue'> | null,
): Promise<void> => {
  const { repo, number } = issue;
  const isEnough = tick.report.happened.some(({ what, repo: where }) => what === 'told' && where === repo.name);
  try {
    if (isEnough || !hasTime(tick) || !(await isToBeTold(tick, issue, held, memory))) return;
    await underLease(tick, () => tellNow(tick, issue, held));
  } catch (error) {
    tick.report.failed.push({ what: `notice on ${repo.name}#${number}`, reason: reasonOf(error) });
  }
};

const tellNow = async (tick: Tick, issue: IssueRef, held: HeldBack): Promise<void> => {
  const { repo, number } = issue;
  const key = issueKey(repo, number);
  const known = await tick.ports.store.read(key);
  // Another poller may have told it since this one looked.
  if (known?.item.kind === 'issue' && known.item.told === held.actId) return;
  if ((await brakeOn(tick, repo.name, true)) !== null) return;
  await tick.ports.tracker.ensureMirror(issue, holdNotice(held), null);
  const why = `what keeps its labelling from starting a run (rule ${held.row})`;
  tick.report.happened.push({ at: tick.now(), repo: repo.name, issue: number, run: null, what: 'told', why });
  await change(tick, key, (before): ItemOf<'issue'> => {
    const at = tick.now();
    return { ...(before?.kind === 'issue' ? before : newMemory(repo, number, at)), told: held.actId, changedAt: at };
  });
};
