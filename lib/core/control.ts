import { publicLine } from './clean-text.ts';
import { deadlines } from './deadlines.ts';
import { comparable, isRepoName } from './repo-name.ts';
import { parseSettings, type Settings } from './settings.ts';
import { visibleText } from './visible-text.ts';

/**
 * What one read of the control parameters allows. `off`: nothing but this read happens; `reason` says why in words,
 * and `unreadable` tells a broken parameter from an operator's own decision. `on`: `allowlist` holds lower-case
 * `owner/name`s; `noDispatch` is the reason why nothing new may start although what is out is still watched.
 */
export type Control =
  | { state: 'off'; reason: string; unreadable: boolean; halt: Halt | null }
  | { state: 'on'; allowlist: readonly string[]; noDispatch: string | null; settings: Settings };

/** An operator flipped the kill switch on at `since` (wall time): what is out is to be interrupted for a while. */
export type Halt = { since: number; settings: Settings };

/** For half an hour after an operator's flip the kill switch reaches what is out; a clock that went back counts as just flipped. */
export const isHaltDue = (halt: Halt, now: number): boolean => now - halt.since < deadlines.haltMs;

/** What the store says of the kill switch beside its value: its version, and when it was last changed (epoch ms). */
export type Stamp = { version: number; changedAt: number };

const prefix = '/afk/control/';
/** The kill switch's name. */
export const killSwitch = `${prefix}kill-switch`;
const allowlist = `${prefix}allowlist`;
const continued = [2, 3, 4, 5, 6, 7].map((part) => `${allowlist}-${part}`);
const settings = `${prefix}settings`;

/** The nine control parameters by exact name: one request asks for them all. Only the allowlist's further parts may be absent. */
export const controlNames: readonly string[] = [killSwitch, allowlist, ...continued, settings];

/**
 * Reads the two gates and the settings. `parameters` holds the values by name, absent ones left out; `problem` says
 * why the read failed, if it did; `stamp` is the kill switch's, and lets an operator's flip be told from what shipped. Pure; never throws; first match wins:
 *
 * | parameters                                          | control                                    |
 * |-----------------------------------------------------|--------------------------------------------|
 * | the read failed                                     | off, unreadable                            |
 * | kill switch reads `true` (spaces and case aside)    | off, the operator's own                    |
 * | kill switch absent, or anything but `false`         | off, unreadable                            |
 * | settings absent or with a problem                   | off, unreadable                            |
 * | allowlist absent, malformed, contradictory or empty | on, nothing new starts                     |
 * | otherwise                                           | on                                         |
 */
export const parseControl = (
  parameters: ReadonlyMap<string, string>,
  problem: string | null,
  stamp: Stamp | null = null,
): Control => {
  if (problem !== null) return unreadable(`the control parameters could not be read: ${publicLine(problem, 300)}`);

  const flipped = parameters.get(killSwitch);
  if (flipped === undefined) return unreadable(`${killSwitch} is absent`);
  const word = flipped.trim().toLowerCase();
  if (word === 'true')
    return { state: 'off', reason: 'the kill switch is on', unreadable: false, halt: haltOf(parameters, stamp) };
  if (word !== 'false')
    return unreadable(`${killSwitch} reads ${visibleText(flipped)}, which is neither true nor false`);

  const text = parameters.get(settings);
  if (text === undefined) return unreadable(`${settings} is absent`);
  const parsed = parseSettings(text);
  if (!parsed.ok) return unreadable(`${settings}: ${parsed.problems.join('; ')}`.slice(0, 2000));

  const { names, noDispatch } = parseAllowlist(parameters);
  return { state: 'on', allowlist: names, noDispatch, settings: parsed.settings };
};

const unreadable = (reason: string): Control => ({ state: 'off', reason, unreadable: true, halt: null });

/** Version 1 is as shipped: nobody flipped anything. Without settings nobody knows where the agents are. */
const haltOf = (parameters: ReadonlyMap<string, string>, stamp: Stamp | null): Halt | null => {
  if (stamp === null || stamp.version <= 1) return null;
  const parsed = parseSettings(parameters.get(settings) ?? '');
  return parsed.ok ? { since: stamp.changedAt, settings: parsed.settings } : null;
};

// What is well formed is kept beside a malformed entry: repos do not leave the list because of another one's typing error.
const parseAllowlist = (parameters: ReadonlyMap<string, string>): { names: string[]; noDispatch: string | null } => {
  const parts = [allowlist, ...continued].map((name) => ({ name, entries: entriesOf(parameters.get(name) ?? '') }));
  const entries = parts.flatMap((part) => part.entries);
  // Looked at before the case is put aside: some letters outside ASCII become plain ones in lower case.
  const names = [...new Set(entries.filter(isRepoName).map(comparable))];
  const malformed = parts.flatMap(({ name, entries: held }) =>
    held
      .filter((entry) => !isRepoName(entry) && !(isNone(entry) && held.length === 1))
      .map((entry) => ({ name, entry })),
  )[0];
  if (malformed !== undefined)
    return {
      names,
      noDispatch: `${malformed.name} holds ${visibleText(malformed.entry)}, which is no exact owner/name${isNone(malformed.entry) ? ', beside others' : ''}`,
    };
  if (!parameters.has(allowlist)) return { names, noDispatch: `${allowlist} is absent` };
  // Whoever writes `none` into the first part wants nothing to start, and may not know of the others.
  if (names.length > 0 && parts[0]?.entries.some(isNone))
    return { names, noDispatch: `${allowlist} reads none while a further part names repos` };
  return { names, noDispatch: names.length === 0 ? 'no repo is enrolled' : null };
};

const isNone = (entry: string): boolean => entry.toLowerCase() === 'none';

const entriesOf = (value: string): string[] => value.split(/[\s,]+/).filter((entry) => entry !== '');
