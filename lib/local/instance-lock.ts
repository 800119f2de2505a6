import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Held until `release`, which may be called more than once. */
export type InstanceLock = { path: string; release: () => void };

/** Another instance works on the folder; the message names its pid and the lock's path. `holder` is null where no pid is known. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
  readonly holder: number | null;
  constructor(message: string, holder: number | null = null) {
    super(message);
    this.holder = holder;
  }
}

/**
 * Takes a data folder for this process, making it where it is not there. The lock is a file with the pid; one whose
 * process is gone is taken over. Of several that start at once exactly one gets it, the others throw `FolderInUse`.
 * A pid means something on one machine only: a folder shared between machines or containers is not kept.
 */
export const acquireInstanceLock = (
  folder: string,
  { pid = process.pid, isAlive = isAliveHere }: { pid?: number; isAlive?: (pid: number) => boolean } = {},
): InstanceLock => {
  mkdirSync(folder, { recursive: true });
  const path = resolve(folder, 'instance.lock');
  // A pid that is our own while we hold nothing was somebody's before us: in a container every start has the same one.
  const starter: Starter = { pid, isHeld: (other) => (other === pid ? held.has(path) : isAlive(other)) };
  take(path, starter);
  held.add(path);
  return {
    path,
    release: () => {
      if (held.delete(path)) rmSync(path, { force: true });
    },
  };
};

/** The locks that this process holds. */
const held = new Set<string>();

type Starter = { pid: number; isHeld: (pid: number) => boolean };

/** Makes that file this starter's; throws where a living process has it. */
const take = (path: string, starter: Starter): void => {
  while (!made(path, starter.pid, linked) && !tookOver(path, starter)) {
    // Released between the two: free again.
  }
};

/** Replaces the lock of a process that is gone. False where there is none any more; throws where it is held. */
const tookOver = (path: string, starter: Starter): boolean => {
  if (!isStale(path, starter.isHeld)) return false;
  // A second lock, held for an instant, lets one starter at a time replace the first. Whoever is killed in that instant
  // leaves it behind, and it is taken over in the same way.
  const turn = `${path}.takeover`;
  take(turn, starter);
  try {
    // Asked again: somebody may have taken it over between the first look and our turn.
    return isStale(path, starter.isHeld) && made(path, starter.pid, renamed);
  } finally {
    rmSync(turn, { force: true });
  }
};

/** Written whole before it gets its name, so that nobody ever reads a lock without a pid. */
const made = (path: string, pid: number, name: (draft: string, path: string) => boolean): boolean => {
  const draft = `${path}.${pid}.${++drafts}`;
  writeFileSync(draft, `${pid}\n`);
  try {
    return name(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
};

let drafts = 0;

/** False where there is no lock; throws where it is not stale. */
const isStale = (path: string, isHeld: (pid: number) => boolean): boolean => {
  const content = contentOf(path);
  if (content === null) return false;
  const pid = /^\d{1,10}\n$/.test(content) ? Number(content) : null;
  if (pid === null) throw new FolderInUse(`${path} holds no pid; if no other instance is at work, remove it`);
  if (isHeld(pid)) {
    throw new FolderInUse(
      `another instance (pid ${pid}) works on this folder; if that is no such thing, remove ${path}`,
      pid,
    );
  }
  return true;
};

const linked = (draft: string, path: string): boolean => {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
};

const renamed = (draft: string, path: string): boolean => {
  renameSync(draft, path);
  return true;
};

const contentOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
};

const isAliveHere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is a process.
    return codeOf(error) === 'EPERM';
  }
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
