import * as z from 'zod';
import type { CiFacts } from '../core/ci-verdict.ts';
import type { IssueRef } from '../core/issue.ts';
import type { WatchedIssue } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { graphqlRefusal } from './github-refusal.ts';
import { chunks, pageSize, pagesAtOnce } from './github-scan.ts';
import { DefaultBranch, Id } from './github-wire.ts';

/**
 * What was read in full of watched issues and commits, each with its print: the few words of it that a glance at all of
 * them shows. While a glance shows the same print, what was read holds. Outlives a tick; empty, all is read in full.
 */
export type WatchMemory = {
  issues: Map<string, Kept<WatchedIssue>>;
  commits: Map<string, Kept<CiFacts> & { repo: string; sha: string }>;
  /** What the latest glance showed, by the same keys. Each serves one reading, within the minute. */
  shown: Map<string, Shown>;
  now: () => number;
};

type Kept<T> = { print: string; at: number; value: T };
type Shown = { print: string; at: number };

export const watchMemory = (now: () => number): WatchMemory => ({
  issues: new Map(),
  commits: new Map(),
  shown: new Map(),
  now,
});

/** What was read before, where the glance of this tick shows the same; else null: it is to be read, and kept, anew. */
export const recalled = <T>({ shown, now }: WatchMemory, kept: Map<string, Kept<T>>, key: string): T | null => {
  const [glanced, known] = [shown.get(key), kept.get(key)];
  shown.delete(key);
  const isSame = glanced !== undefined && known !== undefined && glanced.print === known.print;
  return isSame && now() - glanced.at < freshMs ? known.value : null;
};

/** Both belong to one tick. */
const freshMs = 60_000;
/** What no print shows, such as another rule of the branch, is seen after so long all the same. */
const keptMs = 10 * 60_000;

/**
 * One glance at those of the issues that were read before, and at the commits that were for their repos: 100 issues a
 * request. What is not shown is read in full when it is asked for.
 */
export const glanceAt = async (
  client: GithubClient,
  memory: WatchMemory,
  issues: readonly IssueRef[],
): Promise<void> => {
  const { now, shown } = memory;
  for (const kept of [memory.issues, memory.commits])
    for (const [key, { at }] of kept) if (Math.abs(now() - at) >= keptMs) kept.delete(key);
  for (const [key, { at }] of shown) if (Math.abs(now() - at) >= freshMs) shown.delete(key);
  const known = issues.filter(({ nodeId }) => memory.issues.has(nodeId));
  for (const group of chunks(chunks(known, pageSize), pagesAtOnce))
    await Promise.all(group.map((page) => glanceAtPage(client, memory, page)));
};

const glanceAtPage = async (client: GithubClient, memory: WatchMemory, issues: readonly IssueRef[]): Promise<void> => {
  const repos = new Set(issues.map(({ repo }) => repo.nodeId));
  const commits = [...memory.commits].filter(([, { repo }]) => repos.has(repo)).slice(0, pageSize);
  const asked: Record<string, string | readonly string[]> = { issues: issues.map(({ nodeId }) => nodeId) };
  for (const [index, [, { repo, sha }]] of commits.entries()) {
    asked[`r${index}`] = repo;
    asked[`o${index}`] = sha;
  }
  const { data, errors } = await client.query(glanceQuery(commits.length), asked);
  // What is missing is not shown, and therefore read in full; a query that is refused as a whole shows nothing.
  const answer = z.record(z.string(), z.unknown()).safeParse(data).data;
  if (answer === undefined) throw graphqlRefusal('query Glance', errors);
  const at = memory.now();
  for (const node of read(Nodes, answer, 'query Glance').issues) {
    const issue = Identified.safeParse(node).data;
    const print = issue === undefined ? null : issuePrint(issue);
    if (issue !== undefined && print !== null) memory.shown.set(issue.id, { print, at });
  }
  for (const [index, [key]] of commits.entries()) {
    const repo = Repo.safeParse(answer[`c${index}`]).data;
    const print = repo === undefined ? null : commitPrint(repo.object);
    if (print !== null) memory.shown.set(key, { print, at });
  }
};

const Nodes = z.object({ issues: z.array(z.unknown()) });
const Identified = z.looseObject({ id: z.string() });
const Repo = z.object({ object: z.unknown() });

const glanceQuery = (commits: number): string => {
  const indices = Array.from({ length: commits }, (_, index) => index);
  const variables = indices.map((index) => `, $r${index}: ID!, $o${index}: GitObjectID!`).join('');
  const objects = indices.map(
    (index) =>
      `c${index}: node(id: $r${index}) { ... on Repository { object(oid: $o${index}) { ... on Commit { ${commitGlance} } } } }`,
  );
  return `query Glance($issues: [ID!]!${variables}) { issues: nodes(ids: $issues) { ... on Issue { id ${issueGlance} } } ${objects.join('\n')} }`;
};

/** Part of the full query as well, so that its answer gives the same print. No events: asked of many they get lost. */
export const issueGlance = /* GraphQL */ `
  state
  updatedAt
  closedAt
  repository { databaseId nameWithOwner defaultBranchRef { name target { oid } } }
  labels(first: 100) { nodes { name } }
`;

/** Likewise. Counts tell of one check that changed, the suites' times of two that changed places; statuses are few. */
export const commitGlance = /* GraphQL */ `
  statusCheckRollup {
    state
    counts: contexts(first: 1) {
      checkRunCountsByState { state count }
    }
  }
  status { contexts { context state createdAt } }
  suites: checkSuites(first: 100) { totalCount nodes { status conclusion updatedAt } }
`;

const GlancedIssue = z.object({
  state: z.string(),
  updatedAt: z.string(),
  closedAt: z.string().nullish(),
  repository: z.object({ databaseId: Id, nameWithOwner: z.string(), defaultBranchRef: DefaultBranch }),
  labels: z.object({ nodes: z.array(z.object({ name: z.string() }).nullable()).nullish() }).nullish(),
});

const Counts = z
  .array(z.object({ state: z.string(), count: z.number().int() }))
  .nullish()
  .transform((counts) => counts?.toSorted((a, b) => (a.state < b.state ? -1 : 1)));

const GlancedCommit = z.object({
  statusCheckRollup: z
    .object({
      state: z.string(),
      counts: z.object({ checkRunCountsByState: Counts }),
    })
    .nullish(),
  status: z
    .object({ contexts: z.array(z.object({ context: z.string(), state: z.string(), createdAt: z.string() })) })
    .nullish()
    .transform((status) => status?.contexts.toSorted((a, b) => (a.context < b.context ? -1 : 1))),
  suites: z
    .object({
      totalCount: z.number().int(),
      nodes: z
        .array(z.object({ status: z.string(), conclusion: z.string().nullish(), updatedAt: z.string() }).nullable())
        .nullish(),
    })
    .nullish(),
});

/** What a glance shows of an issue or a commit, as words to be compared; null where it is not all there. */
export const issuePrint = (node: unknown): string | null => printOf(GlancedIssue, node);
export const commitPrint = (node: unknown): string | null => printOf(GlancedCommit, node);

const printOf = (schema: z.ZodType, node: unknown): string | null => {
  const parsed = schema.safeParse(node);
  return parsed.success ? JSON.stringify(parsed.data) : null;
};
