import { type AppMemory, appMemory, githubApp } from '../lib/adapters/github-app.ts';
import type { GithubAppKey } from '../lib/adapters/github-app-jwt.ts';
import { githubClient } from '../lib/adapters/github-client.ts';
import { githubForge } from '../lib/adapters/github-forge.ts';
import { installationsForge, installationsTracker } from '../lib/adapters/github-installations.ts';
import { githubTracker } from '../lib/adapters/github-tracker.ts';
import { type WatchMemory, watchMemory } from '../lib/adapters/github-watched.ts';
import { ntfyDoorbell } from '../lib/adapters/ntfy.ts';
import type { TextCache } from '../lib/adapters/sealed-tokens.ts';
import { slackDoorbell } from '../lib/adapters/slack.ts';
import { snsDoorbell } from '../lib/adapters/sns.ts';
import { t3Client } from '../lib/adapters/t3-client.ts';
import type { Settings } from '../lib/core/settings.ts';
import type { Doorbell, Ports, Store } from '../lib/ports.ts';

/** What is needed beyond the settings: credentials and addresses that are no setting. Never logged. */
export type Credentials = {
  github: GithubLogin;
  /** Only where it is not github.com. */
  githubUrl?: string;
  t3Token: string;
  slackWebhook?: string;
  ntfy?: { url: string; topic: string; token?: string };
  /** A topic of SNS, published to with the credentials of the environment. */
  topicArn?: string;
};

/** How AFK proves who it is at GitHub: one token, or an App that mints its own. */
export type GithubLogin = { token: string } | { app: GithubAppKey };

export type Wiring = {
  store: Store;
  credentials: Credentials;
  now: () => number;
  /** A second on the live service, which asks for it; none against a stand-in. */
  writeSpacingMs: number;
  /** What outlives an invocation where GitHub is reached as an App: in this container, and among all of them. */
  appMemory?: AppMemory;
  /** What was read of watched issues, kept from one tick to the next; without it each reads all of them in full. */
  watched?: WatchMemory;
  sharedTokens?: TextCache;
  /** Ends what is under way at GitHub when a tick's time is up. */
  signal?: AbortSignal;
};

/** The composition root: every port with its real adapter. Called once the gate said go, and cheap. */
export const portsOf = (wiring: Wiring, settings: Settings): Ports => {
  const { store, credentials } = wiring;
  return {
    store,
    ...onGithub(wiring),
    executor: t3Client({ url: settings.t3Url, token: credentials.t3Token }),
    doorbells: doorbellsOf(credentials),
  };
};

const onGithub = (wiring: Wiring): Pick<Ports, 'tracker' | 'forge'> => {
  const { now, writeSpacingMs, signal, credentials, sharedTokens } = wiring;
  const { github, githubUrl } = credentials;
  const watched = wiring.watched ?? watchMemory(now);
  const options = {
    now,
    writeSpacingMs,
    ...(signal !== undefined && { signal }),
    ...(githubUrl !== undefined && { baseUrl: githubUrl }),
  };
  if ('token' in github) {
    const client = githubClient({ ...options, token: github.token });
    return { tracker: githubTracker({ client, watched }), forge: githubForge({ client, watched }) };
  }
  const memory = wiring.appMemory ?? appMemory();
  const app = githubApp({ ...options, app: github.app, memory, shared: sharedTokens ?? null });
  return { tracker: installationsTracker(app, watched), forge: installationsForge(app, watched) };
};

const doorbellsOf = ({ slackWebhook, ntfy, topicArn }: Credentials): readonly Doorbell[] => [
  ...(slackWebhook === undefined ? [] : [slackDoorbell({ webhookUrl: slackWebhook })]),
  ...(ntfy === undefined ? [] : [ntfyDoorbell(ntfy)]),
  ...(topicArn === undefined ? [] : [snsDoorbell({ topicArn })]),
];
