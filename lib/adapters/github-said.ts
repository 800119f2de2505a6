import type * as z from 'zod';
import type { RepoRef } from '../core/issue.ts';
import { saidByName, type Told } from '../core/said.ts';
import type { Forge } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { CheckRuns, CommitStatuses } from './github-wire.ts';

/**
 * What the failing ones of these checks reported about themselves: one request for check runs, and one for statuses
 * where that leaves names without words. GitHub Actions reports a title at best; other apps a summary and a text.
 */
export const saidOf = async (
  client: GithubClient,
  repo: RepoRef,
  { sha, names }: Parameters<Forge['said']>[1],
): ReturnType<Forge['said']> => {
  if (names.length === 0) return new Map();
  const asked = { repo_id: repo.id, sha, per_page: 100 };
  const runs = await client.ask(runsRoute, { ...asked, filter: 'latest' }, [200]);
  const told = read(CheckRuns, runs.data, runsRoute).check_runs.map(toldByRun);
  const said = saidByName(told, names);
  if (names.every((name) => said.has(name))) return said;
  const statuses = await client.ask(statusRoute, asked, [200]);
  return saidByName([...told, ...read(CommitStatuses, statuses.data, statusRoute).statuses.map(toldByStatus)], names);
};

const runsRoute = 'GET /repositories/{repo_id}/commits/{sha}/check-runs';
const statusRoute = 'GET /repositories/{repo_id}/commits/{sha}/status';

// What is not over has nothing to say yet; its words may be those of success.
const passing: ReadonlySet<string | null> = new Set([null, 'success', 'neutral', 'skipped']);

const toldByRun = ({
  name,
  conclusion,
  completed_at,
  output,
}: z.infer<typeof CheckRuns>['check_runs'][number]): Told => ({
  name,
  passed: passing.has(conclusion ?? null),
  at: completed_at ?? 0,
  title: output?.title ?? '',
  text: [output?.summary ?? '', output?.text ?? ''].join('\n\n'),
});

const toldByStatus = ({
  context,
  state,
  updated_at,
  description,
}: z.infer<typeof CommitStatuses>['statuses'][number]): Told => ({
  name: context,
  passed: state === 'success' || state === 'pending',
  at: updated_at,
  title: '',
  text: description ?? '',
});
