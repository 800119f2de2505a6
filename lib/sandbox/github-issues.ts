import { nodeIdOf } from './github-ids.ts';
import type { Opening } from './github-issue-record.ts';
import {
  assertBody,
  assertWritable,
  crossReference,
  labelFor,
  newIssue,
  record,
  setIssueState,
} from './github-issue-record.ts';
import { labelNamed } from './github-people.ts';
import { forbidden } from './github-refusal.ts';
import type { CloseReason, Comment, Intent, Issue, State } from './github-state.ts';
import { accountOf, advance, hasRole, identity, issueOf, nextId, repoOf } from './github-state.ts';

/** How a label came: `via` is the slug of an app acting for the person, `intent` what an agent said of it. */
export type LabelHow = { via?: string; intent?: Intent };

/** What happens to issues. Acts are a story's: rights were settled elsewhere, but GitHub's own rules hold. */
export const issueActs = (state: State) => {
  /** Labels by a form stick whoever opens the issue; otherwise only an author with triage can set them. */
  const openIssue = (name: string, opening: Opening, at: number): Issue => {
    const repo = repoOf(state, name);
    assertWritable(repo);
    const now = advance(state, at);
    const issue = newIssue(state, repo, opening, null, now);
    const sticks = opening.labelledVia === 'form' || hasRole(repo, opening.author, 'triage');
    for (const text of sticks ? (opening.labels ?? []) : []) label(name, issue.number, text, opening.author, now);
    return issue;
  };

  /** Already on it: nothing happens and no event is made. */
  const label = (name: string, number: number, text: string, actor: string, at: number, how: LabelHow = {}): void => {
    const repo = repoOf(state, name);
    const issue = issueOf(state, name, number);
    assertWritable(repo);
    const now = advance(state, at);
    const wanted = labelFor(state, repo, text);
    if (issue.labels.includes(wanted)) return;
    issue.labels.push(wanted);
    const what = { label: wanted, name: wanted.name, color: wanted.color, intent: how.intent ?? null };
    record(state, issue, actor, now, { kind: 'labeled', ...what }, how.via);
  };

  /** False when the issue did not carry it. */
  const unlabel = (name: string, number: number, text: string, actor: string, at: number): boolean => {
    const repo = repoOf(state, name);
    const issue = issueOf(state, name, number);
    assertWritable(repo);
    const unwanted = labelNamed(repo, text);
    if (unwanted === undefined || !issue.labels.includes(unwanted)) return false;
    issue.labels = issue.labels.filter((one) => one !== unwanted);
    const what = { label: unwanted, name: unwanted.name, color: unwanted.color };
    record(state, issue, actor, advance(state, at), { kind: 'unlabeled', ...what });
    return true;
  };

  /** Leaves an entry in the edit history, and none in the timeline. */
  const editBody = (name: string, number: number, body: string, actor: string, at: number): void => {
    assertBody('Issue', body);
    const issue = issueOf(state, name, number);
    const now = advance(state, at);
    issue.body = body;
    issue.edits.push({
      nodeId: nodeIdOf('UCE', String(nextId(state))),
      at: now,
      editor: accountOf(state, actor).login,
    });
    issue.updatedAt = now;
    crossReference(state, issue, body, issue.pull?.closes ?? [], now);
  };

  /** Leaves a timeline event, and no entry in the edit history. */
  const editTitle = (name: string, number: number, title: string, actor: string, at: number): void => {
    const issue = issueOf(state, name, number);
    const from = issue.title;
    issue.title = title;
    record(state, issue, actor, advance(state, at), { kind: 'renamed', from, to: title });
  };

  const close = (name: string, number: number, actor: string, at: number, reason: CloseReason = 'completed'): void => {
    assertWritable(repoOf(state, name));
    setIssueState(state, issueOf(state, name, number), actor, { state: 'closed', reason }, advance(state, at));
  };

  const reopen = (name: string, number: number, actor: string, at: number): void => {
    assertWritable(repoOf(state, name));
    setIssueState(state, issueOf(state, name, number), actor, { state: 'open' }, advance(state, at));
  };

  const lock = (name: string, number: number, actor: string, at: number, reason: string | null = null): void => {
    const issue = issueOf(state, name, number);
    issue.locked = true;
    issue.lockReason = reason;
    record(state, issue, actor, advance(state, at), { kind: 'locked', reason });
  };

  const unlock = (name: string, number: number, actor: string, at: number): void => {
    const issue = issueOf(state, name, number);
    issue.locked = false;
    issue.lockReason = null;
    record(state, issue, actor, advance(state, at), { kind: 'unlocked' });
  };

  const assign = (name: string, number: number, login: string): void => {
    issueOf(state, name, number).assignees.push(accountOf(state, login).login);
  };

  /** A locked issue takes comments only from those who can push. */
  const comment = (name: string, number: number, body: string, actor: string, at: number): Comment => {
    const repo = repoOf(state, name);
    const issue = issueOf(state, name, number);
    assertWritable(repo);
    assertBody('IssueComment', body);
    if (issue.locked && !hasRole(repo, actor, 'write'))
      throw forbidden('Unable to create comment because issue is locked.');
    const now = advance(state, at);
    const made: Comment = {
      ...identity(state, 'IC'),
      issueId: issue.id,
      author: accountOf(state, actor).login,
      body,
      createdAt: now,
      updatedAt: now,
      edits: [],
    };
    issue.comments.push(made);
    issue.updatedAt = now;
    state.comments.set(made.id, made);
    state.nodes.set(made.nodeId, { kind: 'comment', comment: made });
    crossReference(state, issue, body, [], now);
    return made;
  };

  const editComment = (id: number, body: string, actor: string, at: number): void => {
    const edited = state.comments.get(id);
    if (edited === undefined) throw new Error(`no such comment in this story: ${id}`);
    assertBody('IssueComment', body);
    edited.body = body;
    edited.updatedAt = advance(state, at);
    const nodeId = nodeIdOf('UCE', String(nextId(state)));
    edited.edits.push({ nodeId, at: edited.updatedAt, editor: accountOf(state, actor).login });
  };

  const deleteComment = (id: number, actor: string, at: number): void => {
    const comment = state.comments.get(id);
    const issue = comment && state.issues.get(comment.issueId);
    if (comment === undefined || issue === undefined) throw new Error(`no such comment in this story: ${id}`);
    issue.comments = issue.comments.filter((one) => one.id !== id);
    state.comments.delete(id);
    state.nodes.delete(comment.nodeId);
    record(state, issue, actor, advance(state, at), { kind: 'comment_deleted' });
  };

  return {
    openIssue,
    label,
    unlabel,
    editBody,
    editTitle,
    close,
    reopen,
    lock,
    unlock,
    assign,
    comment,
    editComment,
    deleteComment,
  };
};
