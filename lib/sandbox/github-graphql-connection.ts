import { GithubRefusal } from './github-refusal.ts';

/** How much of a connection is asked for, and from where. */
export type PageArgs = { first?: number | null; last?: number | null; after?: string | null; before?: string | null };

const cursorAt = (index: number): string => Buffer.from(`cursor:${index}`).toString('base64');

const indexOf = (cursor: string): number => Number(Buffer.from(cursor, 'base64').toString().replace('cursor:', ''));

/**
 * A connection over a list. GitHub refuses one without bounds, and more than 100 at once; `what` is the field's name
 * in those refusals. Items become nodes only when they are on the page.
 */
export const connectionOf = <T>(what: string, args: PageArgs, items: readonly T[], toNode: (item: T) => unknown) => {
  const wanted = args.first ?? args.last;
  if (wanted === null || wanted === undefined) {
    const message = `You must provide a \`first\` or \`last\` value to properly paginate the \`${what}\` connection.`;
    throw new GithubRefusal(200, message, 'MISSING_PAGINATION_BOUNDARIES');
  }
  if (wanted > 100) {
    const bound = typeof args.first === 'number' ? 'first' : 'last';
    const message = `Requesting ${wanted} records on the \`${what}\` connection exceeds the \`${bound}\` limit of 100 records.`;
    throw new GithubRefusal(200, message, 'EXCESSIVE_PAGINATION');
  }
  const from = typeof args.after === 'string' ? indexOf(args.after) + 1 : 0;
  const to = typeof args.before === 'string' ? indexOf(args.before) : items.length;
  const start = typeof args.first === 'number' ? from : Math.max(from, to - wanted);
  const end = typeof args.first === 'number' ? Math.min(to, from + wanted) : to;
  const page = items.slice(start, end);
  return {
    totalCount: items.length,
    nodes: () => page.map(toNode),
    edges: () => page.map((item, index) => ({ cursor: cursorAt(start + index), node: toNode(item) })),
    pageInfo: {
      hasPreviousPage: start > 0,
      hasNextPage: end < items.length,
      startCursor: page.length === 0 ? null : cursorAt(start),
      endCursor: page.length === 0 ? null : cursorAt(end - 1),
    },
  };
};
