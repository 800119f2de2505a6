import { labelNamed } from './github-people.ts';
import { forbidden, invalid, notFound } from './github-refusal.ts';
import type { CloseReason, Comment, Issue, Label, Repo } from './github-state.ts';
import { hasRole, repoById } from './github-state.ts';
import type { GithubWorld } from './github-world.ts';

const mustBeAdmin = 'Must have admin rights to Repository.';

/** A comment says something. */
const assertText = (body: string): void => {
  if (body.trim() === '') throw invalid('IssueComment', 'body', 'missing_field');
};

/** What somebody asks of GitHub, with the rights it takes; both the REST and the GraphQL face write through this. */
export const githubWrites = (world: GithubWorld, viewer: string) => {
  const { state } = world;

  /** The issue's repository, which the viewer must at least be able to read. */
  const placeOf = (issue: Issue): Repo => {
    const repo = repoById(state, issue.repoId);
    if (!hasRole(repo, viewer, 'read')) throw notFound();
    return repo;
  };

  /** Changing an issue at all takes triage, or to be its author. */
  const assertMayEdit = (issue: Issue): void => {
    const repo = placeOf(issue);
    if (issue.author !== viewer && !hasRole(repo, viewer, 'triage')) throw forbidden(mustBeAdmin);
  };

  /** Labelling takes triage. An unknown name makes a label. */
  const addLabels = (issue: Issue, names: readonly string[]): void => {
    const repo = placeOf(issue);
    if (!hasRole(repo, viewer, 'triage')) throw forbidden(mustBeAdmin);
    for (const name of names) world.label(repo.name, issue.number, name, viewer, state.at);
  };

  /** A label the issue does not carry is a 404 of its own wording. */
  const removeLabel = (issue: Issue, name: string): void => {
    const repo = placeOf(issue);
    if (!hasRole(repo, viewer, 'triage')) throw forbidden(mustBeAdmin);
    if (!world.unlabel(repo.name, issue.number, name, viewer, state.at)) throw notFound('Label does not exist');
  };

  /** Brings the labels to exactly these; without triage this does nothing and says nothing. */
  const replaceLabels = (issue: Issue, names: readonly string[]): void => {
    const repo = placeOf(issue);
    if (!hasRole(repo, viewer, 'triage')) return;
    const wanted = new Set(names.map((name) => name.toLowerCase()));
    for (const label of issue.labels) {
      if (!wanted.has(label.name.toLowerCase())) world.unlabel(repo.name, issue.number, label.name, viewer, state.at);
    }
    addLabels(issue, names);
  };

  const createLabel = (repo: Repo, label: { name: string; color?: string; description?: string }): Label => {
    if (!hasRole(repo, viewer, 'write')) throw notFound();
    if (repo.archived) throw forbidden('Repository was archived so is read-only.');
    return world.addLabel(repo.name, label);
  };

  const addComment = (issue: Issue, body: string): Comment => {
    assertText(body);
    return world.comment(placeOf(issue).name, issue.number, body, viewer, state.at);
  };

  /** One's own comment, or anybody's with write. */
  const editComment = (comment: Comment, body: string): void => {
    assertText(body);
    const issue = state.issues.get(comment.issueId);
    if (issue === undefined) throw notFound();
    const repo = placeOf(issue);
    if (repo.archived) throw forbidden('Repository was archived so is read-only.');
    if (comment.author !== viewer && !hasRole(repo, viewer, 'write')) throw forbidden(mustBeAdmin);
    world.editComment(comment.id, body, viewer, state.at);
  };

  /** Closing and reopening takes triage, or to be the author. The reason counts only when the state changes. */
  const setState = (issue: Issue, to: 'open' | 'closed', reason: CloseReason = 'completed'): void => {
    const repo = placeOf(issue);
    assertMayEdit(issue);
    if (to === 'open') world.reopen(repo.name, issue.number, viewer, state.at);
    else world.close(repo.name, issue.number, viewer, state.at, reason);
  };

  const editText = (issue: Issue, text: { title?: string; body?: string }): void => {
    const repo = placeOf(issue);
    if (repo.archived) throw forbidden('Repository was archived so is read-only.');
    if (issue.author !== viewer && !hasRole(repo, viewer, 'write')) throw forbidden(mustBeAdmin);
    if (text.title !== undefined && text.title !== issue.title) {
      world.editTitle(repo.name, issue.number, text.title, viewer, state.at);
    }
    if (text.body !== undefined && text.body !== issue.body) {
      world.editBody(repo.name, issue.number, text.body, viewer, state.at);
    }
  };

  /** A label by node id, where the issue is. */
  const labelHere = (issue: Issue, nodeId: string): Label => {
    const entity = state.nodes.get(nodeId);
    const repo = placeOf(issue);
    if (entity?.kind !== 'label' || labelNamed(repo, entity.label.name) !== entity.label) {
      throw notFound(`Could not resolve to a node with the global id of '${nodeId}'`);
    }
    return entity.label;
  };

  return {
    placeOf,
    assertMayEdit,
    addLabels,
    removeLabel,
    replaceLabels,
    createLabel,
    addComment,
    editComment,
    setState,
    editText,
    labelHere,
  };
};
