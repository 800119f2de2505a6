import { invalid } from './github-refusal.ts';
import type { Face } from './github-rest-accounts.ts';
import type { Repo } from './github-state.ts';
import type { GithubWorld } from './github-world.ts';

/** A request on its way to one operation: the path's parameters, decoded, and the repository it is about. */
export type Call = {
  world: GithubWorld;
  face: Face;
  repo: Repo;
  path: readonly string[];
  query: URLSearchParams;
  body: Readonly<Record<string, unknown>>;
};

/** What an operation answers; `links` are the further pages, by relation, as query strings. */
export type Answer = { status: number; body: unknown; links?: Readonly<Record<string, string>> };

/** One operation: the path behind the repository, with `*` for one segment and `**` for the rest. */
export type Route = { method: string; path: string; run: (call: Call) => Answer };

const whole = (text: string | null, otherwise: number): number => {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : otherwise;
};

const queryWith = (query: URLSearchParams, changes: Readonly<Record<string, string>>): string => {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) next.set(key, value);
  return next.toString();
};

/** How many a page holds: what was asked for, at most 100. */
export const pageSize = (query: URLSearchParams, otherwise = 30): number =>
  Math.min(100, whole(query.get('per_page'), otherwise));

/** One page of a list, with links to the others. */
export const pageOf = <T>(query: URLSearchParams, items: readonly T[], size = pageSize(query)) => {
  const page = whole(query.get('page'), 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const to = (number: number): string => queryWith(query, { page: String(number) });
  const links = {
    ...(page > 1 && { prev: to(page - 1) }),
    ...(page < last && { next: to(page + 1), last: to(last) }),
    ...(page > 1 && { first: to(1) }),
  };
  return { items: items.slice((page - 1) * size, page * size), links };
};

/** One page after a cursor: the id of the last entry of the page before. */
export const cursorPage = <T extends { id: number }>(query: URLSearchParams, items: readonly T[]) => {
  const size = pageSize(query);
  const after = query.get('after');
  const before = query.get('before');
  const from = after === null ? 0 : items.findIndex((item) => String(item.id) === after) + 1;
  const to = before === null ? from + size : items.findIndex((item) => String(item.id) === before);
  const page = items.slice(before === null ? from : Math.max(0, to - size), to);
  const last = page.at(-1);
  const more = last !== undefined && items.at(-1) !== last;
  return { items: page, links: more ? { next: queryWith(query, { after: String(last.id) }) } : {} };
};

/** A text from the request's body; undefined when absent or null, refused when of another kind. */
export const textIn = (call: Call, field: string, resource: string): string | undefined => {
  const value = call.body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalid(resource, field, 'invalid');
  return value;
};

/** Names given as texts or as objects with a name; undefined when the field is absent. */
export const namesIn = (call: Call, field: string, resource: string): string[] | undefined => {
  const value = call.body[field];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalid(resource, field, 'invalid');
  return value.map((item: unknown) => {
    const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : item;
    if (typeof name !== 'string' || name === '') throw invalid(resource, field, 'invalid');
    return name;
  });
};
