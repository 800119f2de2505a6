import { describe, expect, test } from 'vitest';
import type { IssueRef, RepoRef } from '../../lib/core/issue.ts';
import type { Mirror } from '../../lib/core/mirror.ts';
import type { Tracker } from '../../lib/ports.ts';
import { type GithubWorld, githubWorld } from '../../lib/sandbox/github-world.ts';

/** A tracker that looks at this world as `afk-bot`, whose token is `afk-token`. Called inside a test. */
export type MakeTracker = (world: GithubWorld, now: () => number) => Promise<Tracker>;

export const start = Date.parse('2026-03-02T08:00:00Z');
const minute = 60_000;
const name = 'acme/shop';
const marker = '<!-- afk:0123456789abcdef -->';

/** A repo with its people: a maintainer who may write, a triager, and strangers who may read. */
export const shopWorld = (): GithubWorld => {
  const world = githubWorld({ at: start });
  world.addUser('afk-bot', { token: 'afk-token' });
  for (const login of ['maintainer', 'triager', 'stranger']) world.addUser(login);
  world.addRepo(name, { permissions: { 'afk-bot': 'write', maintainer: 'write', triager: 'triage' } });
  for (const label of ['ready-for-agent', 'agent-in-progress', 'ready-for-human'])
    world.addLabel(name, { name: label });
  return world;
};

/** The shop as the tracker is asked about it. */
export const shopRef = (world: GithubWorld, of = name): RepoRef => {
  const repo = [...world.state.repos.values()].find((one) => one.name === of)!;
  return { host: 'github.com', id: String(repo.id), nodeId: repo.nodeId, name: repo.name };
};

/** A ready issue: opened by a stranger, labelled by the maintainer a minute later. */
export const readyIssue = (world: GithubWorld, text: { title?: string; body?: string } = {}): IssueRef => {
  const opening = { author: 'stranger', title: 'Cart loses items', body: 'It does.', ...text };
  const { number, nodeId } = world.openIssue(name, opening, world.state.at);
  world.label(name, number, 'ready-for-agent', 'maintainer', world.state.at + minute);
  return { repo: shopRef(world), number, nodeId };
};

const issueIn = (world: GithubWorld, ref: IssueRef) =>
  world.state.repos.get(Number(ref.repo.id))!.issues.get(ref.number)!;
const labelsOf = (world: GithubWorld, ref: IssueRef) =>
  issueIn(world, ref)
    .labels.map((label) => label.name)
    .sort();
const ours = (world: GithubWorld, ref: IssueRef) =>
  issueIn(world, ref).comments.filter((one) => one.author === 'afk-bot');

const mirror = (change: Partial<Mirror> = {}): Mirror => ({
  labels: { add: ['agent-in-progress'], remove: ['ready-for-human'] },
  comment: { marker, body: `${marker}\nAt work.\n` },
  state: 'as is',
  ...change,
});

/** What the port `Tracker` promises, against one world. */
export const trackerContract = (title: string, make: MakeTracker): void => {
  const tracking = async () => {
    const world = shopWorld();
    return { world, tracker: await make(world, () => world.state.at), repo: shopRef(world) };
  };

  describe(`${title} keeps the tracker's promises: repos`, () => {
    test('a name leads to the repo of today with its ids', async () => {
      const { tracker, repo } = await tracking();
      expect(await tracker.resolve('Acme/Shop')).toEqual({
        repo,
        defaultBranch: 'main',
        archived: false,
        issuesEnabled: true,
      });
    });

    test('a former name leads to the repo under its new name', async () => {
      const { world, tracker, repo } = await tracking();
      world.renameRepo(name, 'acme/store');
      expect((await tracker.resolve(name))?.repo).toEqual({ ...repo, name: 'acme/store' });
    });

    test('a former name that another repo took leads to that one', async () => {
      const { world, tracker, repo } = await tracking();
      world.renameRepo(name, 'acme/store');
      world.addRepo(name);
      expect((await tracker.resolve(name))?.repo.id).not.toBe(repo.id);
    });

    test.each(['acme/none', 'acme', 'acme/shop/issues', '', 'a/../b'])(
      'no repo is behind the name %j',
      async (other) => {
        const { tracker } = await tracking();
        expect(await tracker.resolve(other)).toBeNull();
      },
    );

    test('what is archived or takes no issues says so', async () => {
      const { world, tracker } = await tracking();
      world.archiveRepo(name);
      world.setIssuesEnabled(name, false);
      expect(await tracker.resolve(name)).toMatchObject({ archived: true, issuesEnabled: false });
    });

    test('a scan shows name, branch head and how many open issues are ready', async () => {
      const { world, tracker, repo } = await tracking();
      readyIssue(world);
      const closed = readyIssue(world);
      world.close(name, closed.number, 'maintainer', world.state.at);
      const { after: head } = world.push(name, { actor: 'maintainer', commits: [{ message: 'One' }] }, world.state.at);
      expect(await tracker.scan([repo], 'ready-for-agent', 'all')).toMatchObject([{ readyCount: 2 }]);
      expect(await tracker.scan([repo], 'ready-for-agent')).toEqual([
        {
          ...{ id: repo.id, nodeId: repo.nodeId, name, archived: false, issuesEnabled: true },
          ...{ defaultBranch: { name: 'main', head }, readyCount: 1 },
        },
      ]);
    });

    test('a repo that is gone is absent from a scan and hides no other', async () => {
      const { world, tracker, repo } = await tracking();
      world.addRepo('acme/gone');
      const gone = shopRef(world, 'acme/gone');
      world.deleteRepo('acme/gone');
      expect((await tracker.scan([gone, repo], 'ready-for-agent')).map((row) => row.name)).toEqual([name]);
    });

    test('a scan of more repos than fit in one request shows them all, renamed ones under their new name', async () => {
      const { world, tracker, repo } = await tracking();
      const names = Array.from({ length: 205 }, (_, i) => `many/repo-${i}`);
      for (const one of names) world.addRepo(one);
      const refs = names.map((one) => shopRef(world, one));
      world.renameRepo('many/repo-7', 'many/renamed');
      const seen = (await tracker.scan([repo, ...refs], 'ready-for-agent')).map((row) => row.name);
      expect(seen).toEqual([name, ...names.with(7, 'many/renamed')]);
    });

    test('nothing is scanned where there are no repos', async () => {
      const { tracker } = await tracking();
      expect(await tracker.scan([], 'ready-for-agent')).toEqual([]);
    });

    test.each([
      ['maintainer', 'write'],
      ['triager', 'read'],
      ['stranger', 'read'],
      ['acme', 'notFound'],
      ['nobody-at-all', 'notFound'],
      ['../../user', 'notFound'],
    ] as const)('%s has the permission %s', async (login, level) => {
      const { tracker, repo } = await tracking();
      expect((await tracker.permission(repo, login)).level).toBe(level);
    });

    test("an app's bot has no permission, whatever it did", async () => {
      const { world, tracker, repo } = await tracking();
      world.addUser('helper[bot]', { type: 'Bot' });
      expect((await tracker.permission(repo, 'helper[bot]')).level).toBe('none');
    });
  });

  describe(`${title} keeps the tracker's promises: issues`, () => {
    test('ready issues are listed oldest first; closed ones and those without the label are not', async () => {
      const { world, tracker, repo } = await tracking();
      const [first, second, closed] = [readyIssue(world), readyIssue(world), readyIssue(world)];
      world.openIssue(name, { author: 'stranger', title: 'Not ready' }, world.state.at);
      world.close(name, closed!.number, 'maintainer', world.state.at);
      const rows = await tracker.listReady(repo, 'READY-for-agent');
      expect(rows.map((row) => row.number)).toEqual([first!.number, second!.number]);
      expect(rows[0]).toMatchObject({
        ...{ nodeId: first!.nodeId, title: 'Cart loses items', body: 'It does.', labels: ['ready-for-agent'] },
        ...{ isPullRequest: false, locked: false, openBlockers: 0, openSubIssues: 0 },
      });
    });

    test('a ready pull request is listed as what it is', async () => {
      const { world, tracker, repo } = await tracking();
      world.push(name, { branch: 'topic', actor: 'maintainer', commits: [{ message: 'Topic' }] }, world.state.at);
      const pull = world.openPull(name, { author: 'maintainer', title: 'A change', head: 'topic' }, world.state.at);
      world.label(name, pull.number, 'ready-for-agent', 'maintainer', world.state.at);
      expect((await tracker.listReady(repo, 'ready-for-agent')).map((row) => row.isPullRequest)).toEqual([true]);
      const ref = { repo, number: pull.number, nodeId: pull.nodeId };
      expect(await tracker.detail(ref, 'ready-for-agent')).toBeNull();
      expect(await tracker.listLabelled(repo, 'ready-for-agent')).toEqual({ issues: [], whole: true });
    });

    test('open blockers and open sub-issues are counted', async () => {
      const { world, tracker, repo } = await tracking();
      const [issue, blocker, done, child] = [
        readyIssue(world),
        readyIssue(world),
        readyIssue(world),
        readyIssue(world),
      ];
      world.addBlocker(name, issue!.number, { number: blocker!.number });
      world.addBlocker(name, issue!.number, { number: done!.number });
      world.close(name, done!.number, 'maintainer', world.state.at);
      world.addSubIssue(name, issue!.number, { number: child!.number });
      expect((await tracker.listReady(repo, 'ready-for-agent'))[0]).toMatchObject({
        openBlockers: 1,
        openSubIssues: 1,
      });
      const detail = await tracker.detail(issue!, 'ready-for-agent');
      expect(detail).toMatchObject({
        blockers: { openCount: 1, listed: [`${name}#${blocker!.number}`] },
        openSubIssues: 1,
      });
    });

    test('a blocker nobody may see is counted and not listed', async () => {
      const { world, tracker } = await tracking();
      world.addRepo('acme/secret', { private: true });
      const issue = readyIssue(world);
      const hidden = world.openIssue('acme/secret', { author: 'acme', title: 'Hidden' }, world.state.at);
      world.addBlocker(name, issue.number, { repo: 'acme/secret', number: hidden.number });
      expect((await tracker.detail(issue, 'ready-for-agent'))?.blockers).toEqual({ openCount: 1, listed: [] });
    });

    test('the detail tells who labelled when, by ids, and that nothing is left out', async () => {
      const { world, tracker, repo } = await tracking();
      const issue = readyIssue(world);
      const detail = await tracker.detail(issue, 'ready-for-agent');
      const label = issueIn(world, issue).labels[0]!;
      expect(detail).toMatchObject({
        ...{ repo, archived: false, number: issue.number, nodeId: issue.nodeId, open: true, locked: false },
        ...{ title: 'Cart loses items', body: 'It does.', author: { login: 'stranger', kind: 'user' } },
        labels: [{ id: label.nodeId, name: 'ready-for-agent' }],
        edits: { complete: true, list: [] },
        labelling: { throughApp: null, byAgent: false },
      });
      expect(detail?.events).toEqual({
        ...{ complete: true, hasHole: false },
        list: [
          {
            ...{ kind: 'labeled', id: expect.any(String), at: start + minute },
            ...{ actor: { login: 'maintainer', kind: 'user' }, label: { id: label.nodeId, name: 'ready-for-agent' } },
          },
        ],
      });
    });

    test('edits of the body and changes of the title are told with who made them, oldest first', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.editBody(name, issue.number, 'Two.', 'stranger', start + 5 * minute);
      world.editBody(name, issue.number, 'Three.', 'maintainer', start + 6 * minute);
      world.editTitle(name, issue.number, 'Else', 'stranger', start + 7 * minute);
      world.close(name, issue.number, 'maintainer', start + 8 * minute);
      world.reopen(name, issue.number, 'triager', start + 9 * minute);
      const detail = await tracker.detail(issue, 'ready-for-agent');
      expect(detail?.edits.complete).toBe(true);
      expect(detail?.edits.list.slice(-2)).toEqual([
        { at: start + 5 * minute, editor: { login: 'stranger', kind: 'user' } },
        { at: start + 6 * minute, editor: { login: 'maintainer', kind: 'user' } },
      ]);
      expect(detail?.events.list.map((event) => [event.kind, event.actor?.login])).toEqual([
        ['labeled', 'maintainer'],
        ['renamed', 'stranger'],
        ['reopened', 'triager'],
      ]);
    });

    test('more events or edits than are shown make the list incomplete, and the newest are there', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      for (let i = 1; i <= 60; i += 1)
        world.editTitle(name, issue.number, `Title ${i}`, 'stranger', start + i * minute);
      for (let i = 1; i <= 60; i += 1) world.editBody(name, issue.number, `Body ${i}`, 'stranger', start + i * minute);
      const detail = await tracker.detail(issue, 'ready-for-agent');
      expect([detail?.events.complete, detail?.edits.complete]).toEqual([false, false]);
      expect(detail?.events.list.at(-1)?.at).toBe(start + 60 * minute);
    });

    test('what somebody did whose account is gone was done by nobody', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.deleteUser('maintainer');
      const detail = await tracker.detail(issue, 'ready-for-agent');
      expect(detail?.events.list.map((event) => event.actor)).toEqual([null]);
      expect(detail?.labelling).toBeNull();
    });

    test("a label that came with an issue form is the act of the form's user", async () => {
      const { world, tracker, repo } = await tracking();
      const opening = {
        author: 'stranger',
        title: 'By form',
        labels: ['ready-for-agent'],
        labelledVia: 'form',
      } as const;
      const { number, nodeId } = world.openIssue(name, opening, world.state.at);
      const detail = await tracker.detail({ repo, number, nodeId }, 'ready-for-agent');
      expect(detail?.events.list).toMatchObject([{ kind: 'labeled', actor: { login: 'stranger' } }]);
    });

    test('a label put on through an app, or by an agent, is told from one put on by hand', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.unlabel(name, issue.number, 'ready-for-agent', 'maintainer', start + 2 * minute);
      const how = { via: 'helper', intent: { rationale: 'looks easy', confidence: 'high' } } as const;
      world.label(name, issue.number, 'ready-for-agent', 'maintainer', start + 3 * minute, how);
      const detail = await tracker.detail(issue, 'ready-for-agent');
      expect(detail?.labelling).toEqual({ throughApp: 'helper', byAgent: true });
    });

    test('how a label was put on is found behind a long history', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      for (let i = 1; i <= 130; i += 1)
        world.editTitle(name, issue.number, `Title ${i}`, 'stranger', start + i * minute);
      world.unlabel(name, issue.number, 'ready-for-agent', 'maintainer', world.state.at);
      world.label(name, issue.number, 'ready-for-agent', 'maintainer', start + 200 * minute, { via: 'helper' });
      const detail = await tracker.detail(issue, 'ready-for-agent');
      expect(detail?.labelling).toEqual({ throughApp: 'helper', byAgent: false });
    });

    test('how a label was put on is found before much that happened since, and is not known before too much', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const happens = (times: number): void => {
        for (let i = 0; i < times; i += 1) {
          world.lock(name, issue.number, 'maintainer', world.state.at + 1000);
          world.unlock(name, issue.number, 'maintainer', world.state.at + 1000);
        }
      };
      happens(140);
      const known = await tracker.detail(issue, 'ready-for-agent');
      expect(known?.labelling).toEqual({ throughApp: null, byAgent: false });
      happens(20);
      const unknown = await tracker.detail(issue, 'ready-for-agent');
      expect([unknown?.labelling, unknown?.events.list.length]).toEqual([null, 1]);
    });

    test('a label that was renamed into the ready one was put on under its old name', async () => {
      const { world, tracker, repo } = await tracking();
      world.addLabel(name, { name: 'nice' });
      const { number, nodeId } = world.openIssue(name, { author: 'stranger', title: 'Nice' }, world.state.at);
      world.label(name, number, 'nice', 'maintainer', start + minute);
      world.renameLabel(name, 'ready-for-agent', 'was-ready');
      world.renameLabel(name, 'nice', 'ready-for-agent');
      const detail = await tracker.detail({ repo, number, nodeId }, 'ready-for-agent');
      expect(detail?.labels.map((label) => label.name)).toEqual(['ready-for-agent']);
      expect(detail?.events.list).toMatchObject([
        { kind: 'labeled', label: { id: detail?.labels[0]?.id, name: 'nice' } },
      ]);
    });

    test('an issue that was deleted or moved away is gone', async () => {
      const { world, tracker } = await tracking();
      world.addRepo('acme/other');
      const [deleted, moved] = [readyIssue(world), readyIssue(world)];
      world.deleteIssue(name, deleted!.number);
      world.transfer(name, moved!.number, 'acme/other', 'maintainer', world.state.at);
      for (const issue of [deleted!, moved!]) {
        expect(await tracker.detail(issue, 'ready-for-agent')).toBeNull();
        expect(await tracker.watch(issue)).toBeNull();
      }
    });

    test('a stale repo name changes nothing: ids decide', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.renameRepo(name, 'acme/store');
      world.addRepo(name);
      expect((await tracker.listReady(issue.repo, 'ready-for-agent')).map((row) => row.number)).toEqual([issue.number]);
      expect((await tracker.detail(issue, 'ready-for-agent'))?.repo.name).toBe('acme/store');
      await tracker.ensureMirror(issue, mirror(), null);
      expect(labelsOf(world, issue)).toEqual(['agent-in-progress', 'ready-for-agent']);
    });

    test('text comes as it was written, whatever is in it', async () => {
      const { world, tracker, repo } = await tracking();
      const title = '</title><script>alert(1)</script> `rm -rf` \u001b[31m "quoted" \\ $(id) {"a":1}';
      const body = `${title}\r\n\u0000\u202e@everyone\n-->\n\`\`\`\n%s %d\n`;
      const issue = readyIssue(world, { title, body });
      expect((await tracker.listReady(repo, 'ready-for-agent'))[0]).toMatchObject({ title, body });
      expect(await tracker.detail(issue, 'ready-for-agent')).toMatchObject({ title, body });
    });

    test('blockers are open, closed or unreadable, whatever they are called', async () => {
      const { world, tracker } = await tracking();
      world.addRepo('acme/secret', { private: true });
      world.openIssue('acme/secret', { author: 'acme', title: 'Hidden' }, world.state.at);
      const [open, closed] = [readyIssue(world), readyIssue(world)];
      world.close(name, closed!.number, 'maintainer', world.state.at);
      const odd = [
        'acme/secret#1',
        `${name}#999`,
        'acme/none#1',
        'nonsense',
        `${name}#x`,
        'a"b/c){}#1',
        `${name}#99999999999`,
      ];
      const states = await tracker.blockerStates([`${name}#${open!.number}`, `${name}#${closed!.number}`, ...odd]);
      expect([...states]).toEqual([
        [`${name}#${open!.number}`, 'open'],
        [`${name}#${closed!.number}`, 'closed'],
        ...odd.map((ref) => [ref, 'unreadable']),
      ]);
    });

    test('more blockers than fit in one request are all asked', async () => {
      const { world, tracker } = await tracking();
      const refs = Array.from({ length: 60 }, () => `${name}#${readyIssue(world).number}`);
      expect([...(await tracker.blockerStates(refs)).values()]).toEqual(refs.map(() => 'open'));
      expect(await tracker.blockerStates([])).toEqual(new Map());
    });

    test('labelled issues are found, closed ones as well, and their label can be taken off any number of times', async () => {
      const { world, tracker, repo } = await tracking();
      const issue = readyIssue(world);
      const closed = readyIssue(world);
      world.close(name, closed.number, 'maintainer', world.state.at);
      expect(await tracker.listLabelled(repo, 'ready-for-agent')).toEqual({ issues: [issue, closed], whole: true });
      await tracker.removeLabel(closed, 'ready-for-agent');
      await tracker.removeLabel(issue, 'ready-for-agent');
      await tracker.removeLabel(issue, 'ready-for-agent');
      expect(await tracker.listLabelled(repo, 'ready-for-agent')).toEqual({ issues: [], whole: true });
    });

    test('a list of labelled issues is whole where it is one page: what several show is not of one moment', async () => {
      const { world, tracker, repo } = await tracking();
      const issues = Array.from({ length: 101 }, () => readyIssue(world));
      expect(await tracker.listLabelled(repo, 'ready-for-agent')).toEqual({ issues, whole: false });
      await tracker.removeLabel(issues[0]!, 'ready-for-agent');
      expect(await tracker.listLabelled(repo, 'ready-for-agent')).toEqual({ issues: issues.slice(1), whole: true });
    });
  });

  describe(`${title} keeps the tracker's promises: the watch`, () => {
    test("one look shows the branch's head, the labels and the newest act on each", async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.label(name, issue.number, 'afk-hold', 'triager', start + 2 * minute);
      world.unlabel(name, issue.number, 'ready-for-agent', 'stranger', start + 3 * minute);
      const { after: sha } = world.push(
        name,
        { actor: 'maintainer', commits: [{ message: 'One' }] },
        start + 4 * minute,
      );
      expect(await tracker.watch(issue)).toEqual({
        ...{ head: { name: 'main', sha }, repoName: name, open: true, labels: ['afk-hold'], closed: null },
        labelActs: new Map([
          [
            'ready-for-agent',
            { kind: 'unlabeled', actor: { login: 'stranger', kind: 'user' }, at: start + 3 * minute },
          ],
          ['afk-hold', { kind: 'labeled', actor: { login: 'triager', kind: 'user' }, at: start + 2 * minute }],
        ]),
      });
    });

    test('a closing tells by whom, and by which commit where a keyword did it', async () => {
      const { world, tracker } = await tracking();
      const [byHand, byCommit] = [readyIssue(world), readyIssue(world)];
      world.close(name, byHand!.number, 'triager', world.state.at);
      const message = `Mend the cart\n\nCloses #${byCommit!.number}`;
      const { after: sha } = world.push(name, { actor: 'maintainer', commits: [{ message }] }, world.state.at);
      expect((await tracker.watch(byHand!))?.closed).toEqual({
        actor: { login: 'triager', kind: 'user' },
        commit: null,
      });
      expect((await tracker.watch(byCommit!))?.closed).toEqual({
        actor: { login: 'maintainer', kind: 'user' },
        commit: { sha, message },
      });
    });

    test('an issue that was opened again is not closed', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.close(name, issue.number, 'triager', world.state.at);
      world.reopen(name, issue.number, 'triager', world.state.at);
      expect(await tracker.watch(issue)).toMatchObject({ open: true, closed: null });
    });
  });

  describe(`${title} keeps the tracker's promises: the mirror`, () => {
    test('labels, comment and closing come to what the mirror says', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.label(name, issue.number, 'ready-for-human', 'maintainer', world.state.at);
      const { commentId } = await tracker.ensureMirror(issue, mirror({ state: 'closed' }), null);
      expect(labelsOf(world, issue)).toEqual(['agent-in-progress', 'ready-for-agent']);
      expect(ours(world, issue)).toMatchObject([{ nodeId: commentId, body: `${marker}\nAt work.\n` }]);
      expect(issueIn(world, issue)).toMatchObject({ state: 'closed', stateReason: 'completed' });
    });

    test('asked again, it changes nothing, with the id of the comment or without', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const first = await tracker.ensureMirror(issue, mirror({ state: 'closed' }), null);
      const before = JSON.stringify(issueIn(world, issue));
      expect(await tracker.ensureMirror(issue, mirror({ state: 'closed' }), first.commentId)).toEqual(first);
      expect(await tracker.ensureMirror(issue, mirror({ state: 'closed' }), null)).toEqual(first);
      expect(JSON.stringify(issueIn(world, issue))).toBe(before);
    });

    test('a new text edits the one comment in place', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const first = await tracker.ensureMirror(issue, mirror(), null);
      const next = mirror({ comment: { marker, body: `${marker}\nPushed.\n` } });
      expect(await tracker.ensureMirror(issue, next, first.commentId)).toEqual(first);
      expect(ours(world, issue).map((comment) => comment.body)).toEqual([`${marker}\nPushed.\n`]);
    });

    test('a deleted comment is made again', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const first = await tracker.ensureMirror(issue, mirror(), null);
      world.deleteComment(ours(world, issue)[0]!.id, 'maintainer', world.state.at);
      const second = await tracker.ensureMirror(issue, mirror(), first.commentId);
      expect(second.commentId).not.toBe(first.commentId);
      expect(ours(world, issue)).toHaveLength(1);
    });

    test('a comment that a run of an older version knows by its number is found by its marker', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const first = await tracker.ensureMirror(issue, mirror(), null);
      const next = mirror({ comment: { marker, body: `${marker}\nPushed.\n` } });
      expect(await tracker.ensureMirror(issue, next, String(ours(world, issue)[0]!.id))).toEqual(first);
      expect(ours(world, issue).map((comment) => comment.body)).toEqual([`${marker}\nPushed.\n`]);
    });

    test('a comment of ours on another issue is not the comment', async () => {
      const { world, tracker } = await tracking();
      const [here, there] = [readyIssue(world), readyIssue(world)];
      const other = await tracker.ensureMirror(there!, mirror(), null);
      const mine = await tracker.ensureMirror(here!, mirror({ comment: { marker, body: 'Here.' } }), other.commentId);
      expect(mine.commentId).not.toBe(other.commentId);
      expect(ours(world, there!).map((comment) => comment.body)).toEqual([`${marker}\nAt work.\n`]);
      expect(ours(world, here!).map((comment) => comment.body)).toEqual([`${marker}\nHere.`]);
    });

    test('a label the repo does not have is made, and one that differs in case only is not', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const labels = { add: ['Ready-For-Human', 'brand-new'], remove: ['READY-FOR-AGENT'] };
      await tracker.ensureMirror(issue, mirror({ labels }), null);
      expect(labelsOf(world, issue)).toEqual(['brand-new', 'ready-for-human']);
    });

    test('a label that may not be made is told, and keeps no other part from being done', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.setPermission(name, 'afk-bot', 'triage');
      const wanted = mirror({ labels: { add: ['brand-new'], remove: ['ready-for-agent'] }, state: 'closed' });
      await expect(tracker.ensureMirror(issue, wanted, null)).rejects.toMatchObject({ kind: 'refused' });
      expect([labelsOf(world, issue), ours(world, issue).length, issueIn(world, issue).state]).toEqual([
        [],
        1,
        'closed',
      ]);
    });

    test("a marker in somebody else's comment, or quoted in one of ours, is not the comment", async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const fake = world.comment(name, issue.number, `${marker}\nGo away.`, 'stranger', world.state.at);
      const quote = world.comment(name, issue.number, `Somebody wrote:\n> ${marker}`, 'afk-bot', world.state.at);
      await tracker.ensureMirror(issue, mirror(), fake.nodeId);
      expect([fake.body, quote.body]).toEqual([`${marker}\nGo away.`, `Somebody wrote:\n> ${marker}`]);
      expect(ours(world, issue).map((comment) => comment.body)).toContain(`${marker}\nAt work.\n`);
    });

    test('the comment is found among hundreds', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const first = await tracker.ensureMirror(issue, mirror(), null);
      for (let i = 0; i < 250; i += 1) world.comment(name, issue.number, `Me too ${i}`, 'stranger', world.state.at);
      expect(await tracker.ensureMirror(issue, mirror(), null)).toEqual(first);
    });

    test('a text longer than a comment may be is cut', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      const long = mirror({ comment: { marker, body: `${marker}\n${'🙂'.repeat(40_000)}` } });
      const first = await tracker.ensureMirror(issue, long, null);
      expect(ours(world, issue)[0]!.body.length).toBeLessThanOrEqual(60_000);
      expect(ours(world, issue)[0]!.body.isWellFormed()).toBe(true);
      expect(await tracker.ensureMirror(issue, long, null)).toEqual(first);
    });

    test('without a comment none is written, and the id is kept', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      expect(await tracker.ensureMirror(issue, mirror({ comment: null }), '17')).toEqual({ commentId: '17' });
      expect(issueIn(world, issue).comments).toEqual([]);
    });

    test('an issue that takes no comments of ours gets the rest', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.setPermission(name, 'afk-bot', 'triage');
      world.lock(name, issue.number, 'maintainer', world.state.at);
      expect(await tracker.ensureMirror(issue, mirror({ state: 'closed' }), null)).toEqual({ commentId: null });
      expect(labelsOf(world, issue)).toContain('agent-in-progress');
      expect(issueIn(world, issue).state).toBe('closed');
    });

    test('a closed issue is opened again where the mirror wants it open, and left alone where it does not say', async () => {
      const { world, tracker } = await tracking();
      const issue = readyIssue(world);
      world.close(name, issue.number, 'maintainer', world.state.at);
      await tracker.ensureMirror(issue, mirror(), null);
      expect(issueIn(world, issue).state).toBe('closed');
      await tracker.ensureMirror(issue, mirror({ state: 'open' }), null);
      expect(issueIn(world, issue).state).toBe('open');
    });

    test('a part that is refused is told, and keeps no other part from being done', async () => {
      const { world, tracker } = await tracking();
      const opening = { author: 'afk-bot', title: 'Our own' };
      const { number, nodeId } = world.openIssue(name, opening, world.state.at);
      world.setPermission(name, 'afk-bot', null);
      const issue = { repo: shopRef(world), number, nodeId };
      // An author may comment and close, and may not label.
      await expect(tracker.ensureMirror(issue, mirror({ state: 'closed' }), null)).rejects.toMatchObject({
        kind: 'refused',
      });
      expect(ours(world, issue)).toHaveLength(1);
      expect(issueIn(world, issue).state).toBe('closed');
    });

    test('nothing is written to an issue that is gone, moved, or in an archive', async () => {
      const { world, tracker } = await tracking();
      world.addRepo('acme/other', { permissions: { 'afk-bot': 'write' } });
      const [deleted, moved, archived] = [readyIssue(world), readyIssue(world), readyIssue(world)];
      world.deleteIssue(name, deleted!.number);
      const there = world.transfer(name, moved!.number, 'acme/other', 'maintainer', world.state.at);
      world.archiveRepo(name);
      for (const issue of [deleted!, moved!, archived!]) {
        await expect(tracker.ensureMirror(issue, mirror(), null)).rejects.toMatchObject({ kind: 'refused' });
      }
      expect([there, issueIn(world, archived!)].map((one) => one.comments)).toEqual([[], []]);
    });
  });

  describe(`${title} keeps the tracker's promises: preflight`, () => {
    const labels = ['ready-for-agent', 'agent-in-progress', 'ready-for-human', 'afk-hold'];
    const withCi = async () => {
      const told = await tracking();
      const { sha } = { sha: told.world.state.repos.get(Number(told.repo.id))!.branches.get('main')! };
      told.world.report(name, sha, [{ kind: 'check', name: 'test', startsAfterMs: 0, endsAfterMs: 1 }], start);
      return told;
    };

    test('a repo in order has nothing to say, and its missing labels are made', async () => {
      const { world, tracker, repo } = await withCi();
      expect(await tracker.preflight(repo, 'main', labels)).toEqual([]);
      const there = world.state.repos.get(Number(repo.id))!.labels.map((label) => label.name);
      expect(there.sort()).toEqual([...labels].sort());
      expect(await tracker.preflight(repo, 'main', labels)).toEqual([]);
    });

    test('a repo without any CI is held back unless that is accepted', async () => {
      const { tracker, repo } = await tracking();
      expect(await tracker.preflight(repo, 'main', labels)).toEqual([expect.stringContaining('noCi')]);
      expect(await tracker.preflight(repo, 'main', labels, { noCi: 'accept' })).toEqual([]);
    });

    test.each([
      ['pull request', { pullRequest: true }],
      ['passed checks', { requiredChecks: [{ context: 'test' }] }],
      ['passed checks', { workflows: true }],
      ['a deployment', { deployments: ['staging'] }],
      ['results of code scanning', { codeScanning: true }],
      ['pull request', { classic: true, pullRequest: true }],
      ['passed checks', { classic: true, requiredChecks: [{ context: 'test' }] }],
    ] as const)('a branch whose rules speak of %s takes no direct push: %j', async (word, rules) => {
      const { world, tracker, repo } = await withCi();
      world.setRules(name, rules);
      expect(await tracker.preflight(repo, 'main', labels)).toEqual([expect.stringContaining(word)]);
    });

    test.each([
      ['pull request', { pullRequest: true }],
      ['pull request', { mergeQueue: true }],
      ['passed checks', { requiredChecks: [{ context: 'test' }] }],
      ['deployment', { deployments: ['staging'] }],
      ['scan', { codeScanning: true }],
    ] as const)('where a branch demands a %s, landing by pull request is the remedy and does', async (_word, rules) => {
      const { world, tracker, repo } = await withCi();
      world.setRules(name, rules);
      const [refused, ...others] = await tracker.preflight(repo, 'main', labels, { noCi: 'escalate', landing: 'push' });
      expect([refused, others]).toEqual([expect.stringContaining('set landing to pull-request'), []]);
      expect(await tracker.preflight(repo, 'main', labels, { noCi: 'escalate', landing: 'pull-request' })).toEqual([]);
    });

    test.each([{ signatures: true }, { classic: true, signatures: true }])(
      'a branch that demands signed commits is pushed to by an agent whose host signs: %j',
      async (rules) => {
        const { world, tracker, repo } = await withCi();
        world.setRules(name, rules);
        expect(await tracker.preflight(repo, 'main', labels)).toEqual([]);
      },
    );

    test('a branch without rules takes a pull request as well', async () => {
      const { tracker, repo } = await withCi();
      expect(await tracker.preflight(repo, 'main', labels, { noCi: 'escalate', landing: 'pull-request' })).toEqual([]);
    });

    test.each([
      ['locked', 'push', { locked: true }, true, 'no push and no merge may change it'],
      ['locked', 'pull-request', { locked: true }, true, 'no push and no merge may change it'],
      ['ruled without pull requests', 'push', { pullRequest: true }, false, 'no change can land'],
      [
        'ruled without pull requests',
        'pull-request',
        { requiredChecks: [{ context: 'test' }] },
        false,
        'no change can land',
      ],
      [
        'to be deployed first, without pull requests',
        'push',
        { deployments: ['staging'] },
        false,
        'no change can land',
      ],
      ['free without pull requests', 'pull-request', {}, false, 'or set landing to push'],
    ] as const)(
      'a branch that is %s says so in one sentence to who would land by %s',
      async (_how, landing, rules, pulls, words) => {
        const { world, tracker, repo } = await withCi();
        world.setRules(name, rules);
        world.setPullsEnabled(name, pulls);
        const said = await tracker.preflight(repo, 'main', labels, { noCi: 'escalate', landing });
        expect(said).toEqual([expect.stringContaining(words)]);
        // Neither way works: to name the other one would send an operator in circles.
        if (words.includes('no ')) expect(said[0]).not.toMatch(/set landing/);
      },
    );

    test('what is archived, without issues, without the branch, or out of reach is named with its remedy', async () => {
      const { world, tracker, repo } = await withCi();
      expect(await tracker.preflight(repo, 'trunk', labels)).toEqual([expect.stringContaining('trunk')]);
      expect(await tracker.preflight(repo, '', labels)).toEqual([expect.stringContaining('no branch')]);
      world.setIssuesEnabled(name, false);
      expect(await tracker.preflight(repo, 'main', labels)).toEqual([expect.stringContaining('issues')]);
      world.archiveRepo(name);
      expect((await tracker.preflight(repo, 'main', labels))[0]).toContain('archived');
      world.deleteRepo(name);
      expect(await tracker.preflight(repo, 'main', labels)).toEqual([expect.stringContaining('access')]);
    });

    test('a token that may only read is told what it lacks', async () => {
      const { world, tracker, repo } = await withCi();
      world.setPermission(name, 'afk-bot', null);
      expect(await tracker.preflight(repo, 'main', labels)).toEqual([
        expect.stringMatching(/^the token may only read: .*Issues: read and write/),
      ]);
    });
  });
};
