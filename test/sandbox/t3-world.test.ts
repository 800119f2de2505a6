import { describe, expect, test } from 'vitest';
import type { AgentScript } from '../../lib/sandbox/t3-agent-script.ts';
import { t3Timeline } from '../../lib/sandbox/t3-timeline.ts';
import {
  agent,
  ends,
  onThread,
  projectCreate,
  type Stage,
  stage,
  t0,
  threadCreate,
  turnStart,
  working,
} from './t3-stage.ts';

const hanging = agent(working);
const silent: AgentScript = { starts: 'ok', deaf: true, acts: [working] };

/** Threads `one`, `two`, … with these scripts, one turn of each under way; `null` is a thread without a turn. */
const underWay = (scripts: Readonly<Record<string, AgentScript | null>>): Stage & { readonly acts: unknown[] } => {
  const acts: unknown[] = [];
  const agents = Object.fromEntries(Object.entries(scripts).map(([id, script]) => [id, script ? [script] : []]));
  const now = stage(agents, { perform: (act, by) => acts.push([act, by]) });
  now.send(projectCreate());
  for (const [id, script] of Object.entries(scripts)) {
    now.send(threadCreate(id));
    if (script) now.send(turnStart(id));
  }
  now.wait(300);
  return Object.assign(now, { acts });
};
const interrupt = (id: string) => onThread('thread.turn.interrupt', id);
const stop = (id: string) => onThread('thread.session.stop', id);
const over = { latestTurn: { state: 'completed' }, session: { status: 'ready' } };
const busy = { latestTurn: { state: 'running' }, session: { status: 'running' } };

describe('time', () => {
  test('settling never lets anything happen that is due later', () => {
    const now = underWay({ one: agent(working, { afterMs: 10_000, does: 'world', act: 'push' }, ends(0)) });
    const due = now.world.nextAt();
    expect(due).not.toBeNull();
    now.wait((due ?? 0) - now.now() - 1);
    expect(now.acts).toEqual([]);
    now.wait(1);
    expect(now.acts).toEqual([['push', { threadId: 'one', workspaceRoot: '/srv/checkouts/acme__widgets', at: due }]]);
  });

  test('what is due at one instant happens in the order in which it was scheduled, and time never goes back', () => {
    const timeline = t3Timeline();
    const happened: string[] = [];
    timeline.schedule(20, () => happened.push('third'));
    timeline.schedule(10, () => {
      happened.push('first');
      timeline.schedule(5, (at) => happened.push(`at once, at ${at}`));
    });
    timeline.schedule(20, () => happened.push('fourth'));
    timeline.schedule(10, () => happened.push('second'));
    timeline.settle(30);
    timeline.settle(15);
    expect(happened).toEqual(['first', 'second', 'at once, at 10', 'third', 'fourth']);
    expect(timeline.now()).toBe(30);
  });

  test('a world in which nothing is due says so', () => {
    const now = underWay({ one: hanging });
    expect(now.world.nextAt()).toBeNull();
    now.wait(86_400_000);
    expect(now.thread('one')).toMatchObject({ ...busy, updatedAt: expect.stringMatching(/T11:34:39/) });
  });

  test('a command without a time of its own happens at the instant it is sent, whatever it says', () => {
    const now = stage();
    now.send(projectCreate({ createdAt: '1999-01-01T00:00:00.000Z' }));
    expect(now.world.projects()).toMatchObject([{ createdAt: t0 + 1 }]);
  });
});

describe('a silent agent', () => {
  for (const end of [interrupt, stop]) {
    test(`asked to end by ${end('one')['type']} blocks starts, interrupts and stops of every other thread`, () => {
      const now = underWay({ one: silent, two: null, three: hanging, four: agent(working, ends(5_000)) });
      for (const command of [end('one'), turnStart('two'), stop('three')]) expect(now.send(command).status).toBe(200);
      now.wait(600_000);
      expect(now.thread('two')).toMatchObject({ latestTurn: null, session: null });
      expect(now.thread('three')).toMatchObject(busy);
      expect(now.world.liveAgents().map(({ threadId }) => threadId)).toContain('one');
      // What ends by itself still does.
      expect(now.thread('four')).toMatchObject(over);
    });

    test(`that is killed after ${end('one')['type']} sets everything going that waited`, () => {
      const now = underWay({ one: silent, two: null, three: hanging });
      for (const command of [end('one'), turnStart('two'), stop('three')]) now.send(command);
      now.wait(600_000);
      now.kill('one');
      now.wait(10_000);
      expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'error' }, session: { status: 'stopped' } });
      expect(now.thread('two')).toMatchObject(over);
      expect(now.thread('three')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'stopped' } });
    });
  }

  test('blocks nobody while nobody asks it to end', () => {
    const now = underWay({ one: silent, two: null });
    now.send(turnStart('two'));
    now.wait(10_000);
    expect(now.thread('two')).toMatchObject(over);
  });

  test('is forgotten by a restart, and so is what waited for it', () => {
    const now = underWay({ one: silent, two: null, three: null });
    for (const command of [interrupt('one'), turnStart('two')]) now.send(command);
    now.restart();
    now.send(turnStart('three'));
    now.wait(600_000);
    expect(now.thread('two')).toMatchObject({ latestTurn: null, session: null });
    expect(now.thread('three')).toMatchObject(over);
  });
});

describe('an interrupt', () => {
  test('moves nothing but the turn until the agent is out', () => {
    const now = underWay({ one: hanging });
    const before = now.thread('one');
    now.send(interrupt('one'));
    const turn = {
      ...Object(before?.['latestTurn']),
      state: 'interrupted',
      completedAt: new Date(now.now()).toISOString(),
    };
    expect(now.thread('one')).toEqual({ ...before, latestTurn: turn });
  });

  test('leaves an idle process that takes the next turn in the same conversation', () => {
    const now = underWay({ one: hanging });
    now.send(interrupt('one'));
    now.wait(1_000);
    expect(now.world.liveAgents()).toMatchObject([{ threadId: 'one', busy: false }]);
    now.send(turnStart('one', { text: 'Go on.' }));
    now.wait(1_000);
    expect(now.turns).toMatchObject([{ turnNumber: 1 }, { turnNumber: 2, text: 'Go on.' }]);
    expect(now.world.liveAgents()).toMatchObject([{ threadId: 'one', busy: true }]);
  });

  test('does not reach a turn that is still being started', () => {
    const now = underWay({ one: null });
    now.send(turnStart('one'));
    now.send(interrupt('one'));
    now.wait(10_000);
    expect(now.thread('one')).toMatchObject(over);
    expect(now.turns).toHaveLength(1);
  });

  test('ends a turn that waits for a person, and the question with it', () => {
    const now = underWay({ one: agent({ afterMs: 5, does: 'ask', question: 'Which?', options: [] }) });
    expect(now.thread('one')).toMatchObject({ hasPendingUserInput: true });
    now.send(interrupt('one'));
    now.wait(1_000);
    expect(now.thread('one')).toMatchObject({ ...over, hasPendingUserInput: false });
  });
});

describe('a stop', () => {
  test('of a turn that is being started comes after it: the turn runs for a moment and is gone', () => {
    const now = underWay({ one: null });
    now.send(turnStart('one'));
    now.send(stop('one'));
    now.wait(10_000);
    expect(now.turns).toHaveLength(1);
    expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'stopped' } });
    expect(now.world.liveAgents()).toEqual([]);
  });

  test('of an agent that works unseen ends that too', () => {
    const now = underWay({
      one: agent({ afterMs: 5, does: 'end', how: 'background', backgroundMs: 60_000, afterEnd: [ends()] }),
    });
    expect(now.thread('one')).toMatchObject({ ...over, backgroundLiveness: 'working' });
    expect(now.world.liveAgents()).toMatchObject([{ busy: true }]);
    now.send(stop('one'));
    now.wait(120_000);
    expect(now.thread('one')).toMatchObject({ session: { status: 'stopped' }, backgroundLiveness: null });
    expect(now.world.threads()[0]?.turnsTaken).toBe(1);
  });
});

describe('after a restart', () => {
  test('a running turn reads running for ever, and no agent is there', () => {
    const now = underWay({ one: agent(working, ends(5_000)) });
    now.restart();
    now.wait(86_400_000);
    expect(now.thread('one')).toMatchObject(busy);
    expect(now.world.liveAgents()).toEqual([]);
  });

  test('an agent that outlives its server still does what it does to the world, unseen, and is then gone', () => {
    const now = underWay({
      one: agent(
        working,
        { afterMs: 5_000, does: 'world', act: 'push' },
        { afterMs: 5, does: 'say', text: 'Pushed.' },
        ends(),
      ),
    });
    now.restart(true);
    expect(now.world.liveAgents()).toMatchObject([{ threadId: 'one', orphan: true, busy: true }]);
    const before = now.thread('one');
    now.wait(60_000);
    expect(now.acts).toMatchObject([['push', { threadId: 'one' }]]);
    expect(now.thread('one')).toEqual(before);
    expect(now.world.liveAgents()).toEqual([]);
  });

  test('a new turn beside an orphan makes two live agents in one thread', () => {
    const now = underWay({ one: agent(working, { afterMs: 60_000, does: 'world', act: 'push' }, ends()) });
    now.restart(true);
    now.send(turnStart('one'));
    now.wait(1_000);
    expect(now.world.liveAgents()).toMatchObject([{ orphan: true }, { orphan: false, busy: true }]);
    now.kill('one');
    expect(now.world.liveAgents()).toEqual([]);
  });

  test('an answer to what was open before leaves only a failure, and closes it', () => {
    const now = underWay({ one: agent({ afterMs: 5, does: 'approve', detail: 'Bash: rm' }) });
    const requestId = now.detail('one').activities[0]?.payload['requestId'];
    now.restart();
    expect(now.thread('one')).toMatchObject({ hasPendingApprovals: true });
    now.send(onThread('thread.approval.respond', 'one', { requestId, decision: 'accept' }));
    expect(now.thread('one')).toMatchObject({ ...busy, hasPendingApprovals: false });
    expect(now.detail('one').activities.map(({ kind }) => kind)).toContain('provider.approval.respond.failed');
  });
});

describe('requests', () => {
  const asking = (): Stage =>
    underWay({
      one: agent({
        afterMs: 5,
        does: 'approve',
        detail: 'Bash: rm',
        onAnswer: [{ afterMs: 5, does: 'say', text: 'Removed.' }],
        onDecline: [{ afterMs: 5, does: 'say', text: 'Left it.' }],
      }),
    });
  for (const [decision, text] of [
    ['accept', 'Removed.'],
    ['acceptForSession', 'Removed.'],
    ['decline', 'Left it.'],
    ['cancel', 'Left it.'],
  ] as const) {
    test(`an approval answered with ${decision} lets the agent go on accordingly`, () => {
      const now = asking();
      const requestId = now.detail('one').activities[0]?.payload['requestId'];
      now.send(onThread('thread.approval.respond', 'one', { requestId, decision }));
      now.wait(1_000);
      expect(now.detail('one').messages.at(-1)).toMatchObject({ role: 'assistant', text });
    });
  }

  test('a request is answered once: the second answer fails', () => {
    const now = asking();
    const requestId = now.detail('one').activities[0]?.payload['requestId'];
    const respond = () => now.send(onThread('thread.approval.respond', 'one', { requestId, decision: 'accept' }));
    expect([respond().status, respond().status]).toEqual([200, 200]);
    expect(now.detail('one').activities.filter(({ kind }) => kind.endsWith('.respond.failed'))).toHaveLength(1);
  });
});

describe('a thread', () => {
  test('that is archived in mid-turn is out of reach until it is unarchived, and its agent goes on', () => {
    const now = underWay({ one: agent(working, { afterMs: 5_000, does: 'world', act: 'push' }) });
    now.send(onThread('thread.archive', 'one'));
    for (const command of [interrupt('one'), stop('one')]) now.send(command);
    now.wait(60_000);
    expect(now.acts).toHaveLength(1);
    now.send(onThread('thread.unarchive', 'one'));
    expect(now.thread('one')).toMatchObject(busy);
    now.send(stop('one'));
    now.wait(1_000);
    expect(now.world.liveAgents()).toEqual([]);
  });

  test('that was settled is so no longer when a later turn is sent', () => {
    const now = underWay({ one: null });
    now.send(onThread('thread.settle', 'one'));
    now.send(turnStart('one'));
    expect(now.thread('one')).toMatchObject({ settledOverride: null, settledAt: null });
  });

  test('whose idle agent is killed reads stopped, and its turn stays as it was', () => {
    const now = underWay({ one: agent(ends(10)) });
    now.kill('one');
    expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'stopped' } });
  });

  test('works in its worktree, else in the root of its project', () => {
    const now = underWay({ one: null });
    now.send(threadCreate('two', { worktreePath: '/srv/worktrees/two' }));
    for (const id of ['one', 'two']) now.send(turnStart(id));
    now.wait(1_000);
    expect(now.turns.map(({ workspaceRoot }) => workspaceRoot)).toEqual([
      '/srv/checkouts/acme__widgets',
      '/srv/worktrees/two',
    ]);
  });

  test('that shows detail for its last turns only leaves out what was said before', () => {
    const now = underWay({ one: agent(ends(10)) });
    now.send(turnStart('one', { text: 'And this.' }));
    now.wait(1_000);
    const { body } = now.http('GET', '/api/orchestration/threads/one?turnLimit=1');
    expect(JSON.parse(body).thread).toMatchObject({
      messages: [{ text: 'And this.' }, { text: 'Done.' }],
      checkpoints: [{ checkpointTurnCount: 2 }],
    });
  });

  test('whose turn changed files names its first message again, so the last words are not there', () => {
    const now = underWay({
      one: agent(working, { afterMs: 5, does: 'change-file', path: 'a.ts' }, ends(5, 'All done.')),
    });
    const { messages, checkpoints } = now.detail('one');
    expect(messages.at(-1)).toMatchObject({ text: 'All done.' });
    expect(now.thread('one')).toMatchObject({ latestTurn: { assistantMessageId: messages[1]?.['id'] } });
    expect(checkpoints).toMatchObject([{ files: [{ path: 'a.ts', kind: 'modified', additions: 1, deletions: 0 }] }]);
  });

  test('does not go back in time when T3 stamps its session with the instant of the message', () => {
    const now = underWay({ one: null });
    now.send(turnStart('one'));
    now.wait(10);
    now.send(onThread('thread.meta.update', 'one', { title: 'New' }));
    const renamedAt = now.thread('one')?.['updatedAt'];
    now.wait(20);
    expect(now.thread('one')).toMatchObject({ session: { status: 'starting' }, updatedAt: renamedAt });
  });

  test('lists its activities by instant, and those of one instant in the order of their ids', () => {
    const tool = { afterMs: 5, does: 'tool', detail: 'Bash: ls' } as const;
    const now = underWay({ one: agent(tool, tool, tool) });
    const { activities } = now.detail('one');
    const keys = activities.map(({ id, createdAt }) => `${createdAt} ${id}`);
    expect(keys).toHaveLength(9);
    expect(keys).toEqual(keys.toSorted());
  });

  test('tells token figures when the agent does, and at the end those it had not told', () => {
    const now = underWay({
      one: agent(
        { afterMs: 5, does: 'tokens', total: 500_000 },
        { afterMs: 5, does: 'tokens', total: 600_000, used: 90_000, told: 'at-end' },
      ),
    });
    const told = () =>
      now.detail('one').activities.flatMap(({ kind, payload }) => (kind === 'context-window.updated' ? [payload] : []));
    const first = { usedTokens: 200_000, totalProcessedTokens: 500_000, maxTokens: 200_000 };
    expect(told()).toMatchObject([first]);
    now.send(interrupt('one'));
    now.wait(1_000);
    expect(told()).toMatchObject([first, { usedTokens: 90_000, totalProcessedTokens: 600_000 }]);
  });
});

test('a project may move to a free root, and its old one is free again', () => {
  const now = underWay({});
  const move = {
    type: 'project.meta.update',
    commandId: 'move',
    projectId: 'acme__widgets',
    workspaceRoot: '/srv/new/',
  };
  expect(now.send(move).status).toBe(200);
  expect(now.shell().projects).toMatchObject([{ workspaceRoot: '/srv/new', repositoryIdentity: null }]);
  expect(now.send(projectCreate({ projectId: 'again' })).status).toBe(200);
});
