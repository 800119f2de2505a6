import * as z from 'zod';
import { type GithubClient, read } from './github-client.ts';
import { chunks } from './github-scan.ts';

/** Each `owner/name#n`: one request for 50. What is malformed, hidden or absent is `unreadable`. */
export const blockerStates = async (
  client: GithubClient,
  refs: readonly string[],
): Promise<ReadonlyMap<string, BlockerState>> => {
  const states = new Map<string, BlockerState>(refs.map((ref) => [ref, 'unreadable']));
  const asked = [...states.keys()].flatMap((ref) => {
    const [, owner, name, number] = /^([^/#\s]+)\/([^/#\s]+)#(\d{1,9})$/.exec(ref) ?? [];
    return owner !== undefined && name !== undefined ? [{ ref, owner, name, number: Number(number) }] : [];
  });
  for (const page of chunks(asked, pageSize)) {
    const { data } = await client.query(
      blockersQuery(page.length),
      Object.fromEntries(
        page.flatMap((one, i) => [
          [`o${i}`, one.owner],
          [`r${i}`, one.name],
          [`n${i}`, one.number],
        ]),
      ),
    );
    const found = read(Answer, data, 'query Blockers');
    for (const [i, { ref }] of page.entries()) states.set(ref, stateOf(found[`b${i}`]));
  }
  return states;
};

type BlockerState = 'open' | 'closed' | 'unreadable';

const pageSize = 50;

// Only the number of aliases varies: what is asked for stays in variables.
const blockersQuery = (count: number): string => {
  const each = Array.from({ length: count }, (_, i) => i);
  const variables = each.map((i) => `$o${i}: String!, $r${i}: String!, $n${i}: Int!`).join(', ');
  const aliases = each.map(
    (i) => `b${i}: repository(owner: $o${i}, name: $r${i}) {
      issueOrPullRequest(number: $n${i}) { ... on Issue { issue: state } ... on PullRequest { pull: state } }
    }`,
  );
  return `query Blockers(${variables}) { ${aliases.join('\n')} }`;
};

const stateOf = (found: unknown): BlockerState => {
  const { issue, pull } = Blocker.safeParse(found).data?.issueOrPullRequest ?? {};
  const state = issue ?? pull;
  if (state === 'OPEN') return 'open';
  return state === 'CLOSED' || state === 'MERGED' ? 'closed' : 'unreadable';
};

const Answer = z.record(z.string(), z.unknown());

const Blocker = z.object({
  issueOrPullRequest: z.object({ issue: z.string().optional(), pull: z.string().optional() }),
});
