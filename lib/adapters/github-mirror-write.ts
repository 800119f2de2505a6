import * as z from 'zod';
import type { MirrorPlan } from '../core/mirror-plan.ts';
import { PortError } from '../ports.ts';
import { type GithubClient, type Params, read } from './github-client.ts';
import { type GraphqlError, graphqlRefusal } from './github-refusal.ts';

/** A plan whose labels to put on exist: node ids in place of names. */
export type Writable = Omit<MirrorPlan, 'add'> & { add: readonly string[] };

/**
 * Writes a plan in one request, whose parts GitHub does in order and not as a whole: the comment first, since it says
 * why; closing last, so that a closed issue is always a finished one. What was refused comes back, part by part, and so
 * does what GitHub left as it was without a word. That a locked issue takes no comment is no refusal.
 */
export const writeMirrored = async (
  client: GithubClient,
  issue: { id: string; locked: boolean },
  plan: Writable,
): Promise<{ commentId: string | null; refusals: readonly PortError[] }> => {
  const parts = partsOf(plan);
  if (parts.length === 0) return { commentId: null, refusals: [] };
  const { document, variables } = mutationOf(parts, issue.id);
  const { data, errors } = await client.mutate(document, variables);
  const stray = errors.filter(({ path }) => !parts.some(({ alias }) => alias === path?.[0]));
  if (stray.length > 0) throw graphqlRefusal(what, stray);
  const answer = read(Answer, data, what);
  const refusals = parts.flatMap((part) => {
    const error = errors.find(({ path }) => path?.[0] === part.alias);
    if (error) return isTolerated(part, error, issue.locked) ? [] : [refusalOf(part, error)];
    return part.isDone(answer) ? [] : [leftAsItWas(part)];
  });
  return { commentId: commentIn(answer), refusals };
};

const what = 'mutation Mirror';

/** One field of the mutation; `isDone` reads from its answer that it took hold. */
type Part = {
  alias: 'comment' | 'add' | 'remove' | 'state';
  field: string;
  variables: Readonly<Record<string, string | readonly string[]>>;
  isDone: (answer: Answer) => boolean;
};

const partsOf = ({ comment, add, remove, state }: Writable): readonly Part[] => [
  ...(comment === null ? [] : [commentPart(comment)]),
  ...(add.length === 0 ? [] : [addPart(add)]),
  ...(remove.length === 0 ? [] : [removePart(remove.map(({ id }) => id))]),
  ...(state === null ? [] : [statePart(state)]),
];

const commentPart = ({ id, text }: NonNullable<MirrorPlan['comment']>): Part => ({
  alias: 'comment',
  isDone: (answer) => commentIn(answer) !== null,
  ...(id === null
    ? {
        field: 'addComment(input: { subjectId: $issue, body: $body }) { commentEdge { node { id } } }',
        variables: { body: text },
      }
    : {
        field: 'updateIssueComment(input: { id: $comment, body: $body }) { issueComment { id } }',
        variables: { comment: id, body: text },
      }),
});

const labelsAfter = '{ labelable { labels(first: 100) { nodes { id } } } }';

const addPart = (add: readonly string[]): Part => ({
  alias: 'add',
  field: `addLabelsToLabelable(input: { labelableId: $issue, labelIds: $add }) ${labelsAfter}`,
  variables: { add },
  // Changes one may not make are dropped without a word: what counts is what the issue carries afterwards.
  isDone: (answer) => {
    const on = labelsIn(answer.add);
    return on !== null && (on.length >= labelsShown || add.every((id) => on.includes(id)));
  },
});

const removePart = (remove: readonly string[]): Part => ({
  alias: 'remove',
  field: `removeLabelsFromLabelable(input: { labelableId: $issue, labelIds: $remove }) ${labelsAfter}`,
  variables: { remove },
  isDone: (answer) => labelsIn(answer.remove)?.every((id) => !remove.includes(id)) === true,
});

const statePart = (state: 'open' | 'closed'): Part => ({
  alias: 'state',
  field:
    state === 'closed'
      ? 'closeIssue(input: { issueId: $issue, stateReason: COMPLETED }) { issue { state } }'
      : 'reopenIssue(input: { issueId: $issue }) { issue { state } }',
  variables: {},
  isDone: (answer) => answer.state?.issue?.state === state.toUpperCase(),
});

// The most a page shows; of an issue with more, a label that is not shown may be on all the same.
const labelsShown = 100;

const types = { issue: 'ID!', body: 'String!', comment: 'ID!', add: '[ID!]!', remove: '[ID!]!' } as const;

/** Every value is a variable; what is declared has to be used, and nothing else may be sent. */
const mutationOf = (parts: readonly Part[], issue: string): { document: string; variables: Params } => {
  const fields = parts.map(({ alias, field }) => `  ${alias}: ${field}`).join('\n');
  const used = Object.entries(types).filter(([name]) => fields.includes(`$${name}`));
  const values = Object.fromEntries(parts.flatMap(({ variables }) => Object.entries(variables)));
  return {
    document: `mutation Mirror(${used.map(([name, type]) => `$${name}: ${type}`).join(', ')}) {\n${fields}\n}`,
    variables: { ...values, ...(used.some(([name]) => name === 'issue') && { issue }) },
  };
};

const isTolerated = ({ alias }: Part, error: GraphqlError, locked: boolean): boolean =>
  // Of a locked issue only those who may push say more.
  alias === 'comment' &&
  locked &&
  (graphqlRefusal(what, [error]).kind === 'refused' || /\blocked\b/i.test(error.message));

const refusalOf = ({ alias, variables }: Part, error: GraphqlError): PortError => {
  // Deleted between the two requests: the next mirror finds no marker and makes another.
  const isGone = alias === 'comment' && variables['comment'] !== undefined && error.type === 'NOT_FOUND';
  return isGone ? new PortError('unavailable', `${what}: the comment is gone`) : graphqlRefusal(what, [error]);
};

const leftAsItWas = ({ alias }: Part): PortError =>
  alias === 'comment'
    ? new PortError('unavailable', `${what}: GitHub answered without the comment it wrote`)
    : new PortError('refused', `${what}: ${alias}: GitHub left the issue as it was; the token may not change it`);

const Node = z.object({ id: z.string() });

const Labelled = z
  .object({
    labelable: z.object({ labels: z.object({ nodes: z.array(Node.nullable()).nullish() }).nullish() }).nullish(),
  })
  .nullish();

const Answer = z.object({
  comment: z
    .object({
      commentEdge: z.object({ node: Node.nullish() }).nullish(),
      issueComment: Node.nullish(),
    })
    .nullish(),
  add: Labelled,
  remove: Labelled,
  state: z.object({ issue: z.object({ state: z.string() }).nullish() }).nullish(),
});
type Answer = z.infer<typeof Answer>;

const commentIn = ({ comment }: Answer): string | null =>
  comment?.commentEdge?.node?.id ?? comment?.issueComment?.id ?? null;

const labelsIn = (labelled: Answer['add']): readonly string[] | null =>
  labelled?.labelable?.labels?.nodes?.flatMap((label) => (label ? [label.id] : [])) ?? null;
