import { usdOf } from '../../../lib/core/budget.ts';
import { type OpenRun, pushOf } from '../../../lib/core/run.ts';
import type { Simulation } from '../simulation.ts';
import type { Acting, Place } from './acts.ts';
import { isPersonIn } from './invariants.ts';

const hourMs = 3_600_000;

/** An in-progress label without a run is gone within an hour and a half. */
const labelMsMax = 1.5 * hourMs;
/** The whole run's deadline, then ten minutes for its agent to leave; the rest is for ticks that are minutes apart. */
const runMsMax = 12.5 * hourMs;
/** Where nobody can see its agent, nor the issue on which a person would say that it is out. */
const unseenMsMax = 25 * hourMs;
/** What an agent at work was told to have used is asked every ten minutes, by looks that are three minutes apart. */
const overspentMsMax = 0.25 * hourMs;

/**
 * What lasts longer than it may while everything works, in words; asked after each round of ticks. Judged by the
 * world's clock, whatever a run's own clocks were spoiled or paused by before.
 */
export const lasting = (
  sim: Simulation,
  people: Acting,
  places: readonly Place[],
  price: { budgetUsd: number; usdPerMillionTokens: number },
) => {
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
      ...open.map((run) => ({ what: `run ${run.id}: open`, max: runMsMax + (isStuck(run) ? unseenMsMax : 0) })),
      ...open
        .filter((run) => isSpending(sim, run) && usdOf(toldOf(sim, run), price) >= price.budgetUsd)
        .map(({ id }) => ({ what: `run ${id}: over its budget and at work`, max: overspentMsMax })),
    ];
    for (const what of since.keys()) if (!now.some((one) => one.what === what)) since.delete(what);
    for (const { what } of now) since.set(what, since.get(what) ?? sim.now());
    return now.flatMap(({ what, max }) => {
      const ms = sim.now() - (since.get(what) ?? sim.now());
      return ms > max ? [`${what} for ${(ms / hourMs).toFixed(1)} h`] : [];
    });
  };
};

const isStuck = (run: OpenRun): boolean => run.phase === 'ending' && run.stuck;

/** Its agent is at work, and what it pushed, if anything, is red: what is on its way to green is not given up for money. */
const isSpending = (sim: Simulation, run: OpenRun): boolean =>
  run.phase !== 'claimed' &&
  run.phase !== 'restarting' &&
  run.phase !== 'ending' &&
  pushOf(run)?.redAt !== null &&
  run.pull === null &&
  sim.world.t3
    .liveAgents()
    .some(({ threadId, busy, orphan }) => busy && !orphan && threadId.endsWith(run.id) && !isPersonIn(sim, threadId));

/** Tokens that T3 shows of the run's threads by now. */
const toldOf = ({ world }: Simulation, { id }: OpenRun): number =>
  world.t3
    .threads()
    .filter((thread) => thread.id.endsWith(id))
    .reduce(
      (sum, { activities }) =>
        sum +
        Math.max(
          0,
          ...activities.flatMap(({ kind, payload }) =>
            kind === 'context-window.updated' ? [Number(payload['totalProcessedTokens'] ?? payload['usedTokens'])] : [],
          ),
        ),
      0,
    );

const runsIn = ({ table }: Simulation, prefix: string): readonly OpenRun[] =>
  [...table.rows].flatMap(([key, text]) => (key.startsWith(prefix) ? [JSON.parse(text).data.run as OpenRun] : []));
