import type { CiFacts } from './core/ci-verdict.ts';
import type { Control } from './core/control.ts';
import type { Deployment } from './core/deployment-verdict.ts';
import type {
  Actor,
  IssueDetail,
  IssueRef,
  ListedIssue,
  Permission,
  RepoName,
  RepoRef,
  RepoScan,
} from './core/issue.ts';
import type { Mirror } from './core/mirror.ts';
import type { Notice } from './core/notification.ts';
import type { Budget } from './core/pace.ts';
import type { PullFacts } from './core/pull-request.ts';
import type { Item } from './core/record.ts';
import type { EndedRun } from './core/run.ts';
import type { Landing } from './core/settings-schema.ts';
import type { AgentRequest, Thread } from './core/thread.ts';

/**
 * Everything this system may do to the world, on one page. Adapters turn what their product says into a value the
 * domain expects, or into a `PortError`; nothing else is thrown on purpose.
 */

/**
 * What the world refused. `unavailable`: ask again later, says nothing about the run (no answer, 5xx, rate limits);
 * `refused`: definite; `unauthorised`: definite until a person mends a credential. `notBefore` is epoch ms on our
 * clock, where the product named a time. `isLimit`: the product asked for a pause, or was not asked because of one. The
 * message is cleaned and bounded, and never holds a secret.
 */
export class PortError extends Error {
  readonly kind: 'unavailable' | 'refused' | 'unauthorised';
  readonly notBefore: number | null;
  readonly isLimit: boolean;
  constructor(
    kind: PortError['kind'],
    message: string,
    options: { notBefore?: number | null; isLimit?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'PortError';
    this.kind = kind;
    this.notBefore = options.notBefore ?? null;
    this.isLimit = options.isLimit ?? false;
  }
}

/** The two gates and the settings: one network call, one attempt, never cached. Never throws: unreadable is off. */
export type Gate = { read: () => Promise<Control> };

/** An item as it was read or written: `rev` grows by one with each write. */
export type Stored<T extends Item = Item> = { item: T; rev: number };

/** An item that could not be read; it parks its repo, and never stops the others. */
export type Unreadable = { key: string; reason: string };

/** DynamoDB. Every write has a condition. A write whose answer was lost and that took hold counts as done. */
export type Store = {
  /** All items of partition `now`, consistent, in key order; those that do not parse apart. */
  readNow: () => Promise<{ items: readonly Stored[]; unreadable: readonly Unreadable[] }>;
  /** One item by key, consistent; null where there is none or it does not parse. */
  read: (key: string) => Promise<Stored | null>;
  /** Only if the key is free. */
  insert: <T extends Item>(item: T) => Promise<Stored<T> | 'taken'>;
  /** Only on the revision that was read; the key may not change. */
  replace: <T extends Item>(from: Stored, to: T) => Promise<Stored<T> | 'lost'>;
  /** Only on the revision that was read. Already gone counts as removed. */
  remove: (from: Stored) => Promise<'removed' | 'lost'>;
  /** Adds one to the day's runs if that stays within `max`; atomic. */
  countRun: (date: string, max: number) => Promise<'counted' | 'full'>;
  /** The title and body a run was given, written before its claim; written again, it must be the same. */
  keepText: (runId: string, text: FrozenText) => Promise<void>;
  textOf: (runId: string) => Promise<FrozenText | null>;
  /** Append-only and idempotent by run id. */
  keepHistory: (run: EndedRun) => Promise<void>;
  /** A repo's ended runs, the newest claim first, at most 100; those that do not parse are left out. */
  historyOf: (repo: { host: string; id: string }) => Promise<readonly EndedRun[]>;
};

/** What the agent is given, as it was read right before the claim. */
export type FrozenText = { title: string; body: string; hash: string };

/** What is known of the tracker's limits without asking it. Live: each answer of tracker and forge may change it. */
export type Meter = {
  /** Whose budget a call for this repo is taken from, such as a token's or an installation's; a short constant name. */
  accountOf: (repo: RepoName) => string;
  /** What the answers so far said is left; empty where none was given, or none has a limit. */
  budgets: () => readonly Budget[];
};

/** Issues on GitHub. Names may be out of date everywhere; ids decide. */
export type Tracker = {
  meter: Meter;
  /** The repo of this name today; null where it does not exist or may not be seen. */
  resolve: (
    name: RepoName,
  ) => Promise<{ repo: RepoRef; defaultBranch: string | null; archived: boolean; issuesEnabled: boolean } | null>;
  /**
   * Each repo with how many issues carry the label, open ones or all; 100 repos a request. A repo that did not come back
   * is absent, which proves nothing.
   */
  scan: (repos: readonly RepoRef[], label: string, state?: 'open' | 'all') => Promise<readonly RepoScan[]>;
  /** Open issues with the label, oldest first, at most 100; the label was checked on each row again. */
  listReady: (repo: RepoRef, readyLabel: string) => Promise<readonly ListedIssue[]>;
  /** One issue alone, with its events and edits; null where it is gone. */
  detail: (issue: IssueRef, readyLabel: string) => Promise<IssueDetail | null>;
  permission: (repo: RepoRef, login: string) => Promise<Permission>;
  /** Open, closed or unreadable for each `owner/name#n`; what cannot be read is `unreadable`. */
  blockerStates: (refs: readonly string[]) => Promise<ReadonlyMap<string, 'open' | 'closed' | 'unreadable'>>;
  /**
   * Says which issues `watch` will be asked about, and their commits `ci`: what a glance at all of them together shows to
   * be as it was need not be read again. It tells nothing by itself, and without it every answer is the same.
   */
  glance: (issues: readonly IssueRef[]) => Promise<void>;
  /** What the watcher asks of an issue with a run, in one request with the branch's head. Null where the issue is gone. */
  watch: (issue: IssueRef) => Promise<WatchedIssue | null>;
  /** Brings labels, the one comment and open/closed to what the mirror says; any number of times. Returns the comment's id. */
  ensureMirror: (issue: IssueRef, mirror: Mirror, commentId: string | null) => Promise<{ commentId: string | null }>;
  /**
   * Issues that carry a label, open or closed, for the hourly sweep. One that is absent is known to be without it only
   * where the list is `whole`: every row could be read, and all came at one moment.
   */
  listLabelled: (repo: RepoRef, label: string) => Promise<{ issues: readonly IssueRef[]; whole: boolean }>;
  removeLabel: (issue: IssueRef, label: string) => Promise<void>;
  /** What stops a repo from being worked on, in words with the remedy; empty when all is well. Creates missing labels. */
  preflight: (
    repo: RepoRef,
    branch: string,
    labels: readonly string[],
    rules?: { noCi: 'escalate' | 'accept'; landing?: Landing },
  ) => Promise<readonly string[]>;
};

/** One look at an issue with a run. */
export type WatchedIssue = {
  /** The default branch's head now, and its name. Null where the branch is gone. */
  head: { name: string; sha: string } | null;
  repoName: RepoName;
  open: boolean;
  labels: readonly string[];
  /** The newest closing, while closed: by whom, and the closing commit's message where a keyword did it. */
  closed: { actor: Actor; commit: { sha: string; message: string } | null } | null;
  /** The newest act on each label since the claim, by lower-case name. */
  labelActs: ReadonlyMap<string, { kind: 'labeled' | 'unlabeled'; actor: Actor; at: number }>;
};

/** Commits, CI and deployments. */
export type Forge = {
  /**
   * This run's commits on the default branch since `base`, and the tip to watch. With `after`, the tip to watch in that
   * one's place: of the next push that carries it. `merged` is a commit of the run whatever its message says: what the
   * merge of its pull request left on the branch, where a person wrote that message.
   */
  landing: (
    repo: RepoRef,
    ask: { base: string; branch: string; head: string; runId: string; after?: string; merged?: string | null },
  ) => Promise<LandingFacts>;
  /** Everything the CI and deployment folds are fed with, for one commit. `hasDescendant` is handed through. */
  ci: (
    repo: RepoRef,
    ask: { sha: string; hasDescendant: boolean; environments: readonly string[] },
  ) => Promise<{ ci: CiFacts; deployments: readonly Deployment[] }>;
  /** A pull request or branch that carries this run's commits; asked only once nothing is on the default branch. */
  elsewhere: (repo: RepoRef, ask: { issue: number; runId: string }) => Promise<{ url: string } | null>;
  /**
   * The pull request of this run against that branch: the newest open one, else the newest; null where there is none.
   * One from a fork, of another repo or without a commit of the run's is not. `known` is the number of the one seen before.
   */
  pull: (
    repo: RepoRef,
    ask: { issue: number; runId: string; branch: string; known: number | null },
  ) => Promise<PullFacts | null>;
  /**
   * By name as a run keeps it, the end of what each check that did not pass reported: cleaned, redacted, bounded, and
   * words of others all the same. A name without any is absent. One request, or two; of very many checks the first 100.
   */
  said: (repo: RepoRef, ask: { sha: string; names: readonly string[] }) => Promise<ReadonlyMap<string, string>>;
};

export type LandingFacts = {
  /** Newest first, at most 5; empty when none. */
  commits: readonly string[];
  /** The tip of the push that carries the newest; null when none. */
  tip: string | null;
  /** A commit after the tip exists on the branch. */
  hasDescendant: boolean;
  /** When the tip came to the branch, epoch ms by the tracker's stamp; null where its record of pushes does not tell. */
  pushedAt: number | null;
  declared: { testsRed: boolean; green: boolean };
  /** The default branch no longer contains `base`. */
  rewritten: boolean;
};

/** A T3 Code server. `accepted` means recorded, never that an agent runs; only a look tells. */
export type Executor = {
  /** All projects and threads, one request whatever their number. */
  look: () => Promise<ExecutorLook>;
  /** One thread's words and counts; null where it cannot be seen (archived, deleted, unknown). */
  detail: (threadId: string) => Promise<ThreadDetail | null>;
  createProject: (ask: {
    commandId: string;
    projectId: string;
    title: string;
    workspaceRoot: string;
    model: ModelSelection;
    at: number;
  }) => Promise<Answer | 'no checkout'>;
  createThread: (ask: {
    commandId: string;
    threadId: string;
    projectId: string;
    title: string;
    model: ModelSelection;
    runtimeMode: string;
    at: number;
  }) => Promise<Answer>;
  startTurn: (ask: {
    commandId: string;
    threadId: string;
    messageId: string;
    text: string;
    runtimeMode: string;
    at: number;
  }) => Promise<Answer>;
  /** Declines an approval, or answers every question of a request with the same words. */
  answer: (ask: {
    commandId: string;
    threadId: string;
    request: AgentRequest;
    words: string;
    at: number;
  }) => Promise<Answer>;
  interrupt: (ask: { commandId: string; threadId: string; at: number }) => Promise<Answer>;
  stop: (ask: { commandId: string; threadId: string; at: number }) => Promise<Answer>;
  archive: (ask: { commandId: string; threadId: string; at: number }) => Promise<Answer>;
  /** Where a thread that is not in the look went. */
  whereabouts: (threadId: string) => Promise<'archived' | 'deleted' | 'absent'>;
  unarchive: (ask: { commandId: string; threadId: string; at: number }) => Promise<Answer>;
  /** Version of the server, and until when the token is good (epoch ms); for preflight. */
  health: () => Promise<{ version: string; tokenExpiresAt: number | null; canOperate: boolean }>;
};

export type ModelSelection = { instanceId: string; model: string };

/** `refused`: definite for this command id; look before trying another. */
export type Answer = 'accepted' | 'refused';

export type ExecutorLook = {
  projects: readonly { id: string; workspaceRoot: string }[];
  threads: ReadonlyMap<string, Thread>;
  /** Ids of threads that are there and could not be read: neither absent nor known. */
  unreadable: readonly string[];
};

/** A thread is a word of the core; it is named here because the executor speaks in it. */
export type { Thread };

/** `lastWords` is the agent's last message of its last turn, cleaned and bounded. */
export type ThreadDetail = {
  lastWords: string | null;
  toolCalls: number;
  changedFiles: number;
  totalTokens: number | null;
  /** What the agent waits for; null where it waits for nothing, or cannot be read. */
  request: AgentRequest | null;
};

/** One way of telling people. Rings at least once; throws a `PortError` when it could not. */
export type Doorbell = { name: string; ring: (notice: Notice) => Promise<void> };

export type Ports = {
  store: Store;
  tracker: Tracker;
  forge: Forge;
  executor: Executor;
  doorbells: readonly Doorbell[];
};
