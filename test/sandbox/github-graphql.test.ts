import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../lib/sandbox/github-graphql-cost.ts';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { askGithub, graphqlOf } from '../support/github-ask.ts';
import { detailQuery, finishMutation, scanQuery, startMutation, watchQuery } from '../support/github-tour-queries.ts';

const start = Date.parse('2026-03-01T09:00:00Z');
const minute = 60_000;

const aWorld = () => {
  const world = githubWorld({ at: start });
  world.addUser('maintainer', { token: 't' });
  world.addUser('stranger', { token: 's' });
  world.addUser('helper[bot]', { type: 'Bot', token: 'h' });
  const repo = world.addRepo('acme/app', { permissions: { maintainer: 'write', 'helper[bot]': 'write' } });
  const secret = world.addRepo('acme/secret', { private: true, permissions: { maintainer: 'read' } });
  const ready = world.addLabel('acme/app', { name: 'ready-for-agent' });
  const issue = world.openIssue('acme/app', { author: 'stranger', title: 'It breaks', body: 'Often.' }, start);
  world.label('acme/app', 1, 'ready-for-agent', 'maintainer', start + minute);
  const run = graphqlOf(askGithub(world));
  const detail = () => run('t', detailQuery, { ids: [issue.nodeId] }).body.data.nodes[0];
  return { world, repo, secret, ready, issue, run, detail };
};

describe('what a query costs', () => {
  const ids = (count: number) => ({ ids: Array.from({ length: count }, (_, index) => `R_${index}`) });
  const rows = [
    ['a scan of one repository', scanQuery, ids(1), 1],
    ['a scan of a hundred, with three connections each', scanQuery, ids(100), 3],
    ['a detail of one issue', detailQuery, ids(1), 1],
    ['a detail of twenty', detailQuery, ids(20), 2],
    ['a watch', watchQuery, {}, 1],
    ['a mutation', startMutation, {}, 1],
    ['next to nothing', 'query { rateLimit { cost } }', {}, 1],
  ] as const;
  test.each(rows)('%s', (_, query, variables, cost) => {
    expect(costOf(parse(query), variables).cost).toBe(cost);
  });

  test('only the number of parents counts, through fragments and variables', () => {
    const query = `query ($n: Int!) { nodes(ids: ["a", "b"]) { ...r } }
      fragment r on Repository { issues(first: $n) { nodes { labels(last: 5) { nodes { name } } } } }`;
    // Two requests for the issues, two hundred for their labels; 2 + 200 + 1000 nodes.
    expect(costOf(parse(query), { n: 100 })).toEqual({ cost: 2, nodes: 1202 });
  });
});

describe('what is missing', () => {
  test('is null in its place, with an error that has type and path; the rest is there', () => {
    const { repo, secret, run } = aWorld();
    const answer = run('s', scanQuery, { ids: ['R_gone', repo.nodeId, secret.nodeId] });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        data: { nodes: [null, { nameWithOwner: 'acme/app' }, null] },
        errors: [
          { type: 'NOT_FOUND', path: ['nodes', 0] },
          { type: 'NOT_FOUND', path: ['nodes', 2] },
        ],
      },
    });
  });

  test.each(['deleted', 'transferred'])('an issue that was %s is no node any more', (fate) => {
    const { world, issue, run } = aWorld();
    if (fate === 'deleted') world.deleteIssue('acme/app', 1);
    else world.transfer('acme/app', 1, 'acme/secret', 'maintainer', start);
    expect(run('t', detailQuery, { ids: [issue.nodeId] }).body).toMatchObject({
      data: { nodes: [null] },
      errors: [{ type: 'NOT_FOUND' }],
    });
  });

  test('a repository keeps its node through a rename', () => {
    const { world, repo, run } = aWorld();
    world.renameRepo('acme/app', 'acme/web');
    expect(run('t', scanQuery, { ids: [repo.nodeId] }).body.data.nodes[0].nameWithOwner).toBe('acme/web');
    const byName =
      'query ($follow: Boolean) { repository(owner: "acme", name: "app", followRenames: $follow) { nameWithOwner } }';
    expect(run('t', byName).body.data.repository.nameWithOwner).toBe('acme/web');
    expect(run('t', byName, { follow: false }).body.errors).toMatchObject([
      { type: 'NOT_FOUND', path: ['repository'] },
    ]);
  });
});

describe('what is too much', () => {
  const rows = [
    ['101 ids', scanQuery, { ids: Array.from({ length: 101 }, () => 'R_x') }, 'ARGUMENT_LIMIT'],
    [
      'a page of 101',
      '{ repository(owner: "acme", name: "app") { issues(first: 101) { totalCount } } }',
      {},
      'EXCESSIVE_PAGINATION',
    ],
    [
      'no bound at all',
      '{ repository(owner: "acme", name: "app") { issues { totalCount } } }',
      {},
      'MISSING_PAGINATION_BOUNDARIES',
    ],
  ] as const;
  test.each(rows)('%s is refused by name', (_, query, variables, type) => {
    expect(aWorld().run('t', query, variables).body.errors).toMatchObject([{ type }]);
  });
});

describe('the history of a text', () => {
  test('a body that was never edited has none', () => {
    expect(aWorld().detail()).toMatchObject({
      lastEditedAt: null,
      includesCreatedEdit: false,
      userContentEdits: { totalCount: 0 },
    });
  });

  test('edits come newest first, the creation last, and are no timeline events', () => {
    const { world, detail } = aWorld();
    world.editBody('acme/app', 1, 'Never.', 'stranger', start + 2 * minute);
    world.editBody('acme/app', 1, 'Often!', 'maintainer', start + 3 * minute);
    const seen = detail();
    expect(seen).toMatchObject({
      body: 'Often!',
      lastEditedAt: '2026-03-01T09:03:00Z',
      editor: { login: 'maintainer' },
    });
    expect(seen.userContentEdits).toMatchObject({
      totalCount: 3,
      nodes: [
        { editedAt: '2026-03-01T09:03:00Z', editor: { login: 'maintainer' } },
        { editedAt: '2026-03-01T09:02:00Z', editor: { login: 'stranger' } },
        { editedAt: '2026-03-01T09:00:00Z', editor: { login: 'stranger' } },
      ],
    });
    expect(seen.trust.nodes).toHaveLength(1);
  });

  test('a title that was changed is a timeline event, and no edit', () => {
    const { world, detail } = aWorld();
    world.editTitle('acme/app', 1, 'It sings', 'stranger', start + 2 * minute);
    expect(detail()).toMatchObject({
      lastEditedAt: null,
      trust: {
        nodes: [
          {},
          {
            __typename: 'RenamedTitleEvent',
            previousTitle: 'It breaks',
            currentTitle: 'It sings',
            actor: { login: 'stranger' },
          },
        ],
      },
    });
  });

  test('a label is the label as it is now, by id, also in old events', () => {
    const { world, ready, detail } = aWorld();
    world.renameLabel('acme/app', 'ready-for-agent', 'go');
    expect(detail().trust.nodes[0].label).toEqual({ id: ready.nodeId, name: 'go' });
  });
});

test('a blocker the viewer cannot see is counted and not listed', () => {
  const { world, issue, run } = aWorld();
  world.openIssue('acme/secret', { author: 'maintainer', title: 'hidden' }, start);
  world.addBlocker('acme/app', 1, { repo: 'acme/secret', number: 1 });
  const seen = (token: string) => run(token, detailQuery, { ids: [issue.nodeId] }).body.data.nodes[0];
  expect(seen('s')).toMatchObject({ issueDependenciesSummary: { blockedBy: 1 }, blockedBy: { nodes: [] } });
  expect(seen('t')).toMatchObject({
    issueDependenciesSummary: { blockedBy: 1 },
    blockedBy: { nodes: [{ number: 1, repository: { isPrivate: true } }] },
  });
});

test('the newest fifty of a long history come with the word that there is more', () => {
  const { world, detail } = aWorld();
  for (let n = 0; n < 30; n += 1) {
    world.unlabel('acme/app', 1, 'ready-for-agent', 'maintainer', start + n * minute);
    world.label('acme/app', 1, 'ready-for-agent', 'maintainer', start + n * minute);
  }
  const { trust } = detail();
  expect(trust.nodes).toHaveLength(50);
  expect(trust.pageInfo.hasPreviousPage).toBe(true);
  expect(trust.nodes.at(-1)).toMatchObject({ __typename: 'LabeledEvent', createdAt: '2026-03-01T09:29:00Z' });
});

test('a bot is named without its suffix, as the author of what it wrote', () => {
  const { world, issue, run } = aWorld();
  run('h', startMutation, { issue: issue.nodeId, add: [], body: 'Working on it.' });
  const { comments } = run('h', detailQuery, { ids: [issue.nodeId] }).body.data.nodes[0];
  expect(comments.nodes).toMatchObject([{ author: { __typename: 'Bot', login: 'helper' }, viewerDidAuthor: true }]);
  expect(world.state.comments.size).toBe(1);
});

describe('a mutation', () => {
  test('goes on behind a part that fails, and says which', () => {
    const { world, issue, ready, run } = aWorld();
    const answer = run('h', finishMutation, {
      issue: issue.nodeId,
      comment: 'IC_gone',
      add: [],
      remove: [ready.nodeId],
      body: 'x',
    });
    expect(answer.body.errors).toMatchObject([{ type: 'NOT_FOUND', path: ['edit'] }]);
    expect(answer.body.data).toMatchObject({
      edit: null,
      close: { issue: { state: 'CLOSED', stateReason: 'COMPLETED' } },
    });
    expect(issue.labels).toEqual([]);
    expect(world.state.repos.size).toBe(2);
  });

  test('takes off a label that is not on without complaint', () => {
    const { issue, ready, run } = aWorld();
    const remove =
      'mutation ($i: ID!, $l: [ID!]!) { removeLabelsFromLabelable(input: { labelableId: $i, labelIds: $l }) { clientMutationId } }';
    const twice = [1, 2].map(() => run('h', remove, { i: issue.nodeId, l: [ready.nodeId] }).body.errors);
    expect(twice).toEqual([undefined, undefined]);
  });

  test.each([
    ['without the right to', 's', 'FORBIDDEN'],
    ['on an archived repository', 't', 'FORBIDDEN'],
  ])('is refused %s', (_, token, type) => {
    const { world, issue, ready, run } = aWorld();
    if (token === 't') world.archiveRepo('acme/app');
    const { errors } = run(token, startMutation, { issue: issue.nodeId, add: [ready.nodeId], body: 'x' }).body;
    expect(errors.at(-1)).toMatchObject({ type, path: ['add'] });
  });

  test('with a text too long is refused', () => {
    const { issue, run } = aWorld();
    const { errors } = run('t', startMutation, { issue: issue.nodeId, add: [], body: 'x'.repeat(65_537) }).body;
    expect(errors).toMatchObject([
      { type: 'UNPROCESSABLE', path: ['comment'], message: expect.stringContaining('too long') },
    ]);
  });
});

describe('a mutation is refused what REST is refused', () => {
  const comment =
    'mutation ($i: ID!, $b: String!) { addComment(input: { subjectId: $i, body: $b }) { subject { id } } }';
  const errorOf = (answer: ReturnType<ReturnType<typeof graphqlOf>>) => answer.body.errors[0];

  test('a comment on a locked issue, from those who may not push', () => {
    const { world, issue, run } = aWorld();
    world.lock('acme/app', 1, 'maintainer', start);
    expect(errorOf(run('s', comment, { i: issue.nodeId, b: 'Me too.' }))).toMatchObject({ type: 'FORBIDDEN' });
    expect(run('t', comment, { i: issue.nodeId, b: 'Quiet.' }).body.errors).toBeUndefined();
  });

  test('a comment that says nothing', () => {
    const { issue, run } = aWorld();
    expect(errorOf(run('t', comment, { i: issue.nodeId, b: ' \n' }))).toMatchObject({ type: 'UNPROCESSABLE' });
  });

  test('anything where issues are switched off', () => {
    const { world, issue, run } = aWorld();
    world.setIssuesEnabled('acme/app', false);
    expect(errorOf(run('t', comment, { i: issue.nodeId, b: 'x' }))).toMatchObject({
      message: 'Issues are disabled for this repo',
    });
  });

  test('a label of another repository, and then none of the others goes on either', () => {
    const { world, issue, run } = aWorld();
    world.setPermission('acme/secret', 'maintainer', 'write');
    const [foreign, own] = [
      world.addLabel('acme/secret', { name: 'ours' }),
      world.addLabel('acme/app', { name: 'own' }),
    ];
    const add = [own.nodeId, foreign.nodeId];
    const answer = run('t', startMutation, { issue: issue.nodeId, add, body: 'x' });
    expect(answer.body.errors).toMatchObject([{ type: 'NOT_FOUND', path: ['add'] }]);
    expect(issue.labels.map(({ name }) => name)).toEqual(['ready-for-agent']);
  });

  test("somebody else's comment, without the right to push", () => {
    const { world, issue, ready, run } = aWorld();
    const theirs = world.comment('acme/app', 1, 'Mine.', 'maintainer', start);
    const { errors } = run('s', finishMutation, {
      ...{ issue: issue.nodeId, comment: theirs.nodeId, add: [], remove: [ready.nodeId], body: 'Not yours.' },
    }).body;
    expect(errors.map(({ type, path }: { type: string; path: string[] }) => [type, ...path])).toEqual([
      ['FORBIDDEN', 'edit'],
      ['FORBIDDEN', 'add'],
      ['FORBIDDEN', 'remove'],
    ]);
    expect([theirs.body, issue.state]).toEqual(['Mine.', 'closed']);
  });
});

test('a closing commit is the closer of the event', () => {
  const { world, run } = aWorld();
  const { after } = world.push(
    'acme/app',
    { actor: 'maintainer', commits: [{ message: 'Fixes #1' }] },
    start + 2 * minute,
  );
  const { issue } = run('t', watchQuery, { owner: 'acme', repo: 'app', oid: after, number: 1 }).body.data.repository;
  expect(issue.timelineItems.nodes).toMatchObject([
    { __typename: 'ReferencedEvent', commit: { oid: after } },
    { __typename: 'ClosedEvent', actor: { login: 'maintainer' }, closer: { __typename: 'Commit', oid: after } },
  ]);
});

test('a pull request that names the issue shows on it, and closes it when merged', () => {
  const { world, run } = aWorld();
  const { after } = world.push(
    'acme/app',
    { actor: 'helper[bot]', branch: 'fix', commits: [{ message: 'try' }] },
    start,
  );
  const pull = world.openPull(
    'acme/app',
    { author: 'helper[bot]', title: 'Fix', body: 'Fixes #1', head: 'fix' },
    start,
  );
  const nodes = () =>
    run('t', watchQuery, { owner: 'acme', repo: 'app', oid: after, number: 1 }).body.data.repository.issue.timelineItems
      .nodes;
  expect(nodes()).toMatchObject([
    {
      __typename: 'CrossReferencedEvent',
      willCloseTarget: true,
      source: { number: pull.number, headRefName: 'fix', state: 'OPEN' },
    },
  ]);
  world.mergePull('acme/app', pull.number, 'maintainer', start + 3 * minute);
  expect(nodes().at(-1)).toMatchObject({ closer: { __typename: 'PullRequest', number: pull.number } });
});

test('a field nobody modelled is an error, never a quiet null', () => {
  const { world } = aWorld();
  const ask = graphqlOf(askGithub(world));
  expect(() => ask('t', '{ repository(owner: "acme", name: "app") { forkCount stargazerCount } }')).toThrow(
    'does not model',
  );
});
