import * as z from 'zod';

/** What of vitest's JSON report tells which test failed. */
export const Results = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});
export type Results = z.infer<typeof Results>;

/** `too slow`: nothing failed but by its time, which a busy machine does to a test without any break. */
export type Verdict = { by: string } | 'too slow';

/**
 * The first test that failed by what it says, in a run that failed; files are named from `folder` on. Throws where no
 * test did: a copy that does not even load shows nothing of the break.
 */
export const verdictOf = ({ testResults }: Results, folder: string): Verdict => {
  const failed = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map((test) => ({ name, ...test })),
  );
  const telling = failed.find(({ failureMessages }) => !isTimeOut(failureMessages ?? []));
  if (telling !== undefined) return { by: `${telling.name.replace(`${folder}/`, '')}: ${telling.fullName.trim()}` };
  if (failed.length > 0) return 'too slow';
  const broken = testResults.find(({ status }) => status === 'failed');
  throw new Error(`no test failed, and yet the run did: ${broken?.name} ${broken?.message}`);
};

const isTimeOut = (messages: readonly string[]): boolean =>
  messages.length > 0 && messages.every((message) => /(?:Test|Hook) timed out in/.test(message));
