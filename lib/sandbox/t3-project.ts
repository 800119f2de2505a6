import { posix } from 'node:path';
import type { T3CommandOf, T3ModelSelection } from './t3-command.ts';

/** One project as T3 keeps it; a deleted one stays, and keeps its id for good. */
export type T3Project = {
  readonly id: string;
  title: string;
  workspaceRoot: string;
  defaultModelSelection: T3ModelSelection | null;
  scripts: readonly unknown[];
  readonly createdAt: number;
  updatedAt: number;
  deletedAt: number | null;
};

/** A new project for a root that was found to be free. */
export const newT3Project = (command: T3CommandOf<'project.create'>, at: number): T3Project => ({
  id: command.projectId,
  title: command.title,
  workspaceRoot: normalisedRoot(command.workspaceRoot),
  defaultModelSelection: command.defaultModelSelection,
  scripts: [],
  createdAt: at,
  updatedAt: at,
  deletedAt: null,
});

/** The spelling under which T3 stores a root: no `.` or `..`, no trailing slash. Links are not followed. */
export const normalisedRoot = (path: string): string => {
  const normal = posix.normalize(path.trim());
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
};
