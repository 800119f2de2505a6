import { assertNever } from '../core/assert.ts';
import { requestResolved, type T3Answer } from './t3-activity.ts';
import type { AgentAct, AgentDeed, AgentEnd, AgentScript, AgentTurn } from './t3-agent-script.ts';
import {
  type Asked,
  newTask,
  type RunnableScript,
  reactionTo,
  report,
  request,
  speak,
  type T3Task,
} from './t3-task.ts';
import { changed, note, setSession, type T3Thread } from './t3-thread.ts';
import {
  captureCheckpoint,
  clearTurn,
  completeTurn,
  failTurn,
  settleInterrupted,
  streamFailed,
  takeUpTurn,
} from './t3-turn.ts';

/**
 * One agent process on the host. `attached`: T3 hears it and can reach it. `orphan`: it outlived its T3, which knows nothing
 * of it any more; only what it does to the world still happens. Idle between turns (`task` null) it is still a process.
 */
export type AgentProcess = {
  readonly thread: T3Thread;
  readonly workspaceRoot: string;
  state: 'attached' | 'orphan' | 'gone';
  task: T3Task | null;
  worksUnseen: boolean;
};

/** What the agents need from the world around them. `later` is dropped by a restart of T3, `schedule` is not. */
export type AgentsHost = {
  readonly schedule: (at: number, happen: (at: number) => void, stillDue: () => boolean) => void;
  readonly later: (at: number, happen: (at: number) => void) => void;
  readonly scriptOf: (turn: AgentTurn) => AgentScript;
  readonly perform: (act: unknown, by: { threadId: string; workspaceRoot: string; at: number }) => void;
  /** Told when a process has left its turn, in whatever way: a silent one no longer blocks the server then. */
  readonly freed: (process: AgentProcess, at: number) => void;
};

// Milliseconds as seen in the recordings; none of them is promised by anybody.
const checkpointMs = 60;
const noticedMs = 2;
const nextTurnMs = 2;
const backgroundNoticedMs = 13;

/** The agent processes of one T3 host and the scripts they follow. Whatever they do is written to their threads. */
export const t3Agents = (host: AgentsHost) => {
  const processes: AgentProcess[] = [];

  const spawn = (thread: T3Thread, workspaceRoot: string): AgentProcess => {
    const process: AgentProcess = { thread, workspaceRoot, state: 'attached', task: null, worksUnseen: false };
    processes.push(process);
    return process;
  };

  const turnFor = (
    { thread, workspaceRoot }: Pick<AgentProcess, 'thread' | 'workspaceRoot'>,
    text: string,
    at: number,
  ) => ({
    threadId: thread.id,
    threadTitle: thread.title,
    projectId: thread.projectId,
    workspaceRoot,
    turnNumber: thread.turnsTaken + 1,
    text,
    startedAt: at,
  });

  /** The process takes up a turn and follows the script from its first act. */
  const run = (process: AgentProcess, script: RunnableScript, asked: Asked, at: number): void => {
    const turn = takeUpTurn(process.thread, asked.at, at);
    const task = newTask(turn, process.thread.turnsTaken, script);
    process.task = task;
    play(process, task, script.acts, at);
  };

  const play = (process: AgentProcess, task: T3Task, acts: readonly AgentAct[], from: number): void => {
    const [act, ...rest] = acts;
    if (!act) {
      // A script without an end hangs for ever while T3 is there; an orphan that has nothing left to do is out.
      task.hangs = true;
      if (process.state === 'orphan') leaveHost(process);
      return;
    }
    const atIt = (): boolean => process.state !== 'gone' && process.task === task;
    host.schedule(
      from + act.afterMs,
      (at) => {
        if (process.state === 'orphan') doAsOrphan(process, act, at);
        else doDeed(process, task, act, rest, at);
        if (atIt() && task.waiting === null && act.does !== 'end') play(process, task, rest, at);
      },
      atIt,
    );
  };

  const doAsOrphan = (process: AgentProcess, act: AgentAct, at: number): void => {
    if (act.does === 'world') performFor(process, act.act, at);
    // Nobody is there to answer it.
    if (act.does === 'end' || act.does === 'ask' || act.does === 'approve') leaveHost(process);
  };

  const performFor = ({ thread, workspaceRoot }: AgentProcess, act: unknown, at: number): void =>
    host.perform(act, { threadId: thread.id, workspaceRoot, at });

  const doDeed = (process: AgentProcess, task: T3Task, deed: AgentDeed, rest: readonly AgentAct[], at: number) => {
    const { thread } = process;
    switch (deed.does) {
      case 'say':
      case 'tool':
      case 'change-file':
      case 'tokens':
      case 'plan':
        report(thread, task, deed, at);
        return;
      case 'ask':
      case 'approve':
        request(thread, task, deed, rest, at);
        return;
      case 'world':
        performFor(process, deed.act, at);
        return;
      case 'end':
        leaveTurn(process, task, deed, at);
        return;
      default:
        return assertNever(deed);
    }
  };

  /** Gives the process an answer; false if it rests on no such request. */
  const answer = (process: AgentProcess, requestId: string, given: T3Answer, at: number): boolean => {
    const { task, thread } = process;
    if (!task?.waiting || task.waiting.requestId !== requestId) return false;
    const { deed, rest } = task.waiting;
    if ((deed.does === 'ask') !== (given.to === 'user-input')) return false;
    task.waiting = null;
    thread.openRequests.delete(requestId);
    note(thread, requestResolved(requestId, given), task.turn.turnId, at);
    play(process, task, [...reactionTo(deed, given), ...rest], at);
    return true;
  };

  const leaveTurn = (process: AgentProcess, task: T3Task, end: AgentEnd, at: number) => {
    if (end.text !== undefined && end.how !== 'background') speak(process.thread, task, end.text, at);
    switch (end.how) {
      case 'completed':
      case 'api-error':
        done(process, task, 'ready', at);
        return goOnWithQueue(process, task, at);
      case 'exit-zero':
        done(process, task, 'stopped', at);
        return leaveHost(process);
      case 'background':
        return goToBackground(process, task, end, at);
      case 'error':
        failed(process, task, { status: 'error', lastError: end.lastError }, at);
        return goOnWithQueue(process, task, at);
      case 'crash':
        return crash(process, at);
      default:
        return assertNever(end);
    }
  };

  const done = (process: AgentProcess, task: T3Task, status: 'ready' | 'stopped', at: number): void => {
    out(process, task, at);
    // After a turn that changed files T3 names its first message again; so it is not where the last words are found.
    if (task.files.length > 0) task.turn.assistantMessageId = task.firstMessageId;
    completeTurn(process.thread, task.turn, status, at);
    checkpointAfter(process, task, at, at);
    host.freed(process, at);
  };

  const failed = (
    process: AgentProcess,
    task: T3Task,
    session: { status: 'error' | 'stopped'; lastError: string },
    at: number,
  ): void => {
    out(process, task, at);
    failTurn(process.thread, task.turn, at);
    host.later(at + noticedMs, (noticedAt) =>
      setSession(process.thread, { ...session, activeTurnId: null }, noticedAt),
    );
    checkpointAfter(process, task, at, at + noticedMs);
    host.freed(process, at);
  };

  const out = (process: AgentProcess, task: T3Task, at: number): void => {
    process.task = null;
    clearTurn(process.thread, task.turn, task.untoldTokens, at);
  };

  const checkpointAfter = (process: AgentProcess, task: T3Task, at: number, endedAt: number): void =>
    host.later(at + checkpointMs, () =>
      captureCheckpoint(process.thread, task.turn, task.turnCount, task.files, endedAt),
    );

  // A message that came while the turn ran, and that the agent did not take up in it, is a turn of its own now.
  const goOnWithQueue = (process: AgentProcess, task: T3Task, at: number): void => {
    const [asked, ...others] = task.queued;
    if (!asked) return;
    const idle = (): boolean => process.state === 'attached' && process.task === null;
    host.schedule(
      at + nextTurnMs,
      (nextAt) => {
        const script = host.scriptOf(turnFor(process, asked.text, nextAt));
        if (script.starts !== 'ok') return;
        run(process, script, asked, nextAt);
        process.task?.queued.push(...others);
      },
      idle,
    );
  };

  const goToBackground = (
    process: AgentProcess,
    task: T3Task,
    { text, backgroundMs, afterEnd }: Extract<AgentEnd, { how: 'background' }>,
    at: number,
  ): void => {
    const { thread } = process;
    process.worksUnseen = true;
    thread.backgroundLiveness = 'working';
    changed(thread, at);
    host.schedule(
      at + backgroundNoticedMs,
      (noticedAt) => {
        if (text !== undefined) speak(thread, task, text, noticedAt);
        done(process, task, 'ready', noticedAt);
        goOnWithQueue(process, task, noticedAt);
      },
      () => process.state === 'attached' && process.task === task,
    );
    host.schedule(
      at + backgroundMs,
      (backAt) => {
        process.worksUnseen = false;
        if (process.state === 'orphan') return;
        thread.backgroundLiveness = null;
        changed(thread, backAt);
        // Nobody asked for this turn: it is stamped with its own beginning. A user's turn at work hears of it instead.
        if (process.task === null) run(process, { ...task.script, acts: afterEnd }, { text: '', at: backAt }, backAt);
      },
      () => process.state !== 'gone' && process.worksUnseen,
    );
  };

  /** The process answers an interrupt: it leaves the turn and stays, idle. */
  const interrupt = (process: AgentProcess, at: number): void => {
    const { task, thread } = process;
    if (!task) return;
    out(process, task, at);
    settleInterrupted(thread, task.turn, at);
    checkpointAfter(process, task, at, at);
    host.freed(process, at);
    goOnWithQueue(process, task, at);
  };

  /** The process is asked to leave in mid-turn: the turn reads as completed, and the process is gone. */
  const dismiss = (process: AgentProcess, at: number): void => {
    if (process.task) done(process, process.task, 'ready', at);
    leaveHost(process);
  };

  /** The process dies. In mid-turn the turn fails, whatever it read before; an idle one only takes its session along. */
  const crash = (process: AgentProcess, at: number): void => {
    const { task, thread } = process;
    const wasOrphan = process.state === 'orphan';
    leaveHost(process);
    if (wasOrphan) return;
    if (task) failed(process, task, { status: 'stopped', lastError: streamFailed }, at);
    else setSession(thread, { status: 'stopped', activeTurnId: null, lastError: streamFailed }, at);
  };

  const leaveHost = (process: AgentProcess): void => {
    if (process.state === 'gone') return;
    if (process.worksUnseen && process.state === 'attached') process.thread.backgroundLiveness = null;
    process.worksUnseen = false;
    process.state = 'gone';
    processes.splice(processes.indexOf(process), 1);
  };

  return {
    spawn,
    run,
    answer,
    interrupt,
    dismiss,
    crash,
    turnFor,
    /** The process T3 knows for this thread, busy or idle. */
    of: (threadId: string): AgentProcess | undefined =>
      processes.find(({ thread, state }) => thread.id === threadId && state === 'attached'),
    /** Every process there is, orphans too, the oldest first. */
    all: (): readonly AgentProcess[] => processes.slice(),
    /** What a restart of T3 leaves: nothing, or the busy ones as orphans. No thread is told. */
    abandon: (orphansFinish: boolean): void => {
      for (const process of processes.slice()) {
        const { task } = process;
        const staysBehind = orphansFinish && task !== null && task.waiting === null && !task.hangs;
        if (staysBehind) process.state = 'orphan';
        else {
          process.state = 'gone';
          processes.splice(processes.indexOf(process), 1);
        }
      }
    },
  };
};
export type T3Agents = ReturnType<typeof t3Agents>;
