import type { GithubClient } from '../adapters/github-client.ts';
import { refusalOf } from '../adapters/github-refusal.ts';
import type { Meter } from '../ports.ts';
import { githubRest } from './github-rest.ts';
import { refuseStray, type WorldViewer } from './world-viewer.ts';

/** A world without requests has no budgets. */
export const worldMeter: Meter = { accountOf: () => 'world', budgets: () => [] };

/**
 * The adapter's client with a world in place of the network: REST only, without a request, its text or a budget. For
 * what is asked rarely; it does not settle the world.
 */
export const worldClient = ({ github, state, login }: WorldViewer): GithubClient => ({
  ask: async (route, params, accepted) => {
    const [method = '', template = ''] = route.split(' ', 2);
    const inPath = new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    refuseStray(route, ...[...inPath].map((name) => String(params[name ?? ''])));
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
    const rest = Object.entries(params).filter(([name]) => !inPath.has(name));
    const isRead = method === 'GET';
    const query = new URLSearchParams(
      Object.fromEntries(isRead ? rest.map(([name, value]) => [name, String(value)]) : []),
    );
    const body = isRead ? {} : Object.fromEntries(rest);
    const answered = githubRest(github, { method, path, query, body, viewer: login, base: 'https://api.github.com' });
    const links = Object.entries(answered.links ?? {}).map(([relation, address]) => `<${address}>; rel="${relation}"`);
    const answer = { status: answered.status, headers: { link: links.join(', ') }, data: answered.body };
    if (accepted.includes(answer.status)) return answer;
    throw refusalOf(route, answer, state.at);
  },
  query: async () => {
    throw new Error('a world is not asked in GraphQL');
  },
  mutate: async () => {
    throw new Error('a world is not asked in GraphQL');
  },
  ownLogin: async () => login,
  hasRole: true,
  meter: worldMeter,
});
