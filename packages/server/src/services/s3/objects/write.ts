import type { Context } from '../../../wire/service.ts';
import type { NewBlob } from '../blobs/blobs.ts';
import { bucketKey } from '../buckets/store.ts';
import type { BucketRow } from '../buckets/store.ts';
import { checkWrite } from './conditions.ts';
import type { ConditionalWrite, WriteConditions } from './conditions.ts';
import { nextVersionId, ownBucket } from '../parts.ts';
import type { S3Parts } from '../parts.ts';
import type { NewVersion } from './store.ts';

/** Where a version is to be written and under which conditions; the same for put, copy and complete. */
export interface WriteTarget {
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly conditions: WriteConditions;
  readonly expectedOwner: string | undefined;
}

/** Looks at a write's conditions before its body is read, so that a doomed upload ends at once. */
export function beginWrite(s3: S3Parts, target: WriteTarget, context: Context): ConditionalWrite {
  const at = bucketKey(ownBucket(s3, target.bucket, context, target.expectedOwner));
  const isConditional = target.conditions.IfMatch !== undefined || target.conditions.IfNoneMatch !== undefined;
  if (isConditional) checkWrite(target.conditions, target.key, s3.objects.latest(at, target.key));
  return s3.conflicts.begin(at, target.key, target.conditions);
}

/**
 * One transaction: the conditions hold still, and the version becomes the newest. `more` adds rows of the same decision.
 *
 * @returns the bucket as it was then and the version's id
 */
export function commitVersion(
  s3: S3Parts,
  target: WriteTarget,
  write: ConditionalWrite,
  context: Context,
  version: Omit<NewVersion, 'versionId' | 'marker' | 'modifiedAt'>,
  more: (bucket: BucketRow) => readonly string[] = () => [],
): { bucket: BucketRow; versionId: string; modifiedAt: number } {
  return s3.db.transaction(() => {
    // The bucket may have been deleted, or versioning enabled, while the body came in.
    const bucket = ownBucket(s3, target.bucket, context, target.expectedOwner);
    const at = bucketKey(bucket);
    write.check();
    checkWrite(target.conditions, target.key, s3.objects.latest(at, target.key));
    const versionId = nextVersionId(bucket);
    const modifiedAt = s3.clock.now();
    const freed = more(bucket);
    const replaced = s3.objects.put(at, target.key, { ...version, versionId, marker: false, modifiedAt });
    s3.db.afterCommit(() => s3.blobs.remove([...freed, ...replaced]));
    return { bucket, versionId, modifiedAt };
  });
}

/** Runs what gives a blob its row; when that throws, the file goes. */
export async function settleBlob<T>(blob: NewBlob, commit: () => T): Promise<T> {
  let result: T;
  try {
    result = commit();
  } catch (error) {
    await blob.discard();
    throw error;
  }
  blob.keep();
  return result;
}
