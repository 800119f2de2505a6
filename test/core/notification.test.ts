import { describe, expect, test } from 'vitest';
import { noticeOf, noticeOfStuck } from '../../lib/core/notification.ts';
import { Outcome } from '../../lib/core/run.ts';
import { aLanding, anEndedRun, anEndingRun, runId } from '../support/told-runs.ts';

const said = { lastWords: 'I cannot push: the branch wants a pull request.' };

describe('a notice', () => {
  test.each([
    [
      'done',
      noticeOf(anEndedRun(aLanding({ outcome: 'done', reason: 'CI is green and it is deployed', deployed: true }))),
    ],
    ['cancelled', noticeOf(anEndedRun({ outcome: 'cancelled', reason: 'the issue was closed' }))],
    ['escalated', noticeOf(anEndedRun(said))],
    ['frozen', noticeOf(anEndedRun(aLanding({ outcome: 'frozen', reason: 'CI is red: build' })))],
    [
      'released',
      noticeOf(
        anEndedRun({
          outcome: 'released',
          couldNotStart: true,
          lastWords: 'spawn agent ENOENT',
          reason: 'the agent could not start',
        }),
      ),
    ],
    ['stuck', noticeOfStuck(anEndingRun({ ...said, stuck: true }))],
  ])('reads well: %s', async (name, { headline, body, url, urgency }) => {
    await expect(`${headline}\n(${urgency}) ${url}\n\n${body}\n`).toMatchFileSnapshot(`./snapshots/notice-${name}.txt`);
  });

  test('is urgent only where a person is needed', () => {
    const urgent = Outcome.options.filter((outcome) => noticeOf(anEndedRun({ outcome })).urgency === 'high');
    expect(urgent).toEqual(['escalated', 'frozen']);
    expect(noticeOfStuck(anEndingRun()).urgency).toBe('high');
  });

  test('has the same id each time it rings, another one for another run and for being stuck', () => {
    const ended = noticeOf(anEndedRun()).id;
    expect(noticeOf(anEndedRun()).id).toBe(ended);
    expect(
      new Set([ended, noticeOfStuck(anEndingRun()).id, noticeOf(anEndedRun({ id: 'f'.repeat(32) })).id]).size,
    ).toBe(3);
  });

  test('is clean, bounded and without secrets, whatever others wrote', () => {
    const nasty = `\u001b[31m\u202e ghp_${'a1'.repeat(18)} ${runId}\n`;
    const issue = { number: 12, nodeId: 'I', title: nasty.repeat(3), url: 'https://github.com/acme/web/issues/12' };
    const over = { issue, reason: nasty.repeat(20), lastWords: nasty.repeat(10) };
    for (const { id, headline, body } of [noticeOf(anEndedRun(over)), noticeOfStuck(anEndingRun(over))]) {
      expect(headline).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(headline.length).toBeLessThanOrEqual(120);
      expect(body.length).toBeLessThanOrEqual(2000);
      expect(body).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
      for (const shown of [id, headline, body]) {
        expect(shown).not.toContain('a1a1');
        expect(shown).not.toContain(runId);
      }
    }
  });

  test('always says why, in the same words where there is no reason', () => {
    expect(noticeOf(anEndedRun({ reason: '' })).body).toContain('Why: no reason was recorded');
  });

  test('keeps what to do although the last words are long', () => {
    expect(noticeOf(anEndedRun({ reason: 'r'.repeat(2000), lastWords: 'w'.repeat(1200) })).body).toContain(
      'What to do:',
    );
  });
});
