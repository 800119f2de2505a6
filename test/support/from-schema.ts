import fc from 'fast-check';
import * as z from 'zod';

/**
 * Values that a schema accepts, of every branch it has, so that a field added later is generated without a change
 * here. Knows the kinds of schema that records are made of and throws for any other.
 */
export const fromSchema = <S extends z.ZodType>(schema: S): fc.Arbitrary<z.infer<S>> =>
  // The walk below builds what the schema describes; the compiler cannot follow it there.
  arbitraryOf(schema) as fc.Arbitrary<z.infer<S>>;

/** One such value, always the same for the same seed. */
export const oneFromSchema = <S extends z.ZodType>(schema: S, seed = 1): z.infer<S> =>
  fc.sample(fromSchema(schema), { seed, numRuns: 1 })[0]!;

const arbitraryOf = (schema: unknown): fc.Arbitrary<unknown> => {
  if (schema instanceof z.ZodObject) {
    return fc.record(
      Object.fromEntries(Object.entries(schema.shape).map(([name, field]) => [name, arbitraryOf(field)])),
      { noNullPrototype: true },
    );
  }
  if (schema instanceof z.ZodDiscriminatedUnion) return fc.oneof(...schema.options.map(arbitraryOf));
  // What is read always has the field, given or by default.
  if (schema instanceof z.ZodDefault) return arbitraryOf(schema.unwrap());
  if (schema instanceof z.ZodNullable) return fc.option(arbitraryOf(schema.unwrap()));
  if (schema instanceof z.ZodArray) return fc.array(arbitraryOf(schema.element), { maxLength: 2 });
  if (schema instanceof z.ZodRecord)
    return fc.dictionary(text, arbitraryOf(schema.valueType), { maxKeys: 3, noNullPrototype: true });
  if (schema instanceof z.ZodLiteral || schema instanceof z.ZodEnum) {
    return fc.constantFrom(...(schema instanceof z.ZodEnum ? schema.options : schema.values));
  }
  if (schema instanceof z.ZodBoolean) return fc.boolean();
  if (schema instanceof z.ZodNumber) return numberOf(schema);
  if (schema instanceof z.ZodString) return stringOf(schema);
  if (schema instanceof z.ZodDefault) return arbitraryOf(schema.unwrap() as z.ZodType);
  throw new Error(`no generator for ${String(schema)}`);
};

const numberOf = (schema: z.ZodNumber) =>
  fc.integer({
    min: limit(schema, 'greater_than') ?? Number.MIN_SAFE_INTEGER,
    max: limit(schema, 'less_than') ?? Number.MAX_SAFE_INTEGER,
  });

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 12 }));

const stringOf = (schema: z.ZodString): fc.Arbitrary<string> => {
  const pattern = checksOf(schema).find((check) => check.pattern !== undefined)?.pattern;
  return pattern === undefined ? text : fc.stringMatching(pattern);
};

const limit = (schema: z.ZodNumber, kind: string) => checksOf(schema).find(({ check }) => check === kind)?.value;

const Check = z.object({ check: z.string(), pattern: z.instanceof(RegExp).optional(), value: z.number().optional() });
const checksOf = (schema: z.ZodNumber | z.ZodString) =>
  (schema.def.checks ?? []).map((check) => Check.parse(check._zod.def));
