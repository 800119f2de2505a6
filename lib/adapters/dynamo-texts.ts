import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { TextCache } from './sealed-tokens.ts';

/**
 * Texts that all containers of a table share, in a partition of their own, `token`, which no tick reads as a whole. The
 * last to write wins, and a table that does not answer holds nothing: what is kept here can always be had anew.
 */
export const dynamoTexts = ({ client, table }: { client: DynamoDBDocumentClient; table: string }): TextCache => ({
  get: async (key) => {
    const command = new GetCommand({ TableName: table, Key: { pk: partition, sk: key } });
    try {
      const { Item } = await client.send(command, { abortSignal: AbortSignal.timeout(2500) });
      return Row.safeParse(Item).data?.text ?? null;
    } catch {
      // The store meets the same outage, and says so.
      return null;
    }
  },
  set: async (key, text) => {
    const command = new PutCommand({ TableName: table, Item: { pk: partition, sk: key, v: 1, text } });
    // The token is good, kept or not.
    await client.send(command, { abortSignal: AbortSignal.timeout(2500) }).catch(() => undefined);
  },
});

const partition = 'token';

const Row = z.object({ v: z.literal(1), text: z.string() });
