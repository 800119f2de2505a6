import * as z from 'zod';
import { cleanLine } from '../core/clean-text.ts';
import { PortError } from '../ports.ts';

/** The `PortError` for whatever an AWS client threw. Time-outs and everything unknown are `unavailable`. */
export const awsFailureOf = (asked: string, error: unknown): PortError => {
  const { name, status } = shapeOf(error);
  return new PortError(kindOf(name, status), `${asked} failed: ${reasonOf(error)}`);
};

/** An error of an AWS client in words, bounded and without a secret: what the service said, or how it came to say nothing. */
export const reasonOf = (error: unknown): string => {
  const { name, code, status, message } = shapeOf(error);
  // The client calls a closed connection a time-out too; its code tells them apart.
  if (code === 'ETIMEDOUT' || (timeOuts.has(name) && code === undefined)) return 'no whole answer in time';
  if (name === 'SyntaxError') return 'the answer is no JSON';
  if (status === undefined) return cleanLine(code ?? name, 80);
  // An error about a signature or a token quotes what was signed, token and all.
  return quotesSecrets.test(name) ? cleanLine(name, 80) : cleanLine(`${name} (${status}): ${message}`, 250);
};

/** True where the request may have been obeyed although it failed: nobody answered, or the answer was no answer. */
export const mayHaveTakenHold = (error: unknown): boolean => {
  const { status } = shapeOf(error);
  return status === undefined || status < 300 || status >= 500;
};

const kindOf = (name: string, status: number | undefined): PortError['kind'] => {
  if (throttles.has(name) || status === 429) return 'unavailable';
  if (credentials.test(name) || status === 401 || status === 403) return 'unauthorised';
  return status !== undefined && status >= 400 && status < 500 ? 'refused' : 'unavailable';
};

const quotesSecrets = /Signature|Token/;
const timeOuts: ReadonlySet<string> = new Set(['AbortError', 'TimeoutError']);
const throttles: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);
const credentials =
  /^(?:AccessDenied|Credentials|ExpiredToken|Incomplete|InvalidClientToken|InvalidSignature|Missing|Token|UnrecognizedClient)/;

const Shape = z.object({
  name: z.string().catch('Error'),
  message: z.string().catch(''),
  code: z
    .string()
    .regex(/^[A-Z_]{2,40}$/)
    .optional()
    .catch(undefined),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).catch({}).optional(),
});

type Shape = { name: string; message: string; code: string | undefined; status: number | undefined };

const shapeOf = (error: unknown): Shape => {
  const { data } = Shape.safeParse(error);
  return {
    name: data?.name ?? 'Error',
    message: data?.message ?? '',
    code: data?.code,
    status: data?.$metadata?.httpStatusCode,
  };
};
