import { onTestFinished } from 'vitest';
import * as z from 'zod';
import { type Answer, loopback } from './loopback.ts';

/**
 * A Parameter Store on loopback that holds whatever a test, as its operator, puts there, control parameters and secrets
 * alike. `asked` lists the names of each call; `fault` is what happens instead of an answer.
 */
export const parameterStore = async (values: Readonly<Record<string, string>> = {}) => {
  const held = new Map<string, { value: string; version: number; at: number }>();
  const asked: (readonly string[])[] = [];
  let fault: Answer | null = null;
  let now = 0;
  const put = (name: string, value: string): void => {
    held.set(name, { value, version: (held.get(name)?.version ?? 0) + 1, at: now });
  };
  for (const [name, value] of Object.entries(values)) put(name, value);
  const { url } = await loopback((response, request) => {
    const { Names } = Ask.parse(JSON.parse(request.body));
    asked.push(Names);
    if (fault !== null) return fault(response, request);
    return response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(
      JSON.stringify({
        Parameters: Names.flatMap((Name) => {
          const it = held.get(Name);
          if (it === undefined) return [];
          return [{ Name, Type: 'String', Value: it.value, Version: it.version, LastModifiedDate: it.at / 1000 }];
        }),
        InvalidParameters: Names.filter((name) => !held.has(name)),
      }),
    );
  });
  onTestFinished(() => held.clear());
  return {
    url,
    asked,
    put,
    remove: (name: string): void => void held.delete(name),
    /** From now on this is the answer; null for the true one. */
    fails: (how: Answer | null): void => {
      fault = how;
    },
    /** Epoch ms, as the store stamps what is put from now on. */
    at: (ms: number): void => {
      now = ms;
    },
  };
};

const Ask = z.object({ Names: z.array(z.string()).min(1).max(10) });
