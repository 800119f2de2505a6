import { createHash } from 'node:crypto';
import { ageOf } from './age.ts';
import { assertNever } from './assert.ts';
import { publicLine, withinBytes } from './clean-text.ts';

/**
 * What CI says of one commit, as a value.
 *
 * | evidence, first match wins                                         | verdict                              |
 * |--------------------------------------------------------------------|--------------------------------------|
 * | a check failed, timed out or could not start                       | red, even while others run           |
 * | a check was cut short; others still running                        | pending                              |
 * | the same, nothing running, a descendant on the branch              | pending, follow the descendant       |
 * | the same, no descendant                                            | red                                  |
 * | a check still running                                              | pending; past the deadline blocked   |
 * | a check waits for a person                                         | blocked                              |
 * | an expected check not there, age under grace + settle              | pending                              |
 * | a required check not there                                         | pending; past the deadline blocked   |
 * | a skip directive in the message                                    | blocked                              |
 * | nothing reported, age under grace                                  | pending                              |
 * | nothing reported after grace                                       | none                                 |
 * | only skipped and neutral checks                                    | none                                 |
 * | the last completion, or the push, younger than settle              | pending                              |
 * | passed only before the push, age under grace + settle              | pending                              |
 * | otherwise: at least one success, the rest skipped or neutral       | green                                |
 *
 * A suite without runs is on the same scale, except that its success is none. Pure and total; the order of checks does
 * not matter. Only counted checks are evidence (`countedChecks`). A check that began before the push ran on a branch or
 * a pull request with the same commit: no expected check is there by it. Verdicts
 * `red` and `pending` may change with a later look, as a re-run turns red into pending again.
 */
export const ciVerdict = (inputs: CiInputs): CiVerdict => {
  const { ageMs, graceMs, settleMs, deadlineMs } = inputs;
  const checks = countedChecks(inputs);
  const having = (bearing: Bearing): readonly Check[] => checks.filter((check) => bearingOf(check) === bearing);
  const isCi = (name: string): boolean => !isDeployName(name, inputs.deployPatterns);
  const untilDeadline = (on: string): CiVerdict =>
    ageMs < deadlineMs ? pending(on) : { verdict: 'blocked', reason: `still waiting past the deadline: ${on}` };

  const failed = having('failed');
  if (failed.length > 0) return { verdict: 'red', failing: failed };

  const cut = having('cut short');
  const running = having('running');
  if (cut.length > 0) {
    if (running.length > 0)
      return pending(`running: ${wordsOf(running.map(nameOf))}; cut short: ${wordsOf(cut.map(nameOf))}`);
    if (!inputs.hasDescendant) return { verdict: 'red', failing: cut };
    return {
      verdict: 'pending',
      on: `cut short, a later commit carries on: ${wordsOf(cut.map(nameOf))}`,
      follow: true,
    };
  }
  if (running.length > 0) return untilDeadline(`running: ${wordsOf(running.map(nameOf))}`);

  const held = having('held');
  if (held.length > 0) return { verdict: 'blocked', reason: `waits for a person: ${wordsOf(held.map(nameOf))}` };

  const ofPush = checks.filter(({ startedAt }) => !isBefore(startedAt, inputs.pushedAt));
  const seen = new Set(ofPush.filter(isExpectable).map((check) => expectedKeyOf(check.name)));
  const late = inputs.expected.filter((key) => !seen.has(key)).length;
  if (late > 0 && ageMs < graceMs + settleMs)
    return pending(`of the checks seen before this run ${late} not there yet`);
  const required = inputs.required.filter((rule) => isCi(rule.name) && !checks.some((check) => meets(check, rule)));
  if (required.length > 0) {
    const isUnsigned = required.some((rule) =>
      checks.some(({ kind, name }) => kind === 'status' && name === rule.name),
    );
    const why = isUnsigned ? ' (a status of that name is there, and no status tells which app reported it)' : '';
    return untilDeadline(`required and not there: ${wordsOf(required.map(wantedOf))}${why}`);
  }

  const directive = skipDirective(inputs.message);
  if (directive !== null) return { verdict: 'blocked', reason: `the commit message says ${directive}` };

  if (checks.length === 0) {
    return ageMs < graceMs ? pending('nothing reported yet') : { verdict: 'none', reason: 'nothing was reported' };
  }
  if (having('passed').length === 0) return { verdict: 'none', reason: 'every check was skipped or neutral' };
  // Where no completion time is known, green has to hold for as long since the push itself.
  if (Math.min(inputs.sinceLastCompletionMs ?? ageMs, ageMs) < settleMs)
    return pending('settling, since a later check may still start');
  if (!ofPush.some((check) => bearingOf(check) === 'passed') && ageMs < graceMs + settleMs)
    return pending('what passed began before the push');
  return { verdict: 'green' };
};

/**
 * A check run, a commit status, or a suite that has no runs: a workflow that no job tells of. It is named by its
 * workflow, is over without a job where its file is broken, and succeeds at nothing. For a status, `name` is its context, `startedAt` its creation, and `app`, `appId`,
 * `workflow`, `workflowId` and `event` are null. Instants are epoch ms as reported. `state` is the adapter's translation; a word it
 * does not know is `unknown`.
 */
export type Check = {
  kind: 'check' | 'status' | 'suite';
  name: string;
  /** Slug and id of the app behind a check; of a status nobody tells. */
  app: string | null;
  appId: number | null;
  workflow: string | null;
  /** What tells workflows of one name apart: each file is one of its own. */
  workflowId: number | null;
  /** The event of the workflow run behind it, such as `push`. */
  event: string | null;
  state:
    | 'queued'
    | 'running'
    | 'waiting'
    | 'action-required'
    | 'success'
    | 'failure'
    | 'timed-out'
    | 'startup-failure'
    | 'cancelled'
    | 'stale'
    | 'skipped'
    | 'neutral'
    | 'unknown';
  startedAt: number | null;
  completedAt: number | null;
  url: string | null;
};

/** What one look shows of a commit. `checks` may hold older tries of the same check; the newest counts. */
export type CiFacts = {
  checks: readonly Check[];
  /** The watched commit's own message: it may hold a skip directive. */
  message: string;
  /** A later commit of the branch contains this one. */
  hasDescendant: boolean;
  /** What the rules of the default branch demand now. */
  required: readonly RequiredCheck[];
};

/** A check the branch demands. With an `appId` only what that very app reported is it, whatever has its name. */
export type RequiredCheck = { name: string; appId: number | null };

/** Which checks are evidence: those the branch demands, and patterns that hand a check to the deployment fold. */
export type CiRules = { required: readonly RequiredCheck[]; deployPatterns: readonly string[] };

/** Everything the fold is fed with. Lengths are run time, so that no outage of ours counts. */
export type CiInputs = CiFacts &
  CiRules & {
    /** What was seen on the base, by `expectedFrom`: awaited for a moment, so that a late starter is not missed. */
    expected: readonly string[];
    /** Since the push was seen. */
    ageMs: number;
    /** When it came to the branch, epoch ms by the tracker's stamp; null where that is not known. */
    pushedAt: number | null;
    /** Since `lastCompletionAt`; null where no time is known. */
    sinceLastCompletionMs: number | null;
    graceMs: number;
    settleMs: number;
    deadlineMs: number;
  };

/** Texts are for people, one line, bounded; they hold check names, which are data. `failing` is ordered by name. */
export type CiVerdict =
  | { verdict: 'red'; failing: readonly Check[] }
  | { verdict: 'pending'; on: string; follow: boolean }
  | { verdict: 'blocked'; reason: string }
  | { verdict: 'none'; reason: string }
  | { verdict: 'green' };

/** How long nothing may be seen, how long green must hold, and when waiting ends. */
export const ciDefaults = { graceMs: 3 * 60_000, settleMs: 60_000, deadlineMs: 60 * 60_000 } as const;

/** What a check's state means for a commit, whatever the product calls it. */
export type Bearing = 'failed' | 'cut short' | 'running' | 'held' | 'void' | 'passed';

/** Total: a word nobody knows is cut short once it is over, and before that it runs into the deadline. Never passed. */
export const bearingOf = (check: Check): Bearing => {
  switch (check.state) {
    case 'failure':
    case 'timed-out':
    case 'startup-failure':
      return 'failed';
    case 'cancelled':
    case 'stale':
      return 'cut short';
    case 'unknown':
      return check.completedAt === null ? 'running' : 'cut short';
    case 'queued':
    case 'running':
      return 'running';
    case 'waiting':
    case 'action-required':
      return 'held';
    case 'skipped':
    case 'neutral':
      return 'void';
    case 'success':
      return check.kind === 'suite' ? 'void' : 'passed';
    default:
      return assertNever(check.state);
  }
};

/**
 * What a push is expected to bring, learnt from a commit before it: keys of names, at most twelve, workflows of a push
 * first. Keys are short and of one length, since a record has to carry them, and many names differ in their last letters only.
 */
export const expectedFrom = (checks: readonly Check[], deployPatterns: readonly string[]): readonly string[] => {
  const ofPush = newestChecks(checks).filter((check) => isExpectable(check) && !isDeploy(check, deployPatterns));
  const surestFirst = [...ofPush.filter(({ event }) => event === 'push'), ...ofPush];
  return [...new Set(surestFirst.map(({ name }) => expectedKeyOf(name)))].slice(0, expectedMax);
};

// A status, or a check of another app, does not say by what it was started: on a branch it was a push.
const isExpectable = (check: Check): boolean => isReport(check) && (check.event === 'push' || check.event === null);

/** How a check is remembered between commits: its name, cleaned, redacted and bounded. */
export const checkKeyOf = (name: string): string => withinBytes(publicLine(name, 60), 60);

/** The checks that are evidence for CI: the newest of each key, without deployments and without ignored events. */
export const countedChecks = ({
  checks,
  required,
  deployPatterns,
}: { checks: readonly Check[] } & CiRules): readonly Check[] =>
  newestChecks(
    checks.filter((check) => !isDeploy(check, deployPatterns) && (isRequired(check, required) || !isIgnored(check))),
  );

/** When the last counted check was over, epoch ms as reported; null where none says. */
export const lastCompletionAt = (facts: { checks: readonly Check[] } & CiRules): number | null =>
  countedChecks(facts).reduce<number | null>(
    (last, { completedAt }) => (completedAt === null ? last : Math.max(last ?? completedAt, completedAt)),
    null,
  );

/** How long ago that was, ms by our clock; null where none says when. */
export const sinceLastCompletion = (facts: Parameters<typeof lastCompletionAt>[0], now: number): number | null => {
  const at = lastCompletionAt(facts);
  return at === null ? null : Math.max(0, ageOf(at, now));
};

/** One check for each key (app, workflow by id and name, event and name; a status by its context): the newest try. Ordered by name. */
export const newestChecks = (checks: readonly Check[]): readonly Check[] => {
  const newest = new Map<string, Check>();
  for (const check of checks) {
    const key = JSON.stringify([check.kind, check.app, check.workflowId, check.workflow, check.event, check.name]);
    const other = newest.get(key);
    if (other === undefined || compareTries(check, other) > 0) newest.set(key, check);
  }
  return [...newest.values()].sort(
    (a, b) => compareText(a.name, b.name) || compareText(JSON.stringify(a), JSON.stringify(b)),
  );
};

/** Whether a check's name matches a deploy pattern: `*` is any text, case does not count. Linear in the name. */
export const isDeployName = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matches(name.toLowerCase(), pattern.toLowerCase()));

// Events that say nothing about the push: their workflows run on whatever commit is the newest.
const ignoredEvents: ReadonlySet<string> = new Set([
  'schedule',
  'issues',
  'issue_comment',
  'label',
  'discussion',
  'workflow_dispatch',
  'repository_dispatch',
]);

// What a record can carry beside everything else.
const expectedMax = 12;
const expectedKeyOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 8);

/** Whether a check stands for a deployment. The name of a suite is its workflow's, and tells nothing of its checks. */
export const isDeploy = (check: Check, patterns: readonly string[]): boolean =>
  isReport(check) && isDeployName(check.name, patterns);

// A suite bears the name of a workflow: no check that is expected or demanded is there by it.
const isReport = (check: Check): boolean => check.kind !== 'suite';

const isIgnored = (check: Check): boolean => check.event !== null && ignoredEvents.has(check.event);

const isRequired = (check: Check, required: readonly RequiredCheck[]): boolean =>
  required.some((rule) => meets(check, rule));

const meets = (check: Check, { name, appId }: RequiredCheck): boolean =>
  isReport(check) && check.name === name && (appId === null || check.appId === appId);

const wantedOf = ({ name, appId }: RequiredCheck): string => (appId === null ? name : `${name} by app ${appId}`);

const worstFirst: readonly Bearing[] = ['failed', 'cut short', 'running', 'held', 'void', 'passed'];

// A try that has not started is newer than any that has. At the same instant the worse one counts.
const compareTries = (a: Check, b: Check): number =>
  compareNumber(startOf(a), startOf(b)) ||
  worstFirst.indexOf(bearingOf(b)) - worstFirst.indexOf(bearingOf(a)) ||
  compareText(JSON.stringify(a), JSON.stringify(b));

const startOf = (check: Check): number => check.startedAt ?? check.completedAt ?? Number.POSITIVE_INFINITY;

// Stamps of two services on one event are seconds apart.
const stampsApartMs = 60_000;

const isBefore = (startedAt: number | null, pushedAt: number | null): boolean =>
  startedAt !== null && pushedAt !== null && startedAt < pushedAt - stampsApartMs;

// A subtraction would make of two infinities something that is not a number.
const compareNumber = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

const matches = (name: string, pattern: string): boolean => {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return name === head;
  if (!name.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - tail.length >= at && name.endsWith(tail);
};

const skipWords = ['[skip ci]', '[ci skip]', '[no ci]', '[skip actions]', '[actions skip]'] as const;

// The documentation of workflow runs: the words anywhere, the trailer in the last paragraph. In doubt it counts as a
// directive, since a commit that nothing tested must not read as one that needs no tests.
const skipDirective = (message: string): string | null => {
  const text = message.toLowerCase();
  const word = skipWords.find((candidate) => text.includes(candidate));
  if (word !== undefined) return word;
  const lastParagraph =
    text
      .trimEnd()
      .split(/\r?\n[ \t]*\r?\n/)
      .at(-1) ?? '';
  return /^skip-checks:[ \t]*true[ \t]*$/m.test(lastParagraph) ? 'skip-checks: true' : null;
};

const pending = (on: string): CiVerdict => ({ verdict: 'pending', on, follow: false });

const nameOf = (check: Check): string => check.name;

// Names are a stranger's text: three of them, 60 characters each, on one line; redacted before they are cut, since
// what is left of half a token is not known for one any more.
const wordsOf = (names: readonly string[]): string => {
  const unique = [...new Set(names)].sort(compareText);
  const shown = unique.slice(0, 3).map((name) => publicLine(name, 60));
  return unique.length > shown.length
    ? `${shown.join(', ')} and ${unique.length - shown.length} more`
    : shown.join(', ');
};
