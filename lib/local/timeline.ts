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

/** What is not worth a line of its own: it follows at once from the line before it. */
const unsaid: ReadonlySet<What> = new Set(['mirrored', 'claimed', 'agent asked to leave']);

const tones: Partial<Record<What, Tone>> = {
  dispatched: 'good',
  'CI green': 'good',
  'CI red': 'bad',
  ended: 'plain',
  stuck: 'bad',
  refused: 'bad',
  braked: 'warn',
  released: 'warn',
  reopened: 'warn',
};

/**
 * One readable line per event, and one per new ruling. Keeps what it said of each issue, so that an issue that waits
 * is named once and not every minute. The order within a tick is by issue, whatever finished first.
 */
export const timeline = (say: (line: string) => void, tint: Paint, since: number) => {
  const said = new Map<string, string>();

  const line = (at: number, issue: string, what: string, tone: Tone, why: string): void =>
    say(`${tint.dim(clockOf(at - since))}  ${issue.padEnd(20)} ${tint.as(tone, what.padEnd(14))} ${oneLine(why)}`);

  const event = ({ at, repo, issue, what, why }: Happening): void => {
    if (unsaid.has(what)) return;
    const tone = what === 'ended' ? (why.startsWith('done') ? 'good' : 'warn') : (tones[what] ?? 'plain');
    line(at, `${repo}#${issue}`, what, tone, why);
  };

  return (report: Report, at: number): void => {
    for (const { repo, issue, ruling, detail } of report.rulings.toSorted(byIssue)) {
      const key = `${repo}#${issue}`;
      if (ruling === 'dispatch' || said.get(key) === ruling) continue;
      said.set(key, ruling);
      line(at, key, 'waits', 'plain', `${ruling}: ${detail}`);
    }
    for (const happening of report.happened.toSorted(byIssue)) event(happening);
    for (const { what, reason } of report.failed) line(at, '', 'failed', 'bad', `${what}: ${reason}`);
  };
};

const byIssue = (a: { repo: string; issue: number }, b: { repo: string; issue: number }): number =>
  a.repo < b.repo ? -1 : a.repo > b.repo ? 1 : a.issue - b.issue;

/** Hours and minutes since the beginning. */
const clockOf = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
};

const oneLine = (text: string): string => {
  const flat = text.replaceAll(/\s+/g, ' ');
  return flat.length > 110 ? `${flat.slice(0, 109)}…` : flat;
};
