import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Owner } from '@slipway/kit/machine';
import type { S3Access, S3Uri } from '../s3-access.ts';

/**
 * Puts a file of a job into S3. What lies there already with the same bytes is left alone when the effect runs again
 * after a crash: a versioned bucket would get a second version, and a bucket's listeners a second event.
 *
 * @param attempt of the effect, from 1
 */
export async function uploadFile(
  s3: S3Access,
  owner: Owner,
  path: string,
  target: S3Uri,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { size } = await stat(path);
  if (attempt > 1) {
    const there = await s3.head(owner, target, signal);
    // The ETag of an object that was put in one request is its MD5.
    if (there?.bytes === size && there.etag === `"${await md5Of(path, signal)}"`) return;
  }
  await s3.put(owner, target, createReadStream(path), size, signal);
}

async function md5Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}
