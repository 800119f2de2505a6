import { createHash } from 'node:crypto';

/** A commit's id: 40 hex digits that depend on nothing but the text given. */
export const shaOf = (text: string): string => createHash('sha1').update(text).digest('hex');

/** A global node id in GitHub's newer form: a prefix for the kind, then opaque characters. */
export const nodeIdOf = (prefix: string, text: string): string =>
  `${prefix}_kgDO${createHash('sha256').update(`${prefix}:${text}`).digest('base64url').slice(0, 16)}`;

/** GitHub's instants: UTC, whole seconds. */
export const isoOf = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** The same for an instant that may not have come. */
export const isoOrNull = (at: number | null): string | null => (at === null ? null : isoOf(at));
