import { expect, test } from 'vitest';
import { ntfyDoorbell } from '../../lib/adapters/ntfy.ts';
import { slackDoorbell } from '../../lib/adapters/slack.ts';
import { snsDoorbell } from '../../lib/adapters/sns.ts';
import { aNotice, doorbellContract } from '../contract/doorbell-contract.ts';
import { answers, loopback, type Received } from '../support/loopback.ts';
import { publishedIn, snsAnswer } from '../support/sns.ts';

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

const topicArn = 'arn:aws:sns:eu-west-1:111122223333:Afk-Topic';
const onSns = (endpoint: string, options: Partial<Parameters<typeof snsDoorbell>[0]> = {}) =>
  snsDoorbell({
    topicArn,
    endpoint,
    credentials: { accessKeyId: 'an-id', secretAccessKey: 'hush-hush' },
    now,
    ...options,
  });

doorbellContract('the doorbell on SNS', {
  at: (url, timeoutMs) => onSns(url, { timeoutMs }),
  secret: 'hush-hush',
  good: snsAnswer(topicArn),
  shown: (request) => ({ text: publishedIn(request)['Message']!, loud: null }),
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

test('a subject on SNS is what SNS takes, whatever the headline; the message has all of it', async () => {
  const { url, received } = await loopback(snsAnswer(topicArn));
  const headlines = ['Zwölf\r\n錯 👩‍👩‍👧', 'a'.repeat(400), '', '\ud83d', ' \t '];
  for (const headline of headlines) await onSns(url).ring(aNotice({ headline }));
  expect(received.map((request) => publishedIn(request)['Subject'])).toEqual([
    expect.stringMatching(/^AFK: Zw\?lf \? [?]+$/),
    `AFK: ${'a'.repeat(94)}`,
    'AFK:',
    expect.stringMatching(/^AFK:/),
    'AFK:',
  ]);
  expect(publishedIn(received[0]!)['Message']).toContain('Zwölf 錯');
});

test('a subscription to SNS can filter by urgency, and know a repeated notice by its id', async () => {
  const { url, received } = await loopback(snsAnswer(topicArn));
  await onSns(url).ring(aNotice({ urgency: 'high', id: 'notice-1' }));
  expect(Object.values(publishedIn(received[0]!))).toEqual(
    expect.arrayContaining(['urgency', 'high', 'noticeId', 'notice-1']),
  );
});

test('SNS’s one word for what is wrong is shown; another topic, or one that is none, is refused', async () => {
  const { url, received } = await loopback(snsAnswer(topicArn));
  await expect(onSns(url, { topicArn: `${topicArn}-2` }).ring(aNotice())).rejects.toMatchObject({
    kind: 'refused',
    message: 'SNS answered 404: NotFound',
  });
  for (const wrong of ['', 'afk', `${topicArn}.fifo`, 'arn:aws:sns:../x:111122223333:afk'])
    await expect(onSns(url, { topicArn: wrong }).ring(aNotice())).rejects.toMatchObject({ kind: 'refused' });
  expect(received).toHaveLength(1);
});

test('an answer of SNS without a receipt is no success', async () => {
  for (const text of ['<PublishResponse/>', '', 'ok', '{}']) {
    const { url } = await loopback(answers(200, text, { 'content-type': 'text/xml' }));
    await expect(onSns(url).ring(aNotice())).rejects.toMatchObject({ name: 'PortError' });
  }
});
