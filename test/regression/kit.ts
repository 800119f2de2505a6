import type { OpenRun } from '../../lib/core/run.ts';
import { locks } from '../shell/minutes.ts';
import type { Call, Simulation } from '../simulation/simulation.ts';

export const hourMs = 3_600_000;

/** The open run of the only lock (or of the repo's), as stored. */
export const runOf = (sim: Simulation, repo?: string): OpenRun => {
  for (const key of locks(sim)) {
    const row = JSON.parse(sim.table.rows.get(key)!);
    const run = row.data?.run ?? row.run ?? row.item?.run;
    if (repo === undefined || run.repo.name === repo) return run;
  }
  throw new Error('no run');
};

/** This run's commit on the default branch, pushed by the agent's account. */
export const pushFor = (sim: Simulation, repo: string, message = 'fix: mend it', extra = {}) =>
  sim.world.github.push(
    repo,
    {
      actor: 'agent-bot',
      commits: [{ message: `${message}\n\nRefs #1\n\nAFK-Run: ${runOf(sim, repo).id}` }],
      ...extra,
    },
    sim.now(),
  );

/** Marks a port answer as changed. */
export const threadsIn = (look: unknown): Map<string, Record<string, unknown>> =>
  (look as { threads: Map<string, Record<string, unknown>> }).threads;

export type { Call };
