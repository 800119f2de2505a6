import { assertNever } from '../core/assert.ts';
import type { T3Command } from './t3-command.ts';
import { newT3Project, normalisedRoot, type T3Project } from './t3-project.ts';
import type { T3Provider } from './t3-provider.ts';
import { changed, hear, newT3Thread, type T3Ledger, type T3Thread } from './t3-thread.ts';

/** What a server has recorded, and the part of it that acts on what was recorded. */
export type T3State = {
  readonly ledger: T3Ledger;
  readonly projects: Map<string, T3Project>;
  readonly threads: Map<string, T3Thread>;
  readonly provider: Pick<T3Provider, 'start' | 'interrupt' | 'stop' | 'respond'>;
};
type Verdict = 'done' | 'refused';
type ProjectCommand = Extract<T3Command, { type: `project.${string}` }>;
type ThreadCommand = Exclude<T3Command, ProjectCommand | { type: 'thread.create' }>;

/** For so long after a turn start that no turn has taken up a thread cannot be settled. */
const settleGraceMs = 120_000;

/**
 * Records a decoded command that has no receipt yet. `done` only means recorded: most useless commands are. What is refused
 * changes nothing.
 */
export const obeyT3Command = (command: T3Command, state: T3State, at: number): Verdict => {
  const verdict = verdictOn(command, state, at);
  if (verdict === 'done') state.ledger.sequence += 1;
  return verdict;
};

const verdictOn = (command: T3Command, state: T3State, at: number): Verdict => {
  switch (command.type) {
    case 'project.create':
    case 'project.meta.update':
    case 'project.delete':
      return onProject(command, state, at);
    case 'thread.create':
      // A deleted project will do; so will a path, an instance or a model that does not exist.
      if (!state.projects.has(command.projectId) || state.threads.has(command.threadId)) return 'refused';
      state.threads.set(command.threadId, newT3Thread(command, at, state.ledger));
      return 'done';
    default: {
      const thread = state.threads.get(command.threadId);
      return thread ? onThread(command, thread, state, at) : 'refused';
    }
  }
};

const onProject = (command: ProjectCommand, { projects, threads }: T3State, at: number): Verdict => {
  const project = projects.get(command.projectId);
  const isRootTaken = (root: string): boolean =>
    [...projects.values()].some(
      (other) => other !== project && other.deletedAt === null && other.workspaceRoot === root,
    );
  switch (command.type) {
    case 'project.create':
      if (project || isRootTaken(normalisedRoot(command.workspaceRoot))) return 'refused';
      projects.set(command.projectId, newT3Project(command, at));
      return 'done';
    case 'project.meta.update': {
      const root = command.workspaceRoot === undefined ? undefined : normalisedRoot(command.workspaceRoot);
      if (!project || (root !== undefined && isRootTaken(root))) return 'refused';
      project.title = command.title ?? project.title;
      project.workspaceRoot = root ?? project.workspaceRoot;
      project.scripts = command.scripts ?? project.scripts;
      if (command.defaultModelSelection !== undefined) project.defaultModelSelection = command.defaultModelSelection;
      project.updatedAt = at;
      return 'done';
    }
    case 'project.delete': {
      if (!project) return 'refused';
      const inIt = [...threads.values()].filter((one) => one.projectId === project.id && one.deletedAt === null);
      if (project.deletedAt !== null) return 'done';
      if (inIt.length > 0 && !command.force) return 'refused';
      for (const thread of inIt) deleteThread(thread, at);
      project.deletedAt = at;
      project.updatedAt = at;
      return 'done';
    }
    default:
      return assertNever(command);
  }
};

const onThread = (command: ThreadCommand, thread: T3Thread, { provider }: T3State, at: number): Verdict => {
  // Out of reach: what should start, stop or answer an agent counts as done and does nothing.
  const isOutOfReach = thread.archivedAt !== null || thread.deletedAt !== null;
  switch (command.type) {
    case 'thread.turn.start': {
      const { messageId: id, text } = command.message;
      hear(thread, { id, text }, at);
      thread.settledOverride = null;
      thread.settledAt = null;
      const { instanceId } = command.modelSelection ?? thread.modelSelection;
      // Not even unarchiving the thread starts it later.
      if (!isOutOfReach) provider.start(thread, { text, at, instanceId }, at);
      return 'done';
    }
    case 'thread.turn.interrupt':
      if (!isOutOfReach) provider.interrupt(thread, at);
      return 'done';
    case 'thread.session.stop':
      if (!isOutOfReach) provider.stop(thread, at);
      return 'done';
    case 'thread.user-input.respond':
      if (!isOutOfReach)
        provider.respond(thread, command.requestId, { to: 'user-input', answers: command.answers }, at);
      return 'done';
    case 'thread.approval.respond':
      if (!isOutOfReach)
        provider.respond(thread, command.requestId, { to: 'approval', decision: command.decision }, at);
      return 'done';
    case 'thread.settle':
      if (!maySettle(thread, at)) return 'refused';
      thread.settledOverride = 'settled';
      thread.settledAt ??= at;
      changed(thread, at);
      return 'done';
    case 'thread.unsettle':
      // What the mark reads after a person took it away was not recorded.
      thread.settledOverride = 'active';
      thread.settledAt = null;
      changed(thread, at);
      return 'done';
    case 'thread.archive':
      // The agent is not looked at: one that runs goes on, out of reach.
      if (thread.archivedAt !== null) return 'refused';
      thread.archivedAt = at;
      changed(thread, at);
      return 'done';
    case 'thread.unarchive':
      if (thread.archivedAt === null) return 'refused';
      thread.archivedAt = null;
      changed(thread, at);
      return 'done';
    case 'thread.delete':
      deleteThread(thread, at);
      return 'done';
    case 'thread.meta.update':
      thread.title = command.title ?? thread.title;
      thread.modelSelection = command.modelSelection ?? thread.modelSelection;
      if (command.branch !== undefined) thread.branch = command.branch;
      if (command.worktreePath !== undefined) thread.worktreePath = command.worktreePath;
      changed(thread, at);
      return 'done';
    default:
      return assertNever(command);
  }
};

// Whether a running agent ends with its thread was not recorded; the worse case is assumed: it goes on, as after archive.
const deleteThread = (thread: T3Thread, at: number): void => {
  thread.deletedAt ??= at;
  changed(thread, thread.deletedAt);
};

// A deleted thread is as good as a live one here.
const maySettle = (
  { archivedAt, session, openRequests, latestTurn, latestUserMessageAt }: T3Thread,
  at: number,
): boolean => {
  const isAtWork = session?.status === 'starting' || session?.status === 'running';
  const isTakenUp =
    latestUserMessageAt === null || (latestTurn?.requestedAt ?? Number.NEGATIVE_INFINITY) >= latestUserMessageAt;
  const isTooFresh = !isTakenUp && at - latestUserMessageAt < settleGraceMs;
  return archivedAt === null && !isAtWork && openRequests.size === 0 && !isTooFresh;
};
