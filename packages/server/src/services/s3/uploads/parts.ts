import type {
  UploadPartCommandInput,
  UploadPartCommandOutput,
  UploadPartCopyCommandInput,
  UploadPartCopyCommandOutput,
} from '@aws-sdk/client-s3';
import type { Context } from '../../../wire/service.ts';
import type { Stretch } from '../blobs/read.ts';
import { bucketKey } from '../buckets/store.ts';
import { checksumMember, claimedChecksum } from '../checksums/checksums.ts';
import { InvalidArgument, InvalidRequest, NoSuchUpload } from '../errors.ts';
import { keyBytes } from '../names.ts';
import { copyBytes, findSource } from '../objects/copy.ts';
import { encryptionOf } from '../objects/headers.ts';
import { maxPutBytes, quoted, receive } from '../objects/receive.ts';
import { settleBlob } from '../objects/write.ts';
import { ownBucket, shownVersion } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { maxParts } from './store.ts';
import type { Part, Upload } from './store.ts';

interface AtUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** @throws NoSuchUpload */
export function findUpload(s3: S3Parts, input: AtUpload, context: Context): Upload {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const upload = s3.uploads.find(bucketKey(bucket), keyBytes(input.Key), input.UploadId);
  if (upload === undefined) throw new NoSuchUpload(input.UploadId);
  return upload;
}

function checkPartNumber(partNumber: number): void {
  if (Number.isInteger(partNumber) && partNumber >= 1 && partNumber <= maxParts) return;
  const sentence = `Part number must be an integer between 1 and ${maxParts}, inclusive`;
  throw new InvalidArgument(sentence, 'partNumber', String(partNumber));
}

/** The upload may have been completed or aborted while the part came in: then there is nothing to add it to. */
function commitPart(s3: S3Parts, input: AtUpload, context: Context, part: Part): void {
  s3.db.transaction(() => {
    findUpload(s3, input, context);
    const at = bucketKey(ownBucket(s3, input.Bucket, context));
    const replaced = s3.uploads.putPart(at, input.UploadId, part);
    if (replaced !== undefined) s3.db.afterCommit(() => s3.blobs.remove([replaced]));
  });
}

export async function uploadPart(
  s3: S3Parts,
  input: Given<UploadPartCommandInput, 'Bucket' | 'Key' | 'PartNumber' | 'UploadId'>,
  context: Context,
): Promise<Omit<UploadPartCommandOutput, '$metadata'>> {
  checkPartNumber(input.PartNumber);
  const upload = findUpload(s3, input, context);
  const claim = claimedChecksum(input, context);
  if (upload.isAlgorithmChosen && claim !== undefined && claim.algorithm !== upload.algorithm) {
    const [expected, actual] = [upload.algorithm.toLowerCase(), claim.algorithm.toLowerCase()];
    const sentence = 'Checksum Type mismatch occurred';
    throw new InvalidRequest(`${sentence}, expected checksum Type: ${expected}, actual checksum Type: ${actual}`);
  }
  const { blob, md5, checksum } = await receive(s3, input, context, upload.algorithm);
  const etag = quoted(md5);
  const part = { partNumber: input.PartNumber, blob: blob.blob, size: blob.size, etag, checksum };
  await settleBlob(blob, () => commitPart(s3, input, context, { ...part, modifiedAt: s3.clock.now() }));
  return {
    ETag: etag,
    [checksumMember(upload.algorithm)]: upload.isAlgorithmChosen ? checksum : undefined,
    ...encryptionOf(upload.headers),
  };
}

/** `bytes=first-last`, both given and within the source. @throws InvalidArgument */
function copyRange(range: string | undefined, size: number): Stretch {
  if (range === undefined) return { start: 0, end: size };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last)) {
    const sentence =
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the';
    throw new InvalidArgument(
      `${sentence} zero-based offsets of the first and last bytes to copy`,
      'x-amz-copy-source-range',
      range,
    );
  }
  if (Number(last) >= size) {
    const sentence = `Range specified is not valid for source object of size: ${size}`;
    throw new InvalidArgument(sentence, 'x-amz-copy-source-range', range);
  }
  return { start: Number(first), end: Number(last) + 1 };
}

export async function uploadPartCopy(
  s3: S3Parts,
  input: Given<UploadPartCopyCommandInput, 'Bucket' | 'Key' | 'PartNumber' | 'UploadId' | 'CopySource'>,
  context: Context,
): Promise<Omit<UploadPartCopyCommandOutput, '$metadata'>> {
  checkPartNumber(input.PartNumber);
  const upload = findUpload(s3, input, context);
  const source = findSource(s3, input, context);
  const stretch = copyRange(input.CopySourceRange, source.object.size);
  if (stretch.end - stretch.start > maxPutBytes) {
    const sentence = 'The specified copy source is larger than the maximum allowable size for a copy source';
    throw new InvalidRequest(`${sentence}: ${maxPutBytes}`);
  }
  const { blob, etag, checksum } = await copyBytes(s3, source, stretch, upload.algorithm);
  const modifiedAt = s3.clock.now();
  const part = { partNumber: input.PartNumber, blob: blob.blob, size: blob.size, etag, checksum, modifiedAt };
  await settleBlob(blob, () => commitPart(s3, input, context, part));
  return {
    CopySourceVersionId: shownVersion(source.bucket, source.object.versionId),
    CopyPartResult: {
      ETag: etag,
      LastModified: new Date(Math.floor(modifiedAt / 1000) * 1000),
      [checksumMember(upload.algorithm)]: upload.isAlgorithmChosen ? checksum : undefined,
    },
    ...encryptionOf(upload.headers),
  };
}
