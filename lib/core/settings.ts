import type * as z from 'zod';
import { comparable } from './repo-name.ts';
import { contradictionsIn, problemOf } from './settings-problems.ts';
import {
  labelsSchema,
  overridesSchema,
  type Shipped,
  settingsSchema,
  shipped,
  shippedForAll,
  writtenOn,
} from './settings-schema.ts';
import { workspaceRootOf } from './workspace-root.ts';

/** The settings as parsed: `repos` overrides `defaults` by repo. Ask `settingsFor` what holds for one. */
export type Settings = z.infer<ReturnType<typeof settingsSchema>>;

/**
 * Reads the parameter `/afk/control/settings`. Never throws. Whatever is unknown, missing or out of range is a
 * problem that names its key and the way out; one is enough and nothing of the text holds. At most 20 problems of at
 * most 500 characters. No text that was set is repeated, since it may be a password put into the wrong place.
 */
export const parseSettings = (text: string): { ok: true; settings: Settings } | { ok: false; problems: string[] } => {
  if (text.length > textMax) return refusal([`the settings are longer than ${textMax} characters`]);
  const json = parseJson(text);
  if ('problem' in json) return refusal([json.problem]);
  const parsed = settingsSchema().safeParse(json.value);
  if (!parsed.success) return refusal(parsed.error.issues.flatMap((issue) => problemOf(issue, json.value)));
  const problems = contradictionsIn(parsed.data, (name) => settingsFor(parsed.data, name));
  return problems.length > 0 ? refusal(problems) : { ok: true, settings: parsed.data };
};

/** One repo's settings: its own before the defaults before what is shipped. Lengths are milliseconds, money is USD. */
export type RepoSettings = Omit<Shipped, 'fixForwardMaxSeconds'> & {
  model: string;
  /** The checkout on the executor's host: an absolute path with nothing left to fill in. */
  workspaceRoot: string;
  fixForwardMaxMs: number;
};

/**
 * The settings of one repo, by its current name as the tracker spells it (overrides are found without case). A list
 * in an override replaces the whole list; labels are overridden one by one. Throws for what cannot be a repo's name.
 */
export const settingsFor = (settings: Settings, repoName: string): RepoSettings => {
  const own = Object.entries(settings.repos).find(([name]) => comparable(name) === comparable(repoName))?.[1] ?? {};
  const { fixForwardMaxSeconds, workspaceRoot, ...merged } = { ...shipped, ...settings.defaults, ...own };
  return {
    ...merged,
    labels: { ...shipped.labels, ...settings.defaults.labels, ...own.labels },
    workspaceRoot: workspaceRootOf(workspaceRoot, repoName),
    fixForwardMaxMs: fixForwardMaxSeconds * 1000,
  };
};

/** Every setting with its meaning, unit and shipped default (`required` where there is none), as the README shows them. */
export const settingsTable = (): SettingRow[] => {
  const { defaults: _defaults, repos: _repos, ...forAll } = settingsSchema().shape;
  const { labels: _labels, ...forRepo } = overridesSchema().shape;
  return [
    ...rowsOf('', forAll, shippedForAll),
    ...rowsOf('defaults.', forRepo, shipped),
    ...rowsOf('defaults.labels.', labelsSchema().shape, shipped.labels),
  ];
};
export type SettingRow = { name: string; meaning: string; unit: string; default: string };

// Far more than the parameter holds, and little enough to be parsed within a blink.
const textMax = 65_536;
const problemsMax = 20;

const refusal = (problems: readonly string[]): { ok: false; problems: string[] } => {
  const rest = problems.length - problemsMax + 1;
  const shown = rest > 1 ? [...problems.slice(0, problemsMax - 1), `and ${rest} more`] : problems;
  return { ok: false, problems: shown.map((problem) => problem.slice(0, 500)) };
};

const parseJson = (text: string): { value: unknown } | { problem: string } => {
  let strange = false;
  try {
    const value: unknown = JSON.parse(text, (key, held: unknown) => {
      // A schema of records passes over this key without a word.
      if (key === '__proto__') strange = true;
      return held;
    });
    return strange ? { problem: 'the settings name "__proto__", which is no setting: take it out' } : { value };
  } catch {
    // The parser's own words quote the text.
    return { problem: 'the settings are not JSON: look for a missing quote, a missing comma or one too many' };
  }
};

const rowsOf = (prefix: string, shape: Readonly<Record<string, z.ZodType>>, defaults: object): SettingRow[] => {
  const values = new Map<string, unknown>(Object.entries(defaults));
  return Object.entries(shape).map(([name, schema]) => {
    const { meaning, unit } = writtenOn(schema);
    return { name: `${prefix}${name}`, meaning, unit, default: shownDefault(values.get(name)) };
  });
};

const shownDefault = (value: unknown): string => {
  if (value === undefined) return 'required';
  return Array.isArray(value) ? value.join(', ') || 'none' : String(value);
};
