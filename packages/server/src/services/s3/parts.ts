import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@slipway/kit/clock';
import type { Database } from '@slipway/kit/sqlite';
import type { Context } from '../../wire/service.ts';
import type { Blobs } from './blobs/blobs.ts';
import type { BucketRow, BucketStore } from './buckets/store.ts';
import { AccessDenied, NoSuchBucket } from './errors.ts';
import type { ContentStore } from './objects/contents.ts';
import type { ObjectStore } from './objects/store.ts';
import type { Conflicts } from './objects/conditions.ts';
import type { UploadStore } from './uploads/store.ts';

/** What the operations of S3 work on. */
export interface S3Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly buckets: BucketStore;
  readonly objects: ObjectStore;
  readonly contents: ContentStore;
  readonly uploads: UploadStore;
  readonly conflicts: Conflicts;
}

/** An operation's input with the members that its model requires, which the walker has checked. */
export type Given<Input, Required extends keyof Input> = Input & {
  readonly [K in Required]-?: NonNullable<Input[K]>;
};

/**
 * The bucket, if the caller's account owns it. Its region is not compared: S3 would redirect the client there, and here
 * one process serves all regions.
 *
 * @throws NoSuchBucket, AccessDenied (also when the owner is not the one the client expects)
 */
export function ownBucket(s3: S3Parts, name: string, context: Context, expectedOwner?: string): BucketRow {
  const bucket = s3.buckets.find(name);
  if (bucket === undefined) throw new NoSuchBucket(name);
  if (bucket.account !== context.owner.account) throw new AccessDenied();
  if (expectedOwner !== undefined && expectedOwner !== bucket.account) throw new AccessDenied();
  return bucket;
}

/** Makes the id under which an upload or the segments of an object are kept. */
export const newId = (): string => randomBytes(16).toString('hex');

/** S3 speaks of owners by a canonical user id of 64 hex digits; ours is a digest of the account. */
export const canonicalUser = (account: string): { ID: string } => ({
  ID: createHash('sha256').update(`canonical user of ${account}`).digest('hex'),
});

/** `x-amz-version-id` is printed only for buckets on which versioning was ever enabled. */
export const shownVersion = (bucket: BucketRow, versionId: string): string | undefined =>
  bucket.versioning === '' ? undefined : versionId;

/** The id of a version written now. */
export const nextVersionId = (bucket: BucketRow): string =>
  bucket.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null';
