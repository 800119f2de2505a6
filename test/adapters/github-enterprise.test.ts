import { describe, expect, test } from 'vitest';
import { startUpCheck } from '../../functions/start-up.ts';
import { appMemory, githubApp } from '../../lib/adapters/github-app.ts';
import { githubClient } from '../../lib/adapters/github-client.ts';
import { installationsTracker } from '../../lib/adapters/github-installations.ts';
import { githubTracker } from '../../lib/adapters/github-tracker.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import type { Fault, HttpRequest } from '../../lib/sandbox/github-handler.ts';
import { readyIssue, shopWorld } from '../contract/tracker-contract.ts';
import { anApp } from '../support/an-app.ts';
import { startGithub } from '../support/github-stand-in.ts';

// A server of one's own: the API is below /api, and its repos are not github.com's.

const ready = 'ready-for-agent';
const marker = '<!-- afk:0123456789abcdef -->';

const enterprise = async (fault: (request: HttpRequest) => Fault | undefined = () => undefined) => {
  const world = shopWorld();
  const { number, nodeId } = readyIssue(world);
  const app = anApp(world, 'acme');
  const now = (): number => world.state.at;
  const { url, requests } = await startGithub(world, { now, enterprise: true, fault });
  const options = { baseUrl: `${url}/api/v3`, writeSpacingMs: 0, now };
  return {
    host: new URL(url).host,
    baseUrl: options.baseUrl,
    requests,
    number,
    nodeId,
    trackers: {
      token: githubTracker({ client: githubClient({ ...options, token: 'afk-token' }), watched: watchMemory(now) }),
      App: installationsTracker(githubApp({ ...options, app, memory: appMemory() }), watchMemory(now)),
    },
  };
};

const ways = ['token', 'App'] as const;

describe('GitHub Enterprise Server', () => {
  test.each(ways)('is worked with by a %s: REST and GraphQL, and repos of its own host', async (way) => {
    const { trackers, host, number, nodeId, requests } = await enterprise();
    const tracker = trackers[way];
    const found = await tracker.resolve('acme/shop');
    const repo = found!.repo;
    expect(repo).toMatchObject({ host, name: 'acme/shop' });
    const issue = { repo, number, nodeId };
    expect(await tracker.scan([repo], ready)).toMatchObject([{ id: repo.id, readyCount: 1 }]);
    expect((await tracker.listReady(repo, ready)).map((one) => one.number)).toEqual([number]);
    expect((await tracker.detail(issue, ready))?.title).toBe('Cart loses items');
    const comment = { marker, body: `${marker}\nAt work.\n` };
    await tracker.ensureMirror(issue, { labels: { add: [], remove: [] }, comment, state: 'as is' }, null);
    expect(await tracker.preflight(repo, 'main', [ready], { noCi: 'accept' })).toEqual([]);
    expect(requests.filter(({ response }) => (response?.status ?? 0) >= 400)).toEqual([]);
  });

  const schema = (fields: readonly string[]): Fault => ({
    status: 200,
    body: { data: { issue: { fields: fields.map((name) => ({ name })) } } },
  });
  const old = ({ body }: HttpRequest): Fault | undefined => {
    if (body.includes('query Schema')) return schema(['id', 'number', 'title']);
    return body.includes('issueDependenciesSummary')
      ? {
          status: 200,
          body: { errors: [{ message: "Field 'issueDependenciesSummary' doesn't exist on type 'Issue'" }] },
        }
      : undefined;
  };

  test.each(ways)('before 3.19 it is refused by the preflight in plain words, with a %s', async (way) => {
    const { trackers, number, nodeId } = await enterprise(old);
    const { repo } = (await trackers[way].resolve('acme/shop'))!;
    expect(await trackers[way].preflight(repo, 'main', [ready], { noCi: 'accept' })).toEqual([
      'this GitHub Enterprise Server does not tell which issues block which: upgrade it to 3.19 or newer',
    ]);
    // Asked all the same it is a definite refusal, which says what would help.
    const asked = trackers[way].detail({ repo, number, nodeId }, ready);
    await expect(asked).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('3.19') });
  });

  test('before 3.19 each start says so', async () => {
    const { baseUrl } = await enterprise(old);
    const credentials = { github: { token: 'afk-token' }, githubUrl: baseUrl, t3Token: 't3' };
    const said = await startUpCheck(credentials, { t3Url: 'http://127.0.0.1:1', agentLogins: [], now: 0 });
    expect(said).toContain(
      '  GitHub: this GitHub Enterprise Server does not tell which issues block which: upgrade it to 3.19 or newer',
    );
    const { baseUrl: newer } = await enterprise();
    const quiet = await startUpCheck(
      { ...credentials, githubUrl: newer },
      { t3Url: 'http://127.0.0.1:1', agentLogins: [], now: 0 },
    );
    expect(quiet.filter((line) => line.includes('3.19'))).toEqual([]);
  });
});
