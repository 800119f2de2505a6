import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  commandIdOf,
  markerOf,
  markerOfAct,
  messageIdOf,
  noticeIdOf,
  projectIdOf,
  threadIdOf,
} from '../../lib/core/ids.ts';
import { runId } from '../support/told-runs.ts';

// Parts that invite confusion: delimiters, escapes, digits that could belong to a neighbour, nothing at all.
const part = fc.string({
  unit: fc.constantFrom('a', '1', '-', '_', '.', '2d', 'é', '😀', ' '),
  maxLength: 6,
  size: 'max',
});
const number = fc.nat({ max: 12 });
const command = fc.tuple(part, number, part, number);

describe('ids follow from the recorded run', () => {
  test('different questions never share an id', () => {
    const ids = [
      fc.record({ of: fc.constant('command'), by: command }),
      fc.record({ of: fc.constantFrom('thread', 'project', 'message'), by: fc.tuple(part, number) }),
    ] as const;
    const idOf = (question: { of: string; by: unknown }): string => {
      if (question.of === 'command') return commandIdOf(...(question.by as [string, number, string, number]));
      const [run, n] = question.by as [string, number];
      return { thread: threadIdOf, project: projectIdOf, message: messageIdOf }[question.of as 'thread'](run, n);
    };
    fc.assert(
      fc.property(fc.oneof(...ids), fc.oneof(...ids), (one, other) => {
        expect(idOf(one) === idOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 2000 },
    );
  });

  test('a part that holds the separator is not taken for two parts', () => {
    expect(commandIdOf('r', 2, 'a-1', 3)).not.toBe(commandIdOf('3-r', 1, 'a', 2));
    expect(commandIdOf('r', 1, 'a-', 2)).not.toBe(commandIdOf('r', 1, 'a_2d_', 2));
    expect(threadIdOf('0-r', 1)).not.toBe(commandIdOf('r', 1, 'thread', 0));
  });

  test('an id holds only what any product takes, for any run id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), number, (run, n) => {
        for (const id of [threadIdOf(run, n), commandIdOf(run, n, 'thread.turn.start', 0)])
          expect(id).toMatch(/^[A-Za-z0-9._-]+$/);
      }),
    );
  });

  test('ids of a stored run are readable, and stay what they are: they are recorded with others', () => {
    expect([
      threadIdOf(runId, 0),
      projectIdOf(runId, 1),
      messageIdOf(runId, 2),
      commandIdOf(runId, 2, 'thread.turn.start', 0),
      noticeIdOf(runId, 'ended'),
      markerOf(runId),
      markerOfAct('LE_1'),
    ]).toMatchInlineSnapshot(`
      [
        "afk-thread-0-00112233445566778899aabbccddeeff",
        "afk-project-1-00112233445566778899aabbccddeeff",
        "afk-message-2-00112233445566778899aabbccddeeff",
        "afk-thread.turn.start-2-0-00112233445566778899aabbccddeeff",
        "afk-ended-d135bec341f481196cb2e566ef39c2d5",
        "<!-- afk:45befefadda4b512589a9b310fc3cef2 -->",
        "<!-- afk:e56819e92fe30fcbf18b2d8f09196053 -->",
      ]
    `);
  });
});

describe('markers', () => {
  test('do not give the run id away', () => {
    expect(markerOf(runId)).toMatch(/^<!-- afk:[0-9a-f]{32} -->$/);
    for (const published of [markerOf(runId), noticeIdOf(runId, 'ended')])
      expect(published).not.toContain(runId.slice(0, 8));
  });

  test('of a run and of an act are never the same, even for equal ids', () => {
    fc.assert(fc.property(fc.string(), (id) => markerOf(id) !== markerOfAct(id)));
  });
});
