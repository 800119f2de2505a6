import { assertNever } from '../core/assert.ts';
import type { BodyEdit, IssueDetail, IssueEvent, IssueRef } from '../core/issue.ts';
import { labellingOf as newestLabelling } from '../core/trust.ts';
import { PortError } from '../ports.ts';
import { isoOf } from './github-ids.ts';
import { issueHtml } from './github-rest-shapes.ts';
import type { Issue, Repo, IssueEvent as WorldEvent } from './github-state.ts';
import { branchOf, newestEvents, openBlockers, openSubIssues, secondOf } from './world-reads.ts';
import type { WorldViewer } from './world-viewer.ts';

/** One issue as trust is decided on, bounded as the adapter's query is. Null for what is gone, moved or a pull request. */
export const issueDetail = (viewer: WorldViewer, ref: IssueRef, readyLabel: string): IssueDetail | null => {
  const found = viewer.issueOfNode(ref.nodeId);
  if (found === null || found.issue.pull !== null) return null;
  const { issue, repo } = found;
  const { list, complete } = newestEvents(issue, trustKinds, eventsMax);
  const { events, labelling } = labellingOf(
    viewer,
    { issue, repo },
    list.map((event) => eventOf(viewer, event)),
    readyLabel,
  );
  return {
    repo: { host: ref.repo.host, id: String(repo.id), nodeId: repo.nodeId, name: repo.name },
    archived: repo.archived || repo.disabled,
    defaultBranch: branchOf(repo),
    number: issue.number,
    nodeId: issue.nodeId,
    url: issueHtml(repo, issue),
    title: issue.title,
    body: issue.body,
    open: issue.state === 'open',
    locked: issue.locked,
    updatedAt: isoOf(issue.updatedAt),
    author: viewer.actor(issue.author),
    labels: issue.labels.slice(0, labelsMax).map(({ nodeId: id, name }) => ({ id, name })),
    events: { complete, hasHole: false, list: events },
    edits: editsOf(viewer, issue),
    blockers: { openCount: openBlockers(viewer.state, issue), listed: blockersOf(viewer, issue) },
    openSubIssues: openSubIssues(viewer.state, issue),
    labelling,
  };
};

const labelsMax = 100;
const eventsMax = 50;
const editsMax = 50;
const blockersMax = 50;
const eventPage = 100;
const eventPagesMax = 3;
const eventsRoute = 'GET /repositories/{repo_id}/issues/{issue_number}/events';

const trustKinds = ['labeled', 'unlabeled', 'renamed', 'transferred', 'reopened'] as const;
type TrustEvent = Extract<WorldEvent, { kind: (typeof trustKinds)[number] }>;

const eventOf = ({ actor }: WorldViewer, event: TrustEvent): IssueEvent => {
  const happened = { id: event.nodeId, at: secondOf(event.at), actor: actor(event.actor) };
  switch (event.kind) {
    case 'labeled':
    case 'unlabeled':
      return { kind: event.kind, ...happened, label: { id: event.label.nodeId, name: event.label.name } };
    case 'renamed':
    case 'transferred':
    case 'reopened':
      return { kind: event.kind, ...happened };
    default:
      return assertNever(event);
  }
};

/** Once a body was edited at all, its creation is an entry too. Cut at the newest, then oldest first. */
const editsOf = ({ actor }: WorldViewer, { edits, createdAt, author }: Issue): IssueDetail['edits'] => {
  if (edits.length === 0) return { complete: true, list: [] };
  const list: BodyEdit[] = [{ at: createdAt, editor: author }, ...edits]
    .toReversed()
    .slice(0, editsMax)
    .map(({ at, editor }) => ({ at: secondOf(at), editor: actor(editor) }));
  return { complete: edits.length < editsMax, list: list.sort((a, b) => a.at - b.at) };
};

const blockersOf = ({ state, maySee }: WorldViewer, { blockedBy }: Issue): readonly string[] => {
  const seen = blockedBy.flatMap((id) => {
    const issue = state.issues.get(id);
    const repo = issue && state.repos.get(issue.repoId);
    return issue && repo && maySee(repo) ? [{ issue, name: `${repo.name}#${issue.number}` }] : [];
  });
  return seen.slice(0, blockersMax).flatMap(({ issue, name }) => (issue.state === 'open' ? [name] : []));
};

/**
 * How the ready label was put on, as REST tells of the same act: on the newest pages of events, and under the name the
 * label had then, which that one event is given. All others carry the name of today.
 */
const labellingOf = (
  { actor }: WorldViewer,
  { issue, repo }: { issue: Issue; repo: Repo },
  events: readonly IssueEvent[],
  readyLabel: string,
): { events: readonly IssueEvent[]; labelling: IssueDetail['labelling'] } => {
  const isReady = (name: string): boolean => name.toLowerCase() === readyLabel.toLowerCase();
  const labels = issue.labels.map(({ nodeId: id, name }) => ({ id, name }));
  const act = newestLabelling({ labels, events: { complete: true, hasHole: false, list: events } }, readyLabel);
  if (act?.kind !== 'labeled' || act.actor === null) return { events, labelling: null };
  // Where issues are switched off, REST tells nothing of their events.
  if (!repo.issuesEnabled)
    throw new PortError('refused', `${eventsRoute}: 410, it is gone: Issues are disabled for this repo`);
  const login = plainLogin(act.actor.login);
  const rows = issue.events.filter((event) => event.kind !== 'cross-referenced');
  const pages = Math.ceil(rows.length / eventPage);
  const read = rows.slice(Math.max(0, pages - eventPagesMax) * eventPage);
  const same = read
    .flatMap((row) => (row.kind === 'labeled' ? [row] : []))
    .filter((row) => secondOf(row.at) === act.at && plainLogin(actor(row.actor)?.login ?? '') === login);
  const named = same.filter((row) => isReady(row.name));
  const candidates = named.length > 0 ? named : same;
  const [first] = candidates;
  if (first === undefined) return { events, labelling: null };
  return {
    events: events.map((event) =>
      event === act && event.kind === 'labeled' ? { ...event, label: { ...event.label, name: first.name } } : event,
    ),
    labelling: {
      throughApp: candidates.find((row) => row.app !== null)?.app ?? null,
      byAgent: candidates.some((row) => row.intent !== null),
    },
  };
};

const plainLogin = (login: string): string => login.toLowerCase().replace(/\[bot\]$/, '');
