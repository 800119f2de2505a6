import { expect, test } from 'vitest';
import type { History } from '../simulation/histories/history.ts';
import { play } from '../simulation/histories/play.ts';

/** Found by random histories, made small, and mended. */
const quiet: History = {
  seed: 0,
  issues: [{ repo: 'acme/a', agent: 'lands at once', labelled: 'maintainer' }],
  settings: {},
  repoSettings: {},
  ci: 'usual',
  deploys: false,
  redBase: false,
  minutes: 40,
  faults: [],
};

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
])('%s', async (_, given) => {
  expect((await play({ ...quiet, ...given })).wrong).toEqual([]);
});
