import { grants, type Permissions } from './github-apps.ts';
import { forbidden, GithubRefusal, notFound } from './github-refusal.ts';
import { viewerShape } from './github-rest-accounts.ts';
import type { Answer, Call, Route } from './github-rest-call.ts';
import { GithubMoved, issueRoutes } from './github-rest-issues.ts';
import { repoRoutes } from './github-rest-repos.ts';
import type { Repo, State } from './github-state.ts';
import { accountOf, findRepo, hasRole } from './github-state.ts';
import type { GithubWorld } from './github-world.ts';

/** A REST request of an authenticated account; `path` is undecoded and without its query. */
export type RestRequest = {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Readonly<Record<string, unknown>>;
  viewer: string;
  /** What the token may do, where it is an App's; null for an account's own. */
  granted?: Permissions | null;
  base: string;
};

/** Its answer. `location` is set on a redirect, `links` on a page of several. */
export type RestAnswer = Answer & { location?: string };

const routes: readonly { method: string; segments: readonly string[]; run: Route['run'] }[] = [
  ...issueRoutes,
  ...repoRoutes,
].map((route) => ({ ...route, segments: route.path.split('/').filter((part) => part !== '') }));

/** What the pattern's wildcards stand for, or null when the path does not fit. `**` takes one segment or more. */
const match = (pattern: readonly string[], path: readonly string[]): string[] | null => {
  const rest = pattern.indexOf('**');
  if (rest === -1) {
    if (pattern.length !== path.length) return null;
    if (pattern.some((part, index) => part !== '*' && part !== path[index])) return null;
    return path.filter((_, index) => pattern[index] === '*');
  }
  const tail = pattern.slice(rest + 1);
  const end = path.length - tail.length;
  if (end <= rest || match(pattern.slice(0, rest), path.slice(0, rest)) === null) return null;
  return match(tail, path.slice(end)) === null ? null : path.slice(rest, end);
};

/** The repository by name or by number, and whether the name is one it no longer has. */
const repoAt = (state: State, path: readonly string[]): { repo: Repo; renamed: boolean; rest: readonly string[] } => {
  const byNumber = path[0] === 'repositories';
  const name = `${path[1]}/${path[2]}`;
  const repo = byNumber ? state.repos.get(Number(path[1])) : findRepo(state, name);
  if (repo === undefined) throw notFound();
  const renamed = !byNumber && repo.name.toLowerCase() !== name.toLowerCase();
  return { repo, renamed, rest: path.slice(byNumber ? 2 : 3) };
};

/** The permission an App's token needs for an operation, by the path behind the repository. */
const neededFor = (method: string, rest: readonly string[]): readonly [string, 'read' | 'write'] => {
  const level = method === 'GET' ? 'read' : 'write';
  const [first = '', last = ''] = [rest[0], rest.at(-1)];
  if (first === '' || first === 'collaborators' || first === 'rules') return ['metadata', 'read'];
  if (first === 'issues' || first === 'labels') return ['issues', level];
  if (first === 'commits' && last === 'check-runs') return ['checks', level];
  if (first === 'commits' && last === 'status') return ['statuses', level];
  if (first === 'actions' || first === 'deployments') return [first, level];
  return ['contents', level];
};

const notForApps = (): GithubRefusal => forbidden('Resource not accessible by integration');

const redirect = (method: string, location: string): RestAnswer => ({
  status: method === 'GET' ? 301 : 307,
  location,
  body: {
    message: method === 'GET' ? 'Moved Permanently' : 'Temporary Redirect',
    url: location,
    documentation_url: 'https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects',
  },
});

const refused = (refusal: GithubRefusal): RestAnswer => ({
  status: refusal.status,
  body: {
    message: refusal.message,
    ...(refusal.errors.length > 0 && { errors: refusal.errors }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(refusal.status),
  },
});

const answer = (world: GithubWorld, request: RestRequest): RestAnswer => {
  const { state } = world;
  const { method, viewer, base } = request;
  const path = request.path.split('/').slice(1).map(decodeURIComponent);
  const granted = request.granted ?? null;
  if (path.join('/') === 'user') {
    if (granted !== null) throw notForApps();
    return { status: 200, body: viewerShape({ state, base, viewer }, accountOf(state, viewer)) };
  }
  if (path[0] !== 'repos' && path[0] !== 'repositories') throw notFound();
  const { repo, renamed, rest } = repoAt(state, path);
  if (!hasRole(repo, viewer, 'read')) throw notFound();
  if (renamed) {
    const behind = request.path.split('/').slice(4).join('/');
    const query = request.query.size === 0 ? '' : `?${request.query}`;
    return redirect(method, `${base}/repositories/${repo.id}${behind === '' ? '' : `/${behind}`}${query}`);
  }
  for (const route of routes) {
    const found = route.method === method ? match(route.segments, rest) : null;
    if (found === null) continue;
    const [name, level] = neededFor(method, rest);
    if (granted !== null && !grants(granted, name, level)) throw notForApps();
    const call: Call = {
      world,
      face: { state, base, viewer },
      repo,
      path: found,
      query: request.query,
      body: request.body,
    };
    const done = route.run(call);
    const links = Object.entries(done.links ?? {}).map(([relation, query]) => {
      return [relation, `${base}/repositories/${repo.id}/${rest.map(encodeURIComponent).join('/')}?${query}`];
    });
    return { ...done, links: Object.fromEntries(links) };
  }
  throw notFound();
};

/** One REST operation on the world as it stands: total, refusals are answers. `links` are whole addresses. */
export const githubRest = (world: GithubWorld, request: RestRequest): RestAnswer => {
  try {
    return answer(world, request);
  } catch (error) {
    if (error instanceof GithubMoved) return redirect(request.method, error.location);
    if (error instanceof GithubRefusal) return refused(error);
    throw error;
  }
};
