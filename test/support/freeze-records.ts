/**
 * Freezes what this version stores, so that a later one is tested against it.
 *
 *     npx node test/support/freeze-records.ts test/fixtures/records/v<schema version>/<a word for what is new>
 *
 * Plays the cast of `records-cast.ts` to rest and writes one row of the table for each item kind, each phase of a run
 * and each state within one that has fields of its own: the longest that was ever seen of each, as DynamoDB keeps it.
 * Folders are added and never rewritten: their point is that they are old.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import { PortError } from '../../lib/ports.ts';
import { historyOf } from '../../lib/sandbox/memory-store.ts';
import { isAtRest } from '../simulation/simulation.ts';
import { recordsWorld } from './records-cast.ts';

type Row = { data: { kind: string; run?: Record<string, unknown>; [field: string]: unknown } };

const Debts = z.object({
  command: z.object({ order: z.string() }).nullable(),
  turn: z.object({ kind: z.string() }).nullish(),
});

/** What a row is an example of. */
const slotsOf = ({ data }: Row): readonly string[] => {
  const { kind, run, ...item } = data;
  if (kind === 'run' && run !== undefined) {
    const states = ['halt', 'question', 'parkedUntil', 'trackerDownSince'].filter((field) => run[field] !== null);
    const { command, turn } = Debts.parse(run);
    return [
      `run-${String(run['phase'])}`,
      ...states.map((state) => `run-with-${state}`),
      ...(command === null ? [] : [`run-owing-${command.order}`]),
      ...(turn == null ? [] : [`run-with-turn-${turn.kind}`]),
    ];
  }
  if (kind === 'issue')
    return ['spent', 'refusal', 'releases', 'coolUntil', 'told']
      .filter((field) => item[field] != null)
      .map((field) => `issue-with-${field}`);
  return [kind];
};

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('which folder?');

const sim = recordsWorld();
const longest = new Map<string, string>();
const keep = (slot: string, json: string): void => {
  if (json.length > (longest.get(slot)?.length ?? 0)) longest.set(slot, json);
};
let minute = 0;
sim.intercept(async ({ port, method, args }, pass) => {
  const isDark = method === 'watch' && JSON.stringify(args).includes('acme/called-off') && [9, 10].includes(minute);
  if (isDark) throw new PortError('unavailable', 'GitHub answered 502');
  const answer = await pass();
  if (port === 'store')
    for (const json of sim.table.rows.values()) for (const slot of slotsOf(JSON.parse(json))) keep(slot, json);
  return answer;
});
const { github } = sim.world;
for (; minute < 300 && (minute < 30 || !isAtRest(sim)); minute += 1) {
  if (minute === 5) sim.flip('true');
  if (minute === 8) sim.flip('false');
  if (minute === 12) github.unlabel('acme/called-off', 1, 'ready-for-agent', 'maintainer', sim.now());
  if (minute === 12) github.label('acme/held', 1, 'ready-for-agent', 'triager', sim.now());
  if (minute === 20) github.unlabel('acme/held', 1, 'ready-for-agent', 'maintainer', sim.now());
  if (minute === 20) github.unlabel('acme/refused', 1, 'ready-for-agent', 'maintainer', sim.now());
  for (const kind of ['poll', 'watch'] as const) await sim.invoke(kind);
  sim.pass();
}
if (!isAtRest(sim)) throw new Error('not at rest');

// History and texts by the store itself: the fakes keep them in another form.
const dynamo = await embeddedDynamo();
const client = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
const store = dynamoStore({ client, table: dynamo.table, writer: 'freeze' });
const rowsIn = async (pk: string): Promise<unknown[]> => {
  const command = new QueryCommand({
    TableName: dynamo.table,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': pk },
  });
  return (await client.send(command)).Items ?? [];
};
for (const run of historyOf(sim.table)) {
  await store.keepHistory(run);
  for (const row of await rowsIn(`history#${run.repo.host}#${run.repo.id}`))
    keep(`history-${run.outcome}`, JSON.stringify(row));
}
const [runId, text] = [...sim.table.texts][0] ?? [];
if (runId !== undefined && text !== undefined) await store.keepText(runId, JSON.parse(text));
for (const row of await rowsIn('text')) keep('text', JSON.stringify(row));
client.destroy();
await dynamo.close();

mkdirSync(folder, { recursive: true });
for (const [slot, json] of longest)
  writeFileSync(`${folder}/${slot}.json`, `${JSON.stringify(JSON.parse(json), null, 2)}\n`, { flag: 'wx' });
process.stdout.write(`${longest.size} records: ${[...longest.keys()].sort().join(', ')}\n`);
