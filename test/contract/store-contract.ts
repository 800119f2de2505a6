import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Item, keyOf } from '../../lib/core/record.ts';
import { EndedRun, OpenRun } from '../../lib/core/run.ts';
import { PortError, type Store, type Stored } from '../../lib/ports.ts';
import { fromSchema, oneFromSchema } from '../support/from-schema.ts';

/** A row as another version of this program, or a person in the console, might leave it in partition `now`. */
export type ForeignRow = { sk: string } & Readonly<Record<string, unknown>>;

/** A fresh, empty table. `invocation` is a store as one tick has it; each call is another tick on the same table. */
export type StoreTable = {
  invocation: (writer: string) => Store;
  plant: (row: ForeignRow) => Promise<void>;
  /** The history of a run's repo, newest claim first. */
  history: (run: EndedRun) => Promise<readonly unknown[]>;
};

/** What every store promises, whatever it is made of. */
export const storeContract = (name: string, makeTable: () => Promise<StoreTable>) => {
  const aStore = async () => (await makeTable()).invocation('poller-1');

  describe(`${name} keeps the store's promises`, () => {
    test('a repo is claimed once', async () => {
      const table = await makeTable();
      expect(await table.invocation('poller-1').insert(aRun('1'))).toMatchObject({ item: aRun('1') });
      expect(await table.invocation('poller-2').insert(aRun('2'))).toBe('taken');
      expect(await nowOf(table.invocation('watcher-1'))).toEqual([aRun('1')]);
    });

    test('of twenty claims of one repo at the same moment exactly one wins', async () => {
      const table = await makeTable();
      const pollers = Array.from({ length: 10 }, (_, n) => table.invocation(`poller-${n}`));
      // Each claims twice, and all claims look the same: neither the writer nor the content may make it two winners.
      const claims = await Promise.all([...pollers, ...pollers].map((store) => store.insert(aRun('1'))));
      expect(claims.filter((claim) => claim !== 'taken')).toHaveLength(1);
    });

    test('a write on a stale revision is lost and changes nothing', async () => {
      const store = await aStore();
      const first = inserted(await store.insert(aLease('a')));
      const second = inserted(await store.replace(first, aLease('b')));
      expect(await store.replace(first, aLease('c'))).toBe('lost');
      expect(await store.remove(first)).toBe('lost');
      expect(await store.read('lease')).toEqual(second);
    });

    test('a write on the revision that was read takes hold, and the next one may build on it', async () => {
      const store = await aStore();
      let lease: Stored = inserted(await store.insert(aLease('a')));
      for (const by of ['b', 'c', 'd']) {
        const next: Stored = inserted(await store.replace(lease, aLease(by)));
        expect(next).toEqual({ item: aLease(by), rev: lease.rev + 1 });
        lease = next;
      }
      expect(await store.readNow()).toEqual({ items: [lease], unreadable: [] });
    });

    test('of twenty replacements of one revision exactly one takes hold', async () => {
      const table = await makeTable();
      const from = inserted(await table.invocation('poller-1').insert(aLease('nobody')));
      const writers = Array.from({ length: 10 }, (_, n) => table.invocation(`writer-${n}`));
      const results = await Promise.all([...writers, ...writers].map((store) => store.replace(from, aLease('a'))));
      expect(results.filter((result) => result !== 'lost')).toHaveLength(1);
    });

    test('a replacement of what is not there is lost', async () => {
      const store = await aStore();
      const lease = inserted(await store.insert(aLease('a')));
      await store.remove(lease);
      expect(await store.replace(lease, aLease('b'))).toBe('lost');
      expect(await nowOf(store)).toEqual([]);
    });

    test('a replacement under another key is refused', async () => {
      const store = await aStore();
      const lease = inserted(await store.insert(aLease('a')));
      await expect(store.replace(lease, aSweep)).rejects.toThrow('key');
      await expect(store.replace(lease, aSweep)).rejects.toMatchObject({ kind: 'refused' });
      expect(await nowOf(store)).toEqual([aLease('a')]);
    });

    test('what is removed is gone, its key is free, and removing it again changes nothing', async () => {
      const store = await aStore();
      const lease = inserted(await store.insert(aLease('a')));
      expect(await store.remove(lease)).toBe('removed');
      expect(await store.remove(lease)).toBe('removed');
      expect(await store.read('lease')).toBeNull();
      expect(await store.insert(aLease('b'))).not.toBe('taken');
    });

    test('who holds an item that was removed and made anew by another can neither replace nor remove the new one', async () => {
      const table = await makeTable();
      const [slow, quick] = [table.invocation('slow'), table.invocation('quick')];
      const old = inserted(await slow.insert(aLease('slow')));
      await quick.remove(old);
      await quick.insert(aLease('quick'));
      expect(await slow.replace(old, aLease('slow'))).toBe('lost');
      expect(await slow.remove(old)).toBe('lost');
      expect(await nowOf(slow)).toEqual([aLease('quick')]);
    });

    test('runs of a day never exceed the limit, however many are counted at once', async () => {
      const table = await makeTable();
      const counts = await Promise.all(
        Array.from({ length: 50 }, (_, n) => table.invocation(`poller-${n % 7}-${n}`).countRun('2026-01-05', 20)),
      );
      expect(counts.filter((count) => count === 'counted')).toHaveLength(20);
      expect(await nowOf(table.invocation('watcher'))).toEqual([{ kind: 'day', date: '2026-01-05', runs: 20 }]);
    });

    test('runs are counted by day, on what was counted before, and no day begins under a limit of none', async () => {
      const store = await aStore();
      expect(await store.countRun('2026-01-05', 0)).toBe('full');
      expect(await nowOf(store)).toEqual([]);
      expect(await store.countRun('2026-01-05', 1)).toBe('counted');
      expect(await store.countRun('2026-01-05', 1)).toBe('full');
      expect(await store.countRun('2026-01-06', 1)).toBe('counted');
      expect(await store.countRun('2026-01-05', 2)).toBe('counted');
      expect((await store.readNow()).items.map(({ item }) => item)).toEqual([
        { kind: 'day', date: '2026-01-05', runs: 2 },
        { kind: 'day', date: '2026-01-06', runs: 1 },
      ]);
    });

    test('a day that was read and has counted since cannot be written on', async () => {
      const store = await aStore();
      await store.countRun('2026-01-05', 9);
      const day = (await store.read('day#2026-01-05'))!;
      await store.countRun('2026-01-05', 9);
      expect(await store.replace(day, { kind: 'day', date: '2026-01-05', runs: 0 })).toBe('lost');
      expect(await store.remove(day)).toBe('lost');
    });

    test('a day that is not understood counts as full', async () => {
      const table = await makeTable();
      const store = table.invocation('poller-1');
      await table.plant({ sk: 'day#2026-01-05', v: 2, rev: 3, writer: 'x', data: {}, runs: 0 });
      await table.plant({ sk: 'day#2026-01-06', v: 1, rev: 3, writer: 'x', data: {}, runs: 'many' });
      expect(await store.countRun('2026-01-05', 9)).toBe('full');
      expect(await store.countRun('2026-01-06', 9)).toBe('full');
    });

    test('an item that cannot be read is named with the reason, holds its key and does not stop the others', async () => {
      const table = await makeTable();
      const store = table.invocation('watcher-1');
      await store.insert(aRun('1', '100'));
      const foreign = { v: 1, rev: 1, writer: 'x' };
      await table.plant({ ...foreign, sk: keyOf(aRun('1', '200')), v: 2, data: aRun('1', '200') });
      await table.plant({ ...foreign, sk: 'future#1', data: { kind: 'future' } });
      await table.plant({ ...foreign, sk: 'sweep', data: { kind: 'sweep', at: 'noon' } });
      await table.plant({ ...foreign, sk: 'lease', data: { ...aLease('a'), colour: 'red' } });
      await table.plant({ ...foreign, sk: 'breaker', data: aSweep });
      await table.plant({ sk: 'lastWatch' });

      const { items, unreadable } = await store.readNow();
      expect(items.map(({ item }) => item)).toEqual([aRun('1', '100')]);
      expect(Object.fromEntries(unreadable.map(({ key, reason }) => [key, reason]))).toEqual({
        [keyOf(aRun('1', '200'))]: expect.stringContaining('version 2'),
        'future#1': expect.stringContaining('kind'),
        sweep: expect.stringContaining('at'),
        lease: expect.stringContaining('colour'),
        breaker: expect.stringContaining('another key'),
        lastWatch: expect.stringMatching(/./),
      });
      expect(await store.read('sweep')).toBeNull();
      expect(await store.insert(aSweep)).toBe('taken');
    });

    test('every item comes back as it was stored', async () => {
      const store = await aStore();
      await fc.assert(
        fc.asyncProperty(fromSchema(Item), fromSchema(Item), async (item, other) => {
          fc.pre(sizeOf(item) <= 4096 && sizeOf(other) <= 4096);
          const stored = inserted(await store.insert(item));
          expect(stored.item).toEqual(item);
          expect(await store.read(keyOf(item))).toEqual(stored);
          expect(await store.readNow()).toEqual({ items: [stored], unreadable: [] });
          const last = keyOf(other) === keyOf(item) ? inserted(await store.replace(stored, other)) : stored;
          expect(await store.remove(last)).toBe('removed');
        }),
        { numRuns: 60 },
      );
    }, 20_000);

    test('text with half a character in it is stored with a mark in its place, and its item can be moved on', async () => {
      const store = await aStore();
      const from = inserted(await store.insert(aLease('cut in two: \ud83d')));
      expect((await store.read('lease'))?.item).toEqual(aLease('cut in two: \ufffd'));
      expect(await store.replace(from, aLease('b'))).not.toBe('lost');
    });

    test('nothing is shared with who wrote or read it', async () => {
      const store = await aStore();
      const lease = aLease('a');
      const stored = inserted(await store.insert(lease));
      lease.by = 'changed by its writer';
      for (const read of [await store.read('lease'), (await store.readNow()).items[0]!]) {
        expect(read).toEqual({ item: aLease('a'), rev: stored.rev });
        Reflect.set(read!.item, 'by', 'changed by a reader');
      }
      expect(await nowOf(store)).toEqual([aLease('a')]);
    });

    test('more than one page of items is read whole and in key order', async () => {
      const store = await aStore();
      const numbers = Array.from({ length: 320 }, (_, n) => n + 1);
      for (let n = 0; n < numbers.length; n += 40) {
        await Promise.all(numbers.slice(n, n + 40).map((number) => store.insert(anIssue(number, 'x'.repeat(3600)))));
      }
      const { items, unreadable } = await store.readNow();
      const expected = numbers.map((number) => `issue#github.com#100#${number}`).sort();
      expect(items.map(({ item }) => keyOf(item))).toEqual(expected);
      expect(unreadable).toEqual([]);
    });

    test('an item over 4 KB is refused before anything is written', async () => {
      const store = await aStore();
      const small = inserted(await store.insert(anIssue(1, 'x')));
      const large = anIssue(1, '錯'.repeat(1400));
      await expect(store.replace(small, large)).rejects.toThrow(/issue#github\.com#100#1 .* 4096/);
      await expect(store.insert(anIssue(2, 'x'.repeat(4097)))).rejects.toMatchObject({ kind: 'refused' });
      expect(await nowOf(store)).toEqual([anIssue(1, 'x')]);
    });

    test('an item that could not be read back is refused before anything is written', async () => {
      const store = await aStore();
      const lease = { ...aLease('a'), colour: 'red' };
      await expect(store.insert(lease)).rejects.toThrow('colour');
      await expect(store.insert({ kind: 'sweep', at: 1.5 })).rejects.toThrow(PortError);
      expect(await store.readNow()).toEqual({ items: [], unreadable: [] });
    });

    test('the text of a run is written once: the same again is fine, another is refused and the first stays', async () => {
      const table = await makeTable();
      const text = { title: 'Totals are wrong ✓', body: `${'long '.repeat(12_000)}\u0000`, hash: 'h1' };
      await table.invocation('poller-1').keepText('run-1', text);
      await table.invocation('poller-2').keepText('run-1', { ...text });
      const store = table.invocation('poller-3');
      await expect(store.keepText('run-1', { ...text, body: 'another' })).rejects.toMatchObject({ kind: 'refused' });
      expect(await store.textOf('run-1')).toEqual(text);
      expect(await store.textOf('run-2')).toBeNull();
    });

    test('texts and history are not among what every tick reads', async () => {
      const store = await aStore();
      await store.keepText('run-1', { title: 't', body: 'b', hash: 'h' });
      await store.keepHistory(anEnded('1', 1000));
      expect(await store.readNow()).toEqual({ items: [], unreadable: [] });
    });

    test('history keeps each run once, as it was first told, and the newest first', async () => {
      const table = await makeTable();
      const [first, second] = [anEnded('1', 1000), anEnded('2', 2000)];
      await table.invocation('watcher-1').keepHistory(first);
      await table.invocation('watcher-1').keepHistory(second);
      await table.invocation('watcher-2').keepHistory({ ...first, endedAt: 9999, reason: 'told again after a crash' });
      expect(await table.history(first)).toEqual([second, first]);
    });
  });
};

const inserted = <T extends Item>(result: Stored<T> | 'taken' | 'lost'): Stored<T> => {
  if (result === 'taken' || result === 'lost') throw new Error(`expected to be stored, was ${result}`);
  return result;
};

const nowOf = async (store: Store): Promise<readonly Item[]> => {
  const { items, unreadable } = await store.readNow();
  expect(unreadable).toEqual([]);
  return items.map(({ item }) => item);
};

const sizeOf = (item: Item): number => Buffer.byteLength(JSON.stringify(item));

const aLease = (by: string) => ({ kind: 'lease' as const, by, until: 1000 });
const aSweep = { kind: 'sweep' as const, at: 1000 };
const anIssue = (number: number, actId: string): Item => ({
  ...{ kind: 'issue', host: 'github.com', repoId: '100', number },
  ...{
    spent: { actId, actAt: 1, outcome: 'done', runId: 'r', commits: [] },
    refusal: null,
    releases: null,
    coolUntil: null,
    told: null,
    changedAt: 1,
  },
});

const openRun = oneFromSchema(OpenRun);
const endedRun = oneFromSchema(EndedRun);
const aRun = (digit: string, repoId = '100'): Item => ({
  kind: 'run',
  run: { ...openRun, id: digit.repeat(32), repo: { ...openRun.repo, host: 'github.com', id: repoId } },
});
const anEnded = (digit: string, claimedAt: number): EndedRun => ({ ...endedRun, id: digit.repeat(32), claimedAt });
