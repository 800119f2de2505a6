import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Shell } from '../../lib/adapters/t3-wire.ts';
import { type Leave, leave, type Sent, sentOf } from '../../lib/core/leave.ts';
import type { Leaving, Turn } from '../../lib/core/run.ts';
import type { Thread } from '../../lib/ports.ts';
import type { AgentAct, AgentScript } from '../../lib/sandbox/t3-agent-script.ts';
import { t3World } from '../../lib/sandbox/t3-world.ts';

const before = '2026-11-22T11:00:00.000Z';
const asked = '2026-11-22T11:00:10.000Z';
const seconds = (n: number): number => n * 1000;
const minutes = (n: number): number => n * 60_000;

type Status = NonNullable<Thread['session']>['status'];

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
const withSession = (status: Status, updatedAt = asked): Thread =>
  aThread({ session: { status, updatedAt, lastError: null } });
const none: Leaving = { since: 0, interrupts: 0, stops: 0, unarchives: 0, lastOrderAt: null };
const said = (step: Leave): string => (typeof step === 'string' ? step : step.order);

// What the thread shows, and what follows while nothing was ordered yet.
const shown = {
  missing: undefined,
  untouched: aThread({ lastMessageAt: null }),
  'never started, stopped': aThread({
    lastMessageAt: null,
    session: { status: 'stopped', updatedAt: before, lastError: null },
  }),
  queued: aThread(),
  'queued behind a stopped session': withSession('stopped', before),
  stopped: withSession('stopped'),
  idle: withSession('idle'),
  ready: withSession('ready'),
  error: withSession('error'),
  interrupted: withSession('interrupted'),
  starting: withSession('starting'),
  running: withSession('running'),
  unknown: withSession('unknown'),
} as const;
const first = [
  // thread, whereabouts, sent, step
  ['missing|untouched', '*', 'never', 'out'],
  ['missing', 'unasked', 'maybe|accepted', 'wait'],
  ['missing', 'archived', 'maybe|accepted', 'unarchive'],
  ['missing', 'deleted', 'maybe|accepted', 'unseen'],
  ['missing', 'absent', 'maybe', 'out'],
  ['missing', 'absent', 'accepted', 'unseen'],
  ['stopped|never started, stopped', '*', '*', 'out'],
  ['untouched', '*', 'maybe|accepted', 'stop'],
  ['queued|queued behind a stopped session|idle|ready|error|interrupted', '*', '*', 'stop'],
  ['starting|running|unknown', '*', '*', 'interrupt'],
] as const;

// What is ordered how long after the last order, for an agent that is busy or idle.
const later = [
  // agent, interrupts, stops, leaving for, last order ago, step
  ['busy', 0, 1, '*', '10s', 'wait'],
  ['busy', 0, 1, '*', '40s|130s|11min', 'interrupt'],
  ['busy', 1, '*', '1min|4min', '10s|40s', 'wait'],
  ['busy', 1, '*', '1min|4min', '130s|11min', 'interrupt'],
  ['busy', 1, '*', '6min|12min', '10s|40s', 'wait'],
  ['busy', 1, 0, '6min|12min', '130s|11min', 'stop'],
  ['busy', 1, 1, '6min', '130s|11min', 'stop'],
  ['busy', 1, 1, '12min', '130s', 'wait'],
  ['busy', 1, 1, '12min', '11min', 'stop'],
  ['busy', 2, '*', '1min|4min', '10s|40s', 'wait'],
  ['busy', 2, '*', '1min|4min', '130s|11min', 'interrupt'],
  ['busy', 2, 0, '6min|12min', '10s', 'wait'],
  ['busy', 2, 0, '6min|12min', '40s|130s|11min', 'stop'],
  ['busy', 2, 1, '6min', '10s|40s', 'wait'],
  ['busy', 2, 1, '6min', '130s|11min', 'stop'],
  ['busy', 2, 1, '12min', '10s|40s|130s', 'wait'],
  ['busy', 2, 1, '12min', '11min', 'stop'],
  ['idle', '1|2', 0, '*', '*', 'stop'],
  ['idle', '*', 1, '1min|4min|6min', '10s|40s', 'wait'],
  ['idle', '*', 1, '1min|4min|6min', '130s|11min', 'stop'],
  ['idle', '*', 1, '12min', '10s|40s|130s', 'wait'],
  ['idle', '*', 1, '12min', '11min', 'stop'],
] as const;

const matches = (cell: string | number, value: string | number): boolean =>
  cell === '*' || String(cell).split('|').includes(String(value));
const rowsFor = <R extends readonly (string | number)[]>(table: readonly R[], key: readonly (string | number)[]): R[] =>
  table.filter((row) => key.every((value, index) => matches(row[index] ?? '', value)));

describe('getting an agent out', () => {
  test('begins as exactly one row of the table says, whatever the thread shows', () => {
    const wrong: unknown[] = [];
    for (const [name, thread] of Object.entries(shown))
      for (const whereabouts of ['unasked', 'archived', 'deleted', 'absent'] as const)
        for (const sent of ['never', 'maybe', 'accepted'] as const) {
          const rows = rowsFor(first, [name, whereabouts, sent]);
          const found = said(leave(thread, whereabouts === 'unasked' ? null : whereabouts, none, 0, sent));
          if (rows.length !== 1 || rows[0]?.[3] !== found) wrong.push({ name, whereabouts, sent, rows, found });
        }
    expect(wrong).toEqual([]);
  });

  test('goes on as exactly one row of the table says, whatever was ordered when', () => {
    const spans = { '10s': seconds(10), '40s': seconds(40), '130s': seconds(130), '11min': minutes(11) };
    const lengths = { '1min': minutes(1), '4min': minutes(4), '6min': minutes(6), '12min': minutes(12) };
    const wrong: unknown[] = [];
    for (const [agent, names] of [
      ['busy', ['starting', 'running', 'unknown']],
      ['idle', ['ready', 'idle', 'error', 'interrupted', 'queued', 'queued behind a stopped session', 'untouched']],
    ] as const)
      for (const name of names)
        for (const interrupts of [0, 1, 2])
          for (const stops of [0, 1])
            for (const [length, leavingMs] of Object.entries(lengths))
              for (const [span, agoMs] of Object.entries(spans)) {
                if (interrupts + stops === 0) continue;
                const rows = rowsFor(later, [agent, interrupts, stops, length, span]);
                const leaving = { ...none, interrupts, stops, lastOrderAt: leavingMs - agoMs };
                const found = said(leave(shown[name], null, leaving, leavingMs, 'maybe'));
                if (rows.length !== 1 || rows[0]?.[5] !== found)
                  wrong.push({ name, interrupts, stops, length, span, rows, found });
              }
    expect(wrong).toEqual([]);
  });

  test('unarchives at once where nobody did, and again only after two minutes', () => {
    const ordered = { ...none, interrupts: 1, lastOrderAt: 0 };
    expect(leave(undefined, 'archived', ordered, seconds(1), 'accepted')).toEqual({ order: 'unarchive' });
    const again = { ...ordered, unarchives: 1 };
    expect(leave(undefined, 'archived', again, seconds(119), 'accepted')).toBe('wait');
    expect(leave(undefined, 'archived', again, seconds(120), 'accepted')).toEqual({ order: 'unarchive' });
  });

  test('believes the thread rather than the record: what shows a message or a session was reached', () => {
    expect(leave(aThread(), null, none, 0, 'never')).toEqual({ order: 'stop' });
    expect(
      leave(
        aThread({ lastMessageAt: null, session: { status: 'running', updatedAt: before, lastError: null } }),
        null,
        none,
        0,
        'never',
      ),
    ).toEqual({ order: 'interrupt' });
  });

  test('knows from the last turn whether one can have been sent', () => {
    const turn: Turn = {
      n: 0,
      kind: 'opening',
      thread: 0,
      after: null,
      sentAt: null,
      startingAt: null,
      readyAt: null,
      takenUpAt: null,
      overAt: null,
      isFree: false,
    };
    expect(sentOf(null)).toBe('never');
    expect(sentOf(turn)).toBe('maybe');
    expect(sentOf({ ...turn, sentAt: 1 })).toBe('accepted');
    expect(sentOf({ ...turn, after: before })).toBe('accepted');
  });
});

describe('seeing an agent out of a real thread', () => {
  /** Looks once in `everyMs` and does as told, until the agent is out or `untilMs` is over. */
  const seeOut = (
    world: ReturnType<typeof t3World>,
    { from, everyMs, untilMs, sent }: { from: number; everyMs: number; untilMs: number; sent: Sent },
  ) => {
    let leaving: Leaving = { ...none, since: from };
    const orders: { order: string; at: number; busy: boolean }[] = [];
    for (let now = from; now <= from + untilMs; now += everyMs) {
      const { threads } = Shell.parse(world.shell(now).body);
      const isBusy = world.liveAgents().some(({ busy }) => busy);
      const step = leave(threads.get('t'), threads.has('t') ? null : 'archived', leaving, now, sent);
      if (step === 'out') return { step, now, orders };
      if (typeof step === 'string') continue;
      const { order } = step;
      const type = { interrupt: 'thread.turn.interrupt', stop: 'thread.session.stop', unarchive: 'thread.unarchive' }[
        order
      ];
      world.dispatch({ type, commandId: `${order}-${orders.length}`, threadId: 't', createdAt: '' }, now);
      leaving = {
        ...leaving,
        interrupts: leaving.interrupts + (order === 'interrupt' ? 1 : 0),
        stops: leaving.stops + (order === 'stop' ? 1 : 0),
        unarchives: leaving.unarchives + (order === 'unarchive' ? 1 : 0),
        lastOrderAt: now,
      };
      orders.push({ order, at: now, busy: isBusy });
    }
    return { step: 'not out' as const, now: from + untilMs, orders };
  };

  const model = { instanceId: 'claudeAgent', model: 'claude-sonnet-5' };
  const worldWith = (script: AgentScript, begin: number) => {
    const world = t3World({ agentOf: () => script });
    const common = { createdAt: '', title: 'one' };
    world.dispatch(
      { type: 'project.create', commandId: 'p', projectId: 'p', workspaceRoot: '/srv/a', ...common },
      begin,
    );
    const place = { branch: null, worktreePath: null, runtimeMode: 'full-access', modelSelection: model };
    world.dispatch(
      { type: 'thread.create', commandId: 't', threadId: 't', projectId: 'p', ...place, ...common },
      begin,
    );
    const message = { messageId: 'm', role: 'user', text: 'Fix it.', attachments: [] };
    const modes = { runtimeMode: 'full-access', interactionMode: 'default' };
    world.dispatch(
      { type: 'thread.turn.start', commandId: 's', threadId: 't', message, createdAt: '', ...modes },
      begin,
    );
    return world;
  };

  const afterMs = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: minutes(20) }));
  const end = fc.constantFrom<AgentAct[]>(
    [],
    [{ afterMs: 100, does: 'end', how: 'completed' }],
    [{ afterMs: 100, does: 'end', how: 'error', lastError: 'no' }],
    [{ afterMs: 100, does: 'end', how: 'crash' }],
    [{ afterMs: 100, does: 'end', how: 'exit-zero' }],
    [{ afterMs: 100, does: 'ask', question: 'Which?', options: [] }],
    [{ afterMs: 100, does: 'approve', detail: 'Bash: rm' }],
    [
      {
        afterMs: 100,
        does: 'end',
        how: 'background',
        backgroundMs: minutes(3),
        afterEnd: [{ afterMs: minutes(5), does: 'end', how: 'completed' }],
      },
    ],
  );
  const script = fc.oneof(
    fc.constantFrom<AgentScript>(
      { starts: 'never' },
      { starts: 'missing-binary' },
      { starts: 'unknown-instance' },
      { starts: 'worktree-gone' },
    ),
    fc.record({ startMs: fc.integer({ min: 1, max: minutes(2) }), afterMs, end }).map(
      ({ startMs, afterMs: work, end: how }): AgentScript => ({
        starts: 'ok',
        startMs,
        acts: [{ afterMs: work, does: 'tool', detail: 'Bash: npm test' }, ...how],
      }),
    ),
  );

  test('an agent that answers is out within six orders and ten minutes, and never comes back', () => {
    const begin = Date.parse(before);
    void fc.assert(
      fc.property(
        script,
        afterMs,
        fc.integer({ min: 1000, max: 60_000 }),
        fc.boolean(),
        fc.boolean(),
        (agent, waitedMs, everyMs, isArchived, isRestarted) => {
          const world = worldWith(agent, begin);
          const from = begin + waitedMs;
          world.settle(from);
          if (isRestarted) world.restart(from);
          if (isArchived) world.dispatch({ type: 'thread.archive', commandId: 'a', threadId: 't' }, from);
          const { step, orders, now } = seeOut(world, { from, everyMs, untilMs: minutes(10), sent: 'accepted' });
          expect(step).toBe('out');
          expect(orders.length).toBeLessThanOrEqual(6);
          expect(world.liveAgents()).toEqual([]);
          world.settle(now + minutes(60));
          expect(world.liveAgents()).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('one that is silent is interrupted before it is stopped, is never called out, and is out once it is killed', () => {
    const begin = Date.parse(before);
    const world = worldWith({ starts: 'ok', deaf: true, acts: [] }, begin);
    const from = begin + minutes(1);
    const { step, orders } = seeOut(world, { from, everyMs: minutes(1), untilMs: minutes(60), sent: 'accepted' });
    expect(step).toBe('not out');
    expect(world.liveAgents()).toHaveLength(1);
    const firstStop = orders.findIndex(({ order }) => order === 'stop');
    expect(orders.slice(0, firstStop).map(({ order }) => order)).toEqual(['interrupt', 'interrupt', 'interrupt']);
    expect(orders[firstStop]?.at).toBe(from + minutes(5));
    // An hour of it costs a dozen orders, not sixty.
    expect(orders.length).toBeLessThan(13);
    world.killAgent('t', from + minutes(61));
    expect(
      seeOut(world, { from: from + minutes(62), everyMs: minutes(1), untilMs: minutes(10), sent: 'accepted' }).step,
    ).toBe('out');
    expect(world.liveAgents()).toEqual([]);
  });
});
