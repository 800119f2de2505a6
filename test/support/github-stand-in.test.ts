import { expect, test } from 'vitest';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { startGithub, validatedGithub } from './github-stand-in.ts';

const aServer = () => {
  const world = githubWorld();
  world.addUser('maintainer', { token: 't' });
  world.addRepo('acme/app');
  return startGithub(world, { now: () => 0 });
};
const headers = { authorization: 'token t' };

test('a test whose exchanges GitHub documents passes, and the server is gone after it', async () => {
  const { url, requests } = await aServer();
  const answer = await fetch(`${url}/repos/acme/app/issues?state=open`, { headers });
  expect([answer.status, requests.length]).toEqual([200, 1]);
});

// The breach is found when the test is over: this one is right only because it fails.
test.fails('a test that asks what GitHub does not document fails', async () => {
  const { url } = await aServer();
  await fetch(`${url}/repos/acme/app/issues?label=ready`, { headers });
});

test('whoever closes the stand-in is told what GitHub does not document, each breach once', async () => {
  const world = githubWorld();
  world.addUser('maintainer', { token: 't' });
  world.addRepo('acme/app', { permissions: { maintainer: 'write' } });
  const issue = world.openIssue('acme/app', { author: 'maintainer', title: 'It breaks' }, 0);
  // The fault is the stand-in's own: it says what its state holds.
  Object.assign(issue, { title: null });
  const { url, close } = await validatedGithub(world, { now: () => 0 });
  const query = '{ repository(owner: "acme", name: "app") { issue(number: 1) { title } } }';
  for (const _ of ['once', 'twice']) await fetch(`${url}/repos/acme/app/issues/1`, { headers });
  await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  const told = await close().then(
    () => [],
    (error: Error) => error.message.split('\n').slice(1),
  );
  expect(told).toEqual([
    'GET /repos/acme/app/issues/1: issues/get: answer 200 /title must be string "string"',
    expect.stringContaining('POST /graphql: query of repository: answer 200 errors.0 has no type'),
  ]);
});

test('a stand-in that fails at a request fails the test, whatever the client makes of it', async () => {
  const world = githubWorld();
  const now = () => {
    throw new Error('no clock');
  };
  const { url, close } = await validatedGithub(world, { now });
  expect((await fetch(`${url}/rate_limit`)).status).toBe(599);
  await expect(close()).rejects.toThrow('rate-limit/get: answer 599 status is not documented');
});
