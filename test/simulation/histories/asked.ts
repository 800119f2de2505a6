import { commandIdOf, markerOf, messageIdOf, noticeIdOf, threadIdOf } from '../../../lib/core/ids.ts';
import type { Item } from '../../../lib/core/record.ts';
import type { OpenRun } from '../../../lib/core/run.ts';
import type { Call, Simulation } from '../simulation.ts';

/**
 * Record, then act, judged call by call: whatever is asked of the executor, shown on the tracker or rung to people has
 * to follow from a record that stands in the store by then. An act that nobody recorded is lost or doubled by a crash.
 */
export const asking = (sim: Simulation, wrong: (what: string) => void) => {
  const recorded = new Set<string>();
  const byMarker = new Map<string, OpenRun>();
  const byTurn = new Map<string, OpenRun>();
  const owedAsDone = new Set<string>();
  const noted = new Set<string>();

  /** A record was written. */
  const stored = (item: Item): void => {
    if (item.kind === 'owed') note(noticeIdOf(item.run.id, 'ended'), item.rings);
    if (item.kind === 'run' && item.run.phase === 'ending') note(noticeIdOf(item.run.id, 'stuck'), item.run.stuckRings);
    if (item.kind === 'owed') {
      const { id, turn, outcome } = item.run;
      recorded.add(noticeIdOf(id, 'ended'));
      if (turn !== null) recorded.add(commandIdOf(id, turn.n, 'archive', 0));
      if (outcome === 'done') owedAsDone.add(markerOf(id));
    }
    if (item.kind !== 'run') return;
    const { run } = item;
    byMarker.set(markerOf(run.id), run);
    if (run.phase === 'claimed' || run.turn === null) return;
    const { n, thread } = run.turn;
    recorded.add(threadIdOf(run.id, thread));
    byTurn.set(`${threadIdOf(run.id, thread)} ${messageIdOf(run.id, n)}`, run);
    if (run.command !== null) recorded.add(commandIdOf(run.id, n, run.command.order, run.command.attempt));
    if (run.halt !== null) recorded.add(commandIdOf(run.id, n, `halt-${run.halt.at}`, run.halt.interrupts));
    if (run.phase === 'ending' && run.stuck) recorded.add(noticeIdOf(run.id, 'stuck'));
  };

  const note = (id: string, rings: Readonly<Record<string, boolean>>): void => {
    for (const [bell, hasRung] of Object.entries(rings)) if (hasRung) noted.add(`${bell} ${id}`);
  };

  /** A call is about to be made. */
  const before = ({ port, name, method, args }: Call): void => {
    const [first, second] = args;
    if (port === 'doorbell' && noted.has(`${name} ${textAt(first, 'id')}`))
      wrong('a doorbell rings again for what is stored as rung');
    if (port === 'doorbell' && !recorded.has(textAt(first, 'id')))
      wrong('a doorbell rings for what is not stored as such');
    if (port === 'executor') {
      const threadId = textAt(first, 'threadId');
      if (method === 'createThread' && !recorded.has(threadId)) wrong(`a thread that no run has: ${threadId}`);
      if (method === 'startTurn') {
        const run = byTurn.get(`${threadId} ${textAt(first, 'messageId')}`);
        if (run === undefined) wrong(`a turn that no run has: ${textAt(first, 'messageId')}`);
        else if (byMarker.get(markerOf(run.id))?.command?.order !== 'start') wrong('a turn that its run does not owe');
      }
      if (orders.has(method) && !recorded.has(textAt(first, 'commandId')))
        wrong(`${method} under an id that no record has: ${textAt(first, 'commandId')}`);
    }
    if (port === 'tracker' && method === 'ensureMirror') shown(second);
  };

  const shown = (mirror: unknown): void => {
    const { labels, comment, state } = mirror as {
      labels: { add: readonly string[] };
      comment: { marker: string } | null;
      state: string;
    };
    if (state === 'closed' && (comment === null || !owedAsDone.has(comment.marker)))
      wrong('an issue is closed for a run that is not stored as done');
    if (!labels.add.includes('agent-in-progress')) return;
    const run = comment === null ? undefined : byMarker.get(comment.marker);
    if (run === undefined) {
      wrong('an issue shows in progress, and no run is stored');
      return;
    }
    const isStuck = run.phase === 'ending' && run.stuck;
    const hasThread = sim.world.t3.threads().some(({ id }) => id.endsWith(`-${run.id}`));
    if (!isStuck && !hasThread) wrong('an issue shows in progress before there is a thread');
  };

  return { stored, before };
};

const orders: ReadonlySet<string> = new Set(['interrupt', 'stop', 'unarchive', 'answer', 'archive']);

const textAt = (held: unknown, key: string): string =>
  typeof held === 'object' && held !== null ? String(Reflect.get(held, key)) : '';
