import { cleanLine } from '../core/clean-text.ts';
import { type Executor, PortError } from '../ports.ts';

/**
 * The commands of T3 Code v0.0.32 as `POST /api/orchestration/dispatch` takes them, made from what the port is asked
 * for. Pure. `createdAt` has to be there, and T3 stamps its own.
 */
export type T3Command = { type: string; commandId: string; [field: string]: string | object | boolean | null };

/** What a port method is asked. */
type Ask<M extends keyof Executor> = Parameters<Executor[M]>[0];

export const projectCreate = ({ at, model, ...project }: Ask<'createProject'>): T3Command => ({
  type: 'project.create',
  ...project,
  title: titleOf(project.title, project.projectId),
  createWorkspaceRootIfMissing: false,
  defaultModelSelection: model,
  createdAt: iso(at),
});

export const threadCreate = ({ at, model, ...thread }: Ask<'createThread'>): T3Command => ({
  type: 'thread.create',
  ...thread,
  title: titleOf(thread.title, thread.threadId),
  modelSelection: model,
  interactionMode: 'default',
  // Over HTTP T3 makes neither: the agent makes its own, as its prompt says.
  branch: null,
  worktreePath: null,
  createdAt: iso(at),
});

/** Throws `refused` for a prompt that T3 would accept and then never run. */
export const turnStart = ({ commandId, threadId, messageId, text, runtimeMode, at }: Ask<'startTurn'>): T3Command => {
  if (text.trim() === '' || text.length > promptLengthMax)
    throw new PortError('refused', `a prompt has 1 to ${promptLengthMax} characters, this one ${text.length}`);
  return {
    type: 'thread.turn.start',
    commandId,
    threadId,
    message: { messageId, role: 'user', text, attachments: [] },
    runtimeMode,
    interactionMode: 'default',
    createdAt: iso(at),
  };
};

/** Declines an approval; answers questions by their ids, whatever their options, all with the same words. */
export const answerTo = ({ commandId, threadId, request, words, at }: Ask<'answer'>): T3Command => ({
  ...(request.kind === 'approval'
    ? { type: 'thread.approval.respond', decision: 'decline' }
    : { type: 'thread.user-input.respond', answers: Object.fromEntries(request.questionIds.map((id) => [id, words])) }),
  commandId,
  threadId,
  requestId: request.requestId,
  createdAt: iso(at),
});

export const interruptTurn = ({ at, ...thread }: Ask<'interrupt'>): T3Command => ({
  type: 'thread.turn.interrupt',
  ...thread,
  createdAt: iso(at),
});

export const stopSession = ({ at, ...thread }: Ask<'stop'>): T3Command => ({
  type: 'thread.session.stop',
  ...thread,
  createdAt: iso(at),
});

export const archiveThread = ({ commandId, threadId }: Ask<'archive'>): T3Command => ({
  type: 'thread.archive',
  commandId,
  threadId,
});

export const unarchiveThread = ({ commandId, threadId }: Ask<'unarchive'>): T3Command => ({
  type: 'thread.unarchive',
  commandId,
  threadId,
});

const promptLengthMax = 120_000;

/** A title is never empty, and never the one that makes T3 pay a model to find a better. */
const titleOf = (title: string, otherwise: string): string => {
  const clean = cleanLine(title, 200);
  return clean === '' || clean === 'New thread' ? otherwise : clean;
};

const iso = (at: number): string => new Date(at).toISOString();
