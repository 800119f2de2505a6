import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { portsOf } from '../../functions/wiring.ts';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { githubClient } from '../../lib/adapters/github-client.ts';
import { githubTracker } from '../../lib/adapters/github-tracker.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import { ssmClient, ssmGate } from '../../lib/adapters/ssm-gate.ts';
import type { RepoRef } from '../../lib/core/issue.ts';
import { isActive } from '../../lib/core/run.ts';
import { type Settings, settingsFor } from '../../lib/core/settings.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import { localParameterStore } from '../../lib/local/parameter-store.ts';
import type { Gate, Ports } from '../../lib/ports.ts';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import type { Exchange } from '../../lib/sandbox/github-handler.ts';
import { githubServer } from '../../lib/sandbox/github-server.ts';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { t3Server } from '../../lib/sandbox/t3-server.ts';
import { agentLogin, sandboxWorld } from '../../lib/sandbox/world.ts';
import { lookAt } from '../../lib/shell/look.ts';
import { poll } from '../../lib/shell/poll.ts';
import { emptyReport, inParallel, type Report } from '../../lib/shell/tick.ts';
import { watch } from '../../lib/shell/watch.ts';
import { outgoing } from '../functions/outgoing.ts';

export const services = ['SSM', 'DynamoDB', 'GitHub REST', 'GitHub GraphQL', 'T3'] as const;
export type Service = (typeof services)[number];

/** What ticks asked of the network; `points` of GitHub's GraphQL budget, bytes in both directions, headers included. */
export type Cost = {
  calls: Readonly<Record<Service, number>>;
  total: number;
  points: number;
  /** GitHub's share of `bytes`. */
  githubBytes: number;
  bytes: number;
};

const minuteMs = 60_000;
const epoch = Date.UTC(2026, 0, 5, 9, 0);
const login = 'afk-bot';
const plenty = { restPerHour: 1e6, graphqlPerHour: 1e6, restPointsPerMinute: 1e6, graphqlPointsPerMinute: 1e6 };

/**
 * An AFK as deployed, but for where its services are: the real gate, store and adapters over HTTP to stand-ins on
 * loopback. Its repos are known and looked over a moment ago and its sweep is done, so that nothing but the tick
 * itself is counted. `ready` repos (from the first) have one issue waiting, each with this agent.
 */
export const stage = async (options: { repos: number; ready?: number; agent?: AgentName; armed?: boolean }) => {
  const { repos, ready = 0, agent = 'hangs', armed = true } = options;
  // Before the first connection is made: one that was made earlier is not counted.
  const count = outgoing();
  let now = epoch + 2 * minuteMs;
  const names = Array.from({ length: repos }, (_, index) => `acme/repo-${String(index).padStart(4, '0')}`);
  const cast = new Map(names.map((name) => [`${name}#1`, agent]));
  const world = sandboxWorld({ at: epoch, token: 't3', cast });
  world.github.addUser(login, { token: 'gh' });
  world.github.addUser(agentLogin);
  world.github.addUser('maintainer');
  const permissions = { [login]: 'write', maintainer: 'maintain', [agentLogin]: 'write' } as const;
  names.forEach((name, index) => {
    world.addRepo(name, { permissions }, epoch);
    for (const label of ['ready-for-agent', 'agent-in-progress', 'ready-for-human', 'afk-hold'])
      world.github.addLabel(name, { name: label });
    world.github.openIssue(name, { author: 'maintainer', title: 'Mend it', body: 'Please mend it.' }, epoch);
    if (index < ready) world.github.label(name, 1, 'ready-for-agent', 'maintainer', epoch + 1000);
  });
  const settled = (): number => {
    world.settle(now);
    return now;
  };
  const writes = { writesPerMinute: 1e6, writesPerHour: 1e6 };
  const github = await githubServer(world.github, { now: settled, limits: { ...plenty, ...writes } });
  const t3 = await t3Server(world.t3, { now: settled });
  const dynamo = await embeddedDynamo();
  const folder = mkdtempSync(join(tmpdir(), 'afk-bench-'));
  const settings = {
    t3Url: t3.url,
    maxOpenRuns: 100,
    maxRunsPerDay: 1000,
    defaults: { model: 'a-model', workspaceRoot: '/srv/checkouts/{owner}__{name}', agentLogins: [agentLogin] },
  };
  writeFileSync(join(folder, 'kill-switch'), armed ? 'false' : 'true');
  writeFileSync(join(folder, 'settings'), JSON.stringify(settings));
  // Seven parameters of 4 KB hold the list.
  const perPart = 180;
  for (let part = 0; part * perPart < repos; part += 1)
    writeFileSync(
      join(folder, part === 0 ? 'allowlist' : `allowlist-${part + 1}`),
      names.slice(part * perPart, (part + 1) * perPart).join('\n'),
    );
  const parameters = await localParameterStore({ folder, now: () => now });
  const ssm = ssmClient({ endpoint: parameters.endpoint, ...localAws });
  const table = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
  const real = ssmGate({ client: ssm });
  // More open runs than any setting allows, so that it is seen how the cost grows.
  const gate: Gate = {
    read: async () => {
      const control = await real.read();
      if (control.state === 'off') return control;
      return { ...control, settings: { ...control.settings, maxOpenRuns: Number.POSITIVE_INFINITY } };
    },
  };
  const storeOf = (writer: string) => dynamoStore({ client: table, table: dynamo.table, writer });

  const seed = storeOf('seed');
  await inParallel([...world.github.state.repos.values()], 10, async ({ id, nodeId, name }) => {
    const preflight = { at: now, failures: [], landing: 'push' as const };
    const item = {
      kind: 'repo',
      host: 'github.com',
      name,
      id: String(id),
      nodeId,
      defaultBranch: 'main',
      preflight,
    } as const;
    await seed.insert(item);
    // Projects are there: what a dispatch costs is that of an everyday one.
    const projectId = `project-${id}`;
    world.t3.dispatch(
      {
        type: 'project.create',
        commandId: projectId,
        projectId,
        title: name,
        workspaceRoot: `/srv/checkouts/${name.replace('/', '__')}`,
        createWorkspaceRootIfMissing: false,
        defaultModelSelection: { instanceId: 'claudeAgent', model: 'a-model' },
        createdAt: new Date(now).toISOString(),
      },
      now,
    );
  });
  await seed.insert({ kind: 'sweep', at: now });

  const portOf = (url: string): string => new URL(url).port;
  const portsOfServices = [parameters.endpoint, dynamo.endpoint, github.url, t3.url].map(portOf);
  const serviceOf = ({ port, path }: { port: string; path: string }): Service => {
    if (port === portOf(parameters.endpoint)) return 'SSM';
    if (port === portOf(dynamo.endpoint)) return 'DynamoDB';
    if (port === portOf(t3.url)) return 'T3';
    if (port !== portOf(github.url)) throw new Error(`somebody was asked who is no service: port ${port}`);
    return path.startsWith('/graphql') ? 'GitHub GraphQL' : 'GitHub REST';
  };

  const watched = watchMemory(() => now);
  let invocations = 0;
  let runs = 0;
  const connect = async (control: Settings, by: string, memory = watched): Promise<Ports> => {
    const credentials = { github: { token: 'gh' }, githubUrl: github.url, t3Token: 't3' };
    return portsOf({ store: storeOf(by), credentials, now: () => now, writeSpacingMs: 0, watched: memory }, control);
  };
  const tick = async (kind: 'poll' | 'watch'): Promise<Report> => {
    invocations += 1;
    const by = `invocation-${invocations}`;
    const context = {
      gate,
      connect: (control: Settings) => connect(control, by),
      now: () => now,
      by,
      newRunId: () => String(++runs).padStart(32, '0'),
      timeLeftMs: () => 50_000,
    };
    return kind === 'poll' ? poll(context) : watch(context);
  };
  // Connections are those a warm container would have.
  await gate.read();
  /** Points that were spent so far, by what GitHub's answers say is left of the hour. */
  const points = (): number => plenty.graphqlPerHour - Math.min(plenty.graphqlPerHour, leastLeft(github.requests));
  const bytesOn = (port: string): number => {
    const { received, sent } = count.bytes(port);
    return received + sent;
  };
  const bytesNow = (): { github: number; all: number } => ({
    github: bytesOn(portOf(github.url)),
    all: portsOfServices.map(bytesOn).reduce((sum, one) => sum + one, 0),
  });
  const measured = async <T>(work: () => Promise<T>): Promise<{ value: T; cost: Cost }> => {
    const before = { requests: count.requests.length, bytes: bytesNow(), points: points() };
    const value = await work();
    const calls = { SSM: 0, DynamoDB: 0, 'GitHub REST': 0, 'GitHub GraphQL': 0, T3: 0 };
    const made = count.requests.slice(before.requests);
    for (const service of made.map(serviceOf)) calls[service] += 1;
    const after = bytesNow();
    const githubBytes = after.github - before.bytes.github;
    const bytes = after.all - before.bytes.all;
    const cost = { calls, total: made.length, points: points() - before.points, githubBytes, bytes };
    return { value, cost };
  };
  /** One tick and what it cost. */
  const counted = async (kind: 'poll' | 'watch'): Promise<{ report: Report; cost: Cost }> => {
    const { value, cost } = await measured(() => tick(kind));
    return { report: value, cost };
  };
  /** What it costs to ask each repo by itself for its ready issues, as one would at first. */
  const plain = async (): Promise<Cost> => {
    const client = githubClient({ token: 'gh', baseUrl: github.url, now: () => now });
    const asked = { labels: 'ready-for-agent', state: 'open', per_page: 100 };
    const { cost } = await measured(() =>
      inParallel([...world.github.state.repos.keys()], 10, async (id) => {
        await client.ask('GET /repositories/{repo_id}/issues', { repo_id: String(id), ...asked }, [200]);
      }),
    );
    return cost;
  };
  /** What it costs to read each open run in full, as one would without a glance at them all. */
  const plainWatch = async (): Promise<Cost> => {
    const control = await gate.read();
    if (control.state === 'off') throw new Error('the stage is disarmed');
    const ports = await connect(
      control.settings,
      'plain',
      watchMemory(() => now),
    );
    const { items } = await ports.store.readNow();
    const look = await ports.executor.look();
    const open = items.flatMap(({ item }) => (item.kind === 'run' && isActive(item.run) ? [item.run] : []));
    const horizon = { look, lostMs: 0, executorDownMs: 0, executorSuspect: false };
    const { cost } = await measured(() =>
      inParallel(open, 10, async (run) => {
        const seen = settingsFor(control.settings, run.repo.name);
        await lookAt({ ports, report: emptyReport('watch') }, run, seen, horizon, now);
      }),
    );
    return cost;
  };
  /** One poll in a process of its own. */
  const alone = async (): Promise<z.infer<typeof Alone>> => {
    const places = {
      ssm: parameters.endpoint,
      dynamo: dynamo.endpoint,
      table: dynamo.table,
      github: github.url,
      t3: t3.url,
    };
    const script = join(import.meta.dirname, 'one-tick.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify({ ...places, now })]);
    return Alone.parse(JSON.parse(stdout));
  };
  return {
    world,
    gate,
    counted,
    plain,
    plainWatch,
    alone,
    connect,
    now: () => now,
    pass: (ms: number = minuteMs): void => {
      now += ms;
    },
    close: async (): Promise<void> => {
      count.stop();
      ssm.destroy();
      table.destroy();
      await Promise.all([github.close(), t3.close(), dynamo.close(), parameters.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const leastLeft = (exchanges: readonly Exchange[]): number => {
  // Answers that were under way together come in any order: the least counts.
  const left = exchanges.flatMap(({ response }) =>
    response?.headers['x-ratelimit-resource'] === 'graphql' ? [Number(response.headers['x-ratelimit-remaining'])] : [],
  );
  return Math.min(...left);
};

/** How long one poll took, and the most memory its process held. */
const Alone = z.object({
  wallMs: z.number(),
  rssMib: z.number(),
  state: z.literal('on'),
  failed: z.array(z.unknown()),
});

/** Nothing but GitHub, with so many repos, and the scan over all of them. */
export const scanStage = async (repos: number) => {
  const world = githubWorld({ at: epoch });
  world.addUser(login, { token: 'gh' });
  for (let index = 0; index < repos; index += 1)
    world.addRepo(`acme/repo-${index}`, { permissions: { [login]: 'write' } });
  const server = await githubServer(world, { now: () => epoch });
  const client = githubClient({ token: 'gh', baseUrl: server.url, now: () => epoch });
  const tracker = githubTracker({ client, watched: watchMemory(() => epoch) });
  const refs = [...world.state.repos.values()].map(
    ({ id, nodeId, name }): RepoRef => ({ host: 'github.com', id: String(id), nodeId, name }),
  );
  return {
    scan: async () => {
      const found = await tracker.scan(refs, 'ready-for-agent');
      const [budget] = tracker.meter.budgets();
      const points = budget === undefined ? 0 : budget.limit - leastLeft(server.requests);
      return { requests: server.requests.length, points, found: found.length };
    },
    close: () => server.close(),
  };
};

export type Stage = Awaited<ReturnType<typeof stage>>;
