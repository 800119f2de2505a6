import type { IssueDetail, IssueEvent } from '../core/issue.ts';
import { PortError } from '../ports.ts';
import { type GithubClient, lastPage, read } from './github-client.ts';
import { LabeledRow, Rows } from './github-wire.ts';

/**
 * The REST event of the same act, which alone tells of apps, of AI agents, and what the label was called at the time,
 * since GraphQL shows today's name. Null where it cannot be told.
 */
export const howLabelled = async (
  client: GithubClient,
  { repo, number }: Omit<IssueDetail, 'labelling'>,
  act: LabelEvent,
  isReady: (label: string) => boolean,
): Promise<HowLabelled | null> => {
  if (act.actor === null) return null;
  const login = plainLogin(act.actor.login);
  try {
    const rows = (await lastEvents(client, repo.id, number)).flatMap((row) => LabeledRow.safeParse(row).data ?? []);
    const same = rows.filter((row) => row.created_at === act.at && plainLogin(row.actor?.login ?? '') === login);
    const named = same.filter((row) => isReady(row.label.name));
    const candidates = named.length > 0 ? named : same;
    const [first] = candidates;
    if (first === undefined) return null;
    const app = candidates.find((row) => row.performed_via_github_app)?.performed_via_github_app;
    return {
      nameThen: first.label.name,
      throughApp: app ? (app.slug ?? app.name ?? 'an app') : null,
      byAgent: candidates.some((row) => row.intent !== null && row.intent !== undefined),
    };
  } catch (error) {
    if (error instanceof PortError && !error.isLimit) return null;
    throw error;
  }
};

type LabelEvent = Extract<IssueEvent, { kind: 'labeled' | 'unlabeled' }>;
type HowLabelled = NonNullable<IssueDetail['labelling']> & { nameThen: string };

// Oldest first: the newest are on the last page, which only the first one names.
const lastEvents = async (client: GithubClient, repoId: string, number: number): Promise<readonly unknown[]> => {
  const route = 'GET /repositories/{repo_id}/issues/{issue_number}/events';
  const ask = (page: number) =>
    client.ask(route, { repo_id: repoId, issue_number: number, per_page: 100, page }, [200]);
  const first = await ask(1);
  const last = lastPage(first.headers);
  const answer = last > 1 ? await ask(last) : first;
  return read(Rows, answer.data, route);
};

// REST calls a bot `name[bot]`, GraphQL calls it `name`.
const plainLogin = (login: string): string => login.toLowerCase().replace(/\[bot\]$/, '');
