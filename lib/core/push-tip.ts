/**
 * Where CI speaks of this run: CI runs on the last commit of a push only, so what is watched is the tip of the push
 * that carries the newest of the run's commits. Null where the branch has none of them.
 *
 * Where that push is not known (the record of pushes lags, or is cut off): the nearest first-parent descendant that
 * has checks, else the branch's head. Pure and total. The tip carries *all* of the run's commits, by ancestry and not
 * by the order of the list, in which the commits of a merge lie among older ones.
 */
export const pushTip = (history: History, runId: string, merged: string | null = null): PushTip | null => {
  const commits = commitsOfRun(history.commits, runId, merged);
  if (commits.length === 0) return null;
  const tip = tipCarrying(history, (reached) => commits.every(({ sha }) => reached.has(sha)));
  return tip && { commits, ...tip };
};

/** A commit of a compare list; `parents` as git orders them, the first being the branch it was made on. */
export type Commit = { sha: string; message: string; parents: readonly string[] };

/** A push to the default branch, also a forced one or a merge. `at` is the tracker's stamp, epoch ms; null for none. */
export type Push = { before: string; after: string; at: number | null };

/** The default branch since the run's base, as one look shows it. */
export type History = {
  /** Every commit from the base, without it, to the head; oldest first. */
  commits: readonly Commit[];
  /** Newest first; may be incomplete. */
  pushes: readonly Push[];
  /** Where it is not among the commits (the branch moved between two reads), the last of them stands for it. */
  head: string;
  /** Commits known to have a check or a status. */
  checked: ReadonlySet<string>;
};

/**
 * `by` says what the tip was found by; `hasDescendant`, that the branch has a commit after it; `pushedAt`, when it came
 * to the branch by the tracker's stamp, null where no push of the record brought it.
 */
export type Tip = { tip: string; by: 'push' | 'checks' | 'head'; hasDescendant: boolean; pushedAt: number | null };

/** `commits` are all of this run, oldest first. */
export type PushTip = Tip & { commits: readonly Commit[] };

/** Where to look on when a newer push cut the checks of `tip` short. Null where the branch has nothing after it. */
export const nextTip = (history: History, tip: string): Tip | null =>
  tipCarrying(history, (reached, sha) => sha !== tip && reached.has(tip));

/**
 * The commits with a line `AFK-Run: <run id>`, wherever in the message a squash left it, and the one that the merge of
 * the run's pull request left there, whoever wrote its message; in the order given.
 */
export const commitsOfRun = (
  commits: readonly Commit[],
  runId: string,
  merged: string | null = null,
): readonly Commit[] => commits.filter(({ sha, message }) => sha === merged || carriesTrailer(message, runId));

/** Whether a message has a line `AFK-Run: <run id>`; in any case, since the id is hexadecimal. */
export const carriesTrailer = (message: string, runId: string): boolean =>
  trailersOf(message, 'afk-run').some((value) => value.toLowerCase() === runId.toLowerCase());

/** What the agent declared in these messages by `AFK-Phase`; a claim for people to read, never proof. */
export const declaredPhases = (messages: readonly string[]): { testsRed: boolean; green: boolean } => {
  const phases = new Set(messages.flatMap((message) => trailersOf(message, 'afk-phase')));
  return { testsRed: phases.has('tests-red'), green: phases.has('green') };
};

// A line of its own, from its first column: what is quoted or indented speaks of some other commit.
const trailersOf = (message: string, key: string): readonly string[] =>
  message.split(/\r\n|\r|\n/).flatMap((line) => {
    const [, name, value] = /^([A-Za-z-]+):[ \t]*(\S+)[ \t]*$/.exec(line) ?? [];
    return name?.toLowerCase() === key && value !== undefined ? [value] : [];
  });

type Carries = (reached: ReadonlySet<string>, sha: string) => boolean;

const tipCarrying = (history: History, carries: Carries): Tip | null => {
  const bySha = new Map(history.commits.map((commit) => [commit.sha, commit]));
  const head = bySha.has(history.head) ? history.head : history.commits.at(-1)?.sha;
  if (head === undefined) return null;
  const isCarrier = (sha: string): boolean => carries(reachedFrom(sha, bySha), sha);
  if (!isCarrier(head)) return null;
  const found = (tip: string, by: Tip['by'], pushedAt: number | null = null): Tip => ({
    ...{ tip, by, pushedAt },
    hasDescendant: tip !== history.head,
  });

  // The push that brought the last of them: what was there before it did not carry them all.
  const push = history.pushes.find(({ before, after }) => isCarrier(after) && !isCarrier(before));
  if (push) return found(push.after, 'push', push.at);

  const nearest = firstParents(head, bySha).findLast((sha) => history.checked.has(sha) && isCarrier(sha));
  return nearest === undefined ? found(head, 'head') : found(nearest, 'checks');
};

/** The commit and everything of the list it contains. */
const reachedFrom = (sha: string, bySha: ReadonlyMap<string, Commit>): ReadonlySet<string> => {
  const reached = new Set<string>();
  const open = [sha];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const commit = reached.has(next) ? undefined : bySha.get(next);
    if (!commit) continue;
    reached.add(next);
    open.push(...commit.parents);
  }
  return reached;
};

/** The branch as it was pushed: from the head down, newest first. */
const firstParents = (head: string, bySha: ReadonlyMap<string, Commit>): readonly string[] => {
  const chain = new Set<string>();
  for (let at = bySha.get(head); at && !chain.has(at.sha); at = bySha.get(at.parents[0] ?? '')) chain.add(at.sha);
  return [...chain];
};
