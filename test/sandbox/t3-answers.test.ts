import { describe, expect, test } from 'vitest';
import type { AgentScript } from '../../lib/sandbox/t3-agent-script.ts';
import {
  agent,
  modelSelection,
  onThread,
  projectCreate,
  type Stage,
  stage,
  threadCreate,
  turnStart,
  working,
} from './t3-stage.ts';

type Fields = Readonly<Record<string, unknown>>;
type Row = {
  readonly input: string;
  /** What the world holds before: a project, an idle thread `one` in it, and what is done here. */
  readonly given?: (now: Stage) => void;
  readonly agents?: readonly AgentScript[];
  /** The commands that all get this answer; each is tried in a world of its own. */
  readonly commands: readonly Fields[];
  readonly status: 200 | 400 | 500;
  /** Of a 400: whether it says anything. */
  readonly says?: 'invalid_command';
  /** What the commandId is good for afterwards. */
  readonly leaves: 'free' | 'used' | 'burnt';
  readonly and?: (now: Stage) => void;
};

const hanging = [agent(working)];
const asking = [agent({ afterMs: 5, does: 'ask', question: 'Which?', options: [] })];
const wanting = [agent({ afterMs: 5, does: 'approve', detail: 'Bash: rm' })];
const running = (now: Stage): void => {
  now.send(turnStart('one'));
  now.wait(500);
};
const over = (now: Stage): void => {
  now.send(turnStart('one'));
  now.wait(5_000);
};
const stopped = (now: Stage): void => {
  over(now);
  now.send(onThread('thread.session.stop', 'one'));
  now.wait(1_000);
};
const archived = (now: Stage): void => {
  now.send(onThread('thread.archive', 'one'));
};
const deleted = (now: Stage): void => {
  now.send(onThread('thread.delete', 'one'));
};
const other = (fields: Fields = {}) =>
  projectCreate({ projectId: 'other', workspaceRoot: '/srv/checkouts/acme__other', ...fields });
const deleteProject = (projectId = 'acme__widgets'): Fields => ({
  type: 'project.delete',
  commandId: `delete-${projectId}`,
  projectId,
});
const withoutField = (command: Fields, field: string): Fields =>
  Object.fromEntries(Object.entries(command).filter(([name]) => name !== field));
const withMessage = (fields: Fields): Fields =>
  turnStart('one', { message: { messageId: 'm', role: 'user', text: 'Fix it.', attachments: [], ...fields } });
const interrupt = (threadId = 'one') => onThread('thread.turn.interrupt', threadId);
const stop = (threadId = 'one') => onThread('thread.session.stop', threadId);
const settle = (threadId = 'one') => onThread('thread.settle', threadId);
const unsettle = (threadId = 'one') => onThread('thread.unsettle', threadId, { reason: 'user' });
const approve = (fields: Fields = {}) =>
  onThread('thread.approval.respond', 'one', { requestId: 'nobody-asked', decision: 'accept', ...fields });
const answer = (fields: Fields = {}) =>
  onThread('thread.user-input.respond', 'one', { requestId: 'nobody-asked', answers: {}, ...fields });
const everyThreadCommand = (threadId: string): Fields[] => [
  turnStart(threadId),
  ...['thread.turn.interrupt', 'thread.session.stop', 'thread.settle', 'thread.archive', 'thread.unarchive'].map(
    (type) => onThread(type, threadId),
  ),
  ...['thread.delete', 'thread.meta.update'].map((type) => onThread(type, threadId)),
  onThread('thread.unsettle', threadId, { reason: 'user' }),
  onThread('thread.approval.respond', threadId, { requestId: 'r', decision: 'accept' }),
  onThread('thread.user-input.respond', threadId, { requestId: 'r', answers: {} }),
];

const thread = (now: Stage) => now.world.threads().find(({ id }) => id === 'one');
const expectNoTurn = (now: Stage): void => {
  now.wait(60_000);
  expect(now.turns).toEqual([]);
};

/** The table "Answers to wrong or useless input", row for row. */
const rows: readonly Row[] = [
  {
    input: 'an unknown or missing type',
    commands: [{ ...settle(), type: 'thread.fork' }, withoutField(settle(), 'type')],
    status: 400,
    leaves: 'free',
  },
  {
    input: 'a required field missing',
    commands: [
      ...['projectId', 'title', 'workspaceRoot', 'createdAt'].map((field) => withoutField(projectCreate(), field)),
      ...['threadId', 'projectId', 'title', 'modelSelection', 'runtimeMode', 'branch', 'worktreePath', 'createdAt'].map(
        (field) => withoutField(threadCreate('two'), field),
      ),
      ...['threadId', 'message', 'runtimeMode', 'interactionMode', 'createdAt'].map((field) =>
        withoutField(turnStart('one'), field),
      ),
      ...['threadId', 'createdAt'].map((field) => withoutField(interrupt(), field)),
      ...['threadId', 'createdAt'].map((field) => withoutField(stop(), field)),
      ...['requestId', 'decision', 'createdAt'].map((field) => withoutField(approve(), field)),
      ...['requestId', 'answers', 'createdAt'].map((field) => withoutField(answer(), field)),
      withoutField(unsettle(), 'reason'),
      withoutField(settle(), 'threadId'),
      withMessage({ attachments: undefined }),
      withMessage({ messageId: undefined }),
    ],
    status: 400,
    leaves: 'free',
  },
  {
    input: 'a field of the wrong type',
    commands: [
      threadCreate('two', { createdAt: 5 }),
      threadCreate('two', { branch: 5 }),
      threadCreate('two', { worktreePath: false }),
      withMessage({ attachments: {} }),
      withMessage({ text: null }),
      answer({ answers: 'A' }),
    ],
    status: 400,
    leaves: 'free',
  },
  {
    input: 'a blank id, title, branch or worktreePath; a bad enum value, role or instanceId',
    commands: [
      threadCreate(' '),
      threadCreate('two', { title: '\t' }),
      threadCreate('two', { branch: '' }),
      threadCreate('two', { worktreePath: ' ' }),
      threadCreate('two', { runtimeMode: 'yolo' }),
      threadCreate('two', { interactionMode: 'chat' }),
      turnStart('one', { runtimeMode: 'yolo' }),
      withMessage({ role: 'assistant' }),
      approve({ decision: 'maybe' }),
      onThread('thread.unsettle', 'one', { reason: 'because' }),
      threadCreate('two', { modelSelection: { ...modelSelection, instanceId: '1st' } }),
      threadCreate('two', { modelSelection: { ...modelSelection, instanceId: 'a'.repeat(65) } }),
      threadCreate('two', { modelSelection: { ...modelSelection, instanceId: 'a b' } }),
      onThread('thread.meta.update', 'one', { title: 'x', regenerateTitle: true }),
    ],
    status: 400,
    leaves: 'free',
  },
  {
    input: 'an unknown extra field, or a createdAt that is not a date',
    commands: [threadCreate('two', { colour: 'red' }), threadCreate('two', { createdAt: 'yesterday' })],
    status: 200,
    leaves: 'used',
    and: (now) => expect(now.thread('two')?.['createdAt']).toMatch(/^2026-11-22T11:34:39/),
  },
  {
    input: 'project.create for a root that is missing or a file',
    commands: [other({ workspaceRoot: '/srv/checkouts/nowhere' })],
    status: 400,
    says: 'invalid_command',
    leaves: 'free',
  },
  {
    input: 'project.create for a root taken by a live project, or for a projectId that exists',
    commands: [
      other({ workspaceRoot: '/srv/checkouts/acme__widgets' }),
      other({ workspaceRoot: '/srv/checkouts/acme__widgets/' }),
      other({ workspaceRoot: '/srv/checkouts/x/../acme__widgets' }),
      other({ projectId: 'acme__widgets' }),
    ],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'project.create for a projectId that existed',
    given: (now) => now.send({ ...deleteProject(), force: true }),
    commands: [projectCreate()],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'thread.create in an unknown project, or for a threadId that exists',
    commands: [threadCreate('two', { projectId: 'nowhere' }), threadCreate('one')],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'thread.create for a threadId that existed',
    given: deleted,
    commands: [threadCreate('one')],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'thread.create in a deleted project, or with a path, branch, instance or model that does not exist',
    given: (now) => now.send({ ...deleteProject(), force: true }),
    commands: [
      threadCreate('two'),
      threadCreate('two', { branch: 'no/such', worktreePath: '/no/such' }),
      threadCreate('two', { modelSelection: { instanceId: 'no_such', model: 'no-such' } }),
    ],
    status: 200,
    leaves: 'used',
    and: (now) => expect(now.thread('two')).toBeDefined(),
  },
  {
    input: 'any thread command for a thread that never existed',
    commands: everyThreadCommand('nobody'),
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'project.delete or project.meta.update for an unknown project, or an update to a root that is taken',
    given: (now) => now.send(other()),
    commands: [
      deleteProject('nowhere'),
      { type: 'project.meta.update', commandId: 'p', projectId: 'nowhere', title: 'x' },
      {
        type: 'project.meta.update',
        commandId: 'p',
        projectId: 'other',
        workspaceRoot: '/srv/checkouts/acme__widgets/',
      },
    ],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'project.delete with threads and without force',
    commands: [deleteProject()],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'project.delete of a deleted project',
    given: (now) => now.send({ ...deleteProject(), force: true }),
    commands: [deleteProject()],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'a turn start whose prompt is empty or over 120000 characters',
    commands: [turnStart('one', { text: '' }), turnStart('one', { text: 'x'.repeat(120_001) })],
    status: 200,
    leaves: 'used',
    and: (now) => {
      expectNoTurn(now);
      expect(now.thread('one')).toMatchObject({ latestTurn: null, session: { status: 'ready', lastError: null } });
      expect(now.detail('one').activities).toMatchObject([{ kind: 'provider.turn.start.failed' }]);
    },
  },
  {
    input: 'such a turn start in a thread whose agent is there',
    given: over,
    commands: [turnStart('one', { text: '' })],
    status: 200,
    leaves: 'used',
    and: (now) => {
      now.wait(60_000);
      expect(now.turns).toHaveLength(1);
      expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'error' } });
    },
  },
  {
    input: 'a turn start on an archived thread',
    given: archived,
    commands: [turnStart('one')],
    status: 200,
    leaves: 'used',
    and: (now) => {
      expectNoTurn(now);
      now.send(onThread('thread.unarchive', 'one'));
      expectNoTurn(now);
      expect(now.detail('one').messages).toMatchObject([{ role: 'user', text: 'Fix it.' }]);
    },
  },
  {
    input: 'a turn start on a deleted thread',
    given: deleted,
    commands: [turnStart('one')],
    status: 200,
    leaves: 'used',
    and: expectNoTurn,
  },
  {
    input: 'a turn start while a turn runs',
    agents: hanging,
    given: running,
    commands: [turnStart('one')],
    status: 200,
    leaves: 'used',
    and: (now) => {
      now.wait(60_000);
      expect(now.turns).toHaveLength(1);
      expect(thread(now)?.latestTurn?.requestedAt).toBeLessThan(thread(now)?.latestUserMessageAt ?? 0);
    },
  },
  {
    input: 'a turn start for a provider instance that is unknown',
    given: (now) => now.send(threadCreate('two', { modelSelection: { ...modelSelection, instanceId: 'no_such' } })),
    commands: [turnStart('two')],
    status: 200,
    leaves: 'used',
    and: (now) => {
      expectNoTurn(now);
      expect(now.thread('two')).toMatchObject({ latestTurn: null, session: { status: 'error', providerName: null } });
    },
  },
  {
    input: 'a turn start for a provider instance that is broken',
    agents: [{ starts: 'missing-binary' }],
    commands: [turnStart('one')],
    status: 200,
    leaves: 'used',
    and: (now) => {
      now.wait(60_000);
      expect(now.thread('one')).toMatchObject({ latestTurn: null, session: { status: 'stopped' } });
    },
  },
  {
    input: 'an interrupt of a turn that is over',
    given: over,
    commands: [interrupt(), { ...interrupt(), turnId: 'any' }],
    status: 200,
    leaves: 'used',
    and: (now) =>
      expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'ready' } }),
  },
  {
    input: 'an interrupt of a stopped session',
    given: stopped,
    commands: [interrupt()],
    status: 200,
    leaves: 'used',
    and: (now) =>
      expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'stopped' } }),
  },
  {
    input: 'an interrupt of a thread that never started',
    commands: [interrupt()],
    status: 200,
    leaves: 'used',
    and: (now) => expect(now.thread('one')).toMatchObject({ latestTurn: null, session: null }),
  },
  {
    input: 'session.stop when the turn is over',
    given: over,
    commands: [stop()],
    status: 200,
    leaves: 'used',
    and: (now) => {
      expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'stopped' } });
      expect(now.world.liveAgents()).toEqual([]);
    },
  },
  {
    input: 'session.stop when the session is stopped',
    given: stopped,
    commands: [stop()],
    status: 200,
    leaves: 'used',
    and: (now) =>
      expect(now.thread('one')).toMatchObject({ latestTurn: { state: 'completed' }, session: { status: 'stopped' } }),
  },
  {
    input: 'session.stop of a thread that never started',
    commands: [stop()],
    status: 200,
    leaves: 'used',
    and: (now) => expect(now.thread('one')).toMatchObject({ latestTurn: null, session: { status: 'stopped' } }),
  },
  {
    input: 'an interrupt or session.stop on an archived or deleted thread',
    agents: hanging,
    given: (now) => {
      running(now);
      archived(now);
    },
    commands: [interrupt(), stop()],
    status: 200,
    leaves: 'used',
    and: (now) => {
      now.wait(60_000);
      expect(thread(now)).toMatchObject({ latestTurn: { state: 'running' }, session: { status: 'running' } });
      expect(now.world.liveAgents()).toMatchObject([{ threadId: 'one', busy: true }]);
    },
  },
  {
    input: 'archive when already archived',
    given: archived,
    commands: [onThread('thread.archive', 'one')],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'unarchive when not archived',
    commands: [onThread('thread.unarchive', 'one')],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'settle of a running thread',
    agents: hanging,
    given: running,
    commands: [settle()],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'settle of a thread with a question',
    agents: asking,
    given: running,
    commands: [settle()],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'settle of a thread with an approval',
    agents: wanting,
    given: running,
    commands: [settle()],
    status: 500,
    leaves: 'burnt',
  },
  { input: 'settle of an archived thread', given: archived, commands: [settle()], status: 500, leaves: 'burnt' },
  {
    input: 'settle within two minutes of a turn start that no turn has taken up',
    agents: [{ starts: 'never' }],
    given: (now) => {
      now.send(turnStart('one'));
      now.wait(119_000);
    },
    commands: [settle()],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'settle later than that',
    agents: [{ starts: 'never' }],
    given: (now) => {
      now.send(turnStart('one'));
      now.wait(120_000);
    },
    commands: [settle()],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'settle when already settled',
    given: (now) => now.send(settle()),
    commands: [settle()],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'settle of a thread that never started',
    commands: [settle()],
    status: 200,
    leaves: 'used',
    and: (now) => expect(now.thread('one')).toMatchObject({ settledOverride: 'settled', latestTurn: null }),
  },
  {
    input: 'meta.update of an archived thread, or without a field',
    given: archived,
    commands: [onThread('thread.meta.update', 'one', { title: 'New' }), onThread('thread.meta.update', 'one')],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'meta.update of a deleted thread',
    given: deleted,
    commands: [onThread('thread.meta.update', 'one', { title: 'New' })],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'delete of a deleted thread',
    given: deleted,
    commands: [onThread('thread.delete', 'one')],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'delete of an archived thread',
    given: archived,
    commands: [onThread('thread.delete', 'one')],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'settle, unsettle or archive of a deleted thread',
    given: deleted,
    commands: [settle(), unsettle(), onThread('thread.archive', 'one')],
    status: 200,
    leaves: 'used',
  },
  {
    input: 'unarchive of a deleted thread that is not archived',
    given: deleted,
    commands: [onThread('thread.unarchive', 'one')],
    status: 500,
    leaves: 'burnt',
  },
  {
    input: 'an answer to an approval that nobody asked for',
    commands: [approve()],
    status: 200,
    leaves: 'used',
    and: (now) => expect(now.detail('one').activities).toMatchObject([{ kind: 'provider.approval.respond.failed' }]),
  },
  {
    input: 'an answer to a question that nobody asked',
    commands: [answer()],
    status: 200,
    leaves: 'used',
    and: (now) => expect(now.detail('one').activities).toMatchObject([{ kind: 'provider.user-input.respond.failed' }]),
  },
];

const begin = ({ agents, given }: Pick<Row, 'agents' | 'given'>): Stage => {
  const now = stage(agents ? { one: agents } : {}, { checkouts: (path) => !path.endsWith('nowhere') });
  now.send(projectCreate());
  now.send(threadCreate('one'));
  given?.(now);
  return now;
};

describe('what the server answers to wrong or useless input, and what becomes of the commandId', () => {
  for (const row of rows) {
    test(`${row.input}: ${row.status}, and the commandId is ${row.leaves}`, () => {
      for (const fields of row.commands) {
        const now = begin(row);
        const command = { ...fields, commandId: 'the-one' };
        const answered = now.send(command);
        expect(answered.status).toBe(row.status);
        if (row.status === 200) expect(answered.body).toEqual({ sequence: expect.any(Number) });
        if (row.status === 400 && !row.says) expect(answered.body).toBe('');
        if (row.says) expect(answered.body).toMatchObject({ _tag: 'EnvironmentRequestInvalidError', reason: row.says });
        if (row.status === 500) expect(answered.body).toEqual(dispatchFailed);

        const before = now.shell().threads.length;
        const again = now.send(threadCreate('under-the-same-id', { commandId: 'the-one', projectId: projectOf(now) }));
        const { status, body } = { free: { status: 200, body: {} }, used: answered, burnt: answered }[row.leaves];
        expect(again.status).toBe(status);
        if (row.leaves === 'used') expect(again.body).toEqual(body);
        expect(now.shell().threads.length - before).toBe(row.leaves === 'free' ? 1 : 0);
        now.wait(20);
        row.and?.(now);
      }
    });
  }
});

const projectOf = (now: Stage): string => now.world.projects()[0]?.id ?? '';
const dispatchFailed = {
  _tag: 'EnvironmentInternalError',
  code: 'internal_error',
  reason: 'orchestration_dispatch_failed',
  traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
};

test('what is not an object is answered with an empty 400', () => {
  const now = begin({});
  for (const input of [undefined, null, 5, 'thread.archive', []]) {
    expect(now.world.dispatch(input, now.now())).toEqual({ status: 400, body: '' });
  }
});

test('a commandId that was accepted gives its first sequence for ever, also after a restart, and does nothing', () => {
  const now = begin({});
  const first = now.send(turnStart('one', { commandId: 'c' }));
  now.wait(5_000);
  now.restart();
  now.wait(5_000);
  expect(now.send(turnStart('one', { commandId: 'c' }))).toEqual(first);
  now.wait(5_000);
  expect(now.turns).toHaveLength(1);
});

test('a command that was refused changes nothing and takes no sequence', () => {
  const now = begin({});
  const before = JSON.stringify(now.shell());
  expect(now.send(threadCreate('one')).status).toBe(500);
  expect(JSON.stringify(now.shell())).toBe(before);
});
