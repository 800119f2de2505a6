import type { Fault, History } from './history.ts';

/**
 * A history that still fails, with as little in it as can be found: faults, issues and settings are taken away as long
 * as it does. Asks at most `tries` times whether one fails.
 */
export const shrink = async (
  history: History,
  fails: (smaller: History) => Promise<boolean>,
  tries = 400,
): Promise<History> => {
  let left = tries;
  let best = history;
  for (let found = true; found && left > 0; ) {
    found = false;
    for (const smaller of smallerOnes(best)) {
      if (left <= 0) break;
      left -= 1;
      if (!(await fails(smaller))) continue;
      best = smaller;
      found = true;
      break;
    }
  }
  return best;
};

function* smallerOnes(history: History): Generator<History> {
  const { faults, issues } = history;
  for (let half = Math.floor(faults.length / 2); half >= 1; half = Math.floor(half / 2))
    for (let from = 0; from < faults.length; from += half)
      yield { ...history, faults: [...faults.slice(0, from), ...faults.slice(from + half)] };
  for (const index of issues.keys()) if (issues.length > 1) yield withoutIssue(history, index);
  for (const key of Object.keys(history.settings)) yield { ...history, settings: without(history.settings, key) };
  for (const key of Object.keys(history.repoSettings))
    yield { ...history, repoSettings: without(history.repoSettings, key) };
  if (history.ci !== 'usual') yield { ...history, ci: 'usual' };
  if (history.deploys) yield { ...history, deploys: false };
  if (history.redBase) yield { ...history, redBase: false };
  for (const [index, issue] of issues.entries())
    if (issue.agent !== 'lands at once')
      yield { ...history, issues: issues.with(index, { ...issue, agent: 'lands at once' }) };
  const last = Math.max(1, ...faults.map(endOf));
  if (last < history.minutes) yield { ...history, minutes: last };
}

/** The first minute after it. */
const endOf = (fault: Fault): number => fault.at + ('minutes' in fault ? fault.minutes : 1);

const without = (record: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));

/** Faults that meant that issue go with it, and the others keep theirs. */
const withoutIssue = (history: History, gone: number): History => ({
  ...history,
  issues: history.issues.toSpliced(gone, 1),
  faults: history.faults.flatMap((fault): Fault[] => {
    if (!('issue' in fault)) return [fault];
    if (fault.issue === gone) return [];
    return [{ ...fault, issue: fault.issue > gone ? fault.issue - 1 : fault.issue }];
  }),
});
