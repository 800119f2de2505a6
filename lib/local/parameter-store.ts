import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';

/** What may go wrong on purpose, for tests: no word, no end, half an answer, or an error of this type and status. */
export type Fault = 'drop' | 'hang' | 'stall' | { type: string; status: number };

export type ParameterStoreOptions = {
  /** One file a parameter: `<folder>/kill-switch` is `/afk/control/kill-switch`. */
  folder: string;
  /** Epoch ms. */
  now: () => number;
  fault?: () => Fault | null;
};

export type LocalParameterStore = { endpoint: string; close: () => Promise<void> };

/**
 * The part of SSM Parameter Store that the gate needs (`GetParameters`, JSON 1.1), on loopback, for the real client.
 * Files are read at each call, so that a person flips with an editor; line ends behind a value are not part of it,
 * and an empty file is absent. A file that cannot be read, or is longer than a parameter may be, fails the whole
 * call: passed over, it would look like an operator's decision. A fresh folder gets the values that ship, which
 * start nothing; nothing here writes a parameter otherwise.
 */
export const localParameterStore = async (options: ParameterStoreOptions): Promise<LocalParameterStore> => {
  shipTo(options.folder);
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((closed, failed) => {
        server.close((error) => (error ? failed(error) : closed()));
        server.closeAllConnections();
      }),
  };
};

const shipped = { 'kill-switch': 'true\n', allowlist: 'none\n', settings: '{}\n' };

const shipTo = (folder: string): void => {
  mkdirSync(folder, { recursive: true });
  // Only where nobody has been: a file that a person took away means something, and is not put back.
  if (readdirSync(folder).length > 0) return;
  for (const [name, value] of Object.entries(shipped)) writeFileSync(join(folder, name), value, { flag: 'wx' });
};

const answer = async (options: ParameterStoreOptions, request: IncomingMessage, response: ServerResponse) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const reply = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));

  const fault = options.fault?.() ?? null;
  if (fault === 'drop') return response.destroy();
  if (fault === 'hang') return response;
  if (fault === 'stall')
    return response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).write('{"Par');
  if (fault !== null) return reply(fault.status, { __type: fault.type, message: 'asked for' });

  if (request.headers['x-amz-target'] !== 'AmazonSSM.GetParameters') {
    return reply(400, { __type: 'UnknownOperationException', message: 'only GetParameters is served here' });
  }
  const asked = Ask.safeParse(parsedJson(Buffer.concat(chunks).toString()));
  if (!asked.success) return reply(400, { __type: 'ValidationException', message: 'Names: 1 to 10 names' });
  try {
    return reply(200, parametersOf(options, asked.data.Names));
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unknown';
    return reply(500, { __type: 'InternalServerError', message });
  }
};

const Ask = z.object({ Names: z.array(z.string()).min(1).max(10) });

const parametersOf = ({ folder, now }: ParameterStoreOptions, names: readonly string[]) => {
  const values = names.map((name) => ({ name, value: heldBy(folder, name) }));
  const stamps = stamped(folder, values, now());
  return {
    Parameters: values.flatMap(({ name, value }) => {
      const stamp = stamps[name];
      if (value === null || stamp === undefined) return [];
      const LastModifiedDate = stamp.at / 1000;
      return [{ Name: name, Type: 'String', Value: value, Version: stamp.version, LastModifiedDate, DataType: 'text' }];
    }),
    InvalidParameters: values.filter(({ value }) => value === null).map(({ name }) => name),
  };
};

/** What a standard parameter holds at most. */
const bytesMax = 4096;

const heldBy = (folder: string, name: string): string | null => {
  // No dot and no slash: a name leads to no other folder, and not to the stamps.
  const file = /^\/afk\/control\/([A-Za-z0-9_-]+)$/.exec(name)?.[1];
  if (file === undefined) return null;
  const path = join(folder, file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile()) throw new Error(`${path} is no file`);
  const tooLong = `${path} is longer than the ${bytesMax} bytes of a parameter`;
  if (found.size > 2 * bytesMax) throw new Error(tooLong);
  // Some editors put a byte order mark in front, and most a line end behind.
  const value = readFileSync(path, 'utf8')
    .replace(/^\ufeff/, '')
    .replace(/[\r\n]+$/, '');
  if (Buffer.byteLength(value) > bytesMax) throw new Error(tooLong);
  return value === '' ? null : value;
};

const Stamps = z.record(z.string(), z.object({ digest: z.string(), version: z.int().min(1), at: z.number() }));
type Stamps = z.infer<typeof Stamps>;

/** Gives content that was not there at the last read the next version, dated now; kept in a file, for the next start. */
const stamped = (folder: string, values: readonly { name: string; value: string | null }[], now: number): Stamps => {
  const path = join(folder, '.stamps.json');
  const known = stampsIn(path);
  const next = { ...known.stamps };
  for (const { name, value } of values) {
    if (value === null) continue;
    const digest = createHash('sha256').update(value).digest('hex');
    const stamp = known.stamps[name];
    if (stamp?.digest !== digest) next[name] = { digest, version: (stamp?.version ?? known.before) + 1, at: now };
  }
  if (JSON.stringify(next) !== JSON.stringify(known.stamps)) {
    writeFileSync(`${path}.new`, JSON.stringify(next, null, 2));
    renameSync(`${path}.new`, path);
  }
  return next;
};

// Where the stamps are spoilt nobody knows what is new. Then all of it counts as changed just now, which is the safe
// side: a kill switch that is on halts what is out.
const stampsIn = (path: string): { stamps: Stamps; before: number } => {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return { stamps: {}, before: 0 };
  const stamps = Stamps.safeParse(parsedJson(readFileSync(path, 'utf8')));
  return stamps.success ? { stamps: stamps.data, before: 0 } : { stamps: {}, before: 1 };
};

const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
