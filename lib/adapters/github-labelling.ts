import type { IssueDetail, IssueEvent } from '../core/issue.ts';
import { PortError } from '../ports.ts';
import { type GithubClient, lastPage, read } from './github-client.ts';
import { DatedRow, LabeledRow, Rows } from './github-wire.ts';

/**
 * The REST event of the same act, which alone tells of apps, of AI agents, and what the label was called at the time,
 * since GraphQL shows today's name. Null where nobody can be named as its actor, or where more happened since than is
 * read; an act that these events do not show yet is `unavailable`.
 */
export const howLabelled = async (
  client: GithubClient,
  { repo, number }: Omit<IssueDetail, 'labelling'>,
  act: LabelEvent,
  isReady: (label: string) => boolean,
): Promise<HowLabelled | null> => {
  if (act.actor === null) return null;
  const login = plainLogin(act.actor.login);
  const { rows, reachesBack } = await eventsSince(client, repo.id, number, act.at);
  const same = rows
    .flatMap((row) => LabeledRow.safeParse(row).data ?? [])
    .filter((row) => row.created_at === act.at && plainLogin(row.actor?.login ?? '') === login);
  const named = same.filter((row) => isReady(row.label.name));
  const candidates = named.length > 0 ? named : same;
  const [first] = candidates;
  if (first === undefined) {
    if (reachesBack) throw new PortError('unavailable', `${route}: how the label was put on does not show yet`);
    return null;
  }
  const app = candidates.find((row) => row.performed_via_github_app)?.performed_via_github_app;
  return {
    nameThen: first.label.name,
    throughApp: app ? (app.slug ?? app.name ?? 'an app') : null,
    byAgent: candidates.some((row) => row.intent !== null && row.intent !== undefined),
  };
};

type LabelEvent = Extract<IssueEvent, { kind: 'labeled' | 'unlabeled' }>;
type HowLabelled = NonNullable<IssueDetail['labelling']> & { nameThen: string };

const route = 'GET /repositories/{repo_id}/issues/{issue_number}/events';
const pageSize = 100;
const pagesMax = 3;

/**
 * What happened to an issue since an instant, and at it. Oldest first: the newest are on the last page, which only the
 * first one names, and from there it is read backwards. `reachesBack` where nothing since then was left unread.
 */
const eventsSince = async (
  client: GithubClient,
  repoId: string,
  number: number,
  since: number,
): Promise<{ rows: readonly unknown[]; reachesBack: boolean }> => {
  const ask = (page: number) =>
    client.ask(route, { repo_id: repoId, issue_number: number, per_page: pageSize, page }, [200]);
  const first = await ask(1);
  const last = lastPage(first.headers);
  const rows: unknown[] = [];
  for (let page = last; page > Math.max(0, last - pagesMax); page -= 1) {
    const answer = page === 1 ? first : await ask(page);
    rows.push(...read(Rows, answer.data, route));
    if (rows.some((row) => (DatedRow.safeParse(row).data?.created_at ?? since) < since))
      return { rows, reachesBack: true };
  }
  return { rows, reachesBack: last <= pagesMax };
};

// REST calls a bot `name[bot]`, GraphQL calls it `name`.
const plainLogin = (login: string): string => login.toLowerCase().replace(/\[bot\]$/, '');
