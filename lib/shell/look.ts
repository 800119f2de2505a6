import { deadlines } from '../core/deadlines.ts';
import type { StartedRun } from '../core/evolve.ts';
import type { AgentFacts, Facts, IssueFacts } from '../core/facts.ts';
import { threadIdOf } from '../core/ids.ts';
import { pushOf, runTime } from '../core/run.ts';
import type { RepoSettings } from '../core/settings.ts';
import { turnState } from '../core/turn-state.ts';
import { type ExecutorLook, PortError, type Ports, type WatchedIssue } from '../ports.ts';

/** What one tick knows before it looks at single runs. `executorDownMs` is wall time. */
export type Horizon = { look: ExecutorLook | null; lostMs: number; executorDownMs: number; executorSuspect: boolean };

/**
 * One look at an active run. The turn was read before the push is, so that "over, nothing pushed" cannot be an
 * accident of timing. A part that cannot be read is null, and says nothing about the run.
 */
export const lookAt = async (
  ports: Ports,
  run: StartedRun,
  settings: RepoSettings,
  horizon: Horizon,
  now: number,
): Promise<Facts> => {
  const clock = runTime(run, horizon.lostMs, now);
  const agent = await lookAtAgent(ports, run, horizon.look, clock);
  const issue = await lookAtIssue(ports, run, settings, agent, clock);
  return { now, clock, agent, executorDownMs: horizon.executorDownMs, issue, executorSuspect: horizon.executorSuspect };
};

const lookAtAgent = async (
  ports: Ports,
  run: StartedRun,
  look: ExecutorLook | null,
  clock: number,
): Promise<AgentFacts | null> => {
  if (look === null || run.turn === null) return null;
  const threadId = threadIdOf(run.id, run.turn.thread);
  // A thread that is there and cannot be read has not vanished.
  if (look.unreadable.includes(threadId)) return null;
  const thread = look.threads.get(threadId);
  const state = turnState(thread, run.turn);
  const isEnd = state.is === 'over' || state.is === 'asking';
  const isSettled = run.turn.overAt !== null && clock - run.turn.overAt >= deadlines.overSettlesMs;
  return {
    state,
    stamp: thread?.updatedAt ?? null,
    lastMessageAt: thread?.lastMessageAt ?? null,
    lastError: thread?.session?.lastError ?? null,
    words: isEnd && (isSettled || state.is === 'asking') ? await wordsOf(ports, threadId) : null,
  };
};

/** Only for a person's eyes and for telling an idle end: where it cannot be read, the run goes on without. */
const wordsOf = async (ports: Ports, threadId: string): Promise<AgentFacts['words']> => {
  const detail = await orNull(() => ports.executor.detail(threadId));
  return detail === null
    ? null
    : { lastWords: detail.lastWords, idle: detail.toolCalls === 0 && detail.changedFiles === 0 };
};

const lookAtIssue = async (
  ports: Ports,
  run: StartedRun,
  settings: RepoSettings,
  agent: AgentFacts | null,
  clock: number,
): Promise<Facts['issue']> =>
  orNull(async () => {
    const { repo } = run;
    const watched = await ports.tracker.watch({ repo, number: run.issue.number, nodeId: run.issue.nodeId });
    if (watched === null) return 'gone';
    const head = watched.head?.sha ?? null;
    const branch = watched.head?.name ?? repo.branch;
    const isNew = head !== null && head !== run.headSeen;
    const landing = isNew ? await ports.forge.landing(repo, { base: run.base, branch, head, runId: run.id }) : null;
    const push = pushOf(run);
    const tip = landing?.tip ?? push?.tip ?? null;
    const hasDescendant = landing?.tip != null ? landing.hasDescendant : (push?.hasDescendant ?? false);
    const isOver =
      agent?.state.is === 'over' && run.turn?.overAt != null && clock - run.turn.overAt >= deadlines.overSettlesMs;
    return {
      ...labelsOf(watched, settings, run.id),
      landing:
        landing === null || head === null
          ? null
          : {
              head,
              commits: landing.commits,
              tip: landing.tip,
              hasDescendant: landing.hasDescendant,
              declared: landing.declared,
            },
      elsewhere:
        tip === null && isOver && head !== null
          ? await ports.forge.elsewhere(repo, { issue: run.issue.number, runId: run.id })
          : null,
      proof:
        tip === null
          ? null
          : await ports.forge.ci(repo, { sha: tip, hasDescendant, environments: settings.environments }),
    };
  });

const labelsOf = (
  watched: WatchedIssue,
  settings: RepoSettings,
  runId: string,
): Omit<IssueFacts, 'landing' | 'elsewhere' | 'proof'> => {
  const labels = new Set(watched.labels.map((label) => label.toLowerCase()));
  const has = (label: string): boolean => labels.has(label.toLowerCase());
  const actorOf = (label: string) => watched.labelActs.get(label.toLowerCase())?.actor ?? null;
  return {
    open: watched.open,
    hasReady: has(settings.labels.ready),
    hasHold: has(settings.labels.hold),
    hasInProgress: has(settings.labels.inProgress),
    readyOffBy: actorOf(settings.labels.ready),
    holdBy: actorOf(settings.labels.hold),
    closedBy: watched.closed?.actor ?? null,
    closedByOwnCommit: carriesTrailer(watched.closed?.commit?.message ?? '', runId),
  };
};

const carriesTrailer = (message: string, runId: string): boolean =>
  message.split('\n').some((line) => line.trim().toLowerCase() === `afk-run: ${runId}`);

/** What the world refuses to tell is null; what cannot be goes on up. */
const orNull = async <T>(read: () => Promise<T>): Promise<T | null> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PortError) return null;
    throw error;
  }
};
