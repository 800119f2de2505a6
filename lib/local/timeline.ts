import type { Decision } from '../core/decide.ts';
import type { Happening, Report, What } from '../shell/tick.ts';

/** Writes lines of text for a person; with colour where the terminal shows it. */
export type Paint = {
  dim: (text: string) => string;
  bold: (text: string) => string;
  as: (tone: Tone, text: string) => string;
};
type Tone = 'good' | 'bad' | 'warn' | 'plain';

/** Colours by ANSI escapes, or none at all. */
export const paint = (isColoured: boolean): Paint => {
  const wrap = (code: number) => (text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  const codes: Record<Tone, number> = { good: 32, bad: 31, warn: 33, plain: 39 };
  return { dim: wrap(2), bold: wrap(1), as: (tone, text) => wrap(codes[tone])(text) };
};

/** Hours and minutes of so many milliseconds: the first column of every line. */
export const clockOf = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
};

/**
 * One readable line per event, and one per new ruling. Keeps what it said of each issue, so that an issue that waits
 * is named once and not every minute, and a reason is given once. The order within a tick is by issue, whatever
 * finished first. A tick that the gate stopped is told by who knows why it was expected.
 */
export const timeline = (say: (line: string) => void, tint: Paint, since: number) => {
  const rulings = new Map<string, string>();
  const reasons = new Map<string, string>();

  const line = (at: number, issue: string, { what, why, tone }: Told): void =>
    say(`${tint.dim(clockOf(at - since))}  ${issue.padEnd(20)} ${tint.as(tone, what.padEnd(13))} ${oneLine(why)}`);

  const event = (happening: Happening, isDecidedNow: boolean): void => {
    const issue = `${happening.repo}#${happening.issue}`;
    const told = toldOf(happening, isDecidedNow, reasons.get(issue) ?? null);
    if (happening.what === 'decided') reasons.set(issue, split(happening.why).rest);
    if (told !== null) line(happening.at, issue, told);
  };

  return (report: Report, at: number): void => {
    for (const { repo, issue, ruling, detail } of report.rulings.toSorted(byIssue)) {
      const key = `${repo}#${issue}`;
      if (ruling === 'dispatch' || rulings.get(key) === ruling) continue;
      rulings.set(key, ruling);
      const why = detail.toLowerCase().startsWith(ruling.toLowerCase()) ? detail : `${ruling}: ${detail}`;
      line(at, key, { what: 'waits', why, tone: 'plain' });
    }
    for (const happening of report.happened.toSorted(byIssue))
      event(
        happening,
        report.happened.some(({ run, what }) => what === 'decided' && run === happening.run),
      );
    for (const { what, reason } of report.failed)
      line(at, '', { what: 'failed', why: `${what}: ${reason}`, tone: 'bad' });
  };
};

type Told = { what: string; why: string; tone: Tone };

/** A happening in a person's words; null where it follows at once from the line before it. */
const toldOf = ({ what, why }: Happening, isDecidedNow: boolean, reason: string | null): Told | null => {
  if (unsaid.has(what)) return null;
  const tone = tones[what] ?? 'plain';
  const { first, rest } = split(why);
  switch (what) {
    case 'dispatched':
      return { what, why: 'an agent is given the issue', tone };
    case 'asked':
      return isDecidedNow ? null : { what, why: turns[rest] ?? why, tone };
    case 'decided': {
      const words = decisions[first];
      return { what: words?.what ?? what, tone: words?.tone ?? tone, why: words?.why?.(rest) ?? rest };
    }
    case 'ended': {
      const end = ends[first] ?? { why, tone };
      // The reason is given where it was decided; what ended without a decision has it here.
      return { what, tone: end.tone, why: reason?.startsWith(rest.slice(0, 60)) ? end.why : `${end.why} (${rest})` };
    }
    default:
      return { what, why, tone };
  }
};

const unsaid: ReadonlySet<What> = new Set(['mirrored', 'claimed', 'agent asked to leave', 'rang']);

const tones: Partial<Record<What, Tone>> = {
  dispatched: 'good',
  'CI green': 'good',
  'CI red': 'bad',
  stuck: 'bad',
  refused: 'bad',
  braked: 'warn',
  halted: 'warn',
  released: 'warn',
  reopened: 'warn',
};

// The kinds of turns, as they stand behind a turn's number.
const turns: Readonly<Record<string, string>> = {
  opening: 'to begin the issue',
  fix: 'to mend what came out red',
  nudge: 'to land its work',
  restart: 'to begin again, and take over what is there',
  answer: 'to go on without an answer',
  resume: 'to go on',
};

type Words = { what: string; tone: Tone; why?: (reason: string) => string };

const decisions: Readonly<Record<string, Words>> = {
  'fix forward': { what: 'fix forward', tone: 'warn' },
  nudge: { what: 'nudged', tone: 'warn' },
  answer: { what: 'answered', tone: 'warn' },
  interrupt: { what: 'interrupted', tone: 'warn' },
  'say so': { what: 'told', tone: 'warn' },
  park: { what: 'parked', tone: 'warn', why: (reason) => `the provider seems to have failed: ${reason}` },
  'try again': { what: 'tried again', tone: 'plain' },
  // What a halted turn looks like is no reason of its own.
  resume: { what: 'resumed', tone: 'good', why: () => 'the kill switch is off again: the agent goes on' },
  restart: { what: 'restarting', tone: 'warn' },
  release: { what: 'put back', tone: 'warn' },
  'end done': { what: 'landed', tone: 'good' },
  'end cancelled': { what: 'called off', tone: 'warn' },
  escalate: { what: 'handed back', tone: 'bad' },
  freeze: { what: 'handed back', tone: 'bad' },
} satisfies Record<Exclude<Decision, 'wait'>, Words>;

const ends: Readonly<Record<string, { why: string; tone: Tone }>> = {
  done: { why: 'done: closed on proof', tone: 'good' },
  cancelled: { why: 'cancelled: nothing further happens to it', tone: 'warn' },
  escalated: { why: 'escalated: back with a person', tone: 'warn' },
  frozen: { why: 'frozen: back with a person, what was pushed left as it is', tone: 'warn' },
};

/** What stands before the first colon, and what behind it. */
const split = (text: string): { first: string; rest: string } => {
  const at = text.indexOf(': ');
  return at < 0 ? { first: text, rest: '' } : { first: text.slice(0, at), rest: text.slice(at + 2) };
};

const byIssue = (a: { repo: string; issue: number }, b: { repo: string; issue: number }): number =>
  a.repo < b.repo ? -1 : a.repo > b.repo ? 1 : a.issue - b.issue;

const oneLine = (text: string): string => {
  const flat = text.replaceAll(/\s+/g, ' ');
  return flat.length > 110 ? `${flat.slice(0, 109)}…` : flat;
};
