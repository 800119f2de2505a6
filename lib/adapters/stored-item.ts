import { createHash } from 'node:crypto';
import * as z from 'zod';
import { cleanLine } from '../core/clean-text.ts';
import { Item, keyOf } from '../core/record.ts';
import { PortError, type Stored, type Unreadable } from '../ports.ts';

/** The partition of everything a tick must know. */
export const nowPartition = 'now';

/** The schema version that this code writes, and the only one it reads. */
export const schemaVersion = 1;

/** Size of an item as JSON in UTF-8. One consistent read unit of DynamoDB reads as much. */
export const itemBytesMax = 4096;

/**
 * An item as a row of the table. `writer` names the one write that made it; a day's `runs` stand outside `data`, so
 * that a condition can count them.
 */
export type Row = { pk: string; sk: string; v: number; rev: number; writer: string; data: unknown; runs?: number };

/**
 * The row that stores an item. Throws a `PortError` `refused` for one that could not be read back or is too large:
 * such a row would park its repo until a person mends it, so it is never written.
 */
export const rowOf = (item: Item, rev: number, writer: string): Row => {
  const key = keyOf(item);
  const checked = Item.safeParse(wireOf(item));
  if (!checked.success) throw new PortError('refused', `${key} was not written: ${breachOf(checked.error)}`);
  const bytes = Buffer.byteLength(JSON.stringify(checked.data));
  if (bytes > itemBytesMax) {
    throw new PortError('refused', `${key} was not written: it has ${bytes} bytes, and ${itemBytesMax} is the limit`);
  }
  const envelope = { pk: nowPartition, sk: key, v: schemaVersion, rev, writer };
  if (checked.data.kind !== 'day') return { ...envelope, data: checked.data };
  const { runs, ...data } = checked.data;
  return { ...envelope, data, runs };
};

/** What a row of partition `now` says, whatever it holds: an item, or why it is none. Total. */
export const itemOf = (row: unknown): { stored: Stored } | { unreadable: Unreadable } => {
  const envelope = Envelope.safeParse(row);
  if (!envelope.success) return { unreadable: { key: keyIn(row), reason: breachOf(envelope.error) } };
  const { sk: key, v, rev, data, runs } = envelope.data;
  const unreadable = (reason: string) => ({ unreadable: { key, reason } });
  if (v !== schemaVersion) return unreadable(`it has schema version ${cleanLine(String(v), 20)}, not ${schemaVersion}`);
  const item = Item.safeParse(data['kind'] === 'day' ? { ...data, runs } : data);
  if (!item.success) return unreadable(breachOf(item.error));
  if (keyOf(item.data) !== key) return unreadable('its content belongs under another key');
  return { stored: { item: item.data, rev } };
};

/**
 * Where a new item's revisions begin: far from where another item under the same key began, so that who still holds
 * an item that was removed and made anew can neither replace nor remove the new one.
 */
export const firstRev = (key: string, writer: string): number =>
  1 +
  Number.parseInt(
    createHash('sha256')
      .update(JSON.stringify([key, writer]))
      .digest('hex')
      .slice(0, 10),
    16,
  );

/** Throws a `PortError` `refused` where a replacement speaks of something else than what it replaces. */
export const requireSameKey = (from: Item, to: Item): void => {
  if (keyOf(from) !== keyOf(to)) {
    throw new PortError('refused', `${keyOf(from)} was not replaced: the new item has the key ${keyOf(to)}`);
  }
};

/** A copy as it would come back from the table: plain data, text without half characters. */
export const wireOf = (value: unknown): unknown => {
  const text = JSON.stringify(value);
  // Only half characters are written as such escapes; a text that merely reads like one is looked at as well.
  if (!text.includes('\\ud')) return JSON.parse(text);
  return JSON.parse(text, (_, part: unknown) => (typeof part === 'string' ? part.toWellFormed() : part));
};

const Envelope = z.object({
  sk: z.string(),
  v: z.unknown(),
  rev: z.int().min(1),
  data: z.record(z.string(), z.unknown()),
  runs: z.unknown().optional(),
});

const keyIn = (row: unknown): string => z.object({ sk: z.string() }).safeParse(row).data?.sk ?? '(no key)';

const breachOf = ({ issues }: z.ZodError): string => {
  const [first] = issues;
  if (first === undefined) return 'it does not fit the schema';
  return cleanLine(`${first.path.length === 0 ? 'the item' : first.path.join('.')}: ${first.message}`, 300);
};
