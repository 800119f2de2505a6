import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';
import { PortError } from '../ports.ts';

/**
 * What an App proves itself with: a statement signed with its key (RS256), begun a minute ago, since clocks differ, and
 * good for eight more; GitHub allows ten in all. `now` in epoch ms. A key that is none is `unauthorised`, by no word of it.
 */
export const appJwt = ({ appId, privateKey }: GithubAppKey, now: number): string => {
  const seconds = Math.floor(now / 1000);
  const claims = { iat: seconds - 60, exp: seconds + 8 * 60, iss: appId };
  const statement = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${statement}.${createSign('RSA-SHA256').update(statement).sign(keyOf(privateKey), 'base64url')}`;
};

/** A GitHub App: its id, or its client id, and a private key of it in PEM, of either kind that GitHub and openssl write. */
export type GithubAppKey = { appId: string; privateKey: string };

const keyOf = (pem: string): KeyObject => {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // The words of the failure may quote the key.
  }
  throw new PortError('unauthorised', 'the private key of the GitHub App is no RSA key in PEM (docs/deploy.md)');
};
