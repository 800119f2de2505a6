import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentAct, AgentScript } from '../../lib/sandbox/t3-agent-script.ts';
import { type T3World, t3World } from '../../lib/sandbox/t3-world.ts';
import { agent, ends, onThread, projectCreate, t0, threadCreate, turnStart, working } from './t3-stage.ts';

const push: AgentAct = { afterMs: 400, does: 'world', act: 'push' };
const scripts: readonly AgentScript[] = [
  agent(working, push, ends()),
  agent(
    working,
    { afterMs: 300, does: 'tokens', total: 9_000 },
    { afterMs: 10, does: 'change-file', path: 'a.ts' },
    push,
    ends(),
  ),
  agent(working, { afterMs: 200, does: 'end', how: 'crash' }),
  agent(working, { afterMs: 200, does: 'end', how: 'exit-zero' }),
  agent(working, { afterMs: 200, does: 'end', how: 'error', lastError: 'No.' }),
  agent({ afterMs: 100, does: 'end', how: 'background', backgroundMs: 900, afterEnd: [push, ends(300)] }),
  agent({ afterMs: 50, does: 'ask', question: 'Which?', options: [], onAnswer: [push] }, ends()),
  { starts: 'ok', deaf: true, acts: [working] },
  { starts: 'ok', steering: 'absorb', acts: [working, ends(2_000)] },
  { starts: 'missing-binary' },
  { starts: 'worktree-gone' },
  { starts: 'never' },
];

const threadIds = ['one', 'two', 'three'];
const kinds = [
  'thread.turn.start',
  'thread.turn.interrupt',
  'thread.session.stop',
  'thread.archive',
  'thread.unarchive',
  'thread.settle',
  'thread.meta.update',
  'restart',
  'restart with orphans',
  'kill',
] as const;
const Event = fc.record({
  afterMs: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 1_500 })),
  kind: fc.constantFrom(...kinds),
  threadId: fc.constantFrom(...threadIds),
});
type Event = Readonly<{ afterMs: number; kind: (typeof kinds)[number]; threadId: string }>;
// Which script a turn follows is drawn too, and depends on nothing but the turn.
const History = fc.record({
  events: fc.array(Event, { maxLength: 25 }),
  chosen: fc.array(fc.nat({ max: scripts.length - 1 }), { minLength: 1, maxLength: 12 }),
});
type History = Readonly<{ events: readonly Event[]; chosen: readonly number[] }>;

/** The whole history told to a fresh world, with every byte it ever answered; `between` is done before each event. */
const told = ({ events, chosen }: History, between: (world: T3World, from: number, to: number) => void): string => {
  const bytes: unknown[] = [];
  const world = t3World({
    agentOf: ({ threadId, turnNumber }) =>
      scripts[chosen[(threadIds.indexOf(threadId) + 3 * turnNumber) % chosen.length] ?? 0] ?? agent(ends()),
    perform: (act, by) => bytes.push([act, by]),
  });
  const named = (command: object, index: number) => ({ ...command, commandId: `c${index}` });
  world.dispatch(named(projectCreate(), -1), t0);
  threadIds.forEach((id, index) => {
    world.dispatch(named(threadCreate(id), -2 - index), t0);
  });
  let at = t0;
  events.forEach(({ afterMs, kind, threadId }, index) => {
    between(world, at, at + afterMs);
    at += afterMs;
    if (kind === 'restart' || kind === 'restart with orphans') world.restart(at, { orphansFinish: kind !== 'restart' });
    else if (kind === 'kill') world.killAgent(threadId, at);
    else {
      const message = { messageId: `m${index}`, role: 'user', text: 'Go.', attachments: [] };
      const command = kind === 'thread.turn.start' ? turnStart(threadId, { message }) : onThread(kind, threadId);
      bytes.push(world.dispatch(named(command, index), at));
    }
  });
  between(world, at, at + 60_000);
  at += 60_000;
  bytes.push(world.shell(at), world.snapshot(at), ...threadIds.map((id) => world.detail(id, at)), world.liveAgents());
  return JSON.stringify(bytes);
};
const oneStep = (): void => {};

test('the same commands at the same instants give the same bytes', () => {
  fc.assert(
    fc.property(History, (history) => {
      expect(told(history, oneStep)).toBe(told(history, oneStep));
    }),
  );
});

test('settling in many steps gives the same bytes as settling in one', () => {
  fc.assert(
    fc.property(History, fc.array(fc.nat({ max: 2_000 }), { maxLength: 10 }), (history, steps) => {
      const manySteps = (world: T3World, from: number, to: number): void => {
        for (const step of steps.toSorted((a, b) => a - b)) if (from + step <= to) world.settle(from + step);
      };
      expect(told(history, manySteps)).toBe(told(history, oneStep));
    }),
  );
});

test('stepping from each due instant to the next gives the same bytes, and ends', () => {
  const byNextAt = (world: T3World, _: number, to: number): void => {
    for (let at = world.nextAt(); at !== null && at <= to; at = world.nextAt()) world.settle(at);
  };
  fc.assert(
    fc.property(History, (history) => {
      expect(told(history, byNextAt)).toBe(told(history, oneStep));
    }),
  );
});

test('reading changes nothing', () => {
  const readings = (world: T3World, from: number, to: number): void => {
    for (const at of [from, (from + to) / 2]) {
      world.shell(Math.floor(at));
      world.snapshot(Math.floor(at));
      world.detail('one', Math.floor(at), 1);
    }
  };
  // Refusals carry a trace id, and reading what is not there takes one.
  const withoutTraces = (bytes: string): string => bytes.replace(/"traceId":"[0-9a-f]{32}"/g, '');
  fc.assert(
    fc.property(History, (history) => {
      expect(withoutTraces(told(history, readings))).toBe(withoutTraces(told(history, oneStep)));
    }),
  );
});

test('what holds of every thread at any time: one agent T3 can reach, no way back in time, a state the real server knows', () => {
  const seen = new Map<unknown, number>();
  const watched = (world: T3World, _: number, to: number): void => {
    for (let at = world.nextAt(); at !== null && at <= to; at = world.nextAt()) {
      world.settle(at);
      for (const id of threadIds) {
        const attached = world.liveAgents().filter(({ threadId, orphan }) => threadId === id && !orphan);
        expect(attached.length).toBeLessThanOrEqual(1);
      }
      for (const thread of world.threads()) {
        const { latestTurn: turn, session, latestUserMessageAt, updatedAt } = thread;
        expect(updatedAt).toBeGreaterThanOrEqual(seen.get(thread) ?? updatedAt);
        seen.set(thread, updatedAt);
        if (turn) expect(session).not.toBeNull();
        if (turn?.state === 'running') expect(turn.completedAt).toBeNull();
        else if (turn) expect(turn.completedAt).toBeGreaterThanOrEqual(turn.requestedAt);
        if (session?.status === 'running') expect(session.activeTurnId).toBe(turn?.turnId);
        if (turn) expect(latestUserMessageAt).not.toBeNull();
      }
    }
  };
  fc.assert(fc.property(History, (history) => void told(history, watched)));
});
