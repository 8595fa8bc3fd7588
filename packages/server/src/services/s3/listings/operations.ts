import type {
  ListObjectsCommandInput,
  ListObjectsCommandOutput,
  ListObjectsV2CommandInput,
  ListObjectsV2CommandOutput,
  ListObjectVersionsCommandInput,
  ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import type { Context } from '../../../wire/service.ts';
import { bucketKey } from '../buckets/store.ts';
import type { BucketRow } from '../buckets/store.ts';
import { InvalidArgument } from '../errors.ts';
import { canonicalUser, ownBucket } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { afterPrefix, keyText } from '../names.ts';
import type { ObjectVersion } from '../objects/store.ts';
import { listPage } from './seek.ts';
import type { Page } from './seek.ts';
import { listVersionPage } from './versions.ts';

const maxPage = 1000;

/** @throws InvalidArgument outside 0 to 2³¹ - 1; above 1000 S3 gives 1000 */
export function pageSize(asked: number | undefined, name: string): number {
  if (asked === undefined) return maxPage;
  if (asked >= 0 && asked <= 0x7fffffff) return Math.min(asked, maxPage);
  throw new InvalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, String(asked));
}

/** `encoding-type=url` lets keys travel that XML cannot carry. Slashes stay, as S3 leaves them. */
const encoder = (encodingType: string | undefined) =>
  encodingType === 'url'
    ? (text: string) =>
        encodeURIComponent(text)
          .replaceAll('%2F', '/')
          .replace(/[!'()*]/g, percent)
    : (text: string) => text;
const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'utf8');
/** The first key after one that was listed (or named by the client). */
const after = (text: string): Buffer => Buffer.concat([bytes(text), Buffer.from([0])]);

function entry(bucket: BucketRow, object: ObjectVersion, encode: (text: string) => string, withOwner: boolean) {
  return {
    Key: encode(keyText(object.key)),
    LastModified: new Date(Math.floor(object.modifiedAt / 1000) * 1000),
    ETag: object.etag,
    Size: object.size,
    StorageClass: (object.headers.StorageClass ?? 'STANDARD') as 'STANDARD',
    ChecksumAlgorithm: object.checksum === undefined ? undefined : [object.checksum.algorithm],
    ChecksumType: object.checksum?.type,
    Owner: withOwner ? canonicalUser(bucket.account) : undefined,
  };
}

const entries = <T>(items: readonly T[]): T[] | undefined => (items.length === 0 ? undefined : [...items]);

function contents(bucket: BucketRow, page: Page, encode: (text: string) => string, withOwner: boolean) {
  return {
    Contents: entries(page.objects.map((object) => entry(bucket, object, encode, withOwner))),
    CommonPrefixes: entries(page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) }))),
  };
}

/** Opaque to clients: where the next page begins, by bytes. @throws InvalidArgument */
function readToken(token: string): Buffer {
  const from = Buffer.from(token, 'base64url');
  if (from.toString('base64url') === token && from.length > 0) return from;
  throw new InvalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
}

export function listObjectsV2(
  s3: S3Parts,
  input: Given<ListObjectsV2CommandInput, 'Bucket'>,
  context: Context,
): Omit<ListObjectsV2CommandOutput, '$metadata'> {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const limit = pageSize(input.MaxKeys, 'max-keys');
  const encode = encoder(input.EncodingType);
  const { ContinuationToken, StartAfter } = input;
  let from = bytes('');
  if (ContinuationToken !== undefined) from = readToken(ContinuationToken);
  else if (StartAfter !== undefined && StartAfter !== '') from = after(StartAfter);
  const listing = { prefix: bytes(input.Prefix), delimiter: bytes(input.Delimiter), from, limit };
  const page: Page =
    limit === 0 ? { objects: [], commonPrefixes: [] } : listPage(s3.objects, bucketKey(bucket), listing);
  return {
    Name: bucket.name,
    Prefix: encode(input.Prefix ?? ''),
    Delimiter: input.Delimiter === undefined ? undefined : encode(input.Delimiter),
    MaxKeys: limit,
    EncodingType: input.EncodingType,
    KeyCount: page.objects.length + page.commonPrefixes.length,
    IsTruncated: page.next !== undefined,
    ContinuationToken,
    NextContinuationToken: page.next?.from.toString('base64url'),
    StartAfter: StartAfter === undefined ? undefined : encode(StartAfter),
    ...contents(bucket, page, encode, input.FetchOwner === true),
  };
}

/** A marker that is a common prefix of this very listing (as NextMarker may be) stands for all keys under it. */
function afterMarker(marker: string, input: ListObjectsCommandInput): Buffer {
  const { Prefix = '', Delimiter = '' } = input;
  const isCommonPrefix =
    Delimiter !== '' &&
    marker.startsWith(Prefix) &&
    marker.indexOf(Delimiter, Prefix.length) === marker.length - Delimiter.length &&
    marker.length > Prefix.length;
  return (isCommonPrefix ? afterPrefix(bytes(marker)) : undefined) ?? after(marker);
}

export function listObjects(
  s3: S3Parts,
  input: Given<ListObjectsCommandInput, 'Bucket'>,
  context: Context,
): Omit<ListObjectsCommandOutput, '$metadata'> {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const limit = pageSize(input.MaxKeys, 'max-keys');
  const encode = encoder(input.EncodingType);
  const marker = input.Marker ?? '';
  const from = marker === '' ? bytes('') : afterMarker(marker, input);
  const listing = { prefix: bytes(input.Prefix), delimiter: bytes(input.Delimiter), from, limit };
  const page: Page =
    limit === 0 ? { objects: [], commonPrefixes: [] } : listPage(s3.objects, bucketKey(bucket), listing);
  return {
    Name: bucket.name,
    Prefix: encode(input.Prefix ?? ''),
    Marker: encode(marker),
    Delimiter: input.Delimiter === undefined ? undefined : encode(input.Delimiter),
    MaxKeys: limit,
    EncodingType: input.EncodingType,
    IsTruncated: page.next !== undefined,
    // Only with a delimiter; without one, clients go on from the last key.
    NextMarker: page.next === undefined || !input.Delimiter ? undefined : encode(page.next.last),
    ...contents(bucket, page, encode, true),
  };
}

export function listObjectVersions(
  s3: S3Parts,
  input: Given<ListObjectVersionsCommandInput, 'Bucket'>,
  context: Context,
): Omit<ListObjectVersionsCommandOutput, '$metadata'> {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  const limit = pageSize(input.MaxKeys, 'max-keys');
  const encode = encoder(input.EncodingType);
  if (input.VersionIdMarker !== undefined && input.VersionIdMarker !== '' && !input.KeyMarker) {
    const sentence = 'A version-id marker cannot be specified without a key marker.';
    throw new InvalidArgument(sentence, 'version-id-marker', input.VersionIdMarker);
  }
  const page = listVersionPage(s3.objects, bucketKey(bucket), {
    prefix: bytes(input.Prefix),
    delimiter: bytes(input.Delimiter),
    keyMarker: input.KeyMarker ?? '',
    versionMarker: input.VersionIdMarker ?? '',
    limit,
  });
  const shown = (version: ObjectVersion) => ({
    ...entry(bucket, version, encode, true),
    VersionId: version.versionId,
    IsLatest: version.latest,
  });
  return {
    Name: bucket.name,
    Prefix: encode(input.Prefix ?? ''),
    Delimiter: input.Delimiter === undefined ? undefined : encode(input.Delimiter),
    KeyMarker: encode(input.KeyMarker ?? ''),
    VersionIdMarker: input.VersionIdMarker ?? '',
    MaxKeys: limit,
    EncodingType: input.EncodingType,
    IsTruncated: page.next !== undefined,
    NextKeyMarker: page.next === undefined ? undefined : encode(page.next.key),
    NextVersionIdMarker: page.next?.versionId,
    Versions: entries(page.versions.filter((version) => !version.marker).map((version) => shown(version))),
    DeleteMarkers: entries(
      page.versions
        .filter((version) => version.marker)
        .map((version) => {
          const { Key, LastModified, Owner, VersionId, IsLatest } = shown(version);
          return { Key, LastModified, Owner, VersionId, IsLatest };
        }),
    ),
    CommonPrefixes: entries(page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) }))),
  };
}
