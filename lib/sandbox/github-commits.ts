import type { PushSeen } from './github-ci.ts';
import { nodeIdOf, shaOf } from './github-ids.ts';
import { assertWritable, record, setIssueState } from './github-issue-record.ts';
import { closingsIn, mentionsIn } from './github-references.ts';
import type { Activity, Commit, Issue, Repo, State } from './github-state.ts';
import { accountOf, advance, findRepo, identity, repoOf } from './github-state.ts';

/** What `before` says of a branch that did not exist. */
export const nullSha = '0'.repeat(40);

export type CommitText = { message: string; files?: readonly string[]; author?: string; committedAt?: number };

/**
 * `mergeOnTop` names a branch that is merged in after the commits. With `force` the branch is rewritten: the commits
 * stand on `onto`, by default on the first commit of all.
 */
export type PushText = {
  branch?: string;
  actor: string;
  commits: readonly CommitText[];
  mergeOnTop?: string;
  force?: boolean;
  onto?: string;
};

export type Pushed = { before: string; after: string; shas: string[] };

/** A commit that is on no branch yet. */
export const commitOn = (
  state: State,
  repo: Repo,
  text: CommitText,
  parents: readonly string[],
  actor: string,
  at: number,
): Commit => {
  const index = repo.commits.size;
  const sha = shaOf(`${repo.id}:${index}:${parents.join(',')}:${text.message}`);
  const commit: Commit = {
    sha,
    nodeId: nodeIdOf('C', sha),
    index,
    repoId: repo.id,
    message: text.message,
    author: accountOf(state, text.author ?? actor).login,
    at: text.committedAt ?? at,
    parents,
    files: text.files ?? [],
  };
  repo.commits.set(sha, commit);
  state.nodes.set(commit.nodeId, { kind: 'commit', commit });
  return commit;
};

const targetsOf = (state: State, repo: Repo, references: ReturnType<typeof mentionsIn>): ReadonlySet<Issue> =>
  new Set(
    references.flatMap(({ repo: name, number }) => {
      const issue = (name === null ? repo : findRepo(state, name))?.issues.get(number);
      return issue === undefined || issue.deleted ? [] : [issue];
    }),
  );

/** A commit's mentions show on the issues, whatever branch it is on. */
export const mention = (state: State, repo: Repo, commit: Commit, actor: string, at: number): void => {
  for (const issue of targetsOf(state, repo, mentionsIn(commit.message)))
    record(state, issue, actor, at, { kind: 'referenced', commit: { repoId: repo.id, sha: commit.sha } });
};

/** On the default branch a closing keyword closes at once, before any CI. */
export const closeByMessage = (state: State, repo: Repo, commit: Commit, actor: string, at: number): void => {
  for (const issue of targetsOf(state, repo, closingsIn(commit.message))) {
    if (issue.pull !== null) continue;
    setIssueState(state, issue, actor, { state: 'closed', reason: 'completed', sha: commit.sha }, at);
  }
};

/** An entry in the record of what happened to refs. */
export const logged = (state: State, repo: Repo, entry: Omit<Activity, 'id' | 'nodeId'>): void => {
  repo.activity.push({ ...identity(state, 'PSH'), ...entry });
};

/** What reaches a repository's branches. `runCi` is told of the tip of each push, and of nothing else. */
export const commitActs = (state: State, runCi: (repo: Repo, push: PushSeen, at: number) => void) => {
  /** Appends to a branch, or makes it off the default branch, or rewrites it. One entry in the activity log. */
  const push = (name: string, text: PushText, at: number): Pushed => {
    const repo = repoOf(state, name);
    assertWritable(repo);
    const now = advance(state, at);
    const actor = accountOf(state, text.actor).login;
    const branch = text.branch ?? repo.defaultBranch;
    const before = repo.branches.get(branch);
    const [root = nullSha] = repo.commits.keys();
    const start = text.force ? (text.onto ?? root) : (before ?? text.onto ?? headOf(repo));
    const made: Commit[] = [];
    let tip = start;
    for (const commit of text.commits) {
      made.push(commitOn(state, repo, commit, [tip], actor, now));
      tip = made.at(-1)?.sha ?? tip;
    }
    if (text.mergeOnTop !== undefined) {
      const other = repo.branches.get(text.mergeOnTop);
      if (other === undefined) throw new Error(`no such branch in this story: ${text.mergeOnTop}`);
      made.push(commitOn(state, repo, { message: `Merge branch '${text.mergeOnTop}'` }, [tip, other], actor, now));
      tip = made.at(-1)?.sha ?? tip;
    }
    repo.branches.set(branch, tip);
    repo.pushes += 1;
    const kind = before === undefined ? 'branch_creation' : text.force ? 'force_push' : 'push';
    logged(state, repo, { at: now, ref: `refs/heads/${branch}`, before: before ?? nullSha, after: tip, actor, kind });
    const onDefault = branch === repo.defaultBranch;
    for (const commit of made) {
      mention(state, repo, commit, actor, now);
      if (onDefault) closeByMessage(state, repo, commit, actor, now);
    }
    for (const { state: standing, pull } of repo.issues.values())
      if (pull?.head === branch && standing === 'open') Object.assign(pull, { sha: tip, conflicting: false });
    const message = repo.commits.get(tip)?.message ?? '';
    runCi(repo, { sha: tip, message, branch, number: repo.pushes }, now);
    return { before: before ?? nullSha, after: tip, shas: made.map((commit) => commit.sha) };
  };

  /** A push with `force`. */
  const rewrite = (name: string, text: Omit<PushText, 'force'>, at: number): Pushed =>
    push(name, { ...text, force: true }, at);

  const deleteBranch = (name: string, branch: string, actor: string, at: number): void => {
    const repo = repoOf(state, name);
    const before = repo.branches.get(branch) ?? nullSha;
    repo.branches.delete(branch);
    const entry = { at: advance(state, at), ref: `refs/heads/${branch}`, before, after: nullSha, actor };
    logged(state, repo, { ...entry, kind: 'branch_deletion' });
  };

  /** Renames the default branch; commits keep their ids. */
  const renameDefaultBranch = (name: string, to: string): void => {
    const repo = repoOf(state, name);
    repo.branches.set(to, headOf(repo));
    repo.branches.delete(repo.defaultBranch);
    repo.defaultBranch = to;
  };

  return { push, rewrite, deleteBranch, renameDefaultBranch };
};

/** The last commit of the default branch. */
export const headOf = (repo: Repo): string => repo.branches.get(repo.defaultBranch) ?? nullSha;
