import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { getVariableValues, Kind, parse, validate } from 'graphql';
import * as z from 'zod';
import { githubSchema } from '../../lib/sandbox/github-graphql.ts';
import type { Exchange, HttpResponse } from '../../lib/sandbox/github-handler.ts';
import { bodyOf, refusalComplaints } from './github-exchange-answer.ts';
import { type Fragments, isRecord, objectComplaints } from './github-exchange-graphql-value.ts';

const Request = z.strictObject({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});
const GraphqlError = z.strictObject({
  message: z.string().min(1),
  type: z.string().optional(),
  // Documented nowhere, and met in 2026.
  code: z.literal('graphql_rate_limit').optional(),
  path: z.array(z.union([z.string(), z.number()])).optional(),
  locations: z.array(z.object({ line: z.number(), column: z.number() })).optional(),
  extensions: z.unknown().optional(),
});
const Answer = z.strictObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(GraphqlError).min(1).optional(),
});

/** Where an error says it arose there must be null, or further up: data that is there is no error. */
const pathComplaints = (data: unknown, path: readonly (string | number)[], at: string): string[] => {
  let value = data;
  for (const [index, part] of path.entries()) {
    if (value === null || value === undefined) return [];
    const here: unknown = Array.isArray(value) ? value[Number(part)] : isRecord(value) ? value[part] : undefined;
    if (here === undefined) return [`${at} leads nowhere: ${path.slice(0, index + 1).join('.')}`];
    value = here;
  }
  return value === null ? [] : [`${at} leads to what is there: ${path.join('.')}`];
};

const dataComplaints = (operation: OperationDefinitionNode, fragments: Fragments, body: unknown): string[] => {
  const answer = Answer.safeParse(body);
  if (!answer.success) return answer.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const { data, errors } = answer.data;
  if (!isRecord(data) && errors === undefined) return ['has neither data nor errors'];
  const wrong = (errors ?? []).flatMap((error, index) => [
    ...(error.type === undefined ? [`errors.${index} has no type: ${error.message}`] : []),
    ...(error.path === undefined ? [] : pathComplaints(data, error.path, `errors.${index}.path`)),
  ]);
  const root = githubSchema().getRootType(operation.operation);
  if (!isRecord(data) || !root) return wrong;
  return [...wrong, ...objectComplaints(root, data, operation.selectionSet, fragments, 'data')];
};

/** What it answers besides 200: nothing was run. */
const refusals = new Set([400, 401, 403, 429, 500, 502, 503, 504]);

const answerComplaints = (
  operation: OperationDefinitionNode,
  fragments: Fragments,
  response: HttpResponse,
): string[] => {
  const { status } = response;
  if (status !== 200 && !refusals.has(status)) return ['status is not one of GraphQL'];
  const { body, wrong } = bodyOf(response);
  if (body === undefined) return [...wrong];
  if (status !== 200) return [...wrong, ...refusalComplaints('graphql', null, status, body)];
  return [...wrong, ...dataComplaints(operation, fragments, body)];
};

type Read = { document: DocumentNode; mistakes: readonly string[] };

const read = new Map<string, Read>();

/** The query, parsed and held against the SDL once: the same few queries come again and again. */
const readQuery = (query: string): Read => {
  const known = read.get(query);
  if (known !== undefined) return known;
  const document = parse(query);
  const mistakes = validate(githubSchema(), document).map(
    ({ message, locations }) => `query ${locations?.[0]?.line ?? 0}:${locations?.[0]?.column ?? 0}: ${message}`,
  );
  read.set(query, { document, mistakes });
  return { document, mistakes };
};

/** `query Scan`, or by what is asked where it has no name: `mutation of addComment`. */
const nameOf = ({ operation, name, selectionSet }: OperationDefinitionNode): string => {
  const fields = selectionSet.selections.map((one) => (one.kind === Kind.FIELD ? one.name.value : 'a fragment'));
  return `${operation} ${name?.value ?? `of ${[...new Set(fields)].join(', ')}`}`;
};

const variableComplaints = (
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>>,
): string[] => {
  const { errors = [] } = getVariableValues(githubSchema(), variableDefinitions, given);
  const declared = new Set(variableDefinitions.map((one) => one.variable.name.value));
  const unknown = Object.keys(given).filter((name) => !declared.has(name));
  return [
    ...errors.map((error) => `variables: ${error.message}`),
    ...unknown.map((name) => `variables: $${name} is not declared`),
  ];
};

/** What GitHub's SDL does not allow in this exchange, operation and place first; empty when all is well. */
export const graphqlViolations = ({ request, response }: Exchange): string[] => {
  if (request.method !== 'POST') return ['GraphQL takes POST only'];
  const asked = Request.safeParse(JSON.parse(request.body));
  if (!asked.success) return asked.error.issues.map((issue) => `request ${issue.path.join('.')}: ${issue.message}`);
  const { query, variables, operationName } = asked.data;
  const { document, mistakes } = readQuery(query);
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const operation =
    typeof operationName === 'string'
      ? operations.find(({ name }) => name?.value === operationName)
      : operations.length === 1
        ? operations[0]
        : undefined;
  if (operation === undefined) return [`request operationName: ${operations.length} operations, and none is named`];
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [],
    ),
  );
  const answered = mistakes.length > 0 || response === null ? [] : answerComplaints(operation, fragments, response);
  return [
    ...mistakes,
    ...variableComplaints(operation, variables ?? {}),
    ...answered.map((one) => `answer ${response?.status} ${one}`),
  ].map((one) => `${nameOf(operation)}: ${one}`);
};
