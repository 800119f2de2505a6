import { blockersIn } from '../core/blockers.ts';
import { ruleDetailed } from '../core/closer-look.ts';
import { holdOf } from '../core/hold-notice.ts';
import type { Act, IssueDetail, IssueRef, Permission } from '../core/issue.ts';
import type { ItemOf } from '../core/record.ts';
import type { Ruling } from '../core/ruling.ts';
import type { RepoSettings } from '../core/settings.ts';
import { judgeTrust, type Trust } from '../core/trust.ts';
import { PortError } from '../ports.ts';
import type { HeldBack } from './hold.ts';
import { reasonOf, type Tick } from './tick.ts';

/** What the closest look says of one issue: authorised by this act and `how` that came about, or refused and why. */
export type Closer =
  | { ruling: 'dispatch'; detail: IssueDetail; act: Act; how: string }
  | { ruling: Exclude<Ruling, 'dispatch'>; why: string; held: HeldBack | null };

/**
 * Reads one issue alone and in full, asks for the rights of everybody its trust hangs on, and rules. What cannot be
 * read is `trust unknown`: nothing is done and nothing is remembered.
 */
export const lookCloser = async (
  tick: Tick,
  issue: IssueRef,
  memory: ItemOf<'issue'> | null,
  settings: RepoSettings,
): Promise<Closer> => {
  try {
    const detail = await tick.ports.tracker.detail(issue, settings.labels.ready);
    if (detail === null) return { ruling: 'gone', why: 'the issue was deleted or moved away', held: null };
    const { trust, permissions } = await trustOf(tick, detail, settings);
    const refs = blockersIn(detail.body, detail.repo.name);
    const blockers = refs.length === 0 ? new Map() : await tick.ports.tracker.blockerStates(refs);
    const ruled = ruleDetailed(detail, trust, memory, settings, blockers);
    if (ruled.ruling === 'dispatch') return { ruling: 'dispatch', detail, act: ruled.act, how: ruled.detail };
    // Something else may have been in the way before trust was asked.
    const isHeld = ruled.ruling === 'not trusted' || ruled.ruling === 'changed since';
    const hold = isHeld ? holdOf(detail, trust, settings.labels.ready) : null;
    const held = hold && { ...hold, permission: permissions.get(hold.by.toLowerCase()) ?? null };
    return { ruling: ruled.ruling, why: ruled.detail, held };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return { ruling: 'trust unknown', why: reasonOf(error), held: null };
  }
};

type Permissions = ReadonlyMap<string, Permission>;

/** Asks and judges by turns: each right that is learnt may raise the question of another. Never from a cache. */
const trustOf = async (
  tick: Tick,
  detail: IssueDetail,
  settings: RepoSettings,
): Promise<{ trust: Trust; permissions: Permissions }> => {
  const policy = { ...settings, readyLabel: settings.labels.ready };
  const permissions = new Map<string, Permission>();
  for (;;) {
    const trust = judgeTrust(detail, permissions, policy);
    if (trust.trusted !== null) return { trust, permissions };
    const unknown = trust.unknown.filter((login) => !permissions.has(login.toLowerCase()));
    // A judge that asks again for what it was told would ask for ever.
    if (unknown.length === 0) return { trust, permissions };
    for (const login of unknown)
      permissions.set(login.toLowerCase(), await tick.ports.tracker.permission(detail.repo, login));
  }
};
