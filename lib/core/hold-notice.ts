import { proseMarkdown, publicLine } from './clean-text.ts';
import { markerOfAct } from './ids.ts';
import type { IssueDetail, Permission } from './issue.ts';
import type { Mirror } from './mirror.ts';
import { labellingOf, type Trust } from './trust.ts';

/** A labelling that is held back, by whom it was, and what the one comment about it says. */
export type Hold = { actId: string; at: number | null; by: string; row: number; reason: string; remedy: string };

/**
 * Whether a refusal of trust is one that its labeller could mend; null where nobody is asked to.
 *
 * | refusal                                              | asked                                                  |
 * |------------------------------------------------------|--------------------------------------------------------|
 * | 2 label off, 17 locked or archived, 11 not known yet | nobody: it is meant so, or not decided                 |
 * | 1 no labelling to be seen                            | the author, once per issue: labels of a form are theirs |
 * | any other                                            | whoever put the label on, unless a bot or nobody       |
 *
 * Pure. Whether that person is told is for `mayBeTold` to say.
 */
export const holdOf = (detail: IssueDetail, trust: Trust, readyLabel: string): Hold | null => {
  if (trust.trusted !== false || trust.row === 2 || trust.row === 17) return null;
  const labelling = labellingOf(detail, readyLabel);
  const asked = labelling === null ? detail.author : labelling.actor;
  // A bot's name may be a person's as well: its rights would be asked under that name.
  if (asked?.kind !== 'user') return null;
  const { row, reason, remedy } = trust;
  const act = { actId: labelling?.id ?? `none:${detail.nodeId}`, at: labelling?.at ?? null };
  return { ...act, by: asked.login, row, reason, remedy };
};

/** Only those who may label are answered: an issue form labels for anybody, and nobody else can make us write. */
export const mayBeTold = ({ level, role }: Permission): boolean =>
  level === 'admin' || level === 'write' || (level === 'read' && role === 'triage');

/**
 * The comment, which is all that changes on the issue. It speaks of one act and stays true when another one starts a
 * run, so it is never edited. Words of others are cleaned, redacted and in code spans.
 */
export const holdNotice = ({ actId, at, row, reason, remedy }: Hold): Mirror => {
  const marker = markerOfAct(actId);
  const when = at === null ? '' : ` about the label put on at ${minuteOf(at)}`;
  const body = [
    '### ✋ Not started: this labelling is held back',
    `**Why:** ${words(reason)} (rule ${row}).`,
    `**What to do:** ${words(remedy)}.`,
    `Said once${when}. Nothing more is said before the label is put on anew, and that is then looked at afresh.`,
  ];
  return {
    labels: { add: [], remove: [] },
    comment: { marker, body: `${marker}\n${body.join('\n\n')}\n` },
    state: 'as is',
  };
};

const words = (text: string): string => proseMarkdown(publicLine(text, 400));

const minuteOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
