import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { errorOf, s3Client } from './support.ts';

const server = fileURLToPath(new URL('small-disk-server.mjs', import.meta.url));
const mount = 'mount -t tmpfs -o size=16m none "$0" && exec "$@"';

/** A small disk needs a mount namespace of its own, which some containers do not allow. */
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', mount, tmpdir(), 'true']).status === 0;

it.skipIf(!canMount)('a full disk refuses an object in words, keeps the others, and nothing half-written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-disk-'));
  const command = ['-rm', 'sh', '-c', mount, folder, process.execPath, server, folder];
  const child = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const s3 = s3Client(line.toString().trim());
    const Bucket = 'small-disk';
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'small' }));
    const large = Buffer.alloc(20 * 1024 * 1024);
    const error = await errorOf(s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: large })));
    expect(error).toMatchObject({ name: 'ServiceUnavailable', status: 503 });
    expect(error.message).toContain('no space left');
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body!.transformToString()).toBe('small');
    // Seen through the process, because the disk exists only in its namespace.
    expect(readdirSync(`/proc/${child.pid}/root${folder}/s3/incoming`)).toEqual([]);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'other', Body: Buffer.alloc(1024 * 1024) }));
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(2);
    s3.destroy();
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
});
