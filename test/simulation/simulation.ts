import { createHash } from 'node:crypto';
import { parseControl, type Stamp } from '../../lib/core/control.ts';
import { markerOfAct, noticeIdOf } from '../../lib/core/ids.ts';
import type { Notice } from '../../lib/core/notification.ts';
import type { Gate, Ports, Tracker } from '../../lib/ports.ts';
import type { Ci } from '../../lib/sandbox/github-ci.ts';
import { findRepo } from '../../lib/sandbox/github-state.ts';
import { type MemoryTable, memoryStore, memoryTable } from '../../lib/sandbox/memory-store.ts';
import { type Agent, agentLogin, type SandboxWorld, sandboxWorld } from '../../lib/sandbox/world.ts';
import { worldPorts } from '../../lib/sandbox/world-ports.ts';
import { poll } from '../../lib/shell/poll.ts';
import type { Report } from '../../lib/shell/tick.ts';
import { watch } from '../../lib/shell/watch.ts';

const minuteMs = 60_000;
const epoch = Date.UTC(2026, 0, 5, 9, 0);
const login = 'afk-bot';

/** The process is gone: nothing it would still have done happens. */
export class Death extends Error {
  override readonly name = 'Death';
}

/** Decides before each port call of one invocation: go on, die before it, or die right after it took hold. */
export type Fate = (call: { number: number; port: string; method: string }) => Verdict | Promise<Verdict>;
type Verdict = 'live' | 'die before' | 'die after';

/** `labelled` false leaves it without the ready label; `form` has its author's issue form put it on. */
export type Issue = {
  repo: string;
  agent: Agent;
  title?: string;
  body?: string;
  author?: string;
  labelled?: 'maintainer' | 'form' | false;
};

/** `name` is a doorbell's own; null for the other ports. */
export type Call = { port: string; name: string | null; method: string; args: readonly unknown[] };

/** Stands between a port and its caller: passes the call on, refuses it, or answers in its place. */
export type Intercept = (call: Call, pass: () => Promise<unknown>) => Promise<unknown>;

export type SimulationOptions = {
  /** After so long an invocation is ended from outside, as Lambda does; without it none runs out of time. */
  timeoutMs?: number;
  /** Names of the doorbells; one by default. */
  bells?: readonly string[];
  /** Every green push is deployed to production. */
  deploys?: boolean;
  /** What CI of a repo does about every push but the first. */
  laterCi?: Readonly<Record<string, Ci>>;
  /** The world's ports by another way than its state, e.g. over HTTP. */
  portsOver?: (
    world: SandboxWorld,
    time: { now: () => number; login: string },
  ) => Pick<Ports, 'tracker' | 'forge' | 'executor'>;
};

/** Both ticks, the real core and shell, and a world in memory whose clock jumps. */
export const simulation = (
  issues: readonly Issue[],
  settings: Record<string, unknown> = {},
  options: SimulationOptions = {},
) => {
  const cast = new Map<string, Agent>();
  const counts = new Map<string, number>();
  for (const { repo, agent } of issues) {
    counts.set(repo, (counts.get(repo) ?? 0) + 1);
    cast.set(`${repo}#${counts.get(repo)}`, agent);
  }
  const world = sandboxWorld({ at: epoch, token: 't3', cast });
  const { github } = world;
  github.addUser(login, { token: 'gh' });
  github.addUser(agentLogin);
  github.addUser('maintainer');
  github.addUser('stranger');
  github.addUser('triager');
  for (const repo of counts.keys()) {
    world.addRepo(
      repo,
      {
        permissions: { [login]: 'write', maintainer: 'maintain', triager: 'triage', [agentLogin]: 'write' },
        deploys: options.deploys === true,
        ...(options.laterCi?.[repo] && { laterCi: options.laterCi[repo] }),
      },
      epoch,
    );
    issues
      .filter((issue) => issue.repo === repo)
      .forEach(({ author = 'maintainer', title, body = 'Please mend it.', labelled = 'maintainer' }, index) => {
        const number = index + 1;
        const form = labelled === 'form' && { labels: ['ready-for-agent'], labelledVia: 'form' as const };
        github.openIssue(repo, { author, title: title ?? `Issue ${number}`, body, ...form }, epoch);
        if (labelled === 'maintainer') github.label(repo, number, 'ready-for-agent', 'maintainer', epoch + 1000);
      });
  }

  let now = epoch + 2 * minuteMs;
  let invocations = 0;
  let drawn = 0;
  let calls = 0;
  let deaths = 0;
  const rung: string[] = [];
  const rungBy: { bell: string; notice: Notice }[] = [];
  const untimely: string[] = [];
  let intercept: Intercept = (_, pass) => pass();
  const mirroring = new Map<string, number>();
  let atOnce = 0;
  let pause = async (): Promise<void> => undefined;
  let skewMs = 0;
  let lostNext: { what: 'startTurn' | 'answer'; times: number; afterMs: number } | null = null;
  const table: MemoryTable = memoryTable();
  const parameters = new Map([
    ['/afk/control/kill-switch', 'false'],
    ['/afk/control/allowlist', [...counts.keys()].join(',')],
    [
      '/afk/control/settings',
      JSON.stringify({
        t3Url: 'http://127.0.0.1:3773',
        maxOpenRuns: 20,
        defaults: { model: 'a-model', workspaceRoot: '/srv/checkouts/{owner}__{name}', agentLogins: [agentLogin] },
        ...settings,
      }),
    ],
  ]);
  // Parsing is pure: done again only for other texts.
  let stamp: Stamp | null = null;
  let read = { texts: '', control: parseControl(parameters, null, stamp) };
  const control = () => {
    const texts = [...parameters.values(), stamp?.version].join('\0');
    if (texts !== read.texts) read = { texts, control: parseControl(parameters, null, stamp) };
    return read.control;
  };
  const { bells = ['bell'], portsOver = worldPorts } = options;
  const ports = portsOver(world, { now: () => now, login });

  /** Against the real service this is several requests: two at once on one issue could both post a comment. */
  const ensureMirror: Tracker['ensureMirror'] = async (issue, mirror, commentId) => {
    const writers = (mirroring.get(issue.nodeId) ?? 0) + 1;
    mirroring.set(issue.nodeId, writers);
    if (writers > 1) atOnce += 1;
    for (let request = 0; request < 3; request += 1) await pause();
    return ports.tracker
      .ensureMirror(issue, mirror, commentId)
      .finally(() => mirroring.set(issue.nodeId, (mirroring.get(issue.nodeId) ?? 1) - 1));
  };

  const losing = async (method: string, pass: () => Promise<unknown>): Promise<unknown> => {
    const answer = await pass();
    if (lostNext?.what !== method) return answer;
    // T3 takes what it was told in hand some 15 ms later.
    now += lostNext.afterMs;
    lostNext = lostNext.times > 1 ? { ...lostNext, times: lostNext.times - 1 } : null;
    world.settle(now);
    world.t3.restart(now);
    return answer;
  };

  /** One invocation with ports of its own, which all stop working at its death. */
  const invoke = async (kind: 'poll' | 'watch', fate: Fate = () => 'live'): Promise<Report | 'died'> => {
    invocations += 1;
    const by = `invocation-${invocations}`;
    const begunAt = now;
    const leftMs = (): number => (options.timeoutMs === undefined ? 50_000 : options.timeoutMs - (now - begunAt));
    const mortal = mortalPorts(
      async (call) => {
        const verdict = await fate(call);
        return leftMs() < 0 ? 'die before' : verdict;
      },
      () => (calls += 1),
      (call, pass) => intercept(call, () => losing(call.method, pass)),
    );
    const gate: Gate = mortal('gate', { read: async () => control() });
    const mine: Ports = {
      store: mortal('store', memoryStore(table, by)),
      tracker: mortal('tracker', { ...ports.tracker, ensureMirror }),
      forge: mortal('forge', ports.forge),
      executor: mortal('executor', ports.executor),
      doorbells: bells.map((name) =>
        mortal('doorbell', {
          name,
          ring: async (notice: Notice) => {
            if (!isStored(table, notice))
              untimely.push(`${name} rang for an end that was not stored: ${notice.headline}`);
            rung.push(notice.headline);
            rungBy.push({ bell: name, notice });
          },
        }),
      ),
    };
    const context = {
      gate,
      connect: async () => mine,
      now: () => now + skewMs,
      by,
      newRunId: () => createHash('sha256').update(`run-${++drawn}`).digest('hex').slice(0, 32),
      timeLeftMs: leftMs,
    };
    try {
      const report = await (kind === 'poll' ? poll(context) : watch(context));
      return mortal.isDead() ? 'died' : report;
    } catch (error) {
      if (error instanceof Death) return 'died';
      throw error;
    } finally {
      if (mortal.isDead()) deaths += 1;
    }
  };

  return {
    world,
    table,
    parameters,
    /** An operator writes the kill switch; the store stamps it. */
    flip: (value: 'true' | 'false'): void => {
      parameters.set('/afk/control/kill-switch', value);
      stamp = { version: (stamp?.version ?? 1) + 1, changedAt: now };
    },
    /** Whether an operator wrote the kill switch within the last half hour. */
    isFlipped: (): boolean => stamp !== null && now + skewMs - stamp.changedAt < 30 * minuteMs,
    bells,
    rung,
    rungBy,
    /** From now on every port call goes through this. */
    intercept: (by: Intercept): void => {
      intercept = by;
    },
    /** How often two invocations wrote to one issue's mirror at the same time. */
    mirroredAtOnce: () => atOnce,
    /** What was rung for before it was true, in words. */
    untimely,
    invoke,
    /** What happens between the requests of one call that is several. */
    onPause: (between: () => Promise<void>): void => {
      pause = between;
    },
    now: () => now,
    /** How many invocations there were. */
    invocations: () => invocations,
    worldNow: () => now,
    /** From now on our clock differs from the world's by so much. */
    skew: (ms: number): void => {
      skewMs = ms;
    },
    /** Agents are cast by the issue's name; a renamed repo keeps its cast. */
    renamed: (from: string, to: string): void => {
      for (const [key, agent] of [...cast]) if (key.startsWith(`${from}#`)) cast.set(key.replace(from, to), agent);
    },
    /** T3 restarts so soon after it accepted the next turns or answers, and has lost them; after 15 ms a session starts. */
    loseNext: (what: 'startTurn' | 'answer', times = 1, afterMs = what === 'answer' ? 5 : 30): void => {
      lostNext = { what, times, afterMs };
    },
    /** How many invocations died. */
    deaths: () => deaths,
    /** How many port calls all invocations made so far. */
    calls: () => calls,
    pass: (ms: number = minuteMs): void => {
      now += ms;
      world.settle(now);
    },
    issues: [...cast.keys()].map((key) => ({ repo: key.split('#')[0] ?? '', number: Number(key.split('#')[1]) })),
  };
};

export type Simulation = ReturnType<typeof simulation>;

const mortalPorts = (fate: Fate, count: () => number, intercept: Intercept) => {
  let dead = false;
  const wrap = <T extends object>(port: string, target: T): T =>
    new Proxy(target, {
      get: (from, method) => {
        const value: unknown = Reflect.get(from, method);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (dead) throw new Death();
          const verdict = await fate({ number: count(), port, method: String(method) });
          if (dead) throw new Death();
          if (verdict === 'die before') {
            dead = true;
            throw new Death();
          }
          const answer: unknown = await intercept(
            { port, name: nameOf(target), method: String(method), args },
            async () => Reflect.apply(value, from, args),
          );
          if (verdict === 'die after') {
            dead = true;
            throw new Death();
          }
          return answer;
        };
      },
    });
  return Object.assign(wrap, { isDead: () => dead });
};

/** Whoever follows a doorbell to the history has to find there what it rang for. */
const isStored = (table: MemoryTable, { id }: Notice): boolean =>
  !id.startsWith('afk-ended-') || [...table.history.keys()].some((runId) => noticeIdOf(runId, 'ended') === id);

const nameOf = (target: object): string | null => ('name' in target ? String(target.name) : null);

/** What must hold after every tick; returns what does not, in words. */
export const breaches = ({ world, issues, mirroredAtOnce, untimely }: Simulation): readonly string[] => {
  const wrong: string[] = [...untimely];
  if (mirroredAtOnce() > 0) wrong.push('two invocations wrote to one mirror at once');
  const busy = Map.groupBy(
    world.t3.liveAgents().filter((agent) => agent.busy),
    (agent) => agent.workspaceRoot,
  );
  for (const [root, agents] of busy) if (agents.length > 1) wrong.push(`${agents.length} live agents in ${root}`);
  const threads = world.t3.threads();
  for (const { repo, number } of issues) {
    const ours = threads.filter(({ title }) => title.startsWith(`${repo}#${number}: `));
    if (ours.length > 1) wrong.push(`${ours.length} threads for ${repo}#${number}`);
    for (const { id } of ours) {
      const asked = world.t3.messagesOf(id).filter(({ role }) => role === 'user');
      if (new Set(asked.map((message) => message.id)).size !== asked.length)
        wrong.push(`a turn of ${repo}#${number} was asked for twice`);
    }
    const comments = commentsOf(world, repo, number);
    if (comments.length <= 1) continue;
    // The notice of a held labelling stands beside a run's comment: each has a first line of its own.
    for (const [, same] of Map.groupBy(comments, ({ body }) => body.split('\n', 1)[0]))
      if (same.length > 1) wrong.push(`${same.length} comments with one marker on ${repo}#${number}`);
    const acts = findRepo(world.github.state, repo)?.issues.get(number)?.events ?? [];
    const holds = new Set(acts.map(({ nodeId }) => markerOfAct(nodeId)));
    const ofRuns = comments.filter(({ body }) => !holds.has(body.split('\n', 1)[0] ?? ''));
    if (ofRuns.length > Math.max(1, ours.length))
      wrong.push(`${ofRuns.length} comments on ${repo}#${number}, and ${ours.length} runs`);
  }
  return wrong;
};

export const issueIn = (world: SandboxWorld, name: string, number: number) => {
  const repo = [...world.github.state.repos.values()].find((one) => one.name === name);
  const issue = repo?.issues.get(number);
  if (issue === undefined) throw new Error(`no issue ${name}#${number}`);
  return issue;
};

export const commentsOf = (world: SandboxWorld, name: string, number: number) => {
  // A repo may have been renamed or deleted meanwhile; its comments went with it.
  const issue = findRepo(world.github.state, name)?.issues.get(number);
  return [...world.github.state.comments.values()].filter(
    (comment) => comment.issueId === issue?.id && (comment.author === login || comment.author === 'afk[bot]'),
  );
};

/**
 * Ticks until every issue has come to rest, or `maxMinutes` have passed; checks the invariants after each tick, or what
 * `wrongNow` says instead.
 */
export const runToRest = async (
  sim: Simulation,
  options: { maxMinutes?: number; everyMinutes?: number; fate?: Fate; wrongNow?: () => readonly string[] } = {},
): Promise<readonly string[]> => {
  const { maxMinutes = 240, everyMinutes = 1, fate, wrongNow = () => breaches(sim) } = options;
  for (let minute = 0; minute < maxMinutes; minute += everyMinutes) {
    for (const kind of ['poll', 'watch'] as const) {
      await sim.invoke(kind, fate);
      const wrong = wrongNow();
      if (wrong.length > 0) return wrong;
    }
    if (isAtRest(sim)) return [];
    sim.pass(everyMinutes * minuteMs);
  }
  return [`not at rest after ${maxMinutes} minutes`];
};

/** Nothing waits, runs, or is owed. */
export const isAtRest = ({ table, world, issues }: Simulation): boolean =>
  ![...table.rows.keys()].some((key) => key.startsWith('run#') || key.startsWith('owed#')) &&
  issues.every(({ repo, number }) => {
    const issue = issueIn(world, repo, number);
    return issue.state === 'closed' || !issue.labels.some((label) => label.name === 'ready-for-agent');
  });

/** How an issue stands on the tracker. */
export const standing = ({ world }: Simulation, repo: string, number: number): 'done' | 'handed back' | string =>
  standingOf(issueIn(world, repo, number));

export const standingOf = ({ state, labels: on }: ReturnType<typeof issueIn>): 'done' | 'handed back' | string => {
  const labels = on.map((label) => label.name).sort();
  if (state === 'closed' && labels.length === 0) return 'done';
  if (state === 'open' && labels.join() === 'ready-for-human') return 'handed back';
  return `${state} [${labels.join(', ')}]`;
};
