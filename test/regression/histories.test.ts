import { expect, test } from 'vitest';
import type { History } from '../simulation/histories/history.ts';
import { play } from '../simulation/histories/play.ts';
import { quiet } from '../simulation/histories/witnesses.ts';

/** Found by random histories, made small, and mended. */
test.each<[string, Partial<History>]>([
  [
    'a repo enrolled before the token may see it is worked on once it may',
    { faults: [{ at: 0, kind: 'blind', minutes: 5 }] },
  ],
  [
    'an agent that nobody sees, of an issue deleted since, does not keep its repo for ever',
    {
      faults: [
        { at: 6, kind: 'T3', act: 'thread deleted', issue: 0 },
        { at: 21, kind: 'person', act: 'deletes the issue', issue: 0 },
      ],
    },
  ],
  [
    'a breaker that was opened by a clock two hours ahead is closed in its time',
    {
      issues: [
        { repo: 'acme/a', agent: 'cannot start', labelled: 'maintainer' },
        { repo: 'acme/c', agent: 'cannot start', labelled: 'maintainer' },
      ],
      minutes: 6,
      faults: [{ at: 4, kind: 'clock jumps', byMs: 7_200_000 }],
    },
  ],
  [
    'an issue deleted while its agent is asked to leave for a new beginning does not keep its repo for ever',
    {
      issues: [{ repo: 'acme/a', agent: 'hangs', labelled: 'maintainer' }],
      minutes: 30,
      faults: [{ at: 29, kind: 'person', act: 'deletes the issue', issue: 0 }],
    },
  ],
  [
    'a turn to mend what was nobody’s fault, recorded and never sent, gives no attempt back',
    {
      seed: 12_005_214,
      issues: [
        { repo: 'acme/a', agent: 'lands at once', labelled: 'form' },
        { repo: 'acme/b', agent: 'spends too much', labelled: 'maintainer' },
        { repo: 'acme/c', agent: 'lands at once', labelled: false },
      ],
      ci: 'is cancelled',
      minutes: 28,
      faults: [{ at: 1, kind: 'answers lost', port: 'executor', minutes: 27, share: 0.5 }],
    },
  ],
  [
    'a run whose debts are stored, and whose lock only could not be freed, is not opened again',
    {
      seed: 12_008_423,
      issues: [
        { repo: 'acme/a', agent: 'lands at once', labelled: 'maintainer' },
        { repo: 'acme/b', agent: 'never meets its provider', labelled: 'maintainer' },
        { repo: 'acme/c', agent: 'lands at once', labelled: 'maintainer' },
      ],
      settings: { maxOpenRuns: 2 },
      minutes: 28,
      faults: [{ at: 2, kind: 'answers lost', port: 'store', minutes: 26, share: 0.2 }],
    },
  ],
  [
    'an issue closed while nobody saw its repo shows in progress no longer than the next sweep',
    {
      issues: [{ repo: 'acme/a', agent: 'closes the issue by keyword and turns out red', labelled: 'maintainer' }],
      minutes: 36,
      faults: [
        { at: 3, kind: 'blind', minutes: 33 },
        { at: 29, kind: 'port down for days', port: 'forge', hours: 26 },
      ],
    },
  ],
  [
    'two pollers that find one held labelling tell people of it once',
    {
      seed: 64_012_045,
      issues: [
        { repo: 'acme/a', agent: 'stays alive after green', labelled: 'maintainer' },
        { repo: 'acme/b', agent: 'lands at once', labelled: 'maintainer' },
      ],
      settings: { maxOpenRuns: 1 },
      minutes: 44,
      faults: [
        { at: 19, kind: 'person', act: 'moves the issue', issue: 1 },
        { at: 25, kind: 'overlap', ticks: ['poll', 'watch', 'poll', 'watch'], dies: null },
        { at: 39, kind: 'calls refused', port: 'forge', minutes: 5, share: 0.5 },
      ],
    },
  ],
  [
    'a turn to mend a pull request that was recorded and never sent, twice, is no mending without a new commit',
    {
      issues: [
        { repo: 'acme/a', agent: 'opens a pull request whose checks are red first', labelled: 'maintainer' },
        { repo: 'acme/b', agent: 'proposes what stays red', labelled: 'maintainer' },
      ],
      repoSettings: { landing: 'pull-request' },
      minutes: 25,
      faults: [{ at: 8, kind: 'slow calls', minutes: 17, seconds: 3 }],
    },
  ],
  [
    'a repo that is out of sight for minutes is not gone for good by a clock that leaps meanwhile',
    {
      issues: [{ repo: 'acme/a', agent: 'stays alive after green', labelled: 'maintainer' }],
      minutes: 26,
      faults: [
        { at: 21, kind: 'blind', minutes: 5 },
        { at: 23, kind: 'clock jumps', byMs: 34_560_000_000 },
      ],
    },
  ],
  [
    'a thread that was deleted with its project before its turn was sent is given none',
    {
      redBase: true,
      minutes: 19,
      faults: [
        { at: 5, kind: 'person', act: 'rewrites the branch', issue: 0 },
        { at: 15, kind: 'operator in mid-tick', act: 'kill switch on', tick: 'poll', call: 6 },
        { at: 18, kind: 'T3', act: 'project deleted', issue: 0 },
      ],
    },
  ],
])('%s', async (_, given) => {
  expect((await play({ ...quiet, minutes: 40, ...given })).wrong).toEqual([]);
});
