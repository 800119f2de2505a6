import type { Exchange } from '../../lib/sandbox/github-handler.ts';
import type { Json, KnownOperation } from './github-exchange-openapi.ts';
import { complaintsBy, complaintsByText, operations, schemaNamed } from './github-exchange-openapi.ts';

/** Answers GitHub may give to anything; documented for few operations, and no breach where they are not. */
const generic = new Set([301, 304, 307, 401, 403, 404, 410, 422, 429, 500, 502, 503, 504]);

/**
 * The schema of each event we know, by its name: the document only offers a choice among all of them. Known gaps:
 * - closed, reopened, referenced, transferred and comment_deleted have no schema in the list of events; they are held
 *   against the timeline's state change.
 * - The actor of a deleted account is null, where the document wants a user.
 * - Every error body carries its `status` as a text, where some of the documented ones do not.
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
    if (value === undefined || value === null) {
      if (parameter.required && parameter.in === 'query') wrong.push(`query ${parameter.name} is missing`);
      continue;
    }
    const key = `${operation.id} ${parameter.in} ${parameter.name}`;
    wrong.push(
      ...complaintsByText(key, parameter.schema, value).map((text) => `${parameter.in} ${parameter.name}: ${text}`),
    );
  }
  const known = new Set(operation.parameters.flatMap((one) => (one.in === 'query' ? [one.name] : [])));
  for (const name of query.keys()) if (!known.has(name)) wrong.push(`query ${name} is not documented`);
  if (Number(query.get('per_page') ?? 1) > 100) wrong.push('query per_page is above 100, of which GitHub makes 100');
  return wrong;
};

const requestComplaints = (operation: KnownOperation, text: string): string[] => {
  if (text === '') return operation.body?.required ? ['the request body is missing'] : [];
  if (operation.body === null) return ['the operation takes no request body'];
  return complaintsBy(`${operation.id} request`, operation.body.schema, JSON.parse(text)).map(
    (one) => `request ${one}`,
  );
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

const bodyComplaints = (operation: KnownOperation, status: number, body: unknown): string[] => {
  const isHistory = operation.id === 'issues/list-events' || operation.id === 'issues/list-events-for-timeline';
  if (isHistory && status === 200) return Array.isArray(body) ? eventComplaints(body) : ['/ is not a list of events'];
  const documented: Json | null | undefined = operation.responses.get(String(status));
  if (status < 400) return documented ? complaintsBy(`${operation.id} ${status}`, documented, body) : [];
  const { status: _, ...known } = isObject(body) ? body : {};
  const name = documented ? `${operation.id} ${status}` : 'basic-error';
  return isObject(body)
    ? complaintsBy(name, documented ?? schemaNamed('basic-error'), known)
    : ['/ is not an error body'];
};

/** What GitHub's OpenAPI document does not allow in this exchange; empty when all is well. */
export const restViolations = (exchange: Exchange): string[] => {
  const { request, response } = exchange;
  const url = new URL(request.path, 'http://github.invalid');
  const found = operationOf(request.method, segmentsOf(url.pathname));
  if (found === undefined) return ['the operation is not in the extract of the document'];
  const { operation, values } = found;
  const wrong = [
    ...parameterComplaints(operation, values, url.searchParams),
    ...requestComplaints(operation, request.body),
  ];
  if (response === null) return wrong;
  if (!operation.responses.has(String(response.status)) && !generic.has(response.status)) {
    return [...wrong, `status ${response.status} is not documented`];
  }
  if (response.body === '') {
    const none = response.status === 304 || response.status === 204;
    return none ? wrong : [...wrong, 'the answer has no body'];
  }
  const body: unknown = JSON.parse(response.body);
  return [...wrong, ...bodyComplaints(operation, response.status, body).map((one) => `answer ${one}`)];
};
