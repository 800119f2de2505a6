import { expect, test } from 'vitest';
import { githubUrl } from '../../lib/core/github-url.ts';

test.each([
  ['https://github.example.com/api/v3', 'https://github.example.com/api/v3'],
  ['https://github.example.com:8443/api/v3//', 'https://github.example.com:8443/api/v3'],
  ['http://10.1.2.3/api/v3/', 'http://10.1.2.3/api/v3'],
  ['https://api.github.com/', 'https://api.github.com'],
  ['https://api.acme.ghe.com', 'https://api.acme.ghe.com'],
  ['http://127.0.0.1:4000/', 'http://127.0.0.1:4000'],
  ['http://localhost:4000/api/v3', 'http://localhost:4000/api/v3'],
])('%s is asked as %s', (text, url) => {
  expect(githubUrl(text)).toBe(url);
});

test.each([
  '',
  'github.example.com',
  'https://github.example.com',
  'https://github.example.com/',
  'https://github.example.com/api',
  'https://github.example.com/api/graphql',
  'https://github.com',
  'https://api.github.com/api/v3',
  'https://api.acme.ghe.com/api/v3',
  'http://github.example.com/api/v3',
  'ftp://github.example.com/api/v3',
  'https://user:hush@github.example.com/api/v3',
  'https://github.example.com/api/v3?a=b',
  'https://github.example.com/api/v3#',
  ' https://github.example.com/api/v3',
])('%j is no API of GitHub', (text) => {
  expect(githubUrl(text)).toBeNull();
});
