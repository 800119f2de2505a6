import { afterEach, describe, expect, test } from 'vitest';
import type { AgentRequest } from '../../lib/core/thread.ts';
import { turnState } from '../../lib/core/turn-state.ts';
import { type Executor, PortError } from '../../lib/ports.ts';
import type { AgentAct, AgentScript, AgentTurn } from '../../lib/sandbox/t3-agent-script.ts';
import { type T3World, t3World } from '../../lib/sandbox/t3-world.ts';

/** An executor whose server is the given world; `now` is the world's time, epoch ms. */
export type ExecutorOver = (
  world: T3World,
  now: () => number,
) => Promise<{ executor: Executor; close: () => Promise<void> }>;

/**
 * What the port `Executor` promises, whatever is behind it. Each test has a world of its own and looks at that world
 * afterwards; time passes only when a test says so.
 */
export const executorContract = (name: string, make: ExecutorOver): void => {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  const server = async (agentOf: (turn: AgentTurn) => AgentScript = () => works('Done.')) => {
    const roots = new Set([root]);
    const world = t3World({ agentOf, checkouts: (path) => roots.has(path) });
    let clock = Date.parse('2026-11-22T11:00:00.000Z');
    const { executor, close } = await make(world, () => clock);
    open.push(close);
    return {
      world,
      executor,
      roots,
      at: () => clock,
      pass: (ms: number) => {
        clock += ms;
        world.settle(clock);
      },
    };
  };
  type Server = Awaited<ReturnType<typeof server>>;

  const createProject = ({ executor, at }: Server, ask: Partial<Parameters<Executor['createProject']>[0]> = {}) =>
    executor.createProject({
      commandId: 'project-1:1',
      projectId: 'project-1',
      title: 'acme/widgets',
      workspaceRoot: root,
      model,
      at: at(),
      ...ask,
    });
  const createThread = ({ executor, at }: Server, ask: Partial<Parameters<Executor['createThread']>[0]> = {}) =>
    executor.createThread({
      commandId: 'thread-1:1',
      threadId: 'thread-1',
      projectId: 'project-1',
      title: 'acme/widgets#7: Something to fix',
      model,
      runtimeMode: 'full-access',
      at: at(),
      ...ask,
    });
  const startTurn = ({ executor, at }: Server, ask: Partial<Parameters<Executor['startTurn']>[0]> = {}) =>
    executor.startTurn({
      commandId: 'turn-1:1',
      threadId: 'thread-1',
      messageId: 'message-1',
      text: 'Fix it.',
      runtimeMode: 'full-access',
      at: at(),
      ...ask,
    });
  const order = ({ at }: Server, commandId: string, threadId = 'thread-1') => ({ commandId, threadId, at: at() });
  const threadOf = async ({ executor }: Server, threadId = 'thread-1') => (await executor.look()).threads.get(threadId);
  const stateOf = async (it: Server, after: string | null = null) => turnState(await threadOf(it), { after });

  /** A server with a project, a thread and a turn that was just accepted. */
  const started = async (agentOf?: (turn: AgentTurn) => AgentScript): Promise<Server> => {
    const it = await server(agentOf);
    expect([await createProject(it), await createThread(it), await startTurn(it)]).toEqual(
      Array.from({ length: 3 }, () => 'accepted'),
    );
    return it;
  };

  describe(`${name} keeps the executor's promises`, () => {
    test('an empty server shows nothing and misses nothing', async () => {
      const it = await server();
      expect(await it.executor.look()).toEqual({ projects: [], threads: new Map(), unreadable: [] });
    });

    test('a project is made at a checkout and found by its root', async () => {
      const it = await server();
      expect(await createProject(it)).toBe('accepted');
      expect((await it.executor.look()).projects).toEqual([{ id: 'project-1', workspaceRoot: root }]);
    });

    test('where there is no checkout none is made, and the same command works once it is there', async () => {
      const it = await server();
      it.roots.clear();
      expect(await createProject(it)).toBe('no checkout');
      expect((await it.executor.look()).projects).toEqual([]);
      it.roots.add(root);
      expect(await createProject(it)).toBe('accepted');
    });

    test('a second project at a root is refused, and the refused id stays refused for whatever it is used', async () => {
      const it = await server();
      await createProject(it);
      expect(await createProject(it, { commandId: 'project-2:1', projectId: 'project-2' })).toBe('refused');
      expect(await createThread(it, { commandId: 'project-2:1' })).toBe('refused');
      expect(await createThread(it)).toBe('accepted');
    });

    test('a thread needs a project, and its id is taken for ever', async () => {
      const it = await server();
      expect(await createThread(it)).toBe('refused');
      await createProject(it);
      expect(await createThread(it, { commandId: 'thread-1:2' })).toBe('accepted');
      expect(await createThread(it, { commandId: 'thread-1:3' })).toBe('refused');
    });

    test('a new thread has no branch, no worktree, no turn, no session and no message', async () => {
      const it = await server();
      await createProject(it);
      await createThread(it);
      expect(await threadOf(it)).toMatchObject({
        id: 'thread-1',
        projectId: 'project-1',
        turn: null,
        session: null,
        lastMessageAt: null,
        pending: null,
        backgroundWork: false,
      });
      expect(it.world.threads()[0]).toMatchObject({
        branch: null,
        worktreePath: null,
        runtimeMode: 'full-access',
        modelSelection: model,
      });
    });

    test('a title is cleaned and bounded, and never the one that costs a model call', async () => {
      const it = await server();
      await createProject(it);
      await createThread(it, { title: `a\u001b[31m\nb${'x'.repeat(1000)}` });
      await createThread(it, { title: ' \n', commandId: 'thread-2:1', threadId: 'thread-2' });
      await createThread(it, { title: 'New thread', commandId: 'thread-3:1', threadId: 'thread-3' });
      const titles = it.world.threads().map(({ title }) => title);
      expect(titles[0]).toMatch(/^a bx{190,}…$/);
      expect(titles.slice(1)).toEqual(['thread-2', 'thread-3']);
    });

    test('asked twice under one id, a turn is asked for once', async () => {
      const it = await started();
      expect(await startTurn(it)).toBe('accepted');
      expect(await createThread(it)).toBe('accepted');
      expect(it.world.messagesOf('thread-1')).toHaveLength(1);
      expect(it.world.threads()).toHaveLength(1);
    });

    test('a turn for a thread that is not there is refused', async () => {
      const it = await server();
      await createProject(it);
      expect(await startTurn(it)).toBe('refused');
    });

    test.each([
      ['empty', ' \n'],
      ['longer than 120000 characters', 'x'.repeat(120_001)],
    ])('a prompt that is %s never gets as far as the thread', async (_, text) => {
      const it = await server();
      await createProject(it);
      await createThread(it);
      await expect(startTurn(it, { text })).rejects.toMatchObject({ name: 'PortError', kind: 'refused' });
      expect(it.world.messagesOf('thread-1')).toEqual([]);
    });

    test('the longest prompt arrives as it was', async () => {
      const it = await server();
      const text = `${'é'.repeat(119_998)}\n"`;
      await createProject(it);
      await createThread(it);
      await startTurn(it, { text });
      expect(it.world.messagesOf('thread-1')[0]?.text).toBe(text);
    });

    test('a turn is seen queued, starting, at work and over, one after the other', async () => {
      const it = await started();
      const seen = [(await stateOf(it)).is];
      for (const ms of [60, 200, 10_000]) {
        it.pass(ms);
        seen.push((await stateOf(it)).is);
      }
      expect(seen).toEqual(['queued', 'starting', 'at work', 'over']);
      expect(await stateOf(it)).toEqual({ is: 'over', how: 'completed', lastError: null });
    });

    test('a further turn is the one spoken of only once it is taken up', async () => {
      const it = await started(({ turnNumber }) => works(`Done ${turnNumber}.`));
      it.pass(20_000);
      const first = await threadOf(it);
      const after = first?.lastMessageAt ?? null;
      expect(await startTurn(it, { commandId: 'turn-2:1', messageId: 'message-2' })).toBe('accepted');
      const shown = await threadOf(it);
      expect(shown?.turn).toEqual(first?.turn);
      expect(turnState(shown, { after }).is).not.toBe('over');
      it.pass(500);
      expect((await stateOf(it, after)).is).toBe('at work');
      it.pass(20_000);
      expect((await stateOf(it, after)).is).toBe('over');
      expect((await threadOf(it))?.turn?.id).not.toBe(first?.turn?.id);
      expect((await it.executor.detail('thread-1'))?.lastWords).toBe('Done 2.');
    });

    test.each([
      ['missing-binary', 'stopped'],
      ['unknown-instance', 'error'],
      ['worktree-gone', 'stopped'],
    ] as const)('an agent that cannot start (%s) is a session in error without a turn', async (starts, status) => {
      const it = await started(() => ({ starts }));
      it.pass(5000);
      expect(await threadOf(it)).toMatchObject({ turn: null, session: { status, lastError: expect.any(String) } });
      expect((await stateOf(it)).is).toBe('could not start');
    });

    test.each([
      ['question', { does: 'ask', question: 'Which?', options: [] }],
      ['approval', { does: 'approve', detail: 'Bash: rm -rf build' }],
    ] as const)('an open %s is seen', async (what, deed) => {
      const it = await started(() => ({ starts: 'ok', acts: [{ afterMs: 1000, ...deed }] }));
      it.pass(5000);
      expect((await threadOf(it))?.pending).toBe(what);
      expect(await stateOf(it)).toEqual({ is: 'asking', what });
    });

    test('work in the background is seen, and that it brings a turn of its own', async () => {
      const later: AgentAct[] = [{ afterMs: 100, does: 'end', how: 'completed', text: 'All done.' }];
      const it = await started(() => ({
        starts: 'ok',
        acts: [
          { afterMs: 100, does: 'tool', detail: 'Bash: npm test' },
          { afterMs: 100, does: 'end', how: 'background', backgroundMs: 60_000, afterEnd: later },
        ],
      }));
      it.pass(5000);
      expect((await stateOf(it)).is).toBe('background');
      it.pass(60_000);
      expect(await stateOf(it)).toEqual({ is: 'over', how: 'completed', lastError: null });
      // What was done before belongs to the turn that was asked for.
      expect(await it.executor.detail('thread-1')).toMatchObject({ lastWords: 'All done.', toolCalls: 1 });
    });

    test('detail tells words, tool calls, files and tokens of the last turn alone', async () => {
      const it = await started(({ turnNumber }) => (turnNumber === 1 ? busy : works('Nothing to do.')));
      it.pass(60_000);
      expect(await it.executor.detail('thread-1')).toEqual({
        lastWords: 'I changed\nit.',
        toolCalls: 3,
        changedFiles: 2,
        totalTokens: 216_800,
        request: null,
      });
      await startTurn(it, { commandId: 'turn-2:1', messageId: 'message-2' });
      it.pass(60_000);
      expect(await it.executor.detail('thread-1')).toMatchObject({
        lastWords: 'Nothing to do.',
        toolCalls: 0,
        changedFiles: 0,
      });
    });

    test('detail of a thread in which nothing happened is empty', async () => {
      const it = await server();
      await createProject(it);
      await createThread(it);
      expect(await it.executor.detail('thread-1')).toEqual({
        lastWords: null,
        toolCalls: 0,
        changedFiles: 0,
        totalTokens: null,
        request: null,
      });
    });

    /** An agent that has asked by now; what it does afterwards tells how it took the answer. */
    const asked = async (deed: Extract<AgentAct, { does: 'ask' | 'approve' }>): Promise<Server> => {
      const it = await started(() => ({ starts: 'ok', acts: [deed] }));
      it.pass(5000);
      return it;
    };
    const requestOf = async ({ executor }: Server) => (await executor.detail('thread-1'))?.request ?? null;
    const answer = ({ executor, at }: Server, request: AgentRequest, commandId = 'answer-1') =>
      executor.answer({ commandId, threadId: 'thread-1', request, words: 'Decide yourself.', at: at() });
    const saidOf = async ({ executor }: Server) => (await executor.detail('thread-1'))?.lastWords;
    const payloadsOf = ({ world }: Server, kind: string) =>
      world
        .threads()[0]!
        .activities.filter((activity) => activity.kind === kind)
        .map(({ payload }) => payload);

    test('a question is shown with its id and its words, and answered by every question id', async () => {
      const it = await asked(question);
      const request = (await requestOf(it))!;
      expect(request).toEqual({
        requestId: expect.any(String),
        kind: 'question',
        text: 'Which database?',
        questionIds: ['Which database?'],
      });
      const more = { ...request, questionIds: [...request.questionIds, 'And which port?'] };
      expect(await answer(it, more)).toBe('accepted');
      it.pass(5000);
      expect(payloadsOf(it, 'user-input.resolved')).toMatchObject([
        { answers: { 'Which database?': 'Decide yourself.', 'And which port?': 'Decide yourself.' } },
      ]);
      expect(await saidOf(it)).toBe('I took the answer.');
      expect(await stateOf(it)).toEqual({ is: 'over', how: 'completed', lastError: null });
    });

    test('an approval is shown with what it is for, and declined', async () => {
      const it = await asked({
        afterMs: 1000,
        does: 'approve',
        detail: 'Bash: rm -rf build',
        onAnswer: [{ afterMs: 100, does: 'end', how: 'completed', text: 'I did it.' }],
        onDecline: [{ afterMs: 100, does: 'end', how: 'completed', text: 'Then I do without.' }],
      });
      const request = (await requestOf(it))!;
      expect(request).toMatchObject({ kind: 'approval', text: 'Bash: rm -rf build' });
      expect(await answer(it, request)).toBe('accepted');
      it.pass(5000);
      expect(await saidOf(it)).toBe('Then I do without.');
    });

    test('a request that was answered is shown no more, also while the turn goes on', async () => {
      const it = await asked({ ...question, onAnswer: [{ afterMs: 100, does: 'say', text: 'Going on.' }] });
      await answer(it, (await requestOf(it))!);
      it.pass(5000);
      expect([(await stateOf(it)).is, await requestOf(it)]).toEqual(['at work', null]);
    });

    test('of several requests the one that is open is shown', async () => {
      const second: AgentAct = { afterMs: 100, does: 'approve', detail: 'Bash: npm publish' };
      const it = await asked({ ...question, onAnswer: [second] });
      const first = (await requestOf(it))!;
      await answer(it, first);
      it.pass(5000);
      const shown = (await requestOf(it))!;
      expect(shown).toMatchObject({ kind: 'approval', text: 'Bash: npm publish' });
      expect(shown.requestId).not.toBe(first.requestId);
    });

    test('a request that an interrupt left unanswered is not taken for the one of the next turn', async () => {
      const it = await started(({ turnNumber }) => ({
        starts: 'ok',
        acts: [{ ...question, question: `Question ${turnNumber}?` }],
      }));
      it.pass(5000);
      expect(await requestOf(it)).toMatchObject({ text: 'Question 1?' });
      await it.executor.interrupt(order(it, 'interrupt-1'));
      it.pass(5000);
      await startTurn(it, { commandId: 'turn-2:1', messageId: 'message-2' });
      it.pass(5000);
      expect(await requestOf(it)).toMatchObject({ text: 'Question 2?' });
    });

    test('an answer to a request that nobody made, or that was answered, is accepted and changes nothing', async () => {
      const it = await asked({
        ...question,
        onAnswer: [{ afterMs: 100, does: 'ask', question: 'And now?', options: [] }],
      });
      const request = (await requestOf(it))!;
      expect(await answer(it, { ...request, requestId: 'nobody-asked' }, 'answer-0')).toBe('accepted');
      expect(await requestOf(it)).toEqual(request);
      await answer(it, request);
      it.pass(5000);
      expect(await answer(it, request, 'answer-2')).toBe('accepted');
      it.pass(5000);
      expect(await requestOf(it)).toMatchObject({ text: 'And now?' });
      expect((await stateOf(it)).is).toBe('asking');
    });

    test('asked to answer twice under one id, the agent hears it once', async () => {
      const it = await asked({ ...question, onAnswer: [{ afterMs: 100, does: 'say', text: 'Going on.' }] });
      const request = (await requestOf(it))!;
      expect([await answer(it, request), await answer(it, request)]).toEqual(['accepted', 'accepted']);
      it.pass(5000);
      expect(payloadsOf(it, 'user-input.resolved')).toHaveLength(1);
      expect(payloadsOf(it, 'provider.user-input.respond.failed')).toEqual([]);
    });

    test('an answer for a thread that is not there is refused', async () => {
      const it = await server();
      const request = { requestId: 'r', kind: 'question', text: '', questionIds: ['q'] } as const;
      expect(await answer(it, request)).toBe('refused');
    });

    test('what an agent asks is cleaned and bounded, and answered by the id as it was', async () => {
      const it = await asked({ ...question, question: `a\u001b[31m\nb${'x'.repeat(2000)}` });
      const request = (await requestOf(it))!;
      expect(request.text).toMatch(/^a bx{400,}…$/);
      expect(request.text.length).toBeLessThanOrEqual(500);
      expect(await answer(it, request)).toBe('accepted');
      it.pass(5000);
      expect(await saidOf(it)).toBe('I took the answer.');
      expect(payloadsOf(it, 'user-input.resolved')).toMatchObject([
        { answers: { [`a\u001b[31m\nb${'x'.repeat(2000)}`]: 'Decide yourself.' } },
      ]);
    });

    test('any id finds its thread', async () => {
      const it = await server();
      const threadId = 'a/../b?c=d#e%2f ü';
      await createProject(it);
      await createThread(it, { threadId });
      expect(await it.executor.detail(threadId)).not.toBeNull();
      expect(await it.executor.detail('a')).toBeNull();
    });

    test('an interrupted agent leaves its turn and stays; one that is stopped then leaves', async () => {
      const it = await started(() => ({ starts: 'ok', acts: [] }));
      it.pass(5000);
      expect(await it.executor.interrupt(order(it, 'interrupt-1'))).toBe('accepted');
      expect((await stateOf(it)).is).toBe('interrupting');
      it.pass(1000);
      expect(await threadOf(it)).toMatchObject({ session: { status: 'ready' } });
      expect((await stateOf(it)).is).toBe('over');
      expect(it.world.liveAgents()).toHaveLength(1);
      expect(await it.executor.stop(order(it, 'stop-1'))).toBe('accepted');
      it.pass(1000);
      expect(await threadOf(it)).toMatchObject({ session: { status: 'stopped' } });
      expect(it.world.liveAgents()).toEqual([]);
    });

    test('a thread that never started reads stopped once it was stopped', async () => {
      const it = await started(() => ({ starts: 'never' }));
      it.pass(5000);
      expect(await it.executor.stop(order(it, 'stop-1'))).toBe('accepted');
      expect(await threadOf(it)).toMatchObject({ turn: null, session: { status: 'stopped' } });
    });

    test('stopping, interrupting or stopping again what is over is accepted and changes nothing', async () => {
      const it = await started();
      it.pass(20_000);
      for (const id of ['stop-1', 'stop-2']) expect(await it.executor.stop(order(it, id))).toBe('accepted');
      expect(await it.executor.interrupt(order(it, 'interrupt-1'))).toBe('accepted');
      it.pass(1000);
      expect(await threadOf(it)).toMatchObject({ turn: { state: 'completed' }, session: { status: 'stopped' } });
    });

    test('orders to a thread that never was are refused', async () => {
      const it = await server();
      const ways = ['interrupt', 'stop', 'archive', 'unarchive'] as const;
      const answers = await Promise.all(ways.map((way) => it.executor[way](order(it, `${way}-1`, 'nobody'))));
      expect(answers).toEqual(['refused', 'refused', 'refused', 'refused']);
    });

    test('an archived thread is out of sight, can be found, and comes back', async () => {
      const it = await started();
      it.pass(20_000);
      expect(await it.executor.archive(order(it, 'archive-1'))).toBe('accepted');
      expect(await threadOf(it)).toBeUndefined();
      expect(await it.executor.detail('thread-1')).toBeNull();
      expect(await it.executor.whereabouts('thread-1')).toBe('archived');
      expect(await it.executor.archive(order(it, 'archive-2'))).toBe('refused');
      expect(await it.executor.unarchive(order(it, 'unarchive-1'))).toBe('accepted');
      expect((await stateOf(it)).is).toBe('over');
      expect(await it.executor.unarchive(order(it, 'unarchive-2'))).toBe('refused');
    });

    test('a deleted thread is told from one that never was', async () => {
      const it = await started();
      it.world.dispatch({ type: 'thread.delete', commandId: 'by-a-person', threadId: 'thread-1' }, it.at());
      expect(await threadOf(it)).toBeUndefined();
      expect(await it.executor.whereabouts('thread-1')).toBe('deleted');
      expect(await it.executor.whereabouts('thread-2')).toBe('absent');
    });

    test('a thread that is still there after all is never called absent', async () => {
      const it = await started();
      const asked = it.executor.whereabouts('thread-1');
      await expect(asked).rejects.toMatchObject({ name: 'PortError', kind: 'unavailable' });
      await expect(asked).rejects.toBeInstanceOf(PortError);
    });

    test('health tells the version, how long the token is good and that it may do all we need', async () => {
      const it = await server();
      const { version, tokenExpiresAt, canOperate } = await it.executor.health();
      expect({ version, canOperate }).toEqual({ version: '0.0.32', canOperate: true });
      expect(tokenExpiresAt).toBeGreaterThan(it.at());
    });
  });
};

const root = '/srv/checkouts/acme__widgets';
const model = { instanceId: 'claudeAgent', model: 'claude-sonnet-5' };

const works = (text: string): AgentScript => ({
  starts: 'ok',
  acts: [{ afterMs: 5000, does: 'end', how: 'completed', text }],
});

const question = {
  afterMs: 1000,
  does: 'ask',
  question: 'Which database?',
  options: [{ label: 'A', description: 'the first' }],
  onAnswer: [{ afterMs: 100, does: 'end', how: 'completed', text: 'I took the answer.' }],
} as const;

const busy: AgentScript = {
  starts: 'ok',
  acts: [
    { afterMs: 100, does: 'say', text: 'Reading.' },
    { afterMs: 100, does: 'tool', detail: 'Bash: npm test' },
    { afterMs: 100, does: 'change-file', path: 'src/a.ts' },
    { afterMs: 100, does: 'change-file', path: 'src/b.ts' },
    { afterMs: 100, does: 'tokens', total: 60_010 },
    { afterMs: 100, does: 'tokens', total: 216_800 },
    { afterMs: 100, does: 'end', how: 'completed', text: '\u001b[1mI changed\u001b[0m\r\nit.\u0000' },
  ],
};
