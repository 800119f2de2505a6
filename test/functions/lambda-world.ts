import { onTestFinished } from 'vitest';
import * as z from 'zod';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { type T3Fault, t3Server } from '../../lib/sandbox/t3-server.ts';
import { agentLogin, sandboxWorld } from '../../lib/sandbox/world.ts';
import { validatedGithub } from '../support/github-stand-in.ts';
import { type Invoke, lambdaHost, type Outcome } from '../support/lambda-host.ts';
import { loopback } from '../support/loopback.ts';
import { parameterStore } from '../support/parameters.ts';
import { publishedIn, snsAnswer } from '../support/sns.ts';

const minuteMs = 60_000;

export type Kind = 'poller' | 'watcher';

/** What an invocation returns, as far as tests look at it. */
export const Told = z.looseObject({
  reason: z.string().nullable().optional(),
  armed: z.boolean().optional(),
  ruled: z.array(z.string()).default([]),
  dispatched: z.array(z.string()).default([]),
  decided: z.array(z.string()).default([]),
  ended: z.array(z.string()).default([]),
  failed: z.array(z.string()).default([]),
  gates: z.array(z.string()).default([]),
  wouldHave: z.array(z.string()).default([]),
  says: z.string().optional(),
  dryRun: z.string().optional(),
  calls: z.object({ total: z.number(), byHost: z.record(z.string(), z.number()) }),
  ms: z.number(),
});
export type Told = z.infer<typeof Told>;

const secrets = {
  '/afk/secret/github-token': 'gh',
  '/afk/secret/t3-token': 't3',
};

/**
 * The bundles in `dist` as Lambda would run them, in a world of one repo, `acme/web`, with one issue for each agent;
 * as shipped: disarmed, nothing enrolled. Everything on loopback; time passes by the minute, for the functions as well.
 * `elsewhere` takes the place of what they would be told of AWS.
 */
export const lambdaWorld = async (
  dist: string,
  agents: readonly AgentName[] = ['lands at once'],
  elsewhere: (kind: Kind) => Readonly<Record<string, string>> = () => ({}),
) => {
  const epoch = Date.now();
  let now = epoch;
  const cast = new Map(agents.map((agent, index) => [`acme/web#${index + 1}`, agent] as const));
  const world = sandboxWorld({ at: epoch, token: 't3', cast });
  const { github } = world;
  github.addUser('afk-bot', { token: 'gh' });
  github.addUser(agentLogin);
  github.addUser('maintainer');
  const permissions = { 'afk-bot': 'write', maintainer: 'maintain', [agentLogin]: 'write' } as const;
  world.addRepo('acme/web', { permissions }, epoch);
  agents.forEach((_, index) => {
    github.openIssue('acme/web', { author: 'maintainer', title: `Issue ${index + 1}`, body: 'Mend it.' }, epoch);
    github.label('acme/web', index + 1, 'ready-for-agent', 'maintainer', epoch + 1000);
  });
  now += 5 * minuteMs;
  const settled = (): number => {
    world.settle(now);
    return now;
  };
  let t3Fault: T3Fault | null = null;
  const onGithub = await validatedGithub(github, { now: settled });
  const onT3 = await t3Server(world.t3, { now: settled, fault: () => t3Fault });
  const dynamo = await embeddedDynamo();
  let isTableThere = true;
  const closeTable = async (): Promise<void> => {
    if (isTableThere) await dynamo.close();
    isTableThere = false;
  };
  const settings = {
    t3Url: onT3.url,
    defaults: { model: 'a-model', workspaceRoot: '/srv/checkouts/{owner}__{name}', agentLogins: [agentLogin] },
  };
  const ssm = await parameterStore({
    '/afk/control/kill-switch': 'true',
    '/afk/control/allowlist': 'none',
    '/afk/control/settings': JSON.stringify(settings),
    ...secrets,
  });
  ssm.at(now);
  const topicArn = 'arn:aws:sns:eu-west-1:111122223333:Afk-Topic';
  const onSns = await loopback(snsAnswer(topicArn));
  const env = {
    TABLE_NAME: dynamo.table,
    GITHUB_URL: onGithub.url,
    AWS_ENDPOINT_URL_SSM: ssm.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    DOORBELL_TOPIC_ARN: topicArn,
    AWS_ENDPOINT_URL_SNS: onSns.url,
  };
  const hosts = new Map<Kind, Awaited<ReturnType<typeof lambdaHost>>>();
  const client = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
  onTestFinished(async () => {
    client.destroy();
    await Promise.all([...hosts.values()].map((host) => host.close()));
    await Promise.all([onGithub.close(), onT3.close(), closeTable()]);
  });
  const host = async (kind: Kind) => {
    const known = hosts.get(kind) ?? (await lambdaHost(`${dist}/${kind}`, { ...env, ...elsewhere(kind) }));
    hosts.set(kind, known);
    return known;
  };
  const invoke = async (kind: Kind, event: unknown = {}, options: Invoke = {}): Promise<Outcome> =>
    (await host(kind)).invoke(event, { aheadMs: now - Date.now(), ...options });
  return {
    world,
    ssm,
    settings,
    secrets,
    host,
    hostOf: { ssm: new URL(ssm.url).host, t3: new URL(onT3.url).host, github: new URL(onGithub.url).host },
    invoke,
    /** An invocation that must come back, and what it says. */
    tick: async (kind: Kind, event: unknown = {}): Promise<Told> => {
      const outcome = await invoke(kind, event);
      if (!outcome.ok) throw new Error(`${kind}: ${outcome.errorType}: ${outcome.errorMessage}`);
      return Told.parse(outcome.result);
    },
    pass: (minutes = 1): void => {
      now += minutes * minuteMs;
      world.settle(now);
      ssm.at(now);
    },
    arm: (): void => {
      ssm.put('/afk/control/allowlist', 'acme/web');
      ssm.put('/afk/control/kill-switch', 'false');
    },
    disarm: (): void => ssm.put('/afk/control/kill-switch', 'true'),
    onT3: (fault: T3Fault | null): void => {
      t3Fault = fault;
    },
    closeTable,
    /** Subjects of what was published at the topic. */
    rung: () => onSns.received.map((request) => publishedIn(request)['Subject']),
    rows: async () => dynamoStore({ client, table: dynamo.table, writer: 'a-test' }).readNow(),
    issue: (number: number) => [...github.state.repos.values()][0]!.issues.get(number)!,
    /** How often an App was given a token. */
    tokens: (): number =>
      onGithub.requests.filter(
        ({ request, response }) => request.path.endsWith('/access_tokens') && response?.status === 201,
      ).length,
    /** Requests that a stand-in got and that ask for more than to read. */
    writes: (): string[] => [
      ...onGithub.requests
        .filter(
          ({ request }) =>
            request.method !== 'GET' && (request.path !== '/graphql' || (request.body ?? '').includes('mutation')),
        )
        .map(({ request }) => `${request.method} ${request.path}`),
      ...onT3.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`),
    ],
  };
};

/** Metrics in a log, newest last: every EMF line, raw as it has to be. */
export const metricsIn = (log: string): Record<string, unknown>[] => linesOf(log).filter((line) => '_aws' in line);

/** The log's JSON lines. */
export const linesOf = (log: string): Record<string, unknown>[] =>
  log.split('\n').flatMap((line) => {
    try {
      const parsed = z.record(z.string(), z.unknown()).safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
