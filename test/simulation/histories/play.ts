import { noticeIdOf } from '../../../lib/core/ids.ts';
import { PortError } from '../../../lib/ports.ts';
import { historyOf as endedRunsOf } from '../../../lib/sandbox/memory-store.ts';
import type { Report } from '../../../lib/shell/tick.ts';
import { type Fate, type Intercept, type Simulation, type SimulationOptions, simulation } from '../simulation.ts';
import { acting, placesOf } from './acts.ts';
import { cast, ciOf } from './cast.ts';
import { type Dice, dice } from './dice.ts';
import { clear, type Weather, weatherAt, weathering } from './faults.ts';
import type { Fault, History } from './history.ts';
import { httpWorld } from './http-world.ts';
import { isPassing, isProgrammersError, notAtRest, watching } from './invariants.ts';
import { lasting } from './lasting.ts';
import { offScript } from './scripted.ts';

/** What came of a history: what did not hold (empty is well), what was met on the way, and the story in lines. */
export type Played = {
  wrong: readonly string[];
  met: ReadonlySet<string>;
  story: readonly string[];
  invocations: number;
};

const minuteMs = 60_000;

/**
 * Plays a history to its rest, and judges the world after each invocation. The same history gives the same, to the byte,
 * but for the order of calls of ticks that overlap where it is played `overHttp`, by the real adapters.
 */
export const play = async (
  history: History,
  { isTold = false, overHttp = false }: { isTold?: boolean; overHttp?: boolean } = {},
): Promise<Played> => {
  if (!overHttp) return playOn(staged(history), history, isTold);
  const world = httpWorld();
  const stage = staged(history, world.portsOver);
  await world.begin();
  const played = await playOn(stage, history, isTold).finally(() => world.stop());
  return { ...played, wrong: [...played.wrong, ...world.undocumented()] };
};

const playOn = async (stage: Stage, history: History, isTold: boolean): Promise<Played> => {
  const { sim, met } = stage;
  const story = isTold ? teller(sim) : null;
  const wrong: string[] = [];
  const invoke: Invoke = async (kind, fate, mood) => {
    const [callsBefore, begun, isFlipped] = [sim.calls(), sim.now(), sim.isFlipped()];
    try {
      noteOwed(stage);
      const report = await sim.invoke(kind, fate);
      wrong.push(...stage.watcher.breaches());
      if (report === 'died') {
        story?.line(`the ${kind} died`);
        if (sim.now() - begun > 50_000) met.add('fault: out of time');
        return null;
      }
      // Only a watcher halts what is out, and only after a flip.
      const isInert =
        report.state === 'off' && mood !== 'overlap' && (kind === 'poll' || !(isFlipped || sim.isFlipped()));
      if (isInert && sim.calls() - callsBefore !== 1)
        wrong.push(`an inert ${kind} made ${sim.calls() - callsBefore} calls`);
      story?.report(report);
      cover(report, met);
      for (const { what, reason } of report.failed) if (isProgrammersError(reason)) wrong.push(`${what}: ${reason}`);
      for (const { what } of report.failed) {
        if (what.startsWith('unreadable item')) wrong.push(what);
        const givenUp = /^mirror of (.*) given up$/.exec(what)?.[1];
        if (givenUp === undefined) continue;
        stage.state.givenUp.add(givenUp);
        const owed = [...stage.state.owedSince.values()].filter(({ name }) => name === givenUp);
        if (!owed.some(({ at }) => sim.now() - at > givenUpMsMin)) wrong.push(`${givenUp} given up too early`);
      }
      return report;
    } catch (error) {
      if (!(error instanceof PortError) || mood === 'calm') wrong.push(`the ${kind} threw ${String(error)}`);
      story?.line(`the ${kind} failed: ${String(error)}`);
      return null;
    }
  };
  const finished = (): Played => {
    for (const { outcome } of endedRunsOf(sim.table)) met.add(`end: ${outcome}`);
    return { wrong, met, story: story?.lines ?? [], invocations: sim.invocations() };
  };

  await chaos(history, stage, invoke, wrong, (line) => story?.line(line));
  if (wrong.length > 0) return finished();
  await calm(history, stage, invoke, wrong, (line) => story?.line(line));
  return finished();
};

/** A mirror that is refused is tried for a day, by clocks that may differ somewhat. */
const givenUpMsMin = 23 * 3_600_000;

const noteOwed = ({ sim, state }: Stage): void => {
  for (const key of keysOf(sim, 'owed#')) {
    if (state.owedSince.has(key)) continue;
    const { repo, issue } = JSON.parse(sim.table.rows.get(key) ?? '{}').data.run;
    state.owedSince.set(key, { name: `${repo.name}#${issue.number}`, at: sim.now() });
  }
};

/** Whether other invocations are under way at the same time, and whether anything may go wrong. */
type Mood = 'chaos' | 'overlap' | 'calm';
type Invoke = (kind: 'poll' | 'watch', fate: Fate, mood: Mood) => Promise<Report | null>;

type Stage = ReturnType<typeof staged>;

const usdPerMillionTokens = 5;

const defaults = (history: History): Record<string, unknown> => ({
  model: 'a-model',
  workspaceRoot: '/srv/checkouts/{owner}__{name}',
  agentLogins: ['agent-bot'],
  ...history.repoSettings,
});

const staged = (history: History, portsOver?: SimulationOptions['portsOver']) => {
  const issues = history.issues.map((issue) => ({ ...issue, agent: cast(issue.agent) }));
  const laterCi = ciOf(history.ci);
  const sim = simulation(
    issues,
    { ...history.settings, defaults: defaults(history) },
    {
      deploys: history.deploys,
      timeoutMs: 55_000,
      ...(history.pager === true && { bells: ['bell', 'pager'] }),
      ...(portsOver && { portsOver }),
      ...(laterCi && { laterCi: Object.fromEntries(history.issues.map(({ repo }) => [repo, laterCi])) }),
    },
  );
  const met = new Set<string>();
  const places = placesOf(sim);
  const shipped = new Map(sim.parameters);
  const people = acting(sim, places, shipped);
  const state: Situated = {
    weather: clear,
    isFresh: true,
    isControlFresh: true,
    isT3Fresh: true,
    onceEnded: [],
    givenUp: new Set(),
    owedSince: new Map(),
  };
  if (history.redBase) {
    people.person('pushes something red', 0);
    sim.pass(5 * minuteMs);
    met.add('fault: red base');
  }
  const settings = { maxOpenRuns: 20, maxRunsPerDay: 20, budgetUsdPerDay: 100, ...history.settings };
  const watcher = watching({
    sim,
    truthIsFresh: () => state.isFresh,
    controlIsFresh: () => state.isControlFresh,
    executorIsFresh: () => state.isT3Fresh,
    maxOpenRuns: Number(settings.maxOpenRuns),
    maxRunsPerDay: Number(settings.maxRunsPerDay),
    budgetUsdPerDay: Number(settings.budgetUsdPerDay),
    usdPerMillionTokens,
    isNoCiAccepted: history.repoSettings['noCi'] === 'accept',
    environments: 'environments' in history.repoSettings ? ['production'] : [],
  });
  const throws = dice(history.seed * 31 + 7);
  const weather = weathering(() => state.weather, throws, {
    met: (what) => void met.add(`fault: ${what}`),
    takeTime: (ms) => sim.pass(ms),
  });
  const counted: Intercept = async (call, pass) => {
    // What is read now is the truth again, whoever acted before within this invocation.
    if (call.port === 'tracker' && call.method === 'detail') state.isFresh = true;
    if (call.port === 'gate') state.isControlFresh = true;
    if (call.port === 'executor' && call.method === 'look') state.isT3Fresh = true;
    if (call.port === 'executor' && !reads.has(call.method)) met.add(`command: ${call.method}`);
    return weather(call, pass);
  };
  sim.intercept(watcher.intercept(counted));
  return { sim, met, places, people, watcher, state, throws, shipped };
};

/** What holds at the moment, beside the world. */
type Situated = {
  weather: Weather;
  /** Nobody acted since the invocation under way looked last: at the issue, the control parameters, T3. */
  isFresh: boolean;
  isControlFresh: boolean;
  isT3Fresh: boolean;
  /** Names of issues that could not be shown an end for a day, and since when the world owes them one. */
  givenUp: Set<string>;
  owedSince: Map<string, { name: string; at: number }>;
  /** What people will do once the run of an issue is over. */
  onceEnded: Extract<Fault, { kind: 'once it ended' }>[];
};

const reads: ReadonlySet<string> = new Set(['look', 'detail', 'whereabouts', 'health']);

/** The part of a history in which things go wrong, minute by minute. */
const chaos = async (
  { minutes, faults }: History,
  stage: Stage,
  invoke: Invoke,
  wrong: readonly string[],
  tell: (line: string) => void,
): Promise<void> => {
  const { sim, met, state } = stage;
  let skewMs = 0;
  for (let minute = 0; minute < minutes && wrong.length === 0; minute += 1) {
    const now = faults.filter(({ at }) => at === minute);
    state.weather = weatherNow(faults, minute, sim.now());
    for (const fault of now) {
      const what = happen(fault, stage);
      if (what !== null) tell(what);
      if (fault.kind === 'clock jumps') {
        skewMs += fault.byMs;
        sim.skew(skewMs);
        met.add('fault: clock jumps');
        tell(`our clock jumps by ${fault.byMs / 1000} s`);
      }
      if (fault.kind === 'port down for days') await longOutage(fault, stage, invoke, tell);
    }
    reactToEnds(stage, tell);
    if (!isPassedOver(faults, minute)) await ticksOf(now, stage, invoke, tell);
    else met.add('fault: no tick');
    sim.pass(minuteMs);
  }
  state.weather = clear;
  sim.skew(0);
};

const weatherNow = (faults: readonly Fault[], minute: number, nowMs: number): Weather =>
  faults.some((fault) => 'minutes' in fault && fault.kind !== 'no tick') ? weatherAt(faults, minute, nowMs) : clear;

/** People act upon the end of a run: they label again, reopen, close. */
const reactToEnds = ({ sim, state, people, met }: Stage, tell: (line: string) => void): void => {
  if (state.onceEnded.length === 0) return;
  const ended = endedRunsOf(sim.table);
  state.onceEnded = state.onceEnded.filter(({ act, issue }) => {
    const { nodeId } = people.issueOf(issue);
    const isOver =
      ended.some((run) => run.issue.nodeId === nodeId) &&
      !keysOf(sim, 'run#').some((key) => sim.table.rows.get(key)?.includes(`"nodeId":"${nodeId}"`));
    if (!isOver || !people.person(act, issue)) return !isOver;
    met.add('fault: once it ended');
    tell(`its run over, a person ${act} (issue ${issue})`);
    return false;
  });
};

const isPassedOver = (faults: readonly Fault[], minute: number): boolean =>
  faults.some((fault) => fault.kind === 'no tick' && minute >= fault.at && minute < fault.at + fault.minutes);

/** What people and T3 do before the ticks of a minute; in words, or null where it is no such thing. */
const happen = (fault: Fault, { people, met, state }: Stage): string | null => {
  switch (fault.kind) {
    case 'operator':
      people.operator(fault.act);
      met.add(`fault: operator, ${fault.act}`);
      return `the operator: ${fault.act}`;
    case 'person':
      if (!people.person(fault.act, fault.issue)) return null;
      met.add(`fault: person ${fault.act}`);
      return `a person ${fault.act} (issue ${fault.issue})`;
    case 'once it ended':
      state.onceEnded.push(fault);
      return null;
    case 'T3':
      if (!people.onT3(fault.act, fault.issue)) return null;
      met.add(`fault: T3 ${fault.act}`);
      return `T3: ${fault.act} (issue ${fault.issue})`;
    default:
      return null;
  }
};

/** A port that is down for longer than the longest deadline, looked at every three minutes. */
const longOutage = async (
  fault: Extract<Fault, { kind: 'port down for days' }>,
  { sim, state, met }: Stage,
  invoke: Invoke,
  tell: (line: string) => void,
): Promise<void> => {
  const before = state.weather;
  state.weather = { ...before, down: new Set([...before.down, fault.port]) };
  met.add(`fault: ${fault.port} down for days`);
  tell(`${fault.port} is down for ${fault.hours} h`);
  for (let look = 0; look * 170_000 < fault.hours * 3_600_000; look += 1) {
    // The poller comes along now and then: it must neither begin what it cannot see to nor forget anything.
    if (look % 4 === 0) await invoke('poll', alive, 'chaos');
    await invoke('watch', alive, 'chaos');
    sim.pass(170_000);
  }
  state.weather = before;
};

const alive: Fate = () => 'live';

const ticksOf = async (
  now: readonly Fault[],
  stage: Stage,
  invoke: Invoke,
  tell: (line: string) => void,
): Promise<void> => {
  const { state, met } = stage;
  for (const kind of orderOf(now)) {
    await invoke(kind, fateOf(kind, now, stage, tell), 'chaos');
    state.isFresh = true;
    state.isControlFresh = true;
    state.isT3Fresh = true;
  }
  for (const { kind } of now)
    if (kind === 'watcher first' || kind === 'tick twice' || kind === 'tick missing') met.add(`fault: ${kind}`);
  for (const fault of now)
    if (fault.kind === 'overlap') {
      tell(`at once: ${fault.ticks.join(', ')}`);
      stage.met.add(`fault: overlap of ${fault.ticks.join(', ')}`);
      await overlapped(fault, stage, invoke, tell);
    }
};

const orderOf = (now: readonly Fault[]): readonly ('poll' | 'watch')[] => {
  const order: ('poll' | 'watch')[] = now.some(({ kind }) => kind === 'watcher first')
    ? ['watch', 'poll']
    : ['poll', 'watch'];
  return order.flatMap((tick) => {
    if (now.some((fault) => fault.kind === 'tick missing' && fault.tick === tick)) return [];
    return now.some((fault) => fault.kind === 'tick twice' && fault.tick === tick) ? [tick, tick] : [tick];
  });
};

/** Dies, or has a person act, at the call that the history names. */
const fateOf = (
  kind: 'poll' | 'watch',
  now: readonly Fault[],
  { people, met, state }: Stage,
  tell: (line: string) => void,
): Fate => {
  const death = now.find((fault) => fault.kind === 'death' && fault.tick === kind);
  const meddling = now.find((fault) => fault.kind === 'in mid-tick' && fault.tick === kind);
  const operating = now.find((fault) => fault.kind === 'operator in mid-tick' && fault.tick === kind);
  const atT3 = now.find((fault) => fault.kind === 'T3 in mid-tick' && fault.tick === kind);
  if ([death, meddling, operating, atT3].every((fault) => fault === undefined)) return alive;
  let calls = 0;
  return ({ port, method }) => {
    calls += 1;
    if (
      meddling?.kind === 'in mid-tick' &&
      calls === meddling.call + 1 &&
      people.person(meddling.act, meddling.issue)
    ) {
      state.isFresh = false;
      met.add('fault: person in mid-tick');
      tell(`before ${port}.${method} of the ${kind}, a person ${meddling.act} (issue ${meddling.issue})`);
    }
    if (operating?.kind === 'operator in mid-tick' && calls === operating.call + 1) {
      people.operator(operating.act);
      state.isControlFresh = false;
      met.add('fault: operator in mid-tick');
      tell(`before ${port}.${method} of the ${kind}, the operator: ${operating.act}`);
    }
    if (atT3?.kind === 'T3 in mid-tick' && calls === atT3.call + 1 && people.onT3(atT3.act, atT3.issue)) {
      state.isT3Fresh = false;
      met.add('fault: T3 in mid-tick');
      tell(`before ${port}.${method} of the ${kind}, T3: ${atT3.act} (issue ${atT3.issue})`);
    }
    if (death?.kind !== 'death' || calls !== death.call + 1) return 'live';
    met.add(`fault: ${kind}, ${death.when}`);
    tell(`the ${kind} dies: ${death.when} ${port}.${method}`);
    return death.when;
  };
};

/** Several invocations at once, whose calls take turns as the dice fall. */
const overlapped = async (
  { ticks, dies }: Extract<Fault, { kind: 'overlap' }>,
  { sim, throws, met }: Stage,
  invoke: Invoke,
  tell: (line: string) => void,
): Promise<void> => {
  const waiting: (() => void)[] = [];
  const inTurn = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  let calls = 0;
  const fate: Fate = async ({ port, method }) => {
    await inTurn();
    calls += 1;
    if (dies === null || calls !== dies + 1) return 'live';
    met.add('fault: overlap with a death');
    tell(`one of them dies after ${port}.${method}`);
    return 'die after';
  };
  let left = ticks.length;
  sim.onPause(inTurn);
  const all = ticks.map(async (kind) => {
    await inTurn();
    await invoke(kind, fate, 'overlap');
    left -= 1;
  });
  while (left > 0) {
    await settled();
    next(waiting, throws)?.();
  }
  await Promise.all(all);
  sim.onPause(async () => undefined);
};

const next = (waiting: (() => void)[], throws: Dice): (() => void) | undefined =>
  waiting.splice(throws.int(Math.max(1, waiting.length)), 1)[0];

/** Everything that does not wait for its turn has gone as far as it can. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** So much longer than the sum of the deadlines of one run that only something stuck takes it. */
const restMsMax = 62 * 3_600_000;

/** Nothing goes wrong any more; people see to what asks for people. Then everything has to come to rest. */
const calm = async (
  history: History,
  stage: Stage,
  invoke: Invoke,
  wrong: string[],
  tell: (line: string) => void,
): Promise<void> => {
  const { sim, people, places } = stage;
  people.operator('values back');
  tell('from here on everything works; the operator puts the values back');
  for (const [index] of places.entries()) {
    people.person('unarchives', index);
    people.person('switches issues on', index);
    people.person('gives us our rights back', index);
    people.person('unlocks', index);
    // Who answers to nothing blocks the whole server until somebody kills it on the host.
    if (history.issues[index]?.agent === 'goes deaf')
      for (const thread of people.threadsOf(index)) sim.world.t3.killAgent(thread.id, sim.now());
  }
  const from = sim.now();
  const overstayed = lasting(sim, people, places, { budgetUsd: 20, usdPerMillionTokens, ...history.repoSettings });
  let same = 0;
  let was = '';
  while (sim.now() - from < restMsMax && wrong.length === 0) {
    reactToEnds(stage, tell);
    const polled = await invoke('poll', alive, 'calm');
    const watched = await invoke('watch', alive, 'calm');
    wrong.push(...overstayed());
    if (wrong.length > 0) return;
    const isBusy = keysOf(sim, 'run#').length > 0;
    seeToStuck(stage, tell);
    const rulings = rulingsOf(sim, polled);
    const trouble = notAtRest(sim, people, places, rulings, stage.state.givenUp);
    // Issues that wait for a person take turns in being looked at again.
    const waits = [...rulings].map(([issue, ruling]) => `${issue} ${isPassing(ruling) ? ruling : 'waits'}`).sort();
    const standing = JSON.stringify([waits, trouble]);
    const isOwing = keysOf(sim, 'owed#').length > 0;
    same = !isBusy && !isOwing && standing === was ? same + 1 : 0;
    was = standing;
    // In-progress labels without a run are looked for once an hour only, and a refusal is forgotten within a quarter.
    if (same >= 4) {
      wrong.push(...trouble, ...offScript(history, people, rulings));
      return;
    }
    const isQuiet = (watched?.happened.length ?? 0) + (polled?.happened.length ?? 0) === 0;
    sim.pass(stepMs({ isBusy, isQuiet, isSettled: same > 0 || isOwing }));
  }
  if (wrong.length === 0) wrong.push(`not at rest after ${restMsMax / 3_600_000} h: ${keysOf(sim, '').join(', ')}`);
};

/** Looks at open runs that are further apart than three minutes would be an outage of ours. */
const stepMs = ({ isBusy, isQuiet, isSettled }: { isBusy: boolean; isQuiet: boolean; isSettled: boolean }): number => {
  if (isBusy) return isQuiet ? 170_000 : minuteMs;
  return (isSettled ? 25 : 5) * minuteMs;
};

const keysOf = ({ table }: Simulation, prefix: string): readonly string[] =>
  [...table.rows.keys()].filter(
    (key) => key.startsWith(prefix) && !key.startsWith('issue#') && !key.startsWith('repo#'),
  );

/** Whoever is called to a run whose agent is not seen out goes to the host, and says so on the issue. */
const seeToStuck = ({ sim, people, places }: Stage, tell: (line: string) => void): void => {
  for (const key of keysOf(sim, 'run#')) {
    const run = JSON.parse(sim.table.rows.get(key) ?? '{}').data?.run;
    if (run?.phase !== 'ending' || run.stuck !== true) continue;
    const index = places.findIndex(
      ({ repoId, number }) => String(repoId) === run.repo.id && number === run.issue.number,
    );
    // A doorbell that does not ring calls nobody.
    const isCalled = sim.rungBy.some(({ notice }) => notice.id === noticeIdOf(run.id, 'stuck'));
    if (index < 0 || !isCalled) continue;
    tell(`somebody comes to the host for issue ${index}`);
    people.comesToTheHost(index);
  }
};

const rulingsOf = (sim: Simulation, report: Report | null): ReadonlyMap<string, string> =>
  new Map(
    (report?.rulings ?? []).flatMap(({ repo, issue, ruling }) => {
      const id = sim.world.github.state.names.get(repo.toLowerCase());
      return [[`${repo}#${issue}`, ruling] as const, [`${issue}@${id}`, ruling] as const];
    }),
  );

/** Which situations, decisions, orders and rulings a report tells of. */
const cover = (report: Report, met: Set<string>): void => {
  for (const { situation } of report.looks) met.add(`situation: ${situation}`);
  for (const { ruling } of report.rulings) met.add(`ruling: ${ruling}`);
  for (const { what, why, run } of report.happened) {
    met.add(what === 'decided' ? `decision: ${why.split(':')[0]}` : `happening: ${what}`);
    const seen = report.looks.findLast((look) => look.run === run);
    if (what === 'decided' && seen !== undefined) met.add(`row: ${seen.situation}, ${why.split(':')[0]}`);
  }
};

/** Who did what when, one line each. */
const teller = (sim: Simulation) => {
  const lines: string[] = [];
  const begun = sim.now();
  const rulings = new Map<string, string>();
  let failures: readonly string[] = [];
  const line = (text: string): void => {
    const minutes = (sim.now() - begun) / minuteMs;
    const clock = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(Math.floor(minutes % 60)).padStart(2, '0')}`;
    lines.push(`${clock}  ${text}`);
  };
  const report = ({ tick, state, reason, happened, failed, rulings: ruled }: Report): void => {
    if (state === 'off') line(`${tick}: inert, ${reason}`);
    for (const { repo, issue, ruling, detail } of ruled) {
      const key = `${repo}#${issue}`;
      if (rulings.get(key) === ruling) continue;
      rulings.set(key, ruling);
      line(`${tick}: ${key} ${ruling}: ${detail}`);
    }
    for (const { repo, issue, what, why } of happened) line(`${tick}: ${repo}#${issue} ${what}: ${why}`);
    // What fails in the same way minute after minute is told once.
    const now = failed.map(({ what, reason: why }) => `${tick}: failed, ${what}: ${why}`);
    for (const failure of now) if (!failures.includes(spanless(failure))) line(failure);
    failures = [...failures.filter((failure) => !failure.startsWith(tick)), ...now.map(spanless)];
  };
  return { lines, line, report };
};

const spanless = (failure: string): string => failure.replace(/ for \d+ h:/, ':');
