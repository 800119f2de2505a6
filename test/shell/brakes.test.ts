import { describe, expect, test } from 'vitest';
import { PortError } from '../../lib/ports.ts';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { historyOf } from '../../lib/sandbox/memory-store.ts';
import type { PersonAct } from '../simulation/histories/history.ts';
import { judging } from '../simulation/judging.ts';
import { type Call, type Fate, runToRest, simulation, standing } from '../simulation/simulation.ts';
import { busyAgents, isCall, labelsOf, locks, minutes, operate, threadsOf, toRest } from './minutes.ts';

const web = 'acme/web';

/** Something is said to an agent. */
const isSaid = (call: Call): boolean => isCall(call, 'executor', 'startTurn') || isCall(call, 'executor', 'answer');

const isClosing = (call: Call): boolean =>
  isCall(call, 'tracker', 'ensureMirror') && (call.args[1] as { state: string }).state === 'closed';

describe('Off means off: a kill switch that goes on between the claim and the dispatch', () => {
  const flippedBeforeTheTurn = async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    sim.intercept(async (call, pass) => {
      // The second read of a polling tick is the one right before the act.
      if (isCall(call, 'store', 'keepText')) operate(sim, 'kill-switch', 'true');
      return pass();
    });
    const { happened, reports } = await minutes(sim, 1, { kinds: ['poll'] });
    expect(happened).toEqual([`${web}#1 claimed`, `${web}#1 braked`]);
    expect(reports[0]!.happened[1]!.why).toBe('the kill switch is on');
    sim.intercept((_, pass) => pass());
    return sim;
  };

  test('no turn is asked for and no label goes on, however long it stays', async () => {
    const sim = await flippedBeforeTheTurn();
    const { reports } = await minutes(sim, 60);
    expect(reports.every(({ state }) => state === 'off')).toBe(true);
    expect(threadsOf(sim, web, 1).flatMap(({ messages }) => messages)).toEqual([]);
    expect([busyAgents(sim), labelsOf(sim, web, 1)]).toEqual([[], ['ready-for-agent']]);
  });

  test.each([1, 5, 60])('nothing is lost: off again after %i min, the issue runs, once', async (after) => {
    const sim = await flippedBeforeTheTurn();
    await minutes(sim, after);
    operate(sim, 'kill-switch', 'false');
    const { happened } = await toRest(sim, 120, { allows: /2 threads for/ });
    expect(standing(sim, web, 1)).toBe('done');
    expect(happened.filter((what) => what === `${web}#1 dispatched`)).toHaveLength(1);
    expect(
      threadsOf(sim, web, 1).flatMap(({ messages }) => messages.filter(({ role }) => role === 'user')),
    ).toHaveLength(1);
  });

  test('a repo taken off the allowlist in that moment is not dispatched either', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'store', 'keepText')) operate(sim, 'allowlist', 'acme/other');
      return pass();
    });
    const { reports } = await minutes(sim, 1, { kinds: ['poll'] });
    expect(reports[0]!.happened.map(({ what, why }) => `${what}: ${why}`)).toContain(
      'braked: the repo was taken off the allowlist',
    );
    await minutes(sim, 30);
    expect([busyAgents(sim), locks(sim), labelsOf(sim, web, 1)]).toEqual([[], [], ['ready-for-agent']]);
  });
});

describe('The doorbell rings when a person calls a run off, and its agent is out', () => {
  const ways: readonly (readonly [string, (sim: ReturnType<typeof simulation>) => unknown, string])[] = [
    [
      'takes the ready label off',
      (sim) => sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now()),
      'open []',
    ],
    [
      'puts the hold label on',
      (sim) => sim.world.github.label(web, 1, 'afk-hold', 'maintainer', sim.now()),
      'open [afk-hold]',
    ],
    ['closes the issue', (sim) => sim.world.github.close(web, 1, 'maintainer', sim.now()), 'done'],
  ];
  test.each(ways)('a person %s', async (_, callOff, end) => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    expect(labelsOf(sim, web, 1)).toContain('agent-in-progress');
    expect(busyAgents(sim)).toHaveLength(1);
    callOff(sim);
    const { reports } = await minutes(sim, 15);
    expect(reports.flatMap(({ ended }) => ended.map(({ outcome }) => outcome))).toEqual(['cancelled']);
    expect([standing(sim, web, 1), busyAgents(sim), locks(sim)]).toEqual([end, [], []]);
    expect(sim.rung).toEqual([expect.stringMatching(/^cancelled: acme\/web#1 /)]);
  });

  test('an account the agent acts as is no person: its labelling ends nothing', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    await minutes(sim, 3);
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'agent-bot', sim.now());
    const { reports } = await toRest(sim);
    expect(reports.flatMap(({ ended }) => ended.map(({ outcome }) => outcome))).toEqual(['done']);
  });
});

describe('Off means off: the kill switch flipped right before any call, whatever the call', () => {
  const isAct = (call: Call): boolean => isSaid(call) || isClosing(call);

  /** Plays it up to so many calls, flips, and goes on for two minutes; the acts that followed upon the flip. */
  const flippedAt = async (agent: AgentName, at: number): Promise<{ calls: number; acts: readonly string[] }> => {
    const sim = simulation([{ repo: web, agent }]);
    const acts: string[] = [];
    let calls = 0;
    sim.intercept(async (call, pass) => {
      calls += 1;
      if (calls === at) sim.flip('true');
      else if (calls > at && isAct(call)) acts.push(`${call.method}, flipped ${calls - at} calls before`);
      return pass();
    });
    await minutes(sim, 120, { until: () => calls >= at || sim.table.history.size > 0 });
    await minutes(sim, 2);
    return { calls, acts };
  };

  test.each(['lands at once', 'needs a nudge', 'asks a question and takes the answer'] as const)(
    'no turn, no answer and no closing follows but the one that the call is itself: an agent that %s',
    async (agent) => {
      const { calls } = await flippedAt(agent, Number.POSITIVE_INFINITY);
      expect(calls).toBeGreaterThan(150);
      for (let at = 1; at <= calls; at += 1) expect([at, (await flippedAt(agent, at)).acts]).toEqual([at, []]);
    },
    60_000,
  );
});

describe('Called off by a person right before any call, whatever the call', () => {
  /**
   * The calls of a scene before which an act on the issue is another one than before the call in front of it: each that
   * follows a look at the issue or a change of it. No other call can tell. `parts` are the last looks before the first
   * turn is sent, before the end is decided and before it is shown, and the call that shows it.
   */
  const wholeOf = async (agent: AgentName): Promise<{ moments: readonly number[]; parts: readonly number[] }> => {
    const sim = simulation([{ repo: web, agent }]);
    const moments: number[] = [];
    const last: { opening?: number; ending?: number; showing?: readonly [number, number] } = {};
    let claim = 0;
    let [look, lookBefore, wasLook] = [0, 0, true];
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'store', 'insert') && (call.args[0] as { kind: string }).kind === 'run') claim = sim.calls();
      if (isCall(call, 'executor', 'startTurn')) last.opening ??= look;
      const item = call.args[1] as { run?: { phase: string } } | undefined;
      if (isCall(call, 'store', 'replace') && item?.run?.phase === 'ending') last.ending ??= look;
      if (isClosing(call)) last.showing ??= [lookBefore, look];
      return pass();
    });
    await runToRest(sim, {
      fate: ({ number, port, method }) => {
        if (wasLook) moments.push(number);
        wasLook = port === 'tracker' && method !== 'permission';
        if (wasLook) [lookBefore, look] = [look, number];
        return 'live';
      },
    });
    expect(last.opening, 'the issue is looked at once more behind the lock').toBeGreaterThan(claim);
    return { moments, parts: [last.opening, last.ending, ...(last.showing ?? [])].map((number) => number ?? 0) };
  };

  /** How the runs of the issue ended, how it stands, and what is wrong. */
  type Came = { ends: string; stands: string; wrong: readonly string[] };

  /** Plays it up to so many calls, has a person act, two ticks later perhaps once more, and goes on to its rest. */
  const actedAt = async (agent: AgentName, at: number, act: PersonAct, later?: PersonAct): Promise<Came> => {
    const sim = simulation([{ repo: web, agent }]);
    const said: string[] = [];
    let actedIn = Number.POSITIVE_INFINITY;
    const judge = judging(sim, {
      truthIsFresh: () => sim.invocations() !== actedIn,
      around: async (call, pass) => {
        if (sim.invocations() > actedIn && isSaid(call)) said.push(`${call.method} after it`);
        return pass();
      },
    });
    const fate: Fate = ({ number }) => {
      if (number !== at) return 'live';
      actedIn = sim.invocations();
      judge.people.person(act, 0);
      return 'live';
    };
    const wrong: string[] = [];
    const allowed = later === undefined ? /^$/ : /^2 (threads for|comments on) /;
    const isQuiet = (): boolean => ![...sim.table.rows.keys()].some((key) => /^(run|owed)#/.test(key));
    let rulings: ReadonlyMap<string, string> = new Map();
    for (let quiet = 0, minute = 0; quiet < 2 && minute < 240; minute += 1) {
      for (const kind of ['poll', 'watch'] as const) {
        if (later !== undefined && sim.invocations() === actedIn + 2) judge.people.person(later, 0);
        const report = await sim.invoke(kind, fate);
        if (report === 'died') throw new Error('nobody was to die here');
        if (kind === 'poll') rulings = new Map(report.rulings.map((one) => [`${one.repo}#${one.issue}`, one.ruling]));
        wrong.push(...judge.breaches().filter((breach) => !allowed.test(breach)));
      }
      quiet = sim.invocations() > actedIn + 2 && isQuiet() ? quiet + 1 : 0;
      sim.pass();
    }
    const runs = historyOf(sim.table);
    if (new Set(runs.map((run) => run.act.id)).size !== runs.length) wrong.push('two runs of one labelling');
    const ends = runs.map(({ outcome }) => outcome).join(', then ');
    const isCalledOff = later === undefined && act !== 'ready off and on';
    wrong.push(...(isCalledOff ? said : []), ...judge.notAtRest(rulings));
    return { ends, stands: standing(sim, web, 1), wrong };
  };

  /** How it ends and how the issue stands where the person acts before each of the parts, and after the last. */
  type Expected = readonly (readonly [ends: string, stands: string])[];

  const expectAtEach = async (agent: AgentName, expected: Expected, play: (at: number) => Promise<Came>) => {
    const { moments, parts } = await wholeOf(agent);
    const met = new Set<number>();
    for (const at of moments) {
      const part = parts.filter((call) => at > call).length;
      met.add(part);
      const [ends, stands] = expected[part]!;
      expect([at, await play(at)]).toEqual([at, { ends, stands, wrong: [] }]);
    }
    expect([...met]).toEqual([0, 1, 2, 3, 4]);
  };

  const thrice = (one: Expected[number]): Expected => [one, one, one];
  const calledOff: Readonly<Record<'hold on' | 'ready off' | 'closes', Expected>> = {
    'hold on': [
      ['', 'open [afk-hold, ready-for-agent]'],
      ['cancelled', 'open [afk-hold]'],
      ...thrice(['done', 'closed [afk-hold]']),
    ],
    'ready off': [['', 'open []'], ['cancelled', 'open []'], ...thrice(['done', 'done'])],
    closes: [['', 'closed [ready-for-agent]'], ['cancelled', 'done'], ...thrice(['done', 'done'])],
  };

  test.each([
    ['hold on', 'lands at once'],
    ['ready off', 'lands at once'],
    ['closes', 'lands at once'],
    ['hold on', 'needs a nudge'],
    ['ready off', 'asks a question and takes the answer'],
    ['closes', 'lands after a red CI'],
  ] as const)('no turn and no answer follows in a later tick, and the run ends: %s, an agent that %s', (act, agent) =>
    expectAtEach(agent, calledOff[act], (at) => actedAt(agent, at, act)),
  );

  test('ready off and on, and nobody looked between: the run goes on, and the newer labelling stays for a fresh start', () =>
    expectAtEach(
      'lands at once',
      [
        ['done', 'done'],
        ['done', 'closed [ready-for-agent]'],
        ['done', 'closed [ready-for-agent]'],
        // Between the last look and the write that shows the end, the newer labelling is taken for the old one.
        ['done', 'done'],
        ['done', 'closed [ready-for-agent]'],
      ],
      (at) => actedAt('lands at once', at, 'ready off and on'),
    ));

  test('ready off, and on again once it was seen: the run is cancelled, and the newer labelling has a run of its own', () =>
    expectAtEach(
      'lands at once',
      [['done', 'done'], ['cancelled, then done', 'done'], ...thrice(['done', 'closed [ready-for-agent]'])],
      (at) => actedAt('lands at once', at, 'ready off', 'ready on'),
    ));
});

describe('A handed-back issue stays handed back until a trusted person labels it again', () => {
  const handedBack = async () => {
    const sim = simulation([{ repo: web, agent: 'crashes' }]);
    await toRest(sim);
    expect([standing(sim, web, 1), threadsOf(sim, web, 1).length]).toEqual(['handed back', 1]);
    return sim;
  };

  test('nobody labels it: it is never picked up, not even after a month and a day', async () => {
    const sim = await handedBack();
    await minutes(sim, 30);
    for (let day = 0; day < 32; day += 1) {
      sim.pass(24 * 3_600_000);
      await minutes(sim, 2);
    }
    expect([standing(sim, web, 1), threadsOf(sim, web, 1).length]).toEqual(['handed back', 1]);
  });

  test('edits, comments and other labels do not bring it back', async () => {
    const sim = await handedBack();
    const { github } = sim.world;
    github.comment(web, 1, 'Any news? ready-for-agent', 'stranger', sim.now());
    github.editTitle(web, 1, 'A better title', 'maintainer', sim.now());
    github.label(web, 1, 'bug', 'maintainer', sim.now());
    await minutes(sim, 60);
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  });

  test('a stranger’s label does not bring it back, and the ruling says why', async () => {
    const sim = await handedBack();
    sim.world.github.label(web, 1, 'ready-for-agent', 'stranger', sim.now());
    const { rulings } = await minutes(sim, 60);
    expect(rulings[0]).toMatch(/acme\/web#1 not trusted: stranger.*rule 9/);
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  });

  test('its labels can never be turned: once that was given up, the labelling still had its run', async () => {
    const sim = simulation([{ repo: web, agent: 'crashes' }]);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'ensureMirror')) throw new PortError('refused', '422: Validation Failed');
      return pass();
    });
    const { failed, rulings } = await minutes(sim, 26 * 60, { every: 3 });
    expect(failed.some((line) => /mirror of acme\/web#1 given up: .*422/.test(line))).toBe(true);
    expect(labelsOf(sim, web, 1)).toEqual(['ready-for-agent']);
    expect(rulings.some((ruling) => /still owed/.test(ruling))).toBe(true);
    expect(rulings.at(-1)).toMatch(/with a human: handed back.*ready-for-agent/);
    expect(threadsOf(sim, web, 1)).toHaveLength(1);
  });

  test('a trusted person labels it: a fresh start, in a thread of its own, and one only', async () => {
    const sim = await handedBack();
    sim.world.github.label(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    const { happened } = await toRest(sim, 120, { allows: /2 (threads|comments) / });
    expect(happened.filter((what) => what === `${web}#1 dispatched`)).toHaveLength(1);
    const threads = threadsOf(sim, web, 1);
    expect(threads).toHaveLength(2);
    expect(labelsOf(sim, web, 1)).toEqual(['ready-for-human']);
    await minutes(sim, 60, { allows: /2 (threads|comments) / });
    expect(threadsOf(sim, web, 1)).toHaveLength(2);
  });
});

describe('Bounded', () => {
  const repos = Array.from({ length: 8 }, (_, index) => `acme/repo-${index}`);
  const issues = repos.flatMap((repo) => [1, 2].map(() => ({ repo, agent: 'lands at once' as const })));

  test('never more runs are open than maxOpenRuns, and in the end every issue had its turn', async () => {
    const sim = simulation(issues, { maxOpenRuns: 3, maxRunsPerDay: 1000 });
    let most = 0;
    sim.intercept(async (call, pass) => {
      const answer = await pass();
      if (isCall(call, 'store', 'insert')) most = Math.max(most, locks(sim).length);
      return answer;
    });
    const { rulings } = await toRest(sim);
    expect(most).toBe(3);
    expect(rulings.some((ruling) => /over the cap: 3 runs are open/.test(ruling))).toBe(true);
    expect(issues.map((_, index) => standing(sim, repos[Math.floor(index / 2)]!, (index % 2) + 1))).toEqual(
      issues.map(() => 'done'),
    );
  });

  test('the caps are counted one claim at a time, and as many as they allow begin in one tick', async () => {
    const sim = simulation(issues, { maxOpenRuns: 3 });
    const { happened } = await minutes(sim, 1, { kinds: ['poll'] });
    expect(happened.filter((what) => what.endsWith(' dispatched'))).toHaveLength(3);
  });

  test('never more runs are begun on a UTC day than maxRunsPerDay; the next day goes on', async () => {
    const sim = simulation(issues, { maxOpenRuns: 20, maxRunsPerDay: 5 });
    const first = await minutes(sim, 14 * 60, { until: () => sim.now() > Date.UTC(2026, 0, 5, 12) });
    const begun = (told: typeof first) => told.happened.filter((what) => what.endsWith(' dispatched')).length;
    expect(begun(first)).toBe(5);
    expect(first.rulings.some((ruling) => /over the cap: 5 runs were begun today/.test(ruling))).toBe(true);
    sim.pass(Date.UTC(2026, 0, 6, 0, 1) - sim.now());
    expect(begun(await minutes(sim, 60))).toBe(5);
  });
});
