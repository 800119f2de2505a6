import * as z from 'zod';
import type { GithubLogin } from './wiring.ts';

/** What a credential for GitHub is read from: texts, absent where nobody gave one. `names` are what people know them by. */
export type GithubSecrets = {
  token: string | undefined;
  app: string | undefined;
  names: { token: string; app: string };
};

/**
 * The one way into GitHub that was given: a token, or an App. None, both, or an App that cannot be read is a refusal in
 * words, which names what to mend and quotes nothing.
 */
export const githubLogin = ({ token, app, names }: GithubSecrets): { login: GithubLogin } | { refusal: string } => {
  if (token !== undefined && app !== undefined)
    return { refusal: `${names.token} and ${names.app} are both there: keep one, and take the other away` };
  if (token !== undefined) return { login: { token } };
  if (app === undefined) return { refusal: `${names.token} is absent, and so is ${names.app}: one of them is needed` };
  const read = AppSecret.safeParse(jsonIn(app));
  return read.success
    ? { login: { app: read.data } }
    : { refusal: `${names.app} is not {"appId": ..., "privateKey": "-----BEGIN ..."} (docs/deploy.md)` };
};

/** An id in figures or a client id, and a key with its line breaks, or with `\\n` in their place. */
const AppSecret = z.object({
  appId: z.union([z.int().positive().transform(String), z.string().regex(/^[\w.]+$/)]),
  privateKey: z
    .string()
    .transform((key) => key.replaceAll('\\n', '\n').trim())
    .refine((key) => /^-----BEGIN (?:RSA )?PRIVATE KEY-----\n/.test(key)),
});

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
