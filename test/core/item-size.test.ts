import { expect, test } from 'vitest';
import { itemBytesMax } from '../../lib/adapters/stored-item.ts';
import { withinBytes } from '../../lib/core/clean-text.ts';
import { endingOf, next } from '../../lib/core/next.ts';
import { isActive } from '../../lib/core/run.ts';
import { aFixingRun, aVerifyingRun, shaOf } from '../support/told-runs.ts';

const sizeOf = (run: unknown): number => Buffer.byteLength(JSON.stringify({ kind: 'run', run }));
const wide = (length: number): string => '満'.repeat(length);

/** Everything a run takes along, as long as it can get. */
const full = {
  repo: {
    host: 'github.example-enterprise.com',
    id: '1234567890',
    nodeId: 'R_kgDOabcdefghijklmnop',
    name: `${'o'.repeat(39)}/${'r'.repeat(100)}`,
    branch: 'b'.repeat(60),
  },
  issue: {
    number: 99_999,
    nodeId: 'I_kwDOabcdefghijklmnop',
    title: withinBytes(wide(200), 300),
    url: `https://github.example-enterprise.com/${'o'.repeat(39)}/${'r'.repeat(100)}/issues/99999`,
  },
  act: { id: 'LE_lADOabcdefghijklmnopqrstuvwxyz', by: 'l'.repeat(39), at: 1_800_000_000_000 },
  earlier: { id: 'f'.repeat(32), commits: [1, 2, 3].map((n) => shaOf(String(n))) },
  commits: [1, 2, 3, 4, 5].map((n) => shaOf(String(n))),
  landing: 'pull-request',
  pull: {
    ...{ number: 99_999, head: shaOf('c'), seenAt: 1_800_000_000_000, stands: 'conflicting' },
    ...{ firstRedAt: 1_800_000_000_000, mended: { head: shaOf('c'), why: 'conflicting' }, merge: shaOf('d') },
  },
  headSeen: shaOf('a'),
  baseRed: Array.from({ length: 3 }, () => withinBytes(wide(60), 60)),
  expected: Array.from({ length: 12 }, () => 'f'.repeat(8)),
  tokens: Array.from({ length: 4 }, () => 123_456_789),
  question: { requestId: 'r'.repeat(40), stage: 'answered', at: 1_800_000_000_000 },
  halt: { at: 1_800_000_000_000, interrupts: 10, lastOrderAt: 1_800_000_000_000 },
  mirror: {
    commentId: 'IC_kwDOabcdefghijklmnop',
    confirmed: 'c'.repeat(32),
    writing: { by: 'b'.repeat(12), at: 1_800_000_000_000 },
  },
};

test('a run that ends with the longest words in the widest letters fits into one item', () => {
  const run = aVerifyingRun(full);
  if (!isActive(run)) throw new Error('it is active');
  const end = {
    why: wide(3000),
    clock: 0,
    now: 0,
    lostMs: 0,
    lastWords: wide(1200),
    couldNotStart: false,
    deployed: false,
    outOfReach: false,
  };
  const ending = endingOf(run, 'frozen', end);
  expect(sizeOf(ending)).toBeLessThan(itemBytesMax - 100);
  expect(ending.reason.length).toBeGreaterThan(100);
});

test('a run that mends many checks with long names fits into one item', () => {
  const run = aFixingRun(full);
  if (!isActive(run)) throw new Error('it is active');
  const failing = Array.from({ length: 50 }, (_, n) => ({
    name: `${n} ${wide(300)}`,
    url: `https://ci.example/${'x'.repeat(220)}`,
    state: 'startup-failure',
  }));
  const facts = { now: 0, clock: 0, lostMs: 0, agent: null, executorDownMs: 0, issue: null, executorSuspect: false };
  const judged = {
    facts,
    proof: { state: 'red', what: 'CI', failing, blame: 'change' },
    pull: { is: 'none' },
    situation: { name: 'red, turn over', why: '' },
  } as const;
  expect(sizeOf(next(run, 'fix forward', judged, { now: 0, by: 'b'.repeat(12) }))).toBeLessThan(itemBytesMax - 100);
});

test.each([
  ['short', 10, 'short'],
  ['abcdef', 5, 'ab…'],
  ['満満満', 9, '満満満'],
  ['満満満', 8, '満…'],
  ['😀😀', 7, '😀…'],
])('%s within %i bytes is %s', (text, bytes, expected) => {
  expect(withinBytes(text, bytes)).toBe(expected);
});
