import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pythonClients } from '../support/python-clients.ts';
import { useServer } from './support.ts';

const fixture = useServer();

it('the AWS CLI makes buckets, copies, moves, synchronises, lists and removes', async () => {
  const { python, bin } = await pythonClients();
  const folder = mkdtempSync(join(tmpdir(), 'slipway-cli-'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_ENDPOINT_URL: fixture.server.url,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: '000000000000',
    AWS_SECRET_ACCESS_KEY: 'not verified on loopback',
  };
  const aws = (...args: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      execFile(python, [join(bin, 'aws'), ...args], { env, cwd: folder }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`aws ${args.join(' ')}: ${stderr}`));
      });
    });
  try {
    const large = randomBytes(9 * 1024 * 1024);
    mkdirSync(join(folder, 'data', 'sub'), { recursive: true });
    writeFileSync(join(folder, 'data', 'large.bin'), large);
    writeFileSync(join(folder, 'data', 'sub', 'small.csv'), 'a,b\n1,2\n');
    await aws('s3', 'mb', 's3://cli-bucket');
    await aws('s3', 'sync', 'data', 's3://cli-bucket/data');
    expect(await aws('s3', 'sync', 'data', 's3://cli-bucket/data')).toBe('');
    await aws('s3', 'cp', 's3://cli-bucket/data/large.bin', 's3://cli-bucket/copy.bin');
    await aws('s3', 'mv', 's3://cli-bucket/data/sub/small.csv', 's3://cli-bucket/moved.csv');
    await aws('s3', 'cp', 's3://cli-bucket/copy.bin', 'back.bin');
    expect(readFileSync(join(folder, 'back.bin')).equals(large)).toBe(true);
    const listed = await aws('s3', 'ls', '--recursive', 's3://cli-bucket');
    expect(listed.match(/\S+$/gm)).toEqual(['copy.bin', 'data/large.bin', 'moved.csv']);
    expect(await aws('s3', 'ls', 's3://cli-bucket')).toContain('PRE data/');
    const key = ['--bucket', 'cli-bucket', '--key', 'moved.csv'];
    const etag = JSON.parse(await aws('s3api', 'head-object', ...key)) as { ETag: string };
    expect(etag.ETag).toMatch(/^"[0-9a-f]{32}"$/);
    await aws('s3', 'rb', '--force', 's3://cli-bucket');
    expect(await aws('s3', 'ls')).not.toContain('cli-bucket');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
