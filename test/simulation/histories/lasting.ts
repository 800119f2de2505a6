import type { Simulation } from '../simulation.ts';
import type { Acting, Place } from './acts.ts';

const hourMs = 3_600_000;

/** An in-progress label without a run is gone within an hour and a half. */
const labelMsMax = 1.5 * hourMs;
/** The whole run's deadline, then ten minutes for its agent to leave; the rest is for ticks that are minutes apart. */
const runMsMax = 12.5 * hourMs;
/** Where nobody can see its agent, nor the issue on which a person would say that it is out. */
const unseenMsMax = 25 * hourMs;

/**
 * What lasts longer than it may while everything works, in words; asked after each round of ticks. Judged by the
 * world's clock, whatever a run's own clocks were spoiled or paused by before.
 */
export const lasting = (sim: Simulation, people: Acting, places: readonly Place[]) => {
  const since = new Map<string, number>();
  return (): readonly string[] => {
    const open = runsIn(sim, 'run#');
    const held = [...open, ...runsIn(sim, 'owed#')];
    const labels = [...places.keys()].flatMap((index) => {
      const { nodeId, labels: on, deleted, movedTo } = people.issueOf(index);
      const isShown = !deleted && movedTo === null && on.some(({ name }) => name === 'agent-in-progress');
      return isShown && !held.some(({ issue }) => issue.nodeId === nodeId) ? [`label of issue ${index}`] : [];
    });
    const now = [
      ...labels.map((what) => ({ what: `${what}: in progress without a run`, max: labelMsMax })),
      ...open.map(({ id, stuck }) => ({ what: `run ${id}: open`, max: runMsMax + (stuck === true ? unseenMsMax : 0) })),
    ];
    for (const what of since.keys()) if (!now.some((one) => one.what === what)) since.delete(what);
    for (const { what } of now) since.set(what, since.get(what) ?? sim.now());
    return now.flatMap(({ what, max }) => {
      const ms = sim.now() - (since.get(what) ?? sim.now());
      return ms > max ? [`${what} for ${(ms / hourMs).toFixed(1)} h`] : [];
    });
  };
};

type Row = { id: string; issue: { nodeId: string }; stuck?: boolean };

const runsIn = ({ table }: Simulation, prefix: string): readonly Row[] =>
  [...table.rows].flatMap(([key, text]) => (key.startsWith(prefix) ? [JSON.parse(text).data.run as Row] : []));
