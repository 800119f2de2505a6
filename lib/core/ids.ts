import { createHash } from 'node:crypto';

/**
 * Ids handed to others follow from the recorded run: asked twice they are the same, and different questions never
 * share one, whatever the parts hold. They are made of letters, digits, `.`, `_` and `-`.
 */

/**
 * Id of one command. `step` is the turn, or counts the tries to end one; `order` says what is asked, and where one
 * order takes several commands each has a word of its own; `attempt` grows where an id was refused.
 */
export const commandIdOf = (runId: string, step: number, order: string, attempt: number): string =>
  idOf([order, String(step), String(attempt), runId]);

/** Id of a run's thread, counted from 0. */
export const threadIdOf = (runId: string, thread: number): string => idOf(['thread', String(thread), runId]);

/** Id of a project made for a run, where its workspace root has none yet. */
export const projectIdOf = (runId: string, attempt: number): string => idOf(['project', String(attempt), runId]);

/** Id of the message that opens a turn. */
export const messageIdOf = (runId: string, turn: number): string => idOf(['message', String(turn), runId]);

/** Id of a notice to people, the same for each doorbell and each ring. A hash, for the reason `markerOf` has. */
export const noticeIdOf = (runId: string, word: 'ended' | 'stuck'): string => `afk-${word}-${hashOf('notice', runId)}`;

/** First line of a run's comment. A hash, since whoever knows the run id can sign commits with it. */
export const markerOf = (runId: string): string => `<!-- afk:${hashOf('run', runId)} -->`;

/** First line of the comment on a labelling that is held back; never that of a run. */
export const markerOfAct = (actId: string): string => `<!-- afk:${hashOf('act', actId)} -->`;

const idOf = (parts: readonly string[]): string => ['afk', ...parts.map(spelt)].join('-');

// No part holds the `-` that parts are joined with: any other character than these is written as its number.
const spelt = (part: string): string =>
  part.replace(/[^A-Za-z0-9.]/g, (unit) => `_${unit.charCodeAt(0).toString(16)}_`);

const hashOf = (kind: string, id: string): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, id]))
    .digest('hex')
    .slice(0, 32);
