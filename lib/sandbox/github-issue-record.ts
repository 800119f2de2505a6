import { nodeIdOf } from './github-ids.ts';
import { labelNamed } from './github-people.ts';
import { mentionsIn } from './github-references.ts';
import { forbidden, invalid } from './github-refusal.ts';
import type { CloseReason, Issue, IssueEvent, Label, Pull, Repo, State } from './github-state.ts';
import { accountOf, findRepo, identity, nextId, repoById } from './github-state.ts';

/** The longest body of an issue or a comment, in characters: of four bytes at most, and of two units in a string. */
export const bodyMax = 65_536;

/** What an issue or a pull request is opened with. */
export type Opening = {
  author: string;
  title: string;
  body?: string;
  labels?: readonly string[];
  labelledVia?: 'form';
};

type Kinds = IssueEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'id' | 'nodeId' | 'at' | 'actor' | 'app'>
    : never
  : never;

/** Adds to an issue's history. A bot acts through its app; a person only when `via` says so. */
export const record = (
  state: State,
  issue: Issue,
  actor: string,
  at: number,
  what: Kinds,
  via?: string,
): IssueEvent => {
  const id = nextId(state);
  const event: IssueEvent = {
    id,
    nodeId: nodeIdOf('EV', String(id)),
    at,
    actor,
    app: via ?? accountOf(state, actor).app,
    ...what,
  };
  issue.events.push(event);
  issue.updatedAt = at;
  return event;
};

/** An archived repository takes no writes. */
export const assertWritable = (repo: Repo): void => {
  if (repo.archived) throw forbidden('Repository was archived so is read-only.');
};

/** Texts have a limit. */
export const assertBody = (resource: string, body: string): void => {
  if (body.length > bodyMax && Array.from(body).length > bodyMax)
    throw invalid(resource, 'body', 'custom', `body is too long (maximum is ${bodyMax} characters)`);
};

/** The label of that name; an unknown one is made, grey, as GitHub does when an issue is labelled. */
export const labelFor = (state: State, repo: Repo, name: string): Label => {
  const known = labelNamed(repo, name);
  if (known !== undefined) return known;
  const label = { ...identity(state, 'LA'), name, color: 'ededed', description: null };
  repo.labels.push(label);
  state.nodes.set(label.nodeId, { kind: 'label', label, repo });
  return label;
};

/** Every issue a text mentions learns of it: that is how a pull request shows up on an issue. */
export const crossReference = (
  state: State,
  source: Issue,
  text: string,
  closes: readonly number[],
  at: number,
): void => {
  for (const { repo: name, number } of mentionsIn(text)) {
    const repo = name === null ? repoById(state, source.repoId) : findRepo(state, name);
    const target = repo?.issues.get(number);
    if (target === undefined || target === source) continue;
    if (target.events.some((event) => event.kind === 'cross-referenced' && event.sourceId === source.id)) continue;
    const willClose = target.repoId === source.repoId && closes.includes(number);
    record(state, target, source.author, at, { kind: 'cross-referenced', sourceId: source.id, closes: willClose });
  }
};

/** Makes an issue or a pull request with the next number of its repository. */
export const newIssue = (state: State, repo: Repo, opening: Opening, pull: Pull | null, at: number): Issue => {
  assertBody('Issue', opening.body ?? '');
  repo.numbers += 1;
  const issue: Issue = {
    ...identity(state, pull === null ? 'I' : 'PR'),
    repoId: repo.id,
    number: repo.numbers,
    pull,
    title: opening.title,
    body: opening.body ?? '',
    author: accountOf(state, opening.author).login,
    state: 'open',
    stateReason: null,
    locked: false,
    lockReason: null,
    createdAt: at,
    updatedAt: at,
    closedAt: null,
    closedBy: null,
    labels: [],
    assignees: [],
    comments: [],
    edits: [],
    events: [],
    blockedBy: [],
    parent: null,
    deleted: false,
    movedTo: null,
  };
  repo.issues.set(issue.number, issue);
  state.issues.set(issue.id, issue);
  state.nodes.set(issue.nodeId, { kind: 'issue', issue });
  crossReference(state, issue, `${issue.title}\n${issue.body}`, pull?.closes ?? [], at);
  return issue;
};

/** Closes or reopens; already so is no event. `sha` or `pull` (by id) names what did it, where it was not a person. */
export const setIssueState = (
  state: State,
  issue: Issue,
  actor: string,
  to: { state: 'open' } | { state: 'closed'; reason: CloseReason; sha?: string; pull?: number },
  at: number,
): void => {
  if (issue.state === to.state) return;
  issue.state = to.state;
  if (to.state === 'open') {
    issue.stateReason = 'reopened';
    issue.closedAt = null;
    issue.closedBy = null;
    record(state, issue, actor, at, { kind: 'reopened' });
    return;
  }
  issue.stateReason = to.reason;
  issue.closedAt = at;
  issue.closedBy = accountOf(state, actor).login;
  const commit = to.sha === undefined ? null : { repoId: issue.repoId, sha: to.sha };
  record(state, issue, actor, at, { kind: 'closed', reason: to.reason, commit, pull: to.pull ?? null });
};
