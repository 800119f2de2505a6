import { githubClient } from '../../lib/adapters/github-client.ts';
import { githubTracker } from '../../lib/adapters/github-tracker.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import { trackerContract } from '../contract/tracker-contract.ts';
import { startGithub } from '../support/github-stand-in.ts';

trackerContract('the tracker on GitHub', async (world, now) => {
  const { url } = await startGithub(world, { now });
  const client = githubClient({ token: 'afk-token', baseUrl: url, writeSpacingMs: 0, now });
  return githubTracker({ client, watched: watchMemory(now) });
});
