import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('../../functions/local.ts', import.meta.url));

/** Starts AFK on a folder; with `killAt` it is killed -9 as soon as it printed so many lines. */
const start = (
  folder: string,
  killAt: number | null,
): Promise<{ code: number | null; signal: string | null; text: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, '--demo', '--resume', '--data', folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      if (killAt !== null && text.split('\n').length > killAt) child.kill('SIGKILL');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, text }));
  });

test('No phantom lock, no double dispatch: killed -9 again and again in mid-run, every issue still ends as scripted, with one thread and one comment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-kill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // Lines of one start each: while it dispatches, while agents work, while runs end.
  for (const killAt of [8, 4, 12, 9, 15]) {
    const { signal, text } = await start(folder, killAt);
    expect(signal, text).toBe('SIGKILL');
  }
  const { code, text } = await start(folder, null);
  expect(text).toContain('The stand-ins were still there');
  // The sandbox itself compares threads, comments, labels and states with its script.
  expect(text).toContain('All 10 issues ended as scripted.');
  expect(code, text).toBe(0);
}, 60_000);

test('the demo ends by itself, with every issue as its script demands, and is the same to the byte twice', async () => {
  const folders = [mkdtempSync(join(tmpdir(), 'afk-demo-')), mkdtempSync(join(tmpdir(), 'afk-demo-'))];
  onTestFinished(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  const [one, two] = await Promise.all(folders.map((folder) => start(folder, null)));
  expect(one?.code, one?.text).toBe(0);
  const withoutFolder = (text: string, folder: string): string => text.replaceAll(folder, 'FOLDER');
  expect(withoutFolder(one?.text ?? '', folders[0]!)).toBe(withoutFolder(two?.text ?? '', folders[1]!));
}, 60_000);
