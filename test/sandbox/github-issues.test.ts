import { describe, expect, test } from 'vitest';
import type { Role } from '../../lib/sandbox/github-state.ts';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { askGithub } from '../support/github-ask.ts';

const start = Date.parse('2026-03-01T09:00:00Z');
const minute = 60_000;
const app = '/repos/acme/app';

/** A public repository with one person of each role, an issue by a stranger, and a private one beside it. */
const aWorld = () => {
  const world = githubWorld({ at: start });
  const roles: Role[] = ['admin', 'maintain', 'write', 'triage', 'read'];
  for (const role of roles) world.addUser(role, { token: role });
  world.addUser('stranger', { token: 'stranger' });
  world.addUser('helper[bot]', { type: 'Bot', token: 'helper' });
  world.addUser('copilot', { type: 'Bot', notAUser: true });
  world.addRepo('acme/app', { permissions: Object.fromEntries(roles.map((role) => [role, role])) });
  world.addRepo('acme/secret', { private: true, permissions: { read: 'read' } });
  world.addLabel('acme/app', { name: 'Ready', color: '00ff00' });
  world.openIssue('acme/app', { author: 'stranger', title: 'It breaks', body: 'Often.' }, start);
  return { world, ask: askGithub(world) };
};

describe('what a role may do', () => {
  const rows = [
    // role,     label, close, comment, edit another's comment, make a label
    ['admin', 200, 200, 201, 200, 201],
    ['maintain', 200, 200, 201, 200, 201],
    ['write', 200, 200, 201, 200, 201],
    ['triage', 200, 200, 201, 403, 404],
    ['read', 403, 403, 201, 403, 404],
  ] as const;
  test.each(rows)('%s', (role, label, close, comment, edit, make) => {
    const { world, ask } = aWorld();
    const other = world.comment('acme/app', 1, 'Me too.', 'stranger', start).id;
    expect(ask(role, `POST ${app}/issues/1/labels`, { labels: ['ready'] }).status).toBe(label);
    expect(ask(role, `PATCH ${app}/issues/1`, { state: 'closed' }).status).toBe(close);
    expect(ask(role, `POST ${app}/issues/1/comments`, { body: 'x' }).status).toBe(comment);
    expect(ask(role, `PATCH ${app}/issues/comments/${other}`, { body: 'y' }).status).toBe(edit);
    expect(ask(role, `POST ${app}/labels`, { name: 'new', color: '000000' }).status).toBe(make);
  });

  test('an author may close and edit, but the labels of that request are dropped in silence', () => {
    const { ask } = aWorld();
    const answer = ask('stranger', `PATCH ${app}/issues/1`, { title: 'Mine', labels: ['ready'], state: 'closed' });
    expect(answer).toMatchObject({ status: 200, body: { title: 'Mine', state: 'closed', labels: [] } });
  });

  test('a private repository does not exist for those without access', () => {
    const { ask } = aWorld();
    expect(ask('stranger', 'GET /repos/acme/secret').status).toBe(404);
    expect(ask('read', 'GET /repos/acme/secret').body.permissions).toMatchObject({ pull: true, push: false });
  });
});

describe('the permission endpoint', () => {
  const rows = [
    ['admin', 200, 'admin', 'admin'],
    ['maintain', 200, 'write', 'maintain'],
    ['write', 200, 'write', 'write'],
    ['triage', 200, 'read', 'triage'],
    ['read', 200, 'read', 'read'],
    ['stranger', 200, 'read', 'read'],
    ['helper[bot]', 200, 'none', 'none'],
    ['copilot', 404, undefined, undefined],
    ['nobody', 404, undefined, undefined],
    ['acme', 404, undefined, undefined],
  ] as const;
  test.each(rows)('says of %s: %i %s', (login, status, permission, role) => {
    const answer = aWorld().ask('write', `GET ${app}/collaborators/${encodeURIComponent(login)}/permission`);
    expect(answer.status).toBe(status);
    expect([answer.body.permission, answer.body.role_name]).toEqual([permission, role]);
    if (status === 404) expect(answer.body.message).toBe(`${login} is not a user`);
  });

  test('a grant taken back is gone at once', () => {
    const { world, ask } = aWorld();
    world.setPermission('acme/app', 'write', null);
    expect(ask('admin', `GET ${app}/collaborators/write/permission`).body.permission).toBe('read');
  });
});

describe('labels', () => {
  test('their names are unique without case', () => {
    const { ask } = aWorld();
    const again = ask('write', `POST ${app}/labels`, { name: 'READY', color: '000000' });
    expect(again).toMatchObject({
      status: 422,
      body: { errors: [{ resource: 'Label', code: 'already_exists', field: 'name' }] },
    });
  });

  test('labelling with an unknown name makes a grey label', () => {
    const { ask } = aWorld();
    ask('write', `POST ${app}/issues/1/labels`, { labels: ['redy'] });
    expect(ask('write', `GET ${app}/labels`).body).toMatchObject([
      { name: 'Ready' },
      { name: 'redy', color: 'ededed' },
    ]);
  });

  test('taking off one that is not on is a 404 of its own wording', () => {
    const { ask } = aWorld();
    const absent = ask('write', `DELETE ${app}/issues/1/labels/ready`);
    expect(absent).toMatchObject({ status: 404, body: { message: 'Label does not exist' } });
    expect(ask('write', `DELETE ${app}/issues/9/labels/ready`).body.message).toBe('Not Found');
  });

  test('an act leaves actor, label and instant, and a repetition leaves nothing', () => {
    const { world, ask } = aWorld();
    world.label('acme/app', 1, 'ready', 'triage', start + minute);
    world.label('acme/app', 1, 'READY', 'write', start + 2 * minute);
    const events = ask('write', `GET ${app}/issues/1/events`).body;
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      event: 'labeled',
      actor: { login: 'triage' },
      label: { name: 'Ready', color: '00ff00' },
      created_at: '2026-03-01T09:01:00Z',
      performed_via_github_app: null,
    });
    expect(events[0]).not.toHaveProperty('author_association');
  });

  test('an app is named, be it a bot acting or a person acting through one; an agent’s intent is told', () => {
    const { world, ask } = aWorld();
    world.label('acme/app', 1, 'a', 'helper[bot]', start);
    world.label('acme/app', 1, 'b', 'write', start, {
      via: 'some-app',
      intent: { rationale: 'clear', confidence: 'high' },
    });
    expect(ask('write', `GET ${app}/issues/1/events`).body).toMatchObject([
      { actor: { type: 'Bot' }, performed_via_github_app: { slug: 'helper' } },
      { actor: { type: 'User' }, performed_via_github_app: { slug: 'some-app' }, intent: { confidence: 'HIGH' } },
    ]);
  });

  test('a renamed label leaves no event: the issue carries the new name, its history the old one', () => {
    const { world, ask } = aWorld();
    world.label('acme/app', 1, 'harmless', 'triage', start);
    world.addLabel('acme/app', { name: 'other' });
    world.renameLabel('acme/app', 'Ready', 'Was ready');
    world.renameLabel('acme/app', 'harmless', 'ready');
    expect(ask('write', `GET ${app}/issues/1`).body.labels).toMatchObject([{ name: 'ready' }]);
    expect(ask('write', `GET ${app}/issues/1/events`).body).toMatchObject([{ label: { name: 'harmless' } }]);
  });

  test('a form labels for anybody, an issue opened by hand only for those with triage', () => {
    const { world } = aWorld();
    const opened = (author: string, labelledVia?: 'form') =>
      world.openIssue(
        'acme/app',
        { author, title: 'x', labels: ['ready'], ...(labelledVia && { labelledVia }) },
        start,
      );
    expect(opened('stranger').labels).toEqual([]);
    expect(opened('triage').labels).toHaveLength(1);
    expect(opened('stranger', 'form').events).toMatchObject([{ kind: 'labeled', actor: 'stranger' }]);
  });

  test('the act of a deleted account has no actor', () => {
    const { world, ask } = aWorld();
    world.label('acme/app', 1, 'ready', 'triage', start);
    world.deleteUser('triage');
    expect(ask('write', `GET ${app}/issues/1/events`).body[0].actor).toBeNull();
    expect(ask('triage', 'GET /user').status).toBe(401);
  });
});

describe('odd states', () => {
  const odd: readonly [string, (world: ReturnType<typeof githubWorld>) => void, string, number][] = [
    ['a locked issue takes no comment of a stranger', (w) => w.lock('acme/app', 1, 'admin', start), 'stranger', 403],
    ['a locked issue takes one of those who can push', (w) => w.lock('acme/app', 1, 'admin', start), 'write', 201],
    ['an archived repository takes none at all', (w) => w.archiveRepo('acme/app'), 'admin', 403],
    ['a deleted issue is gone', (w) => w.deleteIssue('acme/app', 1), 'admin', 410],
    ['an issue is gone where issues are disabled', (w) => w.setIssuesEnabled('acme/app', false), 'admin', 410],
    ['a deleted repository is not found', (w) => w.deleteRepo('acme/app'), 'admin', 404],
    ['a renamed repository sends a write elsewhere', (w) => w.renameRepo('acme/app', 'acme/web'), 'admin', 307],
    [
      'a transferred issue sends a write elsewhere',
      (w) =>
        w.transfer('acme/app', 1, 'acme/secret', 'admin', start) && w.setPermission('acme/secret', 'admin', 'read'),
      'admin',
      307,
    ],
    [
      'a transferred issue is not found by those who cannot follow',
      (w) => w.transfer('acme/app', 1, 'acme/secret', 'admin', start),
      'stranger',
      404,
    ],
  ];
  test.each(odd)('%s', (_, happen, viewer, status) => {
    const { world, ask } = aWorld();
    happen(world);
    expect(ask(viewer, `POST ${app}/issues/1/comments`, { body: 'x' }).status).toBe(status);
  });

  test('a renamed repository answers 301 with its number until another takes the name', () => {
    const { world, ask } = aWorld();
    const { id } = world.state.repos.values().next().value!;
    world.renameRepo('acme/app', 'acme/web');
    const moved = ask('write', `GET ${app}/issues?labels=Ready`);
    expect(moved.status).toBe(301);
    expect(moved.headers['location']).toBe(`http://127.0.0.1:1/repositories/${id}/issues?labels=Ready`);
    expect(ask('write', `GET /repositories/${id}/issues`).status).toBe(200);
    expect(ask('write', 'GET /repos/acme/WEB').body).toMatchObject({ id, full_name: 'acme/web' });
    world.addRepo('acme/app', { permissions: { write: 'write' } });
    expect(ask('write', `GET ${app}`).body.id).not.toBe(id);
  });

  test('labels survive a transfer where the target knows their names, without an event', () => {
    const { world, ask } = aWorld();
    world.addRepo('acme/other');
    world.addLabel('acme/other', { name: 'ready' });
    for (const name of ['ready', 'unknown']) world.label('acme/app', 1, name, 'write', start);
    world.transfer('acme/app', 1, 'acme/other', 'admin', start + minute);
    expect(ask('write', 'GET /repos/acme/other/issues/1').body.labels).toMatchObject([{ name: 'ready' }]);
    expect(ask('write', 'GET /repos/acme/other/issues/1/events').body).toMatchObject([{ event: 'transferred' }]);
  });

  test('a text may have 65,536 characters and no more', () => {
    const { ask } = aWorld();
    const send = (body: string) => ask('write', `POST ${app}/issues/1/comments`, { body });
    for (const one of ['x', '🌈']) {
      expect(send(one.repeat(65_536)).status).toBe(201);
      expect(send(one.repeat(65_537))).toMatchObject({ status: 422, body: { errors: [{ field: 'body' }] } });
    }
  });
});

test('a list holds pull requests too, filters by all labels and without case, and counts blockers', () => {
  const { world, ask } = aWorld();
  for (const title of ['second', 'third'])
    world.openIssue('acme/app', { author: 'write', title, labels: ['Ready', 'Bug'] }, start);
  world.push('acme/app', { actor: 'write', branch: 'fix', commits: [{ message: 'x' }] }, start);
  world.openPull('acme/app', { author: 'write', title: 'Fix', body: 'Fixes #1', head: 'fix' }, start);
  world.label('acme/app', 4, 'bug', 'write', start);
  world.addBlocker('acme/app', 2, { number: 1 });
  world.addBlocker('acme/app', 2, { number: 3 });
  world.close('acme/app', 3, 'write', start);
  world.addSubIssue('acme/app', 1, { number: 3 });
  const numbers = (query: string): number[] =>
    ask('write', `GET ${app}/issues?${query}`).body.map((issue: { number: number }) => issue.number);
  expect(numbers('direction=asc')).toEqual([1, 2, 4]);
  expect(numbers('labels=bug&state=all&direction=asc')).toEqual([2, 3, 4]);
  expect(numbers('labels=bug,READY&state=all&direction=asc')).toEqual([2, 3]);
  expect(numbers('labels=unheard-of')).toEqual([]);
  expect(ask('write', `GET ${app}/issues/4`).body).toHaveProperty('pull_request');
  expect(ask('write', `GET ${app}/issues/2`).body.issue_dependencies_summary).toMatchObject({
    blocked_by: 1,
    total_blocked_by: 2,
  });
  expect(ask('write', `GET ${app}/issues/1`).body.sub_issues_summary).toMatchObject({ total: 1, completed: 1 });
  expect(ask('write', `GET ${app}/issues/1/timeline`).body).toMatchObject([
    { event: 'cross-referenced', source: { issue: { number: 4 } } },
  ]);
});

test('labels move updated_at, blockers and sub-issues do not', () => {
  const { world, ask } = aWorld();
  world.openIssue('acme/app', { author: 'write', title: 'second' }, start);
  const updated = (): string => ask('write', `GET ${app}/issues/1`).body.updated_at;
  const before = updated();
  world.settle(start + minute);
  world.addBlocker('acme/app', 1, { number: 2 });
  world.addSubIssue('acme/app', 1, { number: 2 });
  expect(updated()).toBe(before);
  world.label('acme/app', 1, 'ready', 'write', start + minute);
  expect(updated()).toBe('2026-03-01T09:01:00Z');
});

test('a reason to close counts only when the state changes', () => {
  const { ask } = aWorld();
  ask('write', `PATCH ${app}/issues/1`, { state: 'closed', state_reason: 'not_planned' });
  expect(ask('write', `PATCH ${app}/issues/1`, { state: 'closed', state_reason: 'completed' }).body.state_reason).toBe(
    'not_planned',
  );
  expect(ask('write', `PATCH ${app}/issues/1`, { state_reason: 'duplicate' }).body.state_reason).toBe('not_planned');
});
