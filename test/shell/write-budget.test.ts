import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AgentName } from '../../lib/sandbox/agents.ts';
import type { HttpRequest } from '../../lib/sandbox/github-handler.ts';
import { minutes, toRest } from './minutes.ts';
import { simulationOverHttp } from './over-http.ts';

const web = 'acme/web';

/** What a request writes: a mutation's parts, or a REST write by method and path; null where it only reads. */
const writeIn = ({ method, path, body }: HttpRequest): string | null => {
  if (path !== '/graphql') return method === 'GET' ? null : `${method} ${path}`;
  const { query } = JSON.parse(body) as { query: string };
  return query.startsWith('mutation') ? [...query.matchAll(/^ {2}\w+: (\w+)/gm)].map(([, one]) => one).join() : null;
};

/** A run to its end over HTTP, and what it wrote; the labels that the repo lacked at first are not the run's. */
const writesOf = async (agent: AgentName, isDeployed = false) => {
  const settings = isDeployed ? { repos: { [web]: { environments: ['production'] } } } : {};
  const { sim, asked } = await simulationOverHttp([{ repo: web, agent }], settings, { deploys: isDeployed });
  await toRest(sim, 300);
  const quiet = asked().length;
  await minutes(sim, 5);
  const written = (requests: readonly HttpRequest[]) => requests.flatMap((request) => writeIn(request) ?? []);
  expect(written(asked().slice(quiet))).toEqual([]);
  return written(asked()).filter((write) => !/^POST \/repositories\/\d+\/labels$/.test(write));
};

const page = readFileSync(new URL('../../docs/operate.md', import.meta.url), 'utf8');
const told = (run: string): readonly number[] =>
  (new RegExp(`^\\| ${run} +\\| (\\d+) +\\| (\\d+) +\\|$`, 'm').exec(page) ?? []).slice(1).map(Number);

test.each([
  ['lands at once', 'lands at once', false],
  ['lands after half an hour of work', 'takes its time', false],
  ['lands at once and is deployed', 'lands at once', true],
  ['lands after one red CI', 'lands after a red CI', false],
  ['stops, is reminded, and lands', 'needs a nudge', false],
  ['is started twice, never starts, is handed back', 'cannot start', false],
  ['is never green: five attempts, then handed back', 'never gets green', false],
] as const)(
  'a run that %s writes as often as the page says, and nothing once it is over',
  async (run, agent, isDeployed) => {
    const writes = await writesOf(agent, isDeployed);
    const parts = writes.flatMap((write) => write.split(','));
    expect([writes.length, parts.length], writes.join('\n')).toEqual(told(run));
  },
);

test('a run that lands at once writes at most six times: start, what people see change, end', async () => {
  for (const isDeployed of [false, true]) {
    const writes = await writesOf('lands at once', isDeployed);
    expect(writes.length).toBeLessThanOrEqual(6);
    expect(writes[0]).toBe('addComment,addLabelsToLabelable');
    expect(writes.at(-1)).toBe('updateIssueComment,removeLabelsFromLabelable,closeIssue');
    expect(new Set(writes.slice(1, -1))).toEqual(new Set(['updateIssueComment']));
  }
});
