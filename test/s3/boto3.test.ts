import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runPython } from '../support/run-python.ts';
import { useServer } from './support.ts';

const fixture = useServer();

it('boto3 puts, gets, transfers, lists, signs and deletes as it does on AWS', async () => {
  const script = fileURLToPath(new URL('boto3_client.py', import.meta.url));
  const { stdout, stderr, exitCode } = await runPython(script, fixture.server.url);
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'ok\n', stderr: '', exitCode: 0 });
});
