import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { githubLogin } from '../../functions/github-login.ts';
import { realCredentials } from '../../functions/local-environment.ts';

const key = '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----';
const t3 = { T3_URL: 'http://127.0.0.1:1', T3_TOKEN: 't3' };

const keyFile = (text = `${key}\n`): string => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'app.pem'), text);
  return join(folder, 'app.pem');
};

const loginWith = (env: Record<string, string>) => {
  const read = realCredentials({ ...t3, ...env });
  return 'refusal' in read ? read.refusal : read.credentials.github;
};

test('GitHub is reached by a token, or as an App whose key is in a file', () => {
  expect(loginWith({ GITHUB_TOKEN: 'gh' })).toEqual({ token: 'gh' });
  const GITHUB_APP_KEY_FILE = keyFile();
  const app = { app: { appId: '123', privateKey: key } };
  expect(loginWith({ GITHUB_APP_ID: '123', GITHUB_APP_KEY_FILE })).toEqual(app);
  expect(loginWith({ GITHUB_TOKEN: '', GITHUB_APP_ID: '123', GITHUB_APP_KEY_FILE })).toEqual(app);
});

test.each([
  ['nothing', {}, 'GITHUB_TOKEN is absent, and so is GITHUB_APP_ID with GITHUB_APP_KEY_FILE'],
  ['half an App', { GITHUB_APP_ID: '123' }, 'GITHUB_APP_ID and GITHUB_APP_KEY_FILE are set both or not at all'],
  ['a key file that is not there', { GITHUB_APP_ID: '1', GITHUB_APP_KEY_FILE: '/no/such/file' }, 'cannot be read'],
])('with %s the way in is refused in words that say what to set', (_, env, words) => {
  expect(loginWith(env)).toContain(words);
});

test.each([
  'ftp://t3.example.com',
  'http://t3.example.com',
  'https://user:hush@t3.example.com',
  'https://t3.example.com/?a=b',
  '',
])('the T3 server is https, or near: %j is refused by its name, and not quoted', (T3_URL) => {
  const read = realCredentials({ ...t3, T3_URL, GITHUB_TOKEN: 'gh' });
  expect(read).toEqual({ refusal: expect.stringMatching(/^ {2}T3_URL does not look right: the https URL/m) });
  expect(JSON.stringify(read)).not.toMatch(/hush|example\.com/);
});

test('the T3 server’s address is taken without the slash at its end', () => {
  expect(realCredentials({ ...t3, T3_URL: 'https://t3.example.com/', GITHUB_TOKEN: 'gh' })).toMatchObject({
    t3Url: 'https://t3.example.com',
  });
});

test('a token beside an App is refused by both names, and a file that holds no key by its own', () => {
  const GITHUB_APP_KEY_FILE = keyFile();
  const both = loginWith({ GITHUB_TOKEN: 'gh', GITHUB_APP_ID: '123', GITHUB_APP_KEY_FILE });
  expect(both).toContain('GITHUB_TOKEN and GITHUB_APP_ID with GITHUB_APP_KEY_FILE are both there');
  const none = loginWith({ GITHUB_APP_ID: '123', GITHUB_APP_KEY_FILE: keyFile('hush') });
  expect(none).toContain('GITHUB_APP_ID with GITHUB_APP_KEY_FILE is not');
  expect(none).not.toContain('hush');
});

test('an App’s secret may hold its line breaks as they are, or as they were escaped; its id a number or a client id', () => {
  const names = { token: 'a', app: 'b' };
  for (const [appId, privateKey] of [
    [7, key],
    ['7', key.replaceAll('\n', '\\n')],
    ['Iv23li.Ab', `${key}\n`],
  ])
    expect(githubLogin({ token: undefined, app: JSON.stringify({ appId, privateKey }), names })).toEqual({
      login: { app: { appId: String(appId), privateKey: key } },
    });
});

test('GitHub Enterprise Server is named by its API, with or without a slash at the end', () => {
  const urlWith = (GITHUB_URL: string) => {
    const read = realCredentials({ ...t3, GITHUB_TOKEN: 'gh', GITHUB_URL });
    return 'refusal' in read ? read.refusal : read.credentials.githubUrl;
  };
  expect(urlWith('https://github.example.com/api/v3/')).toBe('https://github.example.com/api/v3');
  expect(urlWith('https://github.example.com')).toMatch(
    /^ {2}GITHUB_URL does not look right: an https URL such as https:\/\/HOST\/api\/v3, or leave it unset$/m,
  );
});
