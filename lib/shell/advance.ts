import type { StartedRun } from '../core/evolve.ts';
import { mirrorHash, mirrorOf } from '../core/mirror.ts';
import { endingOf, obeyed } from '../core/next.ts';
import { type OpenRun, runTime } from '../core/run.ts';
import { settingsFor } from '../core/settings.ts';
import { type ExecutorLook, PortError } from '../ports.ts';
import { obey } from './obey.ts';
import { fail, isAnothers, note, type StoredRun, type Tick } from './tick.ts';

/** What every run of one tick shares: the one look at the executor, and the watcher's count of lost time. */
export type Shared = { look: ExecutorLook | null; lostMs: number };

/**
 * Record, then act: one conditional write of the next state together with what it owes; then the command; then the
 * mark that it is done; then the mirror. A crash at any line costs a repeat, never a loss. Null where another
 * invocation moved the run meanwhile: then nothing was done.
 */
export const advance = async (
  tick: Tick,
  from: StoredRun,
  to: StartedRun,
  shared: Shared,
): Promise<StoredRun | null> => {
  const recorded = to === from.item.run ? from : await record(tick, from, to);
  if (recorded === null) return null;
  const acted = await payCommand(tick, recorded, shared);
  return acted === null ? null : payMirror(tick, acted);
};

/** Writes a run on the condition that nobody else has; claims its mirror for this invocation where that is due. */
export const record = async (tick: Tick, from: StoredRun, to: OpenRun): Promise<StoredRun | null> => {
  const written = await tick.ports.store.replace(from, {
    kind: 'run',
    run: to.command === null ? withMirrorClaimed(tick, to) : to,
  });
  return written === 'lost' ? null : written;
};

/** Does what is owed to the executor and marks it. What is braked or gets no answer stays owed. */
export const payCommand = async (
  tick: Tick,
  stored: StoredRun,
  { look, lostMs }: Shared,
): Promise<StoredRun | null> => {
  const { run } = stored.item;
  if (run.command === null || run.phase === 'claimed') return stored;
  const answer = await obeyOrRefused(tick, run, run.command, look ?? (await tick.ports.executor.look()));
  const clock = runTime(run, lostMs, tick.now());
  if (answer === 'done') {
    if (run.command.order === 'start')
      note(tick, run, run.turn?.n === 0 ? 'dispatched' : 'asked', `turn ${run.turn?.n}: ${run.turn?.kind}`);
    else note(tick, run, 'agent asked to leave', run.command.order);
    return record(tick, stored, obeyed(run, clock));
  }
  if ('braked' in answer) {
    note(tick, run, 'braked', answer.braked);
    return null;
  }
  note(tick, run, 'refused', answer.refused);
  if (run.phase === 'ending') return record(tick, stored, { ...run, command: null });
  // Before its first turn nothing was begun: the issue goes back to the queue. Later a person has to look.
  const outcome = run.turn?.n === 0 ? 'released' : run.commits.length > 0 ? 'frozen' : 'escalated';
  const end = {
    why: answer.refused,
    clock,
    now: tick.now(),
    lostMs,
    lastWords: null,
    couldNotStart: answer.isExecutorsFault,
    deployed: false,
    outOfReach: false,
  };
  return record(tick, stored, endingOf(run, outcome, end));
};

/** A turn that is refused for good was refused, whichever way it was said; what gets no answer stays owed. */
const obeyOrRefused: typeof obey = async (tick, run, command, look) => {
  try {
    return await obey(tick, run, command, look);
  } catch (error) {
    if (!(error instanceof PortError) || error.kind === 'unavailable' || command.order !== 'start') throw error;
    return { refused: error.message, isExecutorsFault: true };
  }
};

/**
 * Brings the tracker to what the run says, if it is not known to be there. Any tick may; a mirror that fails is
 * reported, tried again by a later tick, and never blocks the run.
 */
export const payMirror = async (tick: Tick, stored: StoredRun): Promise<StoredRun | null> => {
  const claimed = await claimMirror(tick, stored);
  if (claimed === null) return null;
  const { run } = claimed.item;
  const due = dueMirror(tick, run);
  if (due === null || run.mirror.writing?.by !== tick.by) return claimed;
  try {
    const issue = { repo: run.repo, number: run.issue.number, nodeId: run.issue.nodeId };
    const { commentId } = await tick.ports.tracker.ensureMirror(issue, due.mirror, run.mirror.commentId);
    note(tick, run, 'mirrored', run.phase);
    return record(tick, claimed, { ...run, mirror: { commentId, confirmed: due.hash, writing: null } });
  } catch (error) {
    fail(tick.report, `mirror of ${run.repo.name}#${run.issue.number}`, error);
    return claimed;
  }
};

const claimMirror = async (tick: Tick, stored: StoredRun): Promise<StoredRun | null> => {
  const { run } = stored.item;
  if (run.command !== null || withMirrorClaimed(tick, run) === run) return stored;
  return record(tick, stored, run);
};

/** Two invocations that both saw no comment would both post one: the record says whose it is. */
const withMirrorClaimed = (tick: Tick, run: OpenRun): OpenRun => {
  const { writing } = run.mirror;
  if (dueMirror(tick, run) === null || writing?.by === tick.by || isAnothers(tick, writing)) return run;
  return { ...run, mirror: { ...run.mirror, writing: { by: tick.by, at: tick.now() } } };
};

/** What the tracker is not known to show yet; null where all is confirmed. */
export const dueMirror = (tick: Tick, run: OpenRun) => {
  const mirror = mirrorOf(run, settingsFor(tick.settings, run.repo.name));
  if (mirror === null) return null;
  const hash = mirrorHash(mirror);
  return hash === run.mirror.confirmed ? null : { mirror, hash };
};
