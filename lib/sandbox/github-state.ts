import type { App, Installation, InstallationToken } from './github-apps.ts';
import { nodeIdOf } from './github-ids.ts';
import { notFound } from './github-refusal.ts';

/** What a person may be given on a repository; the owner is always `admin`. */
export type Role = 'admin' | 'maintain' | 'write' | 'triage' | 'read';

/** `app` is the slug whose installation a bot acts for. `notAUser`: the permission endpoint denies knowing it. */
export type Account = {
  login: string;
  id: number;
  nodeId: string;
  type: 'User' | 'Bot' | 'Organization' | 'Mannequin';
  app: string | null;
  notAUser: boolean;
  deleted: boolean;
  createdAt: number;
};

export type Label = { id: number; nodeId: string; name: string; color: string; description: string | null };

export type Edit = { nodeId: string; at: number; editor: string };

export type Comment = {
  id: number;
  nodeId: string;
  issueId: number;
  author: string;
  body: string;
  createdAt: number;
  updatedAt: number;
  edits: Edit[];
};

type Happening =
  | { kind: 'labeled'; label: Label; name: string; color: string; intent: Intent | null }
  | { kind: 'unlabeled'; label: Label; name: string; color: string }
  | { kind: 'renamed'; from: string; to: string }
  | { kind: 'closed'; reason: CloseReason; commit: { repoId: number; sha: string } | null; pull: number | null }
  | { kind: 'reopened' }
  | { kind: 'locked'; reason: string | null }
  | { kind: 'unlocked' }
  | { kind: 'transferred'; fromRepoId: number }
  | { kind: 'referenced'; commit: { repoId: number; sha: string } }
  | { kind: 'cross-referenced'; sourceId: number; closes: boolean }
  | { kind: 'comment_deleted' };

/** What an agent says of a label it applied; null parts are unknown. */
export type Intent = { rationale: string | null; confidence: 'low' | 'medium' | 'high' | null };

export type CloseReason = 'completed' | 'not_planned' | 'duplicate';

/** One entry of an issue's history. `app` is the app through which the actor acted, by slug. */
export type IssueEvent = { id: number; nodeId: string; at: number; actor: string; app: string | null } & Happening;

export type MergeMethod = 'merge' | 'squash' | 'rebase';

/** `sha` follows the branch while it is open. `baseSha` is where the base stood at the merge, `mergeSha` what that left on it. */
export type Pull = {
  head: string;
  base: string;
  sha: string;
  draft: boolean;
  fork: boolean;
  conflicting: boolean;
  review: 'approved' | 'changes_requested' | null;
  mergedAt: number | null;
  baseSha: string | null;
  mergeSha: string | null;
  closes: number[];
};

/** An issue or, with `pull`, a pull request: one number space. `movedTo` is the id of what it became elsewhere. */
export type Issue = {
  id: number;
  nodeId: string;
  repoId: number;
  number: number;
  pull: Pull | null;
  title: string;
  body: string;
  author: string;
  state: 'open' | 'closed';
  stateReason: CloseReason | 'reopened' | null;
  locked: boolean;
  lockReason: string | null;
  createdAt: number;
  updatedAt: number;
  closedAt: number | null;
  closedBy: string | null;
  labels: Label[];
  assignees: string[];
  comments: Comment[];
  edits: Edit[];
  events: IssueEvent[];
  blockedBy: number[];
  parent: number | null;
  deleted: boolean;
  movedTo: number | null;
};

export type Commit = {
  sha: string;
  nodeId: string;
  index: number;
  repoId: number;
  message: string;
  author: string;
  at: number;
  parents: readonly string[];
  files: readonly string[];
};

export type Activity = {
  id: number;
  nodeId: string;
  at: number;
  ref: string;
  before: string;
  after: string;
  actor: string;
  kind: 'push' | 'force_push' | 'branch_creation' | 'branch_deletion' | 'pr_merge';
};

export type Suite = {
  id: number;
  nodeId: string;
  sha: string;
  branch: string;
  app: string;
  workflow: string | null;
  /** Which workflow file it is of, by a name of our own. */
  file: string | null;
  event: string;
  number: number;
  createdAt: number;
  /** How it ends while it has no runs; null where it stays queued. */
  runless: { endsAt: number; conclusion: string } | null;
};

export type Check = {
  id: number;
  nodeId: string;
  suite: Suite;
  sha: string;
  name: string;
  appearsAt: number;
  startsAt: number;
  endsAt: number | null;
  conclusion: string | null;
  unfinished: Unfinished;
  /** What it will have reported of itself once it is over. */
  says: string | null;
};

/** How a check that has begun and not ended is shown: at work, or waiting for a person or for another. */
export type Unfinished = 'in_progress' | 'waiting' | 'pending' | 'requested';

export type Status = {
  id: number;
  nodeId: string;
  sha: string;
  context: string;
  state: string;
  at: number;
  creator: string;
  says: string | null;
};

export type Deployment = {
  id: number;
  nodeId: string;
  sha: string;
  ref: string;
  environment: string;
  createdAt: number;
  creator: string;
  states: { id: number; nodeId: string; state: string; at: number }[];
};

/** Rules on the default branch, as a ruleset would enforce them; `classic`: as its protection does, which lists none. */
export type Rules = {
  classic?: boolean;
  requiredChecks?: readonly { context: string; app?: string }[];
  pullRequest?: boolean;
  mergeQueue?: boolean;
  signatures?: boolean;
  /** Environments that have to be deployed to first. */
  deployments?: readonly string[];
  codeScanning?: boolean;
  workflows?: boolean;
  /** Nobody may update the branch, by a push or by a merge. */
  locked?: boolean;
};

export type Repo = {
  id: number;
  nodeId: string;
  name: string;
  defaultBranch: string;
  private: boolean;
  behindSso: boolean;
  archived: boolean;
  disabled: boolean;
  issuesEnabled: boolean;
  pullsEnabled: boolean;
  createdAt: number;
  permissions: Map<string, Role>;
  /** What an App's bot may do here by the token of the request at hand; null where that token does not reach. */
  acting: { login: string; role: Role } | null;
  labels: Label[];
  issues: Map<number, Issue>;
  numbers: number;
  commits: Map<string, Commit>;
  branches: Map<string, string>;
  activity: Activity[];
  pushes: number;
  suites: Suite[];
  checks: Check[];
  statuses: Status[];
  deployments: Deployment[];
  rules: Rules;
};

/** What a node id stands for. */
export type Entity =
  | { kind: 'account'; account: Account }
  | { kind: 'repo'; repo: Repo }
  | { kind: 'label'; label: Label; repo: Repo }
  | { kind: 'issue'; issue: Issue }
  | { kind: 'comment'; comment: Comment }
  | { kind: 'commit'; commit: Commit };

/** Everything GitHub knows, at the instant `at`. `due` holds the instants, ascending, at which reports become visible. */
export type State = {
  at: number;
  ids: number;
  due: number[];
  accounts: Map<string, Account>;
  tokens: Map<string, string>;
  apps: Map<number, App>;
  installations: Map<number, Installation>;
  installationTokens: Map<string, InstallationToken>;
  repos: Map<number, Repo>;
  names: Map<string, number>;
  issues: Map<number, Issue>;
  comments: Map<number, Comment>;
  nodes: Map<string, Entity>;
};

/** The next database id; ids grow in the order things are made, so the same story gives the same ids. */
export const nextId = (state: State): number => {
  state.ids += 1;
  return state.ids;
};

/** A fresh database id with the node id that goes with it. */
export const identity = (state: State, prefix: string): { id: number; nodeId: string } => {
  const id = nextId(state);
  return { id, nodeId: nodeIdOf(prefix, String(id)) };
};

/** Moves the world's clock to `at`, never back, and says what time it is. */
export const advance = (state: State, at: number): number => {
  state.at = Math.max(state.at, at);
  return state.at;
};

/** Logins are compared without case. */
export const accountOf = (state: State, login: string): Account => {
  const account = state.accounts.get(login.toLowerCase());
  if (account === undefined) throw new Error(`no such account in this story: ${login}`);
  return account;
};

/** By present or former name, without case; a former name is followed until somebody takes it anew. */
export const findRepo = (state: State, name: string): Repo | undefined => {
  const id = state.names.get(name.toLowerCase());
  return id === undefined ? undefined : state.repos.get(id);
};

/** The same for a story's own use, where a wrong name is a mistake. */
export const repoOf = (state: State, name: string): Repo => {
  const repo = findRepo(state, name);
  if (repo === undefined) throw new Error(`no such repository in this story: ${name}`);
  return repo;
};

/** A repository that is known to exist because something in it was held. */
export const repoById = (state: State, id: number): Repo => {
  const repo = state.repos.get(id);
  if (repo === undefined) throw notFound();
  return repo;
};

/** The issue of that number as the story knows it, deleted or moved or not. */
export const issueOf = (state: State, name: string, number: number): Issue => {
  const issue = repoOf(state, name).issues.get(number);
  if (issue === undefined) throw new Error(`no such issue in this story: ${name}#${number}`);
  return issue;
};

/** What an account may do: its grant, `admin` for the owner, `read` for anybody on a public repository, else `none`. */
export const roleOf = (repo: Repo, login: string): Role | 'none' => {
  const owner = repo.name.split('/')[0] ?? '';
  if (owner.toLowerCase() === login.toLowerCase()) return 'admin';
  if (repo.acting?.login === login) return repo.acting.role;
  return repo.permissions.get(login.toLowerCase()) ?? (repo.private ? 'none' : 'read');
};

const ranks = { none: 0, read: 1, triage: 2, write: 3, maintain: 4, admin: 5 } as const;

/** Whether the account has at least this role on the repository. */
export const hasRole = (repo: Repo, login: string, least: Role): boolean => ranks[roleOf(repo, login)] >= ranks[least];
