/** `owner/name` as the tracker spells it today; compared without case. The immutable id is `RepoRef.id`. */
export type RepoName = string;

/** A repo by its immutable ids; the name is data and may be out of date. `host` is the tracker's, e.g. `github.com`. */
export type RepoRef = { host: string; id: string; nodeId: string; name: RepoName };

/** An issue by its immutable ids; the number is what people say. */
export type IssueRef = { repo: RepoRef; number: number; nodeId: string };

/** Who did something. Null where the account is gone: what cannot be attributed is not trusted. */
export type Actor = { login: string; kind: 'user' | 'bot' | 'other' } | null;

/** One repo in the scan. `readyCount` counts open issues that carry the ready label. */
export type RepoScan = {
  id: string;
  nodeId: string;
  name: RepoName;
  archived: boolean;
  issuesEnabled: boolean;
  /** Null for an empty repo. */
  defaultBranch: { name: string; head: string } | null;
  readyCount: number;
};

/** One row of an idle repo's list of ready issues: enough for the cheap gates, never for trust. */
export type ListedIssue = {
  nodeId: string;
  number: number;
  title: string;
  /** Empty where the tracker said null. */
  body: string;
  labels: readonly string[];
  /** As the tracker wrote it; only ever compared for equality. */
  updatedAt: string;
  isPullRequest: boolean;
  locked: boolean;
  /** Open native blockers by the tracker's own count; null where it does not say. */
  openBlockers: number | null;
  openSubIssues: number;
};

/** What happened to an issue, oldest first, as far as trust and cancellation ask. `at` is epoch ms. */
export type IssueEvent =
  | { kind: 'labeled' | 'unlabeled'; id: string; at: number; actor: Actor; label: { id: string | null; name: string } }
  | { kind: 'renamed' | 'transferred' | 'reopened'; id: string; at: number; actor: Actor };

/** An edit of the body; `at` is epoch ms. */
export type BodyEdit = { at: number; editor: Actor };

/** One issue read alone and in full: the only ground on which trust is decided. */
export type IssueDetail = {
  repo: RepoRef;
  archived: boolean;
  defaultBranch: { name: string; head: string } | null;
  number: number;
  nodeId: string;
  url: string;
  title: string;
  body: string;
  open: boolean;
  locked: boolean;
  updatedAt: string;
  author: Actor;
  labels: readonly { id: string; name: string }[];
  /** `complete` is false where older events exist that were not fetched; `hasHole` where one among them cannot be read. */
  events: { complete: boolean; hasHole: boolean; list: readonly IssueEvent[] };
  /** `complete` is false where older edits exist that were not fetched. */
  edits: { complete: boolean; list: readonly BodyEdit[] };
  /** Open native blockers by count, and those the token may see. */
  blockers: { openCount: number; listed: readonly string[] };
  openSubIssues: number;
  /**
   * How the ready label was put on, from the REST event of the same instant: through an app, by an AI agent.
   * Null where nobody put it on or can be named, or more happened since than is read.
   */
  labelling: { throughApp: string | null; byAgent: boolean } | null;
};

/** A person's right on a repo now. `notFound`: the tracker knows no such user there. `role` is the finer role's name. */
export type Permission = { level: 'admin' | 'write' | 'read' | 'none' | 'notFound'; role: string };

/** One labelling: by whom, when. At most one run is ever started for it. `id` is the tracker's own event id. */
export type Act = { id: string; by: string; at: number };
