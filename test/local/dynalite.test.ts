import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';

const lease = { kind: 'lease' as const, by: 'poller-1', until: 1000 };

const started = async (path?: string) => {
  const dynamo = await embeddedDynamo(path === undefined ? {} : { path });
  const client = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
  onTestFinished(() => client.destroy());
  return { ...dynamo, store: dynamoStore({ client, table: dynamo.table, writer: 'poller-1' }) };
};

test('what was stored on disk is there again after a restart', async () => {
  const path = mkdtempSync(join(tmpdir(), 'afk-dynamo-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const first = await started(path);
  const stored = await first.store.insert(lease);
  await first.close();
  const second = await started(path);
  onTestFinished(second.close);
  expect(await second.store.readNow()).toEqual({ items: [stored], unreadable: [] });
});

test('without a folder it begins empty, on loopback only', async () => {
  const first = await started();
  await first.store.insert(lease);
  await first.close();
  const second = await started();
  onTestFinished(second.close);
  expect(second.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await second.store.readNow()).toEqual({ items: [], unreadable: [] });
});

test('closing does not wait for clients that keep their connection open', async () => {
  const { store, close } = await started();
  await store.readNow();
  await close();
  await expect(store.readNow()).rejects.toMatchObject({ kind: 'unavailable' });
});
