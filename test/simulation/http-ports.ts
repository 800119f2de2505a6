import type { Ports } from '../../lib/ports.ts';
import type { SandboxWorld } from '../../lib/sandbox/world.ts';
import type { SimulationOptions } from './simulation.ts';

/** What a tick reaches by HTTP. */
export type Reached = Pick<Ports, 'tracker' | 'forge' | 'executor'>;

/** A stand-in that was started. */
export type Listening = { url: string; close: () => Promise<void> };

/** How the world is reached: its two servers, and the adapters that ask them. `now` is the world's, to which it is settled. */
export type Way = {
  github: (world: SandboxWorld, now: () => number) => Promise<Listening>;
  t3: (world: SandboxWorld, now: () => number) => Promise<Listening>;
  connect: (urls: { github: string; t3: string }, now: () => number, world: SandboxWorld) => Reached;
};

/**
 * The ports of a simulation as in earnest: real adapters, real HTTP, stand-ins on loopback. Give it `portsOver`, and
 * `begin` before its first tick; `end` stops the servers.
 */
export const httpPorts = ({ github, t3, connect }: Way) => {
  let made: { world: SandboxWorld; now: () => number } | null = null;
  let reached: Reached | null = null;
  const servers: Listening[] = [];
  const there = (): Reached => {
    if (reached === null) throw new Error('the servers of this simulation were not begun');
    return reached;
  };
  const portsOver: NonNullable<SimulationOptions['portsOver']> = (world, { now }) => {
    made = { world, now };
    return {
      get tracker() {
        return there().tracker;
      },
      get forge() {
        return there().forge;
      },
      get executor() {
        return there().executor;
      },
    };
  };
  const begin = async (): Promise<void> => {
    if (made === null) throw new Error('no simulation was given these ports');
    const { world, now } = made;
    const settled = (): number => {
      world.settle(now());
      return now();
    };
    const [hub, executor] = await Promise.all([github(world, settled), t3(world, settled)]);
    servers.push(hub, executor);
    reached = connect({ github: hub.url, t3: executor.url }, now, world);
  };
  const end = async (): Promise<void> => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  };
  return { portsOver, begin, end };
};
