import type { T3Project } from './t3-project.ts';
import type { T3Activity, T3Checkpoint, T3Message, T3Session, T3Thread, T3Turn } from './t3-thread.ts';

/** A thread as `GET /api/orchestration/shell` lists it: the state, and the flags no other answer has. */
export const shellThread = (thread: T3Thread) => ({
  ...threadFacts(thread),
  session: thread.session && sessionView(thread, thread.session),
  latestUserMessageAt: isoOrNull(thread.latestUserMessageAt),
  hasPendingApprovals: [...thread.openRequests.values()].includes('approval'),
  hasPendingUserInput: [...thread.openRequests.values()].includes('user-input'),
  hasActionableProposedPlan: false,
  backgroundLiveness: thread.backgroundLiveness,
  planProgress: thread.planProgress,
});

/** A thread as `GET /api/orchestration/snapshot` lists it: also archived and deleted ones, with empty lists and no flags. */
export const snapshotThread = (thread: T3Thread) => ({
  ...threadFacts(thread),
  deletedAt: isoOrNull(thread.deletedAt),
  messages: [],
  proposedPlans: [],
  activities: [],
  checkpoints: [],
  session: thread.session && sessionView(thread, thread.session),
});

/**
 * A thread as `GET /api/orchestration/threads/:id` shows it. With `turnLimit` only what was recorded since the
 * turn that many turns back was asked for (what exactly T3 cuts off was not recorded).
 */
export const detailThread = (thread: T3Thread, turnLimit?: number) => {
  const since = turnLimit === undefined ? Number.NEGATIVE_INFINITY : beginningOfLast(thread, turnLimit);
  const recent = <Item extends { createdAt: number }>(items: readonly Item[]) =>
    items.filter((item) => item.createdAt >= since);
  return {
    ...threadFacts(thread),
    deletedAt: isoOrNull(thread.deletedAt),
    messages: recent(thread.messages).map(messageView),
    proposedPlans: [],
    activities: recent(thread.activities).toSorted(byTimeThenId).map(activityView),
    checkpoints: thread.checkpoints
      .filter((checkpoint) => checkpoint.completedAt >= since)
      .map((checkpoint) => checkpointView(thread, checkpoint)),
    session: thread.session && sessionView(thread, thread.session),
  };
};

/** A project as the shell lists it, with what T3 read from the checkout's `origin`. */
export const shellProject = (project: T3Project) => ({
  id: project.id,
  title: project.title,
  workspaceRoot: project.workspaceRoot,
  repositoryIdentity: repositoryIdentityOf(project.workspaceRoot),
  defaultModelSelection: project.defaultModelSelection,
  scripts: project.scripts,
  createdAt: iso(project.createdAt),
  updatedAt: iso(project.updatedAt),
});

/** A project as the snapshot lists it: also deleted ones, without the repository. */
export const snapshotProject = (project: T3Project) => {
  const { repositoryIdentity: _, ...facts } = shellProject(project);
  return { ...facts, deletedAt: isoOrNull(project.deletedAt) };
};

/** T3 writes every instant in UTC with milliseconds. */
export const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

const threadFacts = (thread: T3Thread) => ({
  id: thread.id,
  projectId: thread.projectId,
  title: thread.title,
  modelSelection: thread.modelSelection,
  runtimeMode: thread.runtimeMode,
  interactionMode: thread.interactionMode,
  branch: thread.branch,
  worktreePath: thread.worktreePath,
  latestTurn: thread.latestTurn && turnView(thread.latestTurn),
  createdAt: iso(thread.createdAt),
  updatedAt: iso(thread.updatedAt),
  archivedAt: isoOrNull(thread.archivedAt),
  settledOverride: thread.settledOverride,
  settledAt: isoOrNull(thread.settledAt),
  snoozedUntil: null,
  snoozedAt: null,
  pinnedAt: null,
  pinOrderKey: null,
  titleRegeneration: null,
});

const turnView = (turn: T3Turn) => ({
  turnId: turn.turnId,
  state: turn.state,
  requestedAt: iso(turn.requestedAt),
  startedAt: iso(turn.startedAt),
  completedAt: isoOrNull(turn.completedAt),
  assistantMessageId: turn.assistantMessageId,
});

const sessionView = (thread: T3Thread, session: T3Session) => ({
  threadId: thread.id,
  status: session.status,
  providerName: session.providerName,
  providerInstanceId: session.providerInstanceId,
  runtimeMode: thread.runtimeMode,
  activeTurnId: session.activeTurnId,
  lastError: session.lastError,
  updatedAt: iso(session.updatedAt),
});

const messageView = ({ id, role, text, turnId, createdAt }: T3Message) => ({
  id,
  role,
  text,
  ...(role === 'user' ? { attachments: [] } : {}),
  turnId,
  streaming: false,
  createdAt: iso(createdAt),
  updatedAt: iso(createdAt),
});

const activityView = ({ createdAt, ...activity }: T3Activity) => ({ ...activity, createdAt: iso(createdAt) });

const checkpointView = (thread: T3Thread, checkpoint: T3Checkpoint) => ({
  turnId: checkpoint.turnId,
  checkpointTurnCount: checkpoint.turnCount,
  checkpointRef: `refs/t3/checkpoints/${Buffer.from(thread.id).toString('base64url')}/turn/${checkpoint.turnCount}`,
  status: 'ready',
  files: checkpoint.files,
  assistantMessageId: checkpoint.assistantMessageId,
  completedAt: iso(checkpoint.completedAt),
});

// Lines of the same instant come in the order of their ids, so their order in an answer says nothing.
const byTimeThenId = (a: T3Activity, b: T3Activity): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

const beginningOfLast = (thread: T3Thread, turns: number): number => {
  const asked = thread.messages.filter(({ role }) => role === 'user').map(({ createdAt }) => createdAt);
  return asked.at(-turns) ?? Number.NEGATIVE_INFINITY;
};

// The stand-in has no git: a checkout at `…/owner__name` is taken for a clone of github.com/owner/name.
const repositoryIdentityOf = (rootPath: string) => {
  const [owner, name, ...rest] = (rootPath.split('/').at(-1) ?? '').split('__');
  if (!owner || !name || rest.length > 0) return null;
  return {
    canonicalKey: `github.com/${owner}/${name}`,
    locator: { source: 'git-remote', remoteName: 'origin', remoteUrl: `https://github.com/${owner}/${name}.git` },
    rootPath,
    displayName: `${owner}/${name}`,
    provider: 'github',
    owner,
    name,
  };
};
