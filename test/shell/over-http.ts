import { onTestFinished } from 'vitest';
import { appMemory, type GithubAppOptions, githubApp } from '../../lib/adapters/github-app.ts';
import { type GithubOptions, githubClient } from '../../lib/adapters/github-client.ts';
import { githubForge } from '../../lib/adapters/github-forge.ts';
import { installationsForge, installationsTracker } from '../../lib/adapters/github-installations.ts';
import { accountAt } from '../../lib/adapters/github-ledger.ts';
import { githubTracker } from '../../lib/adapters/github-tracker.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import { t3Client } from '../../lib/adapters/t3-client.ts';
import type { Ports } from '../../lib/ports.ts';
import type { Fault, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import type { Limits } from '../../lib/sandbox/github-limits.ts';
import type { GithubServer } from '../../lib/sandbox/github-server.ts';
import type { T3Request } from '../../lib/sandbox/t3-handler.ts';
import { type T3Fault, t3Server } from '../../lib/sandbox/t3-server.ts';
import { httpPorts } from '../simulation/http-ports.ts';
import { type Issue, type Simulation, type SimulationOptions, simulation } from '../simulation/simulation.ts';
import { anApp } from '../support/an-app.ts';
import { validatedGithub } from '../support/github-stand-in.ts';

/** What the two products answer instead of their own answers; null where nothing is wrong. */
export type Faults = {
  t3: (request: T3Request) => T3Fault | null;
  github: (request: HttpRequest) => Fault | null;
};

/**
 * A simulation whose ticks reach the world as in earnest: real adapters, real HTTP, stand-ins on loopback. Client
 * time-outs are long enough for a busy machine; `t3TimeoutMs` is for a T3 that hangs. `faults` may be changed at any time. `asked` is what GitHub
 * was asked so far, `account` whose limits they are where a token asks. `asApp`: by the App `afk`, installed on the owner of each repo, in place of a token.
 */
export const simulationOverHttp = async (
  issues: readonly Issue[],
  settings: Record<string, unknown> = {},
  options: Omit<SimulationOptions, 'portsOver'> & {
    asApp?: boolean;
    limits?: Partial<Limits>;
    t3TimeoutMs?: number;
  } = {},
): Promise<{ sim: Simulation; faults: Faults; asked: () => readonly HttpRequest[]; account: string }> => {
  const faults: Faults = { t3: () => null, github: () => null };
  const listening: { github?: GithubServer } = {};
  const owners = [...new Set(issues.map(({ repo }) => repo.split('/')[0] ?? ''))];
  const { portsOver, begin, end } = httpPorts({
    github: async (world, now) => {
      listening.github = await validatedGithub(world.github, {
        now,
        ...(options.limits && { limits: options.limits }),
        fault: (request) => faults.github(request) ?? undefined,
      });
      return listening.github;
    },
    t3: (world, now) => t3Server(world.t3, { now, fault: (request) => faults.t3(request) }),
    connect: (urls, now, world) => {
      const reach = { baseUrl: urls.github, now, timeoutMs: busyMachineMs, writeSpacingMs: 0 };
      return {
        ...(options.asApp === true
          ? asApp({ ...reach, app: anApp(world.github, ...owners), memory: appMemory() })
          : byToken({ ...reach, token: 'gh' })),
        executor: t3Client({ url: urls.t3, token: 't3', timeoutMs: options.t3TimeoutMs ?? busyMachineMs }),
      };
    },
  });
  const sim = simulation(issues, settings, { ...options, portsOver });
  await begin();
  onTestFinished(end);
  const github = listening.github!;
  return {
    sim,
    faults,
    asked: () => github.requests.map(({ request }) => request),
    account: accountAt(github.url, 'token'),
  };
};

const busyMachineMs = 10_000;

const byToken = (options: GithubOptions): Pick<Ports, 'tracker' | 'forge'> => {
  const client = githubClient(options);
  const watched = watchMemory(options.now);
  return { tracker: githubTracker({ client, watched }), forge: githubForge({ client, watched }) };
};

const asApp = (options: GithubAppOptions): Pick<Ports, 'tracker' | 'forge'> => {
  const app = githubApp(options);
  const watched = watchMemory(options.now);
  return { tracker: installationsTracker(app, watched), forge: installationsForge(app, watched) };
};
