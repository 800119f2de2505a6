import type { Exchange } from '../../lib/sandbox/github-handler.ts';
import { bodyOf, refusalComplaints } from './github-exchange-answer.ts';
import type { KnownOperation } from './github-exchange-openapi.ts';
import { complaintsBy, complaintsByText, operations, schemaNamed } from './github-exchange-openapi.ts';

/** Answers GitHub may give to anything; documented for few operations, and no breach where they are not. */
const generic = new Set([301, 307, 401, 403, 404, 410, 422, 429, 500, 502, 503, 504]);

/**
 * The schema of each event we know, by its name: the document only offers a choice among all of them. Known gaps:
 * - closed, reopened, referenced, transferred and comment_deleted have no schema in the list of events; they are held
 *   against the timeline's state change.
 * - The actor of a deleted account is null, where the document wants a user.
 */
const eventSchemas: Readonly<Record<string, string>> = {
  labeled: 'labeled-issue-event',
  unlabeled: 'unlabeled-issue-event',
  renamed: 'renamed-issue-event',
  locked: 'locked-issue-event',
  unlocked: 'locked-issue-event',
  closed: 'state-change-issue-event',
  reopened: 'state-change-issue-event',
  referenced: 'state-change-issue-event',
  transferred: 'state-change-issue-event',
  comment_deleted: 'state-change-issue-event',
  'cross-referenced': 'timeline-cross-referenced-event',
  commented: 'timeline-comment-event',
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `/repositories/{id}/…` is the same operation as `/repos/{owner}/{repo}/…`. */
const segmentsOf = (pathname: string): string[] => {
  const segments = pathname.split('/').slice(1).map(decodeURIComponent);
  return segments[0] === 'repositories' ? ['repos', 'by-number', ...segments.slice(1)] : segments;
};

// Some parameters take slashes: a ref, a branch, the two ends of a comparison.
const greedy = new Set(['{ref}', '{branch}', '{basehead}']);

const valuesIn = (pattern: readonly string[], path: readonly string[]): Map<string, string> | null => {
  const values = new Map<string, string>();
  let at = 0;
  for (const [index, part] of pattern.entries()) {
    const left = pattern.length - index - 1;
    const take = greedy.has(part) ? path.length - at - left : 1;
    const taken = path.slice(at, at + take);
    if (take < 1 || taken.length < take) return null;
    if (part.startsWith('{')) values.set(part.slice(1, -1), taken.join('/'));
    else if (part !== taken[0]) return null;
    at += take;
  }
  return at === path.length ? values : null;
};

const operationOf = (method: string, path: readonly string[]) => {
  const found = (operations.get(method) ?? []).flatMap((operation) => {
    const values = valuesIn(operation.path, path);
    return values === null ? [] : [{ operation, values }];
  });
  // The pattern with the most fixed parts is meant: `commits/{ref}/status`, not the ref `abc/status`.
  const fixed = (one: KnownOperation): number => one.path.filter((part) => !part.startsWith('{')).length;
  return found.sort((a, b) => fixed(b.operation) - fixed(a.operation))[0];
};

const parameterComplaints = (
  operation: KnownOperation,
  values: ReadonlyMap<string, string>,
  query: URLSearchParams,
): string[] => {
  const wrong: string[] = [];
  for (const parameter of operation.parameters) {
    const value = parameter.in === 'path' ? values.get(parameter.name) : query.get(parameter.name);
    // A part of a path that is left out leaves two slashes, or one at the end.
    if (value === undefined || value === null || (value === '' && parameter.in === 'path')) {
      if (parameter.required && parameter.in !== 'header') wrong.push(`${parameter.in} ${parameter.name} is missing`);
      continue;
    }
    const key = `${operation.id} ${parameter.in} ${parameter.name}`;
    wrong.push(
      ...complaintsByText(key, parameter.schema, value).map((text) => `${parameter.in} ${parameter.name}: ${text}`),
    );
  }
  const known = new Set(operation.parameters.flatMap((one) => (one.in === 'query' ? [one.name] : [])));
  for (const name of new Set(query.keys())) {
    if (!known.has(name)) wrong.push(`query ${name} is not documented`);
    if (query.getAll(name).length > 1) wrong.push(`query ${name} is given twice, of which GitHub takes the last`);
  }
  if (Number(query.get('per_page') ?? 1) > 100) wrong.push('query per_page is above 100, of which GitHub makes 100');
  return wrong;
};

const requestComplaints = (operation: KnownOperation, text: string): string[] => {
  if (text === '') return operation.body?.required ? ['request: the body is missing'] : [];
  if (operation.body === null) return ['request: the operation takes no body'];
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return ['request: the body is not JSON'];
  }
  return complaintsBy(`${operation.id} request`, operation.body.schema, body).map((one) => `request ${one}`);
};

const eventComplaints = (events: readonly unknown[]): string[] =>
  events.flatMap((event, index) => {
    const name = isObject(event) ? event['event'] : undefined;
    const schema = typeof name === 'string' ? eventSchemas[name] : undefined;
    if (schema === undefined) return [`/${index} is an event nobody documented: ${String(name)}`];
    // The document has no word for the actor of a deleted account, which is null.
    const isGhost = isObject(event) && event['actor'] === null;
    return complaintsBy(schema, schemaNamed(schema), event)
      .filter((one) => !(isGhost && one.startsWith('/actor ')))
      .map((one) => `/${index}${one}`);
  });

const isHistory = ({ id }: KnownOperation): boolean =>
  id === 'issues/list-events' || id === 'issues/list-events-for-timeline';

const bodyComplaints = (operation: KnownOperation, status: number, body: unknown): string[] => {
  const schema = operation.responses.get(String(status)) ?? null;
  if (status >= 300) return refusalComplaints(`${operation.id} ${status}`, schema, status, body);
  if (isHistory(operation)) return Array.isArray(body) ? eventComplaints(body) : ['/ is not a list of events'];
  return schema === null
    ? ['has a body where none is documented']
    : complaintsBy(`${operation.id} ${status}`, schema, body);
};

const answerComplaints = (operation: KnownOperation, { request, response }: Exchange): string[] => {
  if (response === null) return [];
  const { status, body: text } = response;
  // Documented or not: whoever asks whether something changed may hear that it did not.
  const isUnchanged = status === 304 && request.method === 'GET' && request.headers['if-none-match'] !== undefined;
  if (isUnchanged) return text === '' ? [] : ['has a body where nothing changed'];
  if (status === 304 || !(operation.responses.has(String(status)) || generic.has(status)))
    return ['status is not documented'];
  if (text === '') return status < 300 && operation.responses.get(String(status)) === null ? [] : ['has no body'];
  const { body, wrong } = bodyOf(response);
  return body === undefined ? [...wrong] : [...wrong, ...bodyComplaints(operation, status, body)];
};

/** What GitHub's OpenAPI document does not allow in this exchange, operation and place first; empty when all is well. */
export const restViolations = (exchange: Exchange): string[] => {
  const { request, response } = exchange;
  const url = new URL(request.path, 'http://github.invalid');
  const found = operationOf(request.method, segmentsOf(url.pathname));
  if (found === undefined) return ['the operation is not in the extract of the document'];
  const { operation, values } = found;
  return [
    ...parameterComplaints(operation, values, url.searchParams),
    ...requestComplaints(operation, request.body),
    ...answerComplaints(operation, exchange).map((one) => `answer ${response?.status} ${one}`),
  ].map((one) => `${operation.id}: ${one}`);
};
