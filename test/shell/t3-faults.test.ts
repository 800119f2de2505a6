import { describe, expect, test } from 'vitest';
import type { T3Fault } from '../../lib/sandbox/t3-server.ts';
import { standing } from '../simulation/simulation.ts';
import { busyAgents, labelsOf, locks, minutes, threadsOf, toRest } from './minutes.ts';
import { simulationOverHttp } from './over-http.ts';

const web = 'acme/web';

const page = { status: 200, body: '<html>Please log in</html>', headers: { 'content-type': 'text/html' } };
const own500 = {
  status: 500,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    _tag: 'EnvironmentInternalError',
    code: 'internal_error',
    reason: 'orchestration_dispatch_failed',
    traceId: '0',
  }),
};
const unauthorised = {
  status: 401,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    _tag: 'EnvironmentAuthInvalidError',
    code: 'auth_invalid',
    reason: 'invalid_credential',
    traceId: '0',
  }),
};

/** What T3 says, what the report says of it, and for how many minutes it may last here (what hangs takes real time). */
const cases: readonly (readonly [string, T3Fault, RegExp, number])[] = [
  ['a page with status 200', page, /T3 answered 200 with something else than JSON/, 14],
  ['a proxy’s 502', { status: 502, body: '<html>bad gateway' }, /T3 answered 502/, 14],
  ['a proxy’s 500', { status: 500, body: 'oops' }, /T3 answered 500: oops/, 14],
  ['its own 500', own500, /T3 answered 500|refused/, 14],
  ['401', unauthorised, /T3 answered 401: the token is not accepted/, 14],
  ['400 and nothing', { status: 400, body: '' }, /T3 answered 400/, 14],
  ['nothing at all', 'drop', /T3 could not be asked/, 14],
  ['nothing, having obeyed', 'drop-after', /T3 could not be asked/, 14],
  ['only after the client gave up', 'hang', /no whole answer within/, 3],
  ['half an answer, having obeyed', 'stall-body', /no whole answer within/, 3],
];

/** The repo is known and looked over; its issue is made ready, and then T3 is at fault. */
const readyAt = async (fault: T3Fault, isAt: (path: string) => boolean) => {
  const { sim, faults } = await simulationOverHttp(
    [{ repo: web, agent: 'lands at once', labelled: false }],
    {},
    fault === 'hang' || fault === 'stall-body' ? { t3TimeoutMs: 250 } : {},
  );
  await minutes(sim, 1);
  sim.world.github.label(web, 1, 'ready-for-agent', 'maintainer', sim.now());
  sim.pass();
  faults.t3 = ({ path }) => (isAt(path) ? fault : null);
  const mend = (): void => {
    faults.t3 = () => null;
  };
  return { sim, mend };
};

/** The turns that were asked for of an issue, in all its threads. */
const turnsOf = (sim: Parameters<typeof threadsOf>[0]) =>
  threadsOf(sim, web, 1).flatMap(({ messages }) => messages.filter(({ role }) => role === 'user'));

describe('No phantom lock, no double dispatch: a failed dispatch leaves no lock, and T3 mended the issue runs once', () => {
  test.each(cases)('T3 answers everything with %s', async (_, fault, reason, lasts) => {
    const { sim, mend } = await readyAt(fault, () => true);
    const { failed, rulings } = await minutes(sim, Math.min(lasts, 5));
    expect(
      [...failed, ...rulings].some((line) => reason.test(line)),
      [...failed, ...rulings].join('\n'),
    ).toBe(true);
    expect([turnsOf(sim), locks(sim), labelsOf(sim, web, 1)]).toEqual([[], [], ['ready-for-agent']]);
    mend();
    await toRest(sim, 90);
    expect([standing(sim, web, 1), turnsOf(sim).length, busyAgents(sim)]).toEqual(['done', 1, []]);
  });

  const isCommand = (path: string): boolean => path === '/api/orchestration/dispatch';
  test.each(cases)('T3 shows its threads, and answers every command with %s', async (_, fault, reason, lasts) => {
    const { sim, mend } = await readyAt(fault, isCommand);
    const { failed, reports } = await minutes(sim, lasts);
    const said = [...failed, ...reports.flatMap(({ happened }) => happened.map(({ why }) => why))];
    expect(
      said.some((line) => reason.test(line)),
      said.join('\n'),
    ).toBe(true);
    const hasObeyed = fault === 'drop-after' || fault === 'stall-body';
    // Obeyed or not: never two. What was not obeyed in time holds no lock.
    expect(turnsOf(sim).length).toBe(hasObeyed ? 1 : 0);
    if (!hasObeyed && lasts > 10) expect([locks(sim), labelsOf(sim, web, 1)]).toEqual([[], ['ready-for-agent']]);
    mend();
    // What was released cools down for half an hour; nobody has to watch that.
    if (locks(sim).length === 0) sim.pass(31 * 60_000);
    await toRest(sim, 120, { allows: /2 threads / });
    expect([standing(sim, web, 1), turnsOf(sim).length, busyAgents(sim), locks(sim)]).toEqual(['done', 1, [], []]);
    expect(sim.rung).toHaveLength(1);
  });
});
