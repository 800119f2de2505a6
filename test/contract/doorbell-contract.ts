import { describe, expect, test } from 'vitest';
import { type Notice, noticeOf } from '../../lib/core/notification.ts';
import { EndedRun } from '../../lib/core/run.ts';
import type { Doorbell } from '../../lib/ports.ts';
import { oneFromSchema } from '../support/from-schema.ts';
import { type Answer, answers, drops, hangs, loopback, nobody, type Received, stalls } from '../support/loopback.ts';

/** A doorbell at a server, with the credential that no error may show, and a good answer of its product. */
export type DoorbellAtServer = {
  at: (url: string, timeoutMs: number) => Doorbell;
  secret: string;
  good: Answer;
  /** Headline, body and link as they reached people, and whether the product was asked to be loud about it. */
  shown: (request: Received) => { text: string; loud: boolean | null };
  /** What untrusted text looks like on its way through the product. */
  escaped: (text: string) => string;
};

export const aNotice = (changes: Partial<Notice> = {}): Notice => ({
  ...noticeOf({ ...oneFromSchema(EndedRun), outcome: 'escalated' }),
  headline: 'handed back: acme/shop#7 Totals are wrong',
  body: 'Why: the agent gave up.\n\nWhat to do: take it from here.',
  url: 'https://github.com/acme/shop/issues/7',
  ...changes,
});

/** What every doorbell promises. */
export const doorbellContract = (name: string, { at, secret, good, shown, escaped }: DoorbellAtServer) => {
  const ring = async (answer: Answer, notice: Notice = aNotice(), timeoutMs = 5000) => {
    const server = await loopback(answer);
    await at(server.url, timeoutMs).ring(notice);
    return server;
  };

  describe(`${name} keeps the doorbell's promises`, () => {
    test('a ring is one request that shows headline, body and link', async () => {
      const { received } = await ring(good);
      expect(received).toHaveLength(1);
      const { text } = shown(received[0]!);
      expect(text).toContain('handed back: acme/shop#7 Totals are wrong');
      expect(text).toContain('Why: the agent gave up.\n\nWhat to do: take it from here.');
      expect(text).toContain('https://github.com/acme/shop/issues/7');
    });

    test('where a person is needed it is louder, where the product knows loudness', async () => {
      const [high, normal] = [
        await ring(good, aNotice({ urgency: 'high' })),
        await ring(good, aNotice({ urgency: 'normal' })),
      ];
      const loud = [high, normal].map(({ received }) => shown(received[0]!).loud);
      expect([
        [true, false],
        [null, null],
      ]).toContainEqual(loud);
    });

    test.each([
      [400, 'refused'],
      [404, 'refused'],
      [410, 'refused'],
      [302, 'refused'],
      [401, 'unauthorised'],
      [403, 'unauthorised'],
      [408, 'unavailable'],
      [429, 'unavailable'],
      [500, 'unavailable'],
      [503, 'unavailable'],
    ] as const)('status %i is %s, and the error shows neither secret nor answer', async (status, kind) => {
      const error = await failure(
        ring(answers(status, `your token was ${secret}`, { location: 'http://127.0.0.1:1/' })),
      );
      expect(error).toMatchObject({ name: 'PortError', kind });
      expect(error.message).toContain(String(status));
      expect(everything(error)).not.toContain(secret);
    });

    test('no answer, an answer that hangs, stalls or never ends: each is an outage, in time', async () => {
      const endless: Answer = (response) => {
        const more = () => void response.write('x'.repeat(16_384), (error) => error ?? setImmediate(more));
        more();
      };
      const silent = await Promise.all([hangs, stalls()].map((fault) => failure(ring(fault, aNotice(), 300))));
      for (const error of silent) expect(error.message).toContain('300 ms');
      const loud = await Promise.all([drops, endless].map((fault) => failure(ring(fault, aNotice(), 4000))));
      expect(loud[1]!.message).toContain('bytes');
      for (const error of [...silent, ...loud]) {
        expect(error).toMatchObject({ name: 'PortError', kind: 'unavailable' });
        expect(everything(error)).not.toContain(secret);
      }
    });

    test('nobody there is an outage, and the error does not say where', async () => {
      const url = await nobody();
      const error = await failure(at(url, 5000).ring(aNotice()));
      expect(error).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('ECONNREFUSED') });
      expect(everything(error)).not.toContain(new URL(url).host);
      expect(everything(error)).not.toContain(secret);
    });

    test('an address that is none is refused, and not shown', async () => {
      const error = await failure(at('no address', 5000).ring(aNotice()));
      expect(error).toMatchObject({ name: 'PortError', kind: 'refused' });
      expect(everything(error)).not.toMatch(new RegExp(`${secret}|no address`));
    });

    test('a web page is not taken for the product', async () => {
      const error = await failure(
        ring(answers(200, '<html>log in</html>', { 'content-type': 'text/html; charset=utf-8' })),
      );
      expect(error).toMatchObject({ name: 'PortError', kind: 'refused' });
    });

    test('a later time the product names is passed on', async () => {
      const error = await failure(ring(answers(429, '', { 'retry-after': '30' })));
      expect(error).toMatchObject({ notBefore: 1_030_000 });
    });

    test('words in a notice stay words: no mention, no link, no control character, no second line in a headline', async () => {
      const wicked = '<!channel> <https://evil.example|click> & @channel \u001b[31m\u202eabc\r\nX-Title: y';
      const { received } = await ring(good, aNotice({ headline: wicked, body: wicked }));
      const { text } = shown(received[0]!);
      expect(text).toContain(escaped('<!channel> <https://evil.example|click> & @channel abc X-Title: y'));
      expect(text).toContain(escaped('<!channel> <https://evil.example|click> & @channel abc\nX-Title: y'));
      expect(text).not.toMatch(/[\u001b\u202e\r]/);
      expect(received[0]!.headers).not.toHaveProperty('x-title');
    });

    test('what is too long is cut, in characters of any width, and rings all the same', async () => {
      for (const unit of ['a', '<', '錯', '👩‍👩‍👧', '\ud83d']) {
        const { received } = await ring(good, aNotice({ headline: unit.repeat(9000), body: unit.repeat(90_000) }));
        expect(Buffer.byteLength(received[0]!.body)).toBeLessThan(16_000);
        expect(received[0]!.body).not.toMatch(unit.isWellFormed() ? /\\ud|\ufffd/ : /\\ud/);
      }
    });

    test('a link that is none is left out, and the notice rings all the same', async () => {
      for (const url of ['', 'javascript:alert(1)', 'no link', 'file:///etc/passwd']) {
        const { received } = await ring(good, aNotice({ url, body: 'the body' }));
        expect(shown(received[0]!).text).toContain('the body');
        expect(received[0]!.body).not.toMatch(/javascript|passwd|no link/);
      }
    });
  });
};

const failure = async (ring: Promise<unknown>): Promise<Error> => {
  try {
    await ring;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('it rang');
};

/** All that a log could show of an error. */
const everything = (error: Error): string =>
  `${error.message}\n${error.stack}\n${String(error.cause)}\n${JSON.stringify(error)}`;
