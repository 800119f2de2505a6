import { describe, expect, test } from 'vitest';
import { credentialsIn } from '../../functions/lambda-credentials.ts';
import { reasonOf } from '../../lib/adapters/aws-error.ts';

const keys = { AWS_ACCESS_KEY_ID: 'an-id', AWS_SECRET_ACCESS_KEY: 'a-key' };

describe('The credentials of a function', () => {
  test('are those that Lambda set, with the session token where there is one', () => {
    expect(credentialsIn(keys)).toEqual({ accessKeyId: 'an-id', secretAccessKey: 'a-key' });
    expect(credentialsIn({ ...keys, AWS_SESSION_TOKEN: 'a-token' })).toMatchObject({ sessionToken: 'a-token' });
  });

  test.each(Object.keys(keys))('are none without %s, and the reason is the usual one', (name) => {
    let reason = '';
    try {
      credentialsIn({ ...keys, [name]: '' });
    } catch (error) {
      reason = reasonOf(error);
    }
    expect(reason).toBe('CredentialsProviderError');
  });
});
