import { createSign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { anApp, appKeys, otherKeys } from '../support/an-app.ts';
import { askGithub, graphqlOf } from '../support/github-ask.ts';

const start = Date.parse('2026-03-02T08:00:00Z');
const seconds = start / 1000;
const minute = 60_000;

const appWorld = () => {
  const world = githubWorld({ at: start });
  world.addUser('someone', { token: 'someones' });
  world.addRepo('acme/shop', { private: true });
  world.addRepo('acme/open');
  world.addRepo('globex/tools', { private: true });
  const { appId } = anApp(world, 'acme');
  const ask = askGithub(world);
  const jwt = (
    claims: object = {},
    key = appKeys.privateKey,
    header: object = { alg: 'RS256', typ: 'JWT' },
  ): string => {
    const said = { iat: seconds - 60, exp: seconds + 540, iss: appId, ...claims };
    const text = [header, said].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
  };
  const asApp = (route: string, body?: unknown, credential = jwt()) =>
    ask('', route, body, { authorization: `Bearer ${credential}` });
  const installation = (): number => asApp('GET /repos/acme/shop/installation').body.id;
  const tokenFor = (body?: unknown) => asApp(`POST /app/installations/${installation()}/access_tokens`, body);
  return { world, ask, asApp, jwt, installation, tokenFor, graphql: graphqlOf(ask) };
};

describe('An App that signs', () => {
  test('is told who it is, where it is installed, and given a token for an hour', () => {
    const { asApp, tokenFor } = appWorld();
    expect(asApp('GET /app')).toMatchObject({ status: 200, body: { slug: 'afk', owner: { login: 'acme' } } });
    const found = asApp('GET /repos/acme/shop/installation');
    expect(found.body).toMatchObject({ app_slug: 'afk', account: { login: 'acme' }, suspended_at: null });
    const { status, body } = tokenFor();
    expect(status).toBe(201);
    expect(body).toMatchObject({ expires_at: '2026-03-02T09:00:00Z', repository_selection: 'all' });
    expect(body.permissions).toMatchObject({ issues: 'write', checks: 'read', metadata: 'read' });
  });

  test.each([
    ['begun in the future', { iat: seconds + 5 }, "'Issued at' claim"],
    ['over', { iat: seconds - 600, exp: seconds }, "'Expiration time' claim"],
    ['good for more than ten minutes', { exp: seconds + 601 }, 'is too far in the future'],
    ['without an end', { exp: undefined }, 'could not be decoded'],
  ])('is refused with a statement that is %s', (_, claims, words) => {
    const { asApp, jwt } = appWorld();
    const refused = asApp('GET /app', undefined, jwt(claims));
    expect(refused).toMatchObject({ status: 401, body: { message: expect.stringContaining(words) } });
  });

  test('is refused where the signature is of another key or another kind', () => {
    const { asApp, jwt } = appWorld();
    const [header, payload] = jwt().split('.');
    for (const wrong of [
      jwt({}, otherKeys.privateKey),
      `${header}.${payload}.AAAA`,
      jwt({}, appKeys.privateKey, { alg: 'none' }),
    ])
      expect(asApp('GET /app', undefined, wrong).status).toBe(401);
  });

  test('finds no installation on an account where there is none, on a repo that was not selected, or of another App', () => {
    const { world, asApp, jwt } = appWorld();
    world.selectRepos('afk', 'acme', ['acme/open']);
    const other = world.addApp('other', { publicKey: otherKeys.publicKey, owner: 'globex', permissions: {} });
    const { id } = world.installApp('other', 'globex');
    for (const name of ['globex/tools', 'acme/shop', 'acme/none'])
      expect(asApp(`GET /repos/${name}/installation`).status, name).toBe(404);
    expect(asApp(`POST /app/installations/${id}/access_tokens`).status).toBe(404);
    const theirs = jwt({ iss: other.id }, otherKeys.privateKey);
    expect(asApp(`POST /app/installations/${id}/access_tokens`, undefined, theirs).status).toBe(201);
  });

  test('is led from a former name to the number', () => {
    const { world, asApp } = appWorld();
    world.renameRepo('acme/shop', 'acme/store');
    const moved = asApp('GET /repos/acme/shop/installation');
    expect(moved.status).toBe(301);
    const path = new URL(moved.headers['location']!).pathname;
    expect(asApp(`GET ${path}`).body.app_slug).toBe('afk');
  });

  test('may not ask for what tokens ask for, nor a token for what Apps ask for', () => {
    const { ask, asApp } = appWorld();
    expect(asApp('GET /repos/acme/shop').status).toBe(401);
    expect(ask('someones', 'GET /app').status).toBe(401);
    expect(ask('someones', 'GET /repos/acme/open/installation').status).toBe(401);
  });
});

describe('The token of an installation', () => {
  test('may be narrowed and never widened', () => {
    const { tokenFor, world } = appWorld();
    expect(tokenFor({ permissions: { issues: 'read' } }).body.permissions).toEqual({
      metadata: 'read',
      issues: 'read',
    });
    for (const permissions of [{ pull_requests: 'write' }, { contents: 'write' }, { administration: 'read' }])
      expect(tokenFor({ permissions }).status, JSON.stringify(permissions)).toBe(422);
    const outside = [...world.state.repos.values()].find(({ name }) => name === 'globex/tools')!;
    expect(tokenFor({ repository_ids: [outside.id] }).status).toBe(422);
  });

  test('does what it was minted for, and is refused what it was not', () => {
    const { ask, tokenFor, graphql, world } = appWorld();
    const { number, nodeId } = world.openIssue('acme/shop', { author: 'acme', title: 'One' }, start);
    const head = [...world.state.repos.values()][0]!.branches.get('main')!;
    const { token } = tokenFor({ permissions: { issues: 'read', contents: 'read' } }).body;
    expect(ask(token, `GET /repos/acme/shop/issues/${number}`).status).toBe(200);
    for (const route of [
      `GET /repos/acme/shop/commits/${head}/check-runs`,
      `GET /repos/acme/shop/commits/${head}/status`,
      'GET /repos/acme/shop/deployments',
      'GET /repos/acme/shop/actions/runs',
      'GET /user',
    ])
      expect(ask(token, route), route).toMatchObject({
        status: 403,
        body: { message: 'Resource not accessible by integration' },
      });
    expect(ask(token, `POST /repos/acme/shop/issues/${number}/comments`, { body: 'x' }).status).toBe(403);
    const write = 'mutation Say($id: ID!) { addComment(input: { subjectId: $id, body: "x" }) { clientMutationId } }';
    expect(graphql(token, write, { id: nodeId }).body.errors).toMatchObject([{ type: 'FORBIDDEN' }]);
    const rollup =
      'query Rollup($oid: GitObjectID!) { repository(owner: "acme", name: "shop") { object(oid: $oid) { ... on Commit { statusCheckRollup { state } } } } }';
    expect(graphql(token, rollup, { oid: head }).body.errors).toMatchObject([{ type: 'FORBIDDEN' }]);
  });

  test('acts as the bot, and in the repos of its installation alone', () => {
    const { ask, tokenFor, world } = appWorld();
    world.installApp('afk', 'globex');
    world.openIssue('acme/shop', { author: 'acme', title: 'One' }, start);
    world.openIssue('globex/tools', { author: 'globex', title: 'One' }, start);
    const { token } = tokenFor().body;
    const said = ask(token, 'POST /repos/acme/shop/issues/1/comments', { body: 'At work.' });
    expect(said).toMatchObject({ status: 201, body: { user: { login: 'afk[bot]', type: 'Bot' } } });
    expect(said.body.performed_via_github_app).toMatchObject({ slug: 'afk' });
    expect(ask(token, 'GET /repos/globex/tools').status).toBe(404);
    expect(ask(token, 'GET /repos/acme/shop').body.permissions).toMatchObject({ pull: true, push: false });
    expect(ask(token, 'GET /repos/acme/open/collaborators/afk[bot]/permission').body.permission).toBe('none');
  });

  test('is good for an hour, until its installation is suspended or taken away', () => {
    const { ask, tokenFor, world } = appWorld();
    const { token } = tokenFor().body;
    const status = (): number => ask(token, 'GET /repos/acme/shop').status;
    world.settle(start + 59 * minute);
    world.state.at = start + 59 * minute;
    expect(status()).toBe(200);
    world.suspendApp('afk', 'acme');
    expect(status()).toBe(403);
    world.suspendApp('afk', 'acme', false);
    world.state.at = start + 60 * minute;
    expect(status()).toBe(401);
  });

  test('is not minted for an installation that is suspended, and refused once there is none', () => {
    const { ask, asApp, tokenFor, installation, world } = appWorld();
    const id = installation();
    const { token } = tokenFor().body;
    world.suspendApp('afk', 'acme');
    expect(asApp(`POST /app/installations/${id}/access_tokens`).status).toBe(403);
    expect(asApp('GET /repos/acme/shop/installation').body.suspended_at).toBe('2026-03-02T08:00:00Z');
    world.uninstallApp('afk', 'acme');
    expect(asApp(`POST /app/installations/${id}/access_tokens`).status).toBe(404);
    expect(ask(token, 'GET /repos/acme/shop').status).toBe(401);
  });

  test('spends the budget of its own installation', () => {
    const { world } = appWorld();
    world.installApp('afk', 'globex');
    const limits = { restPerHour: 1 };
    const ask = askGithub(world, { limits });
    const other = appWorld();
    // Signed in this world's time, which is the same.
    const tokenOf = (name: string): string => {
      const authorization = `Bearer ${other.jwt({ iss: [...world.state.apps.keys()][0] })}`;
      const { id } = ask('', `GET /repos/${name}/installation`, undefined, { authorization }).body;
      return ask('', `POST /app/installations/${id}/access_tokens`, undefined, { authorization }).body.token;
    };
    const [first, second] = [tokenOf('acme/shop'), tokenOf('globex/tools')];
    expect(ask(first, 'GET /repos/acme/shop').status).toBe(200);
    expect(ask(first, 'GET /repos/acme/shop').status).toBe(403);
    expect(ask(second, 'GET /repos/globex/tools').status).toBe(200);
  });
});
