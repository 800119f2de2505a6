import type { Mirror } from './mirror.ts';

/**
 * What is to be written so that an issue looks as the mirror says; null where it does already. Labels are compared
 * without case. A comment is edited only where its text differs by more than GitHub's own tidying.
 */
export const planMirror = (issue: MirroredIssue, { labels, comment, state }: Mirror): MirrorPlan | null => {
  const text = comment === null ? null : commentText(comment);
  const isOn = (name: string): boolean => issue.labels.some((label) => isSame(label.name, name));
  const plan: MirrorPlan = {
    comment:
      text === null || (issue.comment !== null && sameText(issue.comment.body, text))
        ? null
        : { id: issue.comment?.id ?? null, text },
    add: labels.add.filter((name) => !isOn(name)),
    remove: issue.labels.filter((label) => labels.remove.some((name) => isSame(label.name, name))),
    state: state === 'as is' || state === issue.state ? null : state,
  };
  const isNothing = plan.comment === null && plan.add.length === 0 && plan.remove.length === 0 && plan.state === null;
  return isNothing ? null : plan;
};

/** An issue as far as a mirror asks: its first hundred labels, and the comment of ours that is the mirror's, if any. */
export type MirroredIssue = {
  state: 'open' | 'closed';
  labels: readonly { id: string; name: string }[];
  comment: { id: string; body: string } | null;
};

/** The differences. `comment.id` is null where there is none to edit; `add` are names, since they may not exist yet. */
export type MirrorPlan = {
  comment: { id: string | null; text: string } | null;
  add: readonly string[];
  remove: readonly { id: string; name: string }[];
  state: 'open' | 'closed' | null;
};

/** Whether a comment begins with the marker; one that quotes it further down does not. */
export const beginsWith = (marker: string, body: string): boolean => body.split('\n', 1)[0]?.trim() === marker;

// GitHub takes 65,536 characters and refuses more.
const bodyMax = 60_000;

const commentText = ({ marker, body }: { marker: string; body: string }): string => {
  const text = body.startsWith(marker) ? body : `${marker}\n${body}`;
  return text.slice(0, bodyMax).toWellFormed();
};

// GitHub may answer with the line ends of a form, and without what trails.
const sameText = (a: string, b: string): boolean =>
  a.replaceAll('\r\n', '\n').trimEnd() === b.replaceAll('\r\n', '\n').trimEnd();

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
