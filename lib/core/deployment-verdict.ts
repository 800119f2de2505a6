import { assertNever } from './assert.ts';
import { bearingOf, type Check, isDeploy, newestChecks } from './ci-verdict.ts';

/**
 * Whether a commit is deployed, everywhere an operator wants it to be. Every environment and every deploy pattern is
 * one place, judged alone, and then together:
 *
 * | evidence for one place, first match wins                | result                                |
 * |---------------------------------------------------------|---------------------------------------|
 * | a deployment that contains the commit succeeded, ever   | deployed                              |
 * | the newest that contains it failed                      | failed                                |
 * | the newest waits for a person                           | approval                              |
 * | the newest is queued, running, pending                  | deploying                             |
 * | none, or one that says nothing                          | deploying; past the deadline missing  |
 *
 * Checks and statuses that match a pattern are on the same scale, the worst of them counting; one that was skipped
 * says nothing. Together: nothing to judge is `not tracked`, else the first of failed, approval, missing, deploying,
 * deployed that any place shows. Pure and total; order does not matter. A later `inactive` only means superseded.
 */
export const deploymentVerdict = (inputs: DeploymentInputs): DeploymentVerdict => {
  const nothing = inputs.ageMs < inputs.deadlineMs ? 'deploying' : 'missing';
  const places = [
    ...inputs.environments.map((name) => environmentPlace(name, inputs.deployments, nothing)),
    ...inputs.deployPatterns.map((pattern) => patternPlace(pattern, inputs.checks, nothing)),
  ];
  return {
    result: worstFirst.find((result) => places.some((place) => place.result === result)) ?? 'not tracked',
    places,
  };
};

/**
 * One deployment to one environment. `containsOurs` is containment, never equality: a batch deploys a later commit.
 * `state` is that of its newest status, `pending` where there is none; a word the adapter does not know is `unknown`.
 * `everSucceeded` looks at all its statuses. `createdAt` is epoch ms as reported.
 */
export type Deployment = {
  environment: string;
  sha: string;
  containsOurs: boolean;
  state: 'pending' | 'queued' | 'running' | 'waiting' | 'success' | 'failure' | 'inactive' | 'unknown';
  everSucceeded: boolean;
  createdAt: number;
  url: string | null;
};

/** Lengths are run time. Empty `environments` and `deployPatterns` mean that deployments are not tracked. */
export type DeploymentInputs = {
  deployments: readonly Deployment[];
  /** All checks of the watched commit, as the CI fold gets them; deployments are often dispatched, so events are not ignored. */
  checks: readonly Check[];
  environments: readonly string[];
  deployPatterns: readonly string[];
  /** Since the push was seen. */
  ageMs: number;
  deadlineMs: number;
};

export type PlaceResult = 'failed' | 'approval' | 'missing' | 'deploying' | 'deployed';

/** One environment or pattern; `url` leads to the evidence, where there is some. */
export type Place = { kind: 'environment' | 'pattern'; name: string; result: PlaceResult; url: string | null };

/** Together, and place by place in the order of the settings, environments first. */
export type DeploymentVerdict = { result: PlaceResult | 'not tracked'; places: readonly Place[] };

/** When a deployment that nobody sees is missing. */
export const deploymentDefaults = { deadlineMs: 60 * 60_000 } as const;

// Missing before deploying: it is only said past the deadline, when no place is worth waiting for.
const worstFirst: readonly PlaceResult[] = ['failed', 'approval', 'missing', 'deploying', 'deployed'];

type Nothing = 'deploying' | 'missing';
type Evidence = { result: PlaceResult; url: string | null };

const environmentPlace = (name: string, deployments: readonly Deployment[], nothing: Nothing): Place => {
  // Names of environments are compared without case, as GitHub does.
  const ours = deployments.filter((one) => one.containsOurs && one.environment.toLowerCase() === name.toLowerCase());
  const seen = ours.map((one) => ({ createdAt: one.createdAt, result: resultOf(one, nothing), url: one.url }));
  const newestAt = Math.max(...seen.map((one) => one.createdAt));
  const proof = seen.filter((one) => one.result === 'deployed');
  // Several of one instant: the worst counts, so that their order does not matter.
  const { result, url } = worstOf(proof.length > 0 ? proof : seen.filter((one) => one.createdAt === newestAt), nothing);
  return { kind: 'environment', name, result, url };
};

const resultOf = (deployment: Deployment, nothing: Nothing): PlaceResult => {
  if (deployment.everSucceeded) return 'deployed';
  switch (deployment.state) {
    case 'success':
      return 'deployed';
    case 'failure':
      return 'failed';
    case 'waiting':
      return 'approval';
    case 'pending':
    case 'queued':
    case 'running':
      return 'deploying';
    // Superseded before it ever succeeded, or a word nobody knows: no proof, and perhaps another one follows.
    case 'inactive':
    case 'unknown':
      return nothing;
    default:
      return assertNever(deployment.state);
  }
};

const patternPlace = (pattern: string, checks: readonly Check[], nothing: Nothing): Place => {
  const seen = newestChecks(checks)
    // One that was skipped says nothing: it spoils none beside it, and alone it is no proof.
    .filter((check) => isDeploy(check, [pattern]) && bearingOf(check) !== 'void')
    .map((check) => ({ result: checkResultOf(check, nothing), url: check.url }));
  return { kind: 'pattern', name: pattern, ...worstOf(seen, nothing) };
};

const checkResultOf = (check: Check, nothing: Nothing): PlaceResult => {
  const bearing = bearingOf(check);
  switch (bearing) {
    case 'failed':
      return 'failed';
    case 'held':
      return 'approval';
    case 'running':
      return 'deploying';
    case 'passed':
      return 'deployed';
    case 'cut short':
    case 'void':
      return nothing;
    default:
      return assertNever(bearing);
  }
};

const worstOf = (seen: readonly Evidence[], nothing: Nothing): Evidence => {
  const result = worstFirst.find((candidate) => seen.some((one) => one.result === candidate)) ?? nothing;
  const urls = seen.flatMap((one) => (one.result === result && one.url !== null ? [one.url] : []));
  return { result, url: urls.sort()[0] ?? null };
};
