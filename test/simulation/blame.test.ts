import { describe, expect, test } from 'vitest';
import { agentOf } from '../../lib/sandbox/agents.ts';
import type { CheckPlan } from '../../lib/sandbox/github-ci.ts';
import { historyOf } from '../../lib/sandbox/memory-store.ts';
import type { AgentScript, AgentTurn } from '../../lib/sandbox/t3-agent-script.ts';
import { labelsOf, minutes, threadsOf, toRest } from '../shell/minutes.ts';
import { commentsOf, type Simulation, simulation, standing } from './simulation.ts';

const web = 'acme/web';
const minuteMs = 60_000;

/** What each check of a push comes to, by name; over after three minutes. */
type Conclusions = Readonly<Record<string, string>>;
const checks = (conclusions: Conclusions): readonly CheckPlan[] =>
  Object.entries(conclusions).map(([name, conclusion]) => ({
    kind: 'check',
    name,
    startsAfterMs: 10_000,
    endsAfterMs: 3 * minuteMs,
    conclusion,
  }));

/** The first push CI sees from now on comes to the first of these, and so on; the last one again and again. */
const ciSays = ({ world }: Simulation, ...pushes: readonly Conclusions[]): void => {
  let seen = 0;
  world.github.setCi(web, { ci: ({ branch }) => (branch === 'main' ? checks(pushes[seen++] ?? pushes.at(-1)!) : []) });
};
/** Somebody's push, long enough ago for its CI to have spoken. */
const somebodyPushes = (sim: Simulation): void => {
  sim.world.github.push(web, { actor: 'maintainer', commits: [{ message: 'feat: by a colleague' }] }, sim.now());
  sim.pass(5 * minuteMs);
};

/** The base is as `base` says, and what this run pushes as the others say. */
const onBase = (
  base: Conclusions,
  pushes: readonly Conclusions[],
  options: { agent?: Parameters<typeof simulation>[0][number]['agent']; baselineRed?: 'hold' | 'accept' } = {},
): Simulation => {
  const { agent = 'never gets green', baselineRed = 'hold' } = options;
  const defaults = {
    model: 'a-model',
    workspaceRoot: '/srv/checkouts/{owner}__{name}',
    agentLogins: ['agent-bot'],
    baselineRed,
  };
  const sim = simulation([{ repo: web, agent }], { defaults });
  ciSays(sim, base, ...pushes);
  somebodyPushes(sim);
  return sim;
};

const endOf = async (sim: Simulation) => {
  const { reports } = await toRest(sim);
  const decided = reports.flatMap(({ happened }) =>
    happened.flatMap(({ what, why }) => (what === 'decided' ? [why.split(':')[0]] : [])),
  );
  const [run] = historyOf(sim.table);
  return { decided, run: run! };
};

const green = { test: 'success', lint: 'success' };
const red = { test: 'failure', lint: 'success' };

describe('a base that is red before anything was begun', () => {
  test('holds the issue, with the names of what is red, and costs no run of the day', async () => {
    const sim = onBase(red, [green]);
    const { rulings } = await minutes(sim, 40);
    expect(rulings[0]).toBe(`${web}#1 base red: main is red before anything was begun: test`);
    expect([
      threadsOf(sim, web, 1),
      labelsOf(sim, web, 1),
      [...sim.table.rows.keys()].filter((key) => key.startsWith('day#')),
    ]).toEqual([[], ['ready-for-agent'], []]);
  });

  test('is asked about again every quarter of an hour, not every minute; mended, the issue runs by itself', async () => {
    const sim = onBase(red, [green]);
    let asked = 0;
    sim.intercept(async ({ port, method }, pass) => {
      if (port === 'forge' && method === 'ci') asked += 1;
      return pass();
    });
    await minutes(sim, 14);
    expect(asked).toBe(1);
    somebodyPushes(sim);
    const { run } = await endOf(sim);
    expect([run.outcome, run.baseRed, standing(sim, web, 1)]).toEqual(['done', [], 'done']);
  });

  test('a check that is still running or was skipped there holds nothing', async () => {
    const sim = onBase({ test: 'success', docs: 'skipped', nightly: 'neutral' }, [green]);
    expect((await endOf(sim)).run).toMatchObject({ outcome: 'done', baseRed: [] });
  });

  test('accepted, and only that is red at the end: frozen as red as the base was, and no attempt spent', async () => {
    const sim = onBase(red, [red], { baselineRed: 'accept' });
    const { decided, run } = await endOf(sim);
    expect(decided).toEqual(['freeze']);
    expect(run).toMatchObject({ outcome: 'frozen', attempts: 0 });
    expect(run.reason).toBe('CI is red: test, as before this run began');
    expect([standing(sim, web, 1), commentsOf(sim.world, web, 1).length]).toEqual(['handed back', 1]);
  });

  test('accepted, and something else is red too: mended, and then frozen where only the base’s is left', async () => {
    const sim = onBase(red, [{ test: 'failure', lint: 'failure' }, red], { baselineRed: 'accept' });
    const { decided, run } = await endOf(sim);
    expect(decided).toEqual(['fix forward', 'freeze']);
    expect(run).toMatchObject({ outcome: 'frozen', attempts: 1 });
    expect(run.reason).toMatch(/as before this run began$/);
  });

  test('accepted, and this run mends it: closed on proof', async () => {
    const sim = onBase(red, [green], { baselineRed: 'accept' });
    expect((await endOf(sim)).run).toMatchObject({ outcome: 'done', attempts: 0 });
  });
});

describe('what is nobody’s fault', () => {
  test.each(['cancelled', 'startup_failure', 'stale'])(
    'a check that ended %s is tried again, and spends no attempt',
    async (conclusion) => {
      const sim = onBase(green, [{ test: conclusion, lint: 'success' }, green]);
      const { decided, run } = await endOf(sim);
      expect(decided).toEqual(['fix forward', 'end done']);
      expect(run).toMatchObject({ outcome: 'done', attempts: 0 });
    },
  );

  test('cancelled checks are run again once, in the same turn’s thread: no commit, no attempt, and their verdict counts', async () => {
    const sim = onBase(green, [{ test: 'cancelled', lint: 'success' }], {
      agent: (turn) => {
        if (turn.turnNumber === 1) return agentOf('lands at once', 1, turn);
        expect(turn.text).toContain('were cut short');
        // As `gh run rerun` does it.
        const [repo] = sim.world.github.state.repos.values();
        const head = repo!.branches.get('main')!;
        sim.world.github.report(web, head, checks({ test: 'success' }), sim.now());
        return agentOf('stops without pushing', 1, turn);
      },
    });
    const { decided, run } = await endOf(sim);
    expect(decided).toEqual(['fix forward', 'end done']);
    expect(run).toMatchObject({ outcome: 'done', attempts: 0, commits: [expect.any(String), expect.any(String)] });
  });

  test('a failure beside what was cut short is no case for running it again', async () => {
    const sim = onBase(green, [{ test: 'cancelled', lint: 'failure' }, green]);
    await endOf(sim);
    const [thread] = threadsOf(sim, web, 1);
    const asked = sim.world.t3.messagesOf(thread!.id).flatMap(({ role, text }) => (role === 'user' ? [text] : []));
    expect(asked[1]).toContain('What you pushed did not pass');
    expect(asked[1]).not.toContain('were cut short');
  });

  test('Every wait has an end: cancelled again and again it ends frozen an hour after the first time', async () => {
    const sim = onBase(green, [{ test: 'cancelled' }]);
    const { decided, run } = await endOf(sim);
    expect(decided.at(-1)).toBe('freeze');
    expect(run).toMatchObject({ outcome: 'frozen', attempts: 0 });
    const redForMs = run.leaving.since - run.firstRedAt!;
    expect(redForMs).toBeGreaterThanOrEqual(60 * minuteMs);
    // Seen at the next end of a turn, which the agent takes seven minutes for.
    expect(redForMs).toBeLessThan(75 * minuteMs);
  });

  test('cancelled beside a real failure, the failure is mended, and that is an attempt', async () => {
    const sim = onBase(green, [{ test: 'cancelled', lint: 'failure' }, green]);
    expect((await endOf(sim)).run).toMatchObject({ outcome: 'done', attempts: 1 });
  });
});

describe('Bounded: no progress', () => {
  /** Pushes once, and then only talks. */
  const talks = (turn: AgentTurn): AgentScript =>
    turn.turnNumber === 1
      ? agentOf('lands at once', 1, turn)
      : {
          starts: 'ok',
          acts: [
            { afterMs: minuteMs, does: 'tool', detail: 'Bash: npm test' },
            { afterMs: minuteMs, does: 'end', how: 'completed', text: 'It works here.' },
          ],
        };

  test('two turns that were to mend and brought no commit end the run frozen, with attempts left', async () => {
    const sim = onBase(green, [red], { agent: talks });
    const { decided, run } = await endOf(sim);
    expect(decided).toEqual(['fix forward', 'fix forward', 'freeze']);
    expect(run).toMatchObject({ outcome: 'frozen', attempts: 2 });
    expect(standing(sim, web, 1)).toBe('handed back');
  });

  test('a new commit between them begins the count anew', async () => {
    const pushesEverySecond = (turn: AgentTurn): AgentScript =>
      turn.turnNumber % 2 === 1 ? agentOf('lands at once', 1, turn) : talks(turn);
    const sim = onBase(green, [red], { agent: pushesEverySecond });
    const { decided, run } = await endOf(sim);
    expect(decided).toEqual([...Array.from({ length: 5 }, () => 'fix forward'), 'freeze']);
    expect(run.attempts).toBe(5);
  });
});
