import { expect } from 'vitest';
import type { AgentScript } from '../../lib/sandbox/t3-agent-script.ts';
import type { T3WorldOptions } from '../../lib/sandbox/t3-world.ts';
import { agent, ends, onThread, projectCreate, type Stage, threadCreate, turnStart, working } from './t3-stage.ts';

/**
 * The situation in which a recording was made, told to the stand-in. Before `given` there is nothing but what the recording
 * itself shows: the project acme__widgets and, for a thread command, its thread.
 */
export type Scene = {
  readonly agents?: Readonly<Record<string, readonly AgentScript[]>>;
  readonly options?: Partial<T3WorldOptions>;
  /** Nothing is prepared: not even the project. */
  readonly empty?: true;
  /** The thread does not exist when the recorded command comes. */
  readonly withoutThread?: true;
  readonly given?: (stage: Stage) => void;
  /** What else happens after the recorded command, so many milliseconds later. */
  readonly meanwhile?: readonly { readonly afterMs: number; readonly happens: (stage: Stage) => void }[];
  readonly afterwards?: (stage: Stage) => void;
  /** The answer's numbers are those of a fresh server, and compared as they are. */
  readonly sequence?: number;
  /** The recording holds only the first activity of each kind. */
  readonly firstOfEachKind?: true;
};

const run = (n: number, attempt = 1): string => `run-acme__widgets-${n}-${attempt}`;
const branchOf = (n: number) => ({
  branch: `agent/issue-${n}`,
  worktreePath: `/srv/worktrees/acme__widgets/issue-${n}`,
});
const fix = (n: number) => ({ message: { messageId: 'm', role: 'user', text: `Fix issue ${n}.`, attachments: [] } });

/** A thread at work on its first turn for half a second, or for as long as its script takes. */
const underWay =
  (n: number, ms = 500) =>
  (stage: Stage): void => {
    stage.send(turnStart(run(n), fix(n)));
    stage.wait(ms);
  };
const firstTurnThen =
  (n: number, ...commands: string[]) =>
  (stage: Stage): void => {
    underWay(n, 2_000)(stage);
    for (const type of commands) stage.send(onThread(type, run(n)));
    stage.wait(1_000);
  };

const hanging = agent(working);
const quick = agent(ends(10));
const gadgets = { projectId: 'acme__gadgets', title: 'acme/gadgets', workspaceRoot: '/srv/checkouts/acme__gadgets' };
const gadgetsWithThread = (stage: Stage): void => {
  stage.send(projectCreate(gadgets));
  stage.send(threadCreate('gadgets-thread', { projectId: 'acme__gadgets' }));
};
const gadgetsDeleted = (stage: Stage): void => {
  stage.send(projectCreate(gadgets));
  stage.send({ type: 'project.delete', commandId: 'delete', projectId: 'acme__gadgets', force: true });
};
const isDirectory = (path: string): boolean => !path.endsWith('does-not-exist');

const todos =
  'TodoWrite: {"todos":[{"content":"Step 1","activeForm":"Doing step 1","status":"completed"},{"content":"Step 2","activeForm":"Doing step 2","status":"in_progress"},{"content":"St...';
const success = agent(
  { afterMs: 3, does: 'say', text: 'Reading the issue and the code.' },
  { afterMs: 1_000, does: 'tool', detail: todos },
  { afterMs: 7, does: 'plan', step: 'Step 2', completed: 1, total: 3 },
  { afterMs: 10, does: 'change-file', path: 'src/login.ts' },
  { afterMs: 20, does: 'plan', step: 'Step 3', completed: 3, total: 3 },
  { afterMs: 70, does: 'say', text: 'Fixed the login handler and pushed agent/issue-42.' },
  { afterMs: 23, does: 'tokens', total: 216_800, used: 22_800, told: 'at-end' },
  { afterMs: 1, does: 'end', how: 'completed' },
);
const opening =
  'You are working on acme/widgets issue #42: Login button does nothing.\nWork on branch agent/issue-42, commit and push.';
const startsSuccess = (stage: Stage): void => {
  const { branch, worktreePath } = branchOf(42);
  stage.send(threadCreate(run(42), { title: '#42 Login button does nothing', branch, worktreePath }));
  stage.send(
    turnStart(run(42), {
      message: { messageId: 'msg:run-acme__widgets-42-1:cc9867', role: 'user', text: opening, attachments: [] },
    }),
  );
};
const apiErrorText = 'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';
const apiError = agent(
  { afterMs: 1_000, does: 'tokens', total: 18_000, told: 'at-end' },
  { afterMs: 0, does: 'end', how: 'api-error', text: apiErrorText },
);
const fails = (lastError: string) => agent(working, { afterMs: 1_000, does: 'end', how: 'error', lastError });
const crashes = agent(working, { afterMs: 1_000, does: 'end', how: 'crash' });
const leaves = agent(working, { afterMs: 1_000, does: 'end', how: 'exit-zero' });
const cutOff = agent(working, { afterMs: 1, does: 'tokens', total: 60_010, used: 19_420, told: 'at-end' });
const asks = agent(working, {
  afterMs: 1_000,
  does: 'ask',
  question: 'Which database should I use?',
  options: [
    { label: 'A', description: 'first' },
    { label: 'B', description: 'second' },
  ],
  onAnswer: [ends(5)],
});
const wantsLeave = agent(
  { afterMs: 990, does: 'say', text: 'I will clean up.' },
  { afterMs: 5, does: 'approve', detail: 'Bash: rm -rf build', onAnswer: [ends(16)] },
);
/** Five runs, as the recorded shell has them. */
const fiveRuns: Scene['agents'] = {
  [run(42)]: [success],
  [run(50)]: [fails('The tool call failed and I cannot go on.')],
  [run(51)]: [crashes],
  [run(52)]: [leaves],
  [run(55)]: [{ starts: 'missing-binary' }],
};
const fiveRunsOver = (stage: Stage): void => {
  startsSuccess(stage);
  for (const n of [50, 51, 52, 55]) {
    const { branch, worktreePath } = branchOf(n);
    const instance = n === 55 ? { modelSelection: { instanceId: 'claude_missing', model: 'claude-sonnet-5' } } : {};
    stage.send(threadCreate(run(n), { title: `#${n} Something to fix`, branch, worktreePath, ...instance }));
    stage.send(turnStart(run(n), fix(n)));
  }
  stage.wait(5_000);
};
/** Run 71 at work, run 72 just looked at, when the server was stopped and came back. */
const restartedInMidTurn = (stage: Stage): void => {
  for (const n of [71, 72]) {
    stage.send(threadCreate(run(n), { title: `#${n}`, ...branchOf(n) }));
    stage.send(turnStart(run(n), { ...fix(n), commandId: `run:${n}:1:turn` }));
    stage.wait(n === 71 ? 1_000 : 30);
  }
  stage.restart();
  stage.wait(10_000);
};

/** Every recording and its scene, in the order of the README's index; what no HTTP stand-in can replay says why. */
export const scenes: Readonly<Record<string, Scene | { readonly outOfScope: string }>> = {
  'env-descriptor': { empty: true },
  'auth-missing-credential': {},
  'auth-invalid-credential': {},
  'auth-insufficient-scope': { empty: true, options: { grants: { '<token>': { scopes: ['orchestration:read'] } } } },
  'auth-session-state': {},
  'auth-pairing-token': {},
  'auth-token-exchange': {},

  'dispatch-malformed-json': {},
  'dispatch-missing-field': {
    empty: true,
    afterwards: (stage) => expect(stage.send(projectCreate({ commandId: 'project:acme__widgets:1' })).status).toBe(200),
  },
  'dispatch-workspace-missing': {
    options: { checkouts: isDirectory },
    afterwards: (stage) => {
      const fixed = { projectId: 'nowhere', workspaceRoot: '/srv/checkouts/elsewhere' };
      expect(stage.send(projectCreate({ ...fixed, commandId: 'project:nowhere:1' })).status).toBe(200);
    },
  },
  'turn-start-thread-missing': { withoutThread: true },
  'thread-create-project-missing': { withoutThread: true },
  'thread-create-duplicate-thread-id': {},
  'command-id-burnt-by-rejection': {
    given: (stage) => {
      const burnt = { commandId: 'project:acme__widgets:2', projectId: 'other' };
      expect(stage.send(projectCreate(burnt)).status).toBe(500);
    },
  },

  'project-create': { empty: true, options: { checkouts: () => false }, sequence: 1 },
  'project-create-workspace-taken': {},
  'project-create-workspace-taken-trailing-slash': {},
  'project-delete-with-threads': { given: gadgetsWithThread },
  'project-delete': {
    given: gadgetsWithThread,
    afterwards: ({ shell }) => expect(shell()).toMatchObject({ projects: [{ id: 'acme__widgets' }], threads: [] }),
  },
  'project-create-after-delete-same-id': { given: gadgetsDeleted },
  'project-create-after-delete-other-id': { given: gadgetsDeleted },
  'thread-create-project-deleted': {
    withoutThread: true,
    given: gadgetsDeleted,
    afterwards: ({ shell }) => expect(shell().projects.map(({ id }) => id)).not.toContain('acme__gadgets'),
  },
  'turn-start-project-deleted': {
    withoutThread: true,
    agents: { [run(901)]: [agent(ends(1_000))] },
    given: (stage) => {
      gadgetsDeleted(stage);
      stage.send(threadCreate(run(901), { projectId: 'acme__gadgets' }));
    },
    afterwards: ({ turns }) => expect(turns).toMatchObject([{ workspaceRoot: '/srv/t3' }]),
  },

  'thread-create': { withoutThread: true, sequence: 2 },
  'thread-create-same-command-id': {
    withoutThread: true,
    given: (stage) => stage.send(threadCreate(run(42), { commandId: 'run:acme/widgets#42:1:thread' })),
    sequence: 2,
    afterwards: ({ shell }) => expect(shell().threads).toHaveLength(1),
  },
  'command-id-reused-across-types': {
    withoutThread: true,
    given: (stage) => stage.send(threadCreate(run(42), { commandId: 'run:acme/widgets#42:1:thread' })),
    sequence: 2,
    afterwards: ({ turns, thread }) => {
      expect(turns).toEqual([]);
      expect(thread(run(42))).toMatchObject({ latestTurn: null, latestUserMessageAt: null });
    },
  },
  'thread-meta-update-title': {
    agents: { [run(86)]: [hanging] },
    given: underWay(86),
    afterwards: ({ thread }) => expect(thread(run(86))).toMatchObject({ title: '#86 Login button: new title' }),
  },
  'bootstrap-thread-missing': { withoutThread: true },
  'bootstrap-thread-exists': {
    agents: { [run(43, 2)]: [agent(ends(1_000))] },
    afterwards: ({ turns }) => expect(turns).toMatchObject([{ workspaceRoot: '/srv/checkouts/acme__widgets' }]),
  },
  'websocket-bootstrap': { outOfScope: 'the control plane and its stand-in have only HTTP' },

  'shell-mixed-states': { agents: fiveRuns, given: fiveRunsOver },
  'snapshot-mixed-states': {
    agents: { [run(42)]: [success] },
    given: (stage) => {
      startsSuccess(stage);
      stage.send(threadCreate(run(43, 2), { title: '#42 Login button does nothing' }));
      stage.send(turnStart(run(43, 2)));
      stage.wait(5_000);
      stage.send(onThread('thread.delete', run(43, 2)));
    },
  },
  'thread-detail-completed': {
    agents: { [run(42)]: [success] },
    given: (stage) => {
      startsSuccess(stage);
      stage.wait(5_000);
    },
    firstOfEachKind: true,
  },
  'thread-detail-api-error': {
    agents: { [run(54)]: [apiError] },
    given: (stage) => {
      stage.send(threadCreate(run(54), { title: '#54 Something to fix', ...branchOf(54) }));
      stage.send(turnStart(run(54), messageOf(54, '620b7f')));
      stage.wait(5_000);
    },
  },
  'thread-detail-interrupted': {
    agents: { [run(62)]: [cutOff] },
    given: (stage) => {
      stage.send(threadCreate(run(62), { title: '#62 Something to fix', ...branchOf(62) }));
      stage.send(turnStart(run(62), messageOf(62, '7b3eaf')));
      stage.wait(2_000);
      stage.send(onThread('thread.turn.interrupt', run(62)));
      stage.wait(1_000);
    },
  },
  'thread-detail-start-failed': {
    given: (stage) => {
      stage.send(threadCreate(run(57), { title: '#57 Something to fix', ...branchOf(57) }));
      stage.send(turnStart(run(57), messageOf(57, 'd654b1', 'x'.repeat(120_001))));
      stage.wait(5_000);
    },
  },
  'thread-detail-not-found': {},

  'timeline-success': { agents: { [run(42)]: [success] }, sequence: 4 },
  'timeline-agent-error': { agents: { [run(50)]: [fails('The tool call failed and I cannot go on.')] } },
  'timeline-budget-exceeded': { agents: { [run(53)]: [fails('Reached maximum budget ($0.05)')] } },
  'timeline-agent-crash': { agents: { [run(51)]: [crashes] } },
  'timeline-agent-exit-zero': { agents: { [run(52)]: [leaves] } },
  'timeline-api-error-reads-completed': { agents: { [run(54)]: [apiError] } },
  'timeline-provider-missing-binary': { agents: { [run(55)]: [{ starts: 'missing-binary' }] } },
  'timeline-unknown-provider-instance': {},
  'timeline-background-work': {
    agents: {
      [run(58)]: [
        agent({
          afterMs: 1_000,
          does: 'end',
          how: 'background',
          text: 'A helper goes on.',
          backgroundMs: 4_000,
          afterEnd: [
            { afterMs: 1, does: 'say', text: 'The helper is done.' },
            { afterMs: 2, does: 'end', how: 'completed' },
          ],
        }),
      ],
    },
  },
  'timeline-question-in-full-access': { agents: { [run(60)]: [asks] } },
  'user-input-respond': { agents: { [run(60)]: [asks] }, given: underWay(60, 2_000) },
  'timeline-approval-pending': { agents: { [run(85)]: [wantsLeave] } },
  'approval-respond': { agents: { [run(85)]: [wantsLeave] }, given: underWay(85, 2_000) },

  'turn-second-after-completed': { agents: { [run(80)]: [quick, agent(working, ends())] }, given: firstTurnThen(80) },
  'turn-second-after-crash': { agents: { [run(81)]: [crashes, agent(ends(997))] }, given: firstTurnThen(81) },
  'turn-second-after-session-stop': {
    agents: { [run(82)]: [quick, agent(ends(1_005))] },
    given: firstTurnThen(82, 'thread.session.stop'),
  },
  'turn-second-cannot-start': {
    agents: { [run(95)]: [quick, { starts: 'worktree-gone' }] },
    given: firstTurnThen(95, 'thread.session.stop'),
  },
  'turn-sent-while-running': {
    agents: { [run(83)]: [agent(working, ends(4_000, 'First done.')), agent(ends(1_995, 'Second done.'))] },
    given: underWay(83, 1_700),
    afterwards: ({ detail }) =>
      expect(detail(run(83)).messages.map(({ role, text }) => `${role}: ${text}`)).toEqual([
        'user: Fix issue 83.',
        'assistant: Working.',
        'user: Also rename the button.',
        'assistant: First done.',
        'assistant: Second done.',
      ]),
  },
  'turn-sent-while-running-absorbed': {
    agents: { [run(94)]: [{ starts: 'ok', steering: 'absorb', acts: [working, ends(4_000, 'Both done.')] }] },
    given: underWay(94, 1_700),
    afterwards: ({ detail }) =>
      expect(detail(run(94)).messages.map(({ role, text }) => `${role}: ${text}`)).toEqual([
        'user: Fix issue 94.',
        'assistant: Working.',
        'user: Also rename the button.',
        'assistant: Both done.',
      ]),
  },
  'turn-start-archived-no-effect': {
    given: (stage) => stage.send(onThread('thread.archive', run(84))),
    meanwhile: [
      {
        afterMs: 4_000,
        happens: (stage) => {
          expect(stage.thread(run(84))).toBeUndefined();
          expect(stage.http('GET', `/api/orchestration/threads/${run(84)}`).status).toBe(404);
          expect(JSON.parse(stage.http('GET', '/api/orchestration/snapshot').body).threads).toMatchObject([
            { id: run(84), latestTurn: null, session: null, archivedAt: expect.any(String) },
          ]);
          stage.send(onThread('thread.unarchive', run(84)));
        },
      },
    ],
    afterwards: ({ turns }) => expect(turns).toEqual([]),
  },

  'timeline-interrupt': { agents: { [run(62)]: [cutOff] }, given: underWay(62, 1_950) },
  'interrupt-unresponsive-agent-wedges': {
    agents: {
      [run(92)]: [{ starts: 'ok', deaf: true, acts: [working] }],
      // The recording did not look while this one ran.
      [run(93)]: [agent(ends(100))],
    },
    given: (stage) => {
      stage.send(threadCreate(run(93), branchOf(93)));
      underWay(92, 2_800)(stage);
    },
    meanwhile: [
      { afterMs: 49, happens: (stage) => expect(stage.send(turnStart(run(93), fix(93))).status).toBe(200) },
      { afterMs: 12_000, happens: (stage) => stage.kill(run(92)) },
    ],
  },
  'timeline-session-stop': { agents: { [run(63)]: [hanging] }, given: underWay(63, 1_500) },
  'thread-settle-refused': { agents: { [run(86)]: [hanging] }, given: underWay(86, 1_200) },
  'thread-settle': { agents: { [run(86)]: [agent(working, ends(4_000))] }, given: underWay(86, 4_400) },
  'thread-archive-while-running': {
    agents: { [run(64)]: [hanging] },
    given: underWay(64),
    afterwards: (stage) => {
      expect(stage.thread(run(64))).toBeUndefined();
      expect(stage.http('GET', `/api/orchestration/threads/${run(64)}`).status).toBe(404);
      expect(stage.send(onThread('thread.turn.interrupt', run(64))).status).toBe(200);
      stage.wait(10_000);
      expect(stage.world.liveAgents()).toMatchObject([{ threadId: run(64), busy: true }]);
    },
  },
  'shell-after-server-restart': { agents: { [run(71)]: [hanging] }, given: restartedInMidTurn },
  'lost-turn-resent-same-command-id': {
    withoutThread: true,
    agents: { [run(71)]: [hanging] },
    given: restartedInMidTurn,
    afterwards: ({ turns }) => expect(turns.map(({ threadId }) => threadId)).toEqual([run(71), run(72)]),
  },
  'zombie-run-session-stop': { withoutThread: true, agents: { [run(71)]: [hanging] }, given: restartedInMidTurn },
  'zombie-run-interrupt': {
    agents: { [run(88)]: [hanging] },
    given: (stage) => {
      underWay(88, 4_000)(stage);
      stage.restart();
      stage.wait(10_000);
      expect(stage.world.liveAgents()).toEqual([]);
    },
    afterwards: ({ world }) => expect(world.liveAgents()).toMatchObject([{ threadId: run(88), busy: false }]),
  },
  'zombie-run-turn-start': {
    agents: { [run(89)]: [hanging, agent(ends(995))] },
    given: (stage) => {
      underWay(89, 4_000)(stage);
      stage.restart();
      stage.wait(10_000);
    },
  },
};

const messageOf = (n: number, suffix: string, text = `Fix issue ${n}.`) => ({
  message: { messageId: `msg:${run(n)}:${suffix}`, role: 'user', text, attachments: [] },
});

/** The one request of the thread that a recorded answer speaks to. */
export const openRequestIn = (stage: Stage, threadId: string): string => {
  const { activities } = stage.detail(threadId);
  return String(activities.find(({ kind }) => kind.endsWith('.requested'))?.payload['requestId']);
};
