import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLObjectType,
  GraphQLOutputType,
  SelectionSetNode,
} from 'graphql';
import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isTypeSubTypeOf,
  Kind,
  typeFromAST,
} from 'graphql';
import { githubSchema } from '../../lib/sandbox/github-graphql.ts';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an object of this type lacks, or has and was not asked for, by the selection; each begins with its place, `at`. */
export const objectComplaints = (
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
  if (name === 'Int') return typeof value !== 'number' || (value | 0) !== value;
  if (name === 'Float') return typeof value !== 'number';
  if (name === 'Boolean') return typeof value !== 'boolean';
  if (typeof value !== 'string') return true;
  if (name === 'DateTime') return !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value);
  if (name === 'GitObjectID') return !/^[0-9a-f]{40}$/.test(value);
  return name === 'URI' ? !URL.canParse(value, 'https://github.com') : false;
};
