import type { Writable } from 'node:stream';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What is wrong about a command line, in words that name the option and the way out. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** The values of the options by their names. Throws a UsageError for one that is unknown, or has no value. */
export const optionsIn = <const O extends Options>(args: readonly string[], options: O) => {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')))
      throw error;
    const [said = ''] = error.message.split(/\.\s|\n/, 1);
    throw new UsageError(`${said.replace(/\.$/, '')}: --help shows what there is`);
  }
};

/** A whole number of the range, ends included. Throws a UsageError for anything else. */
export const wholeNumber = (name: string, text: string, [min, max]: readonly [min: number, max: number]): number => {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `--${name} takes a whole number from ${min} to ${max}, and not ${JSON.stringify(text.slice(0, 40))}`,
  );
};

/** The exit code of a program: its own, or 2 once it was said what is wrong about the command line. */
export const exitCodeOf = async (program: () => Promise<number>, complain: (line: string) => void): Promise<number> => {
  try {
    return await program();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`${error.message}\n`);
    return 2;
  }
};

/** Ends a program whose reader went away (`| head`) as a shell's own would end: quietly, by 141. */
export const endWithReader = (output: Writable, exit: (code: number) => void): void => {
  output.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) throw error;
    exit(141);
  });
};
