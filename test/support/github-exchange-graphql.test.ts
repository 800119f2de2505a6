import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../lib/sandbox/github-handler.ts';
import { recorder, type Seeded, withAnswer, withRequest, withResponse } from './github-exchange-kit.ts';
import { violationsOf } from './github-exchange-validator.ts';
import { detailQuery, scanQuery, startMutation, watchQuery } from './github-tour-queries.ts';

const { repo, last, ask } = recorder();
const issueId = repo.issues.get(1)!.nodeId;
const labelId = [...repo.labels.values()][0]!.nodeId;
const graphql = (query: string, variables: object, headers = {}): Exchange =>
  ask('POST', '/graphql', { query, variables }, headers);
const watched = { owner: 'acme', repo: 'app', oid: last.after, number: 1, environments: null };

const good = {
  scan: graphql(scanQuery, { ids: [repo.nodeId] }),
  holes: graphql(scanQuery, { ids: [repo.nodeId, 'R_gone'] }),
  detail: graphql(detailQuery, { ids: [issueId] }),
  watch: graphql(watchQuery, watched),
  start: graphql(startMutation, { issue: issueId, add: [labelId], body: 'Working on it.' }),
  nobody: graphql(scanQuery, { ids: [] }, { authorization: 'token of-nobody' }),
  unnamed: graphql('{ viewer { __typename login } rateLimit { cost } }', {}),
};

const querying = (query: string, variables: object = {}): Exchange => withRequest(good.unnamed, { query, variables });
const scanning = (variables: object): Exchange => withRequest(good.scan, { query: scanQuery, variables });

const asked: readonly Seeded[] = [
  [
    'a method other than POST',
    { ...good.scan, request: { ...good.scan.request, method: 'GET' } },
    'GraphQL takes POST',
  ],
  ['a query that is not GraphQL', querying('SELECT 1'), 'POST /graphql: Syntax Error: Unexpected Name "SELECT"'],
  ['a request without a query', withRequest(good.scan, { variables: {} }), 'POST /graphql: request query:'],
  [
    'a request property GraphQL does not know',
    withRequest(good.scan, { query: scanQuery, vars: {} }),
    'POST /graphql: request : Unrecognized key: "vars"',
  ],
  [
    'two operations, of which none is named',
    querying('query A { viewer { login } } query B { viewer { id } }'),
    'request operationName: 2 operations',
  ],
  [
    'a field the SDL lacks',
    querying('query Me { viewer { shoeSize } }'),
    'query Me: query 1:21: Cannot query field "shoeSize" on type "User"',
  ],
  [
    'an argument the SDL lacks',
    querying('{ viewer(login: "x") { login } }'),
    'query of viewer: query 1:10: Unknown argument "login"',
  ],
  [
    'an argument of the wrong type',
    querying('{ repository(owner: "acme", name: 7) { id } }'),
    'query of repository: query 1:35: String cannot represent a non string value: 7',
  ],
  [
    'an argument that is no instant',
    querying(
      '{ repository(owner: "a", name: "b") { issues(first: 1, filterBy: { since: "yesterday" }) { totalCount } } }',
    ),
    'query of repository: query 1:75: Expected value of type "DateTime", found "yesterday"',
  ],
  [
    'an argument outside its enum',
    querying('{ repository(owner: "a", name: "b") { issues(first: 1, states: [OPENED]) { totalCount } } }'),
    'query of repository: query 1:65: Value "OPENED" does not exist in "IssueState" enum',
  ],
  [
    'a missing required argument',
    querying('{ repository(owner: "acme") { id } }'),
    'query of repository: query 1:3: Field "repository" argument "name" of type "String!" is required',
  ],
  [
    'a missing field of an input object',
    querying('mutation Say { addComment(input: { subjectId: "I_1" }) { clientMutationId } }'),
    'mutation Say: query 1:34: Field "AddCommentInput.body" of required type "String!" was not provided',
  ],
  [
    'a field without the selection it needs',
    querying('{ viewer }'),
    'query of viewer: query 1:3: Field "viewer" of type "User!" must have a selection',
  ],
  [
    'a fragment on a type that cannot be there',
    querying('{ viewer { ... on Issue { id } } }'),
    'query of viewer: query 1:12: Fragment cannot be spread here',
  ],
  [
    'a variable that is used and not declared',
    querying('query Look { node(id: $id) { id } }', { id: 'x' }),
    'query Look: query 1:23: Variable "$id" is not defined',
  ],
  [
    'a variable declared with a type that does not fit',
    querying('query Look($id: Int!) { node(id: $id) { id } }', { id: 1 }),
    'query Look: query 1:12: Variable "$id" of type "Int!" used in position expecting type "ID!"',
  ],
  [
    'a missing variable',
    scanning({}),
    'query Scan: variables: Variable "$ids" of required type "[ID!]!" was not provided',
  ],
  [
    'a variable of the wrong type',
    scanning({ ids: [{}] }),
    'query Scan: variables: Variable "$ids" got invalid value {} at "ids[0]"; ID cannot represent',
  ],
  [
    'a variable that is no commit',
    withRequest(good.watch, { query: watchQuery, variables: { ...watched, oid: 'main' } }),
    'query Watch: variables: Variable "$oid" got invalid value "main"; Expected type "GitObjectID". GitObjectID cannot represent',
  ],
  ['a variable nobody declared', scanning({ ids: ['a'], label: 'x' }), 'query Scan: variables: $label is not declared'],
];

const answered: readonly Seeded[] = [
  [
    'a status GraphQL does not have',
    withResponse(good.scan, { status: 201 }),
    'query Scan: answer 201 status is not one of GraphQL',
  ],
  [
    'a page where JSON belongs',
    withResponse(good.scan, { headers: { 'content-type': 'text/html' } }),
    'query Scan: answer 200 content-type is not JSON: text/html',
  ],
  ['an answer that is no JSON', withResponse(good.scan, { body: '{' }), 'query Scan: answer 200 is not JSON'],
  [
    'a refusal that does not say why',
    withAnswer(good.nobody, (body) => delete body.message),
    'query Scan: answer 401 /message is no text',
  ],
  [
    'a selected field that is missing',
    withAnswer(good.scan, (body) => delete body.data.nodes[0].isArchived),
    'query Scan: answer 200 data.nodes.0.isArchived is missing',
  ],
  [
    'a field that was not selected',
    withAnswer(good.scan, (body) => (body.data.nodes[0].url = 'https://x')),
    'query Scan: answer 200 data.nodes.0.url was not asked for',
  ],
  [
    'null for a field that is never null',
    withAnswer(good.scan, (body) => (body.data.nodes[0].nameWithOwner = null)),
    'query Scan: answer 200 data.nodes.0.nameWithOwner is null',
  ],
  [
    'null in a list that holds none',
    withAnswer(
      good.watch,
      (body) => (body.data.repository.object.statusCheckRollup.contexts.checkRunCountsByState = [null]),
    ),
    'query Watch: answer 200 data.repository.object.statusCheckRollup.contexts.checkRunCountsByState.0 is null',
  ],
  [
    'a value outside its enum',
    withAnswer(good.scan, (body) => (body.data.nodes[0].viewerPermission = 'push')),
    'query Scan: answer 200 data.nodes.0.viewerPermission is no RepositoryPermission: push',
  ],
  [
    'a text where a number belongs',
    withAnswer(good.unnamed, (body) => (body.data.rateLimit.cost = '1')),
    'query of viewer, rateLimit: answer 200 data.rateLimit.cost is no Int: "1"',
  ],
  [
    'a number beyond what an Int holds',
    withAnswer(good.detail, (body) => (body.data.nodes[0].databaseId = 2 ** 31)),
    'query Detail: answer 200 data.nodes.0.databaseId is no Int: 2147483648',
  ],
  [
    'a number where a text belongs',
    withAnswer(good.detail, (body) => (body.data.nodes[0].title = 7)),
    'query Detail: answer 200 data.nodes.0.title is no String: 7',
  ],
  [
    'a text where yes or no belongs',
    withAnswer(good.detail, (body) => (body.data.nodes[0].locked = 'false')),
    'query Detail: answer 200 data.nodes.0.locked is no Boolean: "false"',
  ],
  [
    'an instant that is none',
    withAnswer(good.scan, (body) => (body.data.rateLimit.resetAt = 1700000000)),
    'query Scan: answer 200 data.rateLimit.resetAt is no DateTime: 1700000000',
  ],
  [
    'a commit that is none',
    withAnswer(good.watch, (body) => (body.data.repository.object.oid = 'main')),
    'query Watch: answer 200 data.repository.object.oid is no GitObjectID: "main"',
  ],
  [
    'an object where a list belongs',
    withAnswer(good.scan, (body) => (body.data.nodes[0].issues.nodes = {})),
    'query Scan: answer 200 data.nodes.0.issues.nodes is not a list',
  ],
  [
    'a list where an object belongs',
    withAnswer(good.scan, (body) => (body.data.rateLimit = [body.data.rateLimit])),
    'query Scan: answer 200 data.rateLimit is no object',
  ],
  [
    'a type the SDL lacks',
    withAnswer(good.scan, (body) => (body.data.nodes[0].__typename = 'Repo')),
    'query Scan: answer 200 data.nodes.0 is no Node: Repo',
  ],
  [
    'a type that is not what the object is',
    withAnswer(good.detail, (body) => (body.data.nodes[0].__typename = 'PullRequest')),
    'query Detail: answer 200 data.nodes.0.id was not asked for',
  ],
  [
    'a type other than the one there is',
    withAnswer(good.unnamed, (body) => (body.data.viewer.__typename = 'Bot')),
    'query of viewer, rateLimit: answer 200 data.viewer.__typename is not User',
  ],
  [
    'a type the field cannot have',
    withAnswer(good.detail, (body) => (body.data.nodes[0].author.__typename = 'Team')),
    'query Detail: answer 200 data.nodes.0.author is no Actor: Team',
  ],
  [
    'a payload that a mutation does not have',
    withAnswer(good.start, (body) => (body.data.comment = true)),
    'mutation Start: answer 200 data.comment is no object',
  ],
  [
    'an error without words',
    withAnswer(good.holes, (body) => delete body.errors[0].message),
    'query Scan: answer 200 errors.0.message:',
  ],
  [
    'an error without GitHub’s type',
    withAnswer(good.holes, (body) => delete body.errors[0].type),
    'query Scan: answer 200 errors.0 has no type',
  ],
  [
    'an undocumented property of an error',
    withAnswer(good.holes, (body) => (body.errors[0].hint = 404)),
    'query Scan: answer 200 errors.0: Unrecognized key: "hint"',
  ],
  [
    'an error about what is there',
    withAnswer(good.holes, (body) => (body.errors[0].path = ['nodes', 0])),
    'query Scan: answer 200 errors.0.path leads to what is there: nodes.0',
  ],
  [
    'an error about what was not asked',
    withAnswer(good.holes, (body) => (body.errors[0].path = ['viewer'])),
    'query Scan: answer 200 errors.0.path leads nowhere: viewer',
  ],
  [
    'a list of errors that holds none',
    withAnswer(good.scan, (body) => (body.errors = [])),
    'query Scan: answer 200 errors: Too small',
  ],
  [
    'an undocumented property of the answer',
    withAnswer(good.scan, (body) => (body.extensions = {})),
    'query Scan: answer 200 : Unrecognized key: "extensions"',
  ],
  [
    'neither data nor errors',
    withAnswer(good.scan, (body) => (body.data = null)),
    'query Scan: answer 200 has neither data nor errors',
  ],
];

test.each(Object.entries(good))('an exchange as GitHub has it is not complained of: %s', (_, exchange) => {
  expect(violationsOf(exchange)).toEqual([]);
});

test('the exchanges above are what they are named for', () => {
  const statuses = Object.values(good).map(({ response }) => response!.status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 401, 200]);
  expect(Object.values(good).map(({ response }) => response!.body.includes('"errors"'))).toEqual(
    Object.keys(good).map((name) => name === 'holes'),
  );
});

describe('every fault in what GitHub is asked is named by its operation and place', () => {
  test.each(asked)('%s', (_, exchange, names) => {
    expect(violationsOf(exchange)).toContainEqual(expect.stringContaining(names));
  });
});

describe('every fault in what GitHub answers is named by its operation and place', () => {
  test.each(answered)('%s', (_, exchange, names) => {
    expect(violationsOf(exchange)).toContainEqual(expect.stringContaining(names));
  });
});
