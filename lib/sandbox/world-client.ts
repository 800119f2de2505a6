import type { GithubClient } from '../adapters/github-client.ts';
import { refusalOf } from '../adapters/github-refusal.ts';
import type { Meter } from '../ports.ts';
import { updateRuleOf } from './github-graphql-repo.ts';
import { githubRest } from './github-rest.ts';
import { refuseStray, type WorldViewer } from './world-viewer.ts';

/** A world without requests has no budgets. */
export const worldMeter: Meter = { accountOf: () => 'world', budgets: () => [] };

/**
 * The adapter's client with a world in place of the network: REST, and the one query of a preflight, without a request,
 * its text or a budget. For what is asked rarely; it does not settle the world.
 */
export const worldClient = ({ github, state, login, repoOfNode, unresolved }: WorldViewer): GithubClient => ({
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
  query: async (document, { repo: nodeId, branch }) => {
    const what = 'query Protection';
    if (!document.includes(what)) throw new Error('a world is not asked in GraphQL');
    const repo = repoOfNode(String(nodeId));
    if (repo === null) throw unresolved(what, `a node with the global id of '${nodeId}'`);
    const isRuled = branch === `refs/heads/${repo.defaultBranch}`;
    return { data: { node: { ref: { refUpdateRule: isRuled ? updateRuleOf(repo.rules) : null } } }, errors: [] };
  },
  mutate: async () => {
    throw new Error('a world is not asked in GraphQL');
  },
  ownLogin: async () => login,
  hasRole: true,
  meter: worldMeter,
});
