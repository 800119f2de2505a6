import { expect, test } from 'vitest';
import { ntfyDoorbell } from '../../lib/adapters/ntfy.ts';
import { slackDoorbell } from '../../lib/adapters/slack.ts';
import { aNotice, doorbellContract } from '../contract/doorbell-contract.ts';
import { answers, loopback, type Received } from '../support/loopback.ts';

const now = () => 1_000_000;

const slackSays = (status: number, text: string) => answers(status, text, { 'content-type': 'text/plain' });
const ntfySays = answers(200, '{"id":"x","event":"message"}', { 'content-type': 'application/json' });
const jsonOf = ({ body }: Received) => JSON.parse(body) as Record<string, unknown>;

doorbellContract('the doorbell on Slack', {
  at: (url, timeoutMs) => slackDoorbell({ webhookUrl: `${url}/services/T000/B000/hush-hush`, timeoutMs, now }),
  secret: 'hush-hush',
  good: slackSays(200, 'ok'),
  shown: (request) => ({ text: String(jsonOf(request)['text']), loud: null }),
  escaped: (text) =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('@channel', '@\u2060channel'),
});

doorbellContract('the doorbell on ntfy', {
  at: (url, timeoutMs) => ntfyDoorbell({ url, topic: 'afk-acme', token: 'hush-hush', timeoutMs, now }),
  secret: 'hush-hush',
  good: ntfySays,
  shown: (request) => {
    const { title, message, click, priority } = jsonOf(request);
    return { text: `${title}\n${message}\n${click}`, loud: Number(priority) > 3 };
  },
  escaped: (text) => text,
});

test('Slack is asked under the very address of the webhook, white space around it aside', async () => {
  const { url, received } = await loopback(slackSays(200, 'ok'));
  await slackDoorbell({ webhookUrl: ` ${url}/services/T000/B000/hush-hush\n` }).ring(aNotice());
  expect(received[0]).toMatchObject({ method: 'POST', path: '/services/T000/B000/hush-hush' });
});

test('Slack’s one word for what is wrong is shown, and nothing longer', async () => {
  const ring = async (text: string) => {
    const { url } = await loopback(slackSays(404, text));
    return slackDoorbell({ webhookUrl: url }).ring(aNotice());
  };
  await expect(ring('no_service')).rejects.toThrow('Slack answered 404: no_service');
  await expect(ring('no service at /T000/hush')).rejects.toThrow(/^Slack answered 404$/);
});

test('a link with marks of Slack’s own in it does not become another link', async () => {
  const { url, received } = await loopback(slackSays(200, 'ok'));
  await slackDoorbell({ webhookUrl: url }).ring(aNotice({ url: 'https://github.com/a?b=1&c=2|here>' }));
  expect(jsonOf(received[0]!)['text']).toMatch(/\n<https:\/\/github\.com\/a\?b=1&amp;c=2%7Chere%3E>$/);
});

test('ntfy is told the topic in the body and the token in its header', async () => {
  const { url, received } = await loopback(ntfySays);
  await ntfyDoorbell({ url, topic: 'afk-acme', token: '\nhush-hush\n' }).ring(aNotice());
  await ntfyDoorbell({ url, topic: 'afk-open' }).ring(aNotice());
  expect(received[0]).toMatchObject({ path: '/', headers: { authorization: 'Bearer hush-hush' } });
  expect(received.map(jsonOf)).toMatchObject([{ topic: 'afk-acme' }, { topic: 'afk-open' }]);
  expect(received[1]!.headers).not.toHaveProperty('authorization');
});

test('a token or a topic that cannot be sent is refused without being shown', async () => {
  const { url, received } = await loopback(ntfySays);
  for (const wrong of [{ topic: 'afk', token: 'hush\nX-Evil: 1' }, { topic: 'hush/../x' }, { topic: '' }]) {
    const ring = ntfyDoorbell({ url, ...wrong }).ring(aNotice());
    await expect(ring).rejects.toMatchObject({ kind: 'refused', message: expect.not.stringContaining('hush') });
  }
  expect(received).toEqual([]);
});

test('a message to ntfy stays below the size at which it becomes an attachment', async () => {
  const { url, received } = await loopback(ntfySays);
  await ntfyDoorbell({ url, topic: 'afk' }).ring(aNotice({ body: '錯'.repeat(5000) }));
  expect(Buffer.byteLength(String(jsonOf(received[0]!)['message']))).toBeLessThan(4096);
});
