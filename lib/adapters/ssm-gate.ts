import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { type Control, controlNames, killSwitch, parseControl, type Stamp } from '../core/control.ts';
import type { Gate } from '../ports.ts';
import { awsFailureOf, reasonOf } from './aws-error.ts';

/**
 * The gate on SSM Parameter Store: one `GetParameters` by exact names, asked once, never cached. Never throws:
 * whatever is not a whole and plain answer within the time-outs is off, with the reason.
 */
export const ssmGate = ({ client, names = controlNames }: GateOptions): Gate => ({
  read: async () => {
    const answer = await wholeAnswer(client, names);
    return typeof answer === 'string' ? parseControl(new Map(), answer) : controlIn(answer);
  },
});

/**
 * The same gate, except that a kill switch an operator put on reads as off. For dry runs and nothing else: whatever is
 * connected behind it must be unable to write. What is unreadable stays so.
 */
export const rehearsalGate = ({ client, names = controlNames }: GateOptions): Gate => ({
  read: async () => {
    const answer = await wholeAnswer(client, names);
    if (typeof answer === 'string') return parseControl(new Map(), answer);
    const control = controlIn(answer);
    if (control.state === 'on' || control.unreadable) return control;
    return parseControl(new Map([...answer.values, [killSwitch, 'false']]), null);
  },
});

export type GateOptions = { client: SSMClient; names?: readonly string[] };

const controlIn = ({ values, stamps }: Answer): Control => parseControl(values, null, stamps.get(killSwitch) ?? null);

/** The answer, or in words why there is none that can be relied on. */
const wholeAnswer = async (client: SSMClient, names: readonly string[]): Promise<Answer | string> => {
  const answer = await read(client, names, false).catch((error: unknown) => reasonOf(error));
  if (typeof answer === 'string') return answer;
  const left = names.filter((name) => !answer.values.has(name) && !answer.absent.has(name));
  // An answer that says neither what a name holds nor that it is absent may have lost an operator's decision.
  return left.length > 0 ? `the answer says nothing of ${left.join(', ')}` : answer;
};

/**
 * A client that asks once and gives up in time: two attempts would make two calls of one tick, and the next tick is
 * the retry. Without options the environment decides on endpoint, region and credentials.
 */
export const ssmClient = (options: SsmClientOptions = {}): SSMClient =>
  new SSMClient({
    ...options,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 500, requestTimeout: 1500, throwOnRequestTimeout: true },
  });

export type SsmClientOptions = {
  endpoint?: string;
  region?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
};

/**
 * Secrets by exact name, decrypted; one that does not exist is left out. To be asked only after the gate. Throws a
 * `PortError`, which never quotes a value.
 */
export const readSecrets = async (
  client: SSMClient,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const values = new Map<string, string>();
  try {
    for (let from = 0; from < names.length; from += namesMax) {
      const part = names.slice(from, from + namesMax);
      const answer = await read(client, part, true);
      for (const name of part) {
        const value = answer.values.get(name);
        if (value !== undefined) values.set(name, value);
      }
    }
  } catch (error) {
    throw awsFailureOf('SSM GetParameters', error);
  }
  return values;
};

/** How many names `GetParameters` takes. */
const namesMax = 10;

type Answer = {
  values: ReadonlyMap<string, string>;
  absent: ReadonlySet<string>;
  stamps: ReadonlyMap<string, Stamp>;
};

const read = async (client: SSMClient, names: readonly string[], decrypted: boolean): Promise<Answer> => {
  const command = new GetParametersCommand({ Names: [...names], WithDecryption: decrypted });
  // The client's own time-out ends with the headers; without this one a body that never ends hangs for ever.
  const answer = await client.send(command, { abortSignal: AbortSignal.timeout(2500) });
  const parsed = Parameters.safeParse(answer);
  if (!parsed.success) throw new UnfitAnswer();
  const { Parameters: found, InvalidParameters: absent } = parsed.data;
  return {
    values: new Map(found.map(({ Name, Value }) => [Name, Value])),
    absent: new Set(absent),
    stamps: new Map(
      found.flatMap(({ Name, Version, LastModifiedDate }) =>
        Version === undefined || LastModifiedDate === undefined
          ? []
          : [[Name, { version: Version, changedAt: LastModifiedDate.getTime() }] as const],
      ),
    ),
  };
};

// The client passes on what it was sent: an empty answer as no list at all, a value of any type as it is.
// Without a stamp that can be read the value still counts: only the halt is lost with it.
const Parameter = z.object({
  Name: z.string(),
  Value: z.string(),
  Version: z.number().int().optional().catch(undefined),
  LastModifiedDate: z.date().optional().catch(undefined),
});

const Parameters = z.object({
  Parameters: z.array(Parameter),
  InvalidParameters: z.array(z.string()).default([]),
});

class UnfitAnswer extends Error {
  override readonly name = 'the answer is no list of parameters';
}
