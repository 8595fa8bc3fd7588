import type {
  CompletedPart,
  CompleteMultipartUploadCommandInput,
  CompleteMultipartUploadCommandOutput,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { AwsError } from '../../../wire/errors.ts';
import type { Context } from '../../../wire/service.ts';
import { bucketKey } from '../buckets/store.ts';
import type { BucketRow } from '../buckets/store.ts';
import { algorithms, checksumMember, givenChecksum, wholeChecksum } from '../checksums/checksums.ts';
import type { ChecksumMembers, StoredChecksum } from '../checksums/checksums.ts';
import { BadDigest, EntityTooSmall, InvalidPart, InvalidRequest, NoSuchUpload } from '../errors.ts';
import { keyBytes } from '../names.ts';
import { encryptionOf } from '../objects/headers.ts';
import type { ObjectHeaders, ObjectVersion } from '../objects/store.ts';
import { beginWrite, commitVersion } from '../objects/write.ts';
import { newId, ownBucket, shownVersion } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { maxParts } from './store.ts';
import type { Part, Upload } from './store.ts';

type Input = Given<CompleteMultipartUploadCommandInput, 'Bucket' | 'Key' | 'UploadId'>;
type Output = Omit<CompleteMultipartUploadCommandOutput, '$metadata'>;

const minPartBytes = 5 * 1024 ** 2;
const bare = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '');

/** The parts a client names, in its order, which must be ascending. */
function listed(input: Input): (CompletedPart & { PartNumber: number })[] {
  const parts = input.MultipartUpload?.Parts ?? [];
  if (parts.length === 0 || parts.length > maxParts || parts.some((part) => part.PartNumber === undefined)) {
    const sentence = 'The XML you provided was not well-formed or did not validate against our published schema';
    throw new AwsError('MalformedXML', 400, sentence);
  }
  const named = parts.map((part) => ({ ...part, PartNumber: part.PartNumber ?? 0 }));
  const isAscending = named.every((part, index) => part.PartNumber > (named[index - 1]?.PartNumber ?? 0));
  if (isAscending) return named;
  const sentence = 'The list of parts was not in ascending order. Parts must be ordered by part number.';
  throw new AwsError('InvalidPartOrder', 400, sentence, { UploadId: input.UploadId });
}

/** @throws InvalidPart, InvalidPartOrder, EntityTooSmall */
function choose(input: Input, upload: Upload, stored: readonly Part[]): Part[] {
  const byNumber = new Map(stored.map((part) => [part.partNumber, part]));
  const chosen = listed(input).map((named) => {
    const part = byNumber.get(named.PartNumber);
    if (part === undefined || bare(named.ETag) !== bare(part.etag)) {
      throw new InvalidPart(input.UploadId, named.PartNumber);
    }
    const claim = givenChecksum(named);
    if (claim?.algorithm === upload.algorithm && claim.value !== part.checksum) {
      throw new InvalidPart(input.UploadId, named.PartNumber);
    }
    return part;
  });
  for (const part of chosen.slice(0, -1)) {
    if (part.size < minPartBytes) throw new EntityTooSmall(part.size, minPartBytes, part.partNumber);
  }
  return chosen;
}

/** Worked example: two parts with MD5s a and b give `"md5(a‖b)-2"`. */
function multipartEtag(parts: readonly Part[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(bare(part.etag), 'hex'));
  return `"${md5.digest('hex')}-${parts.length}"`;
}

/** What the client says of the whole object must be so. */
function checkClaims(input: Input, size: number, upload: Upload, checksum: StoredChecksum): void {
  if (input.MpuObjectSize !== undefined && Number(input.MpuObjectSize) !== size) {
    const sentence = 'The provided x-amz-mp-object-size header does not match what was computed.';
    throw new InvalidRequest(sentence);
  }
  if (input.ChecksumType !== undefined && input.ChecksumType !== upload.checksumType) {
    throw new InvalidRequest(
      `The upload was created using the ${upload.checksumType} checksum mode. ` +
        'The complete request must use the same checksum mode.',
    );
  }
  // A composite checksum may be written with or without the number of parts.
  const claim = givenChecksum(withoutPartCount(input));
  if (claim === undefined) return;
  const computed = checksum.value.replace(/-\d+$/, '');
  if (claim.algorithm === checksum.algorithm && claim.value !== computed) {
    throw new BadDigest(`The ${claim.algorithm} you specified did not match the calculated checksum.`);
  }
}

/** The members with which a client claims the whole object's checksum, without the number of parts. */
function withoutPartCount(input: Input): ChecksumMembers {
  const members = algorithms.map(checksumMember).map((name) => [name, input[name]?.replace(/-\d+$/, '')]);
  return Object.fromEntries(members) as ChecksumMembers;
}

interface Completed {
  readonly bucket: BucketRow;
  readonly versionId: string;
  readonly etag: string;
  readonly checksum: StoredChecksum | undefined;
  readonly headers: ObjectHeaders;
}

/**
 * A client whose answer got lost completes again. S3 gives it the same answer, and so do we: the newest version of the
 * key remembers the upload that made it.
 */
function completedBefore(s3: S3Parts, input: Input, bucket: BucketRow): Completed | undefined {
  const latest: ObjectVersion | undefined = s3.objects.latest(bucketKey(bucket), keyBytes(input.Key));
  if (latest === undefined || latest.uploadId !== input.UploadId) return undefined;
  const { versionId, etag, checksum, headers } = latest;
  return { bucket, versionId, etag, checksum, headers };
}

function complete(s3: S3Parts, input: Input, context: Context, upload: Upload): Completed {
  const key = keyBytes(input.Key);
  const target = { bucket: input.Bucket, key, conditions: input, expectedOwner: input.ExpectedBucketOwner };
  const at = bucketKey(ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner));
  const stored = s3.uploads.parts(at, input.UploadId, 0, maxParts);
  const parts = choose(input, upload, stored);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const checksum = wholeChecksum(upload.algorithm, upload.checksumType, parts);
  checkClaims(input, size, upload, checksum);
  const etag = multipartEtag(parts);
  const content = newId();
  const { headers, uploadId } = upload;
  const write = beginWrite(s3, target, context);
  try {
    const version = { content, size, etag, headers, checksum, uploadId };
    const { bucket, versionId } = commitVersion(s3, target, write, context, version, () => {
      const all = s3.uploads.remove(at, key, uploadId);
      s3.contents.add(at, content, parts);
      const used = new Set(parts.map((part) => part.blob));
      return all.map((part) => part.blob).filter((blob) => !used.has(blob));
    });
    return { bucket, versionId, etag, checksum, headers };
  } finally {
    write.end();
  }
}

/** Instant, however large: the object is made of the parts' blobs as they are. */
export function completeMultipartUpload(s3: S3Parts, input: Input, context: Context): Output {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const upload = s3.uploads.find(bucketKey(bucket), keyBytes(input.Key), input.UploadId);
  const done = upload === undefined ? completedBefore(s3, input, bucket) : complete(s3, input, context, upload);
  if (done === undefined) throw new NoSuchUpload(input.UploadId);
  const { etag, checksum, headers, versionId } = done;
  const path = `${encodeURIComponent(input.Bucket)}/${encodeURIComponent(input.Key).replaceAll('%2F', '/')}`;
  return {
    Location: `${context.baseUrl}/${path}`,
    Bucket: input.Bucket,
    Key: input.Key,
    ETag: etag,
    ...(checksum === undefined ? {} : { [checksumMember(checksum.algorithm)]: checksum.value }),
    ChecksumType: checksum?.type,
    VersionId: shownVersion(done.bucket, versionId),
    ...encryptionOf(headers),
  };
}
