import type { HttpResponse } from '../../lib/sandbox/github-handler.ts';
import { complaintsBy, type Json, schemaNamed } from './github-exchange-openapi.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body that an answer of GitHub's must have: JSON, and said to be JSON. */
export const bodyOf = ({ headers, body }: HttpResponse): { body: unknown; wrong: readonly string[] } => {
  const type = headers['content-type'];
  const wrong = /^application\/json(?:;|$)/.test(type ?? '') ? [] : [`content-type is not JSON: ${type ?? 'none'}`];
  try {
    return { body: JSON.parse(body), wrong };
  } catch {
    return { body: undefined, wrong: [...wrong, 'is not JSON'] };
  }
};

/**
 * What is wrong with the body of a refusal, by the document's schema for it where there is one. Every such body carries
 * its status as a text, which some of the documented ones do not have.
 */
export const refusalComplaints = (key: string, schema: Json | null, status: number, body: unknown): string[] => {
  if (!isObject(body)) return ['/ is not an error body'];
  const { status: said = String(status), ...known } = body;
  return [
    ...(said === String(status) ? [] : [`/status is not "${status}"`]),
    // The document asks for none of them, and GitHub always says what it refuses.
    ...(typeof known['message'] === 'string' ? [] : ['/message is no text']),
    ...complaintsBy(schema === null ? 'basic-error' : key, schema ?? schemaNamed('basic-error'), known),
  ];
};
