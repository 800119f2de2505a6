import { githubClient } from '../lib/adapters/github-client.ts';
import { githubForge } from '../lib/adapters/github-forge.ts';
import { githubTracker } from '../lib/adapters/github-tracker.ts';
import { ntfyDoorbell } from '../lib/adapters/ntfy.ts';
import { slackDoorbell } from '../lib/adapters/slack.ts';
import { t3Client } from '../lib/adapters/t3-client.ts';
import type { Settings } from '../lib/core/settings.ts';
import type { Doorbell, Ports, Store } from '../lib/ports.ts';

/** What is needed beyond the settings: credentials and addresses that are no setting. Never logged. */
export type Credentials = {
  githubToken: string;
  /** Only where it is not github.com. */
  githubUrl?: string;
  t3Token: string;
  slackWebhook?: string;
  ntfy?: { url: string; topic: string; token?: string };
};

export type Wiring = {
  store: Store;
  credentials: Credentials;
  now: () => number;
  /** A second on the live service, which asks for it; none against a stand-in. */
  writeSpacingMs: number;
  /** Ends what is under way at GitHub when a tick's time is up. */
  signal?: AbortSignal;
};

/** The composition root: every port with its real adapter. Called once the gate said go, and cheap. */
export const portsOf = ({ store, credentials, now, writeSpacingMs, signal }: Wiring, settings: Settings): Ports => {
  const { githubToken, githubUrl, t3Token } = credentials;
  const client = githubClient({
    token: githubToken,
    now,
    writeSpacingMs,
    ...(signal !== undefined && { signal }),
    ...(githubUrl !== undefined && { baseUrl: githubUrl }),
  });
  return {
    store,
    tracker: githubTracker({ client }),
    forge: githubForge({ client }),
    executor: t3Client({ url: settings.t3Url, token: t3Token }),
    doorbells: doorbellsOf(credentials),
  };
};

const doorbellsOf = ({ slackWebhook, ntfy }: Credentials): readonly Doorbell[] => [
  ...(slackWebhook === undefined ? [] : [slackDoorbell({ webhookUrl: slackWebhook })]),
  ...(ntfy === undefined ? [] : [ntfyDoorbell(ntfy)]),
];
