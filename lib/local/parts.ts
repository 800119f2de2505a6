import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { embeddedDynamo } from './dynalite.ts';
import { acquireInstanceLock, FolderInUse } from './instance-lock.ts';
import { localParameterStore } from './parameter-store.ts';

/** Where the embedded parts of one folder answer, on loopback. */
export type Parts = {
  parameters: string;
  dynamo: string;
  table: string;
  /** Where a person flips: one file a parameter. */
  controlFolder: string;
  close: () => Promise<void>;
};

type PartsOptions = { folder: string; now: () => number };

/**
 * Starts the embedded parts: DynamoDB on disk, Parameter Store over files, one instance per folder. Throws
 * `FolderInUse` where another instance has the folder.
 */
export const ownParts = async ({ folder, now }: PartsOptions): Promise<Parts> => {
  const lock = acquireInstanceLock(folder);
  const controlFolder = join(folder, 'control');
  const parameters = await localParameterStore({ folder: controlFolder, now });
  const dynamo = await embeddedDynamo({ path: join(folder, 'table') });
  const addresses: Addresses = {
    pid: process.pid,
    parameters: parameters.endpoint,
    dynamo: dynamo.endpoint,
    table: dynamo.table,
  };
  writeFileSync(addressesIn(folder), `${JSON.stringify(addresses)}\n`);
  return {
    ...{ parameters: parameters.endpoint, dynamo: dynamo.endpoint, table: dynamo.table, controlFolder },
    close: async () => {
      rmSync(addressesIn(folder), { force: true });
      await parameters.close();
      await dynamo.close();
      lock.release();
    },
  };
};

/**
 * The parts of a folder for somebody who only reads: those of the instance that is at work on it, or else its own for
 * as long as it takes. Throws `FolderInUse` where an instance is at work that does not say where its parts answer.
 */
export const sharedParts = async (options: PartsOptions): Promise<Parts> => {
  try {
    return await ownParts(options);
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    const told = addressesOf(options.folder);
    // Of another process than the one that holds the folder now, they lead to nobody, or to somebody else.
    if (told === null || told.pid !== error.holder) throw error;
    const { pid: _theirs, ...addresses } = told;
    return { ...addresses, controlFolder: join(options.folder, 'control'), close: async () => undefined };
  }
};

const Addresses = z.strictObject({
  pid: z.int(),
  parameters: z.url({ protocol: /^http$/, hostname: /^127\.0\.0\.1$/ }),
  dynamo: z.url({ protocol: /^http$/, hostname: /^127\.0\.0\.1$/ }),
  table: z.string(),
});
type Addresses = z.infer<typeof Addresses>;

const addressesIn = (folder: string): string => join(folder, 'parts.json');

const addressesOf = (folder: string): Addresses | null => {
  try {
    return Addresses.safeParse(JSON.parse(readFileSync(addressesIn(folder), 'utf8'))).data ?? null;
  } catch {
    // Not there, or half written by a process that died: then nobody says where its parts are.
    return null;
  }
};
