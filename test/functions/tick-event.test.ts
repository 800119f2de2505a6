import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedForms, EventRefused, wantedOf } from '../../functions/tick-event.ts';

const scheduled = { source: 'aws.scheduler', scheduledTime: '2026-01-05T09:00:00Z', executionId: 'e-1' };
const changed = {
  version: '0',
  source: 'aws.ssm',
  'detail-type': 'Parameter Store Change',
  detail: { name: '/afk/control/kill-switch', operation: 'Update' },
};

describe('What an event asks for', () => {
  test.each([
    ['nothing', {}, { kind: 'tick', only: null, executionId: null }],
    ['our schedule', scheduled, { kind: 'tick', only: null, executionId: 'e-1' }],
    [
      'a schedule without an input',
      { source: 'aws.scheduler', 'detail-type': 'Scheduled Event', id: 'i-1', detail: '{}' },
      { kind: 'tick', only: null, executionId: 'i-1' },
    ],
    ['a changed parameter', changed, { kind: 'tick', only: null, executionId: null }],
    ['one repo', { only: 'Acme/web' }, { kind: 'tick', only: 'Acme/web', executionId: null }],
    ['a dry run', { dryRun: true }, { kind: 'dryRun', only: null }],
    ['a dry run of one repo', { dryRun: true, only: 'acme/web' }, { kind: 'dryRun', only: 'acme/web' }],
    ['an explanation', { explain: 'acme/web#7' }, { kind: 'explain', repo: 'acme/web', number: 7 }],
  ])('%s', (_, event, wanted) => {
    expect(wantedOf(event)).toEqual(wanted);
  });

  test.each([
    ['nothing at all', null],
    ['a list', []],
    ['a word', 'tick'],
    ['a misspelt key, which would have been a real tick', { dryrun: true }],
    ['a dry run that is none', { dryRun: false }],
    ['a dry run in quotes', { dryRun: 'true' }],
    ['a repo without an owner', { only: 'web' }],
    ['a pattern', { only: 'acme/*' }],
    ['a path', { only: '../web' }],
    ['an issue without a number', { explain: 'acme/web' }],
    ['number 0', { explain: 'acme/web#0' }],
    ['an explanation that is to be a tick as well', { explain: 'acme/web#7', only: 'acme/web' }],
    ['another source', { source: 'aws.s3' }],
    ['another event of the same source', { ...changed, 'detail-type': 'Parameter Store Policy Action' }],
  ])('%s is refused', (_, event) => {
    expect(() => wantedOf(event)).toThrow(EventRefused);
  });

  test('whatever comes, it is a form that is known or refused with all of them', () => {
    void fc.assert(
      fc.property(fc.anything(), (event) => {
        try {
          expect(['tick', 'dryRun', 'explain']).toContain(wantedOf(event).kind);
        } catch (error) {
          expect(error).toBeInstanceOf(EventRefused);
          expect(String(error)).toContain(allowedForms);
        }
      }),
    );
  });

  test('the saved test events of the documentation are all understood', () => {
    const page = readFileSync(new URL('../../docs/test-events.md', import.meta.url), 'utf8');
    const events = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json!));
    expect(events.length).toBeGreaterThan(4);
    for (const event of events) expect(() => wantedOf(event), JSON.stringify(event)).not.toThrow();
  });
});
