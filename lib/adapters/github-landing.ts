import * as z from 'zod';
import type { RepoRef } from '../core/issue.ts';
import {
  type Commit,
  commitsOfRun,
  declaredPhases,
  type History,
  nextTip,
  pushTip,
  type Tip,
} from '../core/push-tip.ts';
import type { Forge, LandingFacts } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { graphqlRefusal } from './github-refusal.ts';
import { Activities, Commits, Comparison } from './github-wire.ts';

/**
 * A run's commits on the default branch since its base, and the tip to watch. One request while there are none; one
 * more for the pushes once there are, and one for the checks where no push of the record carries them. What is
 * compared is the head that was seen, so that a branch that moves meanwhile changes nothing.
 */
export const landing = async (
  client: GithubClient,
  repo: RepoRef,
  { base, branch, head, runId, after, merged }: Parameters<Forge['landing']>[1],
): Promise<LandingFacts> => {
  const { commits, rewritten } = base === head ? untouched : await commitsSince(client, repo, base, head);
  const own = commitsOfRun(commits, runId, merged);
  if (own.length === 0) return { ...nothing, rewritten };
  const history = { commits, head, pushes: await pushesTo(client, repo, branch), checked: new Set<string>() };
  const tipOf = (known: History): Tip | null =>
    after === undefined ? pushTip(known, runId, merged) : nextTip(known, after);
  const byPush = tipOf(history);
  const found =
    byPush?.by === 'push' ? byPush : tipOf({ ...history, checked: await checkedCommits(client, repo, head) });
  return {
    commits: own
      .map((commit) => commit.sha)
      .reverse()
      .slice(0, commitsMax),
    tip: found?.tip ?? null,
    hasDescendant: found?.hasDescendant ?? false,
    pushedAt: found?.pushedAt ?? null,
    declared: declaredPhases(own.map((commit) => commit.message)),
    rewritten,
  };
};

type Since = { commits: readonly Commit[]; rewritten: boolean };

const commitsMax = 5;
const pageSize = 100;
const pagesMax = 10;

const untouched: Since = { commits: [], rewritten: false };
const nothing = {
  ...{ commits: [], tip: null, hasDescendant: false, pushedAt: null },
  declared: { testsRed: false, green: false },
};

/** Oldest first. Where the base is no longer part of the branch: what is new since they parted, or the last commits. */
const commitsSince = async (client: GithubClient, repo: RepoRef, base: string, head: string): Promise<Since> => {
  const route = 'GET /repositories/{repo_id}/compare/{basehead}';
  const ask = (page: number) =>
    client.ask(route, { repo_id: repo.id, basehead: `${base}...${head}`, per_page: pageSize, page }, [200, 404]);
  const answer = await ask(1);
  if (answer.status === 404) return { commits: await lastCommits(client, repo, head), rewritten: true };
  const first = read(Comparison, answer.data, route);
  const last = Math.ceil(first.total_commits / pageSize);
  const commits = [...first.commits];
  // The newest pages, if there are more than are read.
  for (let page = Math.max(2, last - pagesMax + 2); page <= last; page += 1) {
    const next = await ask(page);
    if (next.status === 404) return { commits: await lastCommits(client, repo, head), rewritten: true };
    commits.push(...read(Comparison, next.data, route).commits);
  }
  return { commits, rewritten: first.status !== 'ahead' && first.status !== 'identical' };
};

const lastCommits = async (client: GithubClient, repo: RepoRef, head: string): Promise<readonly Commit[]> => {
  const route = 'GET /repositories/{repo_id}/commits';
  const answer = await client.ask(route, { repo_id: repo.id, sha: head, per_page: pageSize }, [200]);
  return read(Commits, answer.data, route).toReversed();
};

/** The newest pushes to the branch, newest first; also forced ones and merges. Their record may lag, or be no business of ours. */
const pushesTo = async (client: GithubClient, repo: RepoRef, branch: string): Promise<z.infer<typeof Activities>> => {
  const route = 'GET /repositories/{repo_id}/activity';
  const answer = await client.ask(
    route,
    { repo_id: repo.id, ref: `refs/heads/${branch}`, per_page: pageSize },
    [200, 403, 404],
  );
  return answer.status !== 200 ? [] : read(Activities, answer.data, route);
};

/** Of the newest commits those with a check or a status. */
const checkedCommits = async (client: GithubClient, repo: RepoRef, head: string): Promise<ReadonlySet<string>> => {
  const { data, errors } = await client.query(checkedQuery, { repo: repo.nodeId, oid: head });
  if (errors.length > 0) throw graphqlRefusal('query Checked', errors);
  const { nodes } = read(Checked, data, 'query Checked').node.object.history;
  return new Set(nodes.flatMap((commit) => (commit?.statusCheckRollup ? [commit.oid] : [])));
};

const checkedQuery = /* GraphQL */ `
  query Checked($repo: ID!, $oid: GitObjectID!) {
    node(id: $repo) {
      ... on Repository {
        object(oid: $oid) { ... on Commit { history(first: 50) { nodes { oid statusCheckRollup { state } } } } }
      }
    }
  }
`;

const Checked = z.object({
  node: z.object({
    object: z.object({
      history: z.object({
        nodes: z
          .array(z.object({ oid: z.string(), statusCheckRollup: z.object({ state: z.string() }).nullish() }).nullable())
          .nullish()
          .transform((nodes) => nodes ?? []),
      }),
    }),
  }),
});
