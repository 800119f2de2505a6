import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Exchange } from '../../lib/sandbox/github-handler.ts';
import { scenes } from '../../lib/sandbox/scenario.ts';
import { violationsOf } from '../support/github-exchange-validator.ts';

const program = fileURLToPath(new URL('../../functions/local.ts', import.meta.url));

const exchangesIn = (folder: string): string => join(folder, 'exchanges.jsonl');

/** What GitHub's own documents say against what its stand-in was asked and answered on that folder. */
const violationsIn = (folder: string): readonly string[] => {
  const lines = readFileSync(exchangesIn(folder), 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(100);
  return [...new Set(lines.flatMap((line) => violationsOf(JSON.parse(line) as Exchange)))].sort();
};

/** Starts AFK on a folder; with `killAt` it is killed -9 as soon as it printed so many lines, or that word. */
const start = (
  folder: string,
  killAt: number | string | null,
): Promise<{ code: number | null; signal: string | null; text: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, '--demo', '--resume', '--data', folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, AFK_TEST_EXCHANGES: exchangesIn(folder) },
    });
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      const isDue = typeof killAt === 'string' ? text.includes(killAt) : text.split('\n').length > (killAt ?? Infinity);
      if (isDue) child.kill('SIGKILL');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, text }));
  });

test('No phantom lock, no double dispatch: killed -9 again and again in mid-run, every issue still ends as scripted, with one thread and one comment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-kill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // Lines of one start each: while it dispatches, while agents work, while runs end; and what is out is being halted.
  for (const killAt of [8, 12, 15, ' halted ']) {
    const { signal, text } = await start(folder, killAt);
    expect(signal, text).toBe('SIGKILL');
  }
  const { code, text } = await start(folder, null);
  expect(text).toContain('The stand-ins were still there');
  // The sandbox itself compares threads, comments, labels and states with its script.
  expect(text).toContain(`All ${scenes.length} issues ended as scripted.`);
  expect(code, text).toBe(0);
}, 120_000);

test('the demo ends by itself, with every issue as its script demands, and is the same to the byte twice', async () => {
  const folders = [mkdtempSync(join(tmpdir(), 'afk-demo-')), mkdtempSync(join(tmpdir(), 'afk-demo-'))];
  onTestFinished(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  const [one, two] = await Promise.all(folders.map((folder) => start(folder, null)));
  expect(one?.code, one?.text).toBe(0);
  expect(violationsIn(folders[0]!)).toEqual([]);
  // What happens beside the issues is told, too, and each story goes as its agent makes it go.
  for (const story of [
    /importer#1 +at work.*T3 is restarted.*importer#1 +restarting.*importer#1 +landed/s,
    /writes true into kill-switch.*poller is inert.*importer#1 +halted.*writes false.*importer#1 +resumed/s,
    /search#1 +answered.*search#1 +landed/s,
    /reports#1 +answered.*reports#1 +handed back [^\n]*And which port/s,
    /support#1 +nudged.*support#1 +landed/s,
    /auth#1 +parked.*auth#1 +tried again.*auth#1 +landed/s,
    /(?:mail#1 +parked.*){3}mail#1 +handed back/s,
    /reports#2 +handed back [^\n]*budget/s,
    /search#2 +CI green.*search#2 +landed/s,
  ])
    expect(one?.text).toMatch(story);
  const withoutFolder = (text: string, folder: string): string => text.replaceAll(folder, 'FOLDER');
  expect(withoutFolder(one?.text ?? '', folders[0]!)).toBe(withoutFolder(two?.text ?? '', folders[1]!));
}, 120_000);
