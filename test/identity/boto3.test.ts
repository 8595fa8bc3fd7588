import { fileURLToPath } from 'node:url';
import { createTestServer, noEngine } from '@slipway/server/testing';
import { expect, it } from 'vitest';
import { runPython } from '../support/run-python.ts';

it('boto3 learns who it is, what its role is and how to be another', async () => {
  const server = await createTestServer({ engine: noEngine() });
  try {
    const script = fileURLToPath(new URL('boto3_client.py', import.meta.url));
    const { stdout, stderr, exitCode } = await runPython(script, server.url, '123456789012');
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'ok\n', stderr: '', exitCode: 0 });
  } finally {
    await server.close();
  }
});
