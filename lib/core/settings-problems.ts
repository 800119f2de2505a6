import type * as z from 'zod';
import { comparable } from './repo-name.ts';
import type { RepoSettings, Settings } from './settings.ts';
import { labelsSchema, overridesSchema, settingsSchema, shipped, writtenOn } from './settings-schema.ts';
import { visibleText } from './visible-text.ts';
import { tellsReposApart } from './workspace-root.ts';

/** What the schema found wrong, in words: which key, and what it must be. `value` is what was parsed from JSON. */
export const problemOf = (issue: z.core.$ZodIssue, value: unknown): string[] => {
  const place = placeOf(issue.path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key));
  if (issue.code === 'invalid_key')
    return [`repos: ${visibleText(String(issue.path.at(-1)))} is no exact "owner/name"; there are no wildcards`];
  const found = valueAt(value, issue.path);
  const form = formOf(issue.path);
  if (found === undefined) return [`${place} is missing: it must be ${form}`];
  const is = typeof found === 'number' ? `, not ${found}` : '';
  return [`${place} must be ${form}${is}`];
};

/** What no single key shows: names, labels and paths that collide. */
export const contradictionsIn = (settings: Settings, settingsOf: (repoName: string) => RepoSettings): string[] => {
  const names = Object.keys(settings.repos);
  const clashing = repeated(
    names.map((name) => ({ name, root: settingsOf(name).workspaceRoot })),
    ({ root }) => comparable(root),
  );
  const sets = [
    { place: 'defaults', labels: { ...shipped.labels, ...settings.defaults.labels } },
    ...names.map((name) => ({ place: placeOf(['repos', name]), labels: settingsOf(name).labels })),
  ];
  return [
    ...(tellsReposApart(settings.defaults.workspaceRoot)
      ? []
      : [
          `defaults.workspaceRoot must hold {owner} and {name} with a slash or "__" between them, or two repos would share a checkout`,
        ]),
    ...repeated(names, comparable).map(
      (name) => `repos: ${visibleText(name)} is there twice, apart from case: keep one`,
    ),
    ...clashing.map(
      ({ name }) =>
        `${placeOf(['repos', name, 'workspaceRoot'])} is the path of another repo too: each needs a checkout of its own`,
    ),
    ...sets
      .filter(({ labels }) => repeated(Object.values(labels), comparable).length > 0)
      .map(({ place }) => `${place}.labels must be four different labels, apart from case`),
  ];
};

const formOf = (path: readonly PropertyKey[]): string => {
  const [top, ...below] = path.map(String);
  if (top === undefined) return 'a JSON object with "t3Url" and "defaults"';
  const [key, inner] = top === 'repos' ? below.slice(1) : top === 'defaults' ? below : [];
  if (key !== undefined)
    return (
      (key === 'labels' && inner !== undefined ? written(labelsSchema().shape, inner) : null) ??
      written(overridesSchema().shape, key) ??
      'a setting'
    );
  if (top === 'defaults')
    return `an object with at least "model" (${written(overridesSchema().shape, 'model')}) and "workspaceRoot" (${written(overridesSchema().shape, 'workspaceRoot')})`;
  if (top === 'repos') return 'an object of overrides';
  return written(settingsSchema().shape, top) ?? 'a setting';
};

const written = (shape: Shape, key: string): string | null => writtenOn(shape[key]).form || null;

const unknownKey = (path: readonly PropertyKey[], key: string): string => {
  const known = shapeAt(path);
  const home =
    known !== settingsSchema().shape && Object.hasOwn(settingsSchema().shape, key)
      ? 'it belongs at the top'
      : known !== overridesSchema().shape && Object.hasOwn(overridesSchema().shape, key)
        ? 'it belongs under "defaults" or one of "repos"'
        : `known here: ${Object.keys(known).join(', ')}`;
  return `${path.length === 0 ? '' : `${placeOf(path)}: `}unknown key ${visibleText(key)}: ${home}`;
};

type Shape = Readonly<Record<string, z.ZodType>>;

const shapeAt = (path: readonly PropertyKey[]): Shape =>
  path.length === 0
    ? settingsSchema().shape
    : path.at(-1) === 'labels'
      ? labelsSchema().shape
      : overridesSchema().shape;

// `repos["owner/name"].labels.ready`; keys that were matched are plain words, the name of a repo may be anything.
const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((place, step, index) => {
    if (typeof step === 'number') return `${place}[${step}]`;
    if (index === 1 && path[0] === 'repos') return `${place}[${visibleText(String(step), 150)}]`;
    return place === '' ? String(step) : `${place}.${String(step)}`;
  }, '') || 'the settings';

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (held, step) => (typeof held === 'object' && held !== null ? Reflect.get(held, step) : undefined),
    value,
  );

// Every item but the first of those that are the same.
const repeated = <T>(items: readonly T[], sameness: (item: T) => string): T[] => {
  const seen = new Set<string>();
  return items.filter((item) => seen.size === seen.add(sameness(item)).size);
};
