import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GithubWorld, githubWorld } from '../../lib/sandbox/github-world.ts';
import { t3World } from '../../lib/sandbox/t3-world.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { executorContract } from '../contract/executor-contract.ts';
import { forgeContract } from '../contract/forge-contract.ts';
import { trackerContract } from '../contract/tracker-contract.ts';
import {
  answersTo,
  directFace,
  everyRead,
  type Face,
  movingReads,
  servedFace,
  servedForTest,
  viewer,
} from './both-faces.ts';
import { busyStory, inOneTime, run } from './busy-world.ts';
import { drawnStory, stage } from './drawn-story.ts';

const nobodyWorks = () => t3World({ agentOf: () => ({ starts: 'never' }) });

trackerContract(
  "the tracker on the world's state",
  async (world, now) => worldPorts(inOneTime(world, nobodyWorks()), { now, login: 'afk-bot' }).tracker,
);
forgeContract(
  "the forge on the world's state",
  async (world, now) => worldPorts(inOneTime(world, nobodyWorks()), { now, login: 'afk-bot' }).forge,
);
executorContract("the executor on the world's state", async (world, now) => ({
  executor: worldPorts(inOneTime(githubWorld(), world), { now, login: 'afk-bot' }).executor,
  close: async () => {},
}));

describe('both faces of one world', () => {
  test('everything that can be asked has the same answer, at every instant of a busy story', async () => {
    const { world, steps, asked } = busyStory();
    let clock = world.github.state.at;
    const now = () => clock;
    const [direct, served] = [directFace(world, now), await servedForTest(world, now)];
    for (const step of steps) {
      step();
      expect(await answersTo(everyRead(world, asked(), direct))).toEqual(
        await answersTo(everyRead(world, asked(), served)),
      );
      clock = world.github.state.at + 2500;
      expect(await answersTo(movingReads(world, asked(), direct))).toEqual(
        await answersTo(movingReads(world, asked(), served)),
      );
    }
  }, 60_000);

  test('what is written to issues in every state comes to the same, and so do the refusals', async () => {
    const [here, there] = [busyStory(), busyStory()];
    for (const { steps } of [here, there]) for (const step of steps) step();
    const served = await servedForTest(there.world, () => there.world.github.state.at);
    const direct = directFace(here.world, () => here.world.github.state.at);
    const mirror = { ...quiet, labels: { add: ['doing'], remove: ['nice'] }, comment: { marker, body: 'At work.' } };
    const ask = ({ tracker }: Face) =>
      answersTo(
        here.asked().issues.flatMap((issue) => [
          [`open ${issue.nodeId}`, () => tracker.ensureMirror(issue, { ...mirror, state: 'open' }, null)],
          [`close ${issue.nodeId}`, () => tracker.ensureMirror(issue, { ...mirror, state: 'closed' }, '1')],
          [`take off ${issue.nodeId}`, () => tracker.removeLabel(issue, 'Ready-for-agent')],
        ]),
      );
    expect(await ask(direct)).toEqual(await ask(served));
    expect(here.world.github.state).toEqual(there.world.github.state);
  }, 60_000);

  test('an account that is gone is refused by both, whatever it asks', async () => {
    const { world, asked, now } = stage();
    world.github.deleteUser(viewer.login);
    const served = await servedForTest(world, now);
    const answers = await answersTo(everyRead(world, asked(), directFace(world, now)));
    expect(answers).toEqual(await answersTo(everyRead(world, asked(), served)));
    expect(answers['scan']).toMatchObject({ thrown: 'unauthorised' });
  });

  test('where there is more than is read, both stop at the same place', async () => {
    const [here, there] = [stage(), stage()];
    for (const { world } of [here, there]) crowded(world.github);
    const served = await servedForTest(there.world, there.now);
    const direct = directFace(here.world, here.now);
    const ask = ({ asked, world }: ReturnType<typeof stage>, { tracker, forge }: Face) => {
      const { repos, issues, runId } = asked();
      const [repo, issue] = [repos[0]!, issues[0]!];
      const [root = '', ...commits] = world.github.state.repos.get(Number(repo.id))!.commits.keys();
      const head = commits.at(-1)!;
      return answersTo([
        ['a list', () => tracker.listReady(repo, 'ready-for-agent')],
        ['all lists', () => tracker.listLabelled(repo, 'ready-for-agent')],
        ['an issue', () => tracker.detail(issue, 'ready-for-agent')],
        ['a watch', () => tracker.watch(issue)],
        ['a landing', () => forge.landing(repo, { base: root, branch: 'main', head, runId })],
        ['a rewritten one', () => forge.landing(repo, { base: 'a'.repeat(40), branch: 'main', head, runId })],
        ['reports', () => forge.ci(repo, { sha: head, hasDescendant: true, environments: ['production'] })],
        ['elsewhere', () => forge.elsewhere(repo, { issue: issue.number, runId })],
        // Of 520 statuses the first page holds the newest 100, down to this one; of the checks it ends within them.
        ['what was said', () => forge.said(repo, { sha: head, names: ['s420', 's419', 'c99', 'c100'] })],
        [
          'a mirror',
          () => tracker.ensureMirror(issue, { ...quiet, comment: { marker, body: `${marker}\nNew.` } }, null),
        ],
      ]);
    };
    const answers = await ask(here, direct);
    expect(answers).toEqual(await ask(there, served));
    expect(answers['what was said']).toEqual({
      value: new Map([
        ['s420', 'Said 420'],
        ['c99', 'Said'],
      ]),
    });
    expect(here.everything()).toEqual(there.everything());
  }, 60_000);

  test('what an agent asked before the last message is told by neither', async () => {
    const [here, there] = [stage(), stage()];
    const direct = directFace(here.world, here.now);
    const served = await servedForTest(there.world, there.now);
    const story = [
      { what: 'thread', a: 1, b: 0, c: 3, afterMs: 0 },
      { what: 'turn', a: 2, b: 0, c: 1, afterMs: 1000 },
      { what: 'turn', a: 3, b: 0, c: 0, afterMs: 100_000 },
    ] as const;
    const asked: unknown[] = [];
    for (const deed of story) {
      expect(await here.play(deed, direct)).toEqual(await there.play(deed, served));
      here.world.settle(here.now() + 90_000);
      there.world.settle(there.now() + 90_000);
      const detail = await direct.executor.detail('t0');
      expect(detail).toEqual(await served.executor.detail('t0'));
      asked.push(detail?.request?.kind);
    }
    expect(asked).toEqual([undefined, 'question', undefined]);
  });

  test('whatever happens and whatever is asked for, both change their worlds alike and see the same', async () => {
    await fc.assert(
      fc.asyncProperty(drawnStory(), async (story) => {
        const [here, there] = [stage(), stage()];
        const direct = directFace(here.world, here.now);
        const served = await servedFace(there.world, there.now);
        try {
          for (const deed of story) expect(await here.play(deed, direct)).toEqual(await there.play(deed, served));
          expect(await answersTo(everyRead(here.world, here.asked(), direct))).toEqual(
            await answersTo(everyRead(there.world, there.asked(), served)),
          );
          expect(here.everything()).toEqual(there.everything());
        } finally {
          await served.close();
        }
      }),
      // Each story costs servers and hundreds of requests, too many for shrinking: the seed replays it.
      { numRuns: 12, endOnFailure: true },
    );
  }, 60_000);
});

const marker = '<!-- afk:0123456789abcdef -->';
const quiet = { labels: { add: [], remove: [] }, state: 'as is' } as const;

/** More of everything than one look at it takes in. */
const crowded = (world: GithubWorld): void => {
  const shop = 'acme/shop';
  const at = world.state.at;
  const times = (count: number, act: (i: number) => void) => Array.from({ length: count }, (_, i) => act(i));
  world.comment(shop, 1, `${marker}\nOld.`, viewer.login, at);
  times(2050, (i) => world.comment(shop, 1, `Me too ${i}`, 'stranger', at));
  times(110, (i) => world.label(shop, 1, `label ${i}`, 'triager', at + i));
  times(120, (i) =>
    world.openIssue(shop, { author: 'maintainer', title: `Ready ${i}`, labels: ['ready-for-agent'] }, at),
  );
  world.push(
    shop,
    { branch: 'topic', actor: 'maintainer', commits: [{ message: `T\n\nRefs #1\nAFK-Run: ${run}` }] },
    at,
  );
  times(35, (i) =>
    world.push(shop, { branch: 'other', actor: 'maintainer', commits: [{ message: `${i} of #1` }] }, at),
  );
  // One in a page that is read, one in those that are passed over, and one near the head.
  const isOurs = (i: number): boolean => i === 10 || i === 150 || i === 1150;
  const messages = Array.from({ length: 1160 }, (_, i) => (isOurs(i) ? `Ours ${i}\n\nAFK-Run: ${run}` : `Other ${i}`));
  world.push(shop, { actor: 'maintainer', commits: messages.map((message) => ({ message })) }, at);
  times(105, (i) => world.push(shop, { actor: 'maintainer', commits: [{ message: `Push ${i}` }] }, at));
  const { after } = world.push(shop, { actor: 'maintainer', commits: [{ message: 'Head' }] }, at);
  world.report(
    shop,
    after,
    Array.from(
      { length: 520 },
      (_, i) => ({ kind: 'status', context: `s${i}`, state: 'failure', afterMs: 0, says: `Said ${i}` }) as const,
    ),
    at,
  );
  const failing = { startsAfterMs: 0, endsAfterMs: 0, conclusion: 'failure', says: 'Said' } as const;
  times(105, (i) => world.report(shop, after, [{ kind: 'check', name: `c${i}`, ...failing }], at));
  times(105, (i) => world.report(shop, after, [{ kind: 'suite', app: 'github-actions', workflow: `W${i}` }], at));
  times(35, (i) =>
    world.deploy(shop, after, { environment: 'production', afterMs: 0, states: [{ afterMs: i, state: 'queued' }] }, at),
  );
};
