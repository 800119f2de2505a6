import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Exchange } from '../lib/sandbox/github-handler.ts';
import { sandboxScenario } from '../lib/sandbox/scenario.ts';
import { standIns } from '../lib/sandbox/stand-ins.ts';

/**
 * The sandbox's GitHub and T3 in a process of their own, so that AFK can be killed and started again while the world
 * goes on. Writes where it is found to `--address`, and leaves when asked to or when nobody came for ten minutes. A test
 * names a file in AFK_TEST_EXCHANGES for what GitHub was asked and answered, a line each, so many and no more.
 */
const { values } = parseArgs({
  options: { address: { type: 'string' }, rate: { type: 'string' }, epoch: { type: 'string' } },
});
if (values.address === undefined) throw new Error('--address FILE is missing');
const epoch = Number(values.epoch ?? Date.now());
const exchangesFile = process.env['AFK_TEST_EXCHANGES'];
const exchangesMax = 20_000;
let exchanges = 0;
const onExchange = (exchange: Exchange): void => {
  exchanges += 1;
  if (exchangesFile !== undefined && exchanges <= exchangesMax)
    appendFileSync(exchangesFile, `${JSON.stringify(exchange)}\n`);
};
const served = await standIns(sandboxScenario(epoch), {
  realNow: Date.now,
  epoch,
  rate: Number(values.rate ?? 100),
  owner: 'afk-bot',
  pid: process.pid,
  onQuit: () => process.exit(0),
  onExchange,
});
// Written whole or not at all: who waits for the file reads it the moment it is there.
writeFileSync(`${values.address}.new`, JSON.stringify(served.address));
renameSync(`${values.address}.new`, values.address);
setInterval(() => {
  if (Date.now() - served.lastUsedAt() > 10 * 60_000) process.exit(0);
}, 30_000).unref();
