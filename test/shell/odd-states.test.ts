import { describe, expect, test } from 'vitest';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { historyOf } from '../../lib/sandbox/memory-store.ts';
import { commentsOf, issueIn, standing } from '../simulation/simulation.ts';
import { labelsOf, locks, minutes, operate, threadsOf } from './minutes.ts';
import { simulationOverHttp } from './over-http.ts';

// What becomes of an issue, a repo or an installation under our feet, while its issue waits and while a run is out.
// Beside it stands a repo of another owner, to which nothing of it may matter.

const web = 'acme/web';
const other = 'globex/site';

type Sim = Awaited<ReturnType<typeof simulationOverHttp>>['sim'];

const staged = async (options: { asApp?: boolean; labelled?: false; agent?: AgentName } = {}) => {
  const { asApp = false, labelled, agent = 'lands at once' } = options;
  const { sim } = await simulationOverHttp(
    [
      { repo: web, agent, ...(labelled === false && { labelled }) },
      { repo: other, agent: 'lands at once' },
    ],
    {},
    { asApp },
  );
  return sim;
};

/** Both repos known and preflighted, and nothing begun in the first one. */
const idle = async (asApp = false): Promise<Sim> => {
  const sim = await staged({ asApp, labelled: false });
  await minutes(sim, 1);
  return sim;
};

const label = (sim: Sim, repo = web, number = 1): void =>
  sim.world.github.label(repo, number, 'ready-for-agent', 'maintainer', sim.now());

/** The run of the first repo is out, and nothing is pushed yet. */
const busy = async (asApp = false, agent: AgentName = 'lands at once'): Promise<Sim> => {
  const sim = await staged({ asApp, agent });
  await minutes(sim, 3);
  expect(threadsOf(sim, web, 1)).toHaveLength(1);
  expect(locks(sim).length).toBeGreaterThanOrEqual(1);
  return sim;
};

const isDone = (sim: Sim, repo: string): boolean =>
  historyOf(sim.table).some((run) => run.repo.name === repo && run.outcome === 'done');

/** The other one goes its way whatever happens here. */
const othersGoOn = async (sim: Sim): Promise<void> => {
  await minutes(sim, 60, { until: () => isDone(sim, other) });
  expect(isDone(sim, other)).toBe(true);
};

const outcomes = (sim: Sim): string[] =>
  historyOf(sim.table).flatMap((run) => (run.repo.name === other ? [] : [run.outcome]));

/** What the second owner's run does not say. */
const ours = (lines: readonly string[]): readonly string[] => [
  ...new Set(lines.filter((line) => !line.includes(`${other}#`))),
];

describe('while nothing is out', () => {
  test('an issue that was transferred to another enrolled repo is begun there only after a fresh label', async () => {
    const sim = await idle();
    label(sim);
    const { number } = sim.world.github.transfer(web, 1, other, 'maintainer', sim.now());
    await othersGoOn(sim);
    const { rulings } = await minutes(sim, 20);
    expect(rulings.join('\n')).toMatch(/globex\/site#2 not trusted: .*\(rule (1|14)\)/);
    expect([threadsOf(sim, web, 1), threadsOf(sim, other, number)]).toEqual([[], []]);
    sim.world.github.unlabel(other, number, 'ready-for-agent', 'maintainer', sim.now());
    label(sim, other, number);
    sim.pass();
    await minutes(sim, 5);
    expect(threadsOf(sim, other, number)).toHaveLength(1);
  });

  test.each<[string, (sim: Sim) => unknown, { ruling?: string; failed?: string }]>([
    ['was deleted', (sim) => sim.world.github.deleteIssue(web, 1), {}],
    ['is locked', (sim) => sim.world.github.lock(web, 1, 'maintainer', sim.now()), { ruling: 'the issue is locked' }],
    [
      'is in a repo whose issues were switched off',
      (sim) => sim.world.github.setIssuesEnabled(web, false),
      { failed: 'preflight of acme/web: issues are switched off: switch them on' },
    ],
    ['is in an archived repo', (sim) => sim.world.github.archiveRepo(web), { ruling: 'the repo is archived' }],
    [
      'is in a repo that was renamed',
      (sim) => sim.world.github.renameRepo(web, 'acme/site'),
      { ruling: 'renamed to acme/site: enrol that name', failed: 'preflight of acme/web: renamed to acme/site' },
    ],
    [
      'is in a repo that went to another owner',
      (sim) => sim.world.github.renameRepo(web, 'globex/web'),
      { ruling: 'renamed to globex/web: enrol that name', failed: 'preflight of acme/web: renamed to globex/web' },
    ],
    [
      'is in a repo that was deleted',
      (sim) => sim.world.github.deleteRepo(web),
      { failed: 'preflight of acme/web: the tracker shows no repo acme/web' },
    ],
  ])('an issue that %s is not begun, the reason is in words, and the others are begun', async (_, act, says) => {
    const sim = await idle();
    label(sim);
    act(sim);
    const { rulings, failed } = await minutes(sim, 3);
    expect(ours(rulings).join('\n')).toContain(says.ruling ?? '');
    expect(ours(failed).join('\n')).toContain(says.failed ?? '');
    // Said once, and then not every minute.
    if (says.failed !== undefined) expect(failed.filter((line) => line.startsWith('preflight'))).toHaveLength(1);
    if (says.ruling === undefined) expect(ours(rulings)).toEqual([]);
    await othersGoOn(sim);
    expect(sim.world.t3.threads().filter(({ title }) => !title.startsWith(`${other}#`))).toEqual([]);
    // What is not to be seen is known all the same: a repo that comes back is the one it was.
    expect([...sim.table.rows.keys()]).toContain('repo#github.com#acme/web');
  });

  test.each([false, true])(
    'a name that is another repo by now is told to be, and taken for it only once it was enrolled anew (App: %s)',
    async (asApp) => {
      const sim = await idle(asApp);
      sim.world.github.renameRepo(web, 'acme/former');
      sim.world.addRepo(web, { permissions: { 'afk-bot': 'write', maintainer: 'maintain' } }, sim.now());
      sim.world.github.openIssue(web, { author: 'maintainer', title: 'Issue 1' }, sim.now());
      label(sim);
      const enrolled = sim.parameters.get('/afk/control/allowlist') ?? '';
      const { failed } = await minutes(sim, 20);
      expect(new Set(failed.filter((line) => line.startsWith('preflight of acme')))).toEqual(
        new Set([
          'preflight of acme/web: acme/web is another repo now, and the one that was enrolled is called acme/former: take acme/web off the allowlist, and put it on again a few minutes later',
        ]),
      );
      expect(threadsOf(sim, web, 1)).toEqual([]);
      operate(sim, 'allowlist', other);
      await minutes(sim, 2);
      operate(sim, 'allowlist', enrolled);
      await minutes(sim, 5);
      expect(threadsOf(sim, web, 1)).toHaveLength(1);
    },
  );

  test.each(['first', 'last'])(
    'a renamed repo whose own name was enrolled beside the former one, %s, is begun at once',
    async (place) => {
      const sim = await idle();
      sim.world.github.renameRepo(web, 'acme/site');
      sim.renamed(web, 'acme/site');
      label(sim, 'acme/site');
      await minutes(sim, 2);
      expect(threadsOf(sim, 'acme/site', 1)).toEqual([]);
      operate(sim, 'allowlist', place === 'first' ? `acme/site, ${web}` : `${web}, acme/site`);
      await minutes(sim, 2);
      expect(threadsOf(sim, 'acme/site', 1)).toHaveLength(1);
    },
  );

  test('what was put right is begun', async () => {
    const sim = await idle();
    label(sim);
    sim.world.github.setIssuesEnabled(web, false);
    await minutes(sim, 3);
    sim.world.github.setIssuesEnabled(web, true);
    await minutes(sim, 20, { until: () => threadsOf(sim, web, 1).length > 0 });
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  });
});

describe('while a run is out', () => {
  test.each<[string, (sim: Sim) => unknown, string, string]>([
    [
      'transferred',
      (sim) => sim.world.github.transfer(web, 1, other, 'maintainer', sim.now()),
      'cancelled',
      'the issue was deleted or moved away',
    ],
    ['deleted', (sim) => sim.world.github.deleteIssue(web, 1), 'cancelled', 'the issue was deleted or moved away'],
    ['locked', (sim) => sim.world.github.lock(web, 1, 'maintainer', sim.now()), 'done', 'CI is green'],
    ['in a repo without issues', (sim) => sim.world.github.setIssuesEnabled(web, false), 'done', 'CI is green'],
    ['in an archived repo', (sim) => sim.world.github.archiveRepo(web), 'escalated', 'nothing was pushed'],
    ['in a renamed repo', (sim) => moveRepo(sim, 'acme/site'), 'done', 'CI is green'],
    ['in a repo of another owner', (sim) => moveRepo(sim, 'globex/web'), 'done', 'CI is green'],
    ['in a deleted repo', (sim) => sim.world.github.deleteRepo(web), 'cancelled', 'deleted or moved away'],
  ])(
    'an issue that is %s then has an end, its agent is seen out, and the others have theirs',
    async (what, act, outcome, why) => {
      // Where there is no repo any more, no agent pushes to it.
      const sim = await busy(false, what.includes('deleted') ? 'hangs' : 'lands at once');
      act(sim);
      const { happened } = await minutes(sim, 60, { until: () => outcomes(sim).length > 0 });
      expect(outcomes(sim)).toEqual([outcome]);
      expect(historyOf(sim.table).find((run) => run.issue.number === 1 && run.outcome === outcome)?.reason).toContain(
        why,
      );
      expect(sim.world.t3.liveAgents().filter(({ busy: isBusy }) => isBusy)).toEqual([]);
      expect(happened.filter((line) => line.endsWith(' ended')).length).toBeGreaterThan(0);
      await minutes(sim, 1);
      expect(sim.rung.some((headline) => headline.includes('#1'))).toBe(true);
      await othersGoOn(sim);
    },
  );

  test('an agent is not taken from an issue that cannot be seen for less than ten minutes', async () => {
    const sim = await busy();
    const { nodes } = sim.world.github.state;
    const { nodeId } = issueIn(sim.world, web, 1);
    const entity = nodes.get(nodeId)!;
    nodes.delete(nodeId);
    await minutes(sim, 9);
    nodes.set(nodeId, entity);
    await minutes(sim, 60, { until: () => outcomes(sim).length > 0 });
    expect(outcomes(sim)).toEqual(['done']);
  });
});

const moveRepo = (sim: Sim, to: string): void => {
  sim.world.github.renameRepo(web, to);
  sim.renamed(web, to);
};

describe('A GitHub App', () => {
  const spoilt = [
    [
      'was uninstalled',
      (sim: Sim) => sim.world.github.uninstallApp('afk', 'acme'),
      /uninstalled|shows no repo acme\/web/,
    ],
    ['was suspended', (sim: Sim) => sim.world.github.suspendApp('afk', 'acme'), /suspended/],
    [
      'was taken off the repo',
      (sim: Sim) => {
        sim.world.github.state.repos.get(issueIn(sim.world, web, 1).repoId)!.private = true;
        sim.world.github.selectRepos('afk', 'acme', []);
      },
      /not installed on acme\/web|shows no repo acme\/web/,
    ],
  ] as const;
  const mend = (sim: Sim): void => {
    try {
      sim.world.github.uninstallApp('afk', 'acme');
    } catch {
      // It is gone already.
    }
    sim.world.github.installApp('afk', 'acme');
  };

  test('sees a run through from its labelling to its close, under its own name', async () => {
    const sim = await staged({ asApp: true });
    await minutes(sim, 60, { until: () => isDone(sim, web) && isDone(sim, other) });
    await minutes(sim, 2);
    expect([standing(sim, web, 1), labelsOf(sim, web, 1)]).toEqual(['done', []]);
    expect(issueIn(sim.world, web, 1).closedBy).toBe('afk[bot]');
    const [comment, ...more] = commentsOf(sim.world, web, 1);
    expect([comment?.author, more]).toEqual(['afk[bot]', []]);
  });

  test('never takes its own labelling, or another bot’s, for an approval', async () => {
    const sim = await idle(true);
    sim.world.github.label(web, 1, 'ready-for-agent', 'afk[bot]', sim.now());
    const { rulings } = await minutes(sim, 3);
    expect(ours(rulings).join('\n')).toMatch(/not trusted: afk.*is a bot.*\(rule 4\)/);
    expect(threadsOf(sim, web, 1)).toEqual([]);
  });

  test.each(spoilt)('that %s begins nothing there, says so, and goes on elsewhere', async (_, act, words) => {
    const sim = await idle(true);
    label(sim);
    act(sim);
    const { failed, rulings } = await minutes(sim, 3);
    expect(failed.join('\n')).toMatch(words);
    expect(ours(rulings)).toEqual([]);
    await othersGoOn(sim);
    expect(threadsOf(sim, web, 1)).toEqual([]);
  });

  test.each(spoilt)(
    'that %s keeps the run that is out there, and carries on once it is back',
    async (_, act, words) => {
      const sim = await busy(true);
      act(sim);
      const { failed } = await minutes(sim, 30);
      expect(failed.join('\n')).toMatch(words);
      expect([outcomes(sim), locks(sim).length]).toEqual([[], 1]);
      expect(isDone(sim, other)).toBe(true);
      mend(sim);
      await minutes(sim, 60, { until: () => outcomes(sim).length > 0 });
      expect(outcomes(sim)).toEqual(['done']);
    },
  );

  test.each([
    ['public', false],
    ['private', true],
  ])('follows a run into a %s repo that went to another owner it is installed on', async (_, isPrivate) => {
    const sim = await busy(true);
    sim.world.github.state.repos.get(issueIn(sim.world, web, 1).repoId)!.private = isPrivate;
    moveRepo(sim, 'globex/web');
    await minutes(sim, 60, { until: () => outcomes(sim).length > 0 });
    expect(outcomes(sim)).toEqual(['done']);
    await minutes(sim, 2);
    expect(issueIn(sim.world, 'globex/web', 1).state).toBe('closed');
  });
});
