import type { SSMClient } from '@aws-sdk/client-ssm';
import { dynamoClient, dynamoStore } from '../lib/adapters/dynamo-store.ts';
import { dynamoTexts } from '../lib/adapters/dynamo-texts.ts';
import { appMemory } from '../lib/adapters/github-app.ts';
import { watchMemory } from '../lib/adapters/github-watched.ts';
import type { TextCache } from '../lib/adapters/sealed-tokens.ts';
import { rehearsalGate } from '../lib/adapters/ssm-gate.ts';
import type { Gate } from '../lib/ports.ts';
import { dryRunPorts } from '../lib/shell/dry-run.ts';
import { type Explanation, explain } from '../lib/shell/explain.ts';
import { poll } from '../lib/shell/poll.ts';
import type { Report, TickContext } from '../lib/shell/tick.ts';
import { watch } from '../lib/shell/watch.ts';
import { type Environment, secretsOf } from './environment.ts';
import { containerSecrets, factsOf, freshStandings, handlerPorts, type Standings } from './handler-ports.ts';
import type { FunctionName } from './metric-names.ts';
import type { TickFacts } from './tick-metrics.ts';

/** What stays the same for a container's life. */
export type Container = { name: FunctionName; environment: Environment; parameters: SSMClient };

/** One invocation that was let through. `signal` is aborted when its time is up: nothing is begun after that. */
export type Invocation = Pick<TickContext, 'by' | 'now' | 'newRunId' | 'timeLeftMs'> & {
  signal: AbortSignal;
  only: string | null;
};

/** A report, and how the worlds behaved while it came to be. */
export type Ticked = { report: Report; facts: TickFacts };

export type Armed = {
  /** `gate` is the one that let this tick through; it is asked again before each irreversible act. */
  tick: (invocation: Invocation, gate: Gate) => Promise<Ticked>;
  /** The same tick with ports that write nothing; `would` says what it would have written. */
  dryTick: (invocation: Invocation) => Promise<Ticked & { would: readonly string[] }>;
  /** Every gate for one issue. `disarmed` is why the real gate is shut, or null. */
  explain: (
    invocation: Invocation,
    issue: { repo: string; number: number },
    disarmed: string | null,
  ) => Promise<Explanation>;
};

/**
 * Everything a tick needs beyond the gate: the store, the secrets, the adapters, both ticks. Loaded by one dynamic
 * import once the gate said go, so that a disarmed tick neither loads nor reaches any of it. Made once in a container.
 */
export const arm = ({ name, environment, parameters }: Container): Armed => {
  const table = dynamoClient();
  const secrets = containerSecrets(parameters, secretsOf[name]);
  const memory = appMemory();
  const watched = watchMemory(Date.now);
  const texts = dynamoTexts({ client: table, table: environment.TABLE_NAME });
  const run = name === 'poller' ? poll : watch;

  const contextOf = (
    invocation: Invocation,
    standings: Standings,
    sharedTokens: TextCache = texts,
  ): Omit<TickContext, 'gate'> => {
    const { signal, only, by, now, newRunId, timeLeftMs } = invocation;
    const store = dynamoStore({ client: table, table: environment.TABLE_NAME, writer: by });
    return {
      connect: (settings) =>
        handlerPorts(
          { name, environment, secrets, appMemory: memory, watched, sharedTokens, store, now, standings, signal },
          settings,
        ),
      now,
      by,
      newRunId,
      timeLeftMs,
      ...(only !== null && { only }),
    };
  };
  /** Behind a gate that is a rehearsal nothing that can write is ever connected. */
  const dryContextOf = (invocation: Invocation, standings: Standings, would: string[]): TickContext => {
    // A token that is minted in a rehearsal is left to this container.
    const context = contextOf(invocation, standings, { get: texts.get, set: async () => undefined });
    return {
      ...context,
      gate: rehearsalGate({ client: parameters }),
      connect: async (settings) => dryRunPorts(await context.connect(settings), would),
      isDryRun: true,
    };
  };

  return {
    tick: async (invocation, gate) => {
      const standings = freshStandings();
      const report = await run({ ...contextOf(invocation, standings), gate });
      return { report, facts: factsOf(standings) };
    },
    dryTick: async (invocation) => {
      const standings = freshStandings();
      const would: string[] = [];
      const report = await run(dryContextOf(invocation, standings, would));
      return { report, facts: factsOf(standings), would };
    },
    explain: (invocation, issue, disarmed) => explain(dryContextOf(invocation, freshStandings(), []), issue, disarmed),
  };
};
