import { join } from 'node:path';
import { dynamoClient, dynamoStore } from '../adapters/dynamo-store.ts';
import { ssmClient, ssmGate } from '../adapters/ssm-gate.ts';
import type { Settings } from '../core/settings.ts';
import type { Gate, Ports, Store } from '../ports.ts';
import { poll } from '../shell/poll.ts';
import type { Report } from '../shell/tick.ts';
import { watch } from '../shell/watch.ts';
import { embeddedDynamo, localAws } from './dynalite.ts';
import { acquireInstanceLock } from './instance-lock.ts';
import { localParameterStore } from './parameter-store.ts';

/** The two ticks with their embedded parts, on one folder. */
export type LocalService = {
  gate: Gate;
  /** Where a person flips: one file a parameter. */
  controlFolder: string;
  storeFor: (writer: string) => Store;
  tick: (kind: 'poll' | 'watch') => Promise<Report>;
  close: () => Promise<void>;
};

export type LocalOptions = {
  folder: string;
  now: () => number;
  /** 128 random bits as hex, for run ids and for naming each invocation. */
  newId: () => string;
  /** Real time, epoch ms: what a tick may take does not run faster than the clock on the wall. */
  realNow: () => number;
  connect: (settings: Settings, store: Store) => Promise<Ports>;
};

/** As long as a Lambda would be given. */
const tickMs = 50_000;

/**
 * Starts the embedded parts: DynamoDB on disk, Parameter Store over files, one instance per folder. Throws
 * `FolderInUse` where another instance has the folder.
 */
export const localService = async (options: LocalOptions): Promise<LocalService> => {
  const { folder, now, newId, realNow } = options;
  const lock = acquireInstanceLock(folder);
  const controlFolder = join(folder, 'control');
  const parameters = await localParameterStore({ folder: controlFolder, now });
  const dynamo = await embeddedDynamo({ path: join(folder, 'table') });
  const gate = ssmGate({ client: ssmClient({ endpoint: parameters.endpoint, ...localAws }) });
  const client = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
  const storeFor = (writer: string): Store => dynamoStore({ client, table: dynamo.table, writer });
  return {
    gate,
    controlFolder,
    storeFor,
    tick: async (kind) => {
      const by = newId().slice(0, 12);
      const until = realNow() + tickMs;
      const context = {
        gate,
        connect: (settings: Settings) => options.connect(settings, storeFor(by)),
        now,
        by,
        newRunId: newId,
        timeLeftMs: () => until - realNow(),
      };
      return kind === 'poll' ? poll(context) : watch(context);
    },
    close: async () => {
      client.destroy();
      await parameters.close();
      await dynamo.close();
      lock.release();
    },
  };
};
