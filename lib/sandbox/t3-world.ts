import { createHash } from 'node:crypto';
import type { AgentScript, AgentTurn } from './t3-agent-script.ts';
import { t3Agents } from './t3-agents.ts';
import { type T3Auth, type T3Grant, t3Auth } from './t3-auth.ts';
import { decodeT3Command, type T3Command } from './t3-command.ts';
import { obeyT3Command } from './t3-obey.ts';
import { normalisedRoot, type T3Project } from './t3-project.ts';
import { t3Provider } from './t3-provider.ts';
import { type T3Ledger, type T3Message, type T3Thread, uuidFrom } from './t3-thread.ts';
import { t3Timeline } from './t3-timeline.ts';
import { detailThread, iso, shellProject, shellThread, snapshotProject, snapshotThread } from './t3-view.ts';

/** What T3 answers: a status and a JSON body, or `''` for a body that is really empty. */
export type T3Answered = { readonly status: number; readonly body: unknown };

/** An agent process on the T3 host. `busy` is false while it only waits for a next turn; `orphan` if T3 lost it. */
export type LiveAgent = {
  readonly threadId: string;
  readonly workspaceRoot: string;
  readonly busy: boolean;
  readonly orphan: boolean;
};

export type T3WorldOptions = {
  /** The script of a turn, asked for once, when T3 hands the turn over. Pure. */
  readonly agentOf: (turn: AgentTurn) => AgentScript;
  /** Called for each `world` act at its instant. */
  readonly perform?: (act: unknown, by: { threadId: string; workspaceRoot: string; at: number }) => void;
  readonly providerInstances?: readonly string[];
  /** The directories of the host; everything is there by default. */
  readonly checkouts?: ReadonlySet<string> | ((path: string) => boolean);
  /** The bearer that may do everything. */
  readonly token?: string;
  /** Further bearers, each with its scopes and, where it has one, its end. */
  readonly grants?: Readonly<Record<string, T3Grant>>;
  readonly version?: string;
};

/**
 * One T3 Code server in virtual time, as v0.0.32 was seen to behave: a state, commands that change it, agents that follow
 * scripts, and reads that show it byte for byte as the real one's JSON. Nothing here waits or draws lots: the same commands at
 * the same instants give the same bytes. Instants are epoch milliseconds; every call first settles to its own `now`.
 *
 * Left out, since only a browser or the WebSocket meets it: titles and `t3code/…` branches that T3 has a model rename, snoozing,
 * pinning, proposed plans, terminals. Where something was never recorded, a comment says what is assumed.
 */
export type T3World = {
  readonly dispatch: (command: unknown, now: number) => T3Answered;
  readonly shell: (now: number) => T3Answered;
  readonly snapshot: (now: number) => T3Answered;
  readonly detail: (threadId: string, now: number, turnLimit?: number) => T3Answered;
  readonly environment: () => T3Answered;
  readonly auth: T3Auth;
  /** The next error body's trace id; every call makes another. */
  readonly traceId: () => string;

  /** The instant of the next thing that happens by itself, or null at rest. */
  readonly nextAt: () => number | null;
  /** Lets everything due up to and including `until` happen, in order, and nothing later. */
  readonly settle: (until: number) => void;

  /**
   * Restarts T3. Commands without effect yet are lost; running turns read `running` for ever; every agent is gone, or with
   * `orphansFinish` the busy ones go on with what their scripts still do to the world. Receipts and records stay.
   */
  readonly restart: (now: number, options?: { readonly orphansFinish?: boolean }) => void;
  /** Kills the thread's agent processes on the host, orphans too. This also frees a server that a silent one wedged. */
  readonly killAgent: (threadId: string, now: number) => void;
  /** Every agent process there is, whether or not T3 can still reach it: what "one live agent" is counted on. */
  readonly liveAgents: () => readonly LiveAgent[];
  /** Every thread there ever was, the oldest first. */
  readonly threads: () => readonly Readonly<T3Thread>[];
  readonly projects: () => readonly Readonly<T3Project>[];
  /** What was said in a thread, also in an archived or deleted one; empty for an unknown one. */
  readonly messagesOf: (threadId: string) => readonly T3Message[];
};

/** Where an agent works when its thread has no worktree and its project is deleted. */
export const serverDirectory = '/srv/t3';

/** Makes a server without projects. */
export const t3World = (options: T3WorldOptions): T3World => {
  const { agentOf, perform = () => {}, providerInstances = ['claudeAgent'], version = '0.0.32' } = options;
  const timeline = t3Timeline();
  const ledger: T3Ledger = { sequence: 0 };
  const projects = new Map<string, T3Project>();
  const threads = new Map<string, T3Thread>();
  // For ever: what was accepted answers with its first sequence, what was refused is burnt. 400s leave no receipt.
  const receipts = new Map<string, number | 'refused'>();
  const madeRoots = new Set<string>();
  let boot = 0;
  let traces = 0;

  const later = (at: number, happen: (at: number) => void): void => {
    const scheduledIn = boot;
    timeline.schedule(at, happen, () => scheduledIn === boot);
  };
  const workspaceRootOf = (thread: T3Thread): string => {
    const project = projects.get(thread.projectId);
    const projectRoot = project && project.deletedAt === null ? project.workspaceRoot : serverDirectory;
    return thread.worktreePath ?? projectRoot;
  };
  const agents = t3Agents({
    schedule: timeline.schedule,
    later,
    scriptOf: agentOf,
    perform,
    freed: (process, at) => provider.freed(process, at),
  });
  const provider = t3Provider({
    agents,
    later,
    scriptOf: agentOf,
    workspaceRootOf,
    isInstance: (instanceId) => providerInstances.includes(instanceId),
  });

  const traceId = (): string => createHash('sha256').update(`trace ${traces++}`).digest('hex').slice(0, 32);
  const settledTo = (now: number): number => {
    timeline.settle(now);
    return timeline.now();
  };

  const isDirectory = (root: string): boolean => {
    const { checkouts = () => true } = options;
    return madeRoots.has(root) || (typeof checkouts === 'function' ? checkouts(root) : checkouts.has(root));
  };

  const dispatch = (input: unknown, now: number): T3Answered => {
    const at = settledTo(now);
    const command = decodeT3Command(input);
    if (!command) return { status: 400, body: '' };
    // The root is looked at before the receipts, so this refusal burns nothing, and comes even under an old commandId.
    if (isForMissingRoot(command)) return { status: 400, body: requestInvalid(traceId()) };
    const receipt = receipts.get(command.commandId) ?? record(command, at);
    receipts.set(command.commandId, receipt);
    return receipt === 'refused'
      ? { status: 500, body: dispatchFailed(traceId()) }
      : { status: 200, body: { sequence: receipt } };
  };

  const record = (command: T3Command, at: number): number | 'refused' =>
    obeyT3Command(command, { ledger, projects, threads, provider }, at) === 'refused' ? 'refused' : ledger.sequence;

  const isForMissingRoot = (command: T3Command): boolean => {
    if (command.type !== 'project.create' && command.type !== 'project.meta.update') return false;
    if (command.workspaceRoot === undefined) return false;
    const root = normalisedRoot(command.workspaceRoot);
    if (command.type === 'project.create' && command.createWorkspaceRootIfMissing) madeRoots.add(root);
    return !isDirectory(root);
  };

  const updatedAt = (): string => {
    const stamps = [...projects.values(), ...threads.values()].map((one) => one.updatedAt);
    return iso(Math.max(0, ...stamps));
  };

  return {
    dispatch,
    shell: (now) => {
      settledTo(now);
      return {
        status: 200,
        body: {
          snapshotSequence: ledger.sequence,
          projects: [...projects.values()].filter(({ deletedAt }) => deletedAt === null).map(shellProject),
          threads: [...threads.values()].filter(isInShell).map(shellThread),
          updatedAt: updatedAt(),
        },
      };
    },
    snapshot: (now) => {
      settledTo(now);
      return {
        status: 200,
        body: {
          snapshotSequence: ledger.sequence,
          projects: [...projects.values()].map(snapshotProject),
          threads: [...threads.values()].map(snapshotThread),
          updatedAt: updatedAt(),
        },
      };
    },
    detail: (threadId, now, turnLimit) => {
      settledTo(now);
      const thread = threads.get(threadId);
      if (!thread || !isInShell(thread)) return { status: 404, body: threadNotFound(traceId()) };
      return {
        status: 200,
        body: { snapshotSequence: ledger.sequence, thread: detailThread(thread, turnLimit) },
      };
    },
    environment: () => ({
      status: 200,
      body: {
        environmentId: uuidFrom('environment'),
        label: 't3-host',
        platform: { os: 'linux', arch: 'x64' },
        serverVersion: version,
        capabilities,
      },
    }),
    auth: t3Auth(options),
    traceId,
    nextAt: () => timeline.nextAt(),
    settle: (until) => timeline.settle(until),
    restart: (now, { orphansFinish = false } = {}) => {
      settledTo(now);
      boot += 1;
      provider.forget();
      agents.abandon(orphansFinish);
    },
    killAgent: (threadId, now) => {
      const at = settledTo(now);
      for (const process of agents.all()) if (process.thread.id === threadId) agents.crash(process, at);
    },
    liveAgents: () =>
      agents.all().map(({ thread, workspaceRoot, task, worksUnseen, state }) => ({
        threadId: thread.id,
        workspaceRoot,
        busy: task !== null || worksUnseen,
        orphan: state === 'orphan',
      })),
    threads: () => [...threads.values()],
    projects: () => [...projects.values()],
    messagesOf: (threadId) => threads.get(threadId)?.messages.slice() ?? [],
  };
};

const isInShell = ({ archivedAt, deletedAt }: T3Thread): boolean => archivedAt === null && deletedAt === null;

const capabilities = {
  repositoryIdentity: true,
  connectionProbe: true,
  threadSettlement: true,
  threadSnooze: true,
  threadPinning: true,
  threadPinReorder: true,
  threadTitleRegeneration: true,
};

const requestInvalid = (traceId: string) => ({
  _tag: 'EnvironmentRequestInvalidError',
  code: 'invalid_request',
  reason: 'invalid_command',
  traceId,
});
const dispatchFailed = (traceId: string) => ({
  _tag: 'EnvironmentInternalError',
  code: 'internal_error',
  reason: 'orchestration_dispatch_failed',
  traceId,
});
const threadNotFound = (traceId: string) => ({
  _tag: 'EnvironmentResourceNotFoundError',
  code: 'not_found',
  reason: 'thread_not_found',
  traceId,
});
