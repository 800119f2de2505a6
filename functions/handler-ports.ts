import type { SSMClient } from '@aws-sdk/client-ssm';
import type { AppMemory } from '../lib/adapters/github-app.ts';
import type { WatchMemory } from '../lib/adapters/github-watched.ts';
import type { TextCache } from '../lib/adapters/sealed-tokens.ts';
import { readSecrets } from '../lib/adapters/ssm-gate.ts';
import type { Settings } from '../lib/core/settings.ts';
import { PortError, type Ports, type Store } from '../lib/ports.ts';
import { executorThrough, forgeThrough, storeAfter, trackerThrough } from './each-call.ts';
import { type Environment, secretNames, secretsOf } from './environment.ts';
import { githubLogin } from './github-login.ts';
import type { FunctionName } from './metric-names.ts';
import type { TickFacts } from './tick-metrics.ts';
import { type Credentials, portsOf } from './wiring.ts';

/** The secrets of a container: read when first asked for, kept for its life, and read anew where one was refused. */
export type Secrets = {
  /** The values by name, absent ones left out; `epoch` grows with each read. */
  current: () => Promise<{ values: ReadonlyMap<string, string>; epoch: number }>;
  /** Reads again, unless somebody did so since `epoch`. */
  renew: (epoch: number) => Promise<void>;
};

/** `names` are those this function may read: one name without permission refuses the whole answer. */
export const containerSecrets = (client: SSMClient, names: readonly string[]): Secrets => {
  let epoch = 0;
  let read: Promise<ReadonlyMap<string, string>> | null = null;
  const readAgain = (): Promise<ReadonlyMap<string, string>> => {
    epoch += 1;
    const values = readSecrets(client, names);
    read = values;
    // A read that failed is not kept: the next tick asks again.
    values.catch(() => {
      if (read === values) read = null;
    });
    return values;
  };
  return {
    current: async () => ({ values: await (read ?? readAgain()), epoch }),
    renew: async (known) => {
      if (known === epoch) await readAgain();
    },
  };
};

/** How one world behaved in a tick: answers, and refusals to speak to us at all. */
export type Standing = Record<'answered' | PortError['kind'], number>;
export type World = 'tracker' | 'executor' | 'doorbells';
export type Standings = Record<World, Standing> & { missingSecrets: Set<string> };

export const freshStandings = (): Standings => {
  const none = (): Standing => ({ answered: 0, refused: 0, unavailable: 0, unauthorised: 0 });
  return { tracker: none(), executor: none(), doorbells: none(), missingSecrets: new Set() };
};

/** What the metrics say of it. */
export const factsOf = ({ tracker, executor, doorbells, missingSecrets }: Standings): TickFacts => ({
  trackerUnreachable: isUnreachable(tracker),
  executorUnreachable: isUnreachable(executor),
  doorbellsUnsent: doorbells.unavailable + doorbells.unauthorised + doorbells.refused,
  secretsMissing: missingSecrets.size,
});

/** A world that gave no answer somewhere, or whose every answer was that we may not ask. Null: it was asked nothing. */
const isUnreachable = ({ answered, refused, unavailable, unauthorised }: Standing): boolean | null => {
  if (answered + refused + unavailable + unauthorised === 0) return null;
  return unavailable > 0 || (unauthorised > 0 && answered + refused === 0);
};

export type HandlerPorts = {
  name: FunctionName;
  environment: Environment;
  secrets: Secrets;
  /** What outlives an invocation where GitHub is reached as an App. */
  appMemory: AppMemory;
  watched: WatchMemory;
  sharedTokens: TextCache;
  store: Store;
  now: () => number;
  standings: Standings;
  /** Aborted when the tick's time is up: nothing is begun after that. */
  signal: AbortSignal;
};

/**
 * The ports of one invocation, on the real adapters. A call that is refused for its credential is made once more where
 * the secrets, read again, are others. A call that needs a secret which is not there fails by that name, and what does
 * not need it goes on. Throws a `PortError` where the secrets cannot be read.
 */
export const handlerPorts = async (options: HandlerPorts, settings: Settings): Promise<Ports> => {
  const { name, environment, secrets, store, now, standings, signal, appMemory, watched, sharedTokens } = options;
  const connect = async (): Promise<Connected> => {
    const { values, epoch } = await secrets.current();
    const credentials = credentialsOf(environment, values);
    const writeSpacingMs = spacingOf(environment);
    const wiring = { store, credentials, now, writeSpacingMs, signal, appMemory, watched, sharedTokens };
    return { values, epoch, ports: portsOf(wiring, settings) };
  };
  let connected = await connect();

  /** Read again once in an invocation, however many calls were refused. True where there is something new to try. */
  let renewal: Promise<boolean> | null = null;
  const renew = async (): Promise<boolean> => {
    const before = connected;
    await secrets.renew(before.epoch);
    connected = await connect();
    return secretsOf[name].some((secret) => connected.values.get(secret) !== before.values.get(secret));
  };
  const isRenewed = async (used: Connected): Promise<boolean> => {
    renewal ??= renew().catch(() => false);
    return (await renewal) && connected !== used;
  };

  const through =
    <A extends unknown[], R>(
      world: World,
      need: Need | null,
      pick: (ports: Ports) => (...args: A) => Promise<R>,
    ): ((...args: A) => Promise<R>) =>
    async (...args) => {
      const standing = standings[world];
      const attempt = async (): Promise<R> => {
        goOn(signal);
        const trouble = need?.(connected.values) ?? null;
        if (trouble !== null) throw missing(trouble, standings);
        return pick(connected.ports)(...args);
      };
      const used = connected;
      try {
        const answer = await attempt().catch(async (error: unknown) => {
          if (!isUnauthorised(error) || !(await isRenewed(used))) throw error;
          return attempt();
        });
        standing.answered += 1;
        return answer;
      } catch (error) {
        if (error instanceof PortError) standing[error.kind] += 1;
        throw error;
      }
    };

  return {
    store: storeAfter(store, () => goOn(signal)),
    tracker: trackerThrough(
      {
        accountOf: (repo) => connected.ports.tracker.meter.accountOf(repo),
        budgets: () => connected.ports.tracker.meter.budgets(),
      },
      (pick) => through('tracker', forGithub, ({ tracker }) => pick(tracker)),
    ),
    forge: forgeThrough((pick) => through('tracker', forGithub, ({ forge }) => pick(forge))),
    executor: executorThrough((pick) => through('executor', forT3, ({ executor }) => pick(executor))),
    doorbells: connected.ports.doorbells.map((bell) => ({
      name: bell.name,
      ring: through(
        'doorbells',
        null,
        ({ doorbells }) => (doorbells.find(({ name: other }) => other === bell.name) ?? bell).ring,
      ),
    })),
  };
};

/** What a call needs of the secrets: null, or the name of the one that is missing or wrong, and what to do, in words. */
type Need = (values: ReadonlyMap<string, string>) => { secret: string; words: string } | null;

const forT3: Need = (values) =>
  values.has(secretNames.t3Token)
    ? null
    : {
        secret: secretNames.t3Token,
        words: `the secret ${secretNames.t3Token} is absent: put it as a SecureString (docs/deploy.md)`,
      };

const forGithub: Need = (values) => {
  const read = githubLogin(githubSecretsIn(values));
  return 'login' in read ? null : { secret: secretNames.githubToken, words: `${read.refusal} (docs/deploy.md)` };
};

const githubSecretsIn = (values: ReadonlyMap<string, string>) => ({
  token: values.get(secretNames.githubToken),
  app: values.get(secretNames.githubApp),
  names: { token: `the secret ${secretNames.githubToken}`, app: `the secret ${secretNames.githubApp}` },
});

type Connected = { values: ReadonlyMap<string, string>; epoch: number; ports: Ports };

/** The tick's time is up: what it had not begun is left to the next one. */
export class TickOver extends Error {
  override readonly name = 'TickOver';
}

const goOn = (signal: AbortSignal): void => {
  if (signal.aborted) throw new TickOver('the time of this tick is up');
};

const isUnauthorised = (error: unknown): boolean => error instanceof PortError && error.kind === 'unauthorised';

const missing = ({ secret, words }: { secret: string; words: string }, { missingSecrets }: Standings): PortError => {
  missingSecrets.add(secret);
  return new PortError('unauthorised', words);
};

// A token that is not there is never sent: `through` refuses before.
const credentialsOf = (
  { GITHUB_URL, NTFY_URL, NTFY_TOPIC, DOORBELL_TOPIC_ARN }: Environment,
  values: ReadonlyMap<string, string>,
): Credentials => {
  const slackWebhook = values.get(secretNames.slackWebhook);
  const ntfyToken = values.get(secretNames.ntfyToken);
  const github = githubLogin(githubSecretsIn(values));
  return {
    github: 'login' in github ? github.login : { token: '' },
    t3Token: values.get(secretNames.t3Token) ?? '',
    ...(GITHUB_URL !== undefined && { githubUrl: GITHUB_URL }),
    ...(slackWebhook !== undefined && { slackWebhook }),
    ...(DOORBELL_TOPIC_ARN !== undefined && { topicArn: DOORBELL_TOPIC_ARN }),
    ...(NTFY_URL !== undefined &&
      NTFY_TOPIC !== undefined && {
        ntfy: { url: NTFY_URL, topic: NTFY_TOPIC, ...(ntfyToken !== undefined && { token: ntfyToken }) },
      }),
  };
};

/** GitHub asks for a second between writes; a stand-in on this very machine does not. */
const spacingOf = ({ GITHUB_URL }: Environment): number =>
  GITHUB_URL !== undefined && new URL(GITHUB_URL).hostname === '127.0.0.1' ? 0 : 1000;
