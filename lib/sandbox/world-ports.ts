import type { Ports } from '../ports.ts';
import type { GithubWorld } from './github-world.ts';
import type { T3World } from './t3-world.ts';
import { worldExecutor } from './world-executor.ts';
import { worldForge } from './world-forge.ts';
import { worldTracker } from './world-tracker.ts';
import { worldViewer } from './world-viewer.ts';

/** GitHub and T3 in one time; `settle` lets everything due until then happen in both, in order. */
export type SettledWorld = { github: GithubWorld; t3: T3World; settle: (until: number) => void };

/**
 * The world's other face: the ports on its state itself, for simulations of many thousand ticks. Every call that
 * would be a request first lets the world come to `now()`, epoch ms, and then answers what the adapters would over HTTP
 * to the stand-ins: the same values, changes, refusals and words. Only budgets are not counted. `login` is whose token
 * it would be.
 */
export const worldPorts = (
  { github, t3, settle }: SettledWorld,
  { now, login }: { now: () => number; login: string },
): Pick<Ports, 'tracker' | 'forge' | 'executor'> => {
  const present = (): number => {
    const at = now();
    settle(at);
    return at;
  };
  const viewer = worldViewer(github, login, present);
  return { tracker: worldTracker(viewer), forge: worldForge(viewer), executor: worldExecutor(t3, present) };
};
