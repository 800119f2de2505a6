import { publicLine, publicText } from '../core/clean-text.ts';
import type { Notice } from '../core/notification.ts';
import { type Doorbell, PortError } from '../ports.ts';
import { failureOf, http } from './http.ts';

export type NtfyOptions = {
  /** The server, without the topic. */
  url: string;
  topic: string;
  /** An access token, for a topic that is not open. */
  token?: string;
  timeoutMs?: number;
  /** Epoch ms, for `notBefore`; without it a `Retry-After` is not passed on. */
  now?: () => number;
};

/**
 * A topic on an ntfy server, published to as JSON, so that no text of a notice ever is a header. A repeated ring is a
 * second message.
 */
export const ntfyDoorbell = ({ url, topic, token, timeoutMs = 5000, now }: NtfyOptions): Doorbell => ({
  name: 'ntfy',
  ring: async (notice) => {
    if (!/^[-_A-Za-z0-9]{1,64}$/.test(topic)) throw new PortError('refused', 'ntfy cannot be asked: no valid topic');
    const response = await http({
      product: 'ntfy',
      url: url.trim(),
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...(token === undefined ? {} : { authorization: `Bearer ${token.trim()}` }),
      },
      body: JSON.stringify(messageOf(notice, topic)),
      timeoutMs,
      bytesMax: 65_536,
    });
    if (response.status < 200 || response.status > 299) throw failureOf('ntfy', response, now?.() ?? null);
    // A web page is somebody else's answer: a login, a proxy.
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      throw new PortError('refused', 'ntfy answered with a web page: the address is no ntfy server');
    }
  },
});

// https://docs.ntfy.sh/publish/#publish-as-json; what is longer than 4,096 bytes would become an attachment.
const messageOf = (notice: Notice, topic: string) => ({
  topic,
  title: publicLine(notice.headline, 150),
  message: bounded(publicText(notice.body, 2500)) || publicLine(notice.headline, 150),
  priority: notice.urgency === 'high' ? 4 : 3,
  ...(/^https?:\/\//.test(notice.url) && URL.canParse(notice.url) ? { click: new URL(notice.url).href } : {}),
});

const bounded = (text: string): string => {
  // Encodes whole characters only, as many as there is room for.
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(messageBytesMax));
  return read === text.length ? text : `${text.slice(0, read)}…`;
};

const messageBytesMax = 3800;
