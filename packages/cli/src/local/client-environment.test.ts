import { describe, expect, it } from 'vitest';
import { clientEnvironment } from './client-environment.ts';

describe('the environment of a program under exec', () => {
  it('keeps the user’s own variables and points every AWS client at the server', () => {
    const environment = clientEnvironment({ PATH: '/bin', EMPTY: undefined }, 'http://127.0.0.1:4000');
    expect(environment).toMatchObject({
      PATH: '/bin',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4000',
      AWS_ACCESS_KEY_ID: '000000000000',
      AWS_REGION: 'us-east-1',
    });
    expect(environment).not.toHaveProperty('EMPTY');
  });

  it('drops what would lead a client to AWS or to another account', () => {
    const environment = clientEnvironment(
      {
        AWS_PROFILE: 'production',
        AWS_SESSION_TOKEN: 'token',
        AWS_ENDPOINT_URL_S3: 'https://s3.example',
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
        AWS_ACCESS_KEY_ID: 'AKIAREAL',
      },
      'http://127.0.0.1:4000',
    );
    expect(Object.keys(environment)).not.toContain('AWS_PROFILE');
    expect(Object.keys(environment)).not.toContain('AWS_SESSION_TOKEN');
    expect(Object.keys(environment)).not.toContain('AWS_ENDPOINT_URL_S3');
    expect(Object.keys(environment)).not.toContain('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS');
    expect(environment['AWS_ACCESS_KEY_ID']).toBe('000000000000');
  });
});
