import { describe, expect, test } from 'vitest';
import { keptName } from '../../lib/core/said.ts';
import type { Forge } from '../../lib/ports.ts';
import type { CheckPlan, DeployPlan } from '../../lib/sandbox/github-ci.ts';
import type { GithubWorld } from '../../lib/sandbox/github-world.ts';
import { secondOf } from '../../lib/sandbox/world-reads.ts';
import { shopRef, shopWorld } from './tracker-contract.ts';

/** A forge that looks at this world as `afk-bot`, whose token is `afk-token`. Called inside a test. */
export type MakeForge = (world: GithubWorld, now: () => number) => Promise<Forge>;

const name = 'acme/shop';
const runId = 'a1'.repeat(16);
const minute = 60_000;
const trailer = `AFK-Run: ${runId}`;

const headOf = (world: GithubWorld, branch = 'main'): string =>
  world.state.repos.get(Number(shopRef(world).id))!.branches.get(branch)!;

/** By an issue and by a commit, which takes the last place among the newest. */
const mentionFromBehindSso = (world: GithubWorld, number: number): void => {
  const elsewhere = 'guarded/vault';
  if (![...world.state.repos.values()].some((repo) => repo.name === elsewhere))
    world.addRepo(elsewhere, { behindSso: true });
  const text = `Like ${name}#${number}`;
  world.openIssue(elsewhere, { author: 'stranger', title: text }, world.state.at);
  world.push(elsewhere, { actor: 'stranger', commits: [{ message: text }] }, world.state.at);
};

/** What the port `Forge` promises, against one world. */
export const forgeContract = (title: string, make: MakeForge): void => {
  const forging = async () => {
    const world = shopWorld();
    const forge = await make(world, () => world.state.at);
    const repo = shopRef(world);
    const base = headOf(world);
    const push = (messages: readonly string[], rest: { branch?: string; mergeOnTop?: string } = {}) =>
      world.push(
        name,
        { actor: 'maintainer', commits: messages.map((message) => ({ message })), ...rest },
        world.state.at + minute,
      );
    const landing = (change: { base?: string; head?: string; branch?: string } = {}) =>
      forge.landing(repo, { base, branch: 'main', head: headOf(world), runId, ...change });
    const report = (sha: string, plans: readonly CheckPlan[]) => world.report(name, sha, plans, world.state.at);
    const ci = (sha: string, environments: readonly string[] = []) =>
      forge.ci(repo, { sha, hasDescendant: false, environments });
    return { world, forge, repo, base, push, landing, report, ci };
  };

  describe(`${title} keeps the forge's promises: landing`, () => {
    const none = {
      commits: [],
      tip: null,
      hasDescendant: false,
      pushedAt: null,
      declared: { testsRed: false, green: false },
      rewritten: false,
    };

    test('nothing landed while the branch stands at its base', async () => {
      const { landing } = await forging();
      expect(await landing()).toEqual(none);
    });

    test("other people's commits are not the run's", async () => {
      const { landing, push } = await forging();
      push(['One', 'AFK-Run: ffffffffffffffffffffffffffffffff', `Quoted: ${trailer}`]);
      expect(await landing()).toEqual(none);
    });

    test("the run's commits come newest first, and what is watched is the tip of their push", async () => {
      const { world, landing, push } = await forging();
      const first = push([`Red\n\n${trailer}\nAFK-Phase: tests-red`]);
      const second = push([`Green\n\n${trailer}\nAFK-Phase: green`, 'By somebody else in the same push']);
      expect(await landing()).toEqual({
        commits: [second.shas[0], first.shas[0]],
        tip: second.after,
        hasDescendant: false,
        pushedAt: secondOf(world.state.at),
        declared: { testsRed: true, green: true },
        rewritten: false,
      });
    });

    test('a later push by others leaves the tip where it was and makes it have a descendant', async () => {
      const { landing, push } = await forging();
      const own = push([`Mine\n\n${trailer}`]);
      push(['Theirs']);
      expect(await landing()).toMatchObject({ commits: own.shas, tip: own.after, hasDescendant: true });
    });

    test('at most five commits are named', async () => {
      const { landing, push } = await forging();
      const { shas } = push(Array.from({ length: 8 }, (_, i) => `Step ${i}\n\n${trailer}`));
      expect((await landing()).commits).toEqual(shas.toReversed().slice(0, 5));
    });

    test('a commit among hundreds is found, and the push behind more pushes than a page holds by its checks', async () => {
      const { landing, push, report } = await forging();
      const own = push([`Mine\n\n${trailer}`]);
      const next = push(['Right after']);
      for (let i = 0; i < 120; i += 1) push([`Other ${i}`]);
      push(Array.from({ length: 150 }, (_, i) => `Bulk ${i}`));
      expect(await landing()).toMatchObject({ commits: own.shas, tip: expect.any(String), hasDescendant: false });
      const nearHead = await landing({ head: next.after });
      expect(nearHead).toMatchObject({ tip: next.after, hasDescendant: false });
      report(own.after, [{ kind: 'status', context: 'ci', state: 'success', afterMs: 0 }]);
      expect(await landing({ head: next.after })).toMatchObject({ tip: own.after, hasDescendant: true });
    });

    test('a branch that was rewritten says so, with the commits that are on it now', async () => {
      const { world, landing, push } = await forging();
      const { after: base } = push(['Will be gone']);
      expect(await landing({ base })).toEqual(none);
      const rewritten = world.rewrite(
        name,
        { actor: 'maintainer', commits: [{ message: `Mine\n\n${trailer}` }] },
        world.state.at,
      );
      expect(await landing({ base })).toMatchObject({ commits: rewritten.shas, tip: rewritten.after, rewritten: true });
    });

    test('a branch that was set back behind its base was rewritten', async () => {
      const { world, landing, push, base: root } = await forging();
      const { after: base } = push(['Will be gone']);
      world.rewrite(name, { actor: 'maintainer', commits: [], onto: root }, world.state.at);
      expect(await landing({ base })).toEqual({ ...none, rewritten: true });
    });

    test('a base nobody knows any more does not hide the commits', async () => {
      const { landing, push } = await forging();
      const own = push([`Mine\n\n${trailer}`]);
      expect(await landing({ base: 'f'.repeat(40) })).toMatchObject({
        commits: own.shas,
        tip: own.after,
        rewritten: true,
      });
    });

    test('the default branch may be called anything', async () => {
      const { world, landing, push } = await forging();
      world.renameDefaultBranch(name, 'release/v1 #2');
      const own = push([`Mine\n\n${trailer}`]);
      expect(await landing({ branch: 'release/v1 #2', head: own.after })).toMatchObject({ tip: own.after });
    });
  });

  describe(`${title} keeps the forge's promises: elsewhere`, () => {
    test("a branch with the run's commits is found by what they mention, and its pull request before it", async () => {
      const { world, forge, repo, push } = await forging();
      const { number } = world.openIssue(name, { author: 'stranger', title: 'Cart' }, world.state.at);
      const asked = { issue: number, runId };
      push([`Not ours\n\nRefs #${number}`], { branch: 'other' });
      expect(await forge.elsewhere(repo, asked)).toBeNull();
      const { after } = push([`Mine\n\nRefs #${number}\n${trailer}`], { branch: 'topic' });
      expect((await forge.elsewhere(repo, asked))?.url).toContain(after);
      const pull = world.openPull(
        name,
        { author: 'maintainer', title: 'Cart', body: `For #${number}`, head: 'topic' },
        world.state.at,
      );
      push([`Mine too\n\nRefs #${number}\n${trailer}`], { branch: 'topic' });
      expect((await forge.elsewhere(repo, asked))?.url).toMatch(new RegExp(`/${pull.number}$`));
    });

    test('what mentions the issue from behind single sign-on hides nothing else', async () => {
      const { world, forge, repo, push } = await forging();
      const { number } = world.openIssue(name, { author: 'stranger', title: 'Cart' }, world.state.at);
      const asked = { issue: number, runId };
      mentionFromBehindSso(world, number);
      expect(await forge.elsewhere(repo, asked)).toBeNull();
      const { after } = push([`Mine\n\nRefs #${number}\n${trailer}`], { branch: 'topic' });
      mentionFromBehindSso(world, number);
      expect((await forge.elsewhere(repo, asked))?.url).toContain(after);
    });

    test('a pull request that mentions the issue without a commit of the run is not where it went', async () => {
      const { world, forge, repo, push } = await forging();
      const { number } = world.openIssue(name, { author: 'stranger', title: 'Cart' }, world.state.at);
      world.openIssue(name, { author: 'stranger', title: `Like #${number}`, body: trailer }, world.state.at);
      push(['Theirs'], { branch: 'topic' });
      world.openPull(
        name,
        { author: 'stranger', title: 'Cart', body: `For #${number}\n${trailer}`, head: 'topic' },
        world.state.at,
      );
      expect(await forge.elsewhere(repo, { issue: number, runId })).toBeNull();
    });
  });

  describe(`${title} keeps the forge's promises: pull requests`, () => {
    const proposing = async () => {
      const forged = await forging();
      const { world, forge, repo, push } = forged;
      const { number: issue } = world.openIssue(name, { author: 'stranger', title: 'Cart' }, world.state.at);
      const propose = (
        branch: string,
        rest: { body?: string; message?: string; draft?: boolean; fork?: boolean; base?: string } = {},
      ) => {
        const {
          body = `Refs #${issue}\n\n${trailer}`,
          message = `Mine\n\nRefs #${issue}\n\n${trailer}`,
          ...opening
        } = rest;
        const { after } = push([message], { branch });
        const { number } = world.openPull(
          name,
          { author: 'maintainer', title: 'Mend the cart', body, head: branch, ...opening },
          world.state.at,
        );
        return { number, head: after };
      };
      const asked = { issue, runId, branch: 'main', known: null };
      const pull = (known: number | null = null) => forge.pull(repo, { ...asked, known });
      return { ...forged, issue, propose, pull };
    };

    test('none while there is none, whoever else proposes something for the issue', async () => {
      const { propose, pull } = await proposing();
      expect(await pull()).toBeNull();
      propose('theirs', { message: 'Theirs' });
      expect(await pull()).toBeNull();
    });

    test.each([
      ['from a fork', { fork: true }],
      ['against another branch', { base: 'release' }],
    ])('one %s is not the run’s, whatever its commits say', async (_how, change) => {
      const { push, propose, pull } = await proposing();
      push(['Release'], { branch: 'release' });
      propose('topic', change);
      expect(await pull()).toBeNull();
    });

    test('an open one is told with its head, and follows its branch', async () => {
      const { propose, pull, push } = await proposing();
      const { number, head } = propose('topic');
      const shown = {
        ...{ number, url: expect.stringMatching(new RegExp(`/${number}$`)), state: 'open', draft: false },
        ...{ conflicting: false, review: null, head, mergeCommit: null, closedBy: null },
      };
      expect(await pull()).toEqual(shown);
      const { after } = push(['More'], { branch: 'topic' });
      expect(await pull()).toEqual({ ...shown, head: after });
    });

    test('one that mentions no issue is found by its commits, which do', async () => {
      const { propose, pull } = await proposing();
      const { number } = propose('topic', { body: '' });
      expect(await pull()).toMatchObject({ number });
    });

    test('what mentions the issue from behind single sign-on hides nothing else', async () => {
      const { world, issue, propose, pull } = await proposing();
      mentionFromBehindSso(world, issue);
      expect(await pull()).toBeNull();
      const { number } = propose('topic');
      mentionFromBehindSso(world, issue);
      expect(await pull()).toMatchObject({ number });
      expect(await pull(number)).toMatchObject({ number });
    });

    test('no flood of mentions hides the one that was known', async () => {
      const { world, issue, propose, pull, push } = await proposing();
      const { number } = propose('topic', { body: '' });
      for (let i = 0; i < 31; i += 1) {
        world.openIssue(name, { author: 'stranger', title: `Like #${issue}` }, world.state.at);
        push([`Also #${issue}`], { branch: `other-${i}` });
      }
      expect(await pull()).toBeNull();
      expect(await pull(number)).toMatchObject({ number });
    });

    test('a draft, a conflict and what reviewers said are told', async () => {
      const { world, propose, pull } = await proposing();
      const { number } = propose('topic', { draft: true });
      expect(await pull()).toMatchObject({ draft: true });
      world.markReady(name, number, world.state.at);
      world.setConflicting(name, number, true);
      world.setRules(name, { pullRequest: true });
      expect(await pull()).toMatchObject({ draft: false, conflicting: true, review: 'required' });
      world.reviewPull(name, number, 'changes_requested', world.state.at);
      expect(await pull()).toMatchObject({ review: 'changes requested' });
      world.reviewPull(name, number, 'approved', world.state.at);
      expect(await pull()).toMatchObject({ review: 'approved' });
    });

    test('an open one counts before a newer one that is over, and the newest of those that are', async () => {
      const { world, propose, pull } = await proposing();
      const first = propose('one');
      const second = propose('two');
      expect(await pull()).toMatchObject({ number: second.number });
      world.close(name, second.number, 'maintainer', world.state.at);
      expect(await pull()).toMatchObject({ number: first.number, state: 'open' });
      world.close(name, first.number, 'maintainer', world.state.at);
      expect(await pull()).toMatchObject({
        ...{ number: second.number, state: 'closed', closedBy: { login: 'maintainer', kind: 'user' } },
      });
    });

    test.each(['merge', 'squash', 'rebase'] as const)(
      'merged by %s, its commits are on the branch, and what is watched is the tip of the merge',
      async (method) => {
        const { world, propose, pull, landing, push } = await proposing();
        const { number } = propose('topic');
        push([`Mine too\n\n${trailer}\nAFK-Phase: green`], { branch: 'topic' });
        world.landPull(name, number, { actor: 'maintainer', method }, world.state.at);
        const tip = headOf(world);
        push(['By others']);
        expect(await pull()).toMatchObject({ number, state: 'merged', mergeCommit: tip, closedBy: null });
        expect(await landing()).toMatchObject({ tip, hasDescendant: true, declared: { green: true } });
      },
    );

    test('a squash whose message lost the trailer is the run’s by what its pull request left', async () => {
      const { world, propose, pull, landing, forge, repo, base } = await proposing();
      const { number } = propose('topic');
      const message = 'Mend the cart, in words of my own';
      world.landPull(name, number, { actor: 'maintainer', method: 'squash', message }, world.state.at);
      expect((await landing()).commits).toEqual([]);
      const merged = (await pull())!.mergeCommit;
      const ask = { base, branch: 'main', head: headOf(world), runId, merged };
      expect(await forge.landing(repo, ask)).toMatchObject({ commits: [merged], tip: merged });
    });
  });

  describe(`${title} keeps the forge's promises: checks`, () => {
    test('nothing reported is nothing, and the message is there', async () => {
      const { ci, push } = await forging();
      const { after } = push(['Say\n\n[skip ci]']);
      expect(await ci(after)).toEqual({
        ci: { checks: [], message: 'Say\n\n[skip ci]', hasDescendant: false, required: [] },
        deployments: [],
      });
    });

    test('a descendant is handed through', async () => {
      const { forge, repo, push } = await forging();
      const { after: sha } = push(['One']);
      expect((await forge.ci(repo, { sha, hasDescendant: true, environments: [] })).ci.hasDescendant).toBe(true);
    });

    test('checks and statuses come with what tells them apart', async () => {
      const { world, ci, push, report } = await forging();
      const { after } = push(['One']);
      const at = world.state.at;
      report(after, [
        { kind: 'check', name: 'test', workflow: 'CI', startsAfterMs: 1_000, endsAfterMs: 5_000 },
        { kind: 'check', name: 'nightly', workflow: 'Night', event: 'schedule', startsAfterMs: 1_000 },
        { kind: 'status', context: 'lint', state: 'failure', afterMs: 2_000 },
      ]);
      world.settle(at + 10_000);
      const { checks } = (await ci(after)).ci;
      expect(checks).toEqual([
        {
          ...{ kind: 'check', name: 'test', app: 'github-actions', workflow: 'CI', event: 'push', state: 'success' },
          ...{ appId: expect.any(Number), workflowId: expect.any(Number) },
          ...{ startedAt: at + 1_000, completedAt: at + 5_000, url: expect.stringContaining('http') },
        },
        {
          ...{ kind: 'check', name: 'nightly', app: 'github-actions', workflow: 'Night', event: 'schedule' },
          ...{ appId: expect.any(Number), workflowId: expect.any(Number) },
          ...{ state: 'running', startedAt: at + 1_000, completedAt: null, url: expect.stringContaining('http') },
        },
        {
          ...{ kind: 'status', name: 'lint', app: null, appId: null, workflow: null, event: null, state: 'failure' },
          workflowId: null,
          ...{ startedAt: at + 2_000, completedAt: at + 2_000, url: null },
        },
      ]);
    });

    test('what the branch demands is told with the app that must report it, and a check with the app that did', async () => {
      const { world, ci, push, report } = await forging();
      const { after } = push(['One']);
      world.setRules(name, { requiredChecks: [{ context: 'test', app: 'github-actions' }, { context: 'lint' }] });
      report(after, [
        { kind: 'check', name: 'test', startsAfterMs: 0 },
        { kind: 'check', name: 'test', app: 'somebody-else', startsAfterMs: 0 },
        { kind: 'status', context: 'lint', state: 'success', afterMs: 0 },
      ]);
      const { required, checks } = (await ci(after)).ci;
      const appId = checks[0]?.appId;
      expect(required).toEqual([
        { name: 'test', appId },
        { name: 'lint', appId: null },
      ]);
      expect(checks.map((check) => check.appId === appId)).toEqual([true, false, false]);
      world.setRules(name, {});
      expect((await ci(after)).ci.required).toEqual([]);
    });

    test.each([
      ['success', 'success'],
      ['failure', 'failure'],
      ['timed_out', 'timed-out'],
      ['startup_failure', 'startup-failure'],
      ['cancelled', 'cancelled'],
      ['stale', 'stale'],
      ['skipped', 'skipped'],
      ['neutral', 'neutral'],
      ['action_required', 'action-required'],
    ])('a check that ended as %s is %s', async (conclusion, state) => {
      const { world, ci, push, report } = await forging();
      const { after } = push(['One']);
      report(after, [{ kind: 'check', name: 'test', startsAfterMs: 0, endsAfterMs: 0, conclusion }]);
      world.settle(world.state.at + 1);
      expect((await ci(after)).ci.checks.map((check) => check.state)).toEqual([state]);
    });

    test.each([
      ['success', 'success', true],
      ['failure', 'failure', true],
      ['error', 'failure', true],
      ['pending', 'running', false],
    ] as const)('a status of %s is %s', async (word, state, over) => {
      const { ci, push, report } = await forging();
      const { after } = push(['One']);
      report(after, [{ kind: 'status', context: 'lint', state: word, afterMs: 0 }]);
      const [check] = (await ci(after)).ci.checks;
      expect([check?.state, check?.completedAt !== null]).toEqual([state, over]);
    });

    test('a check that has not begun is queued', async () => {
      const { ci, push, report } = await forging();
      const { after } = push(['One']);
      report(after, [{ kind: 'check', name: 'test', queuedAfterMs: 0, startsAfterMs: minute }]);
      expect((await ci(after)).ci.checks).toMatchObject([{ state: 'queued', startedAt: null, completedAt: null }]);
    });

    test('a workflow without jobs is told with what started it; the empty suites of other apps are not', async () => {
      const { world, ci, push, report } = await forging();
      const { after } = push(['One']);
      report(after, [
        { kind: 'suite', app: 'github-actions', workflow: 'CI' },
        { kind: 'suite', app: 'github-actions', workflow: 'Triage', event: 'issues', afterMs: 1_000 },
        { kind: 'suite', app: 'somebody-else' },
        { kind: 'check', name: 'test', workflow: 'Other', startsAfterMs: minute, queuedAfterMs: 0 },
      ]);
      const at = world.state.at;
      world.settle(at + 2_000);
      const suites = (await ci(after)).ci.checks.filter((check) => check.kind === 'suite');
      const queued = {
        app: 'github-actions',
        appId: expect.any(Number),
        workflowId: expect.any(Number),
        state: 'queued',
        completedAt: null,
      };
      expect(suites).toEqual([
        {
          ...{ kind: 'suite', name: 'CI', workflow: 'CI', event: 'push', ...queued },
          ...{ startedAt: at, url: expect.stringContaining('/actions/runs/') },
        },
        {
          ...{ kind: 'suite', name: 'Triage', workflow: 'Triage', event: 'issues', ...queued },
          ...{ startedAt: at + 1_000, url: expect.stringContaining('/actions/runs/') },
        },
      ]);
    });

    test.each([
      ['success', 'success'],
      ['failure', 'failure'],
      ['timed_out', 'timed-out'],
      ['startup_failure', 'failure'],
      ['cancelled', 'cancelled'],
      ['stale', 'stale'],
      ['skipped', 'skipped'],
      ['neutral', 'neutral'],
      ['action_required', 'action-required'],
    ])('a workflow that ended as %s without a job is %s', async (conclusion, state) => {
      const { world, ci, push, report } = await forging();
      const { after } = push(['One']);
      const at = world.state.at;
      report(after, [{ kind: 'suite', app: 'github-actions', afterMs: 1_000, endsAfterMs: 3_000, conclusion }]);
      world.settle(at + 5_000);
      expect((await ci(after)).ci.checks).toMatchObject([
        { kind: 'suite', name: 'CI', state, startedAt: at + 1_000, completedAt: at + 3_000 },
      ]);
    });

    test('two files may name their workflows alike: each is told by an id that its runs share', async () => {
      const { world, ci, push, report } = await forging();
      const { after } = push(['One']);
      const at = world.state.at;
      const run = (name: string, file: string, startsAfterMs: number): CheckPlan => ({
        ...{ kind: 'check', name, workflow: 'CI', file, startsAfterMs, endsAfterMs: startsAfterMs },
      });
      report(after, [run('test', 'unit.yml', 0), run('test', 'e2e.yml', 1_000), run('lint', 'unit.yml', 2_000)]);
      report(after, [
        { kind: 'suite', app: 'github-actions', workflow: 'CI', file: 'broken.yml', event: 'push', endsAfterMs: 0 },
      ]);
      world.settle(at + 5_000);
      const { checks } = (await ci(after)).ci;
      const [unit, e2e, lint, broken] = ['test', 'test', 'lint', 'CI'].map((name, index) => {
        expect(checks[index]).toMatchObject({ name, workflow: 'CI' });
        return checks[index]!.workflowId;
      });
      expect(lint).toBe(unit);
      expect(new Set([unit, e2e, broken]).size).toBe(3);
    });

    test('of one workflow and event the newest run counts, be it without jobs or with them', async () => {
      const { world, ci, push, report } = await forging();
      const { after } = push(['One']);
      const broken = (rest: { workflow: string; event?: string; afterMs: number }): CheckPlan => ({
        ...{ kind: 'suite', app: 'github-actions', endsAfterMs: rest.afterMs, conclusion: 'failure', ...rest },
      });
      const ran = (workflow: string, startsAfterMs: number): CheckPlan => ({
        ...{ kind: 'check', name: 'test', workflow, startsAfterMs, endsAfterMs: startsAfterMs + 1_000 },
      });
      report(after, [
        ran('Broken since', 0),
        broken({ workflow: 'Broken since', afterMs: 10_000 }),
        broken({ workflow: 'Broken twice', afterMs: 0 }),
        broken({ workflow: 'Other', afterMs: 0 }),
        broken({ workflow: 'Broken twice', afterMs: 10_000 }),
        broken({ workflow: 'Other', event: 'merge_group', afterMs: 10_000 }),
        broken({ workflow: 'Mended', afterMs: 0 }),
      ]);
      world.settle(world.state.at + 20_000);
      // A run of its own: the suite that broke has none.
      report(after, [{ kind: 'suite', app: 'github-actions', workflow: 'Mended' }, ran('Mended', 5_000)]);
      world.settle(world.state.at + 20_000);
      const { checks } = (await ci(after)).ci;
      expect(checks.map(({ kind, workflow, event }) => `${kind} of ${workflow} by ${event}`)).toEqual([
        'check of Broken since by push',
        'check of Mended by push',
        'suite of Broken since by push',
        'suite of Other by push',
        'suite of Broken twice by push',
        'suite of Other by merge_group',
      ]);
    });

    test('more checks than fit on a page are all read; more than can be read never look done', async () => {
      const { world, ci, push, report } = await forging();
      const plans = (from: number, count: number): CheckPlan[] =>
        Array.from({ length: count }, (_, i) => ({
          kind: 'status',
          context: `s${from + i}`,
          state: 'success',
          afterMs: 0,
        }));
      const { after } = push(['One']);
      report(after, plans(0, 150));
      expect((await ci(after)).ci.checks).toHaveLength(150);
      report(after, plans(150, 400));
      world.settle(world.state.at + 1);
      const { checks } = (await ci(after)).ci;
      expect(checks.filter((check) => check.completedAt === null).map((check) => check.state)).toEqual(['unknown']);
    });

    test('a commit nobody knows is no answer', async () => {
      const { ci } = await forging();
      await expect(ci('f'.repeat(40))).rejects.toMatchObject({ name: 'PortError' });
    });
  });

  describe(`${title} keeps the forge's promises: what checks said`, () => {
    const ended = (name: string, says: string, rest: { conclusion?: string; workflow?: string } = {}): CheckPlan => ({
      ...{ kind: 'check', name, startsAfterMs: 0, endsAfterMs: 0, conclusion: 'failure', says, ...rest },
    });
    const saying = async (plans: readonly CheckPlan[], names: readonly string[]) => {
      const { world, forge, repo, push, report } = await forging();
      const { after: sha } = push(['One']);
      report(sha, plans);
      world.settle(world.state.at + 1);
      return Object.fromEntries(await forge.said(repo, { sha, names }));
    };

    test('of the checks asked for, those that did not pass are told with title, summary and text', async () => {
      const plans = [
        ended('test', '1 of 42 failed\nSee below.\n\nexpected 1, got 2'),
        ended('lint', 'All is well', { conclusion: 'success' }),
        ended('types', 'Not asked for'),
        { ...ended('slow', 'Not over yet'), endsAfterMs: minute } as CheckPlan,
        { kind: 'check', name: 'mute', startsAfterMs: 0, endsAfterMs: 0, conclusion: 'failure' } as const,
        { kind: 'status', context: 'ci/build', state: 'error', afterMs: 0, says: 'The build broke' } as const,
        { kind: 'status', context: 'ci/next', state: 'pending', afterMs: 0, says: 'Soon' } as const,
      ];
      expect(await saying(plans, ['test', 'lint', 'slow', 'mute', 'ci/build', 'ci/next', 'none'])).toEqual({
        test: '1 of 42 failed\nSee below.\n\nexpected 1, got 2',
        'ci/build': 'The build broke',
      });
    });

    test('of a long report the end is told, cleaned and without what looks like a credential', async () => {
      const token = `ghp_${'a'.repeat(36)}`;
      const says = `Failed\nLog\n\n${'early '.repeat(500)}\u001b[31mlate\u200b\u001b[0m\n\n\n\n${token}\nthe end`;
      const { test: told = '' } = await saying([ended('test', says)], ['test']);
      expect(told.length).toBeLessThanOrEqual(600);
      expect(told).toMatch(/^Failed\n…[early ]+late\n\n\[redacted\]\nthe end$/);
    });

    test('a name is known as a run keeps it: cleaned, without a credential and cut where it is long', async () => {
      const name = `test\u200b ${'ü'.repeat(30)} ghp_${'a'.repeat(60)} ${'ü'.repeat(60)}`;
      const kept = keptName(name);
      expect(kept).toMatch(/^test ü{30} \[redacted\] ü+…$/);
      expect(keptName(kept)).toBe(kept);
      expect(await saying([ended(name, 'Broken')], [kept])).toEqual({ [kept]: 'Broken' });
    });

    test('of several checks with one name the one that failed is told, and of those the newest', async () => {
      const { world, forge, repo, push, report } = await forging();
      const { after: sha } = push(['One']);
      report(sha, [ended('test', 'Older', { workflow: 'A' })]);
      world.settle(world.state.at + minute);
      report(sha, [
        ended('test', 'Newer', { workflow: 'B' }),
        ended('test', 'Green', { workflow: 'C', conclusion: 'success' }),
      ]);
      world.settle(world.state.at + minute);
      expect([...(await forge.said(repo, { sha, names: ['test'] }))]).toEqual([['test', 'Newer']]);
    });

    test('nothing is asked about no check, and a commit nobody knows is no answer', async () => {
      const { forge, repo } = await forging();
      const sha = 'f'.repeat(40);
      expect((await forge.said(repo, { sha, names: [] })).size).toBe(0);
      await expect(forge.said(repo, { sha, names: ['test'] })).rejects.toMatchObject({ name: 'PortError' });
    });
  });

  describe(`${title} keeps the forge's promises: deployments`, () => {
    const plan = (states: readonly string[], change: Partial<DeployPlan> = {}): DeployPlan => ({
      environment: 'production',
      afterMs: 0,
      states: states.map((state, i) => ({ state, afterMs: i })),
      ...change,
    });

    test.each([
      [[], 'pending', false],
      [['queued'], 'queued', false],
      [['in_progress'], 'running', false],
      [['waiting'], 'waiting', false],
      [['in_progress', 'failure'], 'failure', false],
      [['error'], 'failure', false],
      [['success'], 'success', true],
      [['success', 'inactive'], 'inactive', true],
    ] as const)('a deployment with the statuses %j is %s', async (states, state, everSucceeded) => {
      const { world, ci, push } = await forging();
      const { after } = push(['One']);
      world.deploy(name, after, plan(states), world.state.at);
      world.settle(world.state.at + minute);
      const { deployments } = await ci(after, ['production']);
      expect(deployments).toMatchObject([
        { environment: 'production', sha: after, containsOurs: true, state, everSucceeded },
      ]);
    });

    test('a later commit that was deployed contains ours; an earlier one and one beside it do not', async () => {
      const { world, ci, push, base } = await forging();
      const { after: ours } = push(['Ours']);
      const { after: beside } = push(['Beside'], { branch: 'topic' });
      world.rewrite(
        name,
        { branch: 'topic', actor: 'maintainer', onto: base, commits: [{ message: 'Apart' }] },
        world.state.at,
      );
      const apart = headOf(world, 'topic');
      const { after: later } = push(['Later']);
      for (const sha of [base, apart, later]) world.deploy(name, sha, plan(['success'], { sha }), world.state.at);
      world.settle(world.state.at + minute);
      const { deployments } = await ci(ours, ['production']);
      const contained = Object.fromEntries(deployments.map((one) => [one.sha, one.containsOurs]));
      expect(contained).toEqual({ [base]: false, [apart]: false, [later]: true });
      expect(beside).not.toBe(apart);
    });

    test('other environments are not asked about', async () => {
      const { world, ci, push } = await forging();
      const { after } = push(['One']);
      world.deploy(name, after, plan(['success'], { environment: 'preview' }), world.state.at);
      world.settle(world.state.at + minute);
      expect((await ci(after, ['production'])).deployments).toEqual([]);
      expect((await ci(after)).deployments).toEqual([]);
    });

    test('a busy environment pushes nothing of another one out', async () => {
      const { world, ci, push } = await forging();
      const { after } = push(['One']);
      world.deploy(name, after, plan(['success']), world.state.at);
      for (let i = 0; i < 31; i += 1) {
        world.settle(world.state.at + minute);
        world.deploy(name, after, plan(['success'], { environment: 'preview' }), world.state.at);
      }
      world.settle(world.state.at + minute);
      const { deployments } = await ci(after, ['preview', 'production', 'preview']);
      const seenOf = (wanted: string) => deployments.filter(({ environment }) => environment === wanted);
      expect(seenOf('production')).toMatchObject([{ sha: after, state: 'success', everSucceeded: true }]);
      expect(seenOf('preview')).toHaveLength(30);
    });

    test('each of as many environments as can be named is asked for, whatever its name', async () => {
      const { world, ci, push } = await forging();
      const { after } = push(['One']);
      const named = ['review "a" { $e1 }', ...Array.from({ length: 49 }, (_, i) => `site-${i}`)];
      for (const environment of named) world.deploy(name, after, plan(['success'], { environment }), world.state.at);
      world.settle(world.state.at + minute);
      expect((await ci(after, named)).deployments.map(({ environment }) => environment)).toEqual(named);
    });
  });
};
