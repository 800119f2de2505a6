import { describe, expect, test } from 'vitest';
import { toBeMet } from './coverage.ts';
import { play } from './play.ts';
import { quiet, witnesses } from './witnesses.ts';

describe('everything there is to meet has a history of its own, in which every promise holds', () => {
  test.each(witnesses)(
    '%j',
    async (of, given) => {
      const { wrong, met } = await play({ ...quiet, ...given });
      expect(wrong).toEqual([]);
      expect(of.filter((name) => !met.has(name))).toEqual([]);
    },
    30_000,
  );

  test('none is missing: each situation, row, decision, ruling, command, end and fault', () => {
    const witnessed = new Set(witnesses.flatMap(([of]) => of.flatMap(wholeOf)));
    expect(toBeMet.filter((name) => !witnessed.has(name))).toEqual([]);
  });
});

/** A row is a situation and what was decided in it. */
const wholeOf = (name: string): readonly string[] => {
  const [, situation, decision] = /^row: (.+), (.+?)$/.exec(name) ?? [];
  return situation === undefined ? [name] : [name, `situation: ${situation}`, `decision: ${decision}`];
};
