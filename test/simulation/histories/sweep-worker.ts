import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { historyOf } from './history.ts';
import { play } from './play.ts';

/** Plays each `stride`th history of a range and tells what came of it. */
const { from, runs, first, stride, overHttp } = z
  .strictObject({ from: z.int(), runs: z.int(), first: z.int(), stride: z.int(), overHttp: z.boolean() })
  .parse(workerData);

/** What a worker tells: some plays at a time, and each that failed. */
export type Told = { played: number; invocations: number; met: Record<string, number>; failed: readonly Failed[] };
export type Failed = { number: number; wrong: string };

const nothing = (): { played: number; invocations: number; met: Record<string, number>; failed: Failed[] } => ({
  played: 0,
  invocations: 0,
  met: {},
  failed: [],
});

let told = nothing();
const tell = (): void => {
  parentPort?.postMessage(told satisfies Told);
  told = nothing();
};

for (let run = first; run < runs; run += stride) {
  const { wrong, met, invocations } = await play(historyOf(from + run), { overHttp });
  told.played += 1;
  told.invocations += invocations;
  for (const what of met) told.met[what] = (told.met[what] ?? 0) + 1;
  if (wrong[0] !== undefined) told.failed.push({ number: from + run, wrong: wrong[0] });
  if (told.played >= 50) tell();
}
tell();
