import { describe, expect, test } from 'vitest';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { askGithub } from '../support/github-ask.ts';

const start = Date.parse('2026-03-01T09:00:00Z');
const minute = 60_000;
const app = '/repos/acme/app';

const aWorld = () => {
  const world = githubWorld({ at: start });
  world.addUser('maintainer', { token: 't' });
  world.addUser('helper[bot]', { type: 'Bot' });
  const repo = world.addRepo('acme/app', { permissions: { maintainer: 'write' } });
  const issue = world.openIssue('acme/app', { author: 'maintainer', title: 'It breaks' }, start);
  const ask = askGithub(world);
  const push = (messages: readonly string[], more: Partial<Parameters<typeof world.push>[1]> = {}) =>
    world.push(
      'acme/app',
      { actor: 'maintainer', commits: messages.map((message) => ({ message })), ...more },
      world.state.at + minute,
    );
  return { world, repo, issue, ask: (route: string) => ask('t', route), push };
};

describe('a comparison', () => {
  const rows: readonly [string, (story: ReturnType<typeof aWorld>) => string, string, string[], number][] = [
    ['is identical with itself', () => 'main...main', 'identical', [], 0],
    [
      'is ahead of an ancestor, oldest first',
      ({ push }) => `${push(['a', 'b']).before}...main`,
      'ahead',
      ['a', 'b'],
      0,
    ],
    ['is behind a descendant', ({ push }) => `main...${push(['a', 'b']).before}`, 'behind', [], 2],
    [
      'is diverged after a rewrite',
      ({ push }) => {
        const { after } = push(['a']);
        push(['b'], { force: true });
        return `${after}...main`;
      },
      'diverged',
      ['b'],
      1,
    ],
    [
      'holds what a merge brought in',
      ({ push }) => {
        const { before } = push(['a']);
        push(['b'], { branch: 'fix' });
        push(['c'], { mergeOnTop: 'fix' });
        return `${before}...main`;
      },
      'ahead',
      ['a', 'b', 'c', "Merge branch 'fix'"],
      0,
    ],
  ];
  test.each(rows)('%s', (_, ends, status, messages, behind) => {
    const story = aWorld();
    const { body } = story.ask(`GET ${app}/compare/${ends(story)}`);
    expect(body).toMatchObject({ status, behind_by: behind, ahead_by: messages.length });
    expect(body.commits.map((one: { commit: { message: string } }) => one.commit.message)).toEqual(messages);
  });

  test('with an unknown end is a 404', () => {
    expect(aWorld().ask(`GET ${app}/compare/${'1'.repeat(40)}...main`).status).toBe(404);
  });

  test('has 250 commits at once, and all of them by pages', () => {
    const { ask, push } = aWorld();
    const { before } = push(Array.from({ length: 260 }, (_, index) => `c${index}`));
    expect(ask(`GET ${app}/compare/${before}...main`).body).toMatchObject({ ahead_by: 260, total_commits: 260 });
    expect(ask(`GET ${app}/compare/${before}...main`).body.commits).toHaveLength(250);
    const third = ask(`GET ${app}/compare/${before}...main?per_page=100&page=3`);
    expect(third.body.commits).toHaveLength(60);
    expect(third.headers['link']).toContain('rel="prev"');
    expect(third.headers['link']).not.toContain('rel="next"');
  });
});

describe('a push', () => {
  test('is one entry in the activity log, with its ends, its actor and its kind, newest first', () => {
    const { ask, push } = aWorld();
    const first = push(['a', 'b']);
    push(['c'], { branch: 'fix', actor: 'helper[bot]' });
    const forced = push(['d'], { force: true });
    const all = ask(`GET ${app}/activity`).body;
    expect(all).toMatchObject([
      { activity_type: 'force_push', before: first.after, after: forced.after },
      {
        activity_type: 'branch_creation',
        ref: 'refs/heads/fix',
        before: '0'.repeat(40),
        actor: { login: 'helper[bot]' },
      },
      { activity_type: 'push', before: first.before, after: first.after, actor: { login: 'maintainer' } },
    ]);
    expect(ask(`GET ${app}/activity?ref=refs/heads/main`).body).toHaveLength(2);
    expect(ask(`GET ${app}/activity?ref=main&activity_type=push`).body).toHaveLength(1);
    const page = ask(`GET ${app}/activity?per_page=2`);
    const next = /<http:\/\/127\.0\.0\.1:1(\/[^>]+)>; rel="next"/.exec(page.headers['link'] ?? '')?.[1];
    expect(ask(`GET ${next}`).body).toMatchObject([{ activity_type: 'push' }]);
  });

  test('with a closing keyword closes when it reaches the default branch, naming the commit', () => {
    const { ask, push, issue, world } = aWorld();
    push(['Closes #1'], { branch: 'fix' });
    expect(issue.state).toBe('open');
    const { after } = push(['Mend\n\nFixes: #1']);
    expect(issue).toMatchObject({ state: 'closed', stateReason: 'completed', closedAt: world.state.at });
    const kinds = ask(`GET ${app}/issues/1/events`).body.map((one: { event: string; commit_id: string }) => [
      one.event,
      one.commit_id,
    ]);
    expect(kinds.slice(1)).toEqual([
      ['referenced', after],
      ['closed', after],
    ]);
  });

  test('with a mere mention closes nothing', () => {
    const { ask, push, issue } = aWorld();
    push(['Refs #1, for acme/app#1 and not the prefix#1 or #12']);
    expect(issue.state).toBe('open');
    expect(ask(`GET ${app}/issues/1/events`).body).toMatchObject([{ event: 'referenced' }]);
  });

  test('is refused by an archived repository', () => {
    const { push, world } = aWorld();
    world.archiveRepo('acme/app');
    expect(() => push(['a'])).toThrow('archived');
  });
});

test('a commit is found by sha, short sha and branch; another ref is a 422', () => {
  const { ask, push } = aWorld();
  const { after } = push(['a'], { branch: 'feature/x' });
  for (const ref of [after, after.slice(0, 8), 'feature/x', 'heads/feature/x']) {
    expect(ask(`GET ${app}/commits/${ref}`).body.sha, ref).toBe(after);
  }
  expect(ask(`GET ${app}/branches/feature/x`).body.commit.sha).toBe(after);
  expect(ask(`GET ${app}/commits/nowhere`).status).toBe(422);
  expect(ask(`GET ${app}/commits/feature/x/status`).status).toBe(200);
});

test('the same story gives the same shas and ids, another message another sha', () => {
  const [one, two, other] = [
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'c'],
  ].map((messages) => aWorld().push(messages));
  expect(one).toEqual(two);
  expect(other?.after).not.toBe(one?.after);
});

test('renaming the default branch keeps the commits', () => {
  const { ask, push, world } = aWorld();
  const { after } = push(['a']);
  world.renameDefaultBranch('acme/app', 'trunk');
  expect(ask(`GET ${app}`).body.default_branch).toBe('trunk');
  expect(ask(`GET ${app}/branches/trunk`).body.commit.sha).toBe(after);
  expect(ask(`GET ${app}/branches/main`).status).toBe(404);
});
