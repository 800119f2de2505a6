import type { DocumentNode, FieldNode, FragmentDefinitionNode, SelectionSetNode, ValueNode } from 'graphql';
import { Kind } from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

const argument = (field: FieldNode, name: string, variables: Variables): unknown => {
  const value: ValueNode | undefined = field.arguments?.find((one) => one.name.value === name)?.value;
  if (value === undefined) return undefined;
  if (value.kind === Kind.VARIABLE) return variables[value.name.value];
  if (value.kind === Kind.INT) return Number(value.value);
  return value.kind === Kind.LIST ? value.values : undefined;
};

/**
 * GitHub's price of a query: one request per connection and parent, a hundred requests to the point, at least one.
 * How many a connection asks for counts only for what is inside it. `nodes` is what the query could return at most.
 */
export const costOf = (document: DocumentNode, variables: Variables): { cost: number; nodes: number } => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  let requests = 0;
  let nodes = 0;
  const walk = (set: SelectionSetNode | undefined, parents: number): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        walk(fragments.get(selection.name.value)?.selectionSet, parents);
        continue;
      }
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet, parents);
        continue;
      }
      const bound = argument(selection, 'first', variables) ?? argument(selection, 'last', variables);
      const ids = argument(selection, 'ids', variables);
      if (typeof bound === 'number') {
        requests += parents;
        nodes += parents * bound;
        walk(selection.selectionSet, parents * bound);
      } else if (Array.isArray(ids)) {
        nodes += ids.length;
        walk(selection.selectionSet, parents * ids.length);
      } else walk(selection.selectionSet, parents);
    }
  };
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) walk(definition.selectionSet, 1);
  }
  return { cost: Math.max(1, Math.round(requests / 100)), nodes };
};
