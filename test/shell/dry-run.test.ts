import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseControl } from '../../lib/core/control.ts';
import type { Ports } from '../../lib/ports.ts';
import { memoryStore } from '../../lib/sandbox/memory-store.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { dryRunPorts } from '../../lib/shell/dry-run.ts';
import { poll } from '../../lib/shell/poll.ts';
import type { Report } from '../../lib/shell/tick.ts';
import { watch } from '../../lib/shell/watch.ts';
import { type Simulation, simulation } from '../simulation/simulation.ts';

const kinds = ['poll', 'watch'] as const;

/** Every method by which the world, the table or a person is reached to change something. */
const writing: ReadonlySet<string> = new Set([
  'insert',
  'replace',
  'remove',
  'countRun',
  'keepText',
  'keepHistory',
  'ensureMirror',
  'removeLabel',
  'createProject',
  'createThread',
  'startTurn',
  'answer',
  'interrupt',
  'stop',
  'archive',
  'unarchive',
  'ring',
]);

/** Passes reads on and fails on whatever would write: preflight too, where it is asked for labels. */
const readOnly = (ports: Ports): Ports => {
  const guarded = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (from, method) => {
        const value: unknown = Reflect.get(from, method);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (writing.has(String(method))) throw new Error(`a dry run wrote: ${String(method)}`);
          if (method === 'preflight') expect(args[2]).toEqual([]);
          return Reflect.apply(value, from, args);
        };
      },
    });
  return {
    store: guarded(ports.store),
    tracker: guarded(ports.tracker),
    forge: guarded(ports.forge),
    executor: guarded(ports.executor),
    doorbells: ports.doorbells.map(guarded),
  };
};

/** A dry run of one tick at this moment of a simulation, on ports that fail when written to. */
const dryRun = async (sim: Simulation, kind: (typeof kinds)[number]) => {
  const would: string[] = [];
  const ports = readOnly({
    ...worldPorts(sim.world, { now: sim.now, login: 'afk-bot' }),
    store: memoryStore(sim.table, 'a-dry-run'),
    doorbells: [{ name: 'bell', ring: async () => undefined }],
  });
  const context = {
    gate: { read: async () => parseControl(sim.parameters, null) },
    connect: async () => dryRunPorts(ports, would),
    now: sim.now,
    by: 'a-dry-run',
    newRunId: () => 'd'.repeat(32),
    timeLeftMs: () => 50_000,
    isDryRun: true,
  };
  return { report: await (kind === 'poll' ? poll(context) : watch(context)), would };
};

/** Everything there is: the table, GitHub and T3. */
const everything = ({ table, world }: Simulation): string =>
  JSON.stringify([table, world.github.state, world.t3.threads()], (_, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...value] : value,
  );

const decided = ({ happened }: Report): string[] =>
  happened
    .filter(({ what }) => what === 'decided')
    .map(({ repo, issue, why }) => `${repo}#${issue} ${why}`)
    .sort();

describe('A dry run reads everything and writes nothing', () => {
  test('at any minute of a busy story it leaves the world as it was, and says what the tick then rules and decides', async () => {
    const sim = simulation([
      { repo: 'acme/web', agent: 'lands at once' },
      { repo: 'acme/web', agent: 'stops without pushing' },
      { repo: 'acme/api', agent: 'lands after a red CI' },
      { repo: 'acme/docs', agent: 'crashes' },
      { repo: 'acme/infra', agent: 'closes the issue by keyword and turns out red' },
      { repo: 'acme/other', agent: 'lands at once', author: 'stranger', labelled: 'form' },
    ]);
    let wouldHave = 0;
    let dispatches = 0;
    let ends = 0;
    for (let minute = 0; minute < 45; minute += 1) {
      for (const kind of kinds) {
        // What is due by itself happens whenever somebody looks.
        sim.world.settle(sim.now());
        const before = everything(sim);
        const dry = await dryRun(sim, kind);
        expect(everything(sim) === before, `minute ${minute}: ${dry.would.join('; ')}`).toBe(true);
        wouldHave += dry.would.length;
        const real = await sim.invoke(kind);
        if (real === 'died') throw new Error('nobody was to die here');
        expect(dry.report.rulings, `minute ${minute}`).toEqual(real.rulings);
        expect(decided(dry.report)).toEqual(decided(real));
        ends += real.ended.length;
        dispatches += real.happened.filter(({ what }) => what === 'dispatched').length;
      }
      sim.pass();
    }
    expect([dispatches, ends]).toEqual([5, 5]);
    expect(wouldHave).toBeGreaterThan(50);
  });

  test('it stops at the ruling: nothing is claimed, not even in words', async () => {
    const sim = simulation([{ repo: 'acme/web', agent: 'lands at once' }]);
    const { report, would } = await dryRun(sim, 'poll');
    expect(report.rulings).toMatchObject([{ ruling: 'dispatch' }]);
    expect(report.happened).toEqual([]);
    expect(would.filter((line) => /run#|lease|turn|thread/.test(line))).toEqual([]);
  });

  test('a gate that overlooks the kill switch is used behind these ports and nowhere else', () => {
    const users = globSync(['lib/**/*.ts', 'functions/**/*.ts']).filter((file) =>
      readFileSync(file, 'utf8').includes('rehearsalGate('),
    );
    expect(users.sort()).toEqual(['functions/armed.ts', 'functions/local-rehearsal.ts']);
  });
});
