import { publicLine, publicTail, withinBytes } from './clean-text.ts';

/** What one check or status told about itself. `at` is epoch ms; of the texts any may be empty. */
export type Told = { name: string; passed: boolean; at: number; title: string; text: string };

/** A check's name as a run keeps it and people see it: what may be asked about later is what was kept. Idempotent. */
export const keptName = (name: string): string => withinBytes(publicLine(name, 80), 90);

/**
 * For each of these names the newest words of a check that did not pass: its title on a line of its own, and the end
 * of its text, where errors stand. Pure; the order of what was told does not matter; names without words are absent.
 */
export const saidByName = (told: readonly Told[], names: readonly string[]): ReadonlyMap<string, string> => {
  const wordy = told
    .map((one) => ({ ...one, name: keptName(one.name) }))
    .filter(({ name, passed }) => !passed && names.includes(name))
    .map(({ name, at, title, text }) => ({ name, at, words: wordsOf(title, text) }))
    .filter(({ words }) => words !== '')
    .toSorted((a, b) => b.at - a.at || (a.words < b.words ? -1 : 1));
  return new Map(
    names.flatMap((name) => {
      const newest = wordy.find((one) => one.name === name);
      return newest === undefined ? [] : [[name, newest.words] as const];
    }),
  );
};

/** The most that is told of one check. */
export const saidCharsMax = 600;

const titleMax = 120;

const wordsOf = (title: string, text: string): string => {
  const line = publicLine(title, titleMax);
  const tail = publicTail(text, saidCharsMax - titleMax - 1);
  return [line, tail].filter((part) => part !== '').join('\n');
};
