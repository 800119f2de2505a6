import * as fc from 'fast-check';
import type { Mirror } from '../../lib/core/mirror.ts';
import { GithubRefusal } from '../../lib/sandbox/github-refusal.ts';
import type { SettledWorld } from '../../lib/sandbox/world-ports.ts';
import { type Asked, type Face, issueRef, outcomeOf, refOf, viewer } from './both-faces.ts';
import { busyT3, inOneTime, peopledWorld, run } from './busy-world.ts';

/** One thing that happens, to the world or through a face; the numbers choose among what there is. */
export type Deed = { what: keyof typeof deeds; a: number; b: number; c: number; afterMs: number };

/** Stories of things nobody would think of doing one after the other. */
export const drawnStory = (): fc.Arbitrary<readonly Deed[]> =>
  fc.array(
    fc.record({
      what: fc.constantFrom(...deedNames),
      ...{ a: fc.nat(1000), b: fc.nat(1000), c: fc.nat(1000) },
      afterMs: fc.oneof(fc.constant(0), fc.nat(3000), fc.nat(100_000)),
    }),
    { minLength: 20, maxLength: 45 },
  );

/** A world for a story, and who looks at it; the same story in two of them gives two equal worlds. */
export const stage = () => {
  const world = inOneTime(peopledWorld(), busyT3());
  const refs = [...world.github.state.repos.values()].map(refOf);
  const begin = world.github.state.at;
  for (const repo of ['acme/shop', 'acme/shop', 'acme/shop', 'acme/shop', 'acme/other', 'acme/archive', 'acme/secret'])
    world.github.openIssue(repo, { author: 'stranger', title: 'There from the beginning' }, begin);
  world.github.push('acme/shop', { branch: 'topic', actor: 'maintainer', commits: [{ message: message(0) }] }, begin);
  const project = {
    type: 'project.create',
    commandId: 'p',
    projectId: 'p0',
    title: 'Shop',
    workspaceRoot: '/srv/shop',
  };
  world.t3.dispatch({ ...project, createdAt: '' }, begin);
  let clock = world.github.state.at;
  const asked = (): Asked => ({
    repos: refs,
    issues: [...world.github.state.issues.values()].map((issue) =>
      issueRef(refs.find(({ id }) => id === String(issue.repoId))!, issue),
    ),
    runId: run,
  });
  return {
    world,
    asked,
    now: () => clock,
    /** Does it; what was asked of a face is told, and what the world refuses is no matter. */
    play: async ({ what, afterMs, ...numbers }: Deed, face: Face): Promise<unknown> => {
      clock = Math.max(clock + afterMs, world.github.state.at);
      const { a, b, c } = numbers;
      try {
        return await deeds[what]({ world, face, asked: asked(), at: clock, a, b, c });
      } catch (error) {
        if (error instanceof GithubRefusal || (error instanceof Error && /story|pull request/.test(error.message)))
          return 'refused by the world';
        throw error;
      }
    },
    /** All there is, however it came to be. */
    everything: () => ({
      github: world.github.state,
      threads: world.t3.threads(),
      projects: world.t3.projects(),
      agents: world.t3.liveAgents(),
    }),
  };
};

type On = { world: SettledWorld; face: Face; asked: Asked; at: number; a: number; b: number; c: number };

const from = <T>(items: readonly T[], index: number): T => items[index % items.length]!;

const who = ['maintainer', 'triager', 'stranger', 'leaver', 'helper[bot]', viewer.login, 'agent-bot'] as const;
const where = ['acme/shop', 'acme/shop', 'acme/shop', 'acme/other', 'acme/secret', 'acme/archive'] as const;
const labels = ['ready-for-agent', 'Agent-In-Progress', 'ready-for-human', 'nice', 'a,b', 'fresh'] as const;
const marker = '<!-- afk:0123456789abcdef -->';
const number = (n: number): number => 1 + (n % 4);
const message = (n: number): string =>
  from([`A\n\nRefs #1\nAFK-Run: ${run}`, 'B', `Fixes #2\n\nAFK-Run: ${run}\nAFK-Phase: green`, 'C [skip ci]'], n);

const mirrorOf = (b: number, c: number): Mirror => ({
  labels: { add: [from(labels, b)], remove: [from(labels, c), from(labels, b + c + 1)] },
  comment: b % 5 === 0 ? null : { marker, body: `${marker}\nNo. ${c % 3}\r\n` },
  state: from(['as is', 'open', 'closed'] as const, c),
});

const deeds = {
  open: ({ world, at, a, b, c }: On) =>
    void world.github.openIssue(
      from(where, a),
      {
        author: from(who, b),
        title: `T ${c} #1`,
        labels: [from(labels, c)],
        ...(c % 2 && { labelledVia: 'form' as const }),
      },
      at,
    ),
  label: ({ world, at, a, b, c }: On) =>
    world.github.label(
      from(where, a + c),
      number(a),
      from(labels, b),
      from(who, c),
      at,
      c % 7 ? {} : { via: 'helper' },
    ),
  unlabel: ({ world, at, a, b, c }: On) =>
    void world.github.unlabel(from(where, c), number(a), from(labels, b), from(who, c), at),
  edit: ({ world, at, a, b, c }: On) => world.github.editBody(from(where, a), number(b), `Text ${c}`, from(who, c), at),
  retitle: ({ world, at, a, b, c }: On) =>
    world.github.editTitle(from(where, a), number(b), `T ${c}`, from(who, c), at),
  close: ({ world, at, a, b, c }: On) => world.github.close(from(where, c), number(a), from(who, b), at),
  reopen: ({ world, at, a, b, c }: On) => world.github.reopen(from(where, c), number(a), from(who, b), at),
  lock: ({ world, at, a, b, c }: On) => world.github.lock(from(where, c), number(a), from(who, b), at),
  comment: ({ world, at, a, b, c }: On) =>
    void world.github.comment(
      from(where, a),
      number(b),
      `${c % 2 ? `${marker}\n` : ''}See acme/other#1`,
      from(who, c),
      at,
    ),
  block: ({ world, a, b, c }: On) =>
    world.github.addBlocker(from(where, a), number(b), { repo: from(where, c), number: number(c) }),
  part: ({ world, a, b, c }: On) =>
    world.github.addSubIssue(from(where, a), number(b), { repo: from(where, c), number: number(c + 1) }),
  move: ({ world, at, a, c }: On) =>
    c % 4 ? undefined : void world.github.transfer('acme/shop', number(a), 'acme/other', 'maintainer', at),
  erase: ({ world, a, c }: On) => (c % 4 ? undefined : world.github.deleteIssue('acme/shop', number(a))),
  push: ({ world, at, a, b, c }: On) =>
    void world.github.push(
      from(where, a),
      {
        ...{ actor: from(who, b), commits: [{ message: message(b) }, { message: message(c) }].slice(0, 1 + (c % 2)) },
        ...(b % 3 === 0 && { branch: 'topic' }),
        ...(c % 6 === 5 && { force: true }),
        ...(b % 3 === 1 && c % 5 === 0 && { mergeOnTop: 'topic' }),
      },
      at,
    ),
  pull: ({ world, at, a, b, c }: On) =>
    void world.github.openPull(
      'acme/shop',
      { author: from(who, a), title: 'Topic', body: `Closes #${number(b)}, like #${number(c)}`, head: 'topic' },
      at,
    ),
  merge: ({ world, at, a, b }: On) => world.github.mergePull('acme/shop', 5 + (a % 3), from(who, b), at),
  report: ({ world, at, b, c }: On) => {
    const [repo] = world.github.state.repos.values();
    const sha = from([...repo!.commits.keys()], b);
    const conclusion = from(['success', 'failure', 'timed_out', 'stale', 'skipped'], c);
    world.github.report(
      repo!.name,
      sha,
      [
        {
          ...{ kind: 'check', name: `check ${c % 2}`, startsAfterMs: c, endsAfterMs: 20 * c, conclusion },
          ...(b % 2 && { says: `Said ${c}\n${'y'.repeat(b)}` }),
        },
        {
          kind: 'status',
          context: `status ${b % 2}`,
          afterMs: 10 * b,
          state: from(['success', 'error', 'pending'], c),
          says: `Said ${b}`,
        },
      ],
      at,
    );
    const states = ['queued', 'in_progress', from(['success', 'failure'], c)].map((state, i) => ({
      state,
      afterMs: 1 + i * c,
    }));
    world.github.deploy(repo!.name, sha, { environment: from(['production', 'staging'], b), afterMs: 0, states }, at);
  },
  rename: ({ world, c }: On) =>
    world.github.renameLabel('acme/shop', from(labels, c), from(['Nice one', 'fresh', 'a'], c)),
  permit: ({ world, a, b, c }: On) =>
    world.github.setPermission(
      from(where, c),
      from(who, a),
      from(['read', 'triage', 'write', 'admin', null] as const, b),
    ),
  freeze: ({ world, a, b }: On) =>
    b % 2
      ? world.github.archiveRepo(from(where, a), b % 3 === 0)
      : world.github.setIssuesEnabled(from(where, a), b % 3 === 0),
  leave: ({ world, c }: On) => (c % 6 ? undefined : world.github.deleteUser('leaver')),

  mirror: async ({ face, asked, a, b, c }: On) => {
    const issue = from(asked.issues, a);
    const mirror = mirrorOf(b, c);
    const first = await outcomeOf(() => face.tracker.ensureMirror(issue, mirror, null));
    const known = String(1000 + ((b * c) % 90));
    return [first, await outcomeOf(() => face.tracker.ensureMirror(issue, mirror, from([known, null, ''], c)))];
  },
  takeOff: ({ face, asked, a, b }: On) =>
    outcomeOf(() => face.tracker.removeLabel(from(asked.issues, a), from([...labels, '..', ''], b))),
  preflight: ({ face, asked, a, b, c }: On) =>
    outcomeOf(() =>
      face.tracker.preflight(
        from(asked.repos, a),
        from(['main', 'topic', 'no/such'], b),
        labels.slice(0, 1 + (c % 6)),
        from([undefined, { noCi: 'accept' }] as const, c),
      ),
    ),
  project: ({ face, at, a, b, c }: On) =>
    outcomeOf(() =>
      face.executor.createProject({
        ...{ commandId: `c${a % 200}`, projectId: `p${b % 2}`, title: from(['Shop', '', 'New thread'], c), model, at },
        workspaceRoot: from(['/srv/shop/', '/srv/nothing', ' '], c),
      }),
    ),
  thread: ({ face, at, a, b, c }: On) =>
    outcomeOf(() =>
      face.executor.createThread({
        ...{ commandId: `c${a % 200}`, threadId: `t${b % 3}`, projectId: from(['p0', 'p0', 'p1'], c), model, at },
        ...{
          title: from(['acme/shop#1: One', ' \n', 'New thread'], c),
          runtimeMode: c % 5 ? 'full-access' : 'odd',
        },
      }),
    ),
  turn: ({ face, at, a, b, c }: On) =>
    outcomeOf(() =>
      face.executor.startTurn({
        ...{ commandId: `c${a % 200}`, threadId: `t${b % 3}`, messageId: `m${a}`, runtimeMode: 'full-access', at },
        text: from(['works', 'asks', 'hangs', 'errs', 'lingers', 'lost', 'cannot', ' '], c),
      }),
    ),
  order: ({ face, at, a, b, c }: On) => {
    const way = from(['interrupt', 'stop', 'archive', 'unarchive'] as const, c);
    return outcomeOf(() => face.executor[way]({ commandId: `c${a % 200}`, threadId: `t${b % 3}`, at }));
  },
} as const;

const model = { instanceId: 'claudeAgent', model: 'claude-sonnet-5' };

// What goes through a face is drawn more often than the rest of the world's doings.
const deedNames = [
  ...Object.keys(deeds),
  ...[
    'mirror',
    'mirror',
    'takeOff',
    'thread',
    'thread',
    'thread',
    'turn',
    'turn',
    'order',
    'order',
    'push',
    'push',
    'label',
  ],
].filter((name): name is keyof typeof deeds => name in deeds);
