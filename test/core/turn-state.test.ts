import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Shell } from '../../lib/adapters/t3-wire.ts';
import { isLater, type TurnState, turnState } from '../../lib/core/turn-state.ts';
import type { Thread } from '../../lib/ports.ts';

const before = '2026-11-22T11:00:00.000Z';
const asked = '2026-11-22T11:00:10.000Z';
const after = '2026-11-22T11:00:20.000Z';

type Turn = NonNullable<Thread['turn']>;
type Session = NonNullable<Thread['session']>;

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
const aTurn = (state: Turn['state'], requestedAt: string): Turn => ({ id: 'turn-1', state, requestedAt });
const aSession = (status: Session['status'], updatedAt: string, lastError: string | null = null): Session => ({
  status,
  updatedAt,
  lastError,
});

const named = (state: TurnState): string => {
  if (state.is === 'over') return `over: ${state.how}`;
  return state.is === 'asking' ? `asking: ${state.what}` : state.is;
};

// The rule once more, as data; `*` is anything, `|` is or. The session's stamp is older than the message or not.
const live = 'running|starting';
const rest = 'none|idle|ready|interrupted|error';
const table = [
  // turn, its state,             session,                  speaks, pending,  background, state
  ['none', '*', 'none', '*', '*', '*', 'queued'],
  ['none', '*', 'idle|starting|running|ready|interrupted|stopped|error|unknown', false, '*', '*', 'queued'],
  ['none', '*', live, true, '*', '*', 'starting'],
  ['none', '*', 'error|stopped', true, '*', '*', 'could not start'],
  ['none', '*', 'ready|idle|interrupted', true, '*', '*', 'ready without turn'],
  ['none', '*', 'unknown', true, '*', '*', 'unknown'],
  ['old', 'completed|error|interrupted', 'none', '*', '*', '*', 'queued'],
  [
    'old',
    'completed|error|interrupted',
    'idle|starting|running|ready|interrupted|stopped|error|unknown',
    false,
    '*',
    '*',
    'queued',
  ],
  ['old', 'completed|error|interrupted', live, true, '*', '*', 'starting'],
  ['old', 'completed|error|interrupted', 'error|stopped', true, '*', '*', 'could not start'],
  ['old', 'completed|error|interrupted', 'ready|idle|interrupted', true, '*', '*', 'ready without turn'],
  ['old', 'completed|error|interrupted', 'unknown', true, '*', '*', 'unknown'],
  ['old', 'running|unknown', 'running', '*', '*', '*', 'at work'],
  ['old', 'running|unknown', 'starting', true, '*', '*', 'starting'],
  ['old', 'running|unknown', 'starting', false, '*', '*', 'unknown'],
  ['old', 'running|unknown', 'none|idle|ready|interrupted|stopped|error|unknown', '*', '*', '*', 'unknown'],
  ['ours', 'running', live, '*', 'none', '*', 'at work'],
  ['ours', 'running', live, '*', 'question', '*', 'asking: question'],
  ['ours', 'running', live, '*', 'approval', '*', 'asking: approval'],
  ['ours', 'running', 'none|idle|ready|interrupted|stopped|error|unknown', '*', '*', '*', 'unknown'],
  ['ours', 'completed', rest, '*', '*', false, 'over: completed'],
  ['ours', 'completed', rest, '*', '*', true, 'background'],
  ['ours', 'completed', 'stopped', '*', '*', '*', 'over: completed, agent left'],
  ['ours', 'completed', 'running|starting|unknown', '*', '*', '*', 'unknown'],
  ['ours', 'error', rest, '*', '*', '*', 'over: error'],
  ['ours', 'error', 'stopped', '*', '*', '*', 'over: crashed'],
  ['ours', 'error', 'running|starting|unknown', '*', '*', '*', 'unknown'],
  ['ours', 'interrupted', live, '*', '*', '*', 'interrupting'],
  ['ours', 'interrupted', 'none|idle|ready|interrupted|stopped|error', '*', '*', '*', 'over: interrupted'],
  ['ours', 'interrupted', 'unknown', '*', '*', '*', 'unknown'],
  ['ours', 'unknown', '*', '*', '*', '*', 'unknown'],
] as const;

const ages = ['none', 'old', 'ours'] as const;
const states = ['running', 'completed', 'error', 'interrupted', 'unknown'] as const;
const statuses = [
  'none',
  'idle',
  'starting',
  'running',
  'ready',
  'interrupted',
  'stopped',
  'error',
  'unknown',
] as const;
const combinations = ages.flatMap((age) =>
  states.flatMap((state) =>
    statuses.flatMap((status) =>
      [true, false].flatMap((speaks) =>
        (['none', 'question', 'approval'] as const).flatMap((pending) =>
          [true, false].map((background) => ({ age, state, status, speaks, pending, background })),
        ),
      ),
    ),
  ),
);

const matches = (cell: string | boolean, value: string | boolean): boolean =>
  cell === '*' ||
  (typeof cell === 'string' && typeof value === 'string' ? cell.split('|').includes(value) : cell === value);

describe('the state of the turn asked for last', () => {
  test('is named by exactly one row of the table, in every combination there is', () => {
    const wrong: unknown[] = [];
    for (const combination of combinations) {
      const { age, state, status, speaks, pending, background } = combination;
      const key = [age, state, status, speaks, pending, background] as const;
      const rows = table.filter((row) => key.every((value, index) => matches(row[index] ?? '', value)));
      const thread = aThread({
        turn: age === 'none' ? null : aTurn(state, age === 'old' ? before : asked),
        session: status === 'none' ? null : aSession(status, speaks ? asked : before),
        pending: pending === 'none' ? null : pending,
        backgroundWork: background,
      });
      const found = named(turnState(thread, { after: null }));
      if (rows.length !== 1 || rows[0]?.[6] !== found) wrong.push({ combination, rows, found });
    }
    expect(combinations).toHaveLength(3 * 5 * 9 * 2 * 3 * 2);
    expect(wrong).toEqual([]);
  });

  test('is absent for a thread that is not in the look', () => {
    expect(turnState(undefined, { after: null })).toEqual({ is: 'absent' });
  });

  test.each([
    ['no message at all', null, null],
    ['no message at all, though one was there when it was asked for', null, before],
    ['only the message that was there before', before, before],
    ['a message older than that', before, asked],
  ])('is not accepted while the thread shows %s, whatever else it shows', (_, lastMessageAt, known) => {
    const finished = { turn: aTurn('completed', before), session: aSession('ready', after) };
    expect(turnState(aThread({ ...finished, lastMessageAt }), { after: known })).toEqual({ is: 'not accepted' });
  });

  test('is never the end of the turn before, which stays visible for as long as ours is not taken up', () => {
    for (const state of ['completed', 'error', 'interrupted'] as const)
      for (const status of ['ready', 'stopped', 'error'] as const)
        for (const stamp of [before, asked, after]) {
          const thread = aThread({ turn: aTurn(state, before), session: aSession(status, stamp, 'old trouble') });
          expect(turnState(thread, { after: before }).is).not.toBe('over');
        }
  });

  test('counts equal stamps as taken up and as spoken of: T3 stamps turn and message alike', () => {
    expect(
      named(
        turnState(aThread({ turn: aTurn('running', asked), session: aSession('running', asked) }), { after: before }),
      ),
    ).toBe('at work');
    expect(named(turnState(aThread({ session: aSession('error', asked) }), { after: null }))).toBe('could not start');
  });

  test('compares instants and not letters', () => {
    expect(isLater('2026-11-22T12:30:00.000+01:00', '2026-11-22T11:29:59.999Z')).toBe(true);
    expect(isLater('2026-11-22T11:00:10Z', '2026-11-22T11:00:10.000Z')).toBe(false);
  });

  test('keeps what the session says of a failed start or of an end', () => {
    const failed = aThread({ session: aSession('stopped', after, 'no such program') });
    expect(turnState(failed, { after: null })).toEqual({ is: 'could not start', lastError: 'no such program' });
    const over = aThread({ turn: aTurn('error', asked), session: aSession('error', after, 'budget') });
    expect(turnState(over, { after: null })).toEqual({ is: 'over', how: 'error', lastError: 'budget' });
  });
});

// Every recorded timeline, one word for each thing the shell showed, in order.
const recorded: Readonly<Record<string, readonly string[]>> = {
  'timeline-success': ['queued', 'starting', 'at work', 'at work', 'at work', 'at work', 'over: completed'],
  'timeline-agent-error': ['queued', 'at work', 'at work', 'over: error', 'over: error'],
  'timeline-budget-exceeded': ['queued', 'at work', 'at work', 'over: error', 'over: error'],
  'timeline-agent-crash': ['queued', 'at work', 'at work', 'over: crashed', 'over: crashed'],
  'timeline-agent-exit-zero': ['queued', 'at work', 'at work', 'over: completed, agent left'],
  'timeline-api-error-reads-completed': ['queued', 'at work', 'over: completed'],
  'timeline-provider-missing-binary': ['queued', 'ready without turn', 'could not start'],
  'timeline-unknown-provider-instance': ['queued', 'could not start'],
  'timeline-background-work': ['queued', 'at work', 'at work', 'background', 'at work', 'over: completed'],
  'timeline-question-in-full-access': ['queued', 'starting', 'at work', 'asking: question'],
  'timeline-approval-pending': ['queued', 'starting', 'at work', 'asking: approval'],
  'timeline-interrupt': ['interrupting', 'over: interrupted', 'over: completed'],
  'timeline-session-stop': ['at work', 'over: completed', 'over: completed, agent left'],
  'turn-second-after-completed': ['starting', 'at work', 'over: completed'],
  'turn-second-after-crash': ['starting', 'at work', 'over: completed'],
  'turn-second-after-session-stop': ['starting', 'at work', 'over: completed'],
  'turn-second-cannot-start': ['queued', 'could not start', 'ready without turn', 'could not start'],
  'turn-sent-while-running': ['at work', 'ready without turn', 'at work', 'over: completed'],
  'turn-sent-while-running-absorbed': ['at work', 'ready without turn'],
  'zombie-run-interrupt': ['interrupting', 'over: completed'],
  'zombie-run-session-stop': ['over: interrupted'],
  'zombie-run-turn-start': ['at work', 'starting', 'at work', 'over: completed'],
  'lost-turn-resent-same-command-id': ['starting'],
  'bootstrap-thread-exists': ['queued', 'at work', 'at work', 'over: completed'],
  'user-input-respond': ['asking: question', 'over: completed'],
  'approval-respond': ['at work', 'over: completed'],
  'turn-start-project-deleted': ['starting', 'at work', 'over: completed'],
};

type Recording = {
  observed: { thread: { latestTurn: { requestedAt: string } | null; latestUserMessageAt: string } }[];
};

describe('a recorded turn', () => {
  test('is read below, each one there is', () => {
    const names = readdirSync(new URL('../fixtures/t3/', import.meta.url)).map((name) => name.replace('.json', ''));
    const timelines = names.filter((name) => /^(timeline|turn-second|zombie)-/.test(name));
    expect(timelines.length).toBeGreaterThanOrEqual(20);
    expect(timelines.filter((name) => recorded[name] === undefined)).toEqual([]);
  });

  test.each(Object.entries(recorded))('%s reads step by step as it went', (name, expected) => {
    const file = new URL(`../fixtures/t3/${name}.json`, import.meta.url);
    const { observed }: Recording = JSON.parse(readFileSync(file, 'utf8'));
    const first = observed[0]?.thread;
    const isSecond =
      first?.latestTurn !== null &&
      first?.latestTurn !== undefined &&
      first.latestTurn.requestedAt < first.latestUserMessageAt;
    const turn = { after: isSecond ? (first.latestTurn?.requestedAt ?? null) : null };
    const seen = observed.map(({ thread }) => {
      // The recordings leave out what does not change, the project among it.
      const look = Shell.parse({ projects: [], threads: [{ projectId: 'acme__widgets', ...thread }] });
      expect(look.unreadable).toEqual([]);
      return named(turnState([...look.threads.values()][0], turn));
    });
    expect(seen).toEqual(expected);
  });
});
