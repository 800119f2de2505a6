import { type DispatchContext, ruleListed } from '../../lib/core/dispatch-policy.ts';
import type { RepoRef } from '../../lib/core/issue.ts';
import { isActive } from '../../lib/core/run.ts';
import { type RepoSettings, settingsFor } from '../../lib/core/settings.ts';
import { step } from '../../lib/core/step.ts';
import { lookAt } from '../../lib/shell/look.ts';
import { emptyReport, type Report } from '../../lib/shell/tick.ts';
import { coldStartLines } from './cold-start.ts';
import { type Cost, type Stage, scanStage, services, stage } from './stage.ts';

type Row = { what: string; cost: Cost; runs?: number; target?: number; notes?: string };

const rows: Row[] = [];
const missed: string[] = [];

const add = (row: Row): void => {
  rows.push(row);
  if (row.target !== undefined && row.cost.total !== row.target)
    missed.push(`${row.what}: ${row.cost.total} calls, the target is ${row.target}`);
};

const expectThat = (holds: boolean, what: string): void => {
  if (!holds) missed.push(what);
};

const withStage = async (options: Parameters<typeof stage>[0], work: (on: Stage) => Promise<void>): Promise<void> => {
  const on = await stage(options);
  try {
    await work(on);
  } finally {
    await on.close();
  }
};

const plainPoll = '  the plain way: a list of each repo';
const plainWatch = '  the plain way: a full read of each open run';

const disarmed = (): Promise<void> =>
  withStage({ repos: 100, ready: 3, armed: false }, async (on) => {
    for (const kind of ['poll', 'watch'] as const) {
      const { cost, report } = await on.counted(kind);
      add({ what: `disarmed, ${kind}`, cost, target: 1 });
      expectThat(report.state === 'off', 'disarmed: the tick was not off');
    }
  });

/** Nothing to do: `github` requests to GitHub at most, beside one to each of the other services that are asked. */
const idle = (repos: number, github: number): Promise<void> =>
  withStage({ repos }, async (on) => {
    for (const kind of ['poll', 'watch'] as const) {
      const { cost, report } = await on.counted(kind);
      add({ what: `idle, ${many(repos, 'repo')}, ${kind}`, cost, target: kind === 'poll' ? 2 + github : 2 });
      expectThat(
        report.state === 'on' && report.failed.length === 0,
        `idle, ${repos} repos: ${JSON.stringify(report.failed)}`,
      );
    }
    add({ what: plainPoll, cost: await on.plain() });
    if (repos === 1000) await hourAndProcess(on);
  });

const notes: string[] = [];

/** What an hour of idle ticks costs of GitHub's budget, and what one tick takes in a process of its own. */
const hourAndProcess = async (on: Stage): Promise<void> => {
  const [poll] = [rows.find(({ what }) => what === 'idle, 1000 repos, poll')!];
  const share = (poll.cost.points * 60) / 5000;
  notes.push(
    `1,000 repos, idle: ${poll.cost.points * 60} points an hour, ${(share * 100).toFixed(0)} % of 5,000 (at most 15 %).`,
  );
  expectThat(share <= 0.15, `1,000 repos cost ${(share * 100).toFixed(0)} % of the hourly points`);
  const { wallMs, rssMib, failed } = await on.alone();
  notes.push(
    `1,000 repos, one poll in a process of its own: ${(wallMs / 1000).toFixed(1)} s (under 5 s), ${rssMib.toFixed(0)} MiB at most (under 200 MiB).`,
  );
  expectThat(wallMs < 5000 && rssMib < 200 && failed.length === 0, '1,000 repos take too long, or too much memory');
};

/** Two in a hundred repos have a run that works; another poll and another watch of the same minute. */
const busy = (repos: number): Promise<void> =>
  withStage({ repos, ready: repos / 50 }, async (on) => {
    await on.counted('poll');
    for (const minute of [1, 2]) {
      on.pass(minute * 60_000);
      await on.counted('watch');
    }
    on.pass();
    for (const kind of ['poll', 'watch'] as const) {
      const { cost, report } = await on.counted(kind);
      add({ what: `2 % busy, ${repos} repos, ${kind}`, cost });
      if (kind === 'poll') add({ what: plainPoll, cost: await on.plain() });
      else add({ what: plainWatch, cost: await on.plainWatch() });
      expectThat(report.openRuns === repos / 50 || kind === 'poll', `2 % busy: ${report.openRuns} open runs`);
    }
  });

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** The scan by itself, of more repos than one allowlist holds. */
const scanAlone = async (repos: number): Promise<void> => {
  const on = await scanStage(repos);
  try {
    const begun = performance.now();
    const { requests, points, found } = await on.scan();
    const seconds = (performance.now() - begun) / 1000;
    notes.push(
      `the scan alone, ${repos.toLocaleString('en')} repos: ${requests} requests, ${points} points, ${seconds.toFixed(1)} s beside the stand-in in one process.`,
    );
    expectThat(
      requests === repos / 100 && points === repos / 100 && found === repos,
      'the scan alone missed its target',
    );
  } finally {
    await on.close();
  }
};

/** One issue from its dispatch to the last thing owed for it, tick by tick. */
const oneRun = (): Promise<void> =>
  withStage({ repos: 1, ready: 1, agent: 'lands at once' }, async (on) => {
    const dispatch = await on.counted('poll');
    add({ what: 'a poll with one dispatch', cost: dispatch.cost });
    expectThat(has(dispatch.report, 'dispatched'), 'one dispatch: it was not dispatched');
    const ending: Cost[] = [];
    for (let minute = 0; minute < 40; minute += 1) {
      on.pass();
      const { cost, report } = await on.counted('watch');
      if (ending.length > 0 || report.happened.some(({ what, why }) => what === 'decided' && why.startsWith('end ')))
        ending.push(cost);
      if (ending.length > 0 && has(report, 'mirrored') && has(report, 'ended')) break;
    }
    add({ what: `an end, ${ending.length} watches from its decision to its last debt`, cost: sum(ending) });
  });

/** A watcher tick with so many runs in one and the same steady state, on average of three. */
const steady = (runs: number, phase: 'working' | 'CI pending'): Promise<void> =>
  withStage({ repos: runs, ready: runs, agent: phase === 'working' ? 'hangs' : 'lands at once' }, async (on) => {
    await on.counted('poll');
    // The push is 6 min after the dispatch, the turn's end 7, the end of CI 10; ticks over 3 min apart would be an outage.
    const ticks = phase === 'working' ? [3, 5] : [3, 6, 8, 9];
    for (const [index, minute] of ticks.entries()) {
      on.pass((minute - (ticks[index - 1] ?? 0)) * 60_000);
      await on.counted('watch');
    }
    on.pass();
    const { cost, report } = await on.counted('watch');
    add({ what: `${phase}, ${runs} open ${runs === 1 ? 'run' : 'runs'}, watch`, cost, runs });
    expectThat(
      report.openRuns === runs && report.happened.length === 0,
      `${phase}: something happened, so that this was no steady state`,
    );
    expectThat(cost.calls.T3 === 1, `${phase}, ${runs} runs: ${cost.calls.T3} reads of T3, the target is 1`);
    if (runs === 20) add({ what: plainWatch, cost: await on.plainWatch(), runs });
    if (phase === 'CI pending' && runs === 20) await timeSteps(on);
  });

/** A watcher tick for which every one of so many runs has pushed since the last. */
const allChanged = (runs: number): Promise<void> =>
  withStage({ repos: runs, ready: runs, agent: 'lands at once' }, async (on) => {
    await on.counted('poll');
    for (const minutes of [3, 2]) {
      on.pass(minutes * 60_000);
      await on.counted('watch');
    }
    on.pass(2 * 60_000);
    const { cost, report } = await on.counted('watch');
    add({ what: `all ${runs} open runs changed, watch`, cost, runs });
    const moved = new Set(report.happened.map(({ repo }) => repo)).size;
    expectThat(moved === runs, `all changed: ${moved} of ${runs} runs moved`);
    add({ what: plainWatch, cost: await on.plainWatch(), runs });
  });

const has = (report: Report, what: string): boolean => report.happened.some((happening) => happening.what === what);

const sum = (costs: readonly Cost[]): Cost => ({
  calls: {
    SSM: total(costs, (cost) => cost.calls.SSM),
    DynamoDB: total(costs, (cost) => cost.calls.DynamoDB),
    'GitHub REST': total(costs, (cost) => cost.calls['GitHub REST']),
    'GitHub GraphQL': total(costs, (cost) => cost.calls['GitHub GraphQL']),
    T3: total(costs, (cost) => cost.calls.T3),
  },
  total: total(costs, (cost) => cost.total),
  points: total(costs, (cost) => cost.points),
  githubBytes: total(costs, (cost) => cost.githubBytes),
  bytes: total(costs, (cost) => cost.bytes),
});
const total = <T>(list: readonly T[], of: (one: T) => number): number => list.reduce((all, one) => all + of(one), 0);

const times: string[] = [];

/** Microseconds per item: the best of several rounds, since everything else on the machine only ever adds. */
const time = (what: string, items: number, work: () => void): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round += 1) {
    const begun = performance.now();
    work();
    best = Math.min(best, performance.now() - begun);
  }
  const each = (best * 1000) / items;
  times.push(`${what.padEnd(52)} ${each.toFixed(1).padStart(8)} µs each ${best.toFixed(1).padStart(8)} ms in all`);
  return best;
};

/** Steps of 200 runs as they are stored, each on what the world really shows of it. */
const timeSteps = async (on: Stage): Promise<void> => {
  const control = await on.gate.read();
  if (control.state === 'off') throw new Error('the stage is disarmed');
  const ports = await on.connect(control.settings, 'bench');
  const { items } = await ports.store.readNow();
  const look = await ports.executor.look();
  const seen = await Promise.all(
    items.flatMap(({ item }) => {
      if (item.kind !== 'run' || !isActive(item.run)) return [];
      const { run } = item;
      const settings = settingsFor(control.settings, run.repo.name);
      const horizon = { look, lostMs: 0, executorDownMs: 0, executorSuspect: false };
      const looked = lookAt({ ports, report: emptyReport('watch') }, run, settings, horizon, on.now());
      return [looked.then((facts) => ({ run, facts, settings }))];
    }),
  );
  const all = Array.from({ length: 10 }, () => seen).flat();
  time(`step, ${all.length} runs`, all.length, () => {
    for (const { run, facts, settings } of all) step(run, facts, settings, { now: on.now(), by: 'bench' });
  });
};

const timeRulings = (): void => {
  const of = (repos: number): number => {
    const settings: Pick<RepoSettings, 'paused' | 'labels'> = {
      paused: false,
      labels: { ready: 'ready-for-agent', inProgress: 'agent-in-progress', human: 'ready-for-human', hold: 'afk-hold' },
    };
    const refs = Array.from(
      { length: repos },
      (_, index): RepoRef => ({ host: 'github.com', id: `${index}`, nodeId: `R_${index}`, name: `acme/repo-${index}` }),
    );
    const body = `It breaks.\n\n## Steps\n\n1. Start it.\n2. See it break.\n\n${'Some more words of a usual length. '.repeat(20)}\n\nBlocked by #1`;
    const candidates = refs.flatMap((repo) =>
      Array.from({ length: 10 }, (_, index) => ({
        repo,
        issue: {
          nodeId: `I_${repo.id}_${index}`,
          number: index + 1,
          title: 'Mend it',
          body: index === 0 ? 'It breaks.' : body,
          labels: ['ready-for-agent', `priority:${index % 4}`],
          updatedAt: '2026-01-05T09:00:00Z',
          isPullRequest: false,
          locked: false,
          openBlockers: 0,
          openSubIssues: 0,
        },
      })),
    );
    const context: DispatchContext = {
      now: 0,
      executor: null,
      enrolled: new Set(refs.map(({ name }) => name)),
      repos: new Map(
        refs.map(({ id, nodeId, name }) => [
          id,
          {
            enrolledAs: name,
            scan: {
              id,
              nodeId,
              name,
              archived: false,
              issuesEnabled: true,
              defaultBranch: { name: 'main', head: '0'.repeat(40) },
              readyCount: 10,
            },
            preflight: [],
            settings,
            openRun: null,
            unreadable: null,
          },
        ]),
      ),
      memories: new Map(),
      owed: new Set(),
      blockers: new Map(),
      openRuns: 0,
      maxOpenRuns: 5,
      runsToday: 0,
      maxRunsPerDay: 20,
      usdToday: 0,
      budgetUsdPerDay: 100,
    };
    return time(`ruleListed, ${repos} repos with 10 issues each`, candidates.length, () =>
      ruleListed(candidates, context),
    );
  };
  const growth = of(1000) / of(100);
  times.push(`ruleListed grows by ${growth.toFixed(1)} from 100 to 1,000 repos (10 is linear)`);
};

const openRuns = [1, 20, 50, 500];

const cells = ({ what, cost, runs, target }: Row): string[] => [
  what,
  ...services.map((service) => String(cost.calls[service] || '·')),
  String(cost.total),
  String(cost.points || '·'),
  runs === undefined ? '' : (cost.total / runs).toFixed(1),
  target === undefined ? '' : String(target),
  cost.githubBytes.toLocaleString('en'),
  cost.bytes.toLocaleString('en'),
];
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const measure = async (): Promise<void> => {
  await disarmed();
  await idle(1, 1);
  await idle(100, 1);
  await idle(1000, 10);
  for (const repos of [100, 1000]) await busy(repos);
  await scanAlone(5000);
  await oneRun();
  for (const phase of ['working', 'CI pending'] as const) for (const runs of openRuns) await steady(runs, phase);
  await allChanged(20);
  timeRulings();
};

/**
 * What a tick costs, counted at the sockets of this process with the real adapters over HTTP: calls by service, and
 * bytes in both directions. Says it, and returns the exit code: 1 where a number misses its target. Calls and bytes are
 * exact and the same every time; the times are noisy, and only their order of magnitude says anything.
 */
export const costs = async (): Promise<number> => {
  await measure();
  const table = [
    ['calls', ...services, 'all', 'points', 'per run', 'target', 'GitHub bytes', 'bytes'],
    ...rows.map(cells),
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  for (const row of table) say(line(row));
  const idleOf = (repos: number): Cost => rows.find(({ what }) => what === `idle, ${repos} repos, poll`)!.cost;
  const [few, most] = [idleOf(100), idleOf(1000)];
  say('');
  say(
    `From 100 to 1,000 repos an idle poll grows from ${few.total} to ${most.total} calls, and by ${(most.bytes / few.bytes).toFixed(1)} in bytes.`,
  );
  for (const phase of ['working', 'CI pending']) {
    const of = (runs: number): Cost => rows.find((row) => row.what.startsWith(phase) && row.runs === runs)!.cost;
    const last = openRuns.at(-1)!;
    const [one, tenth, most] = [of(1), of(last / 10), of(last)];
    // What a tick asks for all runs together, and what each further run adds.
    const perRun = (most.total - one.total) / (last - 1);
    say(
      `${phase}: from ${last / 10} to ${last} open runs a watch grows by ${(most.total / tenth.total).toFixed(1)} in calls and ${(most.bytes / tenth.bytes).toFixed(1)} in bytes (10 is linear); each further run adds ${perRun.toFixed(1)} calls, and T3 is read ${most.calls.T3 === 1 ? 'once' : `${most.calls.T3} times`} whatever their number.`,
    );
    expectThat(most.total / tenth.total <= 10, `${phase}: calls grow faster than the number of open runs`);
  }
  for (const text of notes) say(text);
  say('');
  say('Times, best of seven rounds; noisy, on whatever else this machine does:');
  for (const text of times) say(text);
  say('');
  for (const text of await coldStartLines()) say(text);
  say('');
  for (const text of missed) say(`MISSED  ${text}`);
  if (missed.length === 0) say('Every target is met.');
  return missed.length === 0 ? 0 : 1;
};
