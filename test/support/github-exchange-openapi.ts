import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import * as z from 'zod';

/** A piece of the document, of whatever shape. */
export type Json = z.infer<typeof Json>;
const Json = z.json();
type JsonObject = { [key: string]: Json };

const Parameter = z.object({
  name: z.string(),
  in: z.enum(['query', 'path', 'header']),
  required: z.boolean().default(false),
  schema: z.record(z.string(), Json),
});
const Reference = z.object({ $ref: z.string() });
const Content = z.object({ 'application/json': z.object({ schema: Json }).optional() });
const Response = z.object({ content: Content.optional() });
const Operation = z.object({
  operationId: z.string(),
  parameters: z.array(z.union([Reference, Parameter])).default([]),
  requestBody: z.object({ required: z.boolean().default(false), content: Content }).optional(),
  responses: z.record(z.string(), z.union([Reference, Response])),
});
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({
    schemas: z.record(z.string(), Json),
    parameters: z.record(z.string(), Parameter),
    responses: z.record(z.string(), Response),
  }),
});

/** One operation with its references to parameters and responses followed. `responses` by status. */
export type KnownOperation = {
  id: string;
  path: readonly string[];
  parameters: readonly z.infer<typeof Parameter>[];
  body: { required: boolean; schema: Json } | null;
  responses: ReadonlyMap<string, Json | null>;
};

const document = Document.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'github', 'openapi.json'), 'utf8')),
);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const base = 'https://github.invalid/openapi';
const address = (reference: string, open: boolean): string => {
  const name = reference.split('/').at(-1) ?? '';
  return `${base}#/${open ? 'open' : 'closed'}/${name}`;
};

/**
 * OpenAPI 3.0 as JSON schema 2019: `nullable` becomes a second choice, and every object is closed to properties it
 * does not name. `open` leaves out the closing at this level: the members of an `allOf` are closed by their parent.
 */
const convert = (schema: Json, open = false): Json => {
  if (!isObject(schema)) return schema;
  const { nullable, discriminator: _, ...rest } = schema;
  const converted = convertPlain(rest, open);
  return nullable === true ? { anyOf: [converted, { type: 'null' }] } : converted;
};

const convertAll = (schemas: Json | undefined, open = false): Json[] =>
  Array.isArray(schemas) ? schemas.map((one) => convert(one, open)) : [];

const convertPlain = (schema: JsonObject, open: boolean): Json => {
  const reference = schema['$ref'];
  if (typeof reference === 'string') return { $ref: address(reference, open) };
  const { properties, items, allOf, anyOf, oneOf, additionalProperties, ...rest } = schema;
  const closing = allOf === undefined ? 'additionalProperties' : 'unevaluatedProperties';
  return {
    ...rest,
    ...(isObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, convert(one)])),
    }),
    ...(items !== undefined && { items: convert(items) }),
    ...(allOf !== undefined && { allOf: convertAll(allOf, true) }),
    ...(anyOf !== undefined && { anyOf: convertAll(anyOf) }),
    ...(oneOf !== undefined && { oneOf: convertAll(oneOf) }),
    ...(additionalProperties !== undefined && { additionalProperties: convert(additionalProperties) }),
    ...((isObject(properties) || allOf !== undefined) &&
      additionalProperties === undefined &&
      !open && { [closing]: false }),
  };
};

const schemas = Object.entries(document.components.schemas);
const ajv = new Ajv2019({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({
  $id: base,
  closed: Object.fromEntries(schemas.map(([name, schema]) => [name, convert(schema)])),
  open: Object.fromEntries(schemas.map(([name, schema]) => [name, convert(schema, true)])),
});

const coercing = new Ajv2019({ strict: false, coerceTypes: true });
addFormats.default(coercing);

const compiled = new Map<string, ValidateFunction>();

const complaints = (validate: ValidateFunction, value: unknown): string[] => {
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => {
    const detail = Object.values(error.params)
      .map((one) => JSON.stringify(one))
      .join(' ');
    return `${error.instancePath || '/'} ${error.message ?? 'is wrong'} ${detail}`;
  });
};

/** What is wrong with the value by this schema of the document; compiled on first use, under `key`. */
export const complaintsBy = (key: string, schema: Json, value: unknown): string[] => {
  const known = compiled.get(key) ?? ajv.compile(convert(schema) as object);
  compiled.set(key, known);
  return complaints(known, value);
};

/** The same for a text from a path or a query, which may stand for a number or a boolean. */
export const complaintsByText = (key: string, schema: Json, text: string): string[] => {
  const wrapped = { type: 'object', properties: { value: schema } };
  const known = compiled.get(key) ?? coercing.compile(wrapped);
  compiled.set(key, known);
  return complaints(known, { value: text });
};

/** A schema by its name in the document. */
export const schemaNamed = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

const schemaIn = (response: z.infer<typeof Response>): Json | null =>
  response.content?.['application/json']?.schema ?? null;

const follow = <T>(value: z.infer<typeof Reference> | T, section: Record<string, T>): T => {
  const reference = Reference.safeParse(value);
  if (!reference.success) return value as T;
  const found = section[reference.data.$ref.split('/').at(-1) ?? ''];
  if (found === undefined) throw new Error(`the extract lacks ${reference.data.$ref}`);
  return found;
};

/** Every operation of the extract, by method. */
export const operations: ReadonlyMap<string, readonly KnownOperation[]> = Map.groupBy(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      id: operation.operationId,
      path: path.split('/').slice(1),
      parameters: operation.parameters.map((one) => follow(one, document.components.parameters)),
      body:
        (operation.requestBody && {
          required: operation.requestBody.required,
          schema: operation.requestBody.content['application/json']?.schema ?? {},
        }) ||
        null,
      responses: new Map(
        Object.entries(operation.responses).map(([status, response]) => [
          status,
          schemaIn(follow(response, document.components.responses)),
        ]),
      ),
    })),
  ),
  (operation) => operation.method,
);
