import { describe, expect, test } from 'vitest';
import type { ExecutorLook } from '../../lib/ports.ts';
import { PortError } from '../../lib/ports.ts';
import { agentOf } from '../../lib/sandbox/agents.ts';
import { historyOf } from '../../lib/sandbox/memory-store.ts';
import { busyAgents, isCall, locks, minutes, threadsOf, unavailable } from '../shell/minutes.ts';
import { type Simulation, simulation, standing } from '../simulation/simulation.ts';
import { pushFor, runOf } from './kit.ts';

const web = 'acme/web';
const defaults = { model: 'm', workspaceRoot: '/srv/checkouts/{owner}__{name}', agentLogins: ['agent-bot'] };

/** How many turns were asked for. */
const turnsIn = (sim: Simulation): number =>
  threadsOf(sim, web, 1).flatMap(({ messages }) => messages.filter(({ role }) => role === 'user')).length;

describe('after a halt', () => {
  test('a run without a nudge left is resumed: the interrupted turn was our doing', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }], { defaults: { ...defaults, nudgesMax: 0 } });
    await minutes(sim, 5);
    sim.flip('true');
    await minutes(sim, 10);
    expect(busyAgents(sim)).toEqual([]);
    sim.flip('false');
    await minutes(sim, 5);
    expect(historyOf(sim.table).map(({ outcome, reason }) => `${outcome}: ${reason}`)).toEqual([]);
    expect(runOf(sim).phase).toBe('working');
  });

  test('a second halt reaches the turn that was resumed, also where the first watcher after it died', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.flip('true');
    await minutes(sim, 5);
    sim.flip('false');
    await minutes(sim, 5);
    expect(busyAgents(sim)).toHaveLength(1);
    sim.flip('true');
    await minutes(sim, 10);
    expect(busyAgents(sim)).toEqual([]);
  });

  test('a run that was halted while it began anew is not asked to take up what came to its end', async () => {
    const sim = simulation([
      { repo: web, agent: (turn) => agentOf(turn.turnNumber === 1 ? 'hangs' : 'lands at once', 1, turn) },
    ]);
    await minutes(sim, 40, { until: () => locks(sim).length > 0 && runOf(sim).phase === 'restarting' });
    sim.flip('true');
    await minutes(sim, 1);
    sim.flip('false');
    await minutes(sim, 30);
    expect(standing(sim, web, 1)).toBe('done');
    expect(turnsIn(sim)).toBe(2);
  });

  test('a run that began anew and turned out to have pushed is verified without another turn', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 40, { until: () => locks(sim).length > 0 && runOf(sim).phase === 'restarting' });
    sim.flip('true');
    await minutes(sim, 1);
    pushFor(sim, web);
    sim.flip('false');
    await minutes(sim, 30);
    expect([standing(sim, web, 1), turnsIn(sim)]).toEqual(['done', 1]);
  });

  test('a thread that was put away meanwhile is not asked to go on: its push is waited for as ever', async () => {
    const sim = simulation([{ repo: web, agent: 'lands at once' }]);
    await minutes(sim, 20, { until: () => locks(sim).length > 0 && runOf(sim).phase === 'verifying' });
    sim.flip('true');
    await minutes(sim, 1);
    const [thread] = sim.world.t3.threads();
    const createdAt = new Date(sim.now()).toISOString();
    sim.world.t3.dispatch({ type: 'thread.archive', commandId: 'p', threadId: thread!.id, createdAt }, sim.now());
    sim.flip('false');
    await minutes(sim, 30);
    expect([standing(sim, web, 1), turnsIn(sim)]).toEqual(['done', 1]);
  });

  const diesBeforeItsTurn = (sim: Simulation, n: number): void => {
    let turns = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'startTurn') && ++turns === n) throw unavailable('ECONNRESET');
      return pass();
    });
  };

  test('what was to be taken up, and was recorded and not sent, is taken up all the same', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }], { defaults: { ...defaults, nudgesMax: 0 } });
    await minutes(sim, 5);
    sim.flip('true');
    await minutes(sim, 2);
    sim.flip('false');
    diesBeforeItsTurn(sim, 1);
    await minutes(sim, 6);
    expect([runOf(sim).phase, turnsIn(sim)]).toEqual(['working', 2]);
  });

  test('a turn after a wait for the provider that was recorded and not sent costs no further wait', async () => {
    const sim = simulation([{ repo: web, agent: 'meets a failing provider' }]);
    diesBeforeItsTurn(sim, 2);
    await minutes(sim, 16);
    expect([runOf(sim).parks, turnsIn(sim)]).toEqual([1, 2]);
  });

  test('T3 out of reach during a halt: the tick still returns its report', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    sim.flip('true');
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor')) throw unavailable('ECONNREFUSED');
      return pass();
    });
    await expect(sim.invoke('watch')).resolves.toMatchObject({ state: 'off' });
  });
});

describe('an order to an agent at work whose invocation got no answer', () => {
  const asks = async (failing: 'answer' | 'interrupt') => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    let failed = 0;
    const told: string[] = [];
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'answer') || isCall(call, 'executor', 'interrupt')) {
        if (call.method === failing && failed++ === 0) throw unavailable('T3 answered 502');
        told.push(call.method);
        return 'accepted';
      }
      const seen = (await pass()) as ExecutorLook;
      if (isCall(call, 'executor', 'detail'))
        return { ...seen, request: { requestId: 'r1', kind: 'question', text: 'Which?', questions: ['Which?'] } };
      if (!isCall(call, 'executor', 'look')) return seen;
      return {
        ...seen,
        threads: new Map([...seen.threads].map(([id, thread]) => [id, { ...thread, pending: 'question' }])),
      };
    });
    return { sim, told };
  };
  test('an answer that got no reply is given again', async () => {
    const { sim, told } = await asks('answer');
    await minutes(sim, 4, { kinds: ['watch'] });
    expect(told[0]).toBe('answer');
  });
  test('an interrupt that got no reply is given again', async () => {
    const { sim, told } = await asks('interrupt');
    await minutes(sim, 8, { kinds: ['watch'] });
    expect(told).toContain('interrupt');
  });
});

test('Poison stays local: a repo whose CI cannot be read does not keep the others from being dispatched', async () => {
  const sim = simulation([
    { repo: 'acme/bad', agent: 'lands at once' },
    { repo: web, agent: 'lands at once' },
  ]);
  sim.world.github.label('acme/bad', 1, 'priority:0', 'maintainer', sim.now());
  sim.intercept(async (call, pass) => {
    if (isCall(call, 'forge', 'ci') && JSON.stringify(call.args[0]).includes('acme/bad'))
      throw new PortError('refused', 'query Ci: FORBIDDEN: Resource not accessible by personal access token');
    return pass();
  });
  const { rulings } = await minutes(sim, 60);
  expect(standing(sim, web, 1), rulings.slice(-2).join(' | ')).toBe('done');
});
