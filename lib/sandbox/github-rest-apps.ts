import * as z from 'zod';
import { suspended } from './github-app-auth.ts';
import type { App, Installation, Permissions } from './github-apps.ts';
import { covers, grants, installationFor } from './github-apps.ts';
import { isoOf, shaOf } from './github-ids.ts';
import { GithubRefusal, notFound } from './github-refusal.ts';
import type { Face } from './github-rest-accounts.ts';
import { appShape, userShape } from './github-rest-accounts.ts';
import type { Answer } from './github-rest-call.ts';
import { repoShape } from './github-rest-shapes.ts';
import type { State } from './github-state.ts';
import { accountOf, findRepo, nextId } from './github-state.ts';

/** What an App asks with its own signature: who it is, where it is installed, and a token for one installation. */
export const appAnswer = (
  { state, base, app }: { state: State; base: string; app: App },
  method: string,
  path: readonly string[],
  body: Readonly<Record<string, unknown>>,
): Answer & { location?: string } => {
  const face: Face = { state, base, viewer: `${app.slug}[bot]` };
  if (method === 'GET' && path.join('/') === 'app')
    return { status: 200, body: { ...appShape(face, app.slug), events: [], installations_count: countOf(state, app) } };
  if (method === 'GET' && path.at(-1) === 'installation') return installationOf(face, app, path);
  if (method === 'POST' && path[0] === 'app' && path[1] === 'installations' && path[3] === 'access_tokens')
    return { status: 201, body: newToken(face, installationOfApp(state, app, Number(path[2])), body) };
  // The rest is for tokens.
  throw new GithubRefusal(401, 'A JSON web token could not be decoded', 'UNAUTHENTICATED');
};

const countOf = (state: State, app: App): number =>
  [...state.installations.values()].filter(({ appId }) => appId === app.id).length;

const installationOfApp = (state: State, app: App, id: number): Installation => {
  const found = state.installations.get(id);
  if (found === undefined || found.appId !== app.id) throw notFound();
  return found;
};

const installationOf = (face: Face, app: App, path: readonly string[]): Answer & { location?: string } => {
  const { state } = face;
  const byNumber = path[0] === 'repositories';
  const asked = `${path[1]}/${path[2]}`;
  const repo = byNumber ? state.repos.get(Number(path[1])) : findRepo(state, asked);
  if (repo === undefined) throw notFound();
  if (!byNumber && repo.name.toLowerCase() !== asked.toLowerCase()) {
    const location = `${face.base}/repositories/${repo.id}/installation`;
    const moved = { message: 'Moved Permanently', url: location, documentation_url: 'https://docs.github.com/rest' };
    return { status: 301, location, body: moved };
  }
  const found = installationFor(state, app, repo.name);
  if (found === undefined) throw notFound();
  return { status: 200, body: installationShape(face, app, found) };
};

const installationShape = (face: Face, app: App, installation: Installation) => {
  const account = accountOf(face.state, installation.account);
  const url = `${face.base}/app/installations/${installation.id}`;
  return {
    id: installation.id,
    account: userShape(face, account),
    repository_selection: installation.repos === 'all' ? 'all' : 'selected',
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${face.base}/installation/repositories`,
    html_url: `https://github.com/organizations/${account.login}/settings/installations/${installation.id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: [],
    created_at: isoOf(installation.createdAt),
    updated_at: isoOf(installation.suspendedAt ?? installation.createdAt),
    single_file_name: null,
    suspended_by: installation.suspendedAt === null ? null : userShape(face, account),
    suspended_at: installation.suspendedAt === null ? null : isoOf(installation.suspendedAt),
  };
};

const Asked = z.object({
  permissions: z.record(z.string(), z.enum(['read', 'write', 'admin'])).optional(),
  repository_ids: z.array(z.int()).optional(),
  repositories: z.array(z.string()).optional(),
});

const hourMs = 3_600_000;

/** For an hour. What is asked for may only be less than the installation has. */
const newToken = (face: Face, installation: Installation, body: Readonly<Record<string, unknown>>) => {
  const { state } = face;
  if (installation.suspendedAt !== null) throw suspended();
  const asked = Asked.safeParse(body).data;
  if (asked === undefined) throw unfit('Invalid request.');
  const permissions: Permissions = { metadata: 'read', ...(asked.permissions ?? installation.permissions) };
  if (Object.entries(permissions).some(([name, level]) => !grants(installation.permissions, name, level)))
    throw unfit('The permissions requested are not granted to this installation.');
  const repos = narrowed(state, installation, asked);
  const token = `ghs_${shaOf(`${installation.id}:${nextId(state)}`)}`;
  const expiresAt = state.at + hourMs;
  const held = repos && new Set(repos.map(({ id }) => id));
  state.installationTokens.set(token, { installationId: installation.id, permissions, repos: held, expiresAt });
  return {
    token,
    expires_at: isoOf(expiresAt),
    permissions,
    repository_selection: installation.repos === 'all' && repos === null ? 'all' : 'selected',
    ...(repos !== null && { repositories: repos.map((repo) => repoShape(face, repo)) }),
  };
};

const narrowed = (state: State, installation: Installation, asked: z.infer<typeof Asked>) => {
  const { repository_ids: ids, repositories: names } = asked;
  if (ids === undefined && names === undefined) return null;
  const found = [
    ...(ids ?? []).map((id) => state.repos.get(id)),
    ...(names ?? []).map((name) => findRepo(state, `${installation.account}/${name}`)),
  ];
  return found.map((repo) => {
    if (repo === undefined || !covers(installation, repo))
      throw unfit(
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      );
    return repo;
  });
};

const unfit = (message: string): GithubRefusal => new GithubRefusal(422, message, 'UNPROCESSABLE');
