import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';

export type EmbeddedDynamo = { endpoint: string; table: string; close: () => Promise<void> };

/**
 * A DynamoDB in this process, on loopback only, with an empty or kept table of ours. In memory, or with `path` in a
 * folder, which then belongs to this process alone (`acquireInstanceLock`): a second one on it would crash.
 */
export const embeddedDynamo = async ({ path }: { path?: string } = {}): Promise<EmbeddedDynamo> => {
  const server = dynalite({ createTableMs: 0, ...(path === undefined ? {} : { path }) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const close = () =>
    new Promise<void>((closed, failed) => {
      server.close((error) => (error ? failed(error) : closed()));
      // Clients keep connections open, and closing would wait for them.
      server.closeAllConnections();
    });
  try {
    await ensureTable(endpoint);
  } catch (error) {
    await close();
    throw error;
  }
  return { endpoint, table, close };
};

/** Credentials and region for a client of an embedded part; it checks neither. */
export const localAws = { region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } } as const;

const table = 'afk';

const ensureTable = async (endpoint: string): Promise<void> => {
  const client = new DynamoDBClient({ endpoint, ...localAws });
  try {
    await client.send(createTable).catch((error: unknown) => {
      if (!(error instanceof ResourceInUseException)) throw error;
    });
    for (let tries = 0; tries < 200; tries++) {
      const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
      if (Table?.TableStatus === 'ACTIVE') return;
      await after(5);
    }
    throw new Error('the embedded table did not become active');
  } finally {
    client.destroy();
  }
};

const createTable = new CreateTableCommand({
  TableName: table,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
});
