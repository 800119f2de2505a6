import * as z from 'zod';
import { type T3Refusal, type T3Scope, t3Scopes } from './t3-auth.ts';
import { iso } from './t3-view.ts';
import type { T3World } from './t3-world.ts';

/** A request as it came: the path with its query, header names in lower case, the body as text (`''` for none). */
export type T3Request = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
};

/** What goes back: exactly these headers (an empty body has no content type), the body as text. */
export type T3Response = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/**
 * The HTTP face of a T3 world without its sockets: routes, bearer tokens, error bodies. Credentials are looked at before the
 * content type and that before the body, so a request that may not pass says nothing about itself. Never throws.
 */
export const t3Handler =
  (world: T3World) =>
  (request: T3Request, now: number): T3Response => {
    const [path = '', query = ''] = request.path.split('?', 2);
    switch (`${request.method} ${path}`) {
      case 'GET /.well-known/t3/environment':
        return json(world.environment());
      case 'GET /api/auth/session':
        return json({ status: 200, body: sessionState(world, request, now) });
      case 'POST /api/auth/pairing-token':
        return ifAllowed(world, request, 'access:write', now, () => pairing(world, request, now));
      case 'POST /oauth/token':
        return tokenExchange(world, request, now);
      case 'POST /api/orchestration/dispatch':
        return ifAllowed(world, request, 'orchestration:operate', now, () => dispatch(world, request, now));
      case 'GET /api/orchestration/shell':
        return ifAllowed(world, request, 'orchestration:read', now, () => json(world.shell(now)));
      case 'GET /api/orchestration/snapshot':
        return ifAllowed(world, request, 'orchestration:read', now, () => json(world.snapshot(now)));
      default:
        return request.method === 'GET' && path.startsWith(threadsPath)
          ? ifAllowed(world, request, 'orchestration:read', now, () => threadDetail(world, path, query, now))
          : empty(404);
    }
  };

const threadsPath = '/api/orchestration/threads/';

const ifAllowed = (
  world: T3World,
  { headers }: T3Request,
  scope: T3Scope,
  now: number,
  answer: () => T3Response,
): T3Response => {
  const refusal = world.auth.refusal(headers['authorization'], scope, now);
  if (!refusal) return answer();
  return json({ status: refusal === 'insufficient_scope' ? 403 : 401, body: refused(refusal, scope, world.traceId()) });
};

const refused = (refusal: T3Refusal, requiredScope: T3Scope, traceId: string) =>
  refusal === 'insufficient_scope'
    ? { _tag: 'EnvironmentScopeRequiredError', code: refusal, requiredScope, traceId }
    : { _tag: 'EnvironmentAuthInvalidError', code: 'auth_invalid', reason: refusal, traceId };

const dispatch = (world: T3World, { headers, body }: T3Request, now: number): T3Response => {
  const contentType = headers['content-type'];
  // None at all is taken for JSON.
  if (contentType !== undefined && !contentType.startsWith('application/json')) return unsupported;
  const parsed = parsedJson(body);
  return parsed === undefined ? empty(400) : json(world.dispatch(parsed, now));
};

const threadDetail = (world: T3World, path: string, query: string, now: number): T3Response => {
  const threadId = decoded(path.slice(threadsPath.length));
  const turnLimit = TurnLimit.safeParse(new URLSearchParams(query).get('turnLimit') ?? undefined);
  return threadId === null || !turnLimit.success ? empty(400) : json(world.detail(threadId, now, turnLimit.data));
};
const TurnLimit = z.coerce.number().int().min(1).optional();

const sessionState = (world: T3World, { headers }: T3Request, now: number) => {
  const grant = world.auth.grantOf(headers['authorization'], now);
  const auth = {
    policy: 'loopback-browser',
    bootstrapMethods: ['one-time-token'],
    sessionMethods: ['browser-session-cookie', 'bearer-access-token', 'dpop-access-token'],
    sessionCookieName: 't3_session',
  };
  if (!grant) return { authenticated: false, auth };
  const { scopes, expiresAt } = grant;
  return { authenticated: true, auth, scopes, sessionMethod: 'bearer-access-token', expiresAt: iso(expiresAt) };
};

const PairingRequest = z.object({ label: z.string(), scopes: z.array(z.enum(t3Scopes)) });

const pairing = (world: T3World, { body }: T3Request, now: number): T3Response => {
  const asked = PairingRequest.safeParse(parsedJson(body));
  if (!asked.success) return empty(400);
  const { id, credential, expiresAt } = world.auth.pair(asked.data.scopes, now);
  return json({ status: 200, body: { id, credential, label: asked.data.label, expiresAt: iso(expiresAt) } });
};

// What a refused exchange answers was not recorded.
const tokenExchange = (world: T3World, { body }: T3Request, now: number): T3Response => {
  const form = new URLSearchParams(body);
  const scopes = (form.get('scope') ?? '').split(' ');
  const token = world.auth.exchange(form.get('subject_token') ?? '', scopes, now);
  if (!token) return empty(400);
  const exchanged = {
    access_token: token.token,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: token.expiresInSeconds,
    scope: token.scopes.join(' '),
  };
  return json({ status: 200, body: exchanged }, { 'cache-control': 'no-store' });
};

const json = (answer: { status: number; body: unknown }, headers: Record<string, string> = {}): T3Response =>
  answer.body === ''
    ? empty(answer.status)
    : {
        status: answer.status,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(answer.body),
      };
const empty = (status: number): T3Response => ({ status, headers: {}, body: '' });
const unsupported: T3Response = {
  status: 415,
  headers: { 'content-type': 'text/plain' },
  body: 'Unsupported Media Type',
};

const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};
