import { endWithReader, exitCodeOf, optionsIn, wholeNumber } from '../lib/local/command-line.ts';
import { runReal } from './local-real.ts';
import { runRehearsal } from './local-rehearsal.ts';
import { runSandbox } from './local-sandbox.ts';

const help = `AFK on one machine: the same two ticks as on AWS, with embedded parts.

  npm start                the sandbox: stand-ins for GitHub and T3, scripted agents, about 100 times real time
  npm run demo             the same without waiting; ends by itself, exit code 0 only if every issue ended as scripted
  npm start, for real      with GITHUB_TOKEN (or an App), T3_URL and T3_TOKEN set: real time, disarmed until you flip it

Options
  --demo                   do not wait between ticks, and end when every issue has
  --rate N                 sandbox only: times real time (default 100)
  --data FOLDER            where the data is kept (default .afk)
  --fresh                  sandbox only: begin anew even if the stand-ins of a crashed start are still there
  --resume                 demo only: go on with them
  --dry-run                for real: both ticks once, every ruling and decision, and nothing is written anywhere;
                           also while it is disarmed, and beside an AFK that is running
  --only owner/name        --dry-run for that repo alone
  --explain owner/name#7   for real: every gate for that issue, with the fact behind it; writes nothing
  --help                   this page

Environment, for real
  GITHUB_TOKEN             a token that may read and label the enrolled repos (classic: repo; see docs/t3-host.md)
  GITHUB_APP_ID, GITHUB_APP_KEY_FILE   a GitHub App in its place: its id, and the file its private key is in
  GITHUB_URL               only for GitHub Enterprise Server, from 3.19 on: https://HOST/api/v3
  T3_URL                   the T3 server, https, or http on loopback or a private address
  T3_TOKEN                 a T3 bearer with orchestration:read and orchestration:operate
  SLACK_WEBHOOK            optional doorbell
  NTFY_URL, NTFY_TOPIC, NTFY_TOKEN   optional doorbell
`;

const options = {
  demo: { type: 'boolean', default: false },
  rate: { type: 'string', default: '100' },
  data: { type: 'string', default: '.afk' },
  fresh: { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  only: { type: 'string' },
  explain: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const main = async (): Promise<number> => {
  const { env } = process;
  const values = optionsIn(process.argv.slice(2), options);
  const { data, demo, 'dry-run': dryRun, only, explain } = values;
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (dryRun || only !== undefined || explain !== undefined)
    return runRehearsal({ dryRun, only, explain }, { folder: `${data}/real`, env });
  // Real where one of these is there; a GITHUB_TOKEN alone is found in many a shell and starts nothing.
  if (!demo && (env['T3_TOKEN'] !== undefined || env['T3_URL'] !== undefined))
    return runReal({ folder: `${data}/real`, env });
  return runSandbox({
    folder: `${data}/${demo ? 'demo/' : ''}sandbox`,
    isDemo: demo,
    isResumed: demo ? values.resume : !values.fresh,
    rate: wholeNumber('rate', values.rate, [1, 10_000]),
  });
};

endWithReader(process.stdout, (code) => process.exit(code));
process.exitCode = await exitCodeOf(main, (line) => void process.stderr.write(line));
