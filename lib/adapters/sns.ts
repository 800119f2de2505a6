import * as z from 'zod';
import { publicLine, publicText } from '../core/clean-text.ts';
import type { Notice } from '../core/notification.ts';
import { topicArnPattern } from '../core/topic-arn.ts';
import { type Doorbell, PortError } from '../ports.ts';
import { awsFailureOf } from './aws-error.ts';
import { failureOf, http } from './http.ts';

export type SnsOptions = {
  /** A standard topic; a FIFO one would ask for an order that notices have not. */
  topicArn: string;
  timeoutMs?: number;
  /** Epoch ms, for `notBefore`; without it a `Retry-After` is not passed on. */
  now?: () => number;
  /** Without these the environment decides; the region is the topic's. */
  endpoint?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
};

/**
 * A topic of Amazon SNS: whoever subscribed hears of it, by e-mail or otherwise. Urgency and id travel as attributes, by
 * which a subscription can filter. A repeated ring is a second message. The client is loaded by the first ring.
 */
export const snsDoorbell = ({ topicArn, timeoutMs = 5000, now, endpoint, credentials }: SnsOptions): Doorbell => ({
  name: 'sns',
  ring: async (notice) => {
    const region = topicArnPattern.exec(topicArn)?.[1];
    if (region === undefined) throw new PortError('refused', 'SNS cannot be asked: no ARN of a standard topic');
    if (endpoint !== undefined && !URL.canParse(endpoint))
      throw new PortError('refused', 'SNS cannot be asked: no valid address');
    const { SNSClient, PublishCommand } = await import('@aws-sdk/client-sns');
    const client = new SNSClient({
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
      // One attempt: what is owed is asked for again by the next tick.
      maxAttempts: 1,
      requestHandler: handlerWith(timeoutMs, now),
    });
    try {
      const answer = await client.send(new PublishCommand({ TopicArn: topicArn, ...messageOf(notice) }));
      if (!Receipt.safeParse(answer).success) throw new PortError('refused', 'SNS gave no receipt: this is no SNS');
    } catch (error) {
      throw error instanceof PortError ? error : awsFailureOf('SNS Publish', error);
    } finally {
      client.destroy();
    }
  },
});

const Receipt = z.object({ MessageId: z.string().min(1) });

type Sent = {
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
};

/**
 * The client signs and reads; what is sent is sent as with every other doorbell: once, without following anybody, within
 * a time that covers the whole answer, and no more of that than fits.
 */
const handlerWith = (timeoutMs: number, now: (() => number) | undefined) => ({
  handle: async ({ protocol, hostname, port, path, headers, body }: Sent) => {
    // Both follow from the address and the body, and are not for a caller of `fetch` to say.
    const { host: _host, 'content-length': _length, ...own } = headers;
    const response = await http({
      product: 'SNS',
      url: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`,
      method: 'POST',
      headers: own,
      body: String(body),
      timeoutMs,
      bytesMax: 65_536,
    });
    // SNS says in one word what is wrong, such as `NotFound` or `InvalidParameter`.
    const word = /<Code>([A-Za-z.]{1,60})<\/Code>/.exec(response.text)?.[1] ?? '';
    if (response.status < 200 || response.status > 299) throw failureOf('SNS', response, now?.() ?? null, word);
    if (response.headers.get('content-type')?.startsWith('text/html'))
      throw new PortError('refused', 'SNS answered with a web page: the address is no SNS');
    return {
      response: {
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
        body: new TextEncoder().encode(response.text),
      },
    };
  },
});

// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const messageOf = (notice: Notice) => ({
  Subject: subjectOf(notice.headline),
  Message: [
    publicLine(notice.headline, 150),
    bounded(publicText(notice.body, 2500)),
    /^https?:\/\//.test(notice.url) && URL.canParse(notice.url) ? new URL(notice.url).href : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n'),
  MessageAttributes: {
    urgency: { DataType: 'String', StringValue: notice.urgency },
    noticeId: { DataType: 'String', StringValue: notice.id },
  },
});

/** A subject is refused as a whole for one character outside ASCII, and for its hundredth; the message holds all of it. */
const subjectOf = (headline: string): string => {
  const line = publicLine(headline, 150).replace(/[^\x20-\x7e]/g, '?');
  return `AFK: ${line}`.slice(0, 99).trimEnd();
};

/** Far below the limit of 256 KiB: a notice is to be read on a phone. */
const bounded = (text: string): string => {
  // Encodes whole characters only, as many as there is room for.
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(3800));
  return read === text.length ? text : `${text.slice(0, read)}…`;
};
