import { spawnSync } from 'node:child_process';

/** Whether a command of another ecosystem can be run here; what needs one is skipped with a reason where it cannot. */
export const isAtHand = (command: string): boolean => spawnSync(command, ['--help']).status === 0;
