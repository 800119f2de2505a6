import { uuidFrom } from './t3-thread.ts';

/** What a bearer may do, and until when (epoch ms); without an end it is always good for 30 days more. */
export type T3Grant = { readonly scopes: readonly string[]; readonly expiresAt?: number };

export const t3Scopes = [
  'orchestration:read',
  'orchestration:operate',
  'terminal:operate',
  'review:write',
  'relay:read',
  'access:read',
  'access:write',
  'relay:write',
] as const;
export type T3Scope = (typeof t3Scopes)[number];

const tokenLifeMs = 30 * 24 * 3_600_000;
const pairingLifeMs = 5 * 60_000;

/** T3's tokens. `header` is the Authorization header as it came, if any. */
export type T3Auth = {
  /** Why a request is turned away, or null if it may pass. */
  readonly refusal: (header: string | undefined, scope: T3Scope, now: number) => T3Refusal | null;
  readonly grantOf: (header: string | undefined, now: number) => Required<T3Grant> | null;
  /** Mints a credential for narrower scopes, good once and for five minutes. */
  readonly pair: (scopes: readonly string[], now: number) => { id: string; credential: string; expiresAt: number };
  /** Swaps such a credential for a bearer; null if it is unknown, used or too old. */
  readonly exchange: (credential: string, scopes: readonly string[], now: number) => T3Token | null;
};
export type T3Refusal = 'missing_credential' | 'invalid_credential' | 'insufficient_scope';
export type T3Token = { readonly token: string; readonly scopes: readonly string[]; readonly expiresInSeconds: number };

/** The tokens of one server: one that may do everything, and those given along or minted later. */
export const t3Auth = ({
  token = 't3-token',
  grants = {},
}: {
  readonly token?: string;
  readonly grants?: Readonly<Record<string, T3Grant>>;
}): T3Auth => {
  const known = new Map<string, T3Grant>([[token, { scopes: t3Scopes }], ...Object.entries(grants)]);
  const pairings = new Map<string, { scopes: readonly string[]; expiresAt: number }>();
  let minted = 0;

  const grantOf = (header: string | undefined, now: number): Required<T3Grant> | null => {
    const grant = known.get(bearerIn(header) ?? '');
    const expiresAt = grant?.expiresAt ?? now + tokenLifeMs;
    return grant && expiresAt > now ? { scopes: grant.scopes, expiresAt } : null;
  };

  return {
    grantOf,
    refusal: (header, scope, now) => {
      if (bearerIn(header) === null) return 'missing_credential';
      const grant = grantOf(header, now);
      if (!grant) return 'invalid_credential';
      return grant.scopes.includes(scope) ? null : 'insufficient_scope';
    },
    pair: (scopes, now) => {
      const id = uuidFrom(`pairing ${minted++}`);
      const credential = uuidFrom(`credential ${id}`);
      pairings.set(credential, { scopes, expiresAt: now + pairingLifeMs });
      return { id, credential, expiresAt: now + pairingLifeMs };
    },
    exchange: (credential, wanted, now) => {
      const pairing = pairings.get(credential);
      pairings.delete(credential);
      if (!pairing || pairing.expiresAt <= now) return null;
      const scopes = pairing.scopes.filter((scope) => wanted.includes(scope));
      const fresh = uuidFrom(`token ${credential}`);
      known.set(fresh, { scopes, expiresAt: now + tokenLifeMs });
      return { token: fresh, scopes, expiresInSeconds: Math.floor((tokenLifeMs - 1) / 1000) };
    },
  };
};

// The prefix is matched to the letter: `bearer x` counts as no credential at all.
const bearerIn = (header: string | undefined): string | null =>
  header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : null;
