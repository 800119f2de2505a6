import * as z from 'zod';
import { githubUrl, githubUrlForm } from '../lib/core/github-url.ts';

const value = <S extends z.ZodType>(schema: S, form: string, meaning: string): S =>
  schema.meta({ description: meaning, form });

const words = z.string().transform((text) => text.split(',').map((word) => word.trim()));
const idsOf = (pattern: RegExp, max: number) => words.pipe(z.array(z.string().regex(pattern)).min(1).max(max));

/**
 * What may be chosen at a deploy (`-c name=value`). Everything has a default or may be left out; nothing here arms.
 * Each key carries its meaning, which the table in `docs/deploy.md` is tested against, and the form that completes
 * "must be …" in a message.
 */
export const Context = z.strictObject({
  reservedConcurrency: value(
    z.preprocess(numberOf, z.int().min(0).max(100)).default(1),
    'a whole number from 0 to 100',
    'invocations of each function at a time; 0 leaves the reservation out, for accounts whose quota is too small',
  ),
  schedules: value(
    z.enum(['on', 'off']).default('on'),
    'on or off',
    'off deploys both schedules disabled: no tick at all',
  ),
  alarmEmail: value(
    z.email().max(254).optional(),
    'an e-mail address',
    'is subscribed to the alarms; has to be confirmed by a link that AWS sends',
  ),
  githubUrl: value(
    z
      .url({ protocol: /^https$/ })
      .transform(githubUrl)
      .pipe(z.string())
      .optional(),
    githubUrlForm,
    'API of a GitHub Enterprise Server',
  ),
  doorbellTopic: value(
    z.enum(['on', 'off']).default('off'),
    'on or off',
    'on rings at the topic of the alarms as well: whoever gets those hears of each end',
  ),
  ntfyUrl: value(
    z.url({ protocol: /^https?$/ }).optional(),
    'an http or https URL',
    'ntfy server for the doorbell; needs ntfyTopic',
  ),
  ntfyTopic: value(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .optional(),
    'up to 64 letters, digits, - and _',
    'topic on it; needs ntfyUrl',
  ),
  subnetIds: value(
    idsOf(/^subnet-[0-9a-f]{8,17}$/, 16).optional(),
    'ids of subnets, separated by commas',
    'private subnets for both functions, where T3 is reachable only inside a VPC; needs securityGroupIds',
  ),
  securityGroupIds: value(
    idsOf(/^sg-[0-9a-f]{8,17}$/, 5).optional(),
    'ids of security groups, separated by commas',
    'security groups for both functions; needs subnetIds',
  ),
  secretsKeyArn: value(
    z
      .string()
      .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/)
      .optional(),
    'the ARN of a KMS key (not of an alias)',
    'customer-managed key the secrets are encrypted with; the default is the key of the account',
  ),
  tags: value(
    words.pipe(z.array(z.string().regex(/^(?!aws:)[\w.:/+@-]{1,128}=[\w .:/+@-]{0,256}$/)).max(40)).optional(),
    'key=value pairs, separated by commas',
    'tags for everything but the control parameters',
  ),
});
export type Context = z.infer<typeof Context>;

/**
 * Reads the context values of an app; throws an `Error` that names every value that is unknown or wrong. Keys with a
 * colon, an @ or a slash are the CDK's own and are passed over.
 */
export const contextOf = (all: Readonly<Record<string, unknown>>): Context => {
  const own = Object.fromEntries(Object.entries(all).filter(([name]) => /^\w+$/.test(name)));
  const parsed = Context.safeParse(own);
  if (!parsed.success) {
    const problems = new Set(parsed.error.issues.flatMap(problemsOf));
    throw new Error(`context: ${[...problems].join('; ')}`);
  }
  const lonely = pairs
    .flatMap(([one, other]) => [[one, other] as const, [other, one] as const])
    .filter(([one, other]) => parsed.data[one] !== undefined && parsed.data[other] === undefined)
    .map(([one, other]) => `${one} needs ${other}`);
  if (lonely.length > 0) throw new Error(`context: ${lonely.join('; ')}`);
  return parsed.data;
};

/** Every context value with its meaning and default (`none` where it may be left out), as `docs/deploy.md` shows them. */
export const contextTable = (): { name: string; meaning: string; default: string }[] => {
  const defaults = new Map<string, unknown>(Object.entries(Context.parse({})));
  return Object.entries(Context.shape).map(([name, schema]) => ({
    name,
    meaning: writtenOn(schema).meaning,
    default: String(defaults.get(name) ?? 'none'),
  }));
};

const pairs = [
  ['subnetIds', 'securityGroupIds'],
  ['ntfyUrl', 'ntfyTopic'],
] as const;

// The command line gives text where cdk.json may give a number; an empty text is no zero.
function numberOf(given: unknown): unknown {
  return typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
}

const writtenOn = (schema: z.ZodType | undefined): { meaning: string; form: string } => {
  const { description = '', form = '' } = (schema === undefined ? undefined : z.globalRegistry.get(schema)) ?? {};
  return { meaning: description, form: String(form) };
};

const problemsOf = (issue: z.core.$ZodIssue): string[] => {
  if (issue.code === 'unrecognized_keys')
    return [`${issue.keys.join(', ')} unknown; there are ${Object.keys(Context.shape).join(', ')}`];
  const name = String(issue.path[0]);
  return [`${name} must be ${writtenOn(new Map<string, z.ZodType>(Object.entries(Context.shape)).get(name)).form}`];
};
