import { endWithReader, exitCodeOf, optionsIn } from '../../lib/local/command-line.ts';

const help = `What a tick costs: calls, GitHub's points and bytes, counted at the sockets, against the stand-ins over HTTP.

  npm run bench

It says what an idle and a busy tick ask of each service for 1, 100 and 1,000 repos, next to the plain way of one request
a repo; how that grows with open runs; and what the disarmed and the armed path load, from twenty fresh processes each.
It takes about two minutes. Counts are exact; times are noisy. Exit code 0 where every target is met, 1 where one is
missed, 2 for a bad option.
`;

const main = async (): Promise<number> => {
  if (optionsIn(process.argv.slice(2), { help: { type: 'boolean', default: false } }).help) {
    process.stdout.write(help);
    return 0;
  }
  const { costs } = await import('./costs.ts');
  return costs();
};

endWithReader(process.stdout, (code) => process.exit(code));
process.exitCode = await exitCodeOf(main, (line) => void process.stderr.write(line));
