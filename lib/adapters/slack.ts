import { publicLine, publicText } from '../core/clean-text.ts';
import type { Notice } from '../core/notification.ts';
import { type Doorbell, PortError } from '../ports.ts';
import { failureOf, http } from './http.ts';

export type SlackOptions = {
  /** A secret: whoever knows it may post. */
  webhookUrl: string;
  timeoutMs?: number;
  /** Epoch ms, for `notBefore`; without it a `Retry-After` is not passed on. */
  now?: () => number;
};

/**
 * A Slack incoming webhook. The notice's words are shown as they are: none of them is a mention, a link or a command.
 * A repeated ring is a second message, for webhooks know no ids.
 */
export const slackDoorbell = ({ webhookUrl, timeoutMs = 5000, now }: SlackOptions): Doorbell => ({
  name: 'slack',
  ring: async (notice) => {
    const response = await http({
      product: 'Slack',
      url: webhookUrl.trim(),
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(messageOf(notice)),
      timeoutMs,
      bytesMax: 65_536,
    });
    // Slack says in one word what is wrong, such as `no_service` or `channel_is_archived`.
    const word = /^[a-z_]{1,60}$/.exec(response.text.trim())?.[0] ?? '';
    if (response.status < 200 || response.status > 299) throw failureOf('Slack', response, now?.() ?? null, word);
    // A web page is somebody else's answer: a login, a proxy. Compatible servers say `ok`, nothing, or JSON.
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      throw new PortError('refused', 'Slack answered with a web page: the address is no webhook');
    }
  },
});

// https://docs.slack.dev/messaging/formatting-message-text
const messageOf = (notice: Notice) => ({
  text: [`*${shown(publicLine(notice.headline, 150))}*`, shown(publicText(notice.body, 2500)), linkTo(notice.url)]
    .filter((part) => part !== '')
    .join('\n'),
  // Names and addresses in the text stay text; no preview is fetched from what a stranger wrote.
  link_names: false,
  unfurl_links: false,
  unfurl_media: false,
});

const shown = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    // Where an app asks for full parsing these call people; a word joiner inside keeps them words.
    .replace(/@(?=(?:channel|here|everyone)\b)/gi, '@\u2060');

const linkTo = (url: string): string => {
  const href = URL.canParse(url) ? new URL(url) : null;
  if (href === null || (href.protocol !== 'https:' && href.protocol !== 'http:')) return '';
  return `<${href.href.replaceAll('&', '&amp;').replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E')}>`;
};
