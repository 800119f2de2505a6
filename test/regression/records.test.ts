import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { schemaVersion } from '../../lib/adapters/stored-item.ts';
import { Item, keyOf } from '../../lib/core/record.ts';
import { OpenRun } from '../../lib/core/run.ts';
import { embeddedDynamo, localAws } from '../../lib/local/dynalite.ts';
import { plantRow } from '../../lib/sandbox/memory-store.ts';
import { minutes, operate } from '../shell/minutes.ts';
import { issueIn, type Simulation } from '../simulation/simulation.ts';
import { recordsWorld } from '../support/records-cast.ts';

/**
 * Rows as versions of this program stored them, one folder a version; `test/support/freeze-records.ts` adds one. A
 * field without a default, a stricter bound or a word taken away shows here before it parks a repo.
 */
const root = fileURLToPath(new URL('../fixtures/records/v1/', import.meta.url));

type Row = { pk: string; sk: string; v: number; rev: number; runs?: number; data: Record<string, never> };
type Fixture = { name: string; row: Row };

const fixtures: readonly Fixture[] = readdirSync(root).flatMap((version) =>
  readdirSync(join(root, version)).map((file) => ({
    name: `${version}/${file}`,
    row: JSON.parse(readFileSync(join(root, version, file), 'utf8')),
  })),
);
const items = fixtures.filter(({ row }) => row.pk === 'now');
const runs = items.filter(({ row }) => row.data['kind'] === 'run');

/** Kinds that a version did not know yet. */
const addedSince: Readonly<Record<string, readonly string[]>> = { first: ['limit'], 'with-landing': ['limit'] };

test('there is a stored record of every kind and of every phase of a run, of each version', () => {
  for (const version of readdirSync(root)) {
    const all = items.filter(({ name }) => name.startsWith(`${version}/`)).map(({ row }) => row.data);
    expect(new Set([...all.map((data) => data['kind']), ...(addedSince[version] ?? [])])).toEqual(
      new Set<string>(Item.options.map((option) => option.shape.kind.value)),
    );
    expect(new Set(all.flatMap((data) => data['run']?.['phase'] ?? []))).toEqual(
      new Set([...OpenRun.options.map((option) => option.shape.phase.value), 'ended']),
    );
  }
});

const freshTable = async () => {
  const dynamo = await embeddedDynamo();
  const client = dynamoClient({ endpoint: dynamo.endpoint, ...localAws });
  onTestFinished(async () => {
    client.destroy();
    await dynamo.close();
  });
  return {
    store: dynamoStore({ client, table: dynamo.table, writer: 'this-version' }),
    plant: (row: Row) => client.send(new PutCommand({ TableName: dynamo.table, Item: row })),
  };
};

test('every record that an earlier version stored is read by this one, means the same, and can be moved on', async () => {
  const { store, plant } = await freshTable();
  for (const { name, row } of fixtures) {
    await plant(row);
    if (row.pk === 'now') {
      const stored = (await store.read(row.sk))!;
      expect(stored, name).toMatchObject({ rev: row.rev, item: row.data });
      if (row.runs !== undefined) expect(stored.item, name).toMatchObject({ runs: row.runs });
      expect(await store.replace(stored, stored.item), name).toMatchObject({ rev: row.rev + 1 });
    } else if (row.pk === 'text') {
      expect(await store.textOf(row.sk), name).toEqual((row as unknown as { text: unknown }).text);
    } else {
      const [host = '', id = ''] = row.pk.split('#').slice(1);
      expect(await store.historyOf({ host, id }), name).toContainEqual(expect.objectContaining({ id: row.data['id'] }));
    }
  }
  expect((await store.readNow()).unreadable).toEqual([]);
});

/** The same run in a world of this version, where the repo and the issue of those names have ids of their own. */
const atHome = (sim: Simulation, { row }: Fixture): Row => {
  const { repo, issue, base } = row.data['run'] as unknown as OpenRun;
  const here = [...sim.world.github.state.repos.values()].find(({ name }) => name === repo.name)!;
  return JSON.parse(
    JSON.stringify(row)
      .replaceAll(`#${repo.id}"`, `#${here.id}"`)
      .replaceAll(`"id":"${repo.id}"`, `"id":"${here.id}"`)
      .replaceAll(repo.nodeId, here.nodeId)
      .replaceAll(issue.nodeId, issueIn(sim.world, repo.name, issue.number).nodeId)
      .replaceAll(base, here.branches.get(repo.branch)!),
  );
};

/** The repo of a fixture alone is worked on, from the moment at which it was stored. */
const worldOf = ({ row }: Fixture): Simulation => {
  const sim = recordsWorld();
  operate(sim, 'allowlist', row.data['run']!['repo']!['name']);
  const instants = [...JSON.stringify(row.data).matchAll(/:(1\d{12})\b/g)].map(([, digits]) => Number(digits));
  sim.pass(Math.max(60_000, Math.max(...instants) - sim.now() + 60_000));
  return sim;
};

describe('a run that an earlier version began goes on under this one', () => {
  test.each(runs)('$name', async (fixture) => {
    const sim = worldOf(fixture);
    const planted = atHome(sim, fixture);
    plantRow(sim.table, planted);
    const revNow = (): number | null => JSON.parse(sim.table.rows.get(planted.sk) ?? '{"rev":null}').rev;
    const { failed, reports } = await minutes(sim, 15, { until: () => revNow() !== planted.rev, kinds: ['watch'] });
    expect(failed).toEqual([]);
    expect(reports[0]).toMatchObject({ openRuns: 1 });
    expect(revNow()).not.toBe(planted.rev);
  });
});

describe('a record of a newer version is named, and parks its repo alone', () => {
  const newer = (row: Row): Row => ({ ...row, v: schemaVersion + 1 });

  test('the store names each with its version, and reads all others', async () => {
    const { store, plant } = await freshTable();
    const known = items.find(({ row }) => row.data['kind'] === 'breaker')!.row;
    await plant(known);
    const [run] = runs;
    await plant(newer(run!.row));
    expect(await store.readNow()).toEqual({
      items: [{ item: known.data, rev: known.rev }],
      unreadable: [{ key: run!.row.sk, reason: 'it has schema version 2, not 1' }],
    });
  });

  test.each(runs.filter(({ name }) => /(working|ending)\.json$/.test(name)))(
    '$name, had it been stored by one',
    async (fixture) => {
      const sim = worldOf(fixture);
      const { name } = fixture.row.data['run']!['repo']!;
      operate(sim, 'allowlist', `${name},acme/red`);
      const planted = newer(atHome(sim, fixture));
      plantRow(sim.table, planted);
      const { reports, rulings } = await minutes(sim, 40);
      for (const { failed } of reports)
        expect(failed).toContainEqual({
          what: `unreadable item ${planted.sk}`,
          reason: expect.stringMatching('2, not 1'),
        });
      expect(rulings[0]).toMatch(new RegExp(`^${name}#1 repo unreadable: `));
      expect(JSON.parse(sim.table.rows.get(planted.sk)!)).toMatchObject(planted);
      expect(issueIn(sim.world, 'acme/red', 1).state).toBe('closed');
      expect(issueIn(sim.world, name, 1).labels.map((label) => label.name)).toEqual(['ready-for-agent']);
    },
  );
});

test('a record belongs under the key it was stored under', () => {
  for (const { name, row } of items)
    expect(
      keyOf(Item.parse({ ...(row.data as object), ...(row.runs !== undefined && { runs: row.runs }) })),
      name,
    ).toBe(row.sk);
});
