import { describe, expect, test } from 'vitest';
import { wedgedReason } from '../../lib/core/executor-health.ts';
import type { Thread } from '../../lib/ports.ts';

const askedAt = Date.parse('2026-11-22T11:00:00.000Z');
const before = '2026-11-22T10:59:00.000Z';
const asked = '2026-11-22T11:00:00.000Z';
const after = '2026-11-22T11:00:01.000Z';
const minutes = (n: number): number => n * 60_000;

const aThread = (fields: Partial<Thread> = {}): Thread => ({
  id: 'thread-1',
  projectId: 'project-1',
  turn: null,
  session: null,
  lastMessageAt: asked,
  updatedAt: asked,
  pending: null,
  backgroundWork: false,
  ...fields,
});
const session = (status: NonNullable<Thread['session']>['status'], updatedAt: string): Thread['session'] => ({
  status,
  updatedAt,
  lastError: null,
});
const turn = (state: NonNullable<Thread['turn']>['state'], requestedAt: string): Thread['turn'] => ({
  id: 'turn-1',
  state,
  requestedAt,
});

const queued = aThread();
const twoMinutesOn = askedAt + minutes(2);

describe('a server that a silent agent has wedged', () => {
  test('is told by several threads that have been queued for over a minute', () => {
    expect(wedgedReason([queued, queued], askedAt + minutes(1))).toBeNull();
    expect(wedgedReason([queued, queued], askedAt + minutes(1) + 1)).toMatch(/^T3 is wedged: 2 turns have waited/);
    expect(wedgedReason([queued, queued, queued], twoMinutesOn)).toMatch(/3 turns/);
  });

  test('is not told by one: that turn may just be lost', () => {
    expect(wedgedReason([queued], twoMinutesOn)).toBeNull();
    expect(wedgedReason([], twoMinutesOn)).toBeNull();
  });

  test('is not told any more by turns that wait for over half an hour: they were lost, and it recovers by itself', () => {
    expect(wedgedReason([queued, queued], askedAt + minutes(30) - 1)).not.toBeNull();
    expect(wedgedReason([queued, queued], askedAt + minutes(30))).toBeNull();
  });

  test.each<[string, Thread]>([
    [
      'a further turn behind one that is over',
      aThread({ turn: turn('completed', before), session: session('ready', before) }),
    ],
    [
      'a further turn behind a stopped session',
      aThread({ turn: turn('error', before), session: session('stopped', before) }),
    ],
  ])('is told by %s too', (_, thread) => {
    expect(wedgedReason([thread, queued], twoMinutesOn)).not.toBeNull();
  });

  test.each<[string, Thread]>([
    ['a thread nobody wrote to', aThread({ lastMessageAt: null })],
    ['a turn that was taken up', aThread({ turn: turn('running', asked), session: session('running', after) })],
    ['a turn that is over', aThread({ turn: turn('completed', asked), session: session('ready', after) })],
    ['an agent that is starting', aThread({ session: session('starting', asked) })],
    ['an agent that could not start', aThread({ session: session('error', asked) })],
    ['a thread that was stopped since', aThread({ session: session('stopped', after) })],
    [
      'a message sent into a turn at work',
      aThread({ turn: turn('running', before), session: session('running', before) }),
    ],
    ['a word nobody knows', aThread({ turn: turn('unknown', before), session: session('unknown', before) })],
  ])('is not told by %s', (_, thread) => {
    expect(wedgedReason([thread, queued], twoMinutesOn)).toBeNull();
    expect(wedgedReason([thread, thread, thread], twoMinutesOn)).toBeNull();
  });
});
