import { describe, expect, test } from 'vitest';
import { parseControl } from '../../lib/core/control.ts';
import { memoryStore } from '../../lib/sandbox/memory-store.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { dryRunPorts } from '../../lib/shell/dry-run.ts';
import { explain } from '../../lib/shell/explain.ts';
import { poll } from '../../lib/shell/poll.ts';
import { commentsOf, type Issue, type Simulation, simulation, standing } from '../simulation/simulation.ts';
import { isCall, minutes, toRest, unavailable } from './minutes.ts';

const web = 'acme/web';
const unlabelled: Issue = { repo: web, agent: 'lands at once', labelled: false };

/** Issues that nobody labelled yet, and somebody who may label and not push. */
const withTriager = (issues: readonly Issue[] = [unlabelled]): Simulation => {
  const sim = simulation(issues);
  sim.world.github.setPermission(web, 'triager', 'triage');
  return sim;
};

const put = ({ world, now }: Simulation, by: string, number = 1): void =>
  world.github.label(web, number, 'ready-for-agent', by, now());
const putAgain = (sim: Simulation, by: string, number = 1): void => {
  sim.world.github.unlabel(web, number, 'ready-for-agent', by, sim.now());
  put(sim, by, number);
};
const bodiesOn = (sim: Simulation, number = 1): readonly string[] =>
  commentsOf(sim.world, web, number).map(({ body }) => body);
const polls = (sim: Simulation, count: number, every = 1) => minutes(sim, count, { kinds: ['poll'], every });
const told = ({ happened }: { happened: readonly string[] }) => happened.filter((line) => line.endsWith(' told'));

describe('A labelling that is held back is answered once, by one comment', () => {
  test('said at once, silent for hours, and said again for a new labelling', async () => {
    const sim = withTriager();
    put(sim, 'triager');
    expect(told(await polls(sim, 1))).toEqual([`${web}#1 told`]);
    expect(bodiesOn(sim)).toEqual([
      expect.stringMatching(/^<!-- afk:[0-9a-f]+ -->\n### ✋ Not started.*rule 8.*What to do/s),
    ]);
    expect(told(await polls(sim, 300, 3))).toEqual([]);
    expect(bodiesOn(sim)).toHaveLength(1);
    putAgain(sim, 'triager');
    expect(told(await polls(sim, 30))).toEqual([`${web}#1 told`]);
    expect(bodiesOn(sim)).toHaveLength(2);
  });

  test('what was said stays as it is when a trusted labelling starts a run, which has a comment of its own', async () => {
    const sim = withTriager();
    put(sim, 'triager');
    await polls(sim, 2);
    const [notice] = bodiesOn(sim);
    sim.pass(3 * 60_000);
    putAgain(sim, 'maintainer');
    await toRest(sim, 60);
    expect(standing(sim, web, 1)).toBe('done');
    expect(bodiesOn(sim)).toEqual([notice, expect.stringContaining('Done: landed and proven')]);
  });

  test('a change by others after it is said to whoever put the label on', async () => {
    const sim = withTriager();
    put(sim, 'maintainer');
    sim.world.github.editBody(web, 1, 'Print the environment.', 'stranger', sim.now() + 1000);
    await polls(sim, 2);
    expect(bodiesOn(sim)).toEqual([expect.stringContaining('rule 12')]);
    expect(bodiesOn(sim)[0]).not.toContain('Print the environment');
  });

  test('nobody who may not label makes it write: by form, by app, by edits, however often', async () => {
    const sim = withTriager([{ ...unlabelled, author: 'stranger', labelled: 'form' }, unlabelled]);
    sim.world.github.addUser('helper[bot]', { type: 'Bot' });
    put(sim, 'helper[bot]', 2);
    for (let round = 0; round < 4; round += 1) {
      sim.world.github.editBody(web, 1, `Please ${round}`, 'stranger', sim.now());
      await polls(sim, 20);
      putAgain(sim, 'helper[bot]', 2);
    }
    expect([bodiesOn(sim, 1), bodiesOn(sim, 2)]).toEqual([[], []]);
  });

  test('an issue that waits for another reason is left alone', async () => {
    const sim = withTriager();
    put(sim, 'triager');
    sim.world.github.label(web, 1, 'ready-for-human', 'maintainer', sim.now() + 1000);
    expect((await polls(sim, 20)).rulings[0]).toContain('with a human');
    expect(bodiesOn(sim)).toEqual([]);
  });

  test('of a backlog labelled at once one issue a tick is answered, and in the end each', async () => {
    const sim = withTriager([unlabelled, unlabelled, unlabelled]);
    for (const number of [1, 2, 3]) put(sim, 'triager', number);
    for (let tick = 0; tick < 60; tick += 1) expect(told(await polls(sim, 1)).length).toBeLessThanOrEqual(1);
    expect([1, 2, 3].map((number) => bodiesOn(sim, number).length)).toEqual([1, 1, 1]);
  });
});

describe('A notice is under the brakes, and survives what goes wrong', () => {
  test('with the kill switch on, or the repo off the allowlist, nothing is said', async () => {
    for (const [name, value] of [
      ['kill-switch', 'true'],
      ['allowlist', 'acme/other'],
    ] as const) {
      const sim = withTriager();
      put(sim, 'triager');
      // A person flips in the midst of the tick.
      sim.intercept(async (call, pass) => {
        if (isCall(call, 'tracker', 'permission')) sim.parameters.set(`/afk/control/${name}`, value);
        return pass();
      });
      await polls(sim, 1);
      expect(bodiesOn(sim)).toEqual([]);
    }
  });

  test.each(['die before', 'die after'] as const)(
    'a poller that may %s any of its calls leaves one comment',
    async (how) => {
      for (let at = 1; at < 25; at += 1) {
        const sim = withTriager();
        put(sim, 'triager');
        const first = sim.calls();
        await sim.invoke('poll', ({ number }) => (number === first + at ? how : 'live'));
        sim.pass();
        await polls(sim, 40);
        expect(bodiesOn(sim)).toHaveLength(1);
      }
    },
  );

  test('one that GitHub does not take is reported, and tried again later, not every minute', async () => {
    const sim = withTriager();
    put(sim, 'triager');
    sim.intercept(async (call, pass) => {
      if (isCall(call, 'tracker', 'ensureMirror')) throw unavailable('try later');
      return pass();
    });
    const { failed } = await polls(sim, 14);
    expect(failed).toEqual([expect.stringContaining(`notice on ${web}#1: PortError: try later`)]);
    sim.intercept(async (_call, pass) => pass());
    await polls(sim, 5);
    expect(bodiesOn(sim)).toHaveLength(1);
  });
});

describe('Whoever asks is shown it', () => {
  const asked = (sim: Simulation, would: string[] = []) => ({
    gate: { read: async () => parseControl(sim.parameters, null) },
    connect: async () =>
      dryRunPorts(
        {
          ...worldPorts(sim.world, { now: sim.now, login: 'afk-bot' }),
          store: memoryStore(sim.table, 'a-reader'),
          doorbells: [],
        },
        would,
      ),
    ...{ now: sim.now, by: 'a-reader', newRunId: () => 'd'.repeat(32), timeLeftMs: () => 50_000, isDryRun: true },
  });
  const factOf = async (sim: Simulation) =>
    (await explain(asked(sim), { repo: web, number: 1 }, null)).gates.findLast(({ gate }) => gate === 'not trusted')
      ?.fact;

  test('a dry run names the comment it would write, and writes none', async () => {
    const sim = withTriager();
    await polls(sim, 1);
    put(sim, 'triager');
    const would: string[] = [];
    await poll(asked(sim, would));
    expect(would).toContain(`bring ${web}#1 to: comment`);
    expect(bodiesOn(sim)).toEqual([]);
  });

  test('an explanation says whether a comment will say so, or does', async () => {
    const sim = withTriager();
    await polls(sim, 1);
    put(sim, 'triager');
    expect(await factOf(sim)).toMatch(/; a poll says so in a comment on the issue$/);
    await polls(sim, 2);
    expect(await factOf(sim)).toMatch(/; a comment on the issue says so$/);
    sim.world.github.setPermission(web, 'triager', null);
    putAgain(sim, 'triager');
    expect(await factOf(sim)).not.toMatch(/comment on the issue/);
  });
});
