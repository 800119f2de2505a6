import { describe, expect, onTestFinished, test } from 'vitest';
import { readSecrets, ssmClient, ssmGate } from '../../lib/adapters/ssm-gate.ts';
import { controlNames } from '../../lib/core/control.ts';
import { localAws } from '../../lib/local/dynalite.ts';
import { type Answer, answers, drops, hangs, loopback, nobody, type Received, stalls } from '../support/loopback.ts';

const json = { 'content-type': 'application/x-amz-json-1.1' };
const says = (body: unknown, status = 200): Answer => answers(status, JSON.stringify(body), json);
const refuses = (status: number, type: string, message = ''): Answer => says({ __type: type, message }, status);
const asked = ({ body }: Received) => JSON.parse(body) as { Names: string[]; WithDecryption: boolean };

/** Parameter Store with these values. */
const holding =
  (values: Readonly<Record<string, unknown>>): Answer =>
  (response, request) => {
    const { Names } = asked(request);
    const Parameters = Names.filter((name) => name in values).map((Name) => ({ Name, Value: values[Name] }));
    return says({ Parameters, InvalidParameters: Names.filter((name) => !(name in values)) })(response, request);
  };

const settings = JSON.stringify({
  t3Url: 'http://127.0.0.1:4000',
  defaults: { model: 'm', workspaceRoot: '/srv/checkouts/{owner}__{name}' },
});
const armed = {
  '/afk/control/kill-switch': 'false',
  '/afk/control/allowlist': 'Acme/Shop',
  '/afk/control/allowlist-3': 'acme/tools',
  '/afk/control/settings': settings,
};

const clientAt = (endpoint: string) => {
  const client = ssmClient({ endpoint, ...localAws });
  onTestFinished(() => client.destroy());
  return client;
};

const readFrom = async (answer: Answer) => {
  const server = await loopback(answer);
  const control = await ssmGate({ client: clientAt(server.url) }).read();
  return { control, ...server };
};

describe('the gate', () => {
  test('is open where the kill switch reads false and the settings are whole; all parts of the allowlist count', async () => {
    const { control } = await readFrom(holding(armed));
    expect(control).toMatchObject({ state: 'on', allowlist: ['acme/shop', 'acme/tools'], noDispatch: null });
  });

  test('is one request for all control parameters by exact name, which decrypts nothing', async () => {
    const { received } = await readFrom(holding(armed));
    expect(received).toHaveLength(1);
    expect(received[0]!.headers['x-amz-target']).toBe('AmazonSSM.GetParameters');
    expect(asked(received[0]!)).toMatchObject({ Names: controlNames, WithDecryption: false });
  });

  test('is asked anew at each read', async () => {
    let values: Record<string, string> = armed;
    const { url } = await loopback((response, request) => holding(values)(response, request));
    const gate = ssmGate({ client: clientAt(url) });
    expect(await gate.read()).toMatchObject({ state: 'on' });
    values = { ...armed, '/afk/control/kill-switch': 'true' };
    expect(await gate.read()).toEqual({ state: 'off', reason: 'the kill switch is on', unreadable: false, halt: null });
  });

  const cases: readonly (readonly [string, Answer, RegExp])[] = [
    ['that closes the connection', drops, /ECONNRESET|EPIPE/],
    ['that answers with HTML', answers(200, '<html>', { 'content-type': 'text/html' }), /no JSON/],
    ['that answers with HTML and an error', answers(502, '<html>', { 'content-type': 'text/html' }), /./],
    ['that answers with cut JSON', answers(200, '{"Parameters":[{"Name"', json), /no JSON/],
    ['that answers 200 with nothing', answers(200, '', json), /list of parameters/],
    ['that answers with an empty object', says({}), /list of parameters/],
    ['that answers with no object', says([]), /list of parameters/],
    ['that answers null', says(null), /./],
    ['that throttles', refuses(400, 'ThrottlingException', 'Rate exceeded'), /Rate exceeded/],
    ['that fails', refuses(500, 'InternalServerError'), /InternalServerError/],
    ['that does not let us', refuses(400, 'AccessDeniedException', 'not authorized'), /not authorized/],
    ['that does not know us', refuses(400, 'UnrecognizedClientException'), /UnrecognizedClient/],
    ['that redirects', answers(302, '', { location: 'http://127.0.0.1:1/' }), /./],
    ['that says nothing of any name', says({ Parameters: [], InvalidParameters: [] }), /kill-switch/],
    ['that knows no parameter', holding({}), /kill-switch is absent/],
  ];
  const isOffAt = async (answer: Answer, reason: RegExp): Promise<void> => {
    const startedAt = performance.now();
    const { control, received, connections } = await readFrom(answer);
    expect(performance.now() - startedAt).toBeLessThan(3500);
    expect(control).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringMatching(reason) });
    expect([received.length, connections()]).toEqual([1, 1]);
  };
  test.each(cases)(
    'is off, with the reason, at a Parameter Store %s, which is asked exactly once',
    (_, answer, reason) => isOffAt(answer, reason),
  );

  test('is off, with the reason, at one that hangs, or stalls in mid-body, each of which is asked exactly once', async () => {
    await Promise.all([hangs, stalls(json)].map((answer) => isOffAt(answer, /in time/)));
  });

  test('is off where nobody listens', async () => {
    const control = await ssmGate({ client: clientAt(await nobody()) }).read();
    expect(control).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringContaining('ECONNREFUSED') });
  });

  test.each([[false], [0], [null], [{}], [['false']]])(
    'is off where the kill switch is the value %j and no text',
    async (value) => {
      const { control } = await readFrom(holding({ ...armed, '/afk/control/kill-switch': value }));
      expect(control).toMatchObject({ state: 'off', unreadable: true });
    },
  );

  test('is off where a part of the allowlist is neither given nor said to be absent', async () => {
    const Parameters = Object.entries(armed).map(([Name, Value]) => ({ Name, Value }));
    const InvalidParameters = controlNames.filter((name) => !(name in armed) && !name.endsWith('-2'));
    const { control } = await readFrom(says({ Parameters, InvalidParameters }));
    expect(control).toMatchObject({ state: 'off', unreadable: true, reason: expect.stringContaining('allowlist-2') });
  });

  test('does not quote an error about a signature, which quotes what was signed', async () => {
    const { control } = await readFrom(refuses(400, 'InvalidSignatureException', 'x-amz-security-token:hush-hush'));
    expect(JSON.stringify(control)).toMatch(/^(?!.*hush).*InvalidSignatureException/);
  });
});

describe('secrets', () => {
  test('are read decrypted by exact name, and those that do not exist are left out', async () => {
    const { url, received } = await loopback(holding({ '/afk/secret/a': 'one', '/afk/secret/c': 'three' }));
    const names = ['/afk/secret/a', '/afk/secret/b', '/afk/secret/c'];
    expect(await readSecrets(clientAt(url), names)).toEqual(
      new Map([
        ['/afk/secret/a', 'one'],
        ['/afk/secret/c', 'three'],
      ]),
    );
    expect(received.map(asked)).toMatchObject([{ Names: names, WithDecryption: true }]);
  });

  test('are not asked for where there is no name, and ten at a time where there are many', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `/afk/secret/${n}`);
    const { url, received } = await loopback(holding(Object.fromEntries(names.map((name) => [name, name]))));
    expect(await readSecrets(clientAt(url), [])).toEqual(new Map());
    expect(received).toEqual([]);
    expect((await readSecrets(clientAt(url), names)).size).toBe(12);
    expect(received.map((request) => asked(request).Names.length)).toEqual([10, 2]);
  });

  test('a value nobody asked for is not handed out', async () => {
    const { url } = await loopback(
      says({ Parameters: [{ Name: '/afk/secret/z', Value: 'z' }], InvalidParameters: [] }),
    );
    expect(await readSecrets(clientAt(url), ['/afk/secret/a'])).toEqual(new Map());
  });

  test.each([
    ['throttling', refuses(400, 'ThrottlingException'), 'unavailable'],
    ['a fault', refuses(500, 'InternalServerError'), 'unavailable'],
    ['no answer', drops, 'unavailable'],
    ['a missing permission', refuses(400, 'AccessDeniedException'), 'unauthorised'],
    ['a key that may not be used', refuses(400, 'InvalidKeyId'), 'refused'],
    ['an answer that is none', says({}), 'unavailable'],
  ] as const)('%s is a port error of the right kind', async (_, answer, kind) => {
    const { url } = await loopback(answer);
    await expect(readSecrets(clientAt(url), ['/afk/secret/a'])).rejects.toMatchObject({ name: 'PortError', kind });
  });
});
