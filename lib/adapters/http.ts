import { PortError } from '../ports.ts';

/** One request. `product` names the other side in errors; the url never does, because it may hold a secret. */
export type HttpRequest = {
  product: string;
  url: string;
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** For headers and body together. */
  timeoutMs: number;
  /** A longer answer, counted when unpacked, is given up. */
  bytesMax: number;
};

export type HttpResponse = { status: number; headers: Headers; text: string };

/**
 * Asks once and returns whatever was answered, errors and redirects included: those are not followed, so that no
 * credential goes where it was not meant for. Without a whole answer in time: `PortError` `unavailable`; for a
 * request that cannot be sent at all: `refused`. Neither quotes the url, the headers or the cause.
 */
export const http = async (request: HttpRequest): Promise<HttpResponse> => {
  const { product, url, method, headers = {}, body, timeoutMs, bytesMax } = request;
  const signal = AbortSignal.timeout(timeoutMs);
  const init = { method, headers, redirect: 'manual', signal, ...(body === undefined ? {} : { body }) } as const;
  const sendable = requestOf(product, url, init);
  try {
    const response = await fetch(sendable);
    const text = await textOf(response, bytesMax);
    if (text === null) throw new PortError('unavailable', `${product} answered with more than ${bytesMax} bytes`);
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    if (error instanceof PortError) throw error;
    const reason = signal.aborted ? `no whole answer within ${timeoutMs} ms` : codeOf(error);
    throw new PortError('unavailable', `${product} could not be asked: ${reason}`);
  }
};

/**
 * The `PortError` that an unsuccessful status stands for. `detail` is shown, so it must be clean. `now` is epoch ms;
 * with it, a `Retry-After` in seconds or as a date becomes `notBefore`.
 */
export const failureOf = (product: string, response: HttpResponse, now: number | null, detail = ''): PortError => {
  const message = `${product} answered ${response.status}${detail === '' ? '' : `: ${detail}`}`;
  return new PortError(kindOf(response.status), message, { notBefore: notBeforeOf(response.headers, now) });
};

const kindOf = (status: number): PortError['kind'] => {
  if (status === 401 || status === 403) return 'unauthorised';
  if (status === 408 || status === 425 || status === 429 || status >= 500) return 'unavailable';
  return 'refused';
};

const notBeforeOf = (headers: Headers, now: number | null): number | null => {
  const after = headers.get('retry-after')?.trim();
  if (now === null || after === undefined || after === '') return null;
  if (/^\d{1,8}$/.test(after)) return now + Number(after) * 1000;
  const at = Date.parse(after);
  return Number.isFinite(at) && at > now ? at : null;
};

// The platform quotes a url or a header it cannot send, secrets and all, so this happens apart and says less.
const requestOf = (product: string, url: string, init: RequestInit): Request => {
  try {
    return new Request(url, init);
  } catch {
    throw new PortError('refused', `${product} cannot be asked: its address or a header is not valid`);
  }
};

const textOf = async (response: Response, bytesMax: number): Promise<string | null> => {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body, and with it the connection.
    if (bytes > bytesMax) return null;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
};

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? code : 'the connection failed';
};
