import { assertNever } from './assert.ts';
import { cleanLine } from './clean-text.ts';
import type { Act, Actor, IssueDetail, IssueEvent, Permission } from './issue.ts';

/**
 * Whether the newest labelling authorises a run, as a pure function; first match wins.
 *
 * | row | situation                                                                    | judgement |
 * |-----|------------------------------------------------------------------------------|-----------|
 * | 17  | the issue is locked or its repo archived                                     | no        |
 * | 2   | the ready label is not on the issue, or its newest event took it off         | no        |
 * | 1   | no labelling of this very label in the history that was read                 | no        |
 * | 3   | its actor is gone or no user                                                 | no        |
 * | 4   | its actor is a bot, such as an App, or an account the agent acts as          | no        |
 * | 5   | an AI agent put it on                                                        | no        |
 * | 6   | a person put it on through an app                                            | by policy |
 * | 14  | the issue was transferred or reopened at or after it                         | no        |
 * | 16  | edits, or events at or around it, that were not read                         | no        |
 * | 11  | a permission nobody has answered for yet                                     | unknown   |
 * | 10  | the tracker knows no such user there                                         | no        |
 * | 8   | triage only                                                                  | no *      |
 * | 9   | read, or none                                                                | no        |
 * | 12  | a body edit at or after it by somebody who does not pass the rows above      | no        |
 * | 13  | a new title at or after it, likewise                                         | no        |
 * | 15  | either within two minutes before it, likewise: the older text was read       | no        |
 * | 18  | where a trusted author is required: an author who does not pass, likewise    | no        |
 * | 7   | write or admin                                                               | yes       |
 *
 * (*) unless the policy allows. Rows are numbered as people are told of them. Permission goes by level, since roles may
 * have any name. The tracker's stamps have a resolution of one second: what bears the same stamp counts as later. An
 * author's own edit needs the same right as anybody's. How a label was put on has to be known.
 */
export const judgeTrust = (
  detail: IssueDetail,
  permissions: ReadonlyMap<string, Permission>,
  policy: TrustPolicy,
): Trust => {
  const labelled = newestLabelling(detail, policy);
  if ('refusal' in labelled) return labelled.refusal;
  const { event, actor } = labelled;

  const changes = changesAround(detail, event.at);
  for (const change of changes) {
    const strange = whyNoPerson(change.actor, policy);
    if (strange !== null) return changed(change, strange.why, policy);
  }
  const right = rightOf(actor.login, permissions, policy);
  if (right === 'unknown') return { trusted: null, unknown: [actor.login] };
  if (right !== 'passes') return held(right.row, `${shown(actor)}, who put the label on, ${right.why}`, again(policy));
  const strangeAuthor = policy.requireTrustedAuthor ? whyNoPerson(detail.author, policy) : null;
  if (strangeAuthor !== null) return writtenBy(detail.author, strangeAuthor.why);

  const unknown = new Set<string>();
  for (const change of changes) {
    const login = change.actor?.login ?? '';
    const theirs = rightOf(login, permissions, policy);
    if (theirs === 'unknown') unknown.add(login);
    else if (theirs !== 'passes') return changed(change, theirs.why, policy);
  }
  if (policy.requireTrustedAuthor) {
    const login = detail.author?.login ?? '';
    const theirs = rightOf(login, permissions, policy);
    if (theirs === 'unknown') unknown.add(login);
    else if (theirs !== 'passes') return writtenBy(detail.author, theirs.why);
  }
  if (unknown.size > 0) return { trusted: null, unknown: [...unknown] };
  const act: Act = { id: event.id, by: actor.login, at: event.at };
  return { trusted: true, act, throughApp: detail.labelling?.throughApp ?? null };
};

/** `unknown`: nothing may be concluded, or remembered, before these logins' permissions are known. */
export type Trust =
  | { trusted: true; act: Act; throughApp: string | null }
  | { trusted: false; row: number; reason: string; remedy: string }
  | { trusted: null; unknown: readonly string[] };

/** What a repo's settings say of trust. `agentLogins` are the accounts the agent acts as: they never count as people. */
export type TrustPolicy = {
  readyLabel: string;
  agentLogins: readonly string[];
  allowTriage: boolean;
  allowThroughApp: boolean;
  requireTrustedAuthor: boolean;
};

/** Who put the label on, and through which app, in words for logs and people. */
export const labelledWords = ({ by }: Pick<Act, 'by'>, throughApp: string | null): string =>
  `labelled by ${cleanLine(by, 60)}${throughApp === null ? '' : ` through the app ${cleanLine(throughApp, 60)}`}`;

/**
 * The newest act on the ready label, which a judgement is about; null where the history that was read shows none. By
 * the label's id, or by name where an event has none; of those with one stamp the last in the tracker's own order.
 */
export const labellingOf = (detail: Pick<IssueDetail, 'labels' | 'events'>, readyLabel: string): LabelEvent | null => {
  const label = detail.labels.find(({ name }) => isSame(name, readyLabel));
  return detail.events.list
    .filter((each): each is LabelEvent => each.kind === 'labeled' || each.kind === 'unlabeled')
    .filter((each) => (each.label.id === null ? isSame(each.label.name, readyLabel) : each.label.id === label?.id))
    .reduce<LabelEvent | null>((newest, each) => (newest === null || each.at >= newest.at ? each : newest), null);
};

type Refusal = Extract<Trust, { trusted: false }>;
type LabelEvent = Extract<IssueEvent, { kind: 'labeled' | 'unlabeled' }>;
type Person = NonNullable<Actor>;
type Change = { what: 'body' | 'title'; row: 12 | 13 | 15; actor: Actor };

// How long a labeller may have had the older text before their eyes.
const readingMs = 120_000;

const newestLabelling = (
  detail: IssueDetail,
  policy: TrustPolicy,
): { event: LabelEvent; actor: Person } | { refusal: Refusal } => {
  const no = (row: number, reason: string, remedy = again(policy)) => ({ refusal: held(row, reason, remedy) });
  if (detail.locked) return no(17, 'the issue is locked', 'unlock the issue');
  if (detail.archived) return no(17, 'the repo is archived', 'unarchive the repo');

  if (!detail.labels.some(({ name }) => isSame(name, policy.readyLabel)))
    return no(2, 'the label is not on the issue', 'put the label on');
  const event = labellingOf(detail, policy.readyLabel);
  if (event === null) return no(1, 'nothing shows who put the label on');
  if (event.kind === 'unlabeled') return no(2, 'the label was taken off last', 'put the label on');
  if (!isSame(event.label.name, policy.readyLabel)) return no(1, 'the label had another name when it was put on');

  const strange = whyNoPerson(event.actor, policy);
  if (event.actor === null || strange !== null)
    return no(strange?.row ?? 3, `${shown(event.actor)}, who put the label on, ${strange?.why ?? 'is gone'}`);
  if (detail.labelling === null) return no(16, 'more happened since the label was put on than can be read');
  if (detail.labelling.byAgent) return no(5, 'an AI agent put the label on');
  const app = detail.labelling.throughApp;
  if (app !== null && !policy.allowThroughApp)
    return no(6, `the label was put on through the app ${cleanLine(app, 60)}`);

  const since = event.at;
  const moved = detail.events.list.find(
    ({ kind, at }) => (kind === 'transferred' || kind === 'reopened') && at >= since,
  );
  if (moved !== undefined) return no(14, `the issue was ${moved.kind} after the label was put on`);
  const anew = 'copy the text into a new issue and label that one';
  if (detail.events.hasHole) return no(16, 'something that happened to it cannot be read', anew);
  if (!detail.edits.complete) return no(16, 'the body was edited more often than can be read', anew);
  if (!detail.events.complete && !detail.events.list.some(({ at }) => at < since - readingMs))
    return no(16, 'more happened around the labelling than can be read', again(policy));
  return { event, actor: event.actor };
};

const changesAround = (detail: IssueDetail, since: number): Change[] => {
  const changes: Change[] = [];
  for (const { at, editor } of detail.edits.list)
    if (at >= since - readingMs) changes.push({ what: 'body', row: at >= since ? 12 : 15, actor: editor });
  for (const event of detail.events.list)
    if (event.kind === 'renamed' && event.at >= since - readingMs)
      changes.push({ what: 'title', row: event.at >= since ? 13 : 15, actor: event.actor });
  return changes.sort((a, b) => a.row - b.row);
};

const whyNoPerson = (actor: Actor, { agentLogins }: TrustPolicy): { row: 3 | 4; why: string } | null => {
  if (actor === null) return { row: 3, why: 'cannot be named any more' };
  switch (actor.kind) {
    case 'other':
      return { row: 3, why: 'is no user' };
    case 'bot':
      return { row: 4, why: 'is a bot' };
    case 'user':
      if (actor.login.endsWith('[bot]')) return { row: 4, why: 'is a bot' };
      if (agentLogins.some((login) => isSame(actor.login, login)))
        return { row: 4, why: 'is an account the agent acts as' };
      return null;
    default:
      return assertNever(actor.kind);
  }
};

type Right = 'passes' | 'unknown' | { row: 8 | 9 | 10; why: string };

const rightOf = (login: string, permissions: ReadonlyMap<string, Permission>, policy: TrustPolicy): Right => {
  const permission = permissions.get(login.toLowerCase());
  if (permission === undefined) return 'unknown';
  switch (permission.level) {
    case 'admin':
    case 'write':
      return 'passes';
    case 'read':
      if (permission.role !== 'triage') return { row: 9, why: 'may only read' };
      return policy.allowTriage ? 'passes' : { row: 8, why: 'may triage and not push' };
    case 'none':
      return { row: 9, why: 'has no access' };
    case 'notFound':
      return { row: 10, why: 'is no user the tracker knows there' };
    default:
      return assertNever(permission.level);
  }
};

const changed = ({ what, row, actor }: Change, why: string, policy: TrustPolicy): Refusal =>
  held(
    row,
    `the ${what} was changed ${row === 15 ? 'shortly before' : 'after'} the label was put on, by ${shown(actor)}, who ${why}`,
    again(policy),
  );

const writtenBy = (author: Actor, why: string): Refusal =>
  held(
    18,
    `${shown(author)}, who wrote the issue, ${why}`,
    'somebody with write access puts what is wanted in words of their own into a new issue and labels that one',
  );

const held = (row: number, reason: string, remedy: string): Refusal => ({ trusted: false, row, reason, remedy });

const again = ({ readyLabel }: TrustPolicy): string =>
  `somebody with write access reads the issue as it is now, takes ${cleanLine(readyLabel, 50)} off and, two minutes after the last edit, puts it on again`;

const shown = (actor: Actor): string => (actor === null ? 'an account that is gone' : cleanLine(actor.login, 60));

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
