import { blockersIn } from '../core/blockers.ts';
import { cleanLine } from '../core/clean-text.ts';
import type { Judged } from '../core/dispatch-gates.ts';
import { ruleListed } from '../core/dispatch-policy.ts';
import { type GateRow, gateRows } from '../core/gate-facts.ts';
import type { IssueRef, RepoName, RepoRef } from '../core/issue.ts';
import type { ItemOf } from '../core/record.ts';
import { comparable } from '../core/repo-name.ts';
import { settingsFor } from '../core/settings.ts';
import { PortError, type Stored } from '../ports.ts';
import { lookCloser } from './closer.ts';
import { type HeldBack, isToBeTold } from './hold.ts';
import { paced } from './pacing.ts';
import { blockersOf, contextOf, memoryOf, type Queue, refOf } from './poll.ts';
import { emptyReport, ofKind, openRunsIn, reasonOf, type Tick, type TickContext } from './tick.ts';

/** What stands between one issue and its run: `gates` in the order in which they are asked, and the first that refuses. */
export type Explanation = { issue: string; says: string; gates: readonly GateRow[] };

/**
 * Every gate for one issue with the fact behind it, also those behind one that refuses. Reads only; `connect` should
 * give ports that cannot write (`dryRunPorts`). `disarmed` is why the real gate is shut, where `gate` is a rehearsal.
 */
export const explain = async (
  context: TickContext,
  { repo, number }: { repo: RepoName; number: number },
  disarmed: string | null,
): Promise<Explanation> => {
  const control = await context.gate.read();
  const rows: GateRow[] = [];
  const done = (): Explanation => ({ issue: `${repo}#${number}`, says: verdictOf(rows), gates: rows });
  const off = disarmed ?? (control.state === 'off' ? control.reason : null);
  rows.push({ gate: 'kill switch', passes: off === null, fact: off ?? 'the kill switch is off' });
  if (control.state === 'off') return done();
  const { allowlist, noDispatch, settings } = control;
  rows.push({
    gate: 'allowlist',
    passes: noDispatch === null,
    fact: noDispatch ?? `enrolled: ${allowlist.length}`,
  });

  const ports = await context.connect(settings);
  const { items, unreadable } = await ports.store.readNow();
  // A limit holds for a rehearsal too: what may not be asked now is told by its own row.
  const { tick } = paced({ ...context, ports, settings, report: emptyReport('poll') }, items);
  tick.report.openRuns = openRunsIn(items, unreadable);
  try {
    const found = await repoOf(tick, repo, items);
    if (found === null) {
      rows.push({ gate: 'repo', passes: false, fact: `the tracker shows no repo ${repo} to this token` });
      return done();
    }
    const { item, ref } = found;
    const queue = await queueOf(tick, ref, unreadable);
    const judgedOn = contextOf(tick, allowlist, [item], items, queue);
    const candidate = queue.candidates.find(({ issue }) => issue.number === number);
    if (candidate === undefined) {
      rows.push({ gate: 'label gone', passes: false, fact: await whyNotListed(tick, ref, number) });
      return done();
    }
    const graph: Judged['graph'] = new Map(
      queue.candidates.map((one) => [
        `${comparable(one.repo.name)}#${one.issue.number}`,
        blockersIn(one.issue.body, one.repo.name),
      ]),
    );
    rows.push(...gateRows({ ...candidate, graph, context: judgedOn }));
    const ruled = ruleListed(queue.candidates, judgedOn).find((one) => one.candidate === candidate);
    rows.push({
      gate: 'outranked',
      passes: ruled?.rank === null ? null : ruled?.rank === 0,
      fact: ruled?.rank === null ? 'only issues that pass the gates above are ranked' : (ruled?.detail ?? ''),
    });
    rows.push(await closerRow(tick, ref, { number, nodeId: candidate.issue.nodeId }, items));
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    rows.push({ gate: 'tracker', passes: null, fact: reasonOf(error) });
  }
  return done();
};

const verdictOf = (rows: readonly GateRow[]): string => {
  const first = rows.find(({ passes }) => passes === false);
  if (first !== undefined) return `it waits: ${first.gate}: ${first.fact}`;
  const unknown = rows.find(({ gate, passes }) => passes === null && gate !== 'outranked');
  return unknown === undefined
    ? 'nothing is in the way: the next poll dispatches it'
    : `it waits: not everything can be told: ${unknown.fact}`;
};

/** The repo as it is known, or as the tracker shows it where it was never looked over. */
const repoOf = async (
  tick: Tick,
  name: RepoName,
  items: readonly Stored[],
): Promise<{ item: ItemOf<'repo'>; ref: RepoRef } | null> => {
  const known = ofKind(items, 'repo').find(({ item }) => item.name === comparable(name))?.item;
  if (known !== undefined && known.id !== '') return { item: known, ref: refOf(known) };
  const resolved = await tick.ports.tracker.resolve(name);
  if (resolved === null) return null;
  const { host, id, nodeId } = resolved.repo;
  const failures = ['the repo was not looked over yet'];
  const item: ItemOf<'repo'> = {
    kind: 'repo',
    host,
    name: comparable(name),
    id,
    nodeId,
    defaultBranch: resolved.defaultBranch ?? '',
    preflight: { at: 0, failures, landing: settingsFor(tick.settings, name).landing },
  };
  return { item, ref: resolved.repo };
};

/** As the poller reads it, but also where a run holds the repo. */
const queueOf = async (
  tick: Tick,
  ref: RepoRef,
  unreadable: readonly { key: string; reason: string }[],
): Promise<Queue> => {
  const { tracker } = tick.ports;
  const { ready } = settingsFor(tick.settings, ref.name).labels;
  const scans = new Map((await tracker.scan([ref], ready)).map((scan) => [scan.id, scan]));
  const candidates = (await tracker.listReady(ref, ready)).map((issue) => ({ repo: ref, issue }));
  const parked = new Map(
    unreadable
      .filter(({ key }) => `${key}#`.includes(`#${ref.host}#${ref.id}#`))
      .map(({ reason }) => [ref.id, reason] as const),
  );
  return { scans, candidates, blockers: await blockersOf(tick, candidates), parked };
};

const whyNotListed = async (tick: Tick, ref: RepoRef, number: number): Promise<string> => {
  const { ready } = settingsFor(tick.settings, ref.name).labels;
  const issue = `${comparable(ref.name)}#${number}`;
  const state = (await tick.ports.tracker.blockerStates([issue])).get(issue) ?? 'unreadable';
  if (state === 'open') return `the issue is open, and the label ${ready} is not on it`;
  return state === 'closed' ? 'the issue is closed' : 'the tracker shows no such issue';
};

/** The closer look, as the poller takes it, with every right that was asked for. */
const closerRow = async (
  tick: Tick,
  repo: RepoRef,
  { number, nodeId }: { number: number; nodeId: string },
  items: readonly Stored[],
): Promise<GateRow> => {
  const asked: string[] = [];
  const { tracker } = tick.ports;
  const listening: Tick = {
    ...tick,
    ports: {
      ...tick.ports,
      tracker: {
        ...tracker,
        permission: async (at, login) => {
          const permission = await tracker.permission(at, login);
          asked.push(`${cleanLine(login, 60)} has ${permission.level} (${cleanLine(permission.role, 40)})`);
          return permission;
        },
      },
    },
  };
  const settings = settingsFor(tick.settings, repo.name);
  const memory = memoryOf(items, repo, number);
  const closer = await lookCloser(listening, { repo, number, nodeId }, memory, settings);
  const rights = asked.length === 0 ? '' : `; ${asked.join(', ')}`;
  if (closer.ruling === 'dispatch') {
    const fact = `${closer.how} at ${new Date(closer.act.at).toISOString()}${rights}`;
    return { gate: 'trust and text', passes: true, fact };
  }
  return {
    gate: closer.ruling,
    passes: closer.ruling === 'trust unknown' ? null : false,
    fact: `${closer.why}${rights}${await noticeWords(tick, { repo, number, nodeId }, closer.held, memory)}`,
  };
};

/** Whether people are told of it on the issue. */
const noticeWords = async (
  tick: Tick,
  issue: IssueRef,
  held: HeldBack | null,
  memory: ItemOf<'issue'> | null,
): Promise<string> => {
  if (held === null) return '';
  if (memory?.told === held.actId) return '; a comment on the issue says so';
  return (await isToBeTold(tick, issue, held, memory)) ? '; a poll says so in a comment on the issue' : '';
};
