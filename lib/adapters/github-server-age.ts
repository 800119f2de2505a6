import * as z from 'zod';
import { type GithubClient, read } from './github-client.ts';
import { graphqlRefusal } from './github-refusal.ts';

/**
 * Why a GitHub Enterprise Server cannot be worked with, in words with the remedy, or null. One before 3.19 does not know
 * which issues block which, and refuses every query that asks for it as a whole. Asked of its schema, not of its number.
 */
export const whyTooOld = async (client: GithubClient): Promise<string | null> => {
  const { data, errors } = await client.query(schemaQuery, {});
  if (errors.length > 0) throw graphqlRefusal('query Schema', errors);
  const known = new Set(read(Schema, data, 'query Schema').issue?.fields.map(({ name }) => name));
  return needed.every((name) => known.has(name))
    ? null
    : 'this GitHub Enterprise Server does not tell which issues block which: upgrade it to 3.19 or newer';
};

const needed = ['blockedBy', 'issueDependenciesSummary'];

const schemaQuery = /* GraphQL */ `
  query Schema { issue: __type(name: "Issue") { fields(includeDeprecated: true) { name } } }
`;

const Schema = z.object({ issue: z.object({ fields: z.array(z.object({ name: z.string() })) }).nullish() });
