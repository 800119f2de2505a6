import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { endWithReader, exitCodeOf, optionsIn, UsageError, wholeNumber } from '../../lib/local/command-line.ts';

const options = { rate: { type: 'string', default: '100' }, help: { type: 'boolean', default: false } } as const;

/** What a program says, and its exit code, when it is started so. */
const started = async (args: readonly string[]): Promise<readonly [code: number, said: string]> => {
  const said: string[] = [];
  const code = await exitCodeOf(
    async () => wholeNumber('rate', optionsIn(args, options).rate, [1, 1000]),
    (line) => said.push(line),
  );
  return [code, said.join('')];
};

describe('A bad option is named in one line, with the way out, and is exit code 2', () => {
  test.each([
    [['--nonsense'], "Unknown option '--nonsense': --help shows what there is\n"],
    [['extra'], "Unexpected argument 'extra': --help shows what there is\n"],
    [['--rate'], "Option '--rate <value>' argument missing: --help shows what there is\n"],
    [['--rate', '-1'], "Option '--rate' argument is ambiguous: --help shows what there is\n"],
    [['--help=yes'], "Option '--help' does not take an argument: --help shows what there is\n"],
    [['--rate', 'abc'], '--rate takes a whole number from 1 to 1000, and not "abc"\n'],
    [['--rate', '0'], '--rate takes a whole number from 1 to 1000, and not "0"\n'],
    [['--rate', '1e2'], '--rate takes a whole number from 1 to 1000, and not "1e2"\n'],
    [['--rate', '1001'], '--rate takes a whole number from 1 to 1000, and not "1001"\n'],
    [['--rate', ''], '--rate takes a whole number from 1 to 1000, and not ""\n'],
  ])('%j', async (args, said) => {
    expect(await started(args)).toEqual([2, said]);
  });

  test('a good one is taken, and the default where there is none', async () => {
    expect(await started(['--rate', '7'])).toEqual([7, '']);
    expect(await started([])).toEqual([100, '']);
  });

  test('any other failure is not taken for one', async () => {
    const broken = async (): Promise<number> => {
      throw new TypeError('no such thing');
    };
    await expect(exitCodeOf(broken, () => undefined)).rejects.toThrow('no such thing');
    expect(new UsageError('x').message).toBe('x');
  });
});

test('a reader that goes away ends the program quietly, and any other failure of its output does not', () => {
  const codes: number[] = [];
  const output = new Writable();
  endWithReader(output, (code) => codes.push(code));
  output.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  expect(codes).toEqual([141]);
  expect(() => output.emit('error', new Error('disk full'))).toThrow('disk full');
});
