import type { Forge } from '../ports.ts';
import { commitReports } from './github-ci.ts';
import type { GithubClient } from './github-client.ts';
import type { Ancestry } from './github-deployments.ts';
import { foundElsewhere } from './github-elsewhere.ts';
import { landing } from './github-landing.ts';
import { pullOfRun } from './github-pull.ts';
import { saidOf } from './github-said.ts';
import type { WatchMemory } from './github-watched.ts';

/** Commits, CI and deployments on GitHub, asked by ids as the tracker does. */
export const githubForge = ({ client, watched }: { client: GithubClient; watched: WatchMemory }): Forge => {
  const ancestry: Ancestry = new Map();
  return {
    landing: (repo, ask) => landing(client, repo, ask),
    elsewhere: (repo, ask) => foundElsewhere(client, repo, ask),
    ci: (repo, ask) => commitReports(client, { ancestry, watched }, repo, ask),
    pull: (repo, ask) => pullOfRun(client, repo, ask),
    said: (repo, ask) => saidOf(client, repo, ask),
  };
};
