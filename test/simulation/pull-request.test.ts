import { describe, expect, test } from 'vitest';
import { proposes, type WorldAct } from '../../lib/sandbox/agents.ts';
import type { AgentScript, AgentTurn } from '../../lib/sandbox/t3-agent-script.ts';
import type { Agent } from '../../lib/sandbox/world.ts';
import { breaches, commentsOf, isAtRest, runToRest, type Simulation, simulation, standing } from './simulation.ts';

const repo = 'acme/web';
const minute = 60_000;

type Pull = Omit<NonNullable<WorldAct['pull']>, 'title' | 'body'>;

const byPull = (agent: Agent, change: Record<string, unknown> = {}): Simulation =>
  simulation([{ repo, agent }], { repos: { [repo]: { landing: 'pull-request', ...change } } });

/** Proposes what the turn's number says, and the last one again and again. */
const proposing =
  (...turns: readonly (readonly [Pull, WorldAct['ci']?, string?])[]): Agent =>
  ({ turnNumber, text }: AgentTurn): AgentScript => {
    const run = /AFK-Run: ([0-9a-f]{32})/.exec(text)?.[1] ?? null;
    const [pull, ci, branch] = turns[turnNumber - 1] ?? turns.at(-1)!;
    return { starts: 'ok', startMs: 4000, acts: proposes(run, 1, pull, ci, branch) };
  };

const merged = (does: NonNullable<Pull['fate']>['does'] = 'merge', after = 15): Pull => ({
  fate: { does, afterMs: after * minute },
});

/** Ticks until rest; the decisions on the way without the waits, and what was said of them. */
const told = async (sim: Simulation, each: (minute: number) => void = () => undefined) => {
  const decided: string[] = [];
  const whys: string[] = [];
  for (let at = 0; at < 900 && !isAtRest(sim); at += 1) {
    each(at);
    for (const kind of ['poll', 'watch'] as const) {
      const report = await sim.invoke(kind);
      if (report === 'died') throw new Error('nobody dies here');
      expect(report.failed).toEqual([]);
      expect(breaches(sim)).toEqual([]);
      for (const { what, why } of report.happened) {
        if (what !== 'decided') continue;
        decided.push(why.split(':')[0] ?? '');
        whys.push(why);
      }
    }
    sim.pass();
  }
  expect(isAtRest(sim)).toBe(true);
  const [ended] = [...sim.table.history.values()].map((json) => JSON.parse(json));
  return { decided, whys, ended };
};

describe('a run that lands by pull request is followed to its merge, and then as usual', () => {
  test.each(['merge', 'squash', 'rebase', 'squash in own words'] as const)(
    'merged by %s, it is closed on CI of the default branch',
    async (does) => {
      const sim = byPull(proposing([merged(does)]));
      const { decided, ended } = await told(sim);
      expect(decided).toEqual(['end done']);
      expect(standing(sim, repo, 1)).toBe('done');
      expect(ended).toMatchObject({ outcome: 'done', attempts: 0, nudges: 0, pull: { stands: 'merged' } });
      expect(ended.push.greenAt).toBeGreaterThan(ended.pull.seenAt);
    },
  );

  test('merged by itself once the demanded checks are there, on a branch that takes no push', async () => {
    const sim = byPull(proposing([merged('auto-merge')]));
    sim.world.github.setRules(repo, { requiredChecks: [{ context: 'test' }] });
    const { decided } = await told(sim);
    expect(decided).toEqual(['end done']);
    expect(standing(sim, repo, 1)).toBe('done');
  });

  test('on a branch that demands an approval it waits for a person, who has half a day', async () => {
    const sim = byPull(proposing([merged('squash', 5 * 60)]));
    sim.world.github.setRules(repo, { pullRequest: true });
    const said: string[] = [];
    const { decided } = await told(sim, () => {
      said.push(commentsOf(sim.world, repo, 1)[0]?.body ?? '');
    });
    expect(decided).toEqual(['end done']);
    expect(said.some((body) => /waits for a review/.test(body))).toBe(true);
  });

  test('its red checks are mended in the same thread, on the same pull request, naming what failed', async () => {
    const sim = byPull('opens a pull request whose checks are red first');
    const { decided, ended } = await told(sim);
    expect(decided).toEqual(['fix forward', 'end done']);
    expect(ended).toMatchObject({ attempts: 1, outcome: 'done' });
    const [thread, ...others] = sim.world.t3.threads();
    expect(others).toEqual([]);
    const [, fix] = sim.world.t3.messagesOf(thread!.id).filter(({ role }) => role === 'user');
    expect(fix?.text).toMatch(
      /Pull request #2 against `main` came out red[\s\S]*test \(failure\)[\s\S]*1 of 214 tests failed/,
    );
    const pulls = [...sim.world.github.state.issues.values()].filter(({ pull }) => pull !== null);
    expect(pulls).toHaveLength(1);
  });

  test('a conflict is mended on its branch, and costs an attempt', async () => {
    const sim = byPull(proposing([{ conflicts: true, ...merged() }], [merged()]));
    const { decided, ended } = await told(sim);
    expect(decided).toEqual(['fix forward', 'end done']);
    expect(ended.attempts).toBe(1);
  });

  test('a draft is reminded of once, and a branch without a pull request too', async () => {
    const draft = byPull(proposing([{ draft: true }], [merged()]));
    expect((await told(draft)).decided).toEqual(['nudge', 'end done']);
    const branch = byPull((turn) => {
      const script = (proposing([merged()]) as Exclude<Agent, string>)(turn);
      if (script.starts !== 'ok' || turn.turnNumber > 1) return script;
      const acts = script.acts.map((act) =>
        act.does === 'world' ? { ...act, act: { ...(act.act as WorldAct), pull: undefined } } : act,
      );
      return { ...script, acts };
    });
    const { decided, whys } = await told(branch);
    expect(decided).toEqual(['nudge', 'end done']);
    expect(whys[0]).toMatch(/no pull request to be merged, only https:\/\/github.com\/acme\/web\/commit\//);
  });

  test('what turns out red after the merge is mended by a further pull request', async () => {
    const sim = byPull(proposing([{ onMain: 'red', ...merged() }], [merged('squash', 90), 'green', 'again']));
    const { decided, ended } = await told(sim);
    expect(decided).toEqual(['fix forward', 'end done']);
    expect(ended).toMatchObject({ outcome: 'done', pull: { number: 3 } });
  });

  test('our own closing keyword in its text closes the issue at the merge, which is no person’s call', async () => {
    const sim = byPull((turn) => {
      const script = (
        proposing([{ onMain: 'red', ...merged() }], [merged(), 'green', 'again']) as Exclude<Agent, string>
      )(turn);
      if (script.starts !== 'ok') return script;
      const acts = script.acts.map((act) => {
        if (act.does !== 'world') return act;
        const { pull, ...rest } = act.act as WorldAct;
        return { ...act, act: { ...rest, pull: { ...pull!, body: `Fixes #1\n\n${pull!.body}` } } };
      });
      return { ...script, acts };
    });
    const { decided, ended } = await told(sim);
    expect(decided).toEqual(['fix forward', 'end done']);
    expect(ended).toMatchObject({ reopened: true, outcome: 'done' });
  });
});

describe('a pull request that does not get there is handed back with its address', () => {
  const address = 'https://github.com/acme/web/pull/2';

  test('nobody merges it: after eight hours, long before the run’s own deadline', async () => {
    const sim = byPull('opens a pull request that nobody merges');
    const { decided, whys, ended } = await told(sim);
    expect(decided).toEqual(['escalate']);
    expect(whys[0]).toContain(`pull request ${address} waits to be merged, for 8 h by now`);
    expect(ended.endedAt - ended.claimedAt).toBeLessThan(9 * 60 * minute);
    expect(standing(sim, repo, 1)).toBe('handed back');
    expect(commentsOf(sim.world, repo, 1)[0]?.body).toContain(address);
    expect(sim.world.t3.liveAgents().filter(({ busy }) => busy)).toEqual([]);
  });

  test('a person closes it', async () => {
    const sim = byPull('opens a pull request that a person closes');
    const { decided, whys } = await told(sim);
    expect([decided, whys[0]]).toEqual([['escalate'], expect.stringContaining('it was closed unmerged')]);
    expect(standing(sim, repo, 1)).toBe('handed back');
  });

  test('a reviewer asks for changes: what is written there was released by nobody for the agent', async () => {
    const { decided, whys } = await told(byPull(proposing([merged('ask for changes')])));
    expect([decided, whys[0]]).toEqual([['escalate'], expect.stringContaining('a review asks for changes')]);
  });

  test('its checks stay red: the attempts are those of any other red', async () => {
    const sim = byPull(proposing([{}, 'red']), { fixForwardMaxAttempts: 2 });
    const { decided } = await told(sim);
    expect(decided).toEqual(['fix forward', 'fix forward', 'escalate']);
  });

  test('mended twice without a new commit: a third turn would change nothing', async () => {
    const first = proposing([{}, 'red']) as Exclude<Agent, string>;
    const sim = byPull((turn) =>
      turn.turnNumber === 1
        ? first(turn)
        : {
            starts: 'ok',
            acts: [
              { afterMs: minute, does: 'tool', detail: 'Bash: npm test' },
              { afterMs: minute, does: 'end', how: 'completed', text: 'It is not mine.' },
            ],
          },
    );
    expect((await told(sim)).decided).toEqual(['fix forward', 'fix forward', 'escalate']);
  });

  test('a draft stays a draft', async () => {
    expect((await told(byPull(proposing([{ draft: true }])))).decided).toEqual(['nudge', 'escalate']);
  });

  test('what was merged and is red stays as it is when its mending is refused', async () => {
    const sim = byPull(proposing([{ onMain: 'red', ...merged() }], [merged('close'), 'green', 'again']));
    const { decided, ended } = await told(sim);
    expect(decided).toEqual(['fix forward', 'freeze']);
    expect(ended.push).not.toBeNull();
  });
});

test('where changes are pushed, a pull request is elsewhere, as ever', async () => {
  const sim = simulation([{ repo, agent: 'opens a pull request that is merged' }]);
  expect((await told(sim)).decided).toEqual(['escalate']);
});

test('while it waits for people the repo stays locked, and nobody asks T3 for more than its one look', async () => {
  const sim = simulation(
    [
      { repo, agent: 'opens a pull request that nobody merges' },
      { repo, agent: 'lands at once' },
    ],
    { repos: { [repo]: { landing: 'pull-request' } } },
  );
  const asked: string[] = [];
  sim.intercept(({ port, method }, pass) => {
    if (port === 'executor') asked.push(method);
    return pass();
  });
  for (let at = 0; at < 60; at += 1) {
    for (const kind of ['poll', 'watch'] as const) await sim.invoke(kind);
    sim.pass();
  }
  expect(sim.world.t3.threads()).toHaveLength(1);
  expect(new Set(asked.slice(-20))).toEqual(new Set(['look']));
});

test('No phantom lock, no double dispatch: dying right after any port call, it lands all the same', async () => {
  // Red first, so that the turn that mends it is among what may be cut off; merged soon, so that the waits are short.
  const agent = proposing([merged('squash in own words', 1), 'red'], [merged('squash in own words', 1)]);
  const whole = byPull(agent);
  expect(await runToRest(whole)).toEqual([]);
  // Each of them once took 18 s and found nothing more; a step that shares no factor with the calls of a tick meets all kinds.
  for (let n = 1; n <= whole.calls(); n += 11) {
    const sim = byPull(agent);
    const at = `after call ${n} of ${whole.calls()}`;
    expect(await runToRest(sim, { fate: ({ number }) => (number === n ? 'die after' : 'live') }), at).toEqual([]);
    expect(standing(sim, repo, 1), at).toBe('done');
    expect(
      [...sim.world.github.state.issues.values()].filter(({ pull }) => pull !== null),
      at,
    ).toHaveLength(1);
  }
}, 60_000);
