import { readFileSync } from 'node:fs';
import type { DocumentNode, GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import { buildSchema, executeSync, GraphQLError, Kind, parse, validate } from 'graphql';
import { grants, type Permissions } from './github-apps.ts';
import { costOf } from './github-graphql-cost.ts';
import type { Budget } from './github-graphql-root.ts';
import { rootOf } from './github-graphql-root.ts';
import { withScalars } from './github-graphql-scalars.ts';
import { forbidden, GithubRefusal, graphqlWords } from './github-refusal.ts';
import type { GithubWorld } from './github-world.ts';

let schema: GraphQLSchema | undefined;

/** GitHub's SDL as `github-schema` 1.23.0 ships it. Read on first use only: about 0.3 s and 60 MB. */
export const githubSchema = (): GraphQLSchema => {
  if (schema === undefined) {
    const file = new URL('github-schema.graphql', import.meta.resolve('github-schema/package.json'));
    schema = withScalars(buildSchema(readFileSync(file, 'utf8'), { assumeValid: true, assumeValidSDL: true }));
  }
  return schema;
};

/** A query that was read and held against the SDL: what is wrong with it, or what it costs. */
export type Prepared = { document: DocumentNode; cost: number; nodes: number; writes: number };

const read = new Map<string, DocumentNode | readonly GraphQLError[]>();

const documentOf = (query: string): DocumentNode | readonly GraphQLError[] => {
  const known = read.get(query);
  if (known !== undefined) return known;
  const document = readDocument(query);
  read.set(query, document);
  return document;
};

const readDocument = (query: string): DocumentNode | readonly GraphQLError[] => {
  try {
    const document = parse(query);
    const mistakes = validate(githubSchema(), document);
    return mistakes.length > 0 ? mistakes : document;
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
};

const writesIn = (document: DocumentNode): number =>
  document.definitions
    .flatMap((one) => (one.kind === Kind.OPERATION_DEFINITION && one.operation === 'mutation' ? [one] : []))
    .reduce((sum, mutation) => sum + mutation.selectionSet.selections.length, 0);

/** Reads and prices a query without running it; an invalid one is answered with GraphQL's own errors. */
export const prepare = (
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Prepared | { errors: object[] } => {
  const document = documentOf(query);
  if ('kind' in document) return { document, ...costOf(document, variables), writes: writesIn(document) };
  return { errors: document.map((error) => ({ message: error.message, locations: error.locations ?? [] })) };
};

/** The permission an App's token needs for a field. */
const needs: Readonly<Record<string, readonly [string, 'read' | 'write']>> = {
  'Repository.issues': ['issues', 'read'],
  'Repository.issue': ['issues', 'read'],
  'Repository.issueOrPullRequest': ['issues', 'read'],
  'Repository.object': ['contents', 'read'],
  'Repository.pullRequest': ['pull_requests', 'read'],
  'Repository.deployments': ['deployments', 'read'],
  'Commit.statusCheckRollup': ['checks', 'read'],
  'Commit.checkSuites': ['checks', 'read'],
  'Commit.associatedPullRequests': ['pull_requests', 'read'],
  'StatusCheckRollup.contexts': ['statuses', 'read'],
  'CheckSuite.workflowRun': ['actions', 'read'],
  'Mutation.addLabelsToLabelable': ['issues', 'write'],
  'Mutation.removeLabelsFromLabelable': ['issues', 'write'],
  'Mutation.addComment': ['issues', 'write'],
  'Mutation.updateIssueComment': ['issues', 'write'],
  'Mutation.closeIssue': ['issues', 'write'],
  'Mutation.reopenIssue': ['issues', 'write'],
};

// A field nobody thought of answers with an error of its own, never with a quiet null.
const fieldResolver: GraphQLFieldResolver<unknown, Permissions | null> = (source, args, granted, info) => {
  const [name, level] = needs[`${info.parentType.name}.${info.fieldName}`] ?? [];
  if (name !== undefined && level !== undefined && granted !== null && !grants(granted, name, level))
    throw forbidden('Resource not accessible by integration');
  if (typeof source !== 'object' || source === null || !(info.fieldName in source)) {
    throw new Error(`the stand-in does not model ${info.parentType.name}.${info.fieldName}`);
  }
  const value: unknown = Reflect.get(source, info.fieldName);
  return typeof value === 'function' ? value(args) : value;
};

const shownError = (error: GraphQLError): object => {
  const cause = error.originalError;
  const refusal = cause instanceof GithubRefusal ? cause : undefined;
  return {
    ...(refusal && { type: refusal.type }),
    ...(error.path && { path: error.path }),
    ...(error.locations && { locations: error.locations }),
    message: refusal === undefined ? error.message : graphqlWords(refusal),
  };
};

/**
 * Runs a prepared query as the viewer. Always an answer of status 200: what could not be given is null, with an entry
 * in `errors` that has GitHub's `type` and the path.
 */
export const runGraphql = (
  world: GithubWorld,
  prepared: Prepared,
  request: {
    variables: Readonly<Record<string, unknown>>;
    viewer: string;
    granted: Permissions | null;
    base: string;
    budget: Budget;
  },
): object => {
  const result = executeSync({
    schema: githubSchema(),
    document: prepared.document,
    rootValue: rootOf(world, request.viewer, request.base, request.budget),
    variableValues: request.variables,
    contextValue: request.granted,
    fieldResolver,
  });
  const errors = result.errors?.map(shownError) ?? [];
  return { ...(result.data !== undefined && { data: result.data }), ...(errors.length > 0 && { errors }) };
};
