import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import { cast } from './histories/cast.ts';
import { judging } from './judging.ts';
import { commentsOf, type Issue, isAtRest, type Simulation, simulation, standing } from './simulation.ts';

/** Two issues share a repo, so that a second agent would have somewhere to go. */
const issues: readonly (Issue & { end: 'done' | 'handed back' })[] = [
  { repo: 'acme/web', agent: 'lands at once', end: 'done' },
  { repo: 'acme/web', agent: 'lands after a red CI', end: 'done' },
  { repo: 'acme/api', agent: 'crashes', end: 'handed back' },
  { repo: 'acme/api', agent: 'stops without pushing', end: 'handed back' },
];

test('One agent per repo: two pollers and two watchers at once, in any order of their calls, never make a second', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.infiniteStream(fc.nat(25)), async (scheduler, lags) => {
      const sim = simulation(issues, {}, { bells: ['front', 'back'] });
      const judge = judging(sim);
      const inTurn = takingTurns(scheduler);
      sim.onPause(async () => void (await inTurn()));
      for (let minute = 0; minute < 120 && !isAtRest(sim); minute += 1) {
        // One of each kind comes late, somewhere into the other's work.
        const all = Promise.all(
          (['poll', 'watch', 'poll', 'watch'] as const).map(async (kind, index) => {
            const lag = index < 2 ? 0 : (lags.next().value ?? 0);
            for (let turn = 0; turn < lag; turn += 1) await inTurn();
            return sim.invoke(kind, inTurn);
          }),
        );
        await scheduler.waitFor(all);
        expect(judge.breaches()).toEqual([]);
        sim.pass();
      }
      expect(isAtRest(sim)).toBe(true);
      expect(judge.notAtRest()).toEqual([]);
      const found = issues.map(({ repo }, index) =>
        standing(sim, repo, issues.slice(0, index + 1).filter((one) => one.repo === repo).length),
      );
      expect(found).toEqual(issues.map(({ end }) => end));
    }),
    { numRuns: 12 },
  );
}, 60_000);

test('Bounded: three pollers at once, in any order of their calls, begin no more runs than may be open', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const repos = ['acme/a', 'acme/b', 'acme/c'];
      const sim = simulation(
        repos.map((repo) => ({ repo, agent: 'lands at once' })),
        { maxOpenRuns: 1 },
      );
      const judge = judging(sim, { maxOpenRuns: 1 });
      const inTurn = takingTurns(scheduler);
      await scheduler.waitFor(Promise.all(repos.map(() => sim.invoke('poll', inTurn))));
      expect([judge.breaches(), sim.world.t3.threads().length]).toEqual([[], 1]);
    }),
    { numRuns: 40 },
  );
});

test('Said once: three pollers that find one held labelling at once, in any order of their calls, post one comment', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const sim = simulation([{ repo: 'acme/web', agent: 'lands at once', labelled: false }]);
      sim.world.github.setPermission('acme/web', 'triager', 'triage');
      sim.world.github.label('acme/web', 1, 'ready-for-agent', 'triager', sim.now());
      const judge = judging(sim);
      const inTurn = takingTurns(scheduler);
      sim.onPause(async () => void (await inTurn()));
      await scheduler.waitFor(Promise.all([1, 2, 3].map(() => sim.invoke('poll', inTurn))));
      expect([judge.breaches(), commentsOf(sim.world, 'acme/web', 1).length]).toEqual([[], 1]);
    }),
    { numRuns: 40 },
  );
});

test('One agent per repo: while an agent hangs, no other issue of its repo begins, and the next one follows once it was seen out', async () => {
  const agents: readonly AgentName[] = ['hangs', 'lands at once'];
  const sim = simulation(agents.map((agent) => ({ repo: 'acme/web', agent })));
  const judge = judging(sim);
  for (let minute = 0; minute < 180 && !isAtRest(sim); minute += 1) {
    for (const kind of ['poll', 'watch'] as const) {
      await sim.invoke(kind);
      expect(judge.breaches()).toEqual([]);
    }
    sim.pass();
  }
  expect(judge.notAtRest()).toEqual([]);
  expect([standing(sim, 'acme/web', 1), standing(sim, 'acme/web', 2)]).toEqual(['handed back', 'done']);
});

test('Told once: three watchers at once, in any order of their calls, ring once by each doorbell for an agent that does not leave', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.infiniteStream(fc.nat(15)), async (scheduler, lags) => {
      const sim = simulation([{ repo: 'acme/web', agent: cast('goes deaf') }], {}, { bells: ['front', 'back'] });
      const judge = judging(sim);
      await sim.invoke('poll');
      // Stalled after twenty minutes; looked at by one alone until it begins to be told.
      let wereTogether = false;
      for (let minute = 0; minute < 60 && sim.rung.length === 0; minute += 1) {
        sim.pass();
        const ringsNext = isAboutToRing(sim);
        wereTogether ||= ringsNext;
        const inTurn = takingTurns(scheduler);
        sim.onPause(async () => void (ringsNext && (await inTurn())));
        if (!ringsNext) await sim.invoke('watch');
        else
          await scheduler.waitFor(
            Promise.all(
              [1, 2, 3].map(async () => {
                for (let turn = lags.next().value ?? 0; turn > 0; turn -= 1) await inTurn();
                return sim.invoke('watch', inTurn);
              }),
            ),
          );
        expect(judge.breaches()).toEqual([]);
      }
      sim.onPause(async () => undefined);
      for (let tick = 0; tick < 3; tick += 1) await sim.invoke('watch');
      expect([judge.breaches(), sim.rungBy.map(({ bell }) => bell).sort()]).toEqual([[], ['back', 'front']]);
      expect(wereTogether).toBe(true);
    }),
    { numRuns: 25 },
  );
});

/** Goes on when the scheduler lets it; no call dies. */
const takingTurns = (scheduler: fc.Scheduler) => async (): Promise<'live'> =>
  scheduler.schedule(Promise.resolve('live' as const));

/** It was asked to leave so long ago that whoever looks next tells people. */
const isAboutToRing = (sim: Simulation): boolean =>
  [...sim.table.rows].some(([key, text]) => {
    const run = key.startsWith('run#') && JSON.parse(text).data.run;
    return run !== false && run.phase === 'ending' && sim.now() - run.leaving.since > 9 * 60_000;
  });
