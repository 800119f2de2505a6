import {
  type Fault,
  type History,
  type HistoryIssue,
  type OperatorAct,
  operatorActs,
  type PersonAct,
  personActs,
  ports,
  type T3Act,
  t3Acts,
  ticks,
} from './history.ts';

/** What a history is there for, by the words of `toBeMet`, and in what it differs from the quiet one. */
export type Witness = readonly [of: readonly string[], given: Partial<History>];

/** Nothing goes wrong, and one agent lands at once. */
export const quiet: History = {
  seed: 0,
  issues: [{ repo: 'acme/a', agent: 'lands at once', labelled: 'maintainer' }],
  settings: {},
  repoSettings: {},
  ci: 'usual',
  deploys: false,
  redBase: false,
  minutes: 1,
  faults: [],
};

type Agent = HistoryIssue['agent'];
/** One issue for each agent, each in a repo of its own. */
const by = (...agents: readonly Agent[]): Pick<History, 'issues'> => ({
  issues: agents.map((agent, index) => ({ repo: `acme/${'abcdefgh'[index]}`, agent, labelled: 'maintainer' })),
});
const inOneRepo = (...agents: readonly Agent[]): Pick<History, 'issues'> => ({
  issues: agents.map((agent) => ({ repo: 'acme/a', agent, labelled: 'maintainer' })),
});
const set = (repoSettings: History['repoSettings']): Pick<History, 'repoSettings'> => ({ repoSettings });
const byPull = { landing: 'pull-request' } as const;
/** Played no longer than the last of them lasts. */
const after = (...faults: readonly Fault[]): Pick<History, 'faults' | 'minutes'> => ({
  faults,
  minutes: Math.max(...faults.map((fault) => fault.at + ('minutes' in fault ? fault.minutes : 1))),
});
const person = (at: number, act: PersonAct): Fault => ({ at, kind: 'person', act, issue: 0 });
const atCall = (call: number, act: PersonAct, at = 0, tick: 'poll' | 'watch' = 'poll'): Fault => ({
  ...{ at, kind: 'in mid-tick', act, issue: 0, tick, call },
});
const onT3 = (at: number, act: T3Act): Fault => ({ at, kind: 'T3', act, issue: 0 });
const losesAll: T3Act = 'loses each turn before it is taken up';
const operator = (at: number, act: OperatorAct): Fault => ({ at, kind: 'operator', act });
const halted = (from: number, until: number, ...meanwhile: readonly Fault[]): ReturnType<typeof after> =>
  after(operator(from, 'kill switch on'), ...meanwhile, operator(until, 'kill switch off'));
/** Taken up before the next ticks. */
const personSends = (at: number): readonly Fault[] => [
  onT3(at, 'person sends a turn'),
  { at, kind: 'no tick', minutes: 1 },
];

const waits: readonly Witness[] = [
  [['situation: at work', 'situation: CI pending', 'situation: landed, turn still out'], by('stays alive after green')],
  [['situation: out of reach'], after({ at: 3, kind: 'port down', port: 'executor', minutes: 3 })],
  [['situation: deployment pending'], { deploys: true, ...set({ environments: ['production'] }) }],
  [
    ['situation: pull request pending', 'situation: pull request waits'],
    { ...by('opens a pull request that is merged'), ...set(byPull) },
  ],
  // Merged between the look at the branch and the one at the pull request.
  [
    ['situation: pull request merged'],
    {
      ...by('opens a pull request that nobody merges'),
      ...set(byPull),
      ...after(atCall(6, 'merges the pull request', 14, 'watch')),
    },
  ],
];

const rows: readonly Witness[] = [
  [['row: cancelled by a person, end cancelled', 'end: cancelled'], after(person(4, 'closes'))],
  [['row: issue gone, end cancelled'], after(person(4, 'deletes the issue'))],
  [
    ['row: out of reach too long, escalate', 'fault: executor down for days'],
    after({ at: 4, kind: 'port down for days', port: 'executor', hours: 26 }),
  ],
  [['row: run overdue, escalate'], { ...by('proposes slowly'), ...set({ ...byPull, nudgesMax: 2 }) }],
  [
    ['row: run overdue, freeze'],
    { ...by('is red and never done'), ...set({ fixForwardMaxSeconds: 43_200, budgetUsd: 1000 }) },
  ],
  [['row: asking, answer', 'command: answer'], by('asks a question and takes the answer')],
  [
    ['row: asking still, interrupt', 'row: told to stop asking, say so'],
    { ...by('asks a question and takes the answer'), ...after(onT3(1, 'loses the next answer')) },
  ],
  [['row: asking again, escalate'], by('asks again and again')],
  [['row: asking again, freeze'], by('is red and asks on and on')],
  [
    [
      'row: landed, end done',
      'end: done',
      'command: createProject',
      'command: createThread',
      'command: startTurn',
      'command: archive',
      'ruling: dispatch',
    ],
    {},
  ],
  [['row: no CI, freeze', 'end: frozen'], { ci: 'falls silent' }],
  [['row: CI blocked, freeze'], { ci: 'never ends' }],
  [['row: CI overdue, freeze'], { ...by('pushes a merge commit on top'), ci: 'is cut short' }],
  [['row: deployment overdue, freeze'], set({ environments: ['production'] })],
  [['row: could not start, restart', 'row: could not start, escalate'], by('cannot start')],
  [
    ['row: could not start, release', 'end: released', 'ruling: executor unavailable'],
    by('cannot start', 'cannot start'),
  ],
  [['row: could not start, freeze'], by('is red and starts no more')],
  [['row: lost, restart'], after(onT3(0, losesAll))],
  [['row: lost, escalate'], { ...set({ restartsMax: 0 }), ...after(onT3(0, losesAll)) }],
  [['row: lost, release'], { ...by('lands at once', 'lands at once'), ...after(onT3(0, losesAll)) }],
  [
    ['row: lost, freeze'],
    {
      ...by('lands after a red CI'),
      ...set({ restartsMax: 0 }),
      ...after(onT3(3, losesAll)),
    },
  ],
  [['row: stalled, restart', 'row: stalled, escalate', 'command: interrupt', 'command: stop'], by('hangs')],
  [['row: stalled, freeze'], { ...by('is red and hangs'), ...set({ restartsMax: 0 }) }],
  [['row: vanished, escalate'], after(onT3(4, 'thread deleted'))],
  [['row: vanished, freeze'], { ...by('lands after a red CI'), ...after(onT3(14, 'thread deleted')) }],
  [['row: failed, escalate', 'end: escalated'], by('crashes')],
  [['row: failed, freeze'], { ...by('lands after a red CI'), ...after(onT3(14, 'agent killed')) }],
  [['row: turn overdue, escalate'], by('never done')],
  [['row: over budget, escalate'], by('spends too much')],
  [['row: over budget, freeze'], by('is red and spends too much')],
  [['row: red, turn over, fix forward', 'row: red, turn over, freeze'], by('never gets green')],
  [['situation: red, turn still out', 'row: red too long, freeze'], by('slow and red')],
  [
    ['row: red as the base was, escalate'],
    {
      ...by('proposes what stays red'),
      ...set({ ...byPull, baselineRed: 'accept' }),
      redBase: true,
    },
  ],
  [
    ['row: red as the base was, freeze'],
    { ...by('never gets green'), ...set({ baselineRed: 'accept' }), redBase: true },
  ],
  [['row: pull request overdue, escalate'], { ...by('opens a pull request that nobody merges'), ...set(byPull) }],
  [['row: pull request refused, escalate'], { ...by('is asked for changes'), ...set(byPull) }],
  [
    ['row: pull request red, fix forward', 'row: pull request red, escalate'],
    { ...by('proposes what stays red'), ...set(byPull) },
  ],
  [['row: pull request conflicting, fix forward'], { ...by('proposes what conflicts'), ...set(byPull) }],
  [
    ['row: pull request conflicting, escalate'],
    { ...by('proposes what conflicts'), ...set({ ...byPull, fixForwardMaxAttempts: 0 }) },
  ],
  [['row: pull request draft, nudge'], { ...by('proposes a draft'), ...set(byPull) }],
  [['row: pull request draft, escalate'], { ...by('proposes a draft'), ...set({ ...byPull, nudgesMax: 0 }) }],
  // Merged and red, and then a second pull request: what comes of it hangs on the run's id.
  [
    ['row: pull request red, freeze', 'row: pull request conflicting, freeze'],
    {
      ...by('is merged and red', 'is merged and red', 'is merged and red'),
      ...set({ ...byPull, fixForwardMaxAttempts: 1 }),
    },
  ],
  [['row: pull request draft, freeze'], { ...by('is merged and red'), ...set({ ...byPull, nudgesMax: 0 }) }],
  [
    ['row: pull request overdue, freeze'],
    {
      ...by('opens a pull request that nobody merges'),
      ...set(byPull),
      ...after(person(12, 'pushes something red'), person(12, 'merges the pull request')),
    },
  ],
  [
    ['row: pull request refused, freeze'],
    {
      ...by('opens a pull request that nobody merges'),
      ...set(byPull),
      ...after(
        person(12, 'pushes something red'),
        person(12, 'merges the pull request'),
        person(35, 'closes the pull request'),
      ),
    },
  ],
  [['row: no pull request, nudge', 'row: no pull request, escalate'], { ...by('pushes to a branch'), ...set(byPull) }],
  [['row: elsewhere, escalate'], by('pushes to a branch')],
  [['row: idle end, park', 'situation: parked', 'row: park over, try again'], by('meets a failing provider')],
  [['row: idle end, nudge', 'row: idle end, escalate'], by('never meets its provider')],
  [
    ['situation: over, not yet settled', 'row: silent end, nudge', 'row: silent end, escalate'],
    by('stops without pushing'),
  ],
];

/** What an interrupt by the kill switch explains is taken up again. */
const resumed: readonly Witness[] = [
  [['row: idle end, resume'], halted(1, 3)],
  [['row: silent end, resume'], halted(3, 5)],
  [['row: CI pending, resume'], halted(7, 8)],
  [
    ['row: deployment pending, resume'],
    {
      ...by('stays alive after green'),
      ...set({ environments: ['production'] }),
      deploys: true,
      ...halted(11, 12),
    },
  ],
  [['row: red, turn over, resume'], { ...by('lands after a red CI'), ...halted(14, 16) }],
  // Nothing of it is out, but for a turn that a person sent at T3.
  [['row: parked, resume'], { ...by('meets a failing provider'), ...halted(5, 7, ...personSends(4)) }],
  [['row: no pull request, resume'], { ...by('pushes to a branch'), ...set(byPull), ...halted(10, 12) }],
  [['row: pull request draft, resume'], { ...by('proposes a draft'), ...set(byPull), ...halted(6, 8) }],
  [
    ['row: pull request pending, resume'],
    { ...by('opens a pull request that is merged'), ...set(byPull), ...halted(6, 7) },
  ],
  [
    ['row: pull request waits, resume'],
    { ...by('opens a pull request that nobody merges'), ...set(byPull), ...halted(21, 23, ...personSends(20)) },
  ],
  // Merged and taken off the branch again before anybody looked.
  [
    ['row: pull request merged, resume'],
    {
      ...by('opens a pull request that nobody merges'),
      ...set(byPull),
      ...halted(6, 14, person(12, 'merges the pull request'), person(13, 'rewrites the branch')),
    },
  ],
  [
    ['row: pull request red, resume'],
    { ...by('opens a pull request whose checks are red first'), ...set(byPull), ...halted(13, 15) },
  ],
  [['row: pull request conflicting, resume'], { ...by('proposes what conflicts'), ...set(byPull), ...halted(9, 11) }],
];

const ruled: readonly Witness[] = [
  // Dead before its thread was made: the opening is owed, and not what was authorised any more.
  [
    ['ruling: cooling down'],
    after({ at: 0, kind: 'death', tick: 'poll', call: 26, when: 'die before' }, person(1, 'edits the body')),
  ],
  [['ruling: renamed'], after(person(0, 'renames the repo'))],
  [['ruling: repo unreadable'], after({ at: 0, kind: 'port down', port: 'forge', minutes: 3 })],
  [['ruling: repo paused'], after(operator(0, 'paused'))],
  [['ruling: repo archived'], after(person(0, 'archives'))],
  [['ruling: preflight failed'], after(person(0, 'demands pull requests'))],
  [['ruling: base red', 'fault: red base'], { redBase: true }],
  // Between the list and the look at the issue alone.
  [['ruling: gone'], after(atCall(10, 'deletes the issue'))],
  [['ruling: closed'], after(atCall(10, 'closes'))],
  [
    ['ruling: pull request'],
    {
      ...inOneRepo('opens a pull request that nobody merges', 'lands at once'),
      ...after(person(9, 'labels the pull request')),
    },
  ],
  [['ruling: locked'], after(person(0, 'locks'))],
  [['ruling: label gone'], after(atCall(10, 'ready off'))],
  [['ruling: hold label'], after(person(0, 'hold on'))],
  [['ruling: with a human'], { ...by('crashes'), ...after(person(3, 'ready off and on')) }],
  // Nobody could show its end for a day, and somebody opens it again.
  [
    ['ruling: already run', 'fault: doorbell down for days'],
    after(
      person(3, 'takes our rights away'),
      person(4, 'closes'),
      { at: 10, kind: 'port down for days', port: 'doorbell', hours: 26 },
      person(12, 'gives us our rights back'),
      person(13, 'reopens'),
      person(35, 'ready off'),
    ),
  ],
  [['ruling: parent'], after(person(0, 'adds a sub-issue'))],
  [['ruling: blocked'], after(person(0, 'opens a blocker'))],
  [
    ['ruling: still owed'],
    after(
      { at: 4, kind: 'port down', port: 'doorbell', minutes: 20 },
      person(5, 'closes'),
      person(9, 'reopens and labels again'),
    ),
  ],
  [['ruling: over the cap'], { ...by('lands at once', 'lands at once'), settings: { maxOpenRuns: 1 } }],
  // What authorised the first cannot be asked again once it is claimed.
  [
    ['ruling: repo busy'],
    {
      ...inOneRepo('lands at once', 'lands at once'),
      ...after({ at: 0, kind: 'calls refused', port: 'tracker', minutes: 10, share: 0.2 }),
      seed: 5,
    },
  ],
  [['ruling: not trusted'], after(person(0, 'takes the labeller’s rights away'))],
  [['ruling: trust unknown'], after({ at: 0, kind: 'calls refused', port: 'tracker', minutes: 10, share: 0.2 })],
  [['ruling: changed since'], after(person(0, 'a stranger edits the body'))],
  [['ruling: too long'], after(person(0, 'writes more than is read'))],
  [
    ['ruling: looked at before'],
    {
      ...inOneRepo('crashes', 'crashes'),
      ...after(
        { at: 20, kind: 'person', act: 'reopens and labels again', issue: 0 },
        { at: 20, kind: 'person', act: 'reopens and labels again', issue: 1 },
      ),
    },
  ],
  [['ruling: outranked'], inOneRepo('lands at once', 'lands at once')],
];

/** What has to be so before a person's act changes anything. */
const before: Partial<Record<PersonAct, PersonAct>> = {
  reopens: 'closes',
  'reopens the pull request': 'closes the pull request',
  unlocks: 'locks',
  unarchives: 'archives',
  'closes the blocker': 'opens a blocker',
  'switches issues on': 'switches issues off',
  'gives us our rights back': 'takes our rights away',
  'demands no pull requests': 'demands pull requests',
};

const acted: readonly Witness[] = [
  ...personActs.map((act): Witness => {
    const first = before[act];
    return [
      [`fault: person ${act}`],
      {
        ...by('opens a pull request that is merged', ...(act === 'moves the issue' ? (['hangs'] as const) : [])),
        ...set(byPull),
        ...after(...(first === undefined ? [] : [person(9, first)]), person(10, act)),
      },
    ];
  }),
  ...t3Acts.map((act): Witness => [[`fault: T3 ${act}`], after(onT3(4, act))]),
  [['command: unarchive'], { ci: 'falls silent', ...after(onT3(9, 'thread archived')) }],
  ...operatorActs.map((act): Witness => [[`fault: operator, ${act}`], after(operator(4, act))]),
  [['fault: person in mid-tick'], after(atCall(3, 'edits the title'))],
  [
    ['fault: operator in mid-tick'],
    after({ at: 4, kind: 'operator in mid-tick', act: 'paused', tick: 'watch', call: 3 }),
  ],
  [['fault: once it ended'], after({ at: 0, kind: 'once it ended', act: 'reopens and labels again', issue: 0 })],
];

const called: readonly Witness[] = [
  ...ticks.flatMap((tick) =>
    (['die before', 'die after'] as const).map(
      (when): Witness => [[`fault: ${tick}, ${when}`], after({ at: 0, kind: 'death', tick, call: 1, when })],
    ),
  ),
  ...ports.map((port): Witness => [[`fault: ${port} down`], after({ at: 0, kind: 'port down', port, minutes: 20 })]),
  ...ports.map((port): Witness => [[`fault: ${port} hangs`], after({ at: 0, kind: 'port hangs', port, minutes: 20 })]),
  ...(['tracker', 'forge', 'store', 'gate'] as const).map(
    (port): Witness => [
      [`fault: ${port} down for days`],
      after({ at: 4, kind: 'port down for days', port, hours: 26 }),
    ],
  ),
  ...ports
    .filter((port) => port !== 'gate')
    .map(
      (port): Witness => [
        [`fault: ${port} answer lost`],
        after({ at: 0, kind: 'answers lost', port, minutes: 20, share: 0.5 }),
      ],
    ),
  ...(['tracker', 'forge', 'executor'] as const).map(
    (port): Witness => [
      [`fault: ${port} refuses`],
      after({ at: 0, kind: 'calls refused', port, minutes: 20, share: 0.5 }),
    ],
  ),
  ...[['poll', 'poll'] as const, ['watch', 'watch'] as const, ['poll', 'watch'] as const].map(
    (at): Witness => [[`fault: overlap of ${at.join(', ')}`], after({ at: 0, kind: 'overlap', ticks: at, dies: null })],
  ),
  [
    ['fault: overlap of poll, watch, poll, watch', 'fault: overlap with a death'],
    after({ at: 0, kind: 'overlap', ticks: [...ticks, ...ticks], dies: 9 }),
  ],
  [['fault: pager broken'], { pager: true, ...after({ at: 0, kind: 'pager broken', minutes: 20 }) }],
  [['fault: id burnt'], after({ at: 0, kind: 'ids burnt', minutes: 20, share: 0.5 })],
  [
    ['fault: T3 in mid-tick'],
    after({ at: 4, kind: 'T3 in mid-tick', act: 'restarts', issue: 0, tick: 'watch', call: 3 }),
  ],
  [['fault: tick twice'], after({ at: 0, kind: 'tick twice', tick: 'poll' })],
  [['fault: tick missing'], after({ at: 0, kind: 'tick missing', tick: 'poll' })],
  [['fault: watcher first'], after({ at: 0, kind: 'watcher first' })],
  [['fault: no tick'], after({ at: 0, kind: 'no tick', minutes: 3 })],
  [['fault: clock jumps'], after({ at: 4, kind: 'clock jumps', byMs: 300_000 })],
  [['fault: slow calls', 'fault: out of time'], after({ at: 0, kind: 'slow calls', minutes: 3, seconds: 9 })],
  [['fault: stale answer'], after({ at: 2, kind: 'stale answers', minutes: 3 })],
  [['fault: partial scan'], after({ at: 2, kind: 'partial scan', minutes: 3 })],
  [['fault: blind'], after({ at: 2, kind: 'blind', minutes: 3 })],
  [['fault: rate limit'], after({ at: 2, kind: 'rate limit', minutes: 3 })],
];

/** Everything there is to meet has a history that is there to meet it, which random ones meet only now and then. */
export const witnesses: readonly Witness[] = [...waits, ...rows, ...resumed, ...ruled, ...acted, ...called];
