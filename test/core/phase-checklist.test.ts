import { describe, expect, test } from 'vitest';
import { checklistOf } from '../../lib/core/phase-checklist.ts';
import type { EndedRun, OpenRun } from '../../lib/core/run.ts';
import {
  aClaimedRun,
  aFixingRun,
  aLanding,
  anEndedRun,
  anEndingRun,
  aRestartingRun,
  aVerifyingRun,
  aWorkingRun,
  shaOf,
} from '../support/told-runs.ts';

const push = { tip: shaOf('a'), seenAt: 5000, hasDescendant: false, redAt: null, greenAt: null };
/** The checklist in one line: `+` observed, `"` declared, `-` not ticked. */
const shown = (run: OpenRun | EndedRun, environments: readonly string[] = ['production']): string =>
  checklistOf(run, environments)
    .map(({ phase, ticked, known }) => `${ticked ? (known === 'observed' ? '+' : '"') : '-'}${phase}`)
    .join(' ');

describe('a phase is ticked on evidence only', () => {
  test.each([
    ['a claim', aClaimedRun(), '-worktree -tests-red -green -pushed -CI -deployed -done'],
    ['a turn asked for', aWorkingRun(), '-worktree -tests-red -green -pushed -CI -deployed -done'],
    [
      'a turn taken up',
      aWorkingRun({ firstTakenUpAt: 4000 }),
      '+worktree -tests-red -green -pushed -CI -deployed -done',
    ],
    ['a push', aVerifyingRun(), '+worktree "tests-red "green +pushed -CI -deployed -done'],
    [
      'a push without the trailers',
      aVerifyingRun({ declared: { testsRed: false, green: false } }),
      '+worktree -tests-red -green +pushed -CI -deployed -done',
    ],
    [
      'a push that only says green',
      aVerifyingRun({ declared: { testsRed: false, green: true } }),
      '+worktree -tests-red "green +pushed -CI -deployed -done',
    ],
    [
      'green CI',
      aVerifyingRun({ push: { ...push, greenAt: 6000 } }),
      '+worktree "tests-red "green +pushed +CI -deployed -done',
    ],
    ['red CI', aFixingRun(), '+worktree "tests-red "green +pushed -CI -deployed -done'],
    ['a restart after a push', aRestartingRun({ push }), '-worktree -tests-red -green +pushed -CI -deployed -done'],
    [
      'an end as done',
      anEndingRun(aLanding({ outcome: 'done', deployed: true })),
      '+worktree "tests-red "green +pushed +CI +deployed +done',
    ],
    [
      'an end as frozen',
      anEndedRun(aLanding({ outcome: 'frozen', push })),
      '+worktree "tests-red "green +pushed -CI -deployed -done',
    ],
    [
      'a turn where changes land by pull request',
      aWorkingRun({ firstTakenUpAt: 4000, landing: 'pull-request' }),
      '+worktree -tests-red -green -proposed -pushed -CI -deployed -done',
    ],
    [
      'a pull request',
      aWorkingRun({
        ...{ firstTakenUpAt: 4000, landing: 'pull-request' },
        pull: {
          ...{ number: 34, head: shaOf('f'), seenAt: 5000, stands: 'red' },
          ...{ firstRedAt: 5000, mended: null, merge: null },
        },
      }),
      '+worktree -tests-red -green +proposed -pushed -CI -deployed -done',
    ],
    ['an end as escalated', anEndedRun(), '+worktree -tests-red -green -pushed -CI -deployed -done'],
    [
      'an end before it began',
      anEndedRun({ outcome: 'released', turn: null, firstTakenUpAt: null }),
      '-worktree -tests-red -green -pushed -CI -deployed -done',
    ],
  ])('%s', (_what, run, expected) => {
    expect(shown(run)).toBe(expected);
  });

  test('deployment is left out where no environment is named', () => {
    expect(shown(anEndedRun(aLanding({ outcome: 'done' })), [])).toBe('+worktree "tests-red "green +pushed +CI +done');
  });

  test('a phase that is not ticked is not known, and one that is says how', () => {
    for (const run of [aClaimedRun(), aVerifyingRun(), anEndedRun(aLanding({ outcome: 'done' }))])
      for (const { ticked, known } of checklistOf(run, ['production'])) expect(known === null).toBe(!ticked);
  });
});
