import * as z from 'zod';
import type { AgentAct, AgentScript, AgentTurn } from '../../lib/sandbox/t3-agent-script.ts';
import { type T3Response, t3Handler } from '../../lib/sandbox/t3-handler.ts';
import { type T3World, type T3WorldOptions, t3World } from '../../lib/sandbox/t3-world.ts';

/** The instant at which every test's world begins. */
export const t0 = Date.parse('2026-11-22T11:34:39.000Z');

export const working: AgentAct = { afterMs: 5, does: 'say', text: 'Working.' };
export const ends = (afterMs = 1_000, text = 'Done.'): AgentAct => ({ afterMs, does: 'end', how: 'completed', text });
export const agent = (...acts: AgentAct[]): AgentScript => ({ starts: 'ok', acts });

type Fields = Readonly<Record<string, unknown>>;
let drawn = 0;

/** Every command the table speaks of, with all its required fields; ids of commands are drawn unless given. */
const command = (type: string, fields: Fields): Fields => ({
  type,
  commandId: `command-${drawn++}`,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...fields,
});
export const modelSelection = { instanceId: 'claudeAgent', model: 'claude-sonnet-5' };
export const projectCreate = (fields: Fields = {}) =>
  command('project.create', {
    projectId: 'acme__widgets',
    title: 'acme/widgets',
    workspaceRoot: '/srv/checkouts/acme__widgets',
    createWorkspaceRootIfMissing: false,
    defaultModelSelection: modelSelection,
    ...fields,
  });
export const threadCreate = (threadId: string, fields: Fields = {}) =>
  command('thread.create', {
    threadId,
    projectId: 'acme__widgets',
    title: 'Something to fix',
    modelSelection,
    runtimeMode: 'full-access',
    interactionMode: 'default',
    branch: null,
    worktreePath: null,
    ...fields,
  });
export const turnStart = (threadId: string, fields: Fields & { text?: string } = {}) => {
  const { text = 'Fix it.', ...others } = fields;
  return command('thread.turn.start', {
    threadId,
    message: { messageId: `message-${drawn++}`, role: 'user', text, attachments: [] },
    runtimeMode: 'full-access',
    interactionMode: 'default',
    ...others,
  });
};
export const onThread = (type: string, threadId: string, fields: Fields = {}) => command(type, { threadId, ...fields });

const Shell = z.object({
  snapshotSequence: z.number(),
  projects: z.array(z.looseObject({ id: z.string() })),
  threads: z.array(z.looseObject({ id: z.string() })),
});
const Detail = z.object({
  thread: z.looseObject({
    messages: z.array(z.looseObject({ role: z.string(), text: z.string() })),
    activities: z.array(z.looseObject({ kind: z.string(), payload: z.record(z.string(), z.unknown()) })),
    checkpoints: z.array(z.looseObject({ status: z.string() })),
  }),
});

/** A world with one project and a clock that moves only when told to; every script comes from `agents`, by thread and turn. */
export const stage = (
  agents: Readonly<Record<string, readonly AgentScript[]>> = {},
  options: Partial<T3WorldOptions> = {},
) => {
  const turns: AgentTurn[] = [];
  let at = t0;
  const world: T3World = t3World({
    agentOf: (turn) => {
      turns.push(turn);
      const scripts = agents[turn.threadId] ?? [];
      return scripts[turn.turnNumber - 1] ?? scripts.at(-1) ?? agent(working, ends());
    },
    providerInstances: ['claudeAgent', 'claude_capped', 'claude_missing'],
    ...options,
    token: '<token>',
  });
  const handle = t3Handler(world);
  const http = (
    method: string,
    path: string,
    body: unknown = null,
    headers: Record<string, string> = {},
  ): T3Response => {
    const text = body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    return handle({ method, path, headers: { authorization: 'Bearer <token>', ...headers }, body: text }, at);
  };
  const wait = (ms: number): void => {
    at += ms;
    world.settle(at);
  };
  const shell = () => Shell.parse(world.shell(at).body);
  return {
    world,
    turns,
    http,
    wait,
    now: () => at,
    /** Dispatches a millisecond later than whatever was before, so that instants tell events apart. */
    send: (body: Fields) => {
      wait(1);
      return world.dispatch(body, at);
    },
    shell,
    thread: (threadId: string) => shell().threads.find(({ id }) => id === threadId),
    detail: (threadId: string) => Detail.parse(world.detail(threadId, at).body).thread,
    restart: (orphansFinish = false) => world.restart(at, { orphansFinish }),
    kill: (threadId: string) => world.killAgent(threadId, at),
  };
};
export type Stage = ReturnType<typeof stage>;
