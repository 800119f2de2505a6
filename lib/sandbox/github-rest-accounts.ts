import { isoOf, nodeIdOf } from './github-ids.ts';
import type { Account, State } from './github-state.ts';
import { accountOf } from './github-state.ts';

/** One reader of the world: who asks, when (`state.at`), and what addresses in the answer begin with. */
export type Face = { state: State; base: string; viewer: string };

const html = 'https://github.com';

/** A stable number for things the world holds by name only: apps and workflows. */
export const numberOf = (text: string): number =>
  [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 2_000_000_000, 7);

/** `simple-user`. */
export const userShape = (face: Face, account: Account) => {
  const url = `${face.base}/users/${encodeURIComponent(account.login)}`;
  return {
    login: account.login,
    id: account.id,
    node_id: account.nodeId,
    avatar_url: `https://avatars.githubusercontent.com/u/${account.id}?v=4`,
    gravatar_id: '',
    url,
    html_url: `${html}/${encodeURIComponent(account.login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    site_admin: false,
  };
};

/** The account by login, or null once it was deleted. */
export const actorShape = (face: Face, login: string | null) => {
  const account = login === null ? null : accountOf(face.state, login);
  return account === null || account.deleted ? null : userShape(face, account);
};

/** The answer of `GET /user`. */
export const viewerShape = (face: Face, account: Account) => ({
  ...userShape(face, account),
  name: null,
  company: null,
  blog: null,
  location: null,
  email: null,
  hireable: null,
  bio: null,
  twitter_username: null,
  public_repos: 0,
  public_gists: 0,
  followers: 0,
  following: 0,
  created_at: isoOf(account.createdAt),
  updated_at: isoOf(account.createdAt),
  user_view_type: 'public',
});

/** `integration`: the app that acted, or null for nobody. */
export const appShape = (face: Face, slug: string | null) => {
  if (slug === null) return null;
  const known = [...face.state.apps.values()].find((app) => app.slug === slug);
  const id = known?.id ?? numberOf(slug);
  const owner = { login: slug, id, nodeId: nodeIdOf('O', slug), type: 'Organization' as const };
  return {
    id,
    slug,
    node_id: known?.nodeId ?? nodeIdOf('A', slug),
    owner: userShape(
      face,
      known
        ? accountOf(face.state, known.owner)
        : { ...owner, app: null, notAUser: false, deleted: false, createdAt: 0 },
    ),
    name: slug,
    description: null,
    external_url: `${html}/apps/${slug}`,
    html_url: `${html}/apps/${slug}`,
    created_at: isoOf(0),
    updated_at: isoOf(0),
    permissions: known?.permissions ?? { metadata: 'read' as const },
    events: [],
  };
};
