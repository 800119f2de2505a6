import { assertWritable, newIssue, record, setIssueState } from './github-issue-record.ts';
import { labelNamed } from './github-people.ts';
import { closingsIn } from './github-references.ts';
import type { Issue, State } from './github-state.ts';
import { advance, issueOf, repoById, repoOf } from './github-state.ts';

type PullOpening = {
  author: string;
  title: string;
  body?: string;
  head: string;
  base?: string;
  draft?: boolean;
  fork?: boolean;
};

/** What ties issues to one another and to places: blockers, sub-issues, pull requests, moving away, disappearing. */
export const linkActs = (state: State) => {
  /** `number` is blocked by `blocker`; neither issue's `updated_at` moves. */
  const addBlocker = (name: string, number: number, blocker: { repo?: string; number: number }): void => {
    issueOf(state, name, number).blockedBy.push(issueOf(state, blocker.repo ?? name, blocker.number).id);
  };

  const removeBlocker = (name: string, number: number, blocker: { repo?: string; number: number }): void => {
    const issue = issueOf(state, name, number);
    const unwanted = issueOf(state, blocker.repo ?? name, blocker.number).id;
    issue.blockedBy = issue.blockedBy.filter((id) => id !== unwanted);
  };

  /** Makes `child` a sub-issue of `parent`; neither issue's `updated_at` moves. */
  const addSubIssue = (name: string, parent: number, child: { repo?: string; number: number }): void => {
    issueOf(state, child.repo ?? name, child.number).parent = issueOf(state, name, parent).id;
  };

  /** A pull request from a branch that was pushed; issues its text names with a closing keyword are linked to it. */
  const openPull = (name: string, opening: PullOpening, at: number): Issue => {
    const repo = repoOf(state, name);
    assertWritable(repo);
    const sha = repo.branches.get(opening.head);
    if (sha === undefined) throw new Error(`no such branch in this story: ${opening.head}`);
    const pull = {
      head: opening.head,
      base: opening.base ?? repo.defaultBranch,
      sha,
      draft: opening.draft ?? false,
      fork: opening.fork ?? false,
      conflicting: false,
      review: null,
      mergedAt: null,
      baseSha: null,
      mergeSha: null,
      closes: closingsIn(opening.body ?? '').flatMap((link) => (link.repo === null ? [link.number] : [])),
    };
    return newIssue(state, repo, opening, pull, advance(state, at));
  };

  /** Without its commits: those are pushed by the story, or `landPull` does it all. Linked issues are closed by it. */
  const mergePull = (name: string, number: number, actor: string, at: number): void => {
    const issue = issueOf(state, name, number);
    if (issue.pull === null) throw new Error(`#${number} is not a pull request`);
    const now = advance(state, at);
    issue.pull.mergedAt = now;
    setIssueState(state, issue, actor, { state: 'closed', reason: 'completed' }, now);
    for (const closed of issue.pull.closes) {
      const target = repoById(state, issue.repoId).issues.get(closed);
      if (target === undefined) continue;
      setIssueState(state, target, actor, { state: 'closed', reason: 'completed', pull: issue.id }, now);
    }
  };

  /** Labels the target knows by name survive, with no new event about them; the old address answers 301. */
  const transfer = (name: string, number: number, to: string, actor: string, at: number): Issue => {
    const from = issueOf(state, name, number);
    const target = repoOf(state, to);
    const now = advance(state, at);
    const moved = newIssue(state, target, { author: from.author, title: from.title, body: from.body }, null, now);
    moved.createdAt = from.createdAt;
    moved.state = from.state;
    moved.stateReason = from.stateReason;
    moved.edits = [...from.edits];
    moved.labels = from.labels.flatMap((label) => labelNamed(target, label.name) ?? []);
    moved.comments = from.comments;
    for (const comment of moved.comments) comment.issueId = moved.id;
    // The history travels too, but not the acts on labels: those belong to labels of the repository left behind.
    moved.events = from.events.filter((event) => event.kind !== 'labeled' && event.kind !== 'unlabeled');
    record(state, moved, actor, now, { kind: 'transferred', fromRepoId: from.repoId });
    from.movedTo = moved.id;
    state.nodes.delete(from.nodeId);
    return moved;
  };

  /** 410 from now on, and no node. */
  const deleteIssue = (name: string, number: number): void => {
    const issue = issueOf(state, name, number);
    issue.deleted = true;
    state.nodes.delete(issue.nodeId);
    for (const comment of issue.comments) state.nodes.delete(comment.nodeId);
  };

  return { addBlocker, removeBlocker, addSubIssue, openPull, mergePull, transfer, deleteIssue };
};
