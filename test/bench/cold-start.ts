import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { bundle, bundled, bytesOf } from '../../cdk/bundle.ts';

/**
 * Medians over fresh processes: import time (ms), heap after a collection beyond that of a process that imports nothing
 * (MB), and what was loaded of the bundle.
 */
export type ColdStart = { ms: number; heapMb: number; files: number; kib: number };

const Sample = z.object({ ms: z.number(), heapMb: z.number(), files: z.array(z.string()) });

// Runs in a process of its own. The entry makes what a disarmed invocation needs as it is loaded; what an armed one adds
// is one import, and then its own clients.
const script = (entry: string | null, rest: string | null): string => `
import { registerHooks } from 'node:module';
const files = [];
registerHooks({ load: (url, context, next) => { if (url.startsWith('file:')) files.push(url); return next(url, context); } });
const begun = performance.now();
${entry === null ? '' : `await import(${urlOf(entry)});`}
${rest === null ? '' : `(await import(${urlOf(rest)})).arm({ name: 'watcher', environment: { TABLE_NAME: 'afk' }, parameters: {} });`}
const ms = performance.now() - begun;
gc();
console.log(JSON.stringify({ ms, heapMb: process.memoryUsage().heapUsed / 1048576, files }));
`;

const urlOf = (file: string): string => JSON.stringify(pathToFileURL(file).href);

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

/** Imports a bundle's disarmed and armed path in `runs` fresh processes each, by turns, so that noise meets both. */
export const coldStart = (folder: string, runs = 20): { disarmed: ColdStart; armed: ColdStart } => {
  const entry = join(folder, 'index.mjs');
  const rest = readdirSync(folder).find((file) => /^armed-.*\.mjs$/.test(file));
  if (rest === undefined) throw new Error(`${folder} has no chunk for the armed path`);
  const once = (path: string | null, armed: string | null) =>
    Sample.parse(
      JSON.parse(
        execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', script(path, armed)], {
          env: { TABLE_NAME: 'afk', AWS_REGION: 'local' },
          encoding: 'utf8',
        }),
      ),
    );
  const samples = Array.from({ length: runs }, () => ({
    bare: once(null, null),
    disarmed: once(entry, null),
    armed: once(entry, join(folder, rest)),
  }));
  const bareMb = median(samples.map(({ bare }) => bare.heapMb));
  const summary = (list: readonly z.infer<typeof Sample>[]): ColdStart => ({
    ms: median(list.map(({ ms }) => ms)),
    heapMb: median(list.map(({ heapMb }) => heapMb)) - bareMb,
    files: list[0]?.files.length ?? 0,
    kib: (list[0]?.files ?? []).reduce((sum, url) => sum + statSync(new URL(url)).size, 0) / 1024,
  });
  return { disarmed: summary(samples.map((one) => one.disarmed)), armed: summary(samples.map((one) => one.armed)) };
};

/** The lines that a bench prints, for both functions, bundled anew. */
export const coldStartLines = async (runs = 20): Promise<readonly string[]> => {
  const dist = mkdtempSync(join(tmpdir(), 'afk-bench-'));
  try {
    await bundle(dist);
    return bundled.flatMap((name) => {
      const { disarmed, armed } = coldStart(join(dist, name), runs);
      const line = (path: string, { ms, heapMb, files, kib }: ColdStart): string =>
        `${name.padEnd(8)} ${path.padEnd(9)} ${ms.toFixed(0).padStart(4)} ms  ${heapMb.toFixed(1).padStart(5)} MB heap  ${String(files).padStart(2)} files, ${kib.toFixed(0)} KiB`;
      return [
        line('disarmed', disarmed),
        line('armed', armed),
        `${name.padEnd(8)} ratio     ${(disarmed.ms / armed.ms).toFixed(2)} of the time, ${(disarmed.heapMb / armed.heapMb).toFixed(2)} of the heap; the bundle has ${(bytesOf(join(dist, name)) / 1024).toFixed(0)} KiB`,
      ];
    });
  } finally {
    rmSync(dist, { recursive: true, force: true });
  }
};

if (import.meta.main) for (const line of await coldStartLines()) process.stdout.write(`${line}\n`);
