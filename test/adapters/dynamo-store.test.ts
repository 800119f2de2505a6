import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import type { Item } from '../../lib/core/record.ts';
import { EndedRun } from '../../lib/core/run.ts';
import { type EmbeddedDynamo, embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import type { Store, Stored } from '../../lib/ports.ts';
import { storeContract } from '../contract/store-contract.ts';
import { oneFromSchema } from '../support/from-schema.ts';
import { type Answer, answers, drops, hangs, loopback, stalls } from '../support/loopback.ts';

const freshDynamo = async (): Promise<EmbeddedDynamo> => {
  const dynamo = await embeddedDynamo();
  onTestFinished(dynamo.close);
  return dynamo;
};

const clientOf = (endpoint: string) => {
  const client = dynamoClient({ endpoint, ...localAws });
  onTestFinished(() => client.destroy());
  return client;
};

storeContract('the store on DynamoDB', async () => {
  const { endpoint, table } = await freshDynamo();
  const client = clientOf(endpoint);
  return {
    invocation: (writer) => dynamoStore({ client, table, writer }),
    plant: async (row) => {
      await client.send(new PutCommand({ TableName: table, Item: { pk: 'now', ...row } }));
    },
    history: async ({ repo }) => {
      const query = new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `history#${repo.host}#${repo.id}` },
        ScanIndexForward: false,
      });
      return ((await client.send(query)).Items ?? []).map((row) => row['data']);
    },
  };
});

/** A table behind a small proxy. `before` may answer in the table's stead; `after` may spoil an answer on its way back. */
const behindProxy = async () => {
  const { endpoint, table } = await freshDynamo();
  const faults: { before: Answer[]; after: Answer[] } = { before: [], after: [] };
  const proxy = await loopback(async (response, request) => {
    const before = faults.before.shift();
    if (before) return before(response, request);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name)),
    ) as Record<string, string>;
    const answer = await fetch(endpoint, { method: 'POST', headers, body: request.body });
    const body = await answer.text();
    const after = faults.after.shift();
    if (after) return after(response, request);
    return response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body);
  });
  const store = dynamoStore({ client: clientOf(proxy.url), table, writer: 'poller-1' });
  const plain = dynamoStore({ client: clientOf(endpoint), table, writer: 'other' });
  const operations = () => proxy.received.map(({ headers }) => String(headers['x-amz-target']).split('.')[1]);
  return { store, plain, faults, operations, proxy };
};

const aLease = (by: string): Item => ({ kind: 'lease', by, until: 1000 });
const text = { title: 't', body: 'b', hash: 'h' };
const ended = oneFromSchema(EndedRun);
const anEnded: EndedRun = { ...ended, claimedAt: 1000 };
const cutInTheMiddle: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '40' });
  response.write('{"Attr', () => response.socket?.destroy());
};

describe('a write whose answer was lost', () => {
  // Each prepares on a table without faults, then asks once through the proxy.
  const asks: readonly (readonly [string, (store: Store, plain: Store) => Promise<() => Promise<unknown>>, unknown])[] =
    [
      ['insert', async (store) => () => store.insert(aLease('a')), { item: aLease('a'), rev: expect.any(Number) }],
      [
        'replace',
        async (store, plain) => {
          const from = (await plain.insert(aLease('a'))) as Stored;
          return () => store.replace(from, aLease('b'));
        },
        { item: aLease('b'), rev: expect.any(Number) },
      ],
      [
        'remove',
        async (store, plain) => {
          const from = (await plain.insert(aLease('a'))) as Stored;
          return () => store.remove(from);
        },
        'removed',
      ],
      ['countRun', async (store) => () => store.countRun('2026-01-05', 1), 'counted'],
      ['keepText', async (store) => () => store.keepText('run-1', text), undefined],
      ['keepHistory', async (store) => () => store.keepHistory(anEnded), undefined],
    ];

  for (const [name, prepare, expected] of asks) {
    for (const [how, spoiled] of [
      ['dropped', drops],
      ['cut in the middle', cutInTheMiddle],
    ] as const) {
      test(`${name}: took hold at the first attempt, its answer ${how}, counts as done`, async () => {
        const { store, plain, faults } = await behindProxy();
        const ask = await prepare(store, plain);
        faults.after.push(spoiled);
        expect(await ask()).toEqual(expected);
      });

      test(`${name}: took hold, both answers ${how}, counts as done`, async () => {
        const { store, plain, faults } = await behindProxy();
        const ask = await prepare(store, plain);
        faults.after.push(spoiled, spoiled);
        expect(await ask()).toEqual(expected);
      });
    }
  }

  test('a run is counted once, though the request was sent twice', async () => {
    const { store, plain, faults, operations } = await behindProxy();
    faults.after.push(drops);
    expect(await store.countRun('2026-01-05', 9)).toBe('counted');
    expect(operations().filter((operation) => operation === 'UpdateItem')).toHaveLength(2);
    expect((await plain.read('day#2026-01-05'))?.item).toMatchObject({ runs: 1 });
  });

  test('is not claimed as done where another invocation wrote meanwhile', async () => {
    const { store, plain, faults } = await behindProxy();
    const from = (await plain.insert(aLease('a'))) as Stored;
    faults.before.push(async (response) => {
      await plain.replace(from, aLease('b'));
      response.socket?.destroy();
    });
    expect(await store.replace(from, aLease('b'))).toBe('lost');
  });

  test('is an outage, not a loss, where nothing can be read back', async () => {
    const { store, faults } = await behindProxy();
    faults.after.push(drops, drops, drops, drops);
    await expect(store.insert(aLease('a'))).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('what DynamoDB refuses', () => {
  const error = (status: number, type: string) =>
    answers(
      status,
      JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'a secret quoted' }),
      {
        'content-type': 'application/x-amz-json-1.0',
      },
    );

  test.each([
    ['throttling', error(400, 'ThrottlingException'), 'unavailable'],
    ['too much for the table', error(400, 'ProvisionedThroughputExceededException'), 'unavailable'],
    ['a fault of its own', error(500, 'InternalServerError'), 'unavailable'],
    ['no answer', drops, 'unavailable'],
    ['a page of HTML', answers(200, '<html>', { 'content-type': 'text/html' }), 'unavailable'],
    ['cut JSON', answers(200, '{"Items":[{"pk"'), 'unavailable'],
    ['missing permission', error(400, 'AccessDeniedException'), 'unauthorised'],
    ['an expired token', error(400, 'ExpiredTokenException'), 'unauthorised'],
    ['a wrong signature', error(400, 'InvalidSignatureException'), 'unauthorised'],
    ['a request that is not valid', error(400, 'ValidationException'), 'refused'],
    ['a table that is not there', error(400, 'ResourceNotFoundException'), 'refused'],
  ] as const)('%s is a port error of the right kind, for reads and writes', async (_, fault, kind) => {
    const { store, faults } = await behindProxy();
    for (const ask of [() => store.readNow(), () => store.insert(aLease('a'))]) {
      faults.before = Array.from({ length: 6 }, () => fault);
      await expect(ask()).rejects.toMatchObject({ name: 'PortError', kind });
    }
  });

  test('an error about credentials is not quoted, for it may quote them', async () => {
    const { store, faults } = await behindProxy();
    faults.before = Array.from({ length: 6 }, () => error(400, 'InvalidSignatureException'));
    await expect(store.readNow()).rejects.toThrow(/^(?!.*secret).*InvalidSignature/);
  });

  test('a table that hangs, or stalls in mid-body, is given up within three seconds', async () => {
    const faults = [hangs, stalls({ 'content-type': 'application/x-amz-json-1.0' })];
    const startedAt = performance.now();
    await Promise.all(
      faults.map(async (fault) => {
        const { store, faults } = await behindProxy();
        faults.before = [fault, fault, fault, fault];
        await expect(store.readNow()).rejects.toMatchObject({ kind: 'unavailable' });
      }),
    );
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});

describe('the store on DynamoDB', () => {
  let dynamo: EmbeddedDynamo;
  beforeAll(async () => {
    dynamo = await embeddedDynamo();
  });
  afterAll(() => dynamo.close());

  test('needs no permission but for single reads and writes and the query, and reads consistently', async () => {
    const { store, operations, proxy } = await behindProxy();
    const lease = (await store.insert(aLease('a'))) as Stored;
    await store.insert(aLease('b'));
    await store.remove((await store.replace(lease, aLease('c'))) as Stored);
    await store.countRun('2026-01-05', 1);
    await store.countRun('2026-01-05', 1);
    await store.keepText('run-1', text);
    await store.textOf('run-1');
    await store.keepHistory(anEnded);
    await store.readNow();
    expect(new Set(operations())).toEqual(new Set(['DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem']));
    for (const { body } of proxy.received) {
      const asked = JSON.parse(body);
      expect(asked.ConsistentRead === true || asked.ConditionExpression !== undefined, body).toBe(true);
    }
  });

  test('a quiet read is one request', async () => {
    const { store, operations } = await behindProxy();
    await store.readNow();
    expect(operations()).toEqual(['Query']);
  });

  test('a value that no number of ours can hold makes its own item unreadable and no other', async () => {
    const store = dynamoStore({ client: clientOf(dynamo.endpoint), table: dynamo.table, writer: 'w' });
    const raw = new DynamoDBClient({ endpoint: dynamo.endpoint, ...localAws });
    onTestFinished(() => raw.destroy());
    const sweep = { kind: { S: 'sweep' }, at: { N: '12345678901234567890.5' } };
    const row = { pk: { S: 'now' }, sk: { S: 'sweep' }, v: { N: '1' }, rev: { N: '1' }, writer: { S: 'x' } };
    await raw.send(new PutItemCommand({ TableName: dynamo.table, Item: { ...row, data: { M: sweep } } }));
    const blob = { ...row, sk: { S: 'breaker' }, data: { B: new Uint8Array([1]) } };
    await raw.send(new PutItemCommand({ TableName: dynamo.table, Item: blob }));
    await store.insert(aLease('a'));
    const { items, unreadable } = await store.readNow();
    expect(items.map(({ item }) => item)).toEqual([aLease('a')]);
    expect(unreadable.map(({ key }) => key)).toEqual(['breaker', 'sweep']);
  });
});
