import { expect, test } from 'vitest';
import { githubWorld } from '../../lib/sandbox/github-world.ts';
import { startGithub } from './github-stand-in.ts';

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
