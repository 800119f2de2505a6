import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AuthSession,
  Detail,
  Environment,
  Refusal,
  Sequence,
  Shell,
  Snapshot,
  SnapshotThread,
} from '../../lib/adapters/t3-wire.ts';

const folder = new URL('../fixtures/t3/', import.meta.url);
type Recording = {
  request: { method: string; path: string };
  response: { status: number; body: unknown };
  observed?: readonly { thread?: object }[];
};
const recordings = readdirSync(folder).map((name): [string, Recording] => [
  name.replace('.json', ''),
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')),
]);
const bodyOf = (name: string): unknown => recordings.find(([found]) => found === name)?.[1].response.body;
const answering = (path: string, status = 200) =>
  recordings.filter(([, { request, response }]) => request.path.startsWith(path) && response.status === status);

const aThread = {
  id: 't1',
  projectId: 'p1',
  latestTurn: { turnId: 'u1', state: 'running', requestedAt: '2026-11-22T11:00:00.000Z' },
  session: { status: 'running', updatedAt: '2026-11-22T11:00:00.000Z', lastError: null },
  latestUserMessageAt: '2026-11-22T11:00:00.000Z',
  updatedAt: '2026-11-22T11:00:00.000Z',
  hasPendingApprovals: false,
  hasPendingUserInput: false,
  backgroundLiveness: null,
};
const looked = (...threads: unknown[]) => Shell.parse({ projects: [], threads });

describe('recorded answers are read', () => {
  test.each(answering('/api/orchestration/shell'))('%s: a shell, with nothing left out', (_, { response }) => {
    const { threads, projects, unreadable } = Shell.parse(response.body);
    const { threads: all, projects: roots } = response.body as { threads: { id: string }[]; projects: unknown[] };
    expect([...threads.keys()]).toEqual(all.map(({ id }) => id));
    expect(projects).toHaveLength(roots.length);
    expect(unreadable).toEqual([]);
  });

  test.each(
    recordings.filter(([, { observed = [] }]) =>
      observed.some(({ thread }) => thread !== undefined && 'latestTurn' in thread),
    ),
  )('%s: every thread that was observed', (_, { observed = [] }) => {
    for (const { thread } of observed)
      if (thread !== undefined) expect(looked({ projectId: 'p1', ...thread }).unreadable).toEqual([]);
  });

  test.each(answering('/api/orchestration/threads/'))('%s: a detail', (_, { response }) => {
    expect(Detail.safeParse(response.body).success).toBe(true);
  });

  test('what they say comes out right', () => {
    const { threads, projects } = Shell.parse(bodyOf('shell-mixed-states'));
    expect(projects).toEqual([{ id: 'acme__widgets', workspaceRoot: '/srv/checkouts/acme__widgets' }]);
    expect(threads.get('run-acme__widgets-51-1')).toEqual({
      id: 'run-acme__widgets-51-1',
      projectId: 'acme__widgets',
      turn: { id: '8efd9518-1754-43a4-aa79-71ce13d22608', state: 'error', requestedAt: '2026-11-22T11:34:53.502Z' },
      session: { status: 'stopped', updatedAt: '2026-11-22T11:34:54.639Z', lastError: 'Claude runtime stream failed.' },
      lastMessageAt: '2026-11-22T11:34:53.502Z',
      updatedAt: '2026-11-22T11:34:54.639Z',
      pending: null,
      backgroundWork: false,
    });
    expect(Detail.parse(bodyOf('thread-detail-completed'))).toEqual({
      lastWords: 'Fixed the login handler and pushed agent/issue-42.',
      toolCalls: 1,
      changedFiles: 1,
      totalTokens: 216_800,
      request: null,
    });
    expect(Detail.parse(bodyOf('thread-detail-start-failed'))).toEqual({
      lastWords: null,
      toolCalls: 0,
      changedFiles: 0,
      totalTokens: null,
      request: null,
    });
    expect(
      Snapshot.parse(bodyOf('snapshot-mixed-states')).threads.map((thread) => SnapshotThread.parse(thread)),
    ).toEqual([
      { id: 'run-acme__widgets-42-1', archivedAt: null, deletedAt: null },
      { id: 'run-acme__widgets-43-2', archivedAt: null, deletedAt: '2026-11-22T11:36:09.853Z' },
    ]);
    expect(AuthSession.parse(bodyOf('auth-session-state'))).toMatchObject({
      authenticated: true,
      expiresAt: '2026-12-22T11:34:38.982Z',
    });
    expect(Environment.parse(bodyOf('env-descriptor'))).toEqual({ serverVersion: '0.0.32' });
    expect(Sequence.parse(bodyOf('thread-create'))).toEqual({ sequence: 2 });
  });

  test('every refusal that has a body is known to be one of T3, and no page or empty body is', () => {
    const refusals = recordings.filter(([, { response }]) => response.status >= 400 && response.body !== '');
    expect(refusals.length).toBeGreaterThan(10);
    for (const [, { response }] of refusals) expect(Refusal.safeParse(response.body).success).toBe(true);
    for (const body of ['', null, 'Bad gateway', { message: 'oops' }])
      expect(Refusal.safeParse(body).success).toBe(false);
  });
});

describe('what nobody has seen before', () => {
  test('a word is unknown, and never an exception', () => {
    const { threads, unreadable } = looked({
      ...aThread,
      latestTurn: { ...aThread.latestTurn, state: 'paused' },
      session: { ...aThread.session, status: 'hibernating' },
      backgroundLiveness: 'dreaming',
    });
    expect(unreadable).toEqual([]);
    expect(threads.get('t1')).toMatchObject({
      turn: { state: 'unknown' },
      session: { status: 'unknown' },
      backgroundWork: true,
    });
  });

  test('a field is ignored', () => {
    const { threads } = looked({ ...aThread, mood: 'good', session: { ...aThread.session, mood: 1 } });
    expect(threads.get('t1')).toEqual(looked(aThread).threads.get('t1'));
  });

  test('flags that are not there are taken for down', () => {
    const { hasPendingApprovals: _a, hasPendingUserInput: _b, backgroundLiveness: _c, ...bare } = aThread;
    expect(looked(bare).threads.get('t1')).toMatchObject({ pending: null, backgroundWork: false });
  });

  test('an approval goes before a question', () => {
    const both = { ...aThread, hasPendingApprovals: true, hasPendingUserInput: true };
    expect(looked(both).threads.get('t1')?.pending).toBe('approval');
  });
});

describe('one bad entry', () => {
  // Without these a dead agent and a live one could not be told apart, so their absence is not taken for null.
  test.each(['projectId', 'latestTurn', 'session', 'latestUserMessageAt', 'updatedAt'])(
    'a thread without %s is named as unreadable and the others stay',
    (field) => {
      const bad = Object.fromEntries(Object.entries(aThread).filter(([name]) => name !== field));
      const look = looked({ ...bad, id: 'bad' }, aThread);
      expect(look.unreadable).toEqual(['bad']);
      expect([...look.threads.keys()]).toEqual(['t1']);
    },
  );

  test.each([
    ['a stamp that is none', { ...aThread, updatedAt: 'yesterday' }],
    ['a state that is no word', { ...aThread, latestTurn: { ...aThread.latestTurn, state: 7 } }],
  ])('%s makes the thread unreadable', (_, thread) => {
    expect(looked(thread).unreadable).toEqual(['t1']);
  });

  test('whatever lies among the threads, the good ones are read and each bad one is counted', () => {
    void fc.assert(
      fc.property(fc.array(fc.anything()), fc.array(fc.anything()), (some, more) => {
        const look = looked(...some, aThread, ...more);
        expect(look.threads.get('t1')).toBeDefined();
        expect(look.unreadable).toHaveLength(some.length + more.length);
      }),
    );
  });

  test('a bad message, activity or checkpoint costs a detail only itself', () => {
    const at = '2026-11-22T11:00:00.000Z';
    const detail = Detail.parse({
      thread: {
        messages: [
          null,
          { role: 'assistant', text: 'Done.', createdAt: at },
          { role: 'assistant', text: 7, createdAt: at },
        ],
        activities: ['x', { kind: 'tool.completed', createdAt: at }, { kind: 'tool.completed', createdAt: 'never' }],
        checkpoints: [{}, { files: [{ path: 'a' }, { path: 'a' }, 'b'], completedAt: at }],
      },
    });
    expect(detail).toEqual({ lastWords: 'Done.', toolCalls: 1, changedFiles: 1, totalTokens: null, request: null });
  });
});

describe('what belongs to the turn asked for last', () => {
  const at = (second: number): string => `2026-11-22T11:00:0${second}.000Z`;
  const tool = (second: number) => ({ kind: 'tool.completed', createdAt: at(second), payload: {} });
  const says = (role: string, text: string, second: number) => ({ role, text, createdAt: at(second) });
  const file = (path: string, second: number) => ({ files: [{ path }], completedAt: at(second) });

  test('is everything since the last message, whichever turn it says it was, and nothing before', () => {
    const thread = {
      messages: [
        says('user', 'Fix it.', 1),
        says('assistant', 'First.', 2),
        says('user', 'Mend it.', 4),
        says('assistant', 'Second.', 7),
      ],
      activities: [tool(1), tool(2), tool(4), tool(5), tool(6)],
      checkpoints: [file('a', 3), file('b', 5), file('c', 7)],
    };
    expect(Detail.parse({ thread })).toMatchObject({ lastWords: 'Second.', toolCalls: 3, changedFiles: 2 });
  });

  test('is nothing while the agent has not answered: the words before were about something else', () => {
    const thread = {
      messages: [says('user', 'Fix it.', 1), says('assistant', 'First.', 2), says('user', 'Mend it.', 4)],
      activities: [tool(2)],
      checkpoints: [file('a', 3)],
    };
    expect(Detail.parse({ thread })).toMatchObject({ lastWords: null, toolCalls: 0, changedFiles: 0 });
  });
});

describe('what an agent says', () => {
  const detailOf = (text: string) =>
    Detail.parse({
      thread: {
        messages: [{ role: 'assistant', text, createdAt: '2026-11-22T11:00:00.000Z' }],
        activities: [],
        checkpoints: [],
      },
    });

  test('is bounded, clean of control characters and escapes, and nothing where nothing is left', () => {
    expect(detailOf('\u001b[31mred\u001b[0m\u0000\u202e ok').lastWords).toBe('red ok');
    expect(detailOf('x'.repeat(100_000)).lastWords).toHaveLength(1200);
    expect(detailOf('\u0007 \n').lastWords).toBeNull();
  });

  test('and an error are redacted', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    expect(detailOf(`pushed with ${token}`).lastWords).not.toContain(token);
    const { threads } = looked({
      ...aThread,
      session: { ...aThread.session, lastError: `\u001b[1mno ${token}\n${'x'.repeat(2000)}` },
    });
    const lastError = threads.get('t1')?.session?.lastError ?? '';
    expect(lastError).not.toContain(token);
    expect(lastError.length).toBeLessThanOrEqual(500);
    expect(lastError).not.toMatch(/[\u0000-\u001f]/);
  });

  test('of several token reports the newest counts, whatever their order, and the context where no total is told', () => {
    const report = (createdAt: string, payload: object) => ({ kind: 'context-window.updated', createdAt, payload });
    const tokens = (...activities: unknown[]) =>
      Detail.parse({ thread: { messages: [], activities, checkpoints: [] } }).totalTokens;
    const early = report('2026-11-22T11:00:00.000Z', { usedTokens: 10, totalProcessedTokens: 900 });
    const late = report('2026-11-22T11:00:01.000Z', { usedTokens: 10, totalProcessedTokens: 500 });
    const lateToo = report('2026-11-22T11:00:01.000Z', { usedTokens: 10, totalProcessedTokens: 600 });
    expect(tokens(early, late, lateToo)).toBe(600);
    expect(tokens(lateToo, late, early)).toBe(600);
    expect(tokens(report('2026-11-22T11:00:00.000Z', { usedTokens: 10 }))).toBe(10);
  });
});
