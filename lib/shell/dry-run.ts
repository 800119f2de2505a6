import { keyOf } from '../core/record.ts';
import type { Doorbell, Executor, Forge, Ports, Store, Tracker } from '../ports.ts';

/**
 * Ports that read the world and write nothing anywhere: every write is put into `would`, in words, and answered as if
 * it had taken hold, so that the tick goes on. Each method is named here, so that a port with a further one does not
 * compile before somebody has said which of the two it is.
 */
export const dryRunPorts = (ports: Ports, would: string[]): Ports => ({
  store: dryStore(ports.store, would),
  tracker: dryTracker(ports.tracker, would),
  forge: readOnlyForge(ports.forge),
  executor: dryExecutor(ports.executor, would),
  doorbells: ports.doorbells.map(({ name }) => dryDoorbell(name, would)),
});

const dryStore = (store: Store, would: string[]): Store => ({
  readNow: () => store.readNow(),
  read: (key) => store.read(key),
  textOf: (runId) => store.textOf(runId),
  historyOf: (repo) => store.historyOf(repo),
  insert: async (item) => {
    would.push(`store ${keyOf(item)}`);
    return { item, rev: 1 };
  },
  replace: async (from, to) => {
    would.push(`store ${keyOf(to)}`);
    return { item: to, rev: from.rev + 1 };
  },
  remove: async ({ item }) => {
    would.push(`remove ${keyOf(item)}`);
    return 'removed';
  },
  countRun: async (date) => {
    would.push(`count a run of ${date}`);
    return 'counted';
  },
  keepText: async (runId) => {
    would.push(`keep the text of run ${runId}`);
  },
  keepHistory: async ({ id }) => {
    would.push(`keep the history of run ${id}`);
  },
});

const dryTracker = (tracker: Tracker, would: string[]): Tracker => ({
  meter: tracker.meter,
  resolve: (name) => tracker.resolve(name),
  scan: (repos, label, state) => tracker.scan(repos, label, state),
  listReady: (repo, readyLabel) => tracker.listReady(repo, readyLabel),
  detail: (issue, readyLabel) => tracker.detail(issue, readyLabel),
  permission: (repo, login) => tracker.permission(repo, login),
  blockerStates: (refs) => tracker.blockerStates(refs),
  glance: (issues) => tracker.glance(issues),
  watch: (issue) => tracker.watch(issue),
  listLabelled: (repo, label) => tracker.listLabelled(repo, label),
  // Of its own accord it makes the labels that are missing: asked for none, it only reads.
  preflight: (repo, branch, labels, rules) => {
    would.push(`make the labels ${labels.join(', ')} in ${repo.name} where they are missing`);
    return tracker.preflight(repo, branch, [], rules);
  },
  ensureMirror: async (issue, { labels, comment, state }, commentId) => {
    const parts = [
      ...labels.add.map((label) => `+${label}`),
      ...labels.remove.map((label) => `-${label}`),
      ...(comment === null ? [] : ['comment']),
      ...(state === 'as is' ? [] : [state]),
    ];
    would.push(`bring ${issue.repo.name}#${issue.number} to: ${parts.join(', ')}`);
    return { commentId };
  },
  removeLabel: async (issue, label) => {
    would.push(`take ${label} off ${issue.repo.name}#${issue.number}`);
  },
});

const readOnlyForge = (forge: Forge): Forge => ({
  landing: (repo, ask) => forge.landing(repo, ask),
  ci: (repo, ask) => forge.ci(repo, ask),
  elsewhere: (repo, ask) => forge.elsewhere(repo, ask),
  pull: (repo, ask) => forge.pull(repo, ask),
  said: (repo, ask) => forge.said(repo, ask),
});

const dryExecutor = (executor: Executor, would: string[]): Executor => {
  const accepted = async (what: string): Promise<'accepted'> => {
    would.push(`ask T3 to ${what}`);
    return 'accepted';
  };
  // A tick looks whether a project it made is there: in a dry run the look has to show it.
  const made: { id: string; workspaceRoot: string }[] = [];
  return {
    look: async () => {
      const look = await executor.look();
      return { ...look, projects: [...look.projects, ...made] };
    },
    detail: (threadId) => executor.detail(threadId),
    whereabouts: (threadId) => executor.whereabouts(threadId),
    health: () => executor.health(),
    // Whether there is a checkout only the attempt would show.
    createProject: ({ projectId, workspaceRoot }) => {
      made.push({ id: projectId, workspaceRoot });
      return accepted(`make a project at ${workspaceRoot}`);
    },
    createThread: ({ threadId, title }) => accepted(`make thread ${threadId}, ${title}`),
    startTurn: ({ threadId }) => accepted(`start a turn in thread ${threadId}`),
    answer: ({ threadId }) => accepted(`answer the agent of thread ${threadId}`),
    interrupt: ({ threadId }) => accepted(`interrupt thread ${threadId}`),
    stop: ({ threadId }) => accepted(`stop thread ${threadId}`),
    archive: ({ threadId }) => accepted(`archive thread ${threadId}`),
    unarchive: ({ threadId }) => accepted(`unarchive thread ${threadId}`),
  };
};

const dryDoorbell = (name: string, would: string[]): Doorbell => ({
  name,
  ring: async ({ headline }) => {
    would.push(`ring ${name}: ${headline}`);
  },
});
