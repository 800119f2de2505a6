import { leftOf } from '../core/age.ts';
import { deadlines } from '../core/deadlines.ts';
import type { ItemOf } from '../core/record.ts';
import type { Stored } from '../ports.ts';
import type { Tick } from './tick.ts';

/**
 * What only one poller may do at a time: count a run against the caps, or tell people of a labelling once. Null where
 * another is at it; held for the moment, and free again after 90 s whatever happens.
 */
export const underLease = async <T>(tick: Tick, work: () => Promise<T>): Promise<T | null> => {
  const lease = await takeLease(tick);
  return lease === null ? null : work().finally(() => tick.ports.store.remove(lease));
};

const takeLease = async (tick: Tick): Promise<Stored<ItemOf<'lease'>> | null> => {
  const lease: ItemOf<'lease'> = { kind: 'lease', by: tick.by, until: tick.now() + deadlines.leaseMs };
  const held = await tick.ports.store.read('lease');
  if (held === null) {
    const inserted = await tick.ports.store.insert(lease);
    return inserted === 'taken' ? null : inserted;
  }
  if (held.item.kind !== 'lease') return null;
  if (leftOf(held.item.until, tick.now(), deadlines.leaseMs) > 0) return null;
  const replaced = await tick.ports.store.replace(held, lease);
  return replaced === 'lost' ? null : replaced;
};
