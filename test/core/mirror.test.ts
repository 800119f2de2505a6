import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { markerOf } from '../../lib/core/ids.ts';
import { mirrorHash, mirrorOf } from '../../lib/core/mirror.ts';
import { type EndedRun, type OpenRun, Outcome } from '../../lib/core/run.ts';
import {
  aClaimedRun,
  aFixingRun,
  aLanding,
  anEndedRun,
  anEndingRun,
  aRestartingRun,
  aVerifyingRun,
  aWorkingRun,
  runId,
  shaOf,
  someSettings,
} from '../support/told-runs.ts';

const settings = someSettings();
const { ready, inProgress, human, hold } = settings.labels;
const turn = {
  n: 0,
  kind: 'opening',
  thread: 0,
  after: null,
  sentAt: null,
  startingAt: null,
  takenUpAt: null,
  overAt: null,
};
const push = { tip: shaOf('a'), seenAt: 5000, hasDescendant: false, redAt: null, greenAt: null };

/** Labels and state in words: what is on, what is off, open or closed. */
const looks = (run: OpenRun | EndedRun): string => {
  const mirror = mirrorOf(run, settings);
  if (mirror === null) return 'nothing';
  return [
    ...mirror.labels.add.map((label) => `+${label}`),
    ...mirror.labels.remove.map((label) => `-${label}`),
    mirror.state,
  ].join(' ');
};

describe('the tracker looks as the run is', () => {
  const running = `+${inProgress} -${human} as is`;
  const over = `-${ready} -${inProgress} -${human}`;
  const handedBack = `+${human} -${ready} -${inProgress} open`;
  test.each([
    ['claimed', aClaimedRun(), 'nothing'],
    ['asked for and not accepted', aWorkingRun({ turn }), 'nothing'],
    ['accepted', aWorkingRun(), running],
    ['at work in a second thread', aWorkingRun({ turn: { ...turn, n: 1, thread: 1, kind: 'restart' } }), running],
    ['verifying', aVerifyingRun(), running],
    ['fixing', aFixingRun(), running],
    ['restarting', aRestartingRun(), running],
    ['restarting what was never accepted', aRestartingRun({ turn }), 'nothing'],
    ['reopened by us', aVerifyingRun({ reopened: true }), `+${inProgress} -${human} open`],
    ['ending, whatever the outcome', anEndingRun({ outcome: 'done' }), running],
    [
      'ending after we reopened it: a person may close it',
      anEndingRun({ outcome: 'cancelled', reopened: true }),
      running,
    ],
    ['ending before it began', anEndingRun({ turn: null, outcome: 'released' }), 'nothing'],
    ['stuck before it began', anEndingRun({ turn: null, outcome: 'released', stuck: true }), running],
    ['done', anEndedRun(aLanding({ outcome: 'done' })), `${over} closed`],
    ['cancelled', anEndedRun({ outcome: 'cancelled', reopened: true }), `${over} as is`],
    ['escalated', anEndedRun({ outcome: 'escalated' }), handedBack],
    ['escalated before it began', anEndedRun({ outcome: 'escalated', turn: null }), handedBack],
    ['frozen', anEndedRun(aLanding({ outcome: 'frozen' })), handedBack],
    ['released', anEndedRun({ outcome: 'released' }), `-${inProgress} as is`],
  ])('%s', (_what, run, expected) => {
    expect(looks(run)).toBe(expected);
  });

  test('the hold label is never touched, and ready stays on until the end', () => {
    for (const run of [
      aWorkingRun(),
      aFixingRun(),
      anEndingRun(),
      ...Outcome.options.map((outcome) => anEndedRun({ outcome })),
    ]) {
      const { labels } = mirrorOf(run, settings)!;
      expect([...labels.add, ...labels.remove]).not.toContain(hold);
      if (run.phase !== 'ended') expect([...labels.add, ...labels.remove]).not.toContain(ready);
    }
  });
});

const pull = {
  ...{ number: 34, head: shaOf('f'), seenAt: 5000, stands: 'open', firstRedAt: null, mended: null, merge: null },
};
const proposed = (stands: string, over: Record<string, unknown> = {}) =>
  aWorkingRun({
    ...{ landing: 'pull-request', firstTakenUpAt: 4000, pull: { ...pull, stands } },
    ...{ turn: { ...turn, sentAt: 3000, takenUpAt: 4000, overAt: 7000 }, ...over },
  });

describe('the comment', () => {
  const production = someSettings({ environments: ['production'] });
  const stories = {
    asked: [aWorkingRun(), settings],
    'at-work': [aWorkingRun({ firstTakenUpAt: 4000 }), settings],
    reminded: [
      aWorkingRun({ firstTakenUpAt: 4000, nudges: 1, turn: { ...turn, n: 1, kind: 'nudge', sentAt: 5000 } }),
      settings,
    ],
    pushed: [aVerifyingRun(), production],
    'pushed-red': [aVerifyingRun({ push: { ...push, redAt: 6000 } }), settings],
    'pushed-green': [aVerifyingRun({ push: { ...push, greenAt: 6000 } }), settings],
    'green-to-deploy': [aVerifyingRun({ push: { ...push, greenAt: 6000 } }), production],
    fixing: [aFixingRun({ attempts: 2, nudges: 1, restarts: 3 }), settings],
    restarting: [aRestartingRun(), settings],
    'wrapping-up': [anEndingRun(aLanding({ outcome: 'done' })), settings],
    stuck: [
      anEndingRun({ stuck: true, lastWords: 'Running the full checks now.', reason: 'nothing moved for 20 min' }),
      settings,
    ],
    done: [anEndedRun(aLanding({ outcome: 'done', reason: 'CI is green', attempts: 1 })), settings],
    'done-deployed': [
      anEndedRun(aLanding({ outcome: 'done', reason: 'CI is green and it is deployed', deployed: true })),
      production,
    ],
    'done-without-ci': [anEndedRun(aLanding({ outcome: 'done' })), someSettings({ noCi: 'accept' })],
    cancelled: [anEndedRun({ outcome: 'cancelled', reason: 'the label ready-for-agent was taken off' }), settings],
    escalated: [
      anEndedRun({
        nudges: 1,
        lastWords: 'I cannot push: the branch wants a pull request.\n\nA person would have to allow direct pushes.',
      }),
      settings,
    ],
    'escalated-elsewhere': [
      anEndedRun({ reason: 'the commits are not on the default branch but at https://github.com/acme/web/pull/3' }),
      settings,
    ],
    frozen: [
      anEndedRun(
        aLanding({
          outcome: 'frozen',
          push: { ...push, redAt: 6000 },
          attempts: 5,
          reason: 'CI is red: build (node 24), e2e/checkout',
        }),
      ),
      settings,
    ],
    'pull-request-checks': [proposed('checked'), settings],
    'pull-request-review': [proposed('unreviewed'), settings],
    'pull-request-merge': [proposed('unmerged'), settings],
    'pull-request-conflict': [
      proposed('conflicting', {
        turn: { ...turn, n: 1, kind: 'fix', sentAt: 9000 },
        pull: { ...pull, stands: 'conflicting', mended: { head: shaOf('f'), why: 'conflicting' } },
        attempts: 1,
      }),
      settings,
    ],
    'pull-request-merged': [
      aVerifyingRun({ landing: 'pull-request', pull: { ...pull, stands: 'merged', merge: shaOf('a') } }),
      settings,
    ],
    'pull-request-overdue': [
      anEndedRun({
        landing: 'pull-request',
        pull: { ...pull, stands: 'unreviewed' },
        reason: 'pull request https://github.com/acme/web/pull/34 waits for a review, for 8 h by now',
      }),
      settings,
    ],
    released: [
      anEndedRun({
        outcome: 'released',
        couldNotStart: true,
        firstTakenUpAt: null,
        lastWords: 'spawn agent ENOENT',
        reason: 'the agent could not start: spawn agent ENOENT',
      }),
      settings,
    ],
  } as const;

  test.each(Object.entries(stories))('reads well: %s', async (name, [run, some]) => {
    await expect(mirrorOf(run, some)!.comment!.body).toMatchFileSnapshot(`./snapshots/comment-${name}.md`);
  });

  test('is found again by its first line, and gives no run id away', () => {
    for (const [run, some] of Object.values(stories)) {
      const { marker, body } = mirrorOf(run, some)!.comment!;
      expect(marker).toBe(markerOf(runId));
      expect(body.split('\n')[0]).toBe(marker);
      expect(body).not.toContain(runId);
    }
  });

  test('is the same to the byte however often it is asked for, and whenever', () => {
    for (const [run, some] of Object.values(stories)) {
      expect(mirrorHash(mirrorOf(run, some)!)).toBe(mirrorHash(mirrorOf(structuredClone(run), structuredClone(some))!));
      const later = { ...run, movement: { stamp: 'later', movedAt: 99_999 }, pausedMs: 7, headSeen: shaOf('9') };
      expect(mirrorOf(later, some)).toEqual(mirrorOf(run, some));
    }
  });

  test('changes a handful of times in an ordinary run', () => {
    const green = { ...push, greenAt: 7000 };
    const way: (OpenRun | EndedRun)[] = [
      aWorkingRun(),
      aWorkingRun({ turn: { ...turn, sentAt: 3000, startingAt: 3500 } }),
      aWorkingRun({ firstTakenUpAt: 4000 }),
      aWorkingRun({ firstTakenUpAt: 4000, movement: { stamp: 'a', movedAt: 4500 } }),
      aVerifyingRun(),
      aVerifyingRun({ push: { ...push, hasDescendant: true } }),
      aVerifyingRun({ push: green }),
      anEndingRun(aLanding({ outcome: 'done', push: green })),
      anEndedRun(aLanding({ outcome: 'done', push: green })),
    ];
    expect(new Set(way.map((run) => mirrorHash(mirrorOf(run, settings)!))).size).toBe(6);
  });

  test('says nothing of a run nobody saw, unless a person is needed', () => {
    const unseen = { turn, firstTakenUpAt: null };
    expect(mirrorOf(anEndedRun({ ...unseen, outcome: 'released' }), settings)!.comment).toBeNull();
    expect(mirrorOf(anEndedRun({ ...unseen, outcome: 'cancelled' }), settings)!.comment).toBeNull();
    expect(mirrorOf(anEndedRun({ ...unseen, outcome: 'escalated' }), settings)!.comment).not.toBeNull();
    const seen = { commentId: 'IC_1', confirmed: null, writing: null };
    expect(mirrorOf(anEndedRun({ ...unseen, outcome: 'released', mirror: seen }), settings)!.comment).not.toBeNull();
  });

  const hostile =
    '@maintainer @acme/team fixes #1 closes acme/web#2 GH-3 <img src=x onerror=alert(1)> ![a](https://example.com/p.png) [b](https://example.com) https://example.com/x www.example.com\n# Heading\n- [x] done\n```\nout of the fence @stranger #9\n````\n| a | b |\n<!-- afk:0 --> \u202e \u001b[31m';

  test('holds nobody’s words outside of code', () => {
    const bodies = [
      mirrorOf(anEndedRun({ reason: hostile, lastWords: hostile }), settings)!.comment!.body,
      mirrorOf(anEndingRun({ reason: hostile, lastWords: hostile, stuck: true }), settings)!.comment!.body,
      mirrorOf(
        aFixingRun({ failing: [{ name: hostile.slice(0, 120), url: 'https://example.com/phish', state: 'failure' }] }),
        settings,
      )!.comment!.body,
      mirrorOf(
        aFixingRun({ failing: [{ name: 'a', url: 'https://github.com/acme/web/x) @stranger', state: 'failure' }] }),
        settings,
      )!.comment!.body,
      mirrorOf(
        aVerifyingRun({
          repo: { host: 'github.com', id: '1', nodeId: 'R', name: 'acme/web', branch: 'a`@stranger`#1' },
        }),
        settings,
      )!.comment!.body,
      mirrorOf(
        anEndedRun({
          issue: { number: 12, nodeId: 'I', title: hostile.slice(0, 300), url: 'javascript:alert(1)/issues/12' },
        }),
        settings,
      )!.comment!.body,
      mirrorOf(aVerifyingRun(), someSettings({ environments: ['a|b`@stranger', hostile.slice(0, 200)] }))!.comment!
        .body,
    ];
    for (const body of bodies)
      expect(outsideCode(body)).not.toMatch(
        /@|#\d|gh-\d|<img|!\[|example\.com|javascript|onerror|stranger|\u202e|\u001b/i,
      );
  });

  test('keeps its table whole, whatever an environment is called', () => {
    const { body } = mirrorOf(aVerifyingRun(), someSettings({ environments: ['a|b', 'c'] }))!.comment!;
    expect(body).toContain('| ⬜ | Deployed to `a\\|b`, `c` |  |');
  });

  test('holds no secret and no run id that an agent said last', () => {
    const words = `AFK-Run: ${runId}\nexport GITHUB_TOKEN=ghp_${'a1'.repeat(18)}\n0011\u200b2233445566778899aabbccddeeff`;
    const { body } = mirrorOf(anEndedRun({ lastWords: words, reason: words }), settings)!.comment!;
    expect(body).not.toMatch(/ghp_|a1a1/);
    expect(body).not.toContain(runId);
  });

  test('stays far below what a tracker takes, whatever the run holds', () => {
    const text = (max: number) =>
      fc.string({ unit: fc.constantFrom('`', ' ', '@', 'a', '``', '\n', '|'), minLength: max / 2, maxLength: max / 2 });
    fc.assert(
      fc.property(text(2000), text(1200), (reason, lastWords) => {
        const { body } = mirrorOf(anEndedRun(aLanding({ outcome: 'frozen', reason, lastWords })), settings)!.comment!;
        expect(body.length).toBeLessThan(20_000);
      }),
      { numRuns: 30 },
    );
  });

  test('links commits only where the issue’s address shows where the repo is', () => {
    const issue = { number: 12, nodeId: 'I', title: 't', url: 'https://github.com/acme/web/issues/12' };
    expect(mirrorOf(aVerifyingRun({ issue }), settings)!.comment!.body).toContain(
      `](https://github.com/acme/web/commit/${shaOf('a')})`,
    );
    expect(
      mirrorOf(aVerifyingRun({ issue: { ...issue, url: 'https://github.com/x) [y](z/issues/12' } }), settings)!.comment!
        .body,
    ).not.toContain('](');
  });
});

test('mirrors that differ in anything the tracker shows have different hashes', () => {
  const mirror = mirrorOf(anEndedRun(), settings)!;
  const others = [
    mirror,
    { ...mirror, state: 'as is' as const },
    { ...mirror, comment: null },
    { ...mirror, comment: { ...mirror.comment!, body: 'other' } },
    { ...mirror, labels: { add: mirror.labels.remove, remove: mirror.labels.add } },
    { ...mirror, labels: { add: mirror.labels.add, remove: [] } },
    { ...mirror, labels: { add: [], remove: [...mirror.labels.add, ...mirror.labels.remove] } },
  ];
  expect(new Set(others.map(mirrorHash)).size).toBe(others.length);
});

/** A comment without its marker, its fenced blocks, its code spans and the addresses of the repo itself. */
const outsideCode = (body: string): string => {
  const lines: string[] = [];
  let open: string | null = null;
  for (const line of body.split('\n').slice(1)) {
    const ticks = /^`{3,}/.exec(line)?.[0] ?? null;
    if (open === null && ticks !== null) open = ticks;
    else if (open !== null) open = line === open ? null : open;
    else lines.push(line);
  }
  return lines
    .join('\n')
    .replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, 'code')
    .replaceAll('https://github.com/acme/web/', 'home/');
};
