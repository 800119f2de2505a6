import { deadlines } from '../core/deadlines.ts';
import type { StartedRun } from '../core/evolve.ts';
import { type AgentFacts, type Facts, type IssueFacts, isCutShort } from '../core/facts.ts';
import { threadIdOf } from '../core/ids.ts';
import { openPullOf } from '../core/pull-request.ts';
import { carriesTrailer } from '../core/push-tip.ts';
import { pushOf, runTime } from '../core/run.ts';
import type { RepoSettings } from '../core/settings.ts';
import { isTurnOut } from '../core/situation.ts';
import { type TurnState, turnState } from '../core/turn-state.ts';
import { type ExecutorLook, type LandingFacts, PortError, type Ports, type WatchedIssue } from '../ports.ts';
import { fail, type Tick } from './tick.ts';

/** What one tick knows before it looks at single runs. `executorDownMs` is wall time. */
export type Horizon = { look: ExecutorLook | null; lostMs: number; executorDownMs: number; executorSuspect: boolean };

/**
 * One look at an active run. The turn was read before the push is, so that "over, nothing pushed" cannot be an
 * accident of timing. A part that cannot be read is null, and says nothing about the run.
 */
export const lookAt = async (
  { ports, report }: Pick<Tick, 'ports' | 'report'>,
  run: StartedRun,
  settings: RepoSettings,
  horizon: Horizon,
  now: number,
): Promise<Facts> => {
  const clock = runTime(run, horizon.lostMs, now);
  // What the world refuses to tell is null, and said; what cannot be goes on up.
  const orNull: OrNull = (read) =>
    read().catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error;
      fail(report, `look at ${run.repo.name}#${run.issue.number}`, error);
      return null;
    });
  const agent = await lookAtAgent(ports, run, horizon.look, clock, orNull);
  const issue = await orNull(() => lookAtIssue(ports, run, settings, agent, clock));
  const { lostMs } = horizon;
  return {
    now,
    clock,
    lostMs,
    agent,
    executorDownMs: horizon.executorDownMs,
    issue,
    executorSuspect: horizon.executorSuspect,
  };
};

type OrNull = <T>(read: () => Promise<T>) => Promise<T | null>;

const lookAtAgent = async (
  ports: Ports,
  run: StartedRun,
  look: ExecutorLook | null,
  clock: number,
  orNull: OrNull,
): Promise<AgentFacts | null> => {
  if (look === null || run.turn === null) return null;
  const threadId = threadIdOf(run.id, run.turn.thread);
  // A thread that is there and cannot be read has not vanished.
  if (look.unreadable.includes(threadId)) return null;
  const thread = look.threads.get(threadId);
  const state = turnState(thread, run.turn);
  const detail = isDetailDue(run, state, clock) ? await orNull(() => ports.executor.detail(threadId)) : null;
  return {
    state,
    stamp: thread?.updatedAt ?? null,
    lastMessageAt: thread?.lastMessageAt ?? null,
    lastError: thread?.session?.lastError ?? null,
    words: detail && {
      lastWords: detail.lastWords,
      idle: detail.toolCalls === 0 && detail.changedFiles === 0,
    },
    request: detail?.request ?? null,
    tokens: detail && { total: detail.totalTokens },
  };
};

/**
 * Whether one thread's words and counts are worth a request: when the agent asks something, when a turn is newly over
 * or may have to be judged by what it did, and now and then for the tokens of one at work.
 */
const isDetailDue = (run: StartedRun, state: TurnState, clock: number): boolean => {
  const { turn, tokensReadAt } = run;
  if (turn === null) return false;
  if (state.is === 'asking') return true;
  if (state.is === 'over') {
    const isSettled = turn.overAt !== null && clock - turn.overAt >= deadlines.overSettlesMs;
    const isParked = run.parkedUntil !== null && clock < run.parkedUntil;
    const isUnread = tokensReadAt === null || (turn.overAt !== null && tokensReadAt < turn.overAt);
    return isSettled && (isUnread || (pushOf(run) === null && openPullOf(run) === null && !isParked));
  }
  return turn.takenUpAt !== null && clock - (tokensReadAt ?? turn.takenUpAt) >= deadlines.tokensEveryMs;
};

const lookAtIssue = async (
  ports: Ports,
  run: StartedRun,
  settings: RepoSettings,
  agent: AgentFacts | null,
  clock: number,
): Promise<Facts['issue']> => {
  const { repo } = run;
  const watched = await ports.tracker.watch({ repo, number: run.issue.number, nodeId: run.issue.nodeId });
  if (watched === null) return 'gone';
  const head = watched.head?.sha ?? null;
  const branch = watched.head?.name ?? repo.branch;
  const isOver =
    agent?.state.is === 'over' && run.turn?.overAt != null && clock - run.turn.overAt >= deadlines.overSettlesMs;
  const pull = await lookAtPull(ports, run, branch, agent);
  const merged = pull?.shown.mergeCommit ?? run.pull?.merge ?? null;
  const pushed = head === null ? null : await lookAtPush(ports, run, settings, { branch, head, merged });
  const isNowhere = pushed?.proof === null && isOver && (pull === null || pull.shown.state === 'closed');
  return {
    ...labelsOf(watched, settings, run.id, merged),
    landing: pushed?.landing ?? null,
    pull,
    elsewhere: isNowhere ? await ports.forge.elsewhere(repo, { issue: run.issue.number, runId: run.id }) : null,
    proof: pushed?.proof ?? null,
  };
};

/**
 * The run's pull request, as long as something may come of it: until what it brought proves green. Its checks are asked
 * for once no turn is out, since until then nothing is decided on them.
 */
const lookAtPull = async (
  { forge }: Ports,
  run: StartedRun,
  branch: string,
  agent: AgentFacts | null,
): Promise<IssueFacts['pull']> => {
  const push = pushOf(run);
  const isDue = run.landing === 'pull-request' && run.firstTakenUpAt !== null && (push === null || push.redAt !== null);
  if (!isDue) return null;
  const { repo, issue } = run;
  const known = run.pull?.number ?? null;
  const shown = await forge.pull(repo, { issue: issue.number, runId: run.id, branch, known });
  if (shown === null) return null;
  const isAsked = shown.state === 'open' && agent !== null && !isTurnOut(agent);
  if (!isAsked) return { shown, ci: null };
  const { ci } = await forge.ci(repo, { sha: shown.head, hasDescendant: false, environments: [] });
  return { shown, ci };
};

type Pushed = Pick<IssueFacts, 'landing' | 'proof'>;

/** What of this run is on the branch, searched anew only when the branch has moved, and what CI says of the tip. */
const lookAtPush = async (
  ports: Ports,
  run: StartedRun,
  settings: RepoSettings,
  { branch, head, merged }: { branch: string; head: string; merged: string | null },
): Promise<Pushed> => {
  const { forge } = ports;
  const { repo } = run;
  const push = pushOf(run);
  const ask = { base: run.base, branch, head, runId: run.id, merged };
  // A head searched before may hold the commit of a merge that was not known of then.
  const isSearched = head === run.headSeen && (merged === null || run.commits.includes(merged));
  const searched = isSearched ? null : await forge.landing(repo, ask);
  // The push that is watched already may be watched by a later commit in its place.
  const isKept = push !== null && (searched === null || searched.tip === push.origin);
  const tip = isKept ? push.tip : (searched?.tip ?? null);
  const landingOf = (found: LandingFacts, at: string | null, follows: string | null): Pushed['landing'] => ({
    ...{ head, commits: found.commits, declared: found.declared, rewritten: found.rewritten },
    ...{ tip: at, follows, hasDescendant: at !== null && at !== head, pushedAt: found.pushedAt },
  });
  const landing = searched && landingOf(searched, tip, isKept && push.tip !== push.origin ? push.origin : null);
  if (tip === null) return { landing, proof: null };
  const ciOf = (sha: string) =>
    forge.ci(repo, { sha, hasDescendant: sha !== head, environments: settings.environments });
  const proof = await ciOf(tip);
  if (tip === head || !isCutShort(proof.ci, settings)) return { landing, proof };
  const next = await forge.landing(repo, { ...ask, after: tip });
  if (next.tip === null || next.tip === tip) return { landing, proof };
  return { landing: landingOf(next, next.tip, push?.origin ?? tip), proof: await ciOf(next.tip) };
};

const labelsOf = (
  watched: WatchedIssue,
  settings: RepoSettings,
  runId: string,
  merged: string | null,
): Omit<IssueFacts, 'landing' | 'pull' | 'elsewhere' | 'proof'> => {
  const labels = new Set(watched.labels.map((label) => label.toLowerCase()));
  const has = (label: string): boolean => labels.has(label.toLowerCase());
  const kindOf = (label: string) => watched.labelActs.get(label.toLowerCase())?.kind;
  const actorOf = (label: string) => watched.labelActs.get(label.toLowerCase())?.actor ?? null;
  return {
    open: watched.open,
    branch: watched.head?.name ?? null,
    // Another name in the settings, or a renamed label, is nobody taking it off: only an act is.
    hasReady: has(settings.labels.ready) || kindOf(settings.labels.ready) !== 'unlabeled',
    hasHold: has(settings.labels.hold),
    hasInProgress: has(settings.labels.inProgress),
    readyOffBy: actorOf(settings.labels.ready),
    holdBy: actorOf(settings.labels.hold),
    closedBy: watched.closed?.actor ?? null,
    closedByOwnCommit: isOwnCommit(watched.closed?.commit ?? null, runId, merged),
  };
};

/** A keyword in our commit, or in the text of our pull request, which closes by the commit of its merge. */
const isOwnCommit = (commit: { sha: string; message: string } | null, runId: string, merged: string | null): boolean =>
  commit !== null && (commit.sha === merged || carriesTrailer(commit.message, runId));
