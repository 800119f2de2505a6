import { assertNever } from '../core/assert.ts';
import { promptLengthMax, respondFailed, type T3Answer, turnStartFailed } from './t3-activity.ts';
import type { AgentScript } from './t3-agent-script.ts';
import type { AgentProcess, T3Agents } from './t3-agents.ts';
import { t3Reactor } from './t3-reactor.ts';
import type { Asked } from './t3-task.ts';
import { changed, note, setSession, type T3Thread } from './t3-thread.ts';
import { captureCheckpoint, markInterrupted, streamFailed } from './t3-turn.ts';

/** What T3's provider layer needs: the agents, a clock whose events a restart drops, and where a thread's agent works. */
export type ProviderHost = {
  readonly agents: T3Agents;
  readonly later: (at: number, happen: (at: number) => void) => void;
  readonly scriptOf: (turn: ReturnType<T3Agents['turnFor']>) => AgentScript;
  readonly workspaceRootOf: (thread: T3Thread) => string;
  readonly isInstance: (instanceId: string) => boolean;
};

// Milliseconds as seen in the recordings; none of them is promised by anybody.
const pickUpMs = 20;
const startMsUsual = 140;
const agentOutMs = 23;
const answeredMs = 15;
const dismissMs = 100;
const stoppedMs = 400;
const startFailedMs = 7;

const providerName = 'claudeAgent';

/**
 * What T3 does about a command after its 200: starts, hands over, interrupts, stops, answers. Each method is called at the
 * command's instant and works some milliseconds later, in the order of the commands; nothing here ever refuses.
 */
export const t3Provider = (host: ProviderHost) => {
  const { agents, later } = host;
  const reactor = t3Reactor();

  /** Holds the thread's further commands back until `act` has been done, `afterMs` from now. */
  const holding = (thread: T3Thread, at: number, afterMs: number, act: (at: number) => void): void => {
    reactor.hold(thread.id);
    later(at + afterMs, (then) => {
      act(then);
      reactor.release(thread.id, then);
    });
  };

  const start = (thread: T3Thread, asked: Asked & { instanceId: string }, at: number): void =>
    reactor.take(thread.id, (from) => holding(thread, from, pickUpMs, (then) => pickUp(thread, asked, then)), at);

  const pickUp = (thread: T3Thread, asked: Asked & { instanceId: string }, at: number) => {
    const running = agents.of(thread.id)?.task;
    if (!host.isInstance(asked.instanceId)) return unknownInstance(thread, asked);
    if (asked.text.length === 0 || asked.text.length > promptLengthMax) return badPrompt(thread, asked, at);
    // The message goes to the process at once; the agent alone decides what becomes of it.
    if (running) {
      if (running.script.steering !== 'absorb') running.queued.push(asked);
      return;
    }
    const workspaceRoot = agents.of(thread.id)?.workspaceRoot ?? host.workspaceRootOf(thread);
    const script = host.scriptOf(agents.turnFor({ thread, workspaceRoot }, asked.text, at));
    switch (script.starts) {
      case 'ok':
        return bringUp(thread, asked, at, script.startMs ?? startMsUsual, (process, then) =>
          agents.run(process, script, asked, then),
        );
      case 'unknown-instance':
        return unknownInstance(thread, asked);
      case 'missing-binary':
        return missingBinary(thread, asked, at);
      case 'worktree-gone':
        return worktreeGone(thread, asked, at);
      case 'never':
        return;
      default:
        return assertNever(script);
    }
  };

  /** An idle process goes on with its conversation; else a new one comes up, resuming what the thread had. */
  const bringUp = (
    thread: T3Thread,
    asked: Asked & { instanceId: string },
    at: number,
    startMs: number,
    ready: (process: AgentProcess, at: number) => void,
  ): void => {
    setSession(thread, { ...starting, providerInstanceId: asked.instanceId }, asked.at);
    holding(thread, at, startMs / 2, (spawnedAt) => {
      const process = agents.of(thread.id) ?? agents.spawn(thread, host.workspaceRootOf(thread));
      setSession(thread, {}, spawnedAt);
      holding(thread, spawnedAt, startMs / 2, (then) => {
        // Killed on the host before its turn began: the turn is lost with it.
        if (process.state === 'attached') ready(process, then);
      });
    });
  };

  const starting = { status: 'starting', providerName, activeTurnId: null, lastError: null } as const;

  const unknownInstance = (thread: T3Thread, { instanceId, at: askedAt }: Asked & { instanceId: string }): void => {
    const detail = `Thread '${thread.id}' references unknown provider instance '${instanceId}'. The instance is not configured in this build.`;
    note(thread, turnStartFailed(detail), null, askedAt);
    const failed = { status: 'error', activeTurnId: null, lastError: detail } as const;
    setSession(thread, { ...failed, providerName: null, providerInstanceId: instanceId }, askedAt);
  };

  // The check comes after the process: the first time it is brought up for nothing and stays `ready`. Which of the two
  // words a further try ends on was seen both ways; here it is `error`, so that both are met.
  const badPrompt = (thread: T3Thread, asked: Asked & { instanceId: string }, at: number) => {
    const what = asked.text.length === 0 ? 'at least 1' : `at most ${promptLengthMax}`;
    const detail = `ProviderValidationError: Provider validation failed in ProviderService.sendTurn: Expected a value with a length of ${what}`;
    note(thread, turnStartFailed(detail), null, asked.at);
    const process = agents.of(thread.id);
    if (process?.task) return;
    if (process) return setSession(thread, { status: 'error', lastError: detail }, asked.at);
    bringUp(thread, asked, at, startMsUsual, (_, then) => setSession(thread, { status: 'ready' }, then));
  };

  // The session reads `ready` for an instant on the way to `stopped`.
  const streamNeverOpens = (thread: T3Thread, at: number, afterMs: number): void =>
    holding(thread, at, afterMs, (readyAt) => {
      setSession(thread, { status: 'ready', lastError: null }, readyAt);
      holding(thread, readyAt, startFailedMs, (then) =>
        setSession(thread, { status: 'stopped', lastError: streamFailed }, then),
      );
    });

  const missingBinary = (thread: T3Thread, asked: Asked & { instanceId: string }, at: number): void => {
    setSession(thread, { ...starting, providerInstanceId: asked.instanceId }, asked.at);
    streamNeverOpens(thread, at, startMsUsual / 2);
  };

  const worktreeGone = (thread: T3Thread, asked: Asked & { instanceId: string }, at: number): void => {
    const detail = 'turn/setPermissionMode failed';
    note(thread, turnStartFailed(detail), null, asked.at);
    const failed = { ...starting, status: 'error', lastError: detail } as const;
    setSession(thread, { ...failed, providerInstanceId: asked.instanceId }, asked.at);
    streamNeverOpens(thread, at, startMsUsual / 2);
  };

  /** Without a running turn nothing happens at all: a turn that is only being started is not stopped by this. */
  const interrupt = (thread: T3Thread, at: number): void => {
    const turn = thread.latestTurn;
    if (turn?.state !== 'running') return;
    markInterrupted(thread, turn, at);
    const stillMeant = (): boolean => thread.latestTurn === turn && turn.state === 'interrupted';
    reactor.take(
      thread.id,
      (from) => {
        const process = agents.of(thread.id);
        if (!stillMeant()) return;
        if (process?.task?.script.deaf) return reactor.wedge(process);
        // A restart left the turn behind: a process is brought up, resumed, only to be interrupted, and then stays.
        const left = process ?? agents.spawn(thread, host.workspaceRootOf(thread));
        holding(thread, from, agentOutMs, (then) => {
          if (left.task?.turn === turn) return agents.interrupt(left, then);
          if (left.state !== 'attached' || !stillMeant()) return;
          thread.openRequests.clear();
          setSession(thread, { status: 'ready', activeTurnId: null }, then);
          captureCheckpoint(thread, turn, thread.turnsTaken, [], then);
        });
      },
      at,
    );
  };

  const stop = (thread: T3Thread, at: number): void =>
    reactor.take(
      thread.id,
      (from) => {
        const process = agents.of(thread.id);
        if (!process) return stopWithoutAgent(thread, from);
        if (process.task?.script.deaf) return reactor.wedge(process);
        if (!process.task) {
          agents.dismiss(process, from);
          return setSession(thread, { status: 'stopped' }, from);
        }
        holding(thread, from, dismissMs, (outAt) => {
          if (process.state === 'attached') agents.dismiss(process, outAt);
          holding(thread, outAt, stoppedMs, (then) =>
            setSession(thread, { status: 'stopped', activeTurnId: null }, then),
          );
        });
      },
      at,
    );

  // No process to wait for: at once, and a turn that a restart left behind reads `interrupted` for good.
  const stopWithoutAgent = (thread: T3Thread, at: number): void => {
    const turn = thread.latestTurn;
    const isLeftBehind = thread.session?.status === 'running' && thread.session.activeTurnId === turn?.turnId;
    if (turn && isLeftBehind) markInterrupted(thread, turn, at);
    thread.openRequests.clear();
    setSession(thread, { status: 'stopped', activeTurnId: null }, at);
  };

  const respond = (thread: T3Thread, requestId: string, answer: T3Answer, at: number): void => {
    changed(thread, at);
    reactor.take(
      thread.id,
      (from) =>
        // An approval is gone from the shell at once, a question only when its agent has read the answer.
        answer.to === 'approval'
          ? deliver(thread, requestId, answer, from)
          : holding(thread, from, answeredMs, (then) => deliver(thread, requestId, answer, then)),
      at,
    );
  };

  const deliver = (thread: T3Thread, requestId: string, answer: T3Answer, at: number): void => {
    const process = agents.of(thread.id);
    if (process && agents.answer(process, requestId, answer, at)) return;
    // What a restart left open is closed by the failure itself.
    if (thread.openRequests.get(requestId) === answer.to) thread.openRequests.delete(requestId);
    note(thread, respondFailed(requestId, answer.to), null, at);
  };

  return {
    start,
    interrupt,
    stop,
    respond,
    /** A process that left its turn blocks nobody any more. */
    freed: (process: AgentProcess, at: number): void => reactor.unwedge(process, at),
    /** Every command that has not taken effect yet is lost. */
    forget: (): void => reactor.forget(),
  };
};
export type T3Provider = ReturnType<typeof t3Provider>;
