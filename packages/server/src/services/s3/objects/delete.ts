import type {
  DeletedObject,
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  DeleteObjectsCommandInput,
  DeleteObjectsCommandOutput,
  ObjectIdentifier,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../../wire/errors.ts';
import type { Context } from '../../../wire/service.ts';
import { bucketKey } from '../buckets/store.ts';
import type { BucketRow } from '../buckets/store.ts';
import { NotImplemented } from '../errors.ts';
import { keyBytes } from '../names.ts';
import { nextVersionId, ownBucket } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { checkWrite } from './conditions.ts';

interface Deletion {
  /** Printed as x-amz-delete-marker: a marker was made, or the removed version was one. */
  readonly marker?: true;
  readonly versionId?: string;
}

/** In a transaction of the caller's: removes one version, or hides the object behind a delete marker. */
function deleteVersion(s3: S3Parts, bucket: BucketRow, key: Uint8Array, versionId: string | undefined): Deletion {
  const at = bucketKey(bucket);
  s3.conflicts.deleted(at, key);
  if (versionId !== undefined || bucket.versioning === '') {
    const { removed, freed } = s3.objects.remove(at, key, versionId ?? 'null');
    s3.db.afterCommit(() => s3.blobs.remove(freed));
    if (versionId === undefined) return {};
    return { versionId, ...(removed?.marker === true ? { marker: true } : {}) };
  }
  const marker = nextVersionId(bucket);
  const freed = s3.objects.put(at, key, {
    versionId: marker,
    marker: true,
    content: undefined,
    size: 0,
    etag: '',
    modifiedAt: s3.clock.now(),
    headers: { ServerSideEncryption: 'AES256' },
    checksum: undefined,
    uploadId: undefined,
  });
  s3.db.afterCommit(() => s3.blobs.remove(freed));
  return { marker: true, versionId: marker };
}

/** If-Match on a delete: an object that is not there is deleted already. */
function checkDelete(s3: S3Parts, bucket: BucketRow, key: Uint8Array, etag: string | undefined): void {
  if (etag === undefined) return;
  const latest = s3.objects.latest(bucketKey(bucket), key);
  if (latest !== undefined && !latest.marker) checkWrite({ IfMatch: etag }, key, latest);
}

export function deleteObject(
  s3: S3Parts,
  input: Given<DeleteObjectCommandInput, 'Bucket' | 'Key'>,
  context: Context,
): Omit<DeleteObjectCommandOutput, '$metadata'> {
  if (input.MFA !== undefined) throw new NotImplemented('MFA delete');
  return s3.db.transaction(() => {
    const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
    const key = keyBytes(input.Key);
    checkDelete(s3, bucket, key, input.IfMatch);
    const { marker, versionId } = deleteVersion(s3, bucket, key, input.VersionId);
    return { DeleteMarker: marker, VersionId: versionId };
  });
}

const maxDeletions = 1000;

function malformed(): AwsError {
  const sentence = 'The XML you provided was not well-formed or did not validate against our published schema';
  return new AwsError('MalformedXML', 400, sentence);
}

function deleteOne(s3: S3Parts, bucket: BucketRow, identifier: ObjectIdentifier): DeletedObject {
  const { Key = '', VersionId } = identifier;
  const key = keyBytes(Key);
  checkDelete(s3, bucket, key, identifier.ETag);
  const { marker, versionId } = deleteVersion(s3, bucket, key, VersionId);
  const markerId = marker === true ? { DeleteMarker: true, DeleteMarkerVersionId: versionId } : {};
  return { Key, VersionId, ...markerId };
}

/** One transaction for all; a key that is refused (a condition, a name) is reported beside those that were deleted. */
export function deleteObjects(
  s3: S3Parts,
  input: Given<DeleteObjectsCommandInput, 'Bucket' | 'Delete'>,
  context: Context,
): Omit<DeleteObjectsCommandOutput, '$metadata'> {
  if (input.MFA !== undefined) throw new NotImplemented('MFA delete');
  const objects = input.Delete.Objects ?? [];
  if (objects.length === 0 || objects.length > maxDeletions) throw malformed();
  return s3.db.transaction(() => {
    const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
    const deleted: DeletedObject[] = [];
    const errors: { Key: string | undefined; VersionId: string | undefined; Code: string; Message: string }[] = [];
    for (const identifier of objects) {
      try {
        deleted.push(deleteOne(s3, bucket, identifier));
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const { Key, VersionId } = identifier;
        errors.push({ Key, VersionId, Code: error.code, Message: error.message });
      }
    }
    return {
      Deleted: input.Delete.Quiet === true || deleted.length === 0 ? undefined : deleted,
      Errors: errors.length === 0 ? undefined : errors,
    };
  });
}
