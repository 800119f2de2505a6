import { githubWorld } from '../../lib/sandbox/github-world.ts';
import type { AgentScript } from '../../lib/sandbox/t3-agent-script.ts';
import { t3World } from '../../lib/sandbox/t3-world.ts';
import type { SettledWorld } from '../../lib/sandbox/world-ports.ts';
import { type Asked, issueRef, refOf, viewer } from './both-faces.ts';

export const start = Date.parse('2026-03-02T08:00:00.250Z');
const second = 1000;
const minute = 60 * second;
export const run = 'a1'.repeat(16);
const shop = 'acme/shop';

/** Both halves in one time, each due thing in its turn. */
export const inOneTime = (github: SettledWorld['github'], t3: SettledWorld['t3']): SettledWorld => ({
  github,
  t3,
  settle: (until) => {
    t3.settle(until);
    github.settle(until);
  },
});

/** People of every kind, and repos in every state. */
export const peopledWorld = (): SettledWorld['github'] => {
  const world = githubWorld({ at: start });
  world.addUser(viewer.login, { token: viewer.github });
  for (const login of ['maintainer', 'triager', 'stranger', 'leaver', 'agent-bot']) world.addUser(login);
  world.addUser('helper[bot]', { type: 'Bot' });
  world.addUser('copilot', { type: 'Bot', notAUser: true });
  world.addUser('ghost', { type: 'Mannequin' });
  const permissions = { [viewer.login]: 'write', maintainer: 'maintain', triager: 'triage', leaver: 'write' } as const;
  world.addRepo(shop, { permissions: { ...permissions, 'helper[bot]': 'write' } });
  world.addRepo('acme/other', { permissions: { [viewer.login]: 'triage' } });
  world.addRepo('acme/archive', { permissions });
  world.addRepo('acme/quiet', { permissions, issuesEnabled: true });
  world.addRepo('acme/secret', { private: true });
  world.addRepo('acme/gone', { permissions });
  for (const label of ['ready-for-agent', 'agent-in-progress', 'ready-for-human', 'afk-hold', 'nice', 'a,b'])
    world.addLabel(shop, { name: label });
  return world;
};

const scripts: Readonly<Record<string, AgentScript>> = {
  works: {
    starts: 'ok',
    acts: [
      { afterMs: second, does: 'tool', detail: 'Bash: npm test' },
      { afterMs: second, does: 'change-file', path: 'src/a.ts' },
      { afterMs: second, does: 'change-file', path: 'src/a.ts' },
      { afterMs: second, does: 'tokens', total: 90_000 },
      { afterMs: second, does: 'tokens', total: 390_000, told: 'at-end' },
      { afterMs: 30 * second, does: 'end', how: 'completed', text: 'Done. token=abcdefgh12345678\u001b[0m' },
    ],
  },
  asks: { starts: 'ok', acts: [{ afterMs: second, does: 'ask', question: 'Which?', options: [] }] },
  approves: { starts: 'ok', acts: [{ afterMs: second, does: 'approve', detail: 'Bash: rm -rf build' }] },
  errs: { starts: 'ok', acts: [{ afterMs: second, does: 'end', how: 'error', lastError: `no\n${'x'.repeat(600)}` }] },
  crashes: { starts: 'ok', acts: [{ afterMs: second, does: 'end', how: 'crash' }] },
  leaves: { starts: 'ok', acts: [{ afterMs: second, does: 'end', how: 'exit-zero', text: ' ' }] },
  hangs: { starts: 'ok', acts: [] },
  cannot: { starts: 'missing-binary' },
  lost: { starts: 'never' },
  lingers: {
    starts: 'ok',
    acts: [
      {
        ...{ afterMs: second, does: 'end', how: 'background', backgroundMs: 2 * minute },
        afterEnd: [{ afterMs: second, does: 'end', how: 'completed', text: 'All done.' }],
      },
    ],
  },
};

/** A server on which each thread's first message names its script. */
export const busyT3 = (): SettledWorld['t3'] =>
  t3World({
    token: viewer.t3,
    agentOf: ({ text }) => scripts[text] ?? { starts: 'never' },
    checkouts: new Set(['/srv/shop']),
  });

/** What happens to GitHub, act by act in the order of time; each may be looked at before the next. */
const githubStory = (world: SettledWorld['github']): readonly (() => void)[] => {
  let at = start;
  const later = (ms: number): number => {
    at += ms;
    return at;
  };
  const open = (title: string, author = 'stranger', repo = shop) =>
    world.openIssue(repo, { author, title, body: `${title}.\r\n\nSee #1 and acme/other#1 🙂` }, later(7100)).number;
  const ready = (number: number, by = 'maintainer', how = {}) =>
    world.label(shop, number, 'ready-for-agent', by, later(1900), how);
  const trailer = `AFK-Run: ${run}`;
  return [
    () => {
      for (const title of ['Cart', 'Blocker', 'Child', 'Edited', 'Renamed', 'Moves', 'Goes', 'By keyword']) open(title);
      open('Elsewhere', 'maintainer', 'acme/other');
      open('Hidden', 'acme', 'acme/secret');
      for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) ready(number, number % 2 ? 'maintainer' : 'leaver');
      world.openIssue(
        shop,
        { author: 'stranger', title: 'Form', labels: ['ready-for-agent'], labelledVia: 'form' },
        at,
      );
      world.openIssue(shop, { author: 'helper[bot]', title: 'By a bot' }, later(50));
      world.label(shop, 10, 'ready-for-agent', 'helper[bot]', later(50));
    },
    () => {
      world.addBlocker(shop, 1, { number: 2 });
      world.addBlocker(shop, 1, { repo: 'acme/other', number: 1 });
      world.addBlocker(shop, 1, { repo: 'acme/secret', number: 1 });
      world.addSubIssue(shop, 1, { number: 3 });
      world.addSubIssue(shop, 1, { number: 4 });
      world.close(shop, 4, 'triager', later(minute), 'not_planned');
      for (let i = 0; i < 60; i += 1) world.editBody(shop, 4, `Text ${i}`, i % 3 ? 'stranger' : 'leaver', later(400));
      for (let i = 0; i < 120; i += 1) world.editTitle(shop, 5, `Title ${i}`, 'stranger', later(1300));
      world.editBody(shop, 1, 'Once', 'stranger', later(100));
      world.editBody(shop, 1, 'Twice', 'maintainer', later(100));
      world.unlabel(shop, 5, 'ready-for-agent', 'triager', later(second));
      ready(5, 'triager', { via: 'helper', intent: { rationale: null, confidence: 'low' } });
      world.unlabel(shop, 3, 'ready-for-agent', 'triager', later(second));
      world.label(shop, 3, 'nice', 'stranger', later(second));
      world.label(shop, 3, 'a,b', 'stranger', later(10));
      world.label(shop, 1, 'afk-hold', 'triager', later(10));
    },
    () => {
      world.push(shop, { actor: 'agent-bot', commits: [{ message: 'Not ours' }] }, later(minute));
      world.push(
        shop,
        { branch: 'topic', actor: 'agent-bot', commits: [{ message: `Aside\n\nRefs #1\n${trailer}` }] },
        at,
      );
      world.openPull(
        shop,
        { author: 'agent-bot', title: 'Topic', body: 'Closes #2, for #1', head: 'topic' },
        later(10),
      );
      world.label(shop, 11, 'ready-for-agent', 'maintainer', later(10));
      world.comment(shop, 1, 'Me too, like acme/other#1', 'stranger', later(10));
    },
    () => {
      const commits = [
        { message: `test: red\n\nRefs #8\n${trailer}\nAFK-Phase: tests-red` },
        { message: `fix: green\n\nCloses #8\n${trailer}\nAFK-Phase: green` },
      ];
      const { after } = world.push(shop, { actor: 'agent-bot', commits, mergeOnTop: 'topic' }, later(minute));
      world.report(shop, after, everyCheck, at);
      for (const [i, states] of deployed.entries())
        world.deploy(
          shop,
          after,
          {
            ...{ environment: i % 2 ? 'staging' : 'production', afterMs: i * 100 },
            states: states.map((state, n) => ({ state, afterMs: 700 * (n + 1) + i })),
          },
          at,
        );
    },
    () => {
      const { after } = world.push(
        shop,
        { actor: 'maintainer', commits: [{ message: 'Later\n\n[skip ci]' }] },
        later(minute),
      );
      world.deploy(
        shop,
        after,
        { environment: 'production', afterMs: 0, states: [{ afterMs: 1, state: 'success' }] },
        at,
      );
      world.deploy(shop, after, { environment: 'staging', afterMs: 0, states: [], sha: 'e'.repeat(40) }, at);
      world.reopen(shop, 8, 'agent-bot', later(second));
      world.mergePull(shop, 11, 'maintainer', later(second));
      world.lock(shop, 9, 'maintainer', later(second), 'spam');
    },
    () => {
      world.rewrite(shop, { actor: 'maintainer', commits: [{ message: `Again\n\n${trailer}` }] }, later(minute));
      world.push(
        shop,
        { branch: 'topic', actor: 'agent-bot', commits: [{ message: `More\n\n${trailer}` }] },
        later(10),
      );
      world.openPull(shop, { author: 'stranger', title: 'For #1', head: 'topic' }, later(10));
      world.comment('acme/secret', 1, `Hidden word of ${shop}#1`, 'acme', later(10));
      world.openIssue('acme/secret', { author: 'acme', title: `Like ${shop}#1` }, later(10));
    },
    () => {
      world.transfer(shop, 6, 'acme/other', 'maintainer', later(minute));
      world.deleteIssue(shop, 7);
      world.deleteUser('leaver');
      world.renameLabel(shop, 'ready-for-agent', 'was-ready');
      world.renameLabel(shop, 'nice', 'Ready-For-Agent');
      world.label(
        'acme/archive',
        world.openIssue('acme/archive', { author: 'maintainer', title: 'Old' }, at).number,
        'ready-for-agent',
        'maintainer',
        at,
      );
      world.label(
        'acme/quiet',
        world.openIssue('acme/quiet', { author: 'maintainer', title: 'Off' }, at).number,
        'ready-for-agent',
        'maintainer',
        at,
      );
    },
    () => {
      world.archiveRepo('acme/archive');
      world.setIssuesEnabled('acme/quiet', false);
      world.deleteRepo('acme/gone');
      world.renameRepo(shop, 'acme/store');
      world.renameDefaultBranch('acme/store', 'release/v1 #2');
      world.push('acme/store', { actor: 'agent-bot', commits: [{ message: `Moved on\n\n${trailer}` }] }, later(minute));
      world.deleteBranch('acme/other', 'main', 'maintainer', later(10));
    },
  ];
};

const everyCheck = [
  ...['success', 'failure', 'timed_out', 'startup_failure', 'cancelled', 'stale', 'skipped', 'neutral'].map(
    (conclusion, i) =>
      ({
        kind: 'check',
        name: `check ${i}`,
        ...{ startsAfterMs: 300 * i, endsAfterMs: 900 * i, conclusion },
        ...(i % 3 > 0 && { says: `Title ${i}\nSummary\n\nText ${'x'.repeat(400 * i)}` }),
      }) as const,
  ),
  { kind: 'check', name: 'check 1', startsAfterMs: 5000, endsAfterMs: 6000, says: 'All is well now' },
  { kind: 'check', name: 'check 1', workflow: 'Other', startsAfterMs: 0, endsAfterMs: 7000, conclusion: 'timed_out' },
  { kind: 'check', name: 'held', startsAfterMs: 0, endsAfterMs: 400, conclusion: 'action_required' },
  { kind: 'check', name: 'waits', startsAfterMs: 0, unfinished: 'waiting' },
  { kind: 'check', name: 'requested', startsAfterMs: 0, unfinished: 'requested' },
  { kind: 'check', name: 'pending', startsAfterMs: 0, unfinished: 'pending' },
  { kind: 'check', name: 'never', queuedAfterMs: 100, startsAfterMs: 90 * minute },
  { kind: 'check', name: 'other', app: 'other-ci', startsAfterMs: 0 },
  { kind: 'check', name: 'nightly', workflow: 'Night', event: 'schedule', startsAfterMs: 0 },
  { kind: 'check', name: 'check 1', file: 'second.yml', startsAfterMs: 0, endsAfterMs: 7000 },
  { kind: 'suite', app: 'github-actions', workflow: 'Empty' },
  { kind: 'suite', app: 'github-actions', workflow: 'Empty', file: 'second.yml' },
  { kind: 'suite', app: 'github-actions', workflow: 'Label', event: 'issues', afterMs: 300 },
  { kind: 'suite', app: 'github-actions', workflow: 'Broken', endsAfterMs: 800, conclusion: 'startup_failure' },
  { kind: 'suite', app: 'github-actions', workflow: 'Broken', afterMs: 1500, endsAfterMs: 4000, conclusion: 'stale' },
  { kind: 'suite', app: 'idle-app' },
  ...['success', 'failure', 'error', 'pending'].map(
    (state, i) =>
      ({ kind: 'status', context: `status ${i % 3}`, state, afterMs: 200 * i, says: `${state} ${i}` }) as const,
  ),
] as const;

const deployed = [
  ['queued', 'in_progress', 'success'],
  ['in_progress', 'failure'],
  ['waiting'],
  ['error'],
  ['pending'],
  [],
  ['success'],
  ['success', 'inactive'],
] as const;

/** What happens on the T3 host: threads in every state, some put away. Each act is `ms` after the one before. */
const t3Story = (t3: SettledWorld['t3']): readonly ((at: number) => void)[] => {
  let commands = 0;
  const order = (type: string, fields: object, at: number) =>
    t3.dispatch({ type, commandId: `c${commands++}`, createdAt: '', ...fields }, at);
  const model = { instanceId: 'claudeAgent', model: 'claude-sonnet-5' };
  const thread = (threadId: string, at: number) =>
    order(
      'thread.create',
      {
        ...{ threadId, projectId: 'p1', title: threadId, modelSelection: model, runtimeMode: 'full-access' },
        ...{ branch: null, worktreePath: null },
      },
      at,
    );
  const turn = (threadId: string, text: string, at: number) =>
    order(
      'thread.turn.start',
      {
        ...{ threadId, runtimeMode: 'full-access', interactionMode: 'default' },
        message: { messageId: `m${commands}`, role: 'user', text, attachments: [] },
      },
      at,
    );
  const names = Object.keys(scripts);
  return [
    (at) => {
      order('project.create', { projectId: 'p1', title: 'Shop', workspaceRoot: '/srv/shop/' }, at);
      thread('empty', at);
      for (const name of names) thread(name, at);
      for (const name of names) turn(name, name, at);
      for (const name of ['archived', 'deleted']) thread(name, at);
    },
    (at) => {
      order('thread.archive', { threadId: 'archived' }, at);
      order('thread.delete', { threadId: 'deleted' }, at);
      order('thread.turn.interrupt', { threadId: 'hangs' }, at);
    },
    (at) => {
      turn('works', 'leaves', at);
      order('thread.session.stop', { threadId: 'lost' }, at);
      order('thread.turn.interrupt', { threadId: 'asks' }, at);
      order('thread.archive', { threadId: 'errs' }, at);
    },
    (at) => {
      turn('hangs', 'works', at);
      order('thread.unarchive', { threadId: 'errs' }, at);
      order('thread.delete', { threadId: 'crashes' }, at);
    },
  ];
};

/** The whole story: a world, its acts one after the other, and what may be asked about it so far. */
export const busyStory = () => {
  const github = peopledWorld();
  const world = inOneTime(github, busyT3());
  // By their names and ids of the beginning, as whoever asks has them in his records.
  const repos = [...github.state.repos.values()].map(refOf);
  const refs = new Map<string, Asked['issues'][number]>();
  const acts = githubStory(github);
  const threads = t3Story(world.t3);
  const steps = acts.map((act, index) => () => {
    act();
    threads[index]?.(github.state.at);
    for (const issue of github.state.issues.values()) {
      const repo = repos.find(({ id }) => id === String(issue.repoId))!;
      if (!refs.has(issue.nodeId)) refs.set(issue.nodeId, issueRef(repo, issue));
    }
  });
  const asked = (): Asked => ({ repos, issues: [...refs.values()], runId: run });
  return { world, steps, asked };
};
