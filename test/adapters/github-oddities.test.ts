import { describe, expect, test } from 'vitest';
import { githubClient } from '../../lib/adapters/github-client.ts';
import { githubForge } from '../../lib/adapters/github-forge.ts';
import { githubTracker } from '../../lib/adapters/github-tracker.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import type { Mirror } from '../../lib/core/mirror.ts';
import { shipped } from '../../lib/core/settings-schema.ts';
import { judgeTrust } from '../../lib/core/trust.ts';
import type { Fault, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import { readyIssue, shopRef, shopWorld } from '../contract/tracker-contract.ts';
import { startGithub } from '../support/github-stand-in.ts';

// What GitHub answers when it is not at its best, or when somebody wants it to look as if.

type Rule = (request: HttpRequest, world: ReturnType<typeof shopWorld>) => Fault | undefined;

const odd = async (rule: Rule = () => undefined) => {
  const world = shopWorld();
  const issue = readyIssue(world);
  const now = (): number => world.state.at;
  let current = rule;
  const server = await startGithub(world, { now, fault: (request) => current(request, world) });
  const client = githubClient({ token: 'afk-token', baseUrl: server.url, writeSpacingMs: 0, now });
  const watched = watchMemory(now);
  const become = (next: Rule): void => {
    current = next;
  };
  const written = (): string[] =>
    server.requests.map(({ request }) => request).flatMap((request) => writeIn(request) ?? []);
  return {
    world,
    issue,
    repo: shopRef(world),
    tracker: githubTracker({ client, watched }),
    forge: githubForge({ client, watched }),
    become,
    server,
    written,
  };
};

/** What a request writes: its method and path, or the parts of its mutation; null where it only reads. */
const writeIn = ({ method, path, body }: HttpRequest): string | null => {
  if (path !== '/graphql') return method === 'GET' ? null : `${method} ${path}`;
  const { query } = JSON.parse(body) as { query: string };
  const parts = [...query.matchAll(/^ {2}\w+: (\w+)/gm)].map(([, field]) => field);
  return query.startsWith('mutation') ? parts.join(', ') : null;
};

const answered = (body: unknown, status = 200): Fault => ({ status, body });
const queried = (request: HttpRequest, name: string): boolean => request.body.includes(`query ${name}`);
const on =
  (method: string, path: RegExp, fault: Fault): Rule =>
  (request) =>
    request.method === method && path.test(request.path) ? fault : undefined;

const marker = '<!-- afk:0123456789abcdef -->';
const mirror: Mirror = {
  labels: { add: ['agent-in-progress'], remove: [] },
  comment: { marker, body: `${marker}\nAt work.\n` },
  state: 'as is',
};

const row = (number: number, change: object = {}): object => ({
  ...{ node_id: `I_${number}`, number, title: 'Cart', body: 'Text', state: 'open', updated_at: '2026-03-02T08:00:00Z' },
  labels: [{ name: 'Ready-For-Agent' }],
  ...change,
});

const listing = (...rows: unknown[]): Rule => on('GET', /\/issues\?/, answered(rows));

describe('lists of issues', () => {
  test('a row without a body, without counts and with bare labels is read all the same', async () => {
    const { tracker, repo } = await odd(listing(row(1, { body: null, labels: ['ready-for-agent', { name: null }] })));
    expect(await tracker.listReady(repo, 'ready-for-agent')).toEqual([
      {
        ...{ nodeId: 'I_1', number: 1, title: 'Cart', body: '', labels: ['ready-for-agent', ''], isPullRequest: false },
        ...{ updatedAt: '2026-03-02T08:00:00Z', locked: false, openBlockers: null, openSubIssues: 0 },
      },
    ]);
  });

  test('a row that makes no sense hides no other', async () => {
    const { tracker, repo } = await odd(listing(null, 'x', row(1, { number: 'one' }), row(2), { labels: null }));
    expect((await tracker.listReady(repo, 'ready-for-agent')).map(({ number }) => number)).toEqual([2]);
  });

  test('a list with a row that makes no sense is not whole: that row may be of any issue', async () => {
    const issue = ({ repo }: { repo: unknown }) => ({ repo, number: 2, nodeId: 'I_2' });
    for (const odder of [null, 'x', row(1, { number: 'one' }), { labels: null }]) {
      const { tracker, repo } = await odd(listing(odder, row(2)));
      expect(await tracker.listLabelled(repo, 'ready-for-agent')).toEqual({ issues: [issue({ repo })], whole: false });
    }
    const { tracker, repo } = await odd(listing(row(1, { labels: [] }), row(2)));
    expect(await tracker.listLabelled(repo, 'ready-for-agent')).toEqual({ issues: [issue({ repo })], whole: true });
  });

  test('a row without the label is left out, whatever was asked for', async () => {
    const { tracker, repo } = await odd(
      listing(row(1, { labels: [] }), row(2), row(3, { labels: [{ name: 'ready' }] })),
    );
    expect((await tracker.listReady(repo, 'ready-for-agent')).map(({ number }) => number)).toEqual([2]);
  });

  test('a body of a megabyte comes whole', async () => {
    const body = 'å'.repeat(1_000_000);
    const { tracker, repo } = await odd(listing(row(1, { body })));
    expect((await tracker.listReady(repo, 'ready-for-agent'))[0]?.body).toBe(body);
  });

  test('issues that were switched off, and a repo that vanished, are refusals', async () => {
    const { world, tracker, repo } = await odd();
    world.setIssuesEnabled('acme/shop', false);
    await expect(tracker.listReady(repo, 'ready-for-agent')).rejects.toMatchObject({ kind: 'refused' });
    world.deleteRepo('acme/shop');
    await expect(tracker.listReady(repo, 'ready-for-agent')).rejects.toMatchObject({ kind: 'refused' });
  });

  test('a scan keeps the rows it got when others failed', async () => {
    const good = {
      ...{ id: 'R_1', databaseId: 7, nameWithOwner: 'acme/shop', isArchived: false, isDisabled: true },
      ...{ hasIssuesEnabled: true, defaultBranchRef: null, issues: { totalCount: 3 } },
    };
    const errors = [{ type: 'SERVICE_UNAVAILABLE', message: 'Try later', path: ['nodes', 1, 'issues'] }];
    const { tracker, repo } = await odd(() =>
      answered({ data: { nodes: [good, { ...good, issues: null }, null, {}] }, errors }),
    );
    expect(await tracker.scan([repo], 'ready-for-agent')).toEqual([
      {
        ...{ id: '7', nodeId: 'R_1', name: 'acme/shop', archived: true, issuesEnabled: true },
        ...{ defaultBranch: null, readyCount: 3 },
      },
    ]);
  });
});

describe('the detail decides on trust, so it is whole or none', () => {
  const node = {
    ...{
      __typename: 'Issue',
      id: 'I_1',
      number: 1,
      url: 'https://github.com/acme/shop/issues/1',
      title: 'Cart',
      body: null,
    },
    ...{ state: 'OPEN', locked: false, updatedAt: '2026-03-02T08:00:00Z', lastEditedAt: null, author: null },
    repository: {
      ...{ id: 'R_1', databaseId: 7, nameWithOwner: 'acme/shop', isArchived: false, isDisabled: false },
      defaultBranchRef: { name: 'main', target: { oid: 'a'.repeat(40) } },
    },
    labels: { nodes: [] },
    trust: { pageInfo: { hasPreviousPage: false }, nodes: [] },
    userContentEdits: null,
    issueDependenciesSummary: { blockedBy: 0 },
    blockedBy: { nodes: [] },
    subIssuesSummary: { total: 0, completed: 0 },
  };
  const showing =
    (change: object, errors?: unknown): Rule =>
    (request) =>
      queried(request, 'Detail')
        ? answered({ data: { node: { ...node, ...change } }, ...(errors ? { errors } : {}) })
        : undefined;

  test.each([
    ['archived', { isArchived: true }],
    ['switched off by the tracker', { isDisabled: true }],
  ])('a repo that is %s counts as archived, which trust refuses by row 17', async (_, change) => {
    const { tracker, issue } = await odd(showing({ repository: { ...node.repository, ...change } }));
    const detail = await tracker.detail(issue, 'ready-for-agent');
    expect(detail).toMatchObject({ archived: true });
    const policy = { ...shipped, readyLabel: 'ready-for-agent' };
    expect(judgeTrust(detail!, new Map(), policy)).toMatchObject({ trusted: false, row: 17 });
  });

  test('an issue nobody edited needs no list of edits, and a body of nothing is empty', async () => {
    const { tracker, issue } = await odd(showing({}));
    const detail = await tracker.detail(issue, 'ready-for-agent');
    expect(detail).toMatchObject({ body: '', author: null, edits: { complete: true, list: [] }, labelling: null });
  });

  test.each([
    ['the list is missing', { userContentEdits: null }],
    ['the list is empty', { userContentEdits: { totalCount: 0, nodes: [] } }],
    ['an edit is hidden', { userContentEdits: { totalCount: 1, nodes: [null] } }],
    ['the list has no rows', { userContentEdits: { totalCount: 2, nodes: null } }],
    [
      'the newest is lost, count and all',
      { userContentEdits: { totalCount: 1, nodes: [{ editedAt: '2026-03-02T07:59:00Z', editor: null }] } },
    ],
  ])('an edited body is not trusted where %s', async (_why, change) => {
    const { tracker, issue } = await odd(showing({ lastEditedAt: '2026-03-02T08:00:00Z', ...change }));
    expect((await tracker.detail(issue, 'ready-for-agent'))?.edits.complete).toBe(false);
  });

  test.each([
    ['one is null', { pageInfo: { hasPreviousPage: false }, nodes: [null] }],
    [
      'one has no instant',
      {
        pageInfo: { hasPreviousPage: false },
        nodes: [{ __typename: 'RenamedTitleEvent', id: 'E', createdAt: 'soon', actor: null }],
      },
    ],
    [
      'one is of a kind nobody knows',
      { pageInfo: { hasPreviousPage: false }, nodes: [{ __typename: 'NewEvent', id: 'E' }] },
    ],
    ['there is no list', { pageInfo: { hasPreviousPage: false }, nodes: null }],
  ])('the events have a hole where %s', async (_why, trust) => {
    const { tracker, issue } = await odd(showing({ trust }));
    const { events } = (await tracker.detail(issue, 'ready-for-agent')) ?? {};
    expect(events).toEqual({ complete: true, hasHole: true, list: [] });
  });

  test('the events are incomplete where there are older ones', async () => {
    const { tracker, issue } = await odd(showing({ trust: { pageInfo: { hasPreviousPage: true }, nodes: [] } }));
    const { events } = (await tracker.detail(issue, 'ready-for-agent')) ?? {};
    expect(events).toEqual({ complete: false, hasHole: false, list: [] });
  });

  test.each([
    ['unavailable', { type: 'SERVICE_UNAVAILABLE', message: 'Later', path: ['node', 'trust'] }],
    ['unavailable', { message: 'Something went wrong' }],
    ['refused', { type: 'FORBIDDEN', message: 'No', path: ['node', 'userContentEdits'] }],
    ['refused', { type: 'NOT_FOUND', message: 'No', path: ['node', 'labels'] }],
  ])('an error beside the data is %s: %j', async (kind, error) => {
    const { tracker, issue } = await odd(showing({}, [error]));
    await expect(tracker.detail(issue, 'ready-for-agent')).rejects.toMatchObject({ kind });
  });

  test('only blockers may be hidden, since they are counted', async () => {
    const errors = [{ type: 'NOT_FOUND', message: 'No', path: ['node', 'blockedBy', 'nodes', 0, 'repository'] }];
    const change = { issueDependenciesSummary: { blockedBy: 2 }, blockedBy: { nodes: [null] } };
    const { tracker, issue } = await odd(showing(change, errors));
    expect((await tracker.detail(issue, 'ready-for-agent'))?.blockers).toEqual({ openCount: 2, listed: [] });
  });

  test('a shape nobody knows is no answer', async () => {
    const { tracker, issue } = await odd(showing({ issueDependenciesSummary: null }));
    await expect(tracker.detail(issue, 'ready-for-agent')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test.each([
    ['a mannequin', { __typename: 'Mannequin', login: 'old' }, { login: 'old', kind: 'other' }],
    ['an organisation', { __typename: 'Organization', login: 'acme' }, { login: 'acme', kind: 'other' }],
    ['a bot', { __typename: 'Bot', login: 'helper' }, { login: 'helper', kind: 'bot' }],
    ['a word nobody knows', { __typename: 'Robot', login: 'r2' }, { login: 'r2', kind: 'other' }],
  ])('%s is not a user', async (_who, author, actor) => {
    const { tracker, issue } = await odd(showing({ author }));
    expect((await tracker.detail(issue, 'ready-for-agent'))?.author).toEqual(actor);
  });

  test.each([
    ['fails', answered({}, 502), 'unavailable'],
    ['is not allowed', answered({ message: 'Resource not accessible' }, 403), 'refused'],
    ['makes no sense', answered({ events: 'none' }), 'unavailable'],
    ['knows nothing of it', answered([]), 'unavailable'],
  ])('there is none where the further look at how the label was put on %s', async (_how, fault, kind) => {
    const { tracker, issue } = await odd(on('GET', /\/events/, fault));
    await expect(tracker.detail(issue, 'ready-for-agent')).rejects.toMatchObject({ kind });
  });

  test('nothing further is asked of an issue that nobody labelled', async () => {
    const { world, tracker, repo, server } = await odd();
    const { number, nodeId } = world.openIssue('acme/shop', { author: 'stranger', title: 'Plain' }, world.state.at);
    await tracker.detail({ repo, number, nodeId }, 'ready-for-agent');
    expect(server.requests).toHaveLength(1);
  });
});

describe('the watch', () => {
  test('an issue that is found in another repo has moved away', async () => {
    const { world, tracker, issue, repo } = await odd();
    world.addRepo('acme/other');
    expect(await tracker.watch(issue)).not.toBeNull();
    expect(await tracker.watch({ ...issue, repo: { ...repo, id: shopRef(world, 'acme/other').id } })).toBeNull();
  });

  test('what is missing from the answer is no quiet nothing', async () => {
    const error = { message: 'Something went wrong', path: ['node', 'closings'] };
    const { tracker, issue } = await odd(() => answered({ data: { node: { __typename: 'Issue' } }, errors: [error] }));
    await expect(tracker.watch(issue)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('blockers', () => {
  test('fifty are asked at once', async () => {
    const { tracker, server } = await odd();
    await tracker.blockerStates(Array.from({ length: 60 }, (_, i) => `acme/shop#${i + 1}`));
    expect(server.requests).toHaveLength(2);
  });
});

describe('a permission', () => {
  test.each([
    ['maintain', 'write'],
    ['triage', 'read'],
    ['owner', 'none'],
    ['', 'none'],
  ])('that is called %j counts as %s', async (word, level) => {
    const { tracker, repo } = await odd(on('GET', /permission$/, answered({ permission: word, user: null })));
    expect(await tracker.permission(repo, 'maintainer')).toEqual({ level, role: '' });
  });

  test.each([403, 429, 500, 502])(
    'that was not told (%i) is no permission and no refusal of the person',
    async (status) => {
      const { tracker, repo } = await odd(on('GET', /permission$/, answered({ message: 'No' }, status)));
      await expect(tracker.permission(repo, 'maintainer')).rejects.toMatchObject({ name: 'PortError' });
    },
  );
});

describe('the mirror', () => {
  const mutating: (fault: Fault) => Rule = (fault) => (request) =>
    request.body.includes('mutation Mirror') ? fault : undefined;
  const all: Mirror = {
    labels: { add: ['agent-in-progress'], remove: ['ready-for-agent'] },
    comment: mirror.comment,
    state: 'closed',
  };

  test('everything that differs is written in one request, in the order comment, labels, state', async () => {
    const { tracker, issue, written, server } = await odd();
    await tracker.ensureMirror(issue, all, null);
    expect(written()).toEqual(['addComment, addLabelsToLabelable, removeLabelsFromLabelable, closeIssue']);
    expect(server.requests).toHaveLength(2);
  });

  test('a mutation holds only what differs, and an edit says nothing of the issue', async () => {
    const { tracker, issue, written } = await odd();
    const { commentId } = await tracker.ensureMirror(issue, mirror, null);
    const later = { marker, body: `${marker}\nLater.\n` };
    await tracker.ensureMirror(issue, { ...mirror, comment: later }, commentId);
    await tracker.ensureMirror(issue, { ...mirror, comment: later, state: 'closed' }, commentId);
    await tracker.ensureMirror(issue, { ...mirror, comment: later, state: 'open' }, commentId);
    expect(written().slice(1)).toEqual(['updateIssueComment', 'closeIssue', 'reopenIssue']);
  });

  test('a comment whose answer was lost is found instead of written twice', async () => {
    const { world, tracker, issue, become } = await odd(mutating('lost'));
    await expect(tracker.ensureMirror(issue, mirror, null)).rejects.toMatchObject({ kind: 'unavailable' });
    become(() => undefined);
    const { commentId } = await tracker.ensureMirror(issue, mirror, null);
    const bodies = [...world.state.comments.values()].map(({ nodeId, body }) => [nodeId, body]);
    expect(bodies).toEqual([[commentId, `${marker}\nAt work.\n`]]);
  });

  test.each([
    ['without its id', { comment: { commentEdge: { node: null } }, add: null }],
    ['as nothing at all', { comment: null, add: null }],
    ['as something else', { comment: [{ id: 1 }], add: null }],
  ])('a comment that comes back %s is not taken for one', async (_how, data) => {
    const { tracker, issue } = await odd(mutating(answered({ data })));
    await expect(tracker.ensureMirror(issue, mirror, null)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('nothing is written where everything is as it should be', async () => {
    const { tracker, issue, written, server } = await odd();
    const first = await tracker.ensureMirror(issue, mirror, null);
    const before = written();
    expect(before).toEqual(['addComment, addLabelsToLabelable']);
    const asked = server.requests.length;
    await tracker.ensureMirror(issue, mirror, first.commentId);
    expect(written()).toEqual(before);
    expect(server.requests.length - asked).toBe(1);
  });

  test('line ends and trailing space that GitHub changed are no difference', async () => {
    const { world, tracker, issue, written } = await odd();
    const { commentId } = await tracker.ensureMirror(issue, mirror, null);
    const before = written();
    const [comment] = world.state.comments.values();
    world.editComment(comment!.id, `${marker}\r\nAt work.`, 'afk-bot', world.state.at);
    await tracker.ensureMirror(issue, mirror, commentId);
    expect(written()).toEqual(before);
  });

  test.each([
    ['a state', { ...mirror, labels: { add: [], remove: [] }, comment: null, state: 'closed' as const }],
    ['a label', { ...mirror, comment: null }],
    ['a label that was to go', { ...all, labels: { add: [], remove: ['ready-for-agent'] }, comment: null }],
  ])('%s that stays as it was without a word is told', async (_what, wanted) => {
    const on = { labelable: { labels: { nodes: [] as unknown[] } } };
    const { world, tracker, issue, become } = await odd();
    const left = world.state.repos.get(Number(issue.repo.id))!.issues.get(issue.number)!.labels[0]!.nodeId;
    const data = {
      add: on,
      remove: { labelable: { labels: { nodes: [{ id: left }] } } },
      state: { issue: { state: 'OPEN' } },
    };
    become(mutating(answered({ data })));
    await expect(tracker.ensureMirror(issue, wanted, null)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('left the issue as it was'),
    });
  });

  test.each([
    ['429', answered({ message: 'slow down' }, 429)],
    ['a secondary limit', answered({ message: 'You have exceeded a secondary rate limit.' }, 403)],
    ['a limit in a 200', answered({ errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] })],
    [
      'a limit in the midst of it',
      answered({ data: { comment: null }, errors: [{ type: 'RATE_LIMITED', message: 'limit', path: ['add'] }] }),
    ],
  ])('once GitHub asks for a pause with %s nothing more is written, also on a locked issue', async (_how, fault) => {
    const { world, tracker, issue, written } = await odd(mutating(fault));
    world.lock('acme/shop', issue.number, 'maintainer', world.state.at);
    await expect(tracker.ensureMirror(issue, mirror, null)).rejects.toMatchObject({
      kind: 'unavailable',
      notBefore: expect.any(Number),
    });
    expect(written()).toHaveLength(1);
  });

  const refusing = (type: string | undefined, message: string, alias = 'comment'): Fault =>
    answered({
      data: { comment: null, add: { labelable: { labels: { nodes: [] } } } },
      errors: [{ ...(type && { type }), message, path: [alias] }],
    });

  test('only a locked issue may refuse a comment without a word', async () => {
    const labelled = { ...mirror, labels: { add: [], remove: [] } };
    const { world, tracker, issue } = await odd(mutating(refusing('FORBIDDEN', 'Resource not accessible')));
    await expect(tracker.ensureMirror(issue, labelled, null)).rejects.toMatchObject({ kind: 'refused' });
    world.lock('acme/shop', issue.number, 'maintainer', world.state.at);
    expect(await tracker.ensureMirror(issue, labelled, null)).toEqual({ commentId: null });
  });

  test('a locked issue may refuse nothing but the comment', async () => {
    const { world, tracker, issue } = await odd(mutating(refusing('FORBIDDEN', 'Resource not accessible', 'add')));
    world.lock('acme/shop', issue.number, 'maintainer', world.state.at);
    await expect(tracker.ensureMirror(issue, { ...mirror, comment: null }, null)).rejects.toMatchObject({
      kind: 'refused',
    });
  });

  test.each([
    ['is definite by a word of GitHub', 'UNPROCESSABLE', 'body is too long', 'refused'],
    ['may pass', 'SERVICE_UNAVAILABLE', 'try later', 'unavailable'],
    ['has no known word', undefined, 'Something went wrong', 'unavailable'],
  ])('a part whose refusal %s is told by its own words', async (_how, type, message, kind) => {
    const { tracker, issue } = await odd(mutating(refusing(type, message)));
    await expect(
      tracker.ensureMirror(issue, { ...mirror, labels: { add: [], remove: [] } }, null),
    ).rejects.toMatchObject({ kind, message: expect.stringContaining(message) });
  });

  test('an error of the whole mutation is no error of one part', async () => {
    const error = { message: 'Something went wrong while executing your query' };
    const { world, tracker, issue } = await odd(mutating(answered({ data: { comment: null }, errors: [error] })));
    world.lock('acme/shop', issue.number, 'maintainer', world.state.at);
    await expect(tracker.ensureMirror(issue, mirror, null)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('Something went wrong'),
    });
  });

  test('a comment that was deleted between the two requests is made anew by the next mirror', async () => {
    const { world, tracker, issue, become } = await odd();
    const first = await tracker.ensureMirror(issue, mirror, null);
    const edited = { ...mirror, comment: { marker, body: 'Later.' } };
    become((request) => {
      const [comment] = world.state.comments.values();
      if (request.body.includes('mutation Mirror') && comment) world.deleteComment(comment.id, 'maintainer', 0);
      return undefined;
    });
    await expect(tracker.ensureMirror(issue, edited, first.commentId)).rejects.toMatchObject({ kind: 'unavailable' });
    const second = await tracker.ensureMirror(issue, edited, first.commentId);
    expect([...world.state.comments.values()].map(({ nodeId }) => nodeId)).toEqual([second.commentId]);
  });

  test.each([
    ['labels', ['issue', 'labels']],
    ['comments', ['issue', 'comments']],
    ['the comment, for another reason than absence', ['comment']],
  ])('where %s could not be read nothing is written', async (_what, path) => {
    const type = 'SERVICE_UNAVAILABLE';
    const partial: Rule = (request) =>
      queried(request, 'Mirror')
        ? answered({ data: { issue: null, comment: null }, errors: [{ type, message: 'Try later', path }] })
        : undefined;
    const { tracker, issue, written } = await odd(partial);
    await expect(tracker.ensureMirror(issue, mirror, 'IC_1')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(written()).toEqual([]);
  });

  describe('a comment that came as null, without an error, may be ours', () => {
    const hidden = null;
    const other = { id: 'IC_1', body: 'A thought', viewerDidAuthor: false };
    const ours = { id: 'IC_2', body: mirror.comment!.body, viewerDidAuthor: true };
    const labelled = { ...mirror, labels: { add: [], remove: [] } };
    const pages = async (newest: unknown[], older: unknown[] | null = null) => {
      const { world, tracker, issue, written, become } = await odd();
      const page = (nodes: unknown[], hasPreviousPage: boolean): object => ({
        ...{ pageInfo: { hasPreviousPage, startCursor: 'older' }, nodes },
      });
      const shown = {
        ...{ __typename: 'Issue', id: issue.nodeId, state: 'OPEN', locked: false, labels: { nodes: [] } },
        repository: { databaseId: Number(issue.repo.id), isArchived: false, hasIssuesEnabled: true },
        comments: page(newest, older !== null),
      };
      become((request) => {
        if (queried(request, 'Mirror')) return answered({ data: { issue: shown } });
        if (queried(request, 'Comments')) return answered({ data: { issue: { comments: page(older ?? [], false) } } });
        return undefined;
      });
      return { world, written, mirrored: tracker.ensureMirror(issue, labelled, null) };
    };

    test.each([
      ['among the newest', [other, hidden], null],
      ['the only one', [hidden], null],
      ['among the newest, with older ones', [hidden], [other]],
      ['among older ones', [other], [hidden]],
    ])('so nothing is written where it is %s', async (_where, newest, older) => {
      const { written, mirrored } = await pages(newest, older);
      await expect(mirrored).rejects.toMatchObject({ kind: 'unavailable' });
      expect(written()).toEqual([]);
    });

    test.each([
      ['beside it', [ours, hidden], null],
      ['behind it', [hidden], [ours]],
    ])('which is no matter where ours is %s', async (_where, newest, older) => {
      const { written, mirrored } = await pages(newest, older);
      expect(await mirrored).toEqual({ commentId: 'IC_2' });
      expect(written()).toEqual([]);
    });

    test('and where all are shown and none is ours, it is written', async () => {
      const { world, written, mirrored } = await pages([other], [other]);
      await mirrored;
      expect([written(), world.state.comments.size]).toEqual([['addComment'], 1]);
    });
  });

  test('a label that somebody made meanwhile is as good as one of ours', async () => {
    const { world, tracker, issue, become } = await odd();
    become((request) => {
      if (request.method === 'POST' && request.path.endsWith('/labels') && !made) {
        made = true;
        world.addLabel('acme/shop', { name: 'Brand-New' });
      }
      return undefined;
    });
    let made = false;
    await tracker.ensureMirror(issue, { ...mirror, labels: { add: ['brand-new'], remove: [] } }, null);
    const labels = world.state.repos.get(Number(issue.repo.id))?.issues.get(issue.number)?.labels ?? [];
    expect(labels.map(({ name }) => name)).toContain('Brand-New');
  });

  test('a label that stays on although it was taken off is told', async () => {
    const { tracker, issue } = await odd(on('DELETE', /\/labels\//, answered({ message: 'Not Found' }, 404)));
    await expect(tracker.removeLabel(issue, 'Ready-for-agent')).rejects.toMatchObject({ kind: 'refused' });
    await tracker.removeLabel(issue, 'never-on');
  });
});

describe('preflight', () => {
  test.each([
    [/check-runs/, 'Checks'],
    [/\/status\?/, 'Commit statuses: read'],
    [/actions\/runs/, 'Actions: read'],
    [/deployments/, 'Deployments: read'],
  ])('a token that may not read %s is told what it lacks', async (path, right) => {
    const { tracker, repo } = await odd(on('GET', path, answered({ message: 'Resource not accessible' }, 403)));
    expect(await tracker.preflight(repo, 'main', [], { noCi: 'accept' })).toEqual([expect.stringContaining(right)]);
  });

  test('a label that exists by now is no trouble, one that may not be is', async () => {
    const exists = answered({ message: 'Validation Failed', errors: [{ code: 'already_exists' }] }, 422);
    const { tracker, repo, become } = await odd(on('POST', /\/labels$/, exists));
    expect(await tracker.preflight(repo, 'main', ['new'], { noCi: 'accept' })).toEqual([]);
    become(on('POST', /\/labels$/, answered({ message: 'Validation Failed', errors: [{ code: 'invalid' }] }, 422)));
    expect(await tracker.preflight(repo, 'main', ['n,w'], { noCi: 'accept' })).toEqual([
      expect.stringContaining('n,w'),
    ]);
  });

  test('whatever a branch is called, what is said stays on one short line', async () => {
    const { tracker, repo } = await odd();
    const [said] = await tracker.preflight(repo, `x\u001b[2J\n${'y'.repeat(400)}`, []);
    expect(said?.length).toBeLessThanOrEqual(300);
    expect(said).not.toMatch(/[\u0000-\u001f]/);
  });

  test('protection that is no part of the plan, or not shown, is none; any other error is no answer', async () => {
    const saying =
      (error: object): Rule =>
      (request) =>
        queried(request, 'Protection')
          ? answered({ data: { node: { ref: null } }, errors: [{ message: 'No', ...error }] })
          : undefined;
    const { tracker, repo, become } = await odd(saying({ type: 'FORBIDDEN', path: ['node', 'ref', 'refUpdateRule'] }));
    expect(await tracker.preflight(repo, 'main', [], { noCi: 'accept' })).toEqual([]);
    become(saying({ type: 'FORBIDDEN', path: ['node'] }));
    await expect(tracker.preflight(repo, 'main', [])).rejects.toMatchObject({ kind: 'refused' });
    become(saying({ path: ['node', 'ref'] }));
    await expect(tracker.preflight(repo, 'main', [])).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('a limit says nothing about the repo', async () => {
    const { tracker, repo } = await odd(on('GET', /check-runs/, answered({ message: 'API rate limit exceeded' }, 403)));
    await expect(tracker.preflight(repo, 'main', [])).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('commits and checks', () => {
  const sha = 'a'.repeat(40);
  const ask = { sha, hasDescendant: false, environments: ['production'] };
  const commit =
    (nodes: unknown, deployments: unknown = { nodes: [] }): Rule =>
    () =>
      answered({
        data: {
          node: {
            object: {
              message: 'One',
              statusCheckRollup: { contexts: { pageInfo: { hasNextPage: false, endCursor: null }, nodes } },
              checkSuites: { nodes: [null, { status: 'QUEUED', ...stamps, app: null, checkRuns: { totalCount: 0 } }] },
            },
            e0: deployments,
          },
        },
      });
  const stamps = { createdAt: '2026-03-02T08:00:00Z', updatedAt: '2026-03-02T08:00:00Z' };
  const check = { __typename: 'CheckRun', name: 'test', status: 'COMPLETED', conclusion: 'SUCCESS', checkSuite: null };

  test.each([
    ['a conclusion nobody knows', { ...check, conclusion: 'SPLENDID', completedAt: '2026-03-02T08:00:00Z' }],
    ['no conclusion', { ...check, conclusion: null }],
    ['a status nobody knows', { ...check, status: 'PONDERING', conclusion: null }],
    ['a kind nobody knows', { __typename: 'NewCheck', name: 'test' }],
    ['nothing at all', null],
    ['an instant that is none', { ...check, completedAt: 'yesterday' }],
  ])('a check with %s is unknown, never a success', async (_what, node) => {
    const { forge, repo } = await odd(commit([node]));
    expect((await forge.ci(repo, ask)).ci.checks.map(({ state }) => state)).toEqual(['unknown']);
  });

  test('a rollup without its list is unknown', async () => {
    const { forge, repo } = await odd(commit(null));
    expect((await forge.ci(repo, ask)).ci.checks.map(({ state }) => state)).toEqual(['unknown']);
  });

  test('a status nobody knows is unknown, one that is only expected is queued', async () => {
    const status = { __typename: 'StatusContext', context: 'lint', createdAt: '2026-03-02T08:00:00Z', targetUrl: null };
    const { forge, repo } = await odd(
      commit([
        { ...status, state: 'SPLENDID' },
        { ...status, state: 'EXPECTED' },
      ]),
    );
    expect((await forge.ci(repo, ask)).ci.checks.map(({ state }) => state)).toEqual(['unknown', 'queued']);
  });

  test('a state of a deployment nobody knows is unknown, and a row without sense is left out', async () => {
    const one = { environment: 'production', commitOid: sha, createdAt: '2026-03-02T08:00:00Z', statuses: null };
    const nodes = [
      null,
      { environment: 'x' },
      { ...one, latestStatus: { state: 'SPLENDID', logUrl: null, environmentUrl: null } },
    ];
    const { forge, repo } = await odd(commit([], { nodes }));
    expect((await forge.ci(repo, ask)).deployments).toMatchObject([
      { state: 'unknown', everSucceeded: false, url: null },
    ]);
  });

  test.each([
    [
      'refused',
      { type: 'FORBIDDEN', message: 'Resource not accessible by personal access token', path: ['node', 'object'] },
    ],
    ['unavailable', { message: 'Something went wrong' }],
  ])('half of the checks are none: %s', async (kind, error) => {
    const { forge, repo } = await odd(() =>
      answered({ data: { node: { object: { message: 'One' } } }, errors: [error] }),
    );
    await expect(forge.ci(repo, ask)).rejects.toMatchObject({ kind });
  });

  test('environments without their list, or with an error in a further ten, are none known', async () => {
    const unlisted = await odd(commit([]));
    await expect(
      unlisted.forge.ci(unlisted.repo, { ...ask, environments: ['production', 'preview'] }),
    ).rejects.toMatchObject({ kind: 'unavailable' });
    const environments = Array.from({ length: 11 }, (_, i) => `site-${i}`);
    const refused = { type: 'FORBIDDEN', message: 'Resource not accessible by integration', path: ['node', 'e0'] };
    const { world, forge, repo, server } = await odd(({ body }) =>
      body.includes('query Deployments') ? answered({ data: { node: { e0: null } }, errors: [refused] }) : undefined,
    );
    const { after } = world.push('acme/shop', { actor: 'maintainer', commits: [{ message: 'One' }] }, world.state.at);
    await expect(forge.ci(repo, { ...ask, sha: after, environments })).rejects.toMatchObject({ kind: 'refused' });
    expect((await forge.ci(repo, { ...ask, sha: after, environments: environments.slice(1) })).deployments).toEqual([]);
    expect(server.requests.map(({ request }) => /query (\w+)/.exec(request.body)?.[1])).toEqual([
      'CiAndDeployments',
      'Deployments',
      'CiAndDeployments',
    ]);
    for (const { request } of server.requests) expect(JSON.parse(request.body).query).not.toContain('site-');
  });

  test('which commit contains which is asked once', async () => {
    const { world, forge, repo, server } = await odd();
    const ours = world.push('acme/shop', { actor: 'maintainer', commits: [{ message: 'Ours' }] }, world.state.at).after;
    const later = world.push(
      'acme/shop',
      { actor: 'maintainer', commits: [{ message: 'Later' }] },
      world.state.at,
    ).after;
    const plan = { environment: 'production', afterMs: 0, states: [{ state: 'success', afterMs: 0 }] };
    for (let i = 0; i < 3; i += 1) world.deploy('acme/shop', later, plan, world.state.at);
    for (let i = 0; i < 2; i += 1) {
      const { deployments } = await forge.ci(repo, { ...ask, sha: ours });
      expect(deployments.map(({ containsOurs }) => containsOurs)).toEqual([true, true, true]);
    }
    expect(server.requests.filter(({ request }) => request.path.includes('/compare/'))).toHaveLength(1);
  });

  test('a branch that nothing landed on costs one request, and none at its base', async () => {
    const { world, forge, repo, server } = await odd();
    const { before, after } = world.push(
      'acme/shop',
      { actor: 'maintainer', commits: [{ message: 'Theirs' }] },
      world.state.at,
    );
    const asked = { base: before, branch: 'main', runId: 'a'.repeat(32) };
    await forge.landing(repo, { ...asked, head: before });
    expect(server.requests).toHaveLength(0);
    await forge.landing(repo, { ...asked, head: after });
    expect(server.requests).toHaveLength(1);
  });

  test('without the record of pushes the branch itself shows where to look', async () => {
    const { world, forge, repo } = await odd(on('GET', /\/activity/, answered({ message: 'No' }, 403)));
    const runId = 'a'.repeat(32);
    const commits = [{ message: `Mine\n\nAFK-Run: ${runId}` }];
    const { before, after } = world.push('acme/shop', { actor: 'maintainer', commits }, world.state.at);
    expect(await forge.landing(repo, { base: before, branch: 'main', head: after, runId })).toMatchObject({
      tip: after,
    });
  });

  test('a landing in a repo that cannot be seen is no rewritten branch', async () => {
    const { world, forge, repo } = await odd();
    world.deleteRepo('acme/shop');
    const asked = { base: sha, branch: 'main', head: 'b'.repeat(40), runId: 'a'.repeat(32) };
    await expect(forge.landing(repo, asked)).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('What others mention from a hidden place', () => {
  const runId = 'a1'.repeat(16);
  const pull = {
    ...{ number: 7, url: 'https://github.com/acme/shop/pull/7', state: 'OPEN', isDraft: false, mergeable: 'MERGEABLE' },
    ...{
      isCrossRepository: false,
      baseRefName: 'main',
      headRefOid: 'c'.repeat(40),
      reviewDecision: null,
      mergeCommit: null,
    },
    commits: { nodes: [{ commit: { message: `Mine\n\nAFK-Run: ${runId}` } }] },
    closings: { nodes: [] },
  };
  const links = (repo: { nodeId: string }, nodes: readonly unknown[] = []): object => {
    const source = { ...pull, repository: { id: repo.nodeId } };
    return { timelineItems: { nodes: [...nodes, { source }] }, links: { nodes: [...nodes, { source }] } };
  };
  const asked = { issue: 1, runId, branch: 'main', known: null };
  const under = (steps: readonly unknown[]): object => ['node', 'issue'].concat(steps as string[]);
  const saying = async (issue: (repo: { nodeId: string }) => object, errors: readonly object[]) => {
    const { forge, repo, become } = await odd();
    const node = { known: null, issue: { mentions: { nodes: [] }, ...issue(repo) } };
    become(() => answered({ data: { node }, errors }));
    return { pull: () => forge.pull(repo, asked), elsewhere: () => forge.elsewhere(repo, asked) };
  };

  test.each([
    ['FORBIDDEN', ['links', 'nodes', 0, 'source'], ['timelineItems', 'nodes', 0, 'source']],
    ['NOT_FOUND', ['links', 'nodes', 0], ['timelineItems', 'nodes', 0]],
    [
      'FORBIDDEN',
      ['mentions', 'nodes', 0, 'commit', 'associatedPullRequests'],
      ['timelineItems', 'nodes', 0, 'commit'],
    ],
  ])('%s at %j is passed over, and the rest counts', async (type, inPull, inElsewhere) => {
    const error = { type, message: 'Resource protected by organization SAML enforcement.' };
    const issue = (repo: { nodeId: string }): object => links(repo, [null]);
    const { pull: found } = await saying(issue, [{ ...error, path: under(inPull) }]);
    expect(await found()).toMatchObject({ number: 7 });
    const { elsewhere } = await saying(issue, [{ ...error, path: under(inElsewhere) }]);
    expect(await elsewhere()).toEqual({ url: pull.url });
  });

  test('one that is shown in part is passed over as well', async () => {
    const part = [{ source: { number: 8, commits: null } }, { commit: { url: null } }];
    const mentions = { nodes: [{ commit: { associatedPullRequests: { nodes: [{ number: 8 }, null] } } }] };
    const { pull: found, elsewhere } = await saying((repo) => ({ ...links(repo, part), mentions }), []);
    expect(await found()).toMatchObject({ number: 7 });
    expect(await elsewhere()).toEqual({ url: pull.url });
  });

  test.each([
    ['refused', { type: 'FORBIDDEN', path: ['node', 'known'] }],
    ['refused', { type: 'NOT_FOUND', path: ['node', 'known', 'commits', 'nodes', 0, 'commit'] }],
    ['refused', { type: 'FORBIDDEN', path: ['node', 'issue'] }],
    ['refused', { type: 'FORBIDDEN', path: ['node', 'issue', 'links'] }],
    ['refused', { type: 'FORBIDDEN', path: ['node', 'issue', 'links', 'nodes'] }],
    ['refused', { type: 'FORBIDDEN', path: ['node', 'issue', 'timelineItems', 'nodes'] }],
    ['refused', { type: 'FORBIDDEN', path: ['node', 'issue', 'closings', 'nodes', 0] }],
    ['refused', { type: 'FORBIDDEN' }],
    ['unavailable', { path: ['node', 'issue', 'links', 'nodes', 0, 'source'] }],
    ['unavailable', { type: 'SERVICE_UNAVAILABLE', path: ['node', 'issue', 'timelineItems', 'nodes', 0] }],
  ])('any other error is one of the whole: %s, %j', async (kind, error) => {
    // Beside one that would be passed over, which must not hide it.
    const hidden = (list: string): object => ({
      ...{ type: 'FORBIDDEN', message: 'No' },
      path: ['node', 'issue', list, 'nodes', 0, 'source'],
    });
    const asPull = await saying((repo) => links(repo), [hidden('links'), { message: 'No', ...error }]);
    await expect(asPull.pull()).rejects.toMatchObject({ kind });
    const asElsewhere = await saying((repo) => links(repo), [hidden('timelineItems'), { message: 'No', ...error }]);
    await expect(asElsewhere.elsewhere()).rejects.toMatchObject({ kind });
  });
});
