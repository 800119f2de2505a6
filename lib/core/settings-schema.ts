import * as z from 'zod';
import { executorUrl } from './executor-url.ts';
import { once } from './once.ts';
import { isRepoName } from './repo-name.ts';
import { isWorkspaceRoot } from './workspace-root.ts';

/**
 * The shape of the parameter `/afk/control/settings`. Each key carries its meaning and unit, which the README's table
 * is tested against, and the form that completes "must be …" in a message. The schemas are built when first asked
 * for: a disarmed tick, which has nothing to do with them, is the most frequent of all.
 */

/** What holds where nothing else is set, over all repos. */
export const shippedForAll = { maxOpenRuns: 5, maxRunsPerDay: 20, budgetUsdPerDay: 100 };

/** How a repo's changes get onto its default branch: pushed by the agent, or by a pull request of the agent's. */
export const landings = ['push', 'pull-request'] as const;
export type Landing = (typeof landings)[number];

/** What holds for a repo where nothing else is set. */
export type Shipped = {
  labels: { ready: string; inProgress: string; human: string; hold: string };
  providerInstance: string;
  runtimeMode: 'full-access' | 'auto' | 'auto-accept-edits' | 'approval-required';
  fixForwardMaxAttempts: number;
  fixForwardMaxSeconds: number;
  nudgesMax: number;
  restartsMax: number;
  budgetUsd: number;
  usdPerMillionTokens: number;
  noCi: 'escalate' | 'accept';
  landing: Landing;
  baselineRed: 'hold' | 'accept';
  environments: readonly string[];
  deployPatterns: readonly string[];
  agentLogins: readonly string[];
  allowTriage: boolean;
  allowThroughApp: boolean;
  requireTrustedAuthor: boolean;
  paused: boolean;
};
export const shipped: Shipped = {
  labels: { ready: 'ready-for-agent', inProgress: 'agent-in-progress', human: 'ready-for-human', hold: 'afk-hold' },
  providerInstance: 'claudeAgent',
  runtimeMode: 'full-access',
  fixForwardMaxAttempts: 5,
  fixForwardMaxSeconds: 3600,
  nudgesMax: 1,
  restartsMax: 1,
  budgetUsd: 20,
  usdPerMillionTokens: 5,
  noCi: 'escalate',
  landing: 'push',
  baselineRed: 'hold',
  environments: [],
  deployPatterns: [],
  agentLogins: [],
  allowTriage: false,
  allowThroughApp: true,
  requireTrustedAuthor: false,
  paused: false,
};

// `form` completes "must be …": it is what a person reads who got the key wrong.
const setting = <S extends z.ZodType>(schema: S, unit: string, form: string, description: string): S =>
  schema.meta({ description, unit, form });
/** What a key carries, whatever it is wrapped in; empty where it carries nothing. */
export const writtenOn = (schema: z.ZodType | undefined): { meaning: string; unit: string; form: string } => {
  const bare = schema instanceof z.ZodExactOptional || schema instanceof z.ZodDefault ? schema.def.innerType : schema;
  const {
    description = '',
    unit = '',
    form = '',
  } = (bare === undefined ? undefined : z.globalRegistry.get(bare)) ?? {};
  return { meaning: description, unit: String(unit), form: String(form) };
};

const whole = (min: number, max: number, unit: string, description: string) =>
  setting(z.int().min(min).max(max), unit, `a whole number from ${min} to ${max}`, description);
const usd = (max: number, description: string) =>
  setting(z.number().min(0.01).max(max), 'USD', `a number of US dollars from 0.01 to ${max}`, description);
const oneOf = <const W extends readonly [string, ...string[]]>(words: W, description: string) =>
  setting(z.enum(words), 'word', `one of ${words.map((word) => `"${word}"`).join(', ')}`, description);
const flag = (description: string) => setting(z.boolean(), 'true or false', 'true or false', description);
const list = (item: z.ZodString, unit: string, form: string, description: string) =>
  setting(z.array(item).max(50), unit, form, description);
// A comma would split the name in the tracker's list of labels.
const label = (description: string) =>
  setting(
    z.string().regex(/^(?! )[^\p{C},]{1,50}(?<! )$/u),
    'label',
    'a label of 1 to 50 characters without a comma',
    description,
  ).exactOptional();

/** The four labels; each may be overridden alone. */
export const labelsSchema = once(() =>
  z.strictObject({
    ready: label('asks for a run; the act of putting it on is what is trusted'),
    inProgress: label('shows that an agent is at work; never the lock'),
    human: label('shows that the issue was handed back to a person'),
    hold: label('keeps an issue from being started, and cancels its run; a person’s own, never touched'),
  }),
);

/** What may be set under `defaults`, and again for one repo. */
export const overridesSchema = once(() =>
  z.strictObject({
    model: setting(
      z.string().regex(/^[!-~]{1,200}$/),
      'text',
      "a model's name without spaces",
      'model the agent runs on',
    ).exactOptional(),
    workspaceRoot: setting(
      z.string().refine(isWorkspaceRoot),
      'path',
      'an absolute path on the T3 host such as "/srv/checkouts/{owner}__{name}", without ".." and with no placeholder but {owner} and {name}',
      'checkout on the T3 host',
    ).exactOptional(),
    labels: setting(
      labelsSchema(),
      'label',
      'an object with any of "ready", "inProgress", "human" and "hold"',
      'names of the four labels',
    ).exactOptional(),
    providerInstance: setting(
      z.string().regex(/^[!-~]{1,100}$/),
      'text',
      'the name of a provider instance on the T3 server',
      'provider instance on the T3 server',
    ).exactOptional(),
    runtimeMode: oneOf(
      ['full-access', 'auto', 'auto-accept-edits', 'approval-required'],
      'what the agent may do without asking; nobody is there to answer',
    ).exactOptional(),
    fixForwardMaxAttempts: whole(0, 50, 'turns', 'further turns to mend a red CI, per run').exactOptional(),
    fixForwardMaxSeconds: whole(60, 43_200, 'seconds', 'time to mend, from the first red').exactOptional(),
    nudgesMax: whole(0, 10, 'turns', 'reminders to a turn that ended without a push, per run').exactOptional(),
    restartsMax: whole(0, 10, 'turns', 'restarts of a turn that got lost or stalled, per run').exactOptional(),
    budgetUsd: usd(1000, 'estimated money per run').exactOptional(),
    usdPerMillionTokens: usd(1000, 'price that a run’s tokens are estimated with').exactOptional(),
    noCi: oneOf(
      ['escalate', 'accept'],
      'what a push without any CI means: a person looks, or it counts as green',
    ).exactOptional(),
    landing: oneOf(
      landings,
      'how changes reach the default branch: pushed, or by a pull request that others merge',
    ).exactOptional(),
    baselineRed: oneOf(['hold', 'accept'], 'whether to start where the default branch is red already').exactOptional(),
    environments: list(
      z.string().min(1).max(255),
      'names',
      'a list of environment names',
      'deployment environments a push must reach',
    ).exactOptional(),
    deployPatterns: list(
      z.string().min(1).max(200),
      'names with *',
      'a list of check names in which * stands for anything',
      'checks that are deployments',
    ).exactOptional(),
    agentLogins: list(
      z.string().regex(/^[A-Za-z0-9_.-]{1,100}(?:\[bot\])?$/),
      'logins',
      'a list of account names',
      'accounts the agent acts as: their labelling never counts',
    ).exactOptional(),
    allowTriage: flag('whether a label counts that somebody put on who may triage and not push').exactOptional(),
    allowThroughApp: flag('whether a label counts that a person put on through an app').exactOptional(),
    requireTrustedAuthor: flag(
      'whether the author of the issue, too, must have the right to put the label on',
    ).exactOptional(),
    paused: flag('nothing new starts in the repo').exactOptional(),
  }),
);

/** The parameter as parsed: `repos` overrides `defaults` by repo. Ask `settingsFor` what holds for a repo. */
export const settingsSchema = once(() =>
  z.strictObject({
    t3Url: setting(
      z
        .string()
        .max(500)
        .transform((text, context) => {
          const url = executorUrl(text);
          if (url !== null) return url;
          context.issues.push({ code: 'custom', input: text, message: 'not usable' });
          return z.NEVER;
        }),
      'URL',
      'the https URL of the T3 server (http only on a loopback or private address), without a password, a query or a fragment',
      'T3 Code server that runs the agents',
    ),
    maxOpenRuns: whole(1, 100, 'runs', 'runs open at once, over all repos').default(shippedForAll.maxOpenRuns),
    maxRunsPerDay: whole(1, 1000, 'runs', 'runs begun per UTC day, over all repos').default(
      shippedForAll.maxRunsPerDay,
    ),
    budgetUsdPerDay: usd(10_000, 'estimated money per UTC day, over all repos').default(shippedForAll.budgetUsdPerDay),
    defaults: overridesSchema().extend({
      model: overridesSchema().shape.model.unwrap(),
      workspaceRoot: overridesSchema().shape.workspaceRoot.unwrap(),
    }),
    repos: z.record(z.string().refine(isRepoName), overridesSchema()).default({}),
  }),
);
