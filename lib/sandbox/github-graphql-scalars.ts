import type { GraphQLScalarType, GraphQLSchema } from 'graphql';
import { isScalarType, isSpecifiedScalarType, valueFromASTUntyped } from 'graphql';

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** What a text must look like to be one of these; of GitHub's other scalars any text is one. */
const looks: Readonly<Record<string, RegExp>> = {
  BigInt: /^-?\d+$/,
  Date: /^\d{4}-\d\d-\d\d$/,
  DateTime: instant,
  GitObjectID: /^[0-9a-f]{40}$/,
  GitTimestamp: instant,
  PreciseDateTime: instant,
  URI: /^[a-z][a-z\d+.-]*:\S+$/i,
};

const readBy =
  ({ name }: GraphQLScalarType) =>
  (value: unknown): unknown => {
    if (typeof value === 'string' && (looks[name]?.test(value) ?? true)) return value;
    // A plain error: graphql-js adds the place it was found at.
    throw new Error(`${name} cannot represent ${JSON.stringify(value)}`);
  };

/**
 * GitHub's own scalars as strict in arguments and variables as GitHub's built-in ones are: the SDL only names them, and
 * a schema built of it takes anything for an instant or a commit. Changes the schema it is given, and returns it.
 */
export const withScalars = (schema: GraphQLSchema): GraphQLSchema => {
  for (const type of Object.values(schema.getTypeMap())) {
    // The value of a custom property is a text or a list of them.
    if (!isScalarType(type) || isSpecifiedScalarType(type) || type.name === 'CustomPropertyValue') continue;
    const readIn = readBy(type);
    type.parseValue = readIn;
    type.parseLiteral = (node, variables) => readIn(valueFromASTUntyped(node, variables));
  }
  return schema;
};
