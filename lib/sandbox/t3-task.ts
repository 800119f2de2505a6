import { assertNever } from '../core/assert.ts';
import {
  approvalRequested,
  contextWindowUpdated,
  planUpdated,
  type T3Answer,
  type T3Tokens,
  tokensOf,
  toolLines,
  userInputRequested,
} from './t3-activity.ts';
import type { AgentAct, AgentDeed, AgentScript } from './t3-agent-script.ts';
import { newId, note, say, type T3FileChange, type T3Thread, type T3Turn } from './t3-thread.ts';

/** A turn as the agent process at work on it knows it: its script, and what is not yet told. */
export type T3Task = {
  readonly turn: T3Turn;
  /** Which of the thread's turns it is, from 1. */
  readonly turnCount: number;
  readonly script: RunnableScript;
  readonly files: T3FileChange[];
  /** Messages that came meanwhile and become turns of their own. */
  readonly queued: Asked[];
  /** The open request the script rests on, and what it does once that is answered. */
  waiting: { requestId: string; deed: Request; rest: readonly AgentAct[] } | null;
  /** The script has nothing more to do and no end. */
  hangs: boolean;
  untoldTokens: T3Tokens | null;
  firstMessageId: string | null;
};

/** What an agent process is asked: the text of one user message and its stamp. */
export type Asked = { readonly text: string; readonly at: number };
export type RunnableScript = Extract<AgentScript, { starts: 'ok' }>;
type Request = Extract<AgentDeed, { does: 'ask' | 'approve' }>;

/** A task at its first act. */
export const newTask = (turn: T3Turn, turnCount: number, script: RunnableScript): T3Task => ({
  turn,
  turnCount,
  script,
  files: [],
  queued: [],
  waiting: null,
  hangs: false,
  untoldTokens: null,
  firstMessageId: null,
});

/** The agent says something. */
export const speak = (thread: T3Thread, task: T3Task, text: string, at: number): void => {
  const id = say(thread, task.turn, text, at);
  task.firstMessageId ??= id;
};

/** Writes what a deed shows in the thread, for the deeds that only show something. */
export const report = (
  thread: T3Thread,
  task: T3Task,
  deed: Exclude<AgentDeed, Request | { does: 'world' | 'end' }>,
  at: number,
): void => {
  const { turnId } = task.turn;
  switch (deed.does) {
    case 'say':
      speak(thread, task, deed.text, at);
      return;
    case 'tool':
      for (const line of toolLines(deed.detail)) note(thread, line, turnId, at);
      return;
    case 'change-file':
      task.files.push({ path: deed.path, kind: 'modified', additions: 1, deletions: 0 });
      for (const line of toolLines(`Edit: ${deed.path}`)) note(thread, line, turnId, at);
      return;
    case 'tokens':
      task.untoldTokens = deed.told === 'at-end' ? tokensOf(deed) : null;
      if (!task.untoldTokens) note(thread, contextWindowUpdated(tokensOf(deed)), turnId, at);
      return;
    case 'plan': {
      const { step, completed: completedSteps, total: totalSteps } = deed;
      thread.planProgress = completedSteps < totalSteps ? { step, completedSteps, totalSteps } : null;
      note(thread, planUpdated(deed), turnId, at);
      return;
    }
    default:
      assertNever(deed);
  }
};

/** The agent asks a person and rests; nothing but an answer, an end by command or its death moves it. */
export const request = (thread: T3Thread, task: T3Task, deed: Request, rest: readonly AgentAct[], at: number): void => {
  const requestId = newId(thread, 'request');
  task.waiting = { requestId, deed, rest };
  thread.openRequests.set(requestId, deed.does === 'ask' ? 'user-input' : 'approval');
  const line = deed.does === 'ask' ? userInputRequested(requestId, deed) : approvalRequested(requestId, deed);
  note(thread, line, task.turn.turnId, at);
};

/** What the agent does because of an answer, before it goes on. */
export const reactionTo = (deed: Request, given: T3Answer): readonly AgentAct[] => {
  const refused = given.to === 'approval' && (given.decision === 'decline' || given.decision === 'cancel');
  return (refused && deed.does === 'approve' ? deed.onDecline : deed.onAnswer) ?? deed.onAnswer ?? [];
};
