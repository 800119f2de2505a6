/**
 * The executor's base URL without a slash at its end, or null where it may not be used. The bearer travels with every
 * request, so plain http is only for hosts that no public network carries: loopback, private and carrier-grade
 * addresses (127/8, ::1, 10/8, 172.16/12, 192.168/16, 100.64/10, fd00::/8), `localhost`, `*.localhost`, `*.local`,
 * `*.internal` and `*.ts.net` (names of a tailnet, whose packets are encrypted below). Never with a user or a
 * password in it, a query or a fragment.
 */
export const executorUrl = (text: string): string | null => {
  if (text !== text.trim() || !URL.canParse(text)) return null;
  const { protocol, hostname, host, username, password, pathname, search, hash } = new URL(text);
  if (username !== '' || password !== '' || search !== '' || hash !== '' || /[?#]$/.test(text)) return null;
  if (protocol !== 'https:' && !(protocol === 'http:' && isNearHost(hostname))) return null;
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
};

/**
 * Whether no public network carries what is sent there. The host is as URL gives it: lower case, IPv4 in four decimal
 * parts whatever its spelling, IPv6 in brackets.
 */
const isNearHost = (hostname: string): boolean => {
  const [a = 0, b = 0] = /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname.split('.').map(Number) : [];
  return (
    a === 127 ||
    a === 10 ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b <= 127) ||
    hostname === '[::1]' ||
    /^\[fd[0-9a-f]{2}:/.test(hostname) ||
    /^(?:.+\.)?localhost$/.test(hostname) ||
    /.\.(?:local|internal|ts\.net)$/.test(hostname)
  );
};
