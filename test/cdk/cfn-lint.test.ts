import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { isAtHand } from '../support/at-hand.ts';
import { anApp, removeApps, templateOf } from './synthesis.ts';

afterAll(removeApps);

const Findings = z.array(
  z.looseObject({
    Message: z.string(),
    Location: z.looseObject({ Path: z.array(z.union([z.string(), z.number()])) }),
    Rule: z.looseObject({ Id: z.string() }),
  }),
);

test('cfn-lint agrees, where it is at hand: with and without tags', (it) => {
  if (!isAtHand('cfn-lint')) it.skip('cfn-lint is not installed here');
  const folder = mkdtempSync(join(tmpdir(), 'afk-lint-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = [{}, { tags: 'team=platform' }].map((context, index) => {
    const file = join(folder, `${index}.json`);
    writeFileSync(file, JSON.stringify(templateOf(anApp(context))));
    return file;
  });
  const { stdout } = spawnSync('cfn-lint', ['--format', 'json', '--', ...files], { encoding: 'utf8' });
  const found = Findings.parse(JSON.parse(stdout)).filter(
    ({ Rule, Location: { Path } }) =>
      // The CDK's own style: it names a dependency that the reference to it implies.
      Rule.Id !== 'W3005' &&
      // Its schema of dashboards is older than their tags.
      !(Rule.Id === 'E3002' && String(Path[1]).startsWith('Dashboard') && Path.includes('Tags')),
  );
  expect(found).toEqual([]);
  // A program of its own, which shares two cores with every other test.
}, 120_000);
