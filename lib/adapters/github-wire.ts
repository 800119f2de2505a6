import * as z from 'zod';
import type { Actor } from '../core/issue.ts';

/**
 * GitHub's REST answers as `@octokit/openapi` 23.0.2 describes them: only the fields we use. What may be null or absent
 * in practice is allowed to be, and a word GitHub adds one day fails nothing.
 */

/** Database ids outgrow what a double holds one day; they are never calculated with. */
export const Id = z.union([z.number(), z.bigint()]).transform(String);

/** ISO 8601 as epoch ms. */
export const Instant = z
  .string()
  .transform((text) => Date.parse(text))
  .refine((at) => Number.isFinite(at));

const Account = z.object({ login: z.string() }).nullish();

export const Repository = z.object({
  id: Id,
  node_id: z.string(),
  full_name: z.string(),
  html_url: z.string().refine((url) => URL.canParse(url)),
  default_branch: z.string().nullish(),
  archived: z.boolean().optional(),
  disabled: z.boolean().optional(),
  has_issues: z.boolean().optional(),
  has_pull_requests: z.boolean().optional(),
  permissions: z
    .object({
      triage: z.boolean().optional(),
      push: z.boolean().optional(),
      admin: z.boolean().optional(),
    })
    .optional(),
});

const LabelNames = z
  .array(z.union([z.string(), z.object({ name: z.string().nullish() })]))
  .transform((labels) => labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))));

export const IssueRow = z.object({
  node_id: z.string(),
  number: z.number().int(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.string(),
  locked: z.boolean().optional(),
  labels: LabelNames,
  updated_at: z.string(),
  pull_request: z.unknown().optional(),
  issue_dependencies_summary: z.object({ blocked_by: z.number().int() }).nullish(),
  sub_issues_summary: z.object({ total: z.number().int(), completed: z.number().int() }).nullish(),
});

/** A list whose rows are judged one by one, so that a bad one never hides the others. */
export const Rows = z.array(z.unknown());

export const LabelRow = z.object({ name: z.string() });

export const PermissionRow = z.object({ permission: z.string(), role_name: z.string().optional() });

/** An event of any kind, for when it happened. */
export const DatedRow = z.object({ created_at: Instant });

/** A `labeled` event; `intent` is non-null where an AI agent put the label on. */
export const LabeledRow = z.object({
  event: z.literal('labeled'),
  actor: Account,
  created_at: Instant,
  label: z.object({ name: z.string() }),
  performed_via_github_app: z.object({ slug: z.string().nullish(), name: z.string().nullish() }).nullish(),
  intent: z.unknown().optional(),
});

const CommitRow = z
  .object({
    sha: z.string(),
    commit: z.object({ message: z.string() }),
    parents: z.array(z.object({ sha: z.string() })),
  })
  .transform(({ sha, commit, parents }) => ({
    sha,
    message: commit.message,
    parents: parents.map((parent) => parent.sha),
  }));

/** `behind`: the head is an ancestor of the base. */
export const Comparison = z.object({
  status: z.string(),
  total_commits: z.number().int(),
  commits: z.array(CommitRow),
});

export const Commits = z.array(CommitRow);

export const Activities = z.array(
  z
    .object({ before: z.string(), after: z.string(), timestamp: Instant })
    .transform(({ before, after, timestamp: at }) => ({ before, after, at })),
);

export const Rules = z.array(z.object({ type: z.string() }));

export const Branch = z.object({
  commit: z.object({ sha: z.string() }),
  protection: z
    .object({ required_status_checks: z.object({ contexts: z.array(z.string()).optional() }).optional() })
    .optional(),
});

const Output = z
  .object({ title: z.string().nullish(), summary: z.string().nullish(), text: z.string().nullish() })
  .nullish();

export const CheckRuns = z.object({
  check_runs: z.array(
    z.object({
      name: z.string(),
      conclusion: z.string().nullish(),
      completed_at: Instant.nullish(),
      output: Output,
    }),
  ),
});

export const CommitStatuses = z.object({
  statuses: z.array(
    z.object({ context: z.string(), state: z.string(), updated_at: Instant, description: z.string().nullish() }),
  ),
});

export const Total = z.object({ total_count: z.number().int() });

/** GraphQL's actor: without one the account is gone. */
export const GraphqlActor = z
  .object({ __typename: z.string(), login: z.string() })
  .nullish()
  .transform((actor): Actor => {
    if (!actor) return null;
    const kind = actor.__typename === 'User' ? 'user' : actor.__typename === 'Bot' ? 'bot' : 'other';
    return { login: actor.login, kind };
  });

/** The default branch of a repo as GraphQL shows it; null where the repo is empty. */
export const DefaultBranch = z.object({ name: z.string(), target: z.object({ oid: z.string() }).nullish() }).nullish();
