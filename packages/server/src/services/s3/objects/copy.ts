import type { CopyObjectCommandInput, CopyObjectCommandOutput } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import type { Context } from '../../../wire/service.ts';
import type { NewBlob, Segment } from '../blobs/blobs.ts';
import { readSegments } from '../blobs/read.ts';
import type { Stretch } from '../blobs/read.ts';
import { bucketKey } from '../buckets/store.ts';
import type { BucketRow } from '../buckets/store.ts';
import { checksumMember, parseAlgorithm, runningDigest } from '../checksums/checksums.ts';
import type { Algorithm, StoredChecksum } from '../checksums/checksums.ts';
import { InvalidArgument, InvalidRequest } from '../errors.ts';
import { keyBytes } from '../names.ts';
import { newId, ownBucket, shownVersion } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { checkCopySource } from './conditions.ts';
import type { CopyConditions } from './conditions.ts';
import { findObject } from './get.ts';
import type { StoredObject } from './get.ts';
import { encryptionOf, parseHeaders } from './headers.ts';
import { maxPutBytes, quoted } from './receive.ts';
import type { ObjectHeaders } from './store.ts';
import { beginWrite, commitVersion, settleBlob } from './write.ts';

type Input = Given<CopyObjectCommandInput, 'Bucket' | 'Key' | 'CopySource'>;
type Output = Omit<CopyObjectCommandOutput, '$metadata'>;

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** `[/]bucket/key[?versionId=…]`, URL-encoded. @throws InvalidArgument */
export function parseCopySource(header: string): CopySource {
  const [, path = header, versionId] = /^(.*)\?versionId=([^?&]+)$/s.exec(header) ?? [];
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw new InvalidArgument('Copy Source is not properly URL-encoded', 'x-amz-copy-source', header);
  }
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decoded) ?? [];
  if (bucket === undefined || key === undefined) {
    const sentence = 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey';
    throw new InvalidArgument(sentence, 'x-amz-copy-source', header);
  }
  return { bucket, key, ...(versionId === undefined ? {} : { versionId }) };
}

export interface FoundSource {
  readonly bucket: BucketRow;
  readonly object: StoredObject;
  readonly segments: Segment[];
}

interface SourceInput extends CopyConditions {
  readonly CopySource: string;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

/** The object a copy reads, if its conditions hold. */
export function findSource(s3: S3Parts, input: SourceInput, context: Context): FoundSource {
  const source = parseCopySource(input.CopySource);
  const bucket = ownBucket(s3, source.bucket, context, input.ExpectedSourceBucketOwner);
  const object = findObject(s3, bucket, source.key, source.versionId);
  checkCopySource(input, object);
  return { bucket, object, segments: s3.contents.segments(bucketKey(bucket), object.content) };
}

/** Reads a stretch of the source into a blob of its own. */
export async function copyBytes(s3: S3Parts, source: FoundSource, stretch: Stretch, algorithm: Algorithm) {
  const md5 = createHash('md5');
  const running = runningDigest(algorithm);
  const body = await readSegments(s3.blobs, source.segments, stretch);
  try {
    const watchers = [running, { update: (bytes: Uint8Array) => void md5.update(bytes) }];
    const blob = await s3.blobs.write(body, watchers, maxPutBytes);
    return { blob, etag: quoted(md5.digest()), checksum: running.digest().toString('base64') };
  } finally {
    body.destroy();
  }
}

interface Copied {
  readonly etag: string;
  readonly checksum: StoredChecksum | undefined;
  /** Absent when the copy names the same content. */
  readonly blob?: NewBlob;
}

/**
 * A copy within one account and region names the source's content, however large. One that needs new digests (a multipart
 * object becomes a simple one, another checksum is asked for) or crosses regions reads the bytes.
 */
async function copyContent(s3: S3Parts, input: Input, source: FoundSource, target: BucketRow): Promise<Copied> {
  const { object, bucket } = source;
  const wanted = input.ChecksumAlgorithm === undefined ? undefined : parseAlgorithm(input.ChecksumAlgorithm);
  const sameOwner = bucket.account === target.account && bucket.region === target.region;
  const { checksum } = object;
  const sameChecksum = checksum?.type === 'FULL_OBJECT' && (wanted ?? checksum.algorithm) === checksum.algorithm;
  if (sameOwner && sameChecksum && !object.etag.includes('-')) return { etag: object.etag, checksum };
  const algorithm = wanted ?? checksum?.algorithm ?? 'CRC64NVME';
  const copied = await copyBytes(s3, source, { start: 0, end: object.size }, algorithm);
  return { ...copied, checksum: { algorithm, type: 'FULL_OBJECT', value: copied.checksum } };
}

function headersOf(input: Input, source: FoundSource, target: BucketRow): ObjectHeaders {
  const given = parseHeaders(input);
  const replace = input.MetadataDirective === 'REPLACE';
  const sameKey = source.bucket.name === target.name && keyBytes(input.Key).equals(source.object.key);
  const changes = [
    input.StorageClass,
    input.ServerSideEncryption,
    input.WebsiteRedirectLocation,
    input.ChecksumAlgorithm,
  ];
  if (sameKey && source.object.latest && !replace && changes.every((change) => change === undefined)) {
    throw new InvalidRequest(
      'This copy request is illegal because it is trying to copy an object to itself without changing the ' +
        "object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  if (replace) return given;
  const { StorageClass: _class, SSEKMSKeyId: _key, BucketKeyEnabled: _enabled, ...kept } = source.object.headers;
  const { ContentType: _type, Metadata: _metadata, ...asked } = given;
  return {
    ...kept,
    ServerSideEncryption: asked.ServerSideEncryption,
    ...(asked.StorageClass === undefined ? {} : { StorageClass: asked.StorageClass }),
    ...(asked.SSEKMSKeyId === undefined ? {} : { SSEKMSKeyId: asked.SSEKMSKeyId }),
    ...(asked.WebsiteRedirectLocation === undefined ? {} : { WebsiteRedirectLocation: asked.WebsiteRedirectLocation }),
  };
}

export async function copyObject(s3: S3Parts, input: Input, context: Context): Promise<Output> {
  const key = keyBytes(input.Key);
  const target = { bucket: input.Bucket, key, conditions: input, expectedOwner: input.ExpectedBucketOwner };
  const targetBucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const source = findSource(s3, input, context);
  if (source.object.size > maxPutBytes) {
    const sentence = 'The specified copy source is larger than the maximum allowable size for a copy source';
    throw new InvalidRequest(`${sentence}: ${maxPutBytes}`);
  }
  const headers = headersOf(input, source, targetBucket);
  const write = beginWrite(s3, target, context);
  // Held until the commit: an overwrite of the source meanwhile must not take the files the copy is about to name.
  const letGo = s3.blobs.hold(source.segments.map((segment) => segment.blob));
  try {
    const copied = await copyContent(s3, input, source, targetBucket);
    const content = copied.blob === undefined ? source.object.content : newId();
    const commit = () =>
      commitVersion(
        s3,
        target,
        write,
        context,
        {
          content,
          size: source.object.size,
          etag: copied.etag,
          headers,
          checksum: copied.checksum,
          uploadId: undefined,
        },
        (bucket) => {
          if (copied.blob !== undefined) s3.contents.add(bucketKey(bucket), content, [copied.blob]);
          return [];
        },
      );
    const done = copied.blob === undefined ? commit() : await settleBlob(copied.blob, commit);
    const { checksum } = copied;
    return {
      CopyObjectResult: {
        ETag: copied.etag,
        LastModified: new Date(Math.floor(done.modifiedAt / 1000) * 1000),
        ...(checksum === undefined ? {} : { [checksumMember(checksum.algorithm)]: checksum.value }),
        ChecksumType: checksum?.type,
      },
      CopySourceVersionId: shownVersion(source.bucket, source.object.versionId),
      VersionId: shownVersion(done.bucket, done.versionId),
      ...encryptionOf(headers),
    };
  } finally {
    letGo();
    write.end();
  }
}
