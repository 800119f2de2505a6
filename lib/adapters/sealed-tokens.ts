import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import * as z from 'zod';

/** Short texts by key, somewhere several containers look. Neither promises anything: a text may be gone, or not be kept. */
export type TextCache = {
  get: (key: string) => Promise<string | null>;
  set: (key: string, text: string) => Promise<void>;
};

/** A token, and until when it is good, epoch ms. */
export type Token = { token: string; expiresAt: number };

/** Tokens by key. `get` gives only what is good for five more minutes. */
export type TokenCache = {
  get: (key: string) => Promise<Token | null>;
  set: (key: string, token: Token) => Promise<void>;
};

/**
 * Tokens that several containers share, in a place others may read: each is encrypted under a key that follows from
 * `secret`, and bound to the key it is kept under. What does not decrypt, was moved, or is no token is no token; nor is
 * one with less than five minutes left.
 */
export const sealedTokens = (shared: TextCache, { secret, now }: { secret: string; now: () => number }): TokenCache => {
  const key = Buffer.from(hkdfSync('sha256', secret.trim(), '', 'afk installation token 1', 32));
  return {
    get: async (name) => {
      const sealed = await shared.get(name);
      const token = sealed === null ? null : opened(key, name, sealed);
      return token !== null && token.expiresAt - now() >= leastMs ? token : null;
    },
    set: (name, token) => shared.set(name, sealedBy(key, name, token)),
  };
};

/** A tick lasts less than a minute; the rest is for clocks that differ. */
const leastMs = 5 * 60_000;

const Kept = z.object({ token: z.string().regex(/^[\x21-\x7e]+$/), expiresAt: z.number() });

const sealedBy = (key: Buffer, name: string, token: Token): string => {
  const text = JSON.stringify(token);
  // A nonce must not come twice with one key and another text. It follows from the text, as nothing is drawn here.
  const nonce = createHmac('sha256', key).update(`${name}\0${text}`).digest().subarray(0, 12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
};

const opened = (key: Buffer, name: string, sealed: string): Token | null => {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length <= nonceBytes + tagBytes) return null;
  const [nonce, tag] = [bytes.subarray(0, nonceBytes), bytes.subarray(-tagBytes)];
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name)).setAuthTag(tag);
  try {
    const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
    return Kept.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // Another key's, damaged, or somebody else's: a token is minted in its place.
    return null;
  }
};

const nonceBytes = 12;
const tagBytes = 16;
