import { execFile } from 'node:child_process';
import { pythonClients } from './python-clients.ts';

export interface PythonRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs a script of boto3 with the server as its AWS and an account's credentials. */
export async function runPython(script: string, url: string, account = '000000000000'): Promise<PythonRun> {
  const { python } = await pythonClients();
  const env = {
    PATH: process.env['PATH'] ?? '',
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: 'not verified on loopback',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  return new Promise((resolve) => {
    execFile(python, [script], { env, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      const exitCode = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
      resolve({ stdout, stderr, exitCode });
    });
  });
}
