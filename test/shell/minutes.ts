import { expect } from 'vitest';
import type { Ports } from '../../lib/ports.ts';
import { PortError } from '../../lib/ports.ts';
import type { Report } from '../../lib/shell/tick.ts';
import { breaches, type Call, isAtRest, issueIn, type Simulation } from '../simulation/simulation.ts';

export const minuteMs = 60_000;

/** What the ticks of some minutes reported, in order. */
export type Told = {
  reports: readonly Report[];
  failed: readonly string[];
  happened: readonly string[];
  rulings: readonly string[];
};

/**
 * Both ticks, minute by minute, until `until` holds or so many minutes have passed; the clock stands at the end of the
 * last one. Long waits may be gone through with a tick every three minutes: more would be an outage of ours. The
 * simulation's invariants are checked after each tick, but for `breach`es that a test is about.
 */
export const minutes = async (
  sim: Simulation,
  max: number,
  options: { until?: () => boolean; kinds?: readonly ('poll' | 'watch')[]; allows?: RegExp; every?: number } = {},
): Promise<Told> => {
  const { until = () => false, kinds = ['poll', 'watch'], allows = /^$/, every = 1 } = options;
  const reports: Report[] = [];
  for (let minute = 0; minute < max && !until(); minute += every) {
    for (const kind of kinds) {
      const report = await sim.invoke(kind);
      if (report === 'died') throw new Error('nobody was to die here');
      reports.push(report);
      expect(breaches(sim).filter((breach) => !allows.test(breach))).toEqual([]);
    }
    sim.pass(every * minuteMs);
  }
  return {
    reports,
    failed: reports.flatMap(({ failed }) => failed.map(({ what, reason }) => `${what}: ${reason}`)),
    happened: reports.flatMap(({ happened }) => happened.map(({ repo, issue, what }) => `${repo}#${issue} ${what}`)),
    rulings: reports.flatMap(({ rulings }) =>
      rulings.map(({ repo, issue, ruling, detail }) => `${repo}#${issue} ${ruling}: ${detail}`),
    ),
  };
};

/** Minutes until every issue is at rest; fails where that takes longer than `max`. */
export const toRest = async (sim: Simulation, max = 240, options: { allows?: RegExp } = {}): Promise<Told> => {
  const told = await minutes(sim, max, { ...options, until: () => isAtRest(sim) });
  expect(isAtRest(sim), `at rest within ${max} minutes`).toBe(true);
  return told;
};

type PortName = Exclude<keyof Ports, 'doorbells'> | 'doorbell' | 'gate';

/** True for a call of one port's method, or of any of its methods. */
export const isCall = ({ port, method }: Call, name: PortName, wanted?: string): boolean =>
  port === name && (wanted === undefined || method === wanted);

/** What an adapter throws where its product is not to be had. */
export const unavailable = (words: string): PortError => new PortError('unavailable', words);

export const labelsOf = ({ world }: Simulation, repo: string, number: number): readonly string[] =>
  issueIn(world, repo, number)
    .labels.map(({ name }) => name)
    .sort();

/** Threads of an issue, the oldest first. */
export const threadsOf = ({ world }: Simulation, repo: string, number: number) =>
  world.t3.threads().filter(({ title }) => title.startsWith(`${repo}#${number}: `));

/** Agents at work right now. */
export const busyAgents = ({ world }: Simulation) => world.t3.liveAgents().filter(({ busy }) => busy);

/** Keys of the table that hold a lock. */
export const locks = ({ table }: Simulation): readonly string[] =>
  [...table.rows.keys()].filter((key) => key.startsWith('run#'));

/** One parameter, as an operator would write it. */
export const operate = ({ parameters }: Simulation, name: string, value: string): void => {
  parameters.set(`/afk/control/${name}`, value);
};

/** Today's settings with some keys changed, as an operator would write them; `undefined` takes one away. */
export const operateSettings = (sim: Simulation, change: (settings: Record<string, unknown>) => unknown): void => {
  const settings: Record<string, unknown> = JSON.parse(sim.parameters.get('/afk/control/settings') ?? '{}');
  operate(sim, 'settings', JSON.stringify(change(settings)));
};
