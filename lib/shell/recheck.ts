import { createHash } from 'node:crypto';
import type { IssueDetail } from '../core/issue.ts';
import { issueKey } from '../core/record.ts';
import type { Ruling } from '../core/ruling.ts';
import type { ClaimedRun, OpenRun } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import type { FrozenText } from '../ports.ts';
import { lookCloser } from './closer.ts';
import { note, type StoredRun, type Tick } from './tick.ts';

/** Title and body as the agent will get them, with the hash that tells whether they changed since. */
export const frozenText = ({ title, body }: Pick<IssueDetail, 'title' | 'body'>): FrozenText => ({
  title,
  body,
  hash: createHash('sha256')
    .update(JSON.stringify([title, body]))
    .digest('hex'),
});

/** Null: all is as it was claimed. Else what keeps it from being dispatched now. */
export type Rechecked = null | { ruling: Exclude<Ruling, 'dispatch'>; detail: string };

/**
 * Whether the very act that authorised a run would do so again, with the very text that was frozen: asked once the repo
 * is locked, right before the first turn, and again where that is sent late. `trust unknown` where it cannot be told.
 */
export const recheck = async (tick: Tick, run: OpenRun): Promise<Rechecked> => {
  const { store } = tick.ports;
  const { repo, issue } = run;
  const known = (await store.read(issueKey(repo, issue.number)))?.item;
  const memory = known?.kind === 'issue' ? known : null;
  const ref = { repo, number: issue.number, nodeId: issue.nodeId };
  const closer = await lookCloser(tick, ref, memory, settingsFor(tick.settings, repo.name));
  if (closer.ruling !== 'dispatch') return { ruling: closer.ruling, detail: closer.why };
  if (closer.act.id !== run.act.id) return { ruling: 'changed since', detail: 'the label was put on anew' };
  const isSame = frozenText(closer.detail).hash === (await store.textOf(run.id))?.hash;
  return isSame ? null : { ruling: 'changed since', detail: 'title or body was changed after it was claimed' };
};

/** The same of a claim, which is given back where it is not as it was; what cannot be told leaves it as it is. */
export const recheckClaim = async (tick: Tick, stored: StoredRun, run: ClaimedRun): Promise<Rechecked> => {
  const changed = await recheck(tick, run);
  if (changed === null || changed.ruling === 'trust unknown') return changed;
  if ((await tick.ports.store.remove(stored)) === 'removed')
    note(tick, run, 'released', `claimed, and not the same any more: ${changed.detail}`);
  return changed;
};
