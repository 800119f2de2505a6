import { executorUrl } from './executor-url.ts';

/**
 * GitHub's API without a slash at its end, or null where it is none: `https://HOST/api/v3` on a server of one's own,
 * `https://api.github.com` or `https://api.NAME.ghe.com` without a path. Anything else would read as a GitHub that has
 * no such repo. The token travels with every request, so plain http is only for hosts that no public network carries;
 * what listens on loopback may have any path. Never with a user, a query or a fragment.
 */
export const githubUrl = (text: string): string | null => {
  // What a token may be sent to is the same for both.
  const url = executorUrl(text);
  if (url === null) return null;
  const { hostname, pathname } = new URL(url);
  const isApi = isHosted(hostname) ? pathname === '/' : isLoopback(hostname) || pathname === '/api/v3';
  return isApi ? url : null;
};

/** Completes "must be …", and says it to whoever set another. */
export const githubUrlForm = 'an https URL such as https://HOST/api/v3';

const isHosted = (hostname: string): boolean => /^api\.(?:github|[a-z0-9-]+\.ghe)\.com$/.test(hostname);

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
