import { expect, test } from 'vitest';
import { paint, timeline } from '../../lib/local/timeline.ts';
import { emptyReport, type Happening, type Report } from '../../lib/shell/tick.ts';

const minute = 60_000;

const telling = () => {
  const lines: string[] = [];
  const tell = timeline((line) => lines.push(line.replaceAll(/ +/g, ' ')), paint(false), 0);
  return { lines, tell: (at: number, change: Partial<Report>) => tell({ ...emptyReport('watch'), ...change }, at) };
};

const happening = (at: number, what: Happening['what'], why: string, issue = 1): Happening => ({
  ...{ at, repo: 'acme/web', issue, run: `run ${issue}`, what, why },
});

test('an issue that waits is named once for each ruling, with the reason and without saying the same twice', () => {
  const { lines, tell } = telling();
  const ruled = (ruling: Report['rulings'][number]['ruling'], detail: string) => ({
    rulings: [{ repo: 'acme/web', issue: 2, ruling, detail }],
  });
  tell(minute, ruled('outranked', 'outranked by #1'));
  tell(2 * minute, ruled('outranked', 'outranked by #1'));
  tell(3 * minute, ruled('not trusted', 'stranger may only read'));
  expect(lines).toEqual([
    '00:01 acme/web#2 waits outranked by #1',
    '00:03 acme/web#2 waits not trusted: stranger may only read',
  ]);
});

test('a decision and the turn that follows at once are one line; a turn that comes later has its own', () => {
  const { lines, tell } = telling();
  tell(0, {
    happened: [
      happening(minute, 'decided', 'fix forward: CI is red: test'),
      happening(minute, 'asked', 'turn 1: fix'),
      happening(minute, 'asked', 'turn 2: restart', 2),
    ],
  });
  expect(lines).toEqual([
    '00:01 acme/web#1 fix forward CI is red: test',
    '00:01 acme/web#2 asked to begin again, and take over what is there',
  ]);
});

test('an end gives its reason where no decision gave it before', () => {
  const { lines, tell } = telling();
  tell(0, { happened: [happening(minute, 'decided', 'escalate: nothing moved for 20 min')] });
  tell(0, {
    happened: [
      happening(2 * minute, 'ended', 'escalated: nothing moved for 20 min'),
      happening(2 * minute, 'ended', 'frozen: the project was deleted', 2),
    ],
  });
  expect(lines).toEqual([
    '00:01 acme/web#1 handed back nothing moved for 20 min',
    '00:02 acme/web#1 ended escalated: back with a person',
    '00:02 acme/web#2 ended frozen: back with a person, what was pushed left as it is (the project was deleted)',
  ]);
});

test('the order within a tick is by issue, whatever finished first', () => {
  const { lines, tell } = telling();
  tell(0, { happened: [happening(0, 'at work', 'b', 3), happening(0, 'at work', 'a', 1)] });
  expect(lines).toEqual(['00:00 acme/web#1 at work a', '00:00 acme/web#3 at work b']);
});
