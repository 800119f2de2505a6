import type { Executor, Forge, Meter, Store, Tracker } from '../lib/ports.ts';

/** Makes of one method of a port the method that is called in its place. `pick` is asked anew at each call. */
export type Through<P> = <A extends unknown[], R>(
  pick: (port: P) => (...args: A) => Promise<R>,
) => (...args: A) => Promise<R>;

/** A tracker each call of which goes through `through`; what it says without being asked does not. */
export const trackerThrough = (meter: Meter, through: Through<Tracker>): Tracker => ({
  meter,
  resolve: through(({ resolve }) => resolve),
  scan: through(({ scan }) => scan),
  listReady: through(({ listReady }) => listReady),
  detail: through(({ detail }) => detail),
  permission: through(({ permission }) => permission),
  blockerStates: through(({ blockerStates }) => blockerStates),
  glance: through(({ glance }) => glance),
  watch: through(({ watch }) => watch),
  ensureMirror: through(({ ensureMirror }) => ensureMirror),
  listLabelled: through(({ listLabelled }) => listLabelled),
  removeLabel: through(({ removeLabel }) => removeLabel),
  preflight: through(({ preflight }) => preflight),
});

/** A forge each call of which goes through `through`. */
export const forgeThrough = (through: Through<Forge>): Forge => ({
  landing: through(({ landing }) => landing),
  ci: through(({ ci }) => ci),
  elsewhere: through(({ elsewhere }) => elsewhere),
  pull: through(({ pull }) => pull),
  said: through(({ said }) => said),
});

/** An executor each call of which goes through `through`. */
export const executorThrough = (through: Through<Executor>): Executor => ({
  look: through(({ look }) => look),
  detail: through(({ detail }) => detail),
  createProject: through(({ createProject }) => createProject),
  createThread: through(({ createThread }) => createThread),
  startTurn: through(({ startTurn }) => startTurn),
  answer: through(({ answer }) => answer),
  interrupt: through(({ interrupt }) => interrupt),
  stop: through(({ stop }) => stop),
  archive: through(({ archive }) => archive),
  whereabouts: through(({ whereabouts }) => whereabouts),
  unarchive: through(({ unarchive }) => unarchive),
  health: through(({ health }) => health),
});

/** A store that calls `first` before each call, and makes none where that throws. */
export const storeAfter = (store: Store, first: () => void): Store => {
  const after = <T>(call: () => Promise<T>): Promise<T> => {
    first();
    return call();
  };
  return {
    readNow: async () => after(() => store.readNow()),
    read: async (key) => after(() => store.read(key)),
    insert: async (item) => after(() => store.insert(item)),
    replace: async (from, to) => after(() => store.replace(from, to)),
    remove: async (from) => after(() => store.remove(from)),
    countRun: async (date, max) => after(() => store.countRun(date, max)),
    keepText: async (runId, text) => after(() => store.keepText(runId, text)),
    textOf: async (runId) => after(() => store.textOf(runId)),
    keepHistory: async (run) => after(() => store.keepHistory(run)),
    historyOf: async (repo) => after(() => store.historyOf(repo)),
  };
};
