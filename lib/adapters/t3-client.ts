import type * as z from 'zod';
import { cleanLine, publicLine } from '../core/clean-text.ts';
import { type Answer, type Executor, PortError } from '../ports.ts';
import { failureOf, type HttpResponse, http } from './http.ts';
import {
  answerTo,
  archiveThread,
  interruptTurn,
  projectCreate,
  stopSession,
  type T3Command,
  threadCreate,
  turnStart,
  unarchiveThread,
} from './t3-commands.ts';
import { AuthSession, Detail, Environment, Refusal, Sequence, Shell, Snapshot, SnapshotThread } from './t3-wire.ts';

/** `url` is the server's origin, with or without a path before T3's own. `timeoutMs` bounds each call as a whole. */
export type T3Options = { url: string; token: string; timeoutMs?: number };

/**
 * A T3 Code server over HTTP (v0.0.32). What it says becomes: 200 on a command `accepted`; its own 500 `refused`, and
 * the command id is burnt; 400 and 415 a `PortError` `refused`, the id is free; 401 and 403 `unauthorised`, with what to
 * mint. No answer, other 5xx, and anything that is not T3's own words (a proxy's page) is `unavailable`: the same may
 * be asked again under the same ids.
 */
export const t3Client = ({ url, token, timeoutMs = 10_000 }: T3Options): Executor => {
  const ask = (method: 'GET' | 'POST', path: string, body?: unknown): Promise<HttpResponse> =>
    http({
      product: 'T3',
      url: `${url.replace(/\/+$/, '')}${path}`,
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'accept-encoding': 'gzip',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
      bytesMax: method === 'GET' ? lookBytesMax : answerBytesMax,
    });

  const read = async <S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> =>
    parsed(schema, await ask('GET', path), path);

  const dispatch = async (command: T3Command): Promise<Answer | 'invalid'> => {
    const response = await ask('POST', '/api/orchestration/dispatch', command);
    if (response.status === 200) {
      parsed(Sequence, response, 'dispatch');
      return 'accepted';
    }
    const refusal = refusalOf(response);
    // Only T3's own 500 burns the id; a proxy's says nothing about the command.
    if (response.status === 500 && refusal !== null) return 'refused';
    if (response.status === 400 && refusal?.reason === 'invalid_command') return 'invalid';
    throw isDefinite(response) ? failureOf('T3', response, null, excerpt(response)) : failureIn(response);
  };

  const order = async (command: T3Command): Promise<Answer> => {
    const answer = await dispatch(command);
    if (answer === 'invalid') throw new PortError('refused', `T3 calls ${command.type} invalid`);
    return answer;
  };

  return {
    look: () => read('/api/orchestration/shell', Shell),

    detail: async (threadId) => {
      const path = `/api/orchestration/threads/${encodeURIComponent(threadId)}?turnLimit=1`;
      const response = await ask('GET', path);
      // A proxy's 404 is no word about the thread.
      if (response.status === 404 && refusalOf(response)?.reason === 'thread_not_found') return null;
      return parsed(Detail, response, 'thread detail');
    },

    createProject: async (asked) => {
      const answer = await dispatch(projectCreate(asked));
      return answer === 'invalid' ? 'no checkout' : answer;
    },
    createThread: (asked) => order(threadCreate(asked)),
    startTurn: async (asked) => order(turnStart(asked)),
    answer: (asked) => order(answerTo(asked)),
    interrupt: (asked) => order(interruptTurn(asked)),
    stop: (asked) => order(stopSession(asked)),
    archive: (asked) => order(archiveThread(asked)),
    unarchive: (asked) => order(unarchiveThread(asked)),

    whereabouts: async (threadId) => {
      const { threads } = await read('/api/orchestration/snapshot', Snapshot);
      const entry = threads.find((thread) => isNamed(thread, threadId));
      if (entry === undefined) return 'absent';
      const { archivedAt, deletedAt } = readAs(SnapshotThread, entry, 'snapshot');
      if (deletedAt !== null) return 'deleted';
      if (archivedAt !== null) return 'archived';
      throw new PortError('unavailable', 'T3 still has the thread, neither archived nor deleted: look again');
    },

    health: async () => {
      const { serverVersion } = await read('/.well-known/t3/environment', Environment);
      const session = await read('/api/auth/session', AuthSession);
      if (!session.authenticated) throw new PortError('unauthorised', `T3 does not know the token: ${mint}`);
      const scopes = session.scopes ?? [];
      return {
        version: serverVersion,
        tokenExpiresAt: session.expiresAt ? Date.parse(session.expiresAt) : null,
        canOperate: scopes.includes('orchestration:read') && scopes.includes('orchestration:operate'),
      };
    },
  };
};

// About 730 bytes a thread, and the snapshot never shrinks: room for some 40 000 threads.
const lookBytesMax = 32 * 1024 * 1024;
const answerBytesMax = 64 * 1024;

const mint = 'mint one on its host with `t3 auth session issue --token-only` and store it as the T3 token';

/** A 200 read by its schema; any other answer is thrown. */
const parsed = <S extends z.ZodType>(schema: S, response: HttpResponse, what: string): z.output<S> => {
  if (response.status !== 200) throw failureIn(response);
  const body = jsonOf(response.text);
  if (body === undefined)
    throw new PortError('unavailable', `T3 answered 200 with something else than JSON: ${excerpt(response)}`);
  return readAs(schema, body, what);
};

const readAs = <S extends z.ZodType>(schema: S, body: unknown, what: string): z.output<S> => {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const where = read.error.issues[0]?.path.join('.') ?? '';
  throw new PortError('unavailable', `T3 answered ${what} in a form nobody knows, at "${cleanLine(where, 80)}"`);
};

// T3 refuses what it cannot decode with an empty 400; a page comes from something in front of it.
const isDefinite = (response: HttpResponse): boolean => {
  const isT3 = response.text === '' || refusalOf(response) !== null;
  return response.status === 415 || (response.status === 400 && isT3);
};

/** What an answer stands for that is neither 200 nor a refused command: a read is never refused for good. */
const failureIn = (response: HttpResponse): PortError => {
  const { status } = response;
  const refusal = refusalOf(response);
  if (status === 401)
    return failureOf('T3', response, null, `the token is not accepted (${excerpt(response)}): ${mint}`);
  if (status === 403) {
    const scope = cleanLine(refusal?.requiredScope ?? 'orchestration:read and orchestration:operate', 60);
    return failureOf('T3', response, null, `the token lacks the scope ${scope}: ${mint}`);
  }
  return new PortError('unavailable', failureOf('T3', response, null, excerpt(response)).message);
};

const refusalOf = ({ text }: HttpResponse): Refusal | null => {
  const read = Refusal.safeParse(jsonOf(text));
  return read.success ? read.data : null;
};

/** What was said, in a few clean words: T3's reason where it is T3 that speaks. */
const excerpt = (response: HttpResponse): string => {
  const refusal = refusalOf(response);
  if (refusal !== null) return cleanLine(refusal.reason ?? refusal.code ?? refusal._tag, 80);
  return response.text === '' ? 'nothing' : publicLine(response.text.slice(0, 1000), 120);
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isNamed = (entry: unknown, id: string): boolean =>
  typeof entry === 'object' && entry !== null && 'id' in entry && entry.id === id;
