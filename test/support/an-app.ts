import { generateKeyPairSync } from 'node:crypto';
import type { GithubWorld } from '../../lib/sandbox/github-world.ts';

const permissions = {
  issues: 'write',
  contents: 'read',
  checks: 'read',
  statuses: 'read',
  deployments: 'read',
  actions: 'read',
  pull_requests: 'read',
} as const;

const keys = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    // The form in which GitHub hands keys out.
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });

/** A pair of keys, made once for a whole test file: it takes a moment. */
export const appKeys = keys();
/** Another App's. */
export const otherKeys = keys();

/** The App `afk` in this world, with all that the page on deploying says to grant; installed on each of these accounts. */
export const anApp = (world: GithubWorld, ...accounts: readonly string[]): { appId: string; privateKey: string } => {
  const [owner = 'acme'] = accounts;
  const { id } = world.addApp('afk', { publicKey: appKeys.publicKey, owner, permissions });
  for (const account of accounts) world.installApp('afk', account);
  return { appId: String(id), privateKey: appKeys.privateKey };
};
