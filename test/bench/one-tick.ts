import * as z from 'zod';
import { portsOf } from '../../functions/wiring.ts';
import { dynamoClient, dynamoStore } from '../../lib/adapters/dynamo-store.ts';
import { ssmClient, ssmGate } from '../../lib/adapters/ssm-gate.ts';
import { localAws } from '../../lib/local/dynalite.ts';
import { poll } from '../../lib/shell/poll.ts';

/**
 * One poll in a process that holds nothing else, against services elsewhere: its wall time, and the most memory the
 * process ever held, the platform and all modules included. Started by the bench; prints one line of JSON.
 */
const Places = z.object({
  ssm: z.string(),
  dynamo: z.string(),
  table: z.string(),
  github: z.string(),
  t3: z.string(),
  now: z.number(),
});

const { now, ...places } = Places.parse(JSON.parse(process.argv[2] ?? '{}'));
const store = dynamoStore({
  client: dynamoClient({ endpoint: places.dynamo, ...localAws }),
  table: places.table,
  writer: 'one-tick',
});
const credentials = { github: { token: 'gh' }, githubUrl: places.github, t3Token: 't3' };
const begun = performance.now();
const report = await poll({
  gate: ssmGate({ client: ssmClient({ endpoint: places.ssm, ...localAws }) }),
  connect: async (settings) => portsOf({ store, credentials, now: () => now, writeSpacingMs: 0 }, settings),
  now: () => now,
  by: 'one-tick',
  newRunId: () => '0'.repeat(32),
  timeLeftMs: () => 50_000,
});
const wallMs = performance.now() - begun;
process.stdout.write(
  `${JSON.stringify({ wallMs, rssMib: process.resourceUsage().maxRSS / 1024, state: report.state, failed: report.failed })}\n`,
);
process.exit();
