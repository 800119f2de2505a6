import * as z from 'zod';
import { firstRev, itemOf, nowPartition, type Row, requireSameKey, rowOf } from '../adapters/stored-item.ts';
import { type Item, keyOf } from '../core/record.ts';
import { EndedRun } from '../core/run.ts';
import { PortError, type Store, type Stored, type Unreadable } from '../ports.ts';

/** What outlives a crash: rows, texts and history as JSON, so that nothing is shared with whoever wrote it. */
export type MemoryTable = { rows: Map<string, string>; texts: Map<string, string>; history: Map<string, string> };

/** An empty table. */
export const memoryTable = (): MemoryTable => ({ rows: new Map(), texts: new Map(), history: new Map() });

/**
 * The store in memory. Keeps the promises that the one on DynamoDB keeps, by the same rows; each call is atomic and
 * takes hold before its promise is returned. Several stores on one table are several invocations. What is read is
 * frozen: each row is parsed once for all who read it.
 */
export const memoryStore = (table: MemoryTable = memoryTable(), writer = 'memory'): Store => {
  let writes = 0;
  const nameOfWrite = () => `${writer}/${++writes}`;
  const rowAt = (key: string): unknown => parsed(table.rows.get(key));
  const isAt = (key: string, rev: number): boolean => {
    const row = table.rows.get(key);
    if (row === undefined) return false;
    const read = readOf(row);
    return ('stored' in read ? read.stored : Rev.safeParse(rowAt(key)).data)?.rev === rev;
  };
  const put = (row: Row): void => {
    table.rows.set(row.sk, JSON.stringify(row));
  };

  return {
    readNow: async () => {
      const items: Stored[] = [];
      const unreadable: Unreadable[] = [];
      for (const [, row] of [...table.rows].sort(([a], [b]) => byBytes(a, b))) {
        const read = readOf(row);
        if ('stored' in read) items.push(read.stored);
        else unreadable.push(read.unreadable);
      }
      return { items, unreadable };
    },

    read: async (key) => {
      const row = table.rows.get(key);
      const read = row === undefined ? null : readOf(row);
      return read !== null && 'stored' in read ? read.stored : null;
    },

    insert: async <T extends Item>(item: T) => {
      const name = nameOfWrite();
      const row = rowOf(item, firstRev(keyOf(item), name), name);
      if (table.rows.has(row.sk)) return 'taken';
      put(row);
      return { item: structuredClone(item), rev: row.rev };
    },

    replace: async <T extends Item>(from: Stored, to: T) => {
      requireSameKey(from.item, to);
      const row = rowOf(to, from.rev + 1, nameOfWrite());
      if (!isAt(row.sk, from.rev)) return 'lost';
      put(row);
      return { item: structuredClone(to), rev: row.rev };
    },

    remove: async (from) => {
      const key = keyOf(from.item);
      if (table.rows.has(key) && !isAt(key, from.rev)) return 'lost';
      table.rows.delete(key);
      return 'removed';
    },

    countRun: async (date, max) => {
      if (max < 1) return 'full';
      const name = nameOfWrite();
      const free = rowOf({ kind: 'day', date, runs: 0 }, 1, name);
      const day = table.rows.has(free.sk)
        ? Day.safeParse(rowAt(free.sk)).data
        : { rev: firstRev(free.sk, name), runs: 0 };
      if (day === undefined || day.runs >= max) return 'full';
      put(rowOf({ kind: 'day', date, runs: day.runs + 1 }, day.rev + 1, name));
      return 'counted';
    },

    keepText: async (runId, text) => {
      const kept = JSON.stringify({ title: text.title, body: text.body, hash: text.hash });
      if ((table.texts.get(runId) ?? kept) !== kept) {
        throw new PortError('refused', `the text of run ${runId} was kept before, and it was another`);
      }
      table.texts.set(runId, kept);
    },

    textOf: async (runId) => Text.parse(parsed(table.texts.get(runId))),

    keepHistory: async (run) => {
      if (!table.history.has(run.id)) table.history.set(run.id, JSON.stringify(run));
    },

    historyOf: async ({ host, id }) =>
      historyOf(table)
        .filter(({ repo }) => repo.host === host && repo.id === id)
        .sort((a, b) => b.claimedAt - a.claimedAt)
        .slice(0, 100),
  };
};

/** Every run kept in the history, in the order in which they were kept. */
export const historyOf = (table: MemoryTable): readonly EndedRun[] =>
  [...table.history.values()].map((run) => EndedRun.parse(JSON.parse(run)));

/** Puts a row there as a newer version of this program, or a hand in the console, might. */
export const plantRow = (table: MemoryTable, row: { sk: string } & Readonly<Record<string, unknown>>): void => {
  table.rows.set(row.sk, JSON.stringify({ pk: nowPartition, ...row }));
};

type Read = ReturnType<typeof itemOf>;
const known = new Map<string, Read>();
const knownMax = 2000;

/** What a row says. Pure, so that rows which say the same are parsed once; frozen, so that nobody's copy is another's. */
const readOf = (row: string): Read => {
  const before = known.get(row);
  if (before !== undefined) return before;
  if (known.size >= knownMax) known.clear();
  const read = itemOf(JSON.parse(row));
  known.set(row, frozen(read));
  return read;
};

const frozen = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
};

const Rev = z.object({ rev: z.number() });
const Day = z.object({ v: z.literal(1), rev: z.number(), runs: z.number() });
const Text = z.object({ title: z.string(), body: z.string(), hash: z.string() }).nullable();

const parsed = (json: string | undefined): unknown => (json === undefined ? null : JSON.parse(json));

// As DynamoDB orders sort keys.
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
