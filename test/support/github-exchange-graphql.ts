import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLObjectType,
  GraphQLOutputType,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import {
  getNamedType,
  getVariableValues,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isTypeSubTypeOf,
  Kind,
  parse,
  typeFromAST,
  validate,
} from 'graphql';
import * as z from 'zod';
import { githubSchema } from '../../lib/sandbox/github-graphql.ts';
import type { Exchange } from '../../lib/sandbox/github-handler.ts';

const Request = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});
const GraphqlError = z.object({
  message: z.string(),
  type: z.string().optional(),
  path: z.array(z.union([z.string(), z.number()])).optional(),
  locations: z.array(z.object({ line: z.number(), column: z.number() })).optional(),
  extensions: z.unknown().optional(),
});
const Answer = z.strictObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(GraphqlError.strict()).optional(),
});

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every field the set asks of this object type, by the name it has in the answer. */
const fieldsFor = (set: SelectionSetNode, type: GraphQLObjectType, fragments: Fragments): Map<string, FieldNode[]> => {
  const fields = new Map<string, FieldNode[]>();
  const walk = (inner: SelectionSetNode): void => {
    for (const selection of inner.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        fields.set(name, [...(fields.get(name) ?? []), selection]);
        continue;
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      const condition = fragment?.typeCondition && typeFromAST(githubSchema(), fragment.typeCondition);
      const fits = !condition || (isCompositeType(condition) && isTypeSubTypeOf(githubSchema(), type, condition));
      if (fragment !== undefined && fits) walk(fragment.selectionSet);
    }
  };
  walk(set);
  return fields;
};

const scalarComplaint = (name: string, value: unknown): boolean => {
  if (name === 'Int') return !Number.isInteger(value) || Math.abs(Number(value)) > 2 ** 31;
  if (name === 'Float') return typeof value !== 'number';
  if (name === 'Boolean') return typeof value !== 'boolean';
  if (typeof value !== 'string') return true;
  if (name === 'DateTime') return !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value);
  if (name === 'GitObjectID') return !/^[0-9a-f]{40}$/.test(value);
  return name === 'URI' ? !URL.canParse(value, 'https://github.com') : false;
};

const objectComplaints = (
  type: GraphQLObjectType,
  value: Record<string, unknown>,
  set: SelectionSetNode,
  fragments: Fragments,
  at: string,
): string[] => {
  const wanted = fieldsFor(set, type, fragments);
  const unasked = Object.keys(value).filter((name) => !wanted.has(name));
  const wrong = unasked.map((name) => `${at}.${name} was not asked for`);
  for (const [name, nodes] of wanted) {
    const field = nodes[0]?.name.value ?? '';
    if (!(name in value)) {
      wrong.push(`${at}.${name} is missing`);
      continue;
    }
    if (field === '__typename') {
      if (value[name] !== type.name) wrong.push(`${at}.${name} is not ${type.name}`);
      continue;
    }
    const output = type.getFields()[field]?.type;
    const inner = nodes.flatMap((node) => node.selectionSet?.selections ?? []);
    if (output !== undefined) {
      wrong.push(
        ...valueComplaints(
          output,
          value[name],
          { kind: Kind.SELECTION_SET, selections: inner },
          fragments,
          `${at}.${name}`,
        ),
      );
    }
  }
  return wrong;
};

const valueComplaints = (
  type: GraphQLOutputType,
  value: unknown,
  set: SelectionSetNode,
  fragments: Fragments,
  at: string,
): string[] => {
  if (isNonNullType(type)) {
    return value === null || value === undefined
      ? [`${at} is null`]
      : valueComplaints(type.ofType, value, set, fragments, at);
  }
  if (value === null) return [];
  if (isListType(type)) {
    if (!Array.isArray(value)) return [`${at} is not a list`];
    return value.flatMap((item: unknown, index) =>
      valueComplaints(type.ofType, item, set, fragments, `${at}.${index}`),
    );
  }
  if (isEnumType(type))
    return type.getValue(String(value)) === undefined ? [`${at} is no ${type.name}: ${String(value)}`] : [];
  if (isScalarType(type))
    return scalarComplaint(type.name, value) ? [`${at} is no ${type.name}: ${JSON.stringify(value)}`] : [];
  if (!isRecord(value)) return [`${at} is no object`];
  if (isObjectType(type)) return objectComplaints(type, value, set, fragments, at);
  if (!isAbstractType(type)) return [];
  // Without `__typename` any possible type may be meant: one of them must fit.
  const named = value['__typename'];
  const possible = githubSchema()
    .getPossibleTypes(type)
    .filter((one) => named === undefined || one.name === named);
  if (possible.length === 0) return [`${at} is no ${getNamedType(type).name}: ${String(named)}`];
  let first: string[] | undefined;
  for (const one of possible) {
    const wrong = objectComplaints(one, value, set, fragments, at);
    if (wrong.length === 0) return [];
    if (first === undefined || wrong.length < first.length) first = wrong;
  }
  return first ?? [];
};

const answerComplaints = (operation: OperationDefinitionNode, fragments: Fragments, text: string): string[] => {
  const answer = Answer.safeParse(JSON.parse(text));
  if (!answer.success) return answer.error.issues.map((issue) => `answer ${issue.path.join('.')} ${issue.message}`);
  const { data, errors } = answer.data;
  if (data === undefined && errors === undefined) return ['the answer has neither data nor errors'];
  const wrong = (errors ?? [])
    .filter((error) => error.type === undefined)
    .map((error) => `error without a type: ${error.message}`);
  const root = githubSchema().getRootType(operation.operation);
  if (!isRecord(data) || !root) return wrong;
  return [...wrong, ...objectComplaints(root, data, operation.selectionSet, fragments, 'data')];
};

type Read = { document: DocumentNode; mistakes: readonly string[] };

const read = new Map<string, Read>();

/** The query, parsed and held against the SDL once: the same few queries come again and again. */
const readQuery = (query: string): Read => {
  const known = read.get(query);
  if (known !== undefined) return known;
  const document = parse(query);
  const mistakes = validate(githubSchema(), document).map((error) => `query: ${error.message}`);
  read.set(query, { document, mistakes });
  return { document, mistakes };
};

/** What GitHub's SDL does not allow in this exchange; empty when all is well. */
export const graphqlViolations = (exchange: Exchange): string[] => {
  const { request, response } = exchange;
  if (request.method !== 'POST') return ['GraphQL takes POST only'];
  const asked = Request.strict().safeParse(JSON.parse(request.body));
  if (!asked.success) return asked.error.issues.map((issue) => `request ${issue.path.join('.')} ${issue.message}`);
  const schema = githubSchema();
  const { document, mistakes } = readQuery(asked.data.query);
  if (mistakes.length > 0) return [...mistakes];
  const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) return ['query: no operation'];
  const given = getVariableValues(schema, operation.variableDefinitions ?? [], asked.data.variables ?? {});
  const declared = new Set(operation.variableDefinitions?.map((one) => one.variable.name.value));
  const unknown = Object.keys(asked.data.variables ?? {}).filter((name) => !declared.has(name));
  const wrong = [
    ...(given.errors?.map((error) => `variables: ${error.message}`) ?? []),
    ...unknown.map((name) => `variables: ${name} is not declared`),
  ];
  if (response === null || response.status !== 200) return wrong;
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [],
    ),
  );
  return [...wrong, ...answerComplaints(operation, fragments, response.body)];
};
