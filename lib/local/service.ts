import { dynamoClient, dynamoStore } from '../adapters/dynamo-store.ts';
import { ssmClient, ssmGate } from '../adapters/ssm-gate.ts';
import type { Settings } from '../core/settings.ts';
import type { Gate, Ports, Store } from '../ports.ts';
import { poll } from '../shell/poll.ts';
import type { Report } from '../shell/tick.ts';
import { watch } from '../shell/watch.ts';
import { localAws } from './dynalite.ts';
import { ownParts } from './parts.ts';

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

/** Both ticks on the embedded parts of a folder, one instance per folder. Throws `FolderInUse` where another has it. */
export const localService = async (options: LocalOptions): Promise<LocalService> => {
  const { folder, now, newId, realNow } = options;
  const parts = await ownParts({ folder, now });
  const gate = ssmGate({ client: ssmClient({ endpoint: parts.parameters, ...localAws }) });
  const client = dynamoClient({ endpoint: parts.dynamo, ...localAws });
  const storeFor = (writer: string): Store => dynamoStore({ client, table: parts.table, writer });
  return {
    gate,
    controlFolder: parts.controlFolder,
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
      await parts.close();
    },
  };
};
