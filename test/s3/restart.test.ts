import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createTestServer, noEngine } from '@slipway/server/testing';
import { expect, it } from 'vitest';
import { s3Client } from './support.ts';

it('a server that starts again has its objects, and removes files that no object has', async () => {
  const first = await createTestServer({ engine: noEngine() });
  const Bucket = 'restarted-bucket';
  const before = s3Client(first.url);
  await before.send(new CreateBucketCommand({ Bucket }));
  await before.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'kept' }));
  before.destroy();
  const blobs = join(first.dataFolder, 's3', 'blobs');
  const incoming = join(first.dataFolder, 's3', 'incoming');
  const kept = readdirSync(blobs);
  mkdirSync(join(blobs, 'ff'), { recursive: true });
  writeFileSync(join(blobs, 'ff', 'f'.repeat(32)), 'its row was never committed');
  writeFileSync(join(incoming, 'e'.repeat(32)), 'its upload was cut short');
  const second = await first.restart();
  try {
    const after = s3Client(second.url);
    const got = await after.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body!.transformToString()).toBe('kept');
    await expect.poll(() => readdirSync(incoming)).toEqual([]);
    await expect.poll(() => readdirSync(join(blobs, 'ff')).filter((name) => name.startsWith('ffff'))).toEqual([]);
    expect(kept.every((shelf) => readdirSync(blobs).includes(shelf))).toBe(true);
    after.destroy();
  } finally {
    await second.close();
  }
});
