import type {
  GetObjectCommandInput,
  GetObjectCommandOutput,
  GetObjectTaggingCommandInput,
  GetObjectTaggingCommandOutput,
  HeadObjectCommandInput,
  HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { AwsError } from '../../../wire/errors.ts';
import type { Context } from '../../../wire/service.ts';
import type { Segment } from '../blobs/blobs.ts';
import { readSegments } from '../blobs/read.ts';
import type { Stretch } from '../blobs/read.ts';
import { bucketKey } from '../buckets/store.ts';
import type { BucketRow } from '../buckets/store.ts';
import { checksumMember } from '../checksums/checksums.ts';
import { InvalidRequest, NoSuchKey, NoSuchVersion } from '../errors.ts';
import { keyBytes } from '../names.ts';
import { ownBucket, shownVersion } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { checkRead } from './conditions.ts';
import { contentRange, parseRange } from './range.ts';
import type { ObjectVersion } from './store.ts';

type GetInput = Given<GetObjectCommandInput, 'Bucket' | 'Key'>;
type HeadInput = Given<HeadObjectCommandInput, 'Bucket' | 'Key'>;
type HeadOutput = Omit<HeadObjectCommandOutput, '$metadata'>;
type GetOutput = Omit<GetObjectCommandOutput, '$metadata' | 'Body'> & { readonly Body: Readable };

/** A version that has bytes. */
export type StoredObject = ObjectVersion & { readonly content: string };

/** @throws NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker asked for by its id */
export function findObject(s3: S3Parts, bucket: BucketRow, key: string, versionId: string | undefined): StoredObject {
  const at = bucketKey(bucket);
  const bytes = keyBytes(key);
  const found = versionId === undefined ? s3.objects.latest(at, bytes) : s3.objects.version(at, bytes, versionId);
  if (found === undefined) throw versionId === undefined ? new NoSuchKey(key) : new NoSuchVersion(key, versionId);
  if (found.content !== undefined) return { ...found, content: found.content };
  if (versionId === undefined) throw new NoSuchKey(key);
  throw new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    Method: 'GET',
    ResourceType: 'DeleteMarker',
  });
}

interface Chosen {
  readonly stretch: Stretch;
  /** Whether only a part of the object is answered, with 206. */
  readonly partial: boolean;
  readonly partsCount: number | undefined;
}

/** The bytes that `Range` or `partNumber` ask for. */
function choose(input: GetInput | HeadInput, object: StoredObject, segments: readonly Segment[]): Chosen {
  const whole = { start: 0, end: object.size };
  if (input.PartNumber === undefined) {
    const stretch = parseRange(input.Range, object.size);
    return { stretch: stretch ?? whole, partial: stretch !== undefined, partsCount: undefined };
  }
  if (input.Range !== undefined)
    throw new InvalidRequest('Cannot specify both Range header and partNumber query parameter');
  const isMultipart = object.etag.includes('-');
  const part = segments[input.PartNumber - 1];
  if (part === undefined) {
    throw new AwsError('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', {
      PartNumberRequested: input.PartNumber,
      ActualPartCount: segments.length,
    });
  }
  if (part.size === 0) return { stretch: whole, partial: false, partsCount: undefined };
  const start = segments.slice(0, input.PartNumber - 1).reduce((sum, segment) => sum + segment.size, 0);
  const partsCount = isMultipart ? segments.length : undefined;
  return { stretch: { start, end: start + part.size }, partial: true, partsCount };
}

/** Everything that GET and HEAD say of an object. */
function describe(bucket: BucketRow, object: StoredObject, input: GetInput | HeadInput, chosen: Chosen): HeadOutput {
  const { Expires, StorageClass, ...headers } = object.headers;
  const expires = input.ResponseExpires ?? (Expires === undefined ? undefined : new Date(Expires));
  const { stretch, partial, partsCount } = chosen;
  return {
    AcceptRanges: 'bytes',
    ...(headers as HeadOutput),
    ContentType: input.ResponseContentType ?? headers.ContentType ?? 'binary/octet-stream',
    CacheControl: input.ResponseCacheControl ?? headers.CacheControl,
    ContentDisposition: input.ResponseContentDisposition ?? headers.ContentDisposition,
    ContentEncoding: input.ResponseContentEncoding ?? headers.ContentEncoding,
    ContentLanguage: input.ResponseContentLanguage ?? headers.ContentLanguage,
    Expires: expires,
    StorageClass: StorageClass as HeadOutput['StorageClass'],
    ContentLength: stretch.end - stretch.start,
    ContentRange: partial ? contentRange(stretch, object.size) : undefined,
    ETag: object.etag,
    LastModified: new Date(Math.floor(object.modifiedAt / 1000) * 1000),
    VersionId: shownVersion(bucket, object.versionId),
    PartsCount: partsCount,
    ...checksumOf(object, input.ChecksumMode === 'ENABLED' && !partial),
  };
}

/** Only with the whole object: clients compare it with the bytes they got. */
function checksumOf({ checksum }: StoredObject, wanted: boolean): HeadOutput {
  if (!wanted || checksum === undefined) return {};
  return { [checksumMember(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type };
}

function find(s3: S3Parts, input: GetInput | HeadInput, context: Context) {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const object = findObject(s3, bucket, input.Key, input.VersionId);
  checkRead(input, object);
  const segments = s3.contents.segments(bucketKey(bucket), object.content);
  const chosen = choose(input, object, segments);
  return { answer: describe(bucket, object, input, chosen), segments, chosen };
}

export function headObject(s3: S3Parts, input: HeadInput, context: Context): HeadOutput {
  return find(s3, input, context).answer;
}

export async function getObject(s3: S3Parts, input: GetInput, context: Context): Promise<GetOutput> {
  const { answer, segments, chosen } = find(s3, input, context);
  return { ...(answer as GetOutput), Body: await readSegments(s3.blobs, segments, chosen.stretch) };
}

/** Always none: a write that brings tags is refused. The AWS CLI asks before it copies a large object. */
export function getObjectTagging(
  s3: S3Parts,
  input: Given<GetObjectTaggingCommandInput, 'Bucket' | 'Key'>,
  context: Context,
): Omit<GetObjectTaggingCommandOutput, '$metadata'> {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const { versionId } = findObject(s3, bucket, input.Key, input.VersionId);
  return { TagSet: [], VersionId: shownVersion(bucket, versionId) };
}
