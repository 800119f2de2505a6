import { describe, expect, test } from 'vitest';
import { Shell } from '../../lib/adapters/t3-wire.ts';
import { parseControl } from '../../lib/core/control.ts';
import type { Decision } from '../../lib/core/decide.ts';
import { lostBy } from '../../lib/core/lost-time.ts';
import { isActive } from '../../lib/core/run.ts';
import { settingsFor } from '../../lib/core/settings.ts';
import type { SituationName } from '../../lib/core/situation.ts';
import { step } from '../../lib/core/step.ts';
import { type TurnState, turnState } from '../../lib/core/turn-state.ts';
import { historyOf, memoryStore } from '../../lib/sandbox/memory-store.ts';
import type { T3Fault } from '../../lib/sandbox/t3-server.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { lookAt } from '../../lib/shell/look.ts';
import { emptyReport, ofKind } from '../../lib/shell/tick.ts';
import { recording, recordingNames } from '../sandbox/t3-recording.ts';
import { busyAgents, isCall, locks, minutes, toRest } from '../shell/minutes.ts';
import { simulationOverHttp } from '../shell/over-http.ts';
import { type Play, plays, troubles } from './plays.ts';
import { breaches, isAtRest, type Simulation, simulation, standing } from './simulation.ts';

const minuteMs = 60_000;
const repoOf = (index: number): string => `acme/${'abcdef'[index]}`;

/** What the shell says of a thread's newest turn, in the core's own words. */
const wordOf = (thread: ReturnType<typeof threadsOf>[number]): string => {
  const state: TurnState = turnState(thread, { after: null });
  return state.is === 'over' ? `over: ${state.how}` : state.is;
};
const threadsOf = (body: unknown) => [...Shell.parse(body).threads.values()];
const withoutRepeats = <T>(list: readonly T[]): T[] => list.filter((one, index) => one !== list[index - 1]);

/** The course of each thread as it was recorded; a thread that nobody wrote to yet says nothing. */
const recordedCourses = (name: string): ReadonlyMap<string, readonly string[]> => {
  const { observed, response } = recording(name);
  const shown =
    observed.length > 0
      ? observed.map(({ thread }) => [{ projectId: 'acme__widgets', ...thread }])
      : [threadsIn(response.body)];
  const courses = new Map<string, string[]>();
  for (const threads of shown)
    for (const thread of threadsOf({ projects: [], threads }))
      courses.set(thread.id, [...(courses.get(thread.id) ?? []), wordOf(thread)]);
  return new Map([...courses].map(([id, words]) => [id, withoutRepeats(words)]));
};
const threadsIn = (body: unknown): readonly unknown[] =>
  typeof body === 'object' && body !== null && 'threads' in body && Array.isArray(body.threads) ? body.threads : [];

/** One step as the watcher is about to take it, worked out beside it. */
type Judged = { repo: string; situation: SituationName; decision: Decision };

const judgedNow = async (sim: Simulation): Promise<readonly Judged[]> => {
  const control = parseControl(sim.parameters, null);
  if (control.state === 'off') throw new Error('plays are armed');
  const ports = {
    ...worldPorts(sim.world, { now: sim.now, login: 'afk-bot' }),
    store: memoryStore(sim.table, 'beside'),
    doorbells: [],
  };
  const { items } = await ports.store.readNow();
  const look = await ports.executor.look();
  const open = ofKind(items, 'run').map(({ item }) => item.run);
  const lostMs = lostBy(ofKind(items, 'lastWatch')[0]?.item, open, sim.now());
  const breaker = ofKind(items, 'breaker')[0]?.item;
  const judged: Judged[] = [];
  for (const run of open) {
    if (!isActive(run) || run.command !== null) continue;
    const settings = settingsFor(control.settings, run.repo.name);
    const executorSuspect = breaker !== undefined && breaker.streak > 0 && breaker.runId !== run.id;
    const horizon = { look, lostMs, executorDownMs: 0, executorSuspect };
    const facts = await lookAt({ ports, report: emptyReport('watch') }, run, settings, horizon, sim.now());
    const { situation, decision } = step(run, facts, settings, { now: sim.now(), by: 'beside' });
    judged.push({ repo: run.repo.name, situation: situation.name, decision });
  }
  return judged;
};

type Story = {
  courses: ReadonlyMap<string, readonly string[]>;
  judged: readonly Judged[];
  outcomes: readonly { repo: string; outcome: string; couldNotStart: boolean }[];
  /** What reports said of it: happenings, rulings that held something back, and what failed. */
  said: readonly { minute: number; what: string; why: string }[];
  /** Right before the ticks of each minute: turns that T3 shows as waiting, and locks. */
  before: readonly { minute: number; queued: number; open: number }[];
  sim: Simulation;
};

/** Both ticks, every minute, until everything is at rest; the shell is read after every single thing that happens. */
const played = async (play: Play): Promise<Story> => {
  const issues = play.agents.map((agent, index) => {
    const repo = repoOf(index);
    const labelled = play.late?.[repo] === undefined ? ('maintainer' as const) : (false as const);
    return { repo, agent, labelled };
  });
  const sim = simulation(issues, play.settings);
  const courses = new Map<string, string[]>();
  const see = (): void => {
    for (const thread of threadsOf(sim.world.t3.shell(sim.now()).body)) {
      const title = sim.world.t3.threads().find(({ id }) => id === thread.id)?.title ?? '';
      const repo = title.slice(0, title.indexOf('#'));
      const course = courses.get(repo) ?? [];
      if (course.at(-1) !== wordOf(thread)) courses.set(repo, [...course, wordOf(thread)]);
    }
  };
  const passSeeing = (ms: number): void => {
    const until = sim.now() + ms;
    for (let at = sim.world.t3.nextAt(); at !== null && at <= until; at = sim.world.t3.nextAt()) {
      sim.pass(Math.max(0, at - sim.now()));
      see();
    }
    sim.pass(until - sim.now());
  };
  const judged: Judged[] = [];
  const said: { minute: number; what: string; why: string }[] = [];
  const before: { minute: number; queued: number; open: number }[] = [];
  const late = new Map(Object.entries(play.late ?? {}));
  play.begin?.(sim);
  for (let minute = 0; minute < 400; minute += 1) {
    for (const [repo, at] of late)
      if (typeof at === 'number' ? at === minute : at(sim)) {
        late.delete(repo);
        sim.world.github.label(repo, 1, 'ready-for-agent', 'maintainer', sim.now());
      }
    play.each?.(sim, minute);
    see();
    const shown = threadsOf(sim.world.t3.shell(sim.now()).body);
    before.push({
      minute,
      queued: shown.filter((thread) => wordOf(thread) === 'queued').length,
      open: locks(sim).length,
    });
    for (const kind of ['poll', 'watch'] as const) {
      const now = kind === 'watch' ? await judgedNow(sim) : [];
      const report = await sim.invoke(kind);
      if (report === 'died') throw new Error('nobody dies here');
      // What was released runs a second time, in a thread and a comment of its own.
      expect(breaches(sim).filter((breach) => !/^2 (threads|comments) /.test(breach))).toEqual([]);
      const decided = report.happened.flatMap(({ what, why }) => (what === 'decided' ? [why.split(':')[0]] : []));
      expect(decided.toSorted()).toEqual(
        now.flatMap(({ decision }) => (decision === 'wait' ? [] : [decision])).toSorted(),
      );
      judged.push(...now);
      said.push(
        ...report.happened.map(({ what, why }) => ({ minute, what, why })),
        ...report.rulings.map(({ ruling, detail }) => ({ minute, what: 'ruled', why: `${ruling}: ${detail}` })),
        ...report.failed.map(({ what, reason }) => ({ minute, what, why: reason })),
      );
      see();
    }
    if (late.size === 0 && isAtRest(sim)) break;
    passSeeing(minuteMs);
  }
  expect(isAtRest(sim), 'it comes to rest').toBe(true);
  const outcomes = historyOf(sim.table).map(({ repo, outcome, couldNotStart }) => ({
    repo: repo.name,
    outcome,
    couldNotStart,
  }));
  return { courses, judged, outcomes, said, before, sim };
};

/** The states of `course`, in order, with others between them. */
const contains = (course: readonly string[], states: readonly string[]): boolean => {
  let next = 0;
  for (const word of course) if (word === states[next]) next += 1;
  return next === states.length;
};

const stories = new Map<Play, Promise<Story>>();
/** Played once, whoever asks first. */
const storyOf = (play: Play): Promise<Story> => {
  const known = stories.get(play) ?? played(play);
  stories.set(play, known);
  return known;
};

const titleOf = ({ recordings, how }: Play): string => [...recordings, how].join(', ');

describe('every recorded course, played through the stand-in and the real watcher', () => {
  test.each(plays.map((play) => [titleOf(play), play] as const))('%s', async (_, play) => {
    const { courses } = await storyOf(play);
    for (const name of play.recordings) {
      const shown = [...recordedCourses(name)].flatMap(([id, words]) => {
        const repo = play.shows === undefined ? repoOf(0) : play.shows[id];
        return repo === undefined ? [] : [{ repo, words }];
      });
      if (recordedCourses(name).size > 0) expect(shown.length, `${name} shows a thread`).toBeGreaterThan(0);
      for (const { repo, words } of shown)
        expect(contains(courses.get(repo) ?? [], words), `${name}: ${words} in ${courses.get(repo)}`).toBe(true);
    }
  });

  test('no recording that shows a course is left out, but for those of ways that AFK never goes', () => {
    const courses = recordingNames.filter((name) => recordedCourses(name).size > 0);
    const isPlayed = new Set(plays.flatMap(({ recordings }) => recordings));
    expect(courses.filter((name) => !isPlayed.has(name))).toEqual(Object.keys(neverGone).toSorted());
  });
});

const neverGone: Readonly<Record<string, string>> = {
  'bootstrap-thread-exists': 'AFK never asks for a bootstrap',
  'websocket-bootstrap': 'AFK speaks only HTTP',
  'shell-mixed-states': 'ends of five recordings that are played each on its own',
  'thread-create-project-deleted': 'AFK makes no thread in a project that is not in the shell',
  'turn-start-project-deleted': 'AFK starts no turn where the project is not in the shell',
};

describe('executor health', () => {
  const [wedge, deleted] = troubles;

  test('a wedged server is sent nothing more, with one line a tick that says so; no issue is charged, and it recovers by itself', async () => {
    const { outcomes, said, before, sim } = await storyOf(wedge!);
    const minutesOf = (some: readonly { minute: number }[]): number[] => some.map(({ minute }) => minute);
    // Two turns wait, and did a minute ago: which minutes those are is a matter of other deadlines.
    const isWaiting = (minute: number): boolean => (before[minute]?.queued ?? 0) >= 2;
    const wedged = before.filter(({ minute }) => isWaiting(minute) && isWaiting(minute - 1));
    expect(wedged.length).toBeGreaterThan(10);
    const told = minutesOf(wedged.filter(({ open }) => open > 0));
    expect(minutesOf(said.filter(({ what }) => what === 'executor'))).toEqual(told);
    expect(
      minutesOf(
        said.filter(({ what, why }) => what === 'ruled' && /^executor unavailable: T3 is wedged: 2 turns/.test(why)),
      ),
    ).toEqual(told);
    const begun = minutesOf(said.filter(({ what }) => what === 'dispatched'));
    expect(begun.filter((minute) => isWaiting(minute))).toEqual([]);
    // Whether what waits lasts until it recovers, or goes back to the queue before, is a matter of deadlines, too.
    expect(
      outcomes
        .filter(({ outcome }) => outcome !== 'released')
        .map(({ repo, outcome }) => `${repo} ${outcome}`)
        .toSorted(),
    ).toEqual(['acme/a escalated', 'acme/b done', 'acme/c done', 'acme/d done']);
    expect(busyAgents(sim)).toEqual([]);
  });

  test('a deleted thread holds its lock until a person says that its agent is out', async () => {
    const { outcomes, said, sim } = await storyOf(deleted!);
    expect(outcomes).toEqual([{ repo: 'acme/a', outcome: 'escalated', couldNotStart: false }]);
    expect(said.filter(({ what }) => what === 'ended').map(({ minute }) => minute)).toEqual([12]);
    expect(sim.rung[0]).toMatch(/^agent not seen out/);
  });

  test('a token about to end is warned of a week ahead, once an hour', async () => {
    const sim = simulation([{ repo: web, agent: 'hangs', labelled: false }]);
    const endsAt = sim.now() + 8 * dayMs;
    sim.intercept(async (call, pass) =>
      isCall(call, 'executor', 'health') ? { version: '0.0.32', canOperate: true, tokenExpiresAt: endsAt } : pass(),
    );
    const warnings = async (hours: number) => (await minutes(sim, hours * 60, { every: 5 })).failed;
    expect(await warnings(23)).toEqual([]);
    sim.pass(2 * 3_600_000);
    const warned = await warnings(6);
    expect(warned).toHaveLength(6);
    expect(new Set(warned)).toEqual(new Set(['T3 token: it ends in 6 days: mint a new one on the T3 host']));
    sim.pass(7 * dayMs);
    expect((await warnings(1))[0]).toBe('T3 token: it ends in 0 days: mint a new one on the T3 host');
  });
});

const web = 'acme/web';
const dayMs = 24 * 3_600_000;

/** What T3 says in mid-run, over HTTP and through the real client, and what the ticks make of it meanwhile. */
type Fault = {
  what: string;
  answer: (sim: Simulation) => T3Fault | null;
  says: RegExp;
  /** Minutes it lasts; what hangs takes real time. */
  lasts: number;
  t3TimeoutMs?: number;
};
const json = { 'content-type': 'application/json' };
const shellSaying = (change: (text: string) => string) => (sim: Simulation) => ({
  status: 200,
  headers: json,
  body: change(JSON.stringify(sim.world.t3.shell(sim.now()).body)),
});
const faults: readonly Fault[] = [
  {
    what: 'it takes the connection and never answers',
    answer: () => 'hang',
    says: /^executor: PortError: .*no whole answer within/,
    lasts: 3,
    t3TimeoutMs: 250,
  },
  {
    what: 'it answers 401',
    answer: () => ({
      status: 401,
      headers: json,
      body: JSON.stringify({ _tag: 'EnvironmentAuthInvalidError', code: 'auth_invalid', reason: 'invalid_credential' }),
    }),
    says: /^executor: PortError: T3 answered 401: the token is not accepted .* mint one/,
    lasts: 30,
  },
  {
    what: 'its shell says words nobody knows',
    answer: shellSaying((text) => text.replaceAll('"running"', '"pondering"').replaceAll('"completed"', '"mused"')),
    says: /^$/,
    lasts: 15,
  },
  {
    what: 'its shell shows the thread in a shape nobody knows',
    answer: shellSaying((text) => text.replaceAll('"latestUserMessageAt"', '"askedAt"')),
    says: /^unreadable thread /,
    lasts: 30,
  },
];

describe('T3 in trouble while a run is out: a tick never crashes, nothing counts as an end, and afterwards it goes on', () => {
  test.each(faults.map((fault) => [fault.what, fault] as const))(
    '%s',
    async (_, { answer, says, lasts, t3TimeoutMs }) => {
      const { sim, faults: at } = await simulationOverHttp(
        [{ repo: web, agent: 'takes its time' }],
        {},
        t3TimeoutMs === undefined ? {} : { t3TimeoutMs },
      );
      await minutes(sim, 3);
      at.t3 = ({ path }) => (path === '/api/orchestration/shell' ? answer(sim) : null);
      const { failed, happened } = await minutes(sim, lasts, { kinds: ['watch'] });
      at.t3 = () => null;
      expect(failed.filter((line) => says.test(line)).length).toBe(says.test('') ? 0 : lasts);
      expect(failed.filter((line) => !says.test(line))).toEqual([]);
      expect(happened).toEqual([]);
      const { reports } = await toRest(sim, 120);
      expect(reports.flatMap(({ ended }) => ended.map(({ outcome, restarts }) => [outcome, restarts]))).toEqual([
        ['done', 0],
      ]);
    },
  );

  test('words nobody knows that stay are a stall like any other: interrupted, and handed back with the lock held until the agent is out', async () => {
    const { sim, faults: at } = await simulationOverHttp([{ repo: web, agent: 'hangs' }]);
    await minutes(sim, 3);
    at.t3 = ({ path }) =>
      path === '/api/orchestration/shell'
        ? shellSaying((text) => text.replace(/"status":"(running|ready|starting|stopped)"/g, '"status":"pondering"'))(
            sim,
          )
        : null;
    const { reports } = await minutes(sim, 60, { kinds: ['watch'] });
    const decided = reports.flatMap(({ happened }) =>
      happened.flatMap(({ what, why }) => (what === 'decided' ? [why] : [])),
    );
    expect(decided).toEqual(['restart: nothing moved for 20 min']);
    expect([sim.rung.length, locks(sim).length]).toEqual([1, 1]);
    at.t3 = () => null;
    await toRest(sim, 30);
    expect([standing(sim, web, 1), busyAgents(sim), locks(sim)]).toEqual(['handed back', [], []]);
  });
});

describe('the page', () => {
  test('docs/t3-outcomes.md says what these tests saw (`npx vitest run test/simulation/recordings.test.ts -u` writes it anew)', async () => {
    const rows = async (some: readonly Play[]): Promise<string[]> => {
      const lines: string[] = [];
      for (const play of some) lines.push(`| ${(await cellsOf(play)).join(' | ')} |`);
      return lines;
    };
    const page = [
      '# What becomes of T3’s turns of events',
      '',
      'Every course of events that was recorded from a T3 Code v0.0.32 server, played through the stand-in and the real',
      'watcher, tick by tick, until nothing is owed any more. A test writes this page and fails where it is out of date.',
      '',
      'The *course* is what the shell shows of the thread in the words of the code: the recorded states are among them, in',
      'their order. The *first telling situation* is the first that asks for more than waiting; the *decisions* are all that',
      'followed. What the words mean is in the [glossary](glossary.md), how to act on what is handed back in',
      '[operating it](operate.md).',
      '',
      ...head,
      ...(await rows(plays)),
      '',
      '## Not recorded as a course',
      '',
      'Known of T3 from single recordings, and played in the same way.',
      '',
      ...head,
      ...(await rows(troubles)),
      '',
    ].join('\n');
    await expect(page).toMatchFileSnapshot('../../docs/t3-outcomes.md');
  });
});

const head = [
  '| Recording | What happens | Course of its thread | First telling situation | Decisions | Outcome |',
  '|---|---|---|---|---|---|',
];

/** A play as a row; with several repos, what became of each. */
const cellsOf = async (play: Play): Promise<string[]> => {
  const { courses, judged, outcomes } = await storyOf(play);
  const repos = play.agents.map((_, index) => repoOf(index));
  const each = (of: (repo: string) => string): string =>
    repos.length === 1 ? of(repos[0]!) : repos.map((repo) => `${repo}: ${of(repo) || '·'}`).join('<br>');
  const telling = judged.filter(({ decision }) => decision !== 'wait');
  const ofRepo = <T extends { repo: string }>(list: readonly T[], repo: string): T[] =>
    list.filter((one) => one.repo === repo);
  return [
    play.recordings.map((name) => `\`${name}\``).join(', ') || '·',
    play.how,
    each((repo) => (courses.get(repo) ?? []).join(' → ')),
    each((repo) => ofRepo(telling, repo)[0]?.situation ?? ''),
    each((repo) =>
      ofRepo(telling, repo)
        .map(({ decision }) => decision)
        .join(', '),
    ),
    each((repo) =>
      ofRepo(outcomes, repo)
        .map(({ outcome }) => outcome)
        .join(', '),
    ),
  ];
};
