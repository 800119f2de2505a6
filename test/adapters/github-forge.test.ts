import { githubClient } from '../../lib/adapters/github-client.ts';
import { githubForge } from '../../lib/adapters/github-forge.ts';
import { watchMemory } from '../../lib/adapters/github-watched.ts';
import { forgeContract } from '../contract/forge-contract.ts';
import { startGithub } from '../support/github-stand-in.ts';

forgeContract('the forge on GitHub', async (world, now) => {
  const { url } = await startGithub(world, { now });
  const client = githubClient({ token: 'afk-token', baseUrl: url, writeSpacingMs: 0, now });
  return githubForge({ client, watched: watchMemory(now) });
});
