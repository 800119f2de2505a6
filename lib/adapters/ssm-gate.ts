import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { controlNames, parseControl } from '../core/control.ts';
import type { Gate } from '../ports.ts';
import { awsFailureOf, reasonOf } from './aws-error.ts';

/**
 * The gate on SSM Parameter Store: one `GetParameters` by exact names, asked once, never cached. Never throws:
 * whatever is not a whole and plain answer within the time-outs is off, with the reason.
 */
export const ssmGate = ({ client, names = controlNames }: { client: SSMClient; names?: readonly string[] }): Gate => ({
  read: async () => {
    const answer = await read(client, names, false).catch((error: unknown) => reasonOf(error));
    if (typeof answer === 'string') return parseControl(new Map(), answer);
    const left = names.filter((name) => !answer.values.has(name) && !answer.absent.has(name));
    // An answer that says neither what a name holds nor that it is absent may have lost an operator's decision.
    return left.length > 0
      ? parseControl(new Map(), `the answer says nothing of ${left.join(', ')}`)
      : parseControl(answer.values, null);
  },
});

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

type Answer = { values: ReadonlyMap<string, string>; absent: ReadonlySet<string> };

const read = async (client: SSMClient, names: readonly string[], decrypted: boolean): Promise<Answer> => {
  const command = new GetParametersCommand({ Names: [...names], WithDecryption: decrypted });
  // The client's own time-out ends with the headers; without this one a body that never ends hangs for ever.
  const answer = await client.send(command, { abortSignal: AbortSignal.timeout(2500) });
  const parsed = Parameters.safeParse(answer);
  if (!parsed.success) throw new UnfitAnswer();
  const { Parameters: found, InvalidParameters: absent } = parsed.data;
  return { values: new Map(found.map(({ Name, Value }) => [Name, Value])), absent: new Set(absent) };
};

// The client passes on what it was sent: an empty answer as no list at all, a value of any type as it is.
const Parameters = z.object({
  Parameters: z.array(z.object({ Name: z.string(), Value: z.string() })),
  InvalidParameters: z.array(z.string()).default([]),
});

class UnfitAnswer extends Error {
  override readonly name = 'the answer is no list of parameters';
}
