import { describe, expect, test } from 'vitest';
import { runTime } from '../../lib/core/run.ts';
import type { ExecutorLook } from '../../lib/ports.ts';
import { PortError } from '../../lib/ports.ts';
import { plantRow } from '../../lib/sandbox/memory-store.ts';
import { busyAgents, isCall, locks, minutes, unavailable } from '../shell/minutes.ts';
import { simulation, standing } from '../simulation/simulation.ts';
import { hourMs, runOf } from './kit.ts';

const web = 'acme/web';
const dayMs = 24 * hourMs;

describe('an ending run: its clock must not stand still for ever', () => {
  test('issue deleted, one interrupt gets no answer: the agent must be asked again, or a person told', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    let lost = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'watch')) return null;
      if (isCall(call, 'executor', 'interrupt') && lost++ === 0) throw unavailable('T3 answered 502');
      return pass();
    });
    await minutes(sim, 5 * 60);
    expect({ busy: busyAgents(sim).length, locks: locks(sim).length, rung: sim.rung.length }).not.toEqual({
      busy: 1,
      locks: 1,
      rung: 0,
    });
  });
});

describe('a run that would begin anew, and whose issue cannot be seen', () => {
  /** Its agent was asked to leave; from then on the tracker answers nobody, or finds nothing. */
  const unseenFrom = async (answer: () => unknown) => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 28);
    expect(runOf(sim).phase).toBe('restarting');
    sim.intercept(async (call, pass) => (isCall(call, 'tracker') ? answer() : pass()));
    return sim;
  };

  test('deleted since, it ends, and its repo is free', async () => {
    const sim = await unseenFrom(() => null);
    await minutes(sim, 60, { kinds: ['watch'] });
    expect({ locks: locks(sim).length, busy: busyAgents(sim).length, rung: sim.rung.length }).toEqual({
      locks: 0,
      busy: 0,
      rung: 1,
    });
  });

  test('out of sight for a day, it is given to a person', async () => {
    const sim = await unseenFrom(() => {
      throw unavailable('the tracker is down');
    });
    await minutes(sim, 23 * 60, { kinds: ['watch'] });
    expect({ phase: runOf(sim).phase, rung: sim.rung.length }).toEqual({ phase: 'restarting', rung: 0 });
    await minutes(sim, 90, { kinds: ['watch'] });
    expect({ locks: locks(sim).length, rung: sim.rung.length }).toEqual({ locks: 0, rung: 1 });
  });
});

describe('an executor that goes out of reach while a run ends', () => {
  test('after more than a day a person is told, and can give the lock back', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor') && call.method !== 'look') throw unavailable('ECONNREFUSED');
      return pass();
    });
    await minutes(sim, 1);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor')) throw unavailable('ECONNREFUSED');
      return pass();
    });
    await minutes(sim, 50 * 60, { kinds: ['watch'] });
    expect(runOf(sim).phase).toBe('ending');
    expect(sim.rung).toHaveLength(1);
  });
});

describe('one outage of both worlds', () => {
  test('of 5 h costs 5 h, not 10: the run goes on at once after', async () => {
    const sim = simulation([{ repo: web, agent: 'stops without pushing' }]);
    await minutes(sim, 6);
    const at = sim.now();
    sim.intercept(async (call, pass) => {
      if ((call.port === 'executor' || call.port === 'tracker') && sim.now() < at + 5 * hourMs)
        throw unavailable('the network is down');
      return pass();
    });
    await minutes(sim, 5 * 60, { kinds: ['watch'] });
    const run = runOf(sim);
    // The nudge is due within two minutes of the outage's end.
    const { happened } = await minutes(sim, 4, { kinds: ['watch'] });
    const lost = JSON.parse(sim.table.rows.get('lastWatch')!).data.lostMs;
    expect(Math.abs(Math.round((sim.now() - runTime(runOf(sim), lost, sim.now())) / 60_000) - 300)).toBeLessThanOrEqual(
      2,
    );
    expect(
      happened.some((what) => /decided|asked/.test(what)),
      JSON.stringify([run.phase, happened]),
    ).toBe(true);
  });
});

describe('a day out of reach is counted by looks', () => {
  test('an executor that was down when the last run went away is not down for days at the next run’s first blip', async () => {
    const sim = simulation([
      { repo: web, agent: 'hangs' },
      { repo: web, agent: 'hangs', labelled: false },
    ]);
    await minutes(sim, 5);
    // T3 is down for 25 h; a person gives the lock back; nothing runs for two days.
    let isDown = true;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor') && isDown) throw unavailable('ECONNREFUSED');
      return pass();
    });
    await minutes(sim, 25 * 60, { kinds: ['watch'] });
    sim.world.github.unlabel(web, 1, 'agent-in-progress', 'maintainer', sim.now());
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    await minutes(sim, 5, { kinds: ['watch'] });
    expect(locks(sim)).toEqual([]);
    isDown = false;
    for (const { threadId } of sim.world.t3.liveAgents()) sim.world.t3.killAgent(threadId, sim.now());
    sim.pass(48 * hourMs);
    sim.world.github.label(web, 2, 'ready-for-agent', 'maintainer', sim.now());
    await minutes(sim, 4, { kinds: ['poll'], until: () => locks(sim).length === 1 });
    isDown = true;
    await minutes(sim, 1, { kinds: ['watch'] });
    isDown = false;
    await minutes(sim, 1, { kinds: ['watch'] });
    expect(runOf(sim).phase).toBe('working');
  });

  test('one blip before, and one after, a day without any tick of ours are not a day out of reach', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    let isDown = true;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker') && isDown) throw unavailable('GitHub answered 502');
      return pass();
    });
    await minutes(sim, 1, { kinds: ['watch'] });
    isDown = false;
    sim.pass(25 * hourMs); // kill switch on, Lambda throttled, laptop closed
    isDown = true;
    await minutes(sim, 1, { kinds: ['watch'] });
    expect(runOf(sim).phase).toBe('working');
  });

  test('ten minutes of outage and then one momentary "not found" do not make an issue gone', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    let answer: 'down' | 'gone' = 'down';
    sim.intercept(async (call, pass) => {
      if (!isCall(call, 'tracker', 'watch')) return pass();
      if (answer === 'gone') return null;
      throw unavailable('GitHub answered 502');
    });
    await minutes(sim, 11, { kinds: ['watch'] });
    answer = 'gone';
    await minutes(sim, 1, { kinds: ['watch'] });
    expect(runOf(sim).phase).toBe('working');
  });
});

test('a run’s clock never stands before its own claim, however long nobody watched before it', async () => {
  const sim = simulation([
    { repo: web, agent: 'hangs' },
    { repo: 'acme/api', agent: 'hangs', labelled: false },
  ]);
  await minutes(sim, 5);
  // The watcher's Lambda is throttled for 10 h, the poller is not.
  sim.pass(10 * hourMs);
  sim.world.github.label('acme/api', 1, 'ready-for-agent', 'maintainer', sim.now());
  await minutes(sim, 2, { kinds: ['poll'] });
  await minutes(sim, 1, { kinds: ['watch'] });
  const lost = JSON.parse(sim.table.rows.get('lastWatch')!).data.lostMs;
  const run = runOf(sim, 'acme/api');
  expect(Math.round((runTime(run, lost, sim.now()) - run.claimedAt) / 60_000)).toBeGreaterThanOrEqual(0);
});

describe('a clock that was ahead for one invocation', () => {
  test('a turn owed since "tomorrow" is not left alone until tomorrow', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    sim.pass(24 * hourMs);
    await sim.invoke('poll', ({ port, method }) =>
      port === 'executor' && method === 'startTurn' ? 'die before' : 'live',
    );
    expect(locks(sim)).toHaveLength(1);
    sim.pass(-24 * hourMs);
    // The world's own clock cannot go back here: what is looked at is whether anything is asked of it again.
    let asked = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'startTurn')) asked += 1;
      return pass();
    });
    await minutes(sim, 3 * 60);
    expect(asked > 0 || locks(sim).length === 0).toBe(true);
  });
});

test('a session that was starting for a minute and is ready for an instant is not "could not start"', async () => {
  const sim = simulation([{ repo: web, agent: 'hangs' }]);
  await sim.invoke('poll');
  let at = 0;
  sim.intercept(async (call, pass) => {
    const look = await pass();
    if (!isCall(call, 'executor', 'look')) return look;
    at += 1;
    const { projects, threads, unreadable } = look as ExecutorLook;
    const shown = new Map(
      [...threads].map(([id, thread]) => [
        id,
        {
          ...thread,
          turn: null,
          session: { status: at < 2 ? 'starting' : 'ready', updatedAt: thread.lastMessageAt, lastError: null },
        },
      ]),
    );
    return { projects, threads: shown, unreadable };
  });
  sim.pass();
  await minutes(sim, 1, { kinds: ['watch'] });
  const { happened } = await minutes(sim, 1, { kinds: ['watch'] });
  expect(happened).toEqual([]);
});

test('a thread that cannot be read for days: the run ends, or a person is told', async () => {
  const sim = simulation([{ repo: web, agent: 'hangs' }]);
  await minutes(sim, 5);
  sim.intercept(async (call, pass) => {
    const look = (await pass()) as ExecutorLook;
    if (!isCall(call, 'executor', 'look')) return look;
    return { projects: look.projects, threads: new Map(), unreadable: [...look.threads.keys()] };
  });
  await minutes(sim, 3 * 24 * 60, { kinds: ['watch'] });
  expect(sim.rung.length).toBeGreaterThan(0);
});

test('a snapshot that cannot be read (it never shrinks): a person is told of the agent nobody sees', async () => {
  const sim = simulation([{ repo: web, agent: 'hangs' }]);
  await minutes(sim, 5);
  sim.intercept(async (call, pass) => {
    if (isCall(call, 'executor', 'whereabouts'))
      throw new PortError('unavailable', 'snapshot: longer than can be read');
    return pass();
  });
  const thread = sim.world.t3.threads()[0]!;
  sim.world.t3.dispatch({ type: 'thread.archive', commandId: 'person-1', threadId: thread.id }, sim.now());
  await minutes(sim, 24 * 60, { kinds: ['watch'] });
  expect(sim.rung.length).toBeGreaterThan(0);
});

describe('a clock that was wrong for a while and is put right', () => {
  const hung = async (skewMs: number, from = 10): Promise<number> => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, from);
    sim.skew(skewMs);
    await minutes(sim, 15 - from);
    sim.skew(0);
    const begun = sim.now();
    await minutes(sim, 20 * 60, { until: () => sim.rung.length > 0 });
    return (sim.now() - begun) / 60_000;
  };

  test.each([2 * hourMs, 25 * hourMs, 400 * 24 * hourMs])(
    '%d ms ahead: no deadline comes later by it',
    async (skewMs) => {
      const [as, right] = [await hung(skewMs), await hung(0)];
      expect(as - right).toBeLessThanOrEqual(10);
      expect(as - right).toBeGreaterThanOrEqual(-10);
    },
  );

  test.each([-hourMs, -25 * hourMs, -400 * dayMs])(
    '%d ms, which is behind: no deadline comes later by it',
    async (skewMs) => {
      const [as, right] = [await hung(skewMs), await hung(0)];
      expect(Math.abs(as - right)).toBeLessThanOrEqual(10);
    },
  );

  test.each([-400 * dayMs, -25 * hourMs, 25 * hourMs, 400 * dayMs])(
    '%d ms, and a run was claimed by it: its deadlines hold all the same',
    async (skewMs) => {
      const [as, right] = [await hung(skewMs, 0), await hung(0, 0)];
      expect(Math.abs(as - right)).toBeLessThanOrEqual(10);
    },
  );

  test('a run that is claimed by it leaves the clocks of the others alone', async () => {
    const sim = simulation([
      { repo: web, agent: 'takes its time' },
      { repo: 'acme/api', agent: 'hangs', labelled: false },
    ]);
    await minutes(sim, 10);
    sim.skew(400 * dayMs);
    sim.world.github.label('acme/api', 1, 'ready-for-agent', 'maintainer', sim.now());
    await minutes(sim, 2, { kinds: ['poll'] });
    sim.skew(0);
    await minutes(sim, 3);
    expect([runOf(sim, web).phase, runOf(sim, 'acme/api').phase]).toEqual(['working', 'working']);
  });

  test('an executor that was then to blame is not so any more once it starts agents again', async () => {
    const sim = simulation([{ repo: web, agent: 'takes its time' }]);
    const at = sim.now() + 400 * dayMs;
    const data = { kind: 'breaker', streak: 1, runId: 'f'.repeat(32), at, openUntil: null };
    plantRow(sim.table, { sk: 'breaker', v: 1, rev: 1, data });
    await minutes(sim, 5);
    expect(JSON.parse(sim.table.rows.get('breaker')!).data.streak).toBe(0);
  });

  test('nor after an outage that no turn of a run counts: it was sent since', async () => {
    const sim = simulation([{ repo: web, agent: 'needs a nudge' }]);
    await minutes(sim, 2);
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor')) throw unavailable('ECONNREFUSED');
      return pass();
    });
    await minutes(sim, 120);
    sim.intercept((_, pass) => pass());
    const data = { kind: 'breaker', streak: 1, runId: 'f'.repeat(32), at: sim.now(), openUntil: null };
    plantRow(sim.table, { sk: 'breaker', v: 1, rev: 1, data });
    await minutes(sim, 10);
    expect(JSON.parse(sim.table.rows.get('breaker')!).data.streak).toBe(0);
  });

  test('an issue that was deleted meanwhile is believed to be gone', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.intercept(async (call, pass) => (isCall(call, 'tracker', 'watch') ? null : pass()));
    sim.skew(400 * dayMs);
    await minutes(sim, 2);
    sim.skew(0);
    await minutes(sim, 60, { until: () => locks(sim).length === 0 });
    expect(locks(sim)).toEqual([]);
  });

  test('what the tracker refuses for minutes is not given up as if it had been a day', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    sim.intercept(async (call, pass) => {
      if (!isCall(call, 'tracker', 'ensureMirror')) return pass();
      throw new PortError('refused', 'ensureMirror: 404');
    });
    await minutes(sim, 60, { until: () => sim.rung.length > 0 });
    sim.skew(400 * dayMs);
    await minutes(sim, 5);
    sim.skew(0);
    sim.intercept((_, pass) => pass());
    await minutes(sim, 5);
    expect(standing(sim, web, 1)).toBe('done');
  });
});

describe('a clock that is behind', () => {
  test.each([-25 * hourMs, -400 * dayMs])(
    'by %d ms: a green push is done as soon as by a right one',
    async (skewMs) => {
      const landed = async (ms: number): Promise<number> => {
        const sim = simulation([{ repo: web, agent: 'lands at once' }]);
        sim.skew(ms);
        const begun = sim.now();
        await minutes(sim, 120, { until: () => sim.rung.length > 0 });
        return (sim.now() - begun) / 60_000;
      };
      expect(await landed(skewMs)).toBeLessThanOrEqual((await landed(0)) + 2);
    },
  );
});
