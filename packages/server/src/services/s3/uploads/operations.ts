import type {
  AbortMultipartUploadCommandInput,
  CreateMultipartUploadCommandInput,
  CreateMultipartUploadCommandOutput,
  ListMultipartUploadsCommandInput,
  ListMultipartUploadsCommandOutput,
  ListPartsCommandInput,
  ListPartsCommandOutput,
} from '@aws-sdk/client-s3';
import type { Context } from '../../../wire/service.ts';
import { bucketKey } from '../buckets/store.ts';
import { checksumMember, checksumTypes, parseAlgorithm } from '../checksums/checksums.ts';
import type { ChecksumType } from '../checksums/checksums.ts';
import { InvalidArgument, InvalidRequest, NoSuchUpload, NotImplemented } from '../errors.ts';
import { pageSize } from '../listings/operations.ts';
import { afterPrefix, keyBytes, keyText } from '../names.ts';
import { encryptionOf, parseHeaders } from '../objects/headers.ts';
import { afterAllKeys } from '../objects/store.ts';
import { canonicalUser, newId, ownBucket } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { findUpload } from './parts.ts';

export function createMultipartUpload(
  s3: S3Parts,
  input: Given<CreateMultipartUploadCommandInput, 'Bucket' | 'Key'>,
  context: Context,
): Omit<CreateMultipartUploadCommandOutput, '$metadata'> {
  const headers = parseHeaders(input);
  const key = keyBytes(input.Key);
  const chosen = input.ChecksumAlgorithm === undefined ? undefined : parseAlgorithm(input.ChecksumAlgorithm);
  const algorithm = chosen ?? 'CRC64NVME';
  const [usual = 'COMPOSITE', ...others] = checksumTypes(algorithm);
  const checksumType: ChecksumType = input.ChecksumType ?? usual;
  if (![usual, ...others].includes(checksumType)) {
    const sentence = `The ${checksumType} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`;
    throw new InvalidRequest(sentence);
  }
  const uploadId = newId();
  s3.db.transaction(() => {
    const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
    const startedAt = s3.clock.now();
    const isAlgorithmChosen = chosen !== undefined;
    const upload = { key, uploadId, startedAt, headers, algorithm, checksumType, isAlgorithmChosen };
    s3.uploads.insert(bucketKey(bucket), upload);
  });
  return {
    Bucket: input.Bucket,
    Key: input.Key,
    UploadId: uploadId,
    ChecksumAlgorithm: chosen,
    ChecksumType: chosen === undefined ? undefined : checksumType,
    ...encryptionOf(headers),
  };
}

export function abortMultipartUpload(
  s3: S3Parts,
  input: Given<AbortMultipartUploadCommandInput, 'Bucket' | 'Key' | 'UploadId'>,
  context: Context,
): object {
  return s3.db.transaction(() => {
    const { key, uploadId } = findUpload(s3, input, context);
    const parts = s3.uploads.remove(bucketKey(ownBucket(s3, input.Bucket, context)), key, uploadId);
    s3.db.afterCommit(() => s3.blobs.remove(parts.map((part) => part.blob)));
    return {};
  });
}

export function listParts(
  s3: S3Parts,
  input: Given<ListPartsCommandInput, 'Bucket' | 'Key' | 'UploadId'>,
  context: Context,
): Omit<ListPartsCommandOutput, '$metadata'> {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const upload = s3.uploads.find(bucketKey(bucket), keyBytes(input.Key), input.UploadId);
  if (upload === undefined) throw new NoSuchUpload(input.UploadId);
  const limit = pageSize(input.MaxParts, 'max-parts');
  const marker = input.PartNumberMarker ?? '0';
  if (!/^\d{1,9}$/.test(marker)) {
    throw new InvalidArgument('Provided part-number-marker is not an integer', 'part-number-marker', marker);
  }
  const rows = s3.uploads.parts(bucketKey(bucket), input.UploadId, Number(marker), limit + 1);
  const parts = rows.slice(0, limit);
  const chosen = upload.isAlgorithmChosen;
  const user = canonicalUser(bucket.account);
  return {
    Bucket: bucket.name,
    Key: input.Key,
    UploadId: input.UploadId,
    PartNumberMarker: marker,
    NextPartNumberMarker: parts.length === 0 ? undefined : String(parts.at(-1)?.partNumber),
    MaxParts: limit,
    IsTruncated: rows.length > limit,
    Parts:
      parts.length === 0
        ? undefined
        : parts.map((part) => ({
            PartNumber: part.partNumber,
            ETag: part.etag,
            Size: part.size,
            LastModified: new Date(Math.floor(part.modifiedAt / 1000) * 1000),
            [checksumMember(upload.algorithm)]: chosen ? part.checksum : undefined,
          })),
    Initiator: user,
    Owner: user,
    StorageClass: (upload.headers.StorageClass ?? 'STANDARD') as 'STANDARD',
    ChecksumAlgorithm: chosen ? upload.algorithm : undefined,
    ChecksumType: chosen ? upload.checksumType : undefined,
  };
}

/** By key, of one key by upload id. A delimiter is not acted on, so it is refused. */
export function listMultipartUploads(
  s3: S3Parts,
  input: Given<ListMultipartUploadsCommandInput, 'Bucket'>,
  context: Context,
): Omit<ListMultipartUploadsCommandOutput, '$metadata'> {
  if (input.Delimiter) throw new NotImplemented('delimiter of ListMultipartUploads');
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const limit = pageSize(input.MaxUploads, 'max-uploads');
  const prefix = Buffer.from(input.Prefix ?? '', 'utf8');
  const marker = Buffer.from(input.KeyMarker ?? '', 'utf8');
  // Without an id the marker's key itself is left out: no id sorts after this one.
  const afterId = marker.length === 0 ? '' : input.UploadIdMarker || '\u{10ffff}';
  const startsInside = Buffer.compare(marker, prefix) >= 0;
  const end = afterPrefix(prefix) ?? afterAllKeys;
  const from = startsInside ? marker : prefix;
  const rows = s3.uploads.list(bucketKey(bucket), from, startsInside ? afterId : '', end, limit + 1);
  const uploads = rows.slice(0, limit);
  const isTruncated = rows.length > limit;
  const user = canonicalUser(bucket.account);
  const encode = (text: string): string =>
    input.EncodingType === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;
  const last = uploads.at(-1);
  return {
    Bucket: bucket.name,
    KeyMarker: encode(input.KeyMarker ?? ''),
    UploadIdMarker: input.UploadIdMarker ?? '',
    Prefix: encode(input.Prefix ?? ''),
    MaxUploads: limit,
    EncodingType: input.EncodingType,
    IsTruncated: isTruncated,
    NextKeyMarker: isTruncated && last !== undefined ? encode(keyText(last.key)) : undefined,
    NextUploadIdMarker: isTruncated ? last?.uploadId : undefined,
    Uploads:
      uploads.length === 0
        ? undefined
        : uploads.map((upload) => ({
            Key: encode(keyText(upload.key)),
            UploadId: upload.uploadId,
            Initiated: new Date(Math.floor(upload.startedAt / 1000) * 1000),
            StorageClass: (upload.headers.StorageClass ?? 'STANDARD') as 'STANDARD',
            Owner: user,
            Initiator: user,
            ChecksumAlgorithm: upload.isAlgorithmChosen ? upload.algorithm : undefined,
            ChecksumType: upload.isAlgorithmChosen ? upload.checksumType : undefined,
          })),
  };
}
