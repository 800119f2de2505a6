import { describe, expect, test } from 'vitest';
import type { Fault, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import { commentsOf, issueIn, standing } from '../simulation/simulation.ts';
import { busyAgents, locks, minutes, threadsOf, toRest } from './minutes.ts';
import { simulationOverHttp } from './over-http.ts';

const web = 'acme/web';
const api = 'acme/api';

const saying = (status: number, message: string, headers: Record<string, string> = {}): Fault => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
});

const isGraphql = ({ path }: HttpRequest): boolean => path.startsWith('/graphql');

/** A run is out in one repo; in the other an issue waits. Then GitHub is at fault. */
const oneOut = async (fault: (request: HttpRequest) => Fault | null) => {
  const { sim, faults } = await simulationOverHttp([
    { repo: web, agent: 'lands at once' },
    { repo: api, agent: 'lands at once', labelled: false },
  ]);
  await minutes(sim, 2);
  expect([threadsOf(sim, web, 1).length, locks(sim).length]).toEqual([1, 1]);
  sim.world.github.label(api, 1, 'ready-for-agent', 'maintainer', sim.now());
  faults.github = fault;
  const mend = (): void => {
    faults.github = () => null;
  };
  return { sim, mend };
};

describe('Poison stays local: whatever GitHub answers for some minutes, it is said, and nothing is lost', () => {
  const limited = saying(403, 'API rate limit exceeded for user ID 1001.', {
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': '1767604800',
  });
  const cases: readonly (readonly [string, Fault, RegExp])[] = [
    ['401 to everything', saying(401, 'Bad credentials'), /401: Bad credentials/],
    ['403, the rate limit', limited, /403: API rate limit exceeded/],
    [
      '403, the secondary rate limit',
      saying(403, 'You have exceeded a secondary rate limit.', { 'retry-after': '60' }),
      /secondary rate limit/,
    ],
    ['403, forbidden', saying(403, 'Resource protected by organization SAML enforcement.'), /403: .*SAML/],
    ['404 to everything', saying(404, 'Not Found'), /404: Not Found/],
    ['410 to everything', saying(410, 'Issues are disabled for this repo'), /410, it is gone/],
    ['422 to everything', saying(422, 'Validation Failed'), /422: Validation Failed/],
    ['502 to everything', { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' }, /502/],
    [
      'half of its JSON',
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{"data":{"nodes":[{"id' },
      /documented/,
    ],
    ['nothing', 'drop', /GitHub could not be reached/],
  ];
  test.each(cases)('%s', async (_, fault, reason) => {
    const { sim, mend } = await oneOut(() => fault);
    const { failed, rulings, reports } = await minutes(sim, 6);
    expect(
      failed.filter((line) => reason.test(line)).length,
      [...new Set(failed), ...rulings].join('\n'),
    ).toBeGreaterThan(0);
    // Each watcher says why it saw nothing of the run; nobody takes that for a person who called it off.
    expect(reports.filter(({ tick }) => tick === 'watch').every((report) => report.failed.length > 0)).toBe(true);
    expect(reports.flatMap(({ ended }) => ended)).toEqual([]);
    expect([locks(sim).length, sim.rung, threadsOf(sim, api, 1)]).toEqual([1, [], []]);
    mend();
    await toRest(sim, 60);
    expect([standing(sim, web, 1), standing(sim, api, 1), busyAgents(sim)]).toEqual(['done', 'done', []]);
    expect([threadsOf(sim, web, 1).length, commentsOf(sim.world, web, 1).length, sim.rung.length]).toEqual([1, 1, 2]);
  });

  test('GraphQL data with holes: a repo that did not come back is no repo that is gone', async () => {
    const partial: Fault = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: {
        data: { nodes: [null, null], node: null, repository: null, rateLimit: { remaining: 4000, cost: 1 } },
        errors: [
          { type: 'FORBIDDEN', path: ['nodes', 0], message: 'Resource not accessible by personal access token' },
        ],
      },
    };
    const { sim, mend } = await oneOut((request) => (isGraphql(request) ? partial : null));
    const { reports } = await minutes(sim, 8);
    expect(reports.flatMap(({ ended }) => ended)).toEqual([]);
    expect([locks(sim).length, threadsOf(sim, api, 1)]).toEqual([1, []]);
    mend();
    await toRest(sim, 60);
    expect([standing(sim, web, 1), standing(sim, api, 1)]).toEqual(['done', 'done']);
  });

  test('writes refused: the run goes on and ends, each try is said, and one comment tells the end', async () => {
    const errors = [{ type: 'UNPROCESSABLE', message: 'Validation Failed' }];
    const refused: Fault = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { data: null, errors },
    };
    const { sim, mend } = await oneOut(({ body }) => (body.includes('mutation Mirror') ? refused : null));
    const { failed, happened } = await minutes(sim, 25);
    const said = failed.filter((line) => /(mirror of|owed by) acme\/web#1.*Validation Failed/.test(line));
    expect(said.length).toBeGreaterThan(1);
    expect(happened).toContain(`${web}#1 ended`);
    expect(locks(sim)).toEqual([]);
    mend();
    await toRest(sim, 60);
    expect([standing(sim, web, 1), commentsOf(sim.world, web, 1).length]).toEqual(['done', 1]);
    expect([standing(sim, api, 1), commentsOf(sim.world, api, 1).length]).toEqual(['done', 1]);
  });
});

describe('No write is done twice, whatever becomes of the answers to it', () => {
  const pause = saying(403, 'You have exceeded a secondary rate limit.', { 'retry-after': '60' });
  const limited: Fault = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] },
  };
  const alreadyLimited: Fault = {
    ...limited,
    body: { errors: [{ type: 'RATE_LIMIT', code: 'graphql_rate_limit', message: 'API rate limit already exceeded' }] },
  };
  test.each([
    ['lost', 'lost', false],
    ['a secondary limit', pause, true],
    ['a primary limit in a 200', limited, true],
    ['a primary limit in a 200 with another word for it', alreadyLimited, true],
  ] as const)('the first answer to every write is %s', async (_, fault, isLimit) => {
    const tried = new Set<string>();
    const { sim, faults } = await simulationOverHttp([{ repo: web, agent: 'lands at once' }]);
    faults.github = ({ body }) => {
      if (!body.includes('mutation Mirror') || tried.has(body)) return null;
      tried.add(body);
      return fault;
    };
    const { reports } = await toRest(sim, 60);
    expect(tried.size).toBeGreaterThanOrEqual(4);
    expect(reports.some(({ limits }) => limits.length > 0)).toBe(isLimit);
    const events = issueIn(sim.world, web, 1).events.map(({ kind }) => kind);
    expect([standing(sim, web, 1), commentsOf(sim.world, web, 1).length]).toEqual(['done', 1]);
    const acts = events.filter((kind) => kind !== 'referenced').toSorted();
    expect(acts).toEqual(['closed', 'labeled', 'labeled', 'unlabeled', 'unlabeled']);
  });
});

test('Trust is the labelling act: a permission that cannot be asked for dispatches nothing and is remembered of nobody', async () => {
  const { sim, mend } = await oneOut(({ path }) =>
    path.includes('/collaborators/') ? saying(403, 'Resource not accessible by personal access token') : null,
  );
  const { rulings } = await minutes(sim, 10);
  expect(rulings.filter((ruling) => ruling.startsWith(`${api}#1 `))[0]).toMatch(/trust unknown: .*403/);
  expect(threadsOf(sim, api, 1)).toEqual([]);
  mend();
  // At once, not after the quarter of an hour for which a refusal would hold.
  await minutes(sim, 2);
  expect(threadsOf(sim, api, 1)).toHaveLength(1);
});
