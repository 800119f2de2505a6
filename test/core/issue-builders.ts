import type { Actor, BodyEdit, IssueDetail, IssueEvent, ListedIssue, RepoRef, RepoScan } from '../../lib/core/issue.ts';

/** The instant the ready label was put on in `aDetail`, and "now" shortly after it. */
export const labelledAt = Date.UTC(2026, 0, 15, 12);
export const now = labelledAt + 10 * 60_000;

export const aRepo = (over: Partial<RepoRef> = {}): RepoRef => ({
  host: 'github.com',
  id: '1',
  nodeId: 'R_1',
  name: 'acme/app',
  ...over,
});

export const aScan = (over: Partial<RepoScan> = {}): RepoScan => ({
  id: '1',
  nodeId: 'R_1',
  name: 'acme/app',
  archived: false,
  issuesEnabled: true,
  defaultBranch: { name: 'main', head: 'a'.repeat(40) },
  readyCount: 1,
  ...over,
});

export const aListed = (over: Partial<ListedIssue> = {}): ListedIssue => ({
  nodeId: `I_${over.number ?? 7}`,
  number: 7,
  title: 'Make it faster',
  body: '',
  labels: ['ready-for-agent'],
  updatedAt: '2026-01-15T12:00:00Z',
  isPullRequest: false,
  locked: false,
  openBlockers: 0,
  openSubIssues: 0,
  ...over,
});

export const user = (login: string): Actor => ({ login, kind: 'user' });

export const labelling = (over: Partial<Extract<IssueEvent, { kind: 'labeled' | 'unlabeled' }>> = {}): IssueEvent => ({
  kind: 'labeled',
  id: 'LE_1',
  at: labelledAt,
  actor: user('maintainer'),
  label: { id: 'L_ready', name: 'ready-for-agent' },
  ...over,
});

export const happened = (
  kind: 'renamed' | 'transferred' | 'reopened',
  at: number,
  actor: Actor = user('stranger'),
): IssueEvent => ({ kind, id: `E_${kind}_${at}`, at, actor });

export const edit = (at: number, editor: Actor = user('stranger')): BodyEdit => ({ at, editor });

/** A trusted issue; `events` and `edits` may be given as plain lists, which are then complete. */
export const aDetail = (
  over: Omit<Partial<IssueDetail>, 'events' | 'edits'> & {
    events?: readonly IssueEvent[] | (Omit<IssueDetail['events'], 'hasHole'> & { hasHole?: boolean });
    edits?: readonly BodyEdit[] | IssueDetail['edits'];
  } = {},
): IssueDetail => ({
  repo: aRepo(),
  archived: false,
  defaultBranch: { name: 'main', head: 'a'.repeat(40) },
  number: 7,
  nodeId: 'I_7',
  url: 'https://github.com/acme/app/issues/7',
  title: 'Make it faster',
  body: 'It is slow.',
  open: true,
  locked: false,
  updatedAt: '2026-01-15T12:00:00Z',
  author: user('stranger'),
  labels: [{ id: 'L_ready', name: 'ready-for-agent' }],
  blockers: { openCount: 0, listed: [] },
  openSubIssues: 0,
  labelling: { throughApp: null, byAgent: false },
  ...over,
  events: { hasHole: false, ...asRead(over.events ?? [labelling()]) },
  edits: asRead(over.edits ?? []),
});

const asRead = <T>(list: readonly T[] | { complete: boolean; list: readonly T[] }) =>
  'complete' in list ? list : { complete: true, list };
