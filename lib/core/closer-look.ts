import { assertNever } from './assert.ts';
import { blockersIn } from './blockers.ts';
import { cleanLine } from './clean-text.ts';
import { whyBlocked } from './dispatch-gates.ts';
import type { BlockerState } from './dispatch-policy.ts';
import type { Act, IssueDetail, IssueEvent } from './issue.ts';
import { textCharsMax } from './prompts.ts';
import type { ItemOf } from './record.ts';
import type { Ruling } from './ruling.ts';
import type { RepoSettings } from './settings.ts';
import { labelledWords, type Trust } from './trust.ts';

/**
 * Rules on one issue read in full, which is fresher than the list: the cheap gates that the detail can answer again,
 * then what only it shows. `dispatch` names the act that authorises the run. A spent act starts nothing, and neither
 * does one that is no newer than it, or no newer than the label that handed the issue to a human. `issue` is null
 * where it is gone; `blockers` as for the list. Pure.
 */
export const ruleDetailed = (
  issue: IssueDetail | null,
  trust: Trust,
  memory: ItemOf<'issue'> | null,
  settings: Pick<RepoSettings, 'labels'>,
  blockers: ReadonlyMap<string, BlockerState> = new Map(),
): DetailRuling => {
  if (issue === null) return no('gone', 'the issue is gone or may not be seen');
  const { labels } = settings;
  if (!issue.open) return no('closed', 'the issue is closed');
  if (issue.archived) return no('repo archived', 'the repo is archived');
  if (issue.locked) return no('locked', 'the issue is locked');
  if (!isOn(issue, labels.ready)) return no('label gone', `the label ${labels.ready} is not on the issue`);
  if (isOn(issue, labels.hold)) return no('hold label', `the label ${labels.hold} is on the issue`);

  const ready = newestLabelling(issue, labels.ready);
  const human = newestLabelling(issue, labels.human);
  if (isOn(issue, labels.human) && !isLater(ready, human))
    return no(
      'with a human',
      `handed to a human: somebody with write access takes ${labels.ready} off and puts it on again`,
    );
  const spent = memory?.spent ?? null;
  if (spent !== null && (ready === null || ready.id === spent.actId || ready.at <= spent.actAt))
    return wasHandedBack(spent.outcome)
      ? no(
          'with a human',
          `handed back (${spent.outcome}): somebody with write access takes ${labels.ready} off and puts it on again`,
        )
      : no('already run', `this labelling had its run already (${spent.outcome})`);

  if (issue.openSubIssues > 0) return no('parent', `${issue.openSubIssues} of its sub-issues are open`);
  const blocked = whyBlocked({ ...issue.blockers, refs: blockersIn(issue.body, issue.repo.name) }, (ref) =>
    blockers.get(ref),
  );
  if (blocked !== null) return no('blocked', blocked);

  const length = issue.title.length + issue.body.length;
  switch (trust.trusted) {
    case null:
      return no('trust unknown', `no answer yet on the rights of ${trust.unknown.slice(0, 5).join(', ')}`);
    case false:
      return no(rulingOfRow(trust.row), `${trust.reason} (rule ${trust.row}): ${trust.remedy}`);
    case true:
      if (length > textCharsMax)
        return no('too long', `title and body have ${length} characters, the limit is ${textCharsMax}`);
      if (spent !== null && (trust.act.id === spent.actId || trust.act.at <= spent.actAt))
        return no('already run', 'this labelling had its run already');
      return { ruling: 'dispatch', act: trust.act, detail: labelledWords(trust.act, trust.throughApp) };
    default:
      return assertNever(trust);
  }
};

/** `detail` says why, in at most 500 characters. */
export type DetailRuling =
  | { ruling: 'dispatch'; act: Act; detail: string }
  | { ruling: Exclude<Ruling, 'dispatch'>; detail: string };

const no = (ruling: Exclude<Ruling, 'dispatch'>, why: string): DetailRuling => ({
  ruling,
  detail: cleanLine(why, 500),
});

const isOn = ({ labels }: IssueDetail, label: string): boolean => labels.some(({ name }) => isSame(name, label));

type Labelling = { id: string; at: number; index: number };

const newestLabelling = ({ events }: IssueDetail, label: string): Labelling | null =>
  events.list.reduce<Labelling | null>((newest, event, index) => {
    if (!isLabelling(event, label) || (newest !== null && event.at < newest.at)) return newest;
    return { id: event.id, at: event.at, index };
  }, null);

const isLabelling = (event: IssueEvent, label: string): boolean =>
  event.kind === 'labeled' && isSame(event.label.name, label);

// Within one second the tracker's own order decides. What cannot be found is not later.
const isLater = (a: Labelling | null, b: Labelling | null): boolean =>
  a !== null && b !== null && (a.at > b.at || (a.at === b.at && a.index > b.index));

const wasHandedBack = (outcome: string): boolean => outcome === 'escalated' || outcome === 'frozen';

const rulingOfRow = (row: number): 'not trusted' | 'changed since' | 'label gone' | 'locked' => {
  if (row === 2) return 'label gone';
  if (row === 17) return 'locked';
  return row >= 12 && row <= 16 ? 'changed since' : 'not trusted';
};

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
