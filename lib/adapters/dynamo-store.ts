import { isDeepStrictEqual } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type Item, keyOf } from '../core/record.ts';
import { EndedRun } from '../core/run.ts';
import { type FrozenText, PortError, type Store, type Stored, type Unreadable } from '../ports.ts';
import { awsFailureOf, mayHaveTakenHold } from './aws-error.ts';
import {
  firstRev,
  itemOf,
  nowPartition,
  type Row,
  requireSameKey,
  rowOf,
  schemaVersion,
  wireOf,
} from './stored-item.ts';

export type DynamoStoreOptions = {
  client: DynamoDBDocumentClient;
  table: string;
  /** Names this invocation; no other may write under the same name at the same time. */
  writer: string;
};

/**
 * The store on one DynamoDB table with string keys `pk` and `sk`; items in partition `now`, texts in `text` by run id,
 * the history of a repo in `history#<host>#<repo id>` by the time of the claim. Single conditional writes, no
 * transaction, no scan. Throws `PortError`s only; `unavailable` leaves open whether a write took hold.
 */
export const dynamoStore = ({ client, table, writer }: DynamoStoreOptions): Store => {
  let writes = 0;
  // Each write has a name of its own, so that two alike from one invocation are not taken for one another.
  const nameOfWrite = () => `${writer}/${++writes}`;

  const get = async (pk: string, sk: string): Promise<unknown> => {
    const command = new GetCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true });
    const answer = await asked('GetItem', () => client.send(command, { abortSignal: deadline() }));
    return answer.Item;
  };

  /** Performs a conditional write; `tookHold` rules on the row that is found where the answer does not tell. */
  const write = async (
    key: Key,
    send: () => Promise<unknown>,
    tookHold: (row: unknown) => boolean,
  ): Promise<boolean> => {
    try {
      await send();
      return true;
    } catch (error) {
      const failedCondition = isFailedCondition(error);
      const failure = awsFailureOf('DynamoDB write', error);
      if (!failedCondition && !(failure.kind === 'unavailable' && mayHaveTakenHold(error))) throw failure;
      // A first attempt whose answer was lost may have taken hold; then the second fails on its own doing.
      const found = await get(key.pk, key.sk).catch((later: unknown) => {
        throw failedCondition ? later : failure;
      });
      if (tookHold(found)) return true;
      if (failedCondition) return false;
      throw failure;
    }
  };

  const put = (row: Key & Record<string, unknown>, condition: Condition, tookHold: (found: unknown) => boolean) => {
    const command = new PutCommand({ TableName: table, Item: row, ...condition });
    return write(row, () => client.send(command, { abortSignal: deadline() }), tookHold);
  };

  const putItem = (row: Row, condition: Condition) => put(row, condition, (found) => isDeepStrictEqual(found, row));

  return {
    readNow: async () => {
      const items: Stored[] = [];
      const unreadable: Unreadable[] = [];
      let from: Record<string, unknown> | undefined;
      do {
        const command = new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': nowPartition },
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        });
        const page = await asked('Query', () => client.send(command, { abortSignal: deadline() }));
        for (const row of page.Items ?? []) {
          const read = itemOf(row);
          if ('stored' in read) items.push(read.stored);
          else unreadable.push(read.unreadable);
        }
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
      return { items, unreadable };
    },

    read: async (key) => {
      const found = await get(nowPartition, key);
      const read = found === undefined ? null : itemOf(found);
      return read !== null && 'stored' in read ? read.stored : null;
    },

    insert: async <T extends Item>(item: T) => {
      const name = nameOfWrite();
      const rev = firstRev(keyOf(item), name);
      return (await putItem(rowOf(item, rev, name), keyIsFree)) ? { item, rev } : 'taken';
    },

    replace: async <T extends Item>(from: Stored, to: T) => {
      requireSameKey(from.item, to);
      const rev = from.rev + 1;
      return (await putItem(rowOf(to, rev, nameOfWrite()), isAt(from.rev))) ? { item: to, rev } : 'lost';
    },

    remove: async (from) => {
      const key = { pk: nowPartition, sk: keyOf(from.item) };
      const command = new DeleteCommand({
        TableName: table,
        Key: key,
        ...isAt(from.rev),
      });
      const send = () => client.send(command, { abortSignal: deadline() });
      return (await write(key, send, isAbsent)) ? 'removed' : 'lost';
    },

    countRun: async (date, max) => {
      if (max < 1) return 'full';
      const name = nameOfWrite();
      const first = rowOf({ kind: 'day', date, runs: 0 }, 1, name);
      const command = new UpdateCommand({
        TableName: table,
        Key: { pk: first.pk, sk: first.sk },
        UpdateExpression:
          'SET runs = if_not_exists(runs, :zero) + :one, rev = if_not_exists(rev, :first) + :one, ' +
          '#data = if_not_exists(#data, :data), v = :v, writer = :writer',
        // The last clause keeps a repeat by the client of a request that took hold from counting twice.
        ConditionExpression:
          '(attribute_not_exists(runs) OR runs < :max) AND (attribute_not_exists(v) OR v = :v) ' +
          'AND (attribute_not_exists(writer) OR writer <> :writer)',
        ExpressionAttributeNames: { '#data': 'data' },
        ExpressionAttributeValues: {
          ':zero': 0,
          ':one': 1,
          ':max': max,
          ':first': firstRev(first.sk, name),
          ':data': first.data,
          ':v': schemaVersion,
          ':writer': name,
        },
      });
      const send = () => client.send(command, { abortSignal: deadline() });
      const counted = await write(first, send, (found) => Written.safeParse(found).data?.writer === name);
      return counted ? 'counted' : 'full';
    },

    keepText: async (runId, text) => {
      const row = { pk: textPartition, sk: runId, v: schemaVersion, text: wireOf(text) };
      if (!(await put(row, keyIsFree, (found) => isDeepStrictEqual(found, row)))) {
        throw new PortError('refused', `the text of run ${runId} was kept before, and it was another`);
      }
    },

    textOf: async (runId): Promise<FrozenText | null> => {
      const found = await get(textPartition, runId);
      if (found === undefined) return null;
      const kept = KeptText.safeParse(found);
      if (!kept.success) throw new PortError('refused', `the text of run ${runId} cannot be read`);
      return kept.data.text;
    },

    keepHistory: async (run) => {
      // By the claim, not the end: a repeat after a crash may put the end later, and must find the same key.
      const sk = `${new Date(run.claimedAt).toISOString()}#${run.id}`;
      const row = { pk: historyPartition(run.repo), sk, v: schemaVersion, data: wireOf(run) };
      await put(row, keyIsFree, (found) => found !== undefined);
    },

    historyOf: async (repo) => {
      const command = new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': historyPartition(repo) },
        ScanIndexForward: false,
        Limit: 100,
      });
      const page = await asked('Query', () => client.send(command, { abortSignal: deadline() }));
      return (page.Items ?? []).flatMap((row) => KeptRun.safeParse(row).data?.data ?? []);
    },
  };
};

/** A client that gives up in time: an answer within 1.5 s, two attempts. Without options the environment decides. */
export const dynamoClient = (options: DynamoClientOptions = {}): DynamoDBDocumentClient => {
  const client = new DynamoDBClient({
    ...options,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 500, requestTimeout: 1500, throwOnRequestTimeout: true },
  });
  return DynamoDBDocumentClient.from(client, {
    // A number too large for us must make one item unreadable, not throw for the whole page.
    unmarshallOptions: { wrapNumbers: (digits: string) => Number(digits) },
  });
};

export type DynamoClientOptions = {
  endpoint?: string;
  region?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
};

type Key = { pk: string; sk: string };
type Condition = { ConditionExpression: string; ExpressionAttributeValues?: Record<string, unknown> };

const textPartition = 'text';
const keyIsFree: Condition = { ConditionExpression: 'attribute_not_exists(pk)' };
const isAt = (rev: number): Condition => ({
  ConditionExpression: 'rev = :rev',
  ExpressionAttributeValues: { ':rev': rev },
});

const Written = z.object({ writer: z.string() });
const KeptRun = z.object({ v: z.literal(schemaVersion), data: EndedRun });
const historyPartition = ({ host, id }: { host: string; id: string }): string => `history#${host}#${id}`;
const KeptText = z.object({
  v: z.literal(schemaVersion),
  text: z.object({ title: z.string(), body: z.string(), hash: z.string() }),
});

// The client's own time-out ends with the headers; this one covers the body and both attempts as well.
const deadline = (): AbortSignal => AbortSignal.timeout(2500);

const asked = async <T>(operation: string, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    throw awsFailureOf(`DynamoDB ${operation}`, error);
  }
};

const isAbsent = (found: unknown): boolean => found === undefined;

const isFailedCondition = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ConditionalCheckFailedException';
