import { describe, expect, test } from 'vitest';
import { pushOf } from '../../lib/core/run.ts';
import type { Thread } from '../../lib/core/thread.ts';
import type { ExecutorLook } from '../../lib/ports.ts';
import { historyOf, plantRow } from '../../lib/sandbox/memory-store.ts';
import { busyAgents, isCall, labelsOf, locks, minutes, operate, unavailable } from '../shell/minutes.ts';
import { simulation, standing } from '../simulation/simulation.ts';
import { hourMs, pushFor, runOf } from './kit.ts';

const web = 'acme/web';
const api = 'acme/api';

describe('One agent per repo: the lock is held until the agent is seen to be out', () => {
  test('labels that were off before a person was told confirm nothing', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 5);
    // The agent answers nothing; from the cancelling on nothing can be written to the tracker.
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'interrupt') || isCall(call, 'executor', 'stop')) return 'accepted';
      if (isCall(call, 'tracker', 'ensureMirror')) throw unavailable('GitHub answered 403: secondary rate limit');
      return pass();
    });
    // Calls the run off and tidies up; this is no word about the agent.
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    sim.world.github.unlabel(web, 1, 'agent-in-progress', 'maintainer', sim.now());
    await minutes(sim, 30);
    expect(busyAgents(sim)).toHaveLength(1);
    expect(locks(sim)).toHaveLength(1);
  });

  test('never a thread in a deleted project: the agent would run in T3’s own directory', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs', labelled: false }]);
    await minutes(sim, 2);
    const { t3, github } = sim.world;
    const remove = (id: string) =>
      t3.dispatch({ type: 'project.delete', commandId: `person-${id}`, projectId: id, force: true }, sim.now());
    for (const { id } of t3.projects()) remove(id);
    github.label(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    // The claim makes the project; then the process dies. A person deletes the project before the turn is sent.
    await sim.invoke('poll', ({ method }) => (method === 'createThread' ? 'die before' : 'live'));
    expect(locks(sim)).toHaveLength(1);
    for (const { id, deletedAt } of t3.projects()) if (deletedAt === null) remove(id);
    sim.pass();
    await minutes(sim, 8, { kinds: ['watch'] });
    expect(t3.liveAgents().map(({ workspaceRoot }) => workspaceRoot)).not.toContain('/srv/t3');
  });
});

test('a thread that came to stand in a project deleted meanwhile is given no turn', async () => {
  const sim = simulation([{ repo: web, agent: 'hangs' }]);
  const { t3 } = sim.world;
  // T3 takes a thread in a deleted project all the same; then the process dies.
  await sim.invoke('poll', ({ method }) => {
    if (method !== 'createThread') return 'live';
    for (const { id } of t3.projects())
      t3.dispatch({ type: 'project.delete', commandId: `person-${id}`, projectId: id, force: true }, sim.now());
    return 'die after';
  });
  expect(t3.threads()).toHaveLength(1);
  sim.pass();
  await minutes(sim, 8, { kinds: ['watch'] });
  expect(t3.messagesOf(t3.threads()[0]!.id)).toEqual([]);
  expect(t3.liveAgents()).toEqual([]);
});

describe('A turn is sent only to an idle thread', () => {
  test('one that was held back by the kill switch is not sent into a turn that began by itself meanwhile', async () => {
    const sim = simulation([{ repo: web, agent: 'never gets green' }]);
    let isFlipped = false;
    sim.intercept(async (call, pass) => {
      // The brake is read right before the fix turn.
      if (
        isCall(call, 'store', 'replace') &&
        (call.args[1] as { run?: { phase?: string } }).run?.phase === 'fixing' &&
        !isFlipped
      ) {
        isFlipped = true;
        operate(sim, 'kill-switch', 'true');
      }
      return pass();
    });
    await minutes(sim, 40, { until: () => isFlipped });
    expect(runOf(sim)).toMatchObject({ phase: 'fixing', command: { order: 'start' } });
    await minutes(sim, 5);
    // Background work of the first turn goes on in a turn of its own: running, no new message.
    let sent = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'startTurn')) sent += 1;
      const look = (await pass()) as ExecutorLook;
      if (!isCall(call, 'executor', 'look')) return look;
      const running = (thread: Thread) => ({
        ...thread,
        turn: { ...thread.turn, id: 'by-itself', state: 'running' },
        session: { ...thread.session, status: 'running' },
      });
      return { ...look, threads: new Map([...look.threads].map(([id, thread]) => [id, running(thread)])) };
    });
    operate(sim, 'kill-switch', 'false');
    await minutes(sim, 3, { kinds: ['watch'] });
    expect(sent).toBe(0);
  });

  test('a fix turn that was held back is not sent any more once CI is green', async () => {
    const sim = simulation([{ repo: web, agent: 'never gets green' }]);
    let isFlipped = false;
    sim.intercept(async (call, pass) => {
      if (
        isCall(call, 'store', 'replace') &&
        (call.args[1] as { run?: { phase?: string } }).run?.phase === 'fixing' &&
        !isFlipped
      ) {
        isFlipped = true;
        operate(sim, 'kill-switch', 'true');
      }
      return pass();
    });
    await minutes(sim, 40, { until: () => isFlipped });
    const push = pushOf(runOf(sim));
    // A person re-ran the flaky check: green.
    sim.world.github.report(
      web,
      push!.tip,
      [{ kind: 'check', name: 'test', startsAfterMs: 1000, endsAfterMs: 60_000 }],
      sim.now(),
    );
    let sent = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'startTurn')) sent += 1;
      return pass();
    });
    await minutes(sim, 10);
    operate(sim, 'kill-switch', 'false');
    await minutes(sim, 5, { kinds: ['watch'] });
    expect(sent).toBe(0);
  });
});

describe('restarting', () => {
  const stalling = async () => {
    const sim = simulation([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 60, { until: () => locks(sim).length > 0 && runOf(sim).phase === 'restarting' });
    expect(runOf(sim).phase).toBe('restarting');
    let sent = 0;
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'executor', 'startTurn')) sent += 1;
      return pass();
    });
    return { sim, sent: () => sent };
  };
  test('called off while its agent leaves: no further turn is begun', async () => {
    const { sim, sent } = await stalling();
    sim.world.github.unlabel(web, 1, 'ready-for-agent', 'maintainer', sim.now());
    await minutes(sim, 10);
    expect(sent()).toBe(0);
  });
  test('an orphan’s push while it leaves: the branch is looked at again before a replacement is begun', async () => {
    const { sim, sent } = await stalling();
    pushFor(sim, web);
    await minutes(sim, 15);
    expect({ sent: sent(), outcomes: historyOf(sim.table).map(({ outcome }) => outcome) }).toEqual({
      sent: 0,
      outcomes: ['done'],
    });
  });
});

test('issue deleted and thread deleted: a person has some way to give the repo back', async () => {
  const sim = simulation([{ repo: web, agent: 'hangs' }]);
  await minutes(sim, 5);
  const thread = sim.world.t3.threads()[0]!;
  sim.world.t3.dispatch({ type: 'thread.delete', commandId: 'person', threadId: thread.id }, sim.now());
  sim.world.t3.killAgent(thread.id, sim.now());
  sim.world.github.deleteIssue(web, 1);
  for (let minute = 0; minute < 3 * 24 * 60 && locks(sim).length > 0; minute += 1) {
    await sim.invoke('watch');
    sim.pass();
  }
  expect(locks(sim)).toEqual([]);
});

test('a watcher that comes late to an end does not owe it again', async () => {
  const sim = simulation([{ repo: web, agent: 'stops without pushing' }]);
  let free = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    free = resolve;
  });
  let late: Promise<unknown> | null = null;
  let isHeld = false;
  // Two watchers at once, the schedule's and the change event's: one is held right before it writes the history.
  for (let minute = 0; minute < 60 && sim.rung.length === 0; minute += 1) {
    await sim.invoke('poll');
    late = sim.invoke('watch', async ({ method }): Promise<'live'> => {
      if (method !== 'keepHistory') return 'live';
      isHeld = true;
      await held;
      return 'live';
    });
    await Promise.race([late, new Promise((resolve) => setTimeout(resolve, 5))]);
    if (isHeld) await sim.invoke('watch');
    sim.pass();
  }
  expect([isHeld, sim.rung.length, labelsOf(sim, web, 1)]).toEqual([true, 1, ['ready-for-human']]);
  free();
  await late;
  await minutes(sim, 3, { kinds: ['watch'] });
  expect(sim.rung).toHaveLength(1);
});

test('Poison stays local, in the poller too: what cannot be in one issue does not stop the other repos', async () => {
  const sim = simulation([
    { repo: web, agent: 'lands at once' },
    { repo: api, agent: 'lands at once' },
  ]);
  sim.world.github.label(web, 1, 'priority:0', 'maintainer', sim.now());
  sim.intercept(async (call, pass) => {
    if (isCall(call, 'tracker', 'detail') && JSON.stringify(call.args[0]).includes(web))
      throw new TypeError('what cannot be');
    return pass();
  });
  for (let minute = 0; minute < 40; minute += 1) {
    await sim.invoke('poll').catch(() => undefined);
    await sim.invoke('watch');
    sim.pass();
  }
  expect(standing(sim, api, 1)).toBe('done');
});

test('a breaker opened by a clock that was a day ahead is not open for a day', async () => {
  const sim = simulation([{ repo: web, agent: 'lands at once' }]);
  plantRow(sim.table, {
    sk: 'breaker',
    v: 1,
    rev: 1,
    data: { kind: 'breaker', streak: 2, runId: 'f'.repeat(32), openUntil: sim.now() + 24.5 * hourMs },
  });
  await minutes(sim, 60);
  expect(standing(sim, web, 1)).toBe('done');
});
