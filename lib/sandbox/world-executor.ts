import {
  answerTo,
  archiveThread,
  interruptTurn,
  projectCreate,
  stopSession,
  type T3Command,
  threadCreate,
  turnStart,
  unarchiveThread,
} from '../adapters/t3-commands.ts';
import { Environment, openRequest } from '../adapters/t3-wire.ts';
import { publicLine, publicText } from '../core/clean-text.ts';
import { type Answer, type Executor, PortError, type Thread, type ThreadDetail } from '../ports.ts';
import type { T3Thread } from './t3-thread.ts';
import { iso } from './t3-view.ts';
import type { T3World } from './t3-world.ts';

/**
 * The executor over a T3 world's own records: what `t3Client` answers over HTTP with a bearer that may do everything.
 * Commands go through the world's own dispatch, so receipts, burnt ids and refusals are T3's. `present` lets the world
 * come to the present and says when that is. Nothing seen is kept; only texts and stamps are not made twice.
 */
export const worldExecutor = (t3: T3World, present: () => number): Executor => {
  const stamp = remembered(iso);
  const shownError = remembered((text: string) => publicLine(text, 500));

  const shown = (thread: T3Thread): Thread => {
    const { latestTurn: turn, session, latestUserMessageAt } = thread;
    return {
      id: thread.id,
      projectId: thread.projectId,
      turn: turn && { id: turn.turnId, state: turn.state, requestedAt: stamp(turn.requestedAt) },
      session: session && {
        status: session.status,
        updatedAt: stamp(session.updatedAt),
        lastError: session.lastError ? shownError(session.lastError) : null,
      },
      lastMessageAt: latestUserMessageAt === null ? null : stamp(latestUserMessageAt),
      updatedAt: stamp(thread.updatedAt),
      pending: pendingOf(thread),
      backgroundWork: thread.backgroundLiveness !== null,
    };
  };

  const dispatch = (command: T3Command): Answer | 'invalid' => {
    const { status, body } = t3.dispatch(command, present());
    if (status === 200) return 'accepted';
    if (status === 500) return 'refused';
    // A root that is not there has words of its own; what cannot be decoded has none.
    if (body === '') throw new PortError('refused', `T3 answered ${status}: nothing`);
    return 'invalid';
  };

  const order = (command: T3Command): Answer => {
    const answer = dispatch(command);
    if (answer === 'invalid') throw new PortError('refused', `T3 calls ${command.type} invalid`);
    return answer;
  };

  return {
    look: async () => {
      present();
      const projects = t3.projects().filter(({ deletedAt }) => deletedAt === null);
      return {
        projects: projects.map(({ id, workspaceRoot }) => ({ id, workspaceRoot })),
        threads: new Map(t3.threads().flatMap((thread) => (isInShell(thread) ? [[thread.id, shown(thread)]] : []))),
        unreadable: [],
      };
    },

    detail: async (threadId) => {
      present();
      const thread = t3.threads().find(({ id }) => id === threadId);
      return thread && isInShell(thread) ? detailOf(thread) : null;
    },

    createProject: async (asked) => {
      const answer = dispatch(projectCreate(asked));
      return answer === 'invalid' ? 'no checkout' : answer;
    },
    createThread: async (asked) => order(threadCreate(asked)),
    startTurn: async (asked) => order(turnStart(asked)),
    answer: async (asked) => order(answerTo(asked)),
    interrupt: async (asked) => order(interruptTurn(asked)),
    stop: async (asked) => order(stopSession(asked)),
    archive: async (asked) => order(archiveThread(asked)),
    unarchive: async (asked) => order(unarchiveThread(asked)),

    whereabouts: async (threadId) => {
      present();
      const thread = t3.threads().find(({ id }) => id === threadId);
      if (thread === undefined) return 'absent';
      if (thread.deletedAt !== null) return 'deleted';
      if (thread.archivedAt !== null) return 'archived';
      throw new PortError('unavailable', 'T3 still has the thread, neither archived nor deleted: look again');
    },

    health: async () => ({
      version: Environment.parse(t3.environment().body).serverVersion,
      tokenExpiresAt: present() + tokenLifeMs,
      canOperate: true,
    }),
  };
};

// A bearer without an end of its own is always good for so long.
const tokenLifeMs = 30 * 24 * 3_600_000;

const isInShell = ({ archivedAt, deletedAt }: T3Thread): boolean => archivedAt === null && deletedAt === null;

const pendingOf = ({ openRequests }: T3Thread): Thread['pending'] => {
  if (openRequests.size === 0) return null;
  return [...openRequests.values()].includes('approval') ? 'approval' : 'question';
};

/** What was recorded since the last message of the user; of a thread that was told nothing, all. */
const detailOf = ({ messages, activities, checkpoints }: T3Thread): ThreadDetail => {
  const since = messages.findLast(({ role }) => role === 'user')?.createdAt ?? Number.NEGATIVE_INFINITY;
  const words = messages.findLast(({ role, createdAt }) => role === 'assistant' && createdAt >= since)?.text;
  const recent = activities.filter(({ createdAt }) => createdAt >= since);
  const files = checkpoints.filter(({ completedAt }) => completedAt >= since).flatMap((checkpoint) => checkpoint.files);
  return {
    lastWords: words === undefined ? null : publicText(words, 1200) || null,
    toolCalls: recent.filter(({ kind }) => kind === 'tool.completed').length,
    changedFiles: new Set(files.map(({ path }) => path)).size,
    totalTokens: newestTotal(recent),
    request: openRequest(recent),
  };
};

/** The greatest total of the newest instant that reported any: lines of one instant come in no order. */
const newestTotal = (activities: T3Thread['activities']): number | null => {
  const reports = activities.flatMap(({ kind, createdAt, payload }) => {
    const total = payload['totalProcessedTokens'] ?? payload['usedTokens'];
    return kind === 'context-window.updated' && typeof total === 'number' ? [{ createdAt, total }] : [];
  });
  const newest = Math.max(...reports.map(({ createdAt }) => createdAt));
  const totals = reports.filter(({ createdAt }) => createdAt === newest).map(({ total }) => total);
  return totals.length === 0 ? null : Math.max(...totals);
};

const rememberedMax = 20_000;

/** The same value for the same input, made once: of a pure function that is no memory of the world. Bounded. */
const remembered = <In extends string | number, Out>(make: (input: In) => Out): ((input: In) => Out) => {
  const known = new Map<In, Out>();
  return (input) => {
    const before = known.get(input);
    if (before !== undefined) return before;
    if (known.size >= rememberedMax) known.clear();
    const made = make(input);
    known.set(input, made);
    return made;
  };
};
