import { describe, expect, test } from 'vitest';
import { coverageOf, toBeMet } from './coverage.ts';
import { dice } from './dice.ts';
import { type History, historyOf } from './history.ts';
import { play } from './play.ts';
import { shrink } from './shrink.ts';

/** Seeds of `npm test`: the first so many of seed 1. Wider sweeps are `npm run sim`. */
const count = 240;

describe('whatever goes wrong, and whoever acts at whatever moment, every promise holds and everything comes to rest', () => {
  const met = new Map<string, number>();
  test.each(Array.from({ length: 8 }, (_, part) => part))(
    'random histories, part %i',
    async (part) => {
      for (let n = part; n < count; n += 8) {
        const played = await play(historyOf(1_000_000 + n));
        expect(played.wrong, `npm run sim -- --only ${1_000_000 + n}`).toEqual([]);
        for (const what of played.met) met.set(what, (met.get(what) ?? 0) + 1);
      }
    },
    60_000,
  );

  test('the few histories of a test run meet most of what there is to meet, so that none of it is left out by mistake', () => {
    const { unmet } = coverageOf(met);
    expect(unmet.length).toBeLessThan(toBeMet.length / 3);
    expect(unmet.filter((name) => name.startsWith('end:') || name.startsWith('command:'))).toEqual([]);
  });
});

test('a history replays to the byte: the same seed, the same story', async () => {
  for (const seed of [1_000_003, 1_000_017, 1_000_005]) {
    const [one, two] = [await play(historyOf(seed), { isTold: true }), await play(historyOf(seed), { isTold: true })];
    expect(one.story.length).toBeGreaterThan(1);
    expect(two).toEqual(one);
  }
});

test('one world, two faces: over HTTP, by the real adapters, a history tells the same story as in memory', async () => {
  // Where ticks overlap, or dice fall at each call, the story hangs on the order in which answers come in.
  const plain = Array.from({ length: 40 }, (_, n) => historyOf(1_000_000 + n)).filter(({ faults }) =>
    faults.every((fault) => fault.kind !== 'overlap' && fault.kind !== 'port hangs' && !('share' in fault)),
  );
  expect(plain.length).toBeGreaterThan(4);
  for (const history of plain.slice(0, 4)) {
    const inMemory = await play(history, { isTold: true });
    const overHttp = await play(history, { isTold: true, overHttp: true });
    expect(overHttp.wrong).toEqual([]);
    // Runs are looked at side by side: whose line comes first within a minute is chance.
    expect(overHttp.story.toSorted()).toEqual(inMemory.story.toSorted());
  }
}, 60_000);

test('a history that fails is made as small as it goes: only what it takes is left', async () => {
  const history = historyOf(1_000_113);
  const fault = { at: 7, kind: 'person', act: 'closes', issue: 0 } as const;
  const failing = { ...history, faults: [...history.faults, fault] };
  const isClosed = async ({ faults }: History) => faults.some((one) => one.kind === 'person' && one.act === 'closes');
  const small = await shrink(failing, isClosed);
  expect(small.faults).toHaveLength(1);
  expect(small.faults).toEqual([fault]);
  expect(small).toMatchObject({ settings: {}, repoSettings: {}, ci: 'usual', deploys: false, minutes: 8 });
  expect(small.issues.map(({ agent }) => agent)).toEqual(['lands at once']);
});

test('dice fall evenly, and the same for the same seed', () => {
  const throws = dice(7);
  const counts = [0, 0, 0, 0, 0, 0];
  for (let n = 0; n < 6000; n += 1) counts[throws.int(6)]! += 1;
  for (const one of counts) expect(one).toBeGreaterThan(850);
  expect(Array.from({ length: 5 }, dice(7).next)).toEqual(Array.from({ length: 5 }, dice(7).next));
});
