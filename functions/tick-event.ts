import * as z from 'zod';
import { isRepoName } from '../lib/core/repo-name.ts';

/** What an invocation asks for: a tick, a tick that only says what it would do, or every gate of one issue. */
export type Wanted =
  | { kind: 'tick'; only: string | null; executionId: string | null }
  | { kind: 'dryRun'; only: string | null }
  | { kind: 'explain'; repo: string; number: number };

/** An event that is none of the allowed forms. Nothing was read or asked of anybody. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

/** The forms a person may send from the console, as a message for whoever sent another. */
export const allowedForms = `allowed are
  {}                              one tick, as the schedule asks for
  {"dryRun": true}                every ruling and decision, and nothing is written
  {"only": "owner/name"}          one tick for that repo alone
  {"dryRun": true, "only": "owner/name"}
  {"explain": "owner/name#7"}     every gate for that issue, with the fact behind it
and the events of EventBridge Scheduler and of Parameter Store Change`;

/** Parses an event; throws `EventRefused`, which shows the allowed forms. Keys nobody knows are refused, never ignored. */
export const wantedOf = (event: unknown): Wanted => {
  const forms = [Explain, Asked, Schedule, ParameterChange];
  for (const form of forms) {
    const parsed = form.safeParse(event);
    if (parsed.success) return parsed.data;
  }
  throw new EventRefused(`this event is not understood: ${allowedForms}`);
};

const RepoName = z.string().refine(isRepoName);

const Explain = z
  .strictObject({ explain: z.string().regex(/^[^#\s]{1,201}#\d{1,9}$/) })
  .transform(({ explain }): Wanted => {
    const [repo = '', number] = explain.split('#');
    return { kind: 'explain', repo, number: Number(number) };
  })
  .refine((wanted) => wanted.kind === 'explain' && isRepoName(wanted.repo) && wanted.number > 0);

// `{"dryRun": false}` is none of the forms: who writes it expects something other than a tick that writes.
const Asked = z
  .strictObject({ dryRun: z.literal(true).optional(), only: RepoName.optional() })
  .transform(
    ({ dryRun, only = null }): Wanted =>
      dryRun === true ? { kind: 'dryRun', only } : { kind: 'tick', only, executionId: null },
  );

/** Ours names its execution; a schedule without an input of its own sends an event with an id. */
const Schedule = z
  .object({
    source: z.literal('aws.scheduler'),
    executionId: z.string().max(200).optional(),
    id: z.string().max(200).optional(),
  })
  .transform(({ executionId, id }): Wanted => ({ kind: 'tick', only: null, executionId: executionId ?? id ?? null }));

const ParameterChange = z
  .object({ source: z.literal('aws.ssm'), 'detail-type': z.literal('Parameter Store Change') })
  .transform((): Wanted => ({ kind: 'tick', only: null, executionId: null }));
