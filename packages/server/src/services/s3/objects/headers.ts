import { AwsError } from '../../../wire/errors.ts';
import { InvalidArgument, NotImplemented } from '../errors.ts';
import type { ObjectHeaders } from './store.ts';

/** The members by which PutObject, CopyObject and CreateMultipartUpload describe an object. */
export interface HeaderInput {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Expires?: Date | undefined;
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly StorageClass?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly Tagging?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

const metadataMaxBytes = 2048;

/** Says which header we would otherwise ignore without its sender knowing. @throws NotImplemented */
function refuseUnimplemented(input: HeaderInput): void {
  if (input.SSECustomerAlgorithm !== undefined) throw new NotImplemented('server-side encryption with customer keys');
  if (input.Tagging !== undefined && input.Tagging !== '') throw new NotImplemented('x-amz-tagging');
  if (input.ObjectLockMode !== undefined || input.ObjectLockLegalHoldStatus !== undefined) {
    throw new NotImplemented('object lock');
  }
}

/** New buckets enforce their owner, so an ACL that gives anything away is refused as AWS refuses it. */
function checkAcl(input: HeaderInput): void {
  const harmless = [undefined, 'private', 'bucket-owner-full-control', 'bucket-owner-read'].includes(input.ACL);
  const grants = [input.GrantFullControl, input.GrantRead, input.GrantReadACP, input.GrantWriteACP];
  if (harmless && grants.every((grant) => grant === undefined)) return;
  throw new AwsError('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs');
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  const entries = Object.entries(metadata);
  const size = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (size <= metadataMaxBytes) return;
  const sentence = 'Your metadata headers exceed the maximum allowed metadata size';
  throw new AwsError('MetadataTooLarge', 400, sentence, { Size: size, MaxSizeAllowed: metadataMaxBytes });
}

/** `aws-chunked` tells how the body travelled; S3 keeps only the encodings that remain. */
function storedEncoding(encoding: string | undefined): string | undefined {
  const rest = encoding?.split(',').filter((item) => item.trim().toLowerCase() !== 'aws-chunked');
  return rest === undefined || rest.length === 0 ? undefined : rest.join(',').trim();
}

const present = <T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** @throws NotImplemented, AccessControlListNotSupported, MetadataTooLarge, InvalidArgument */
export function parseHeaders(input: HeaderInput): ObjectHeaders {
  refuseUnimplemented(input);
  checkAcl(input);
  const encryption = input.ServerSideEncryption ?? 'AES256';
  if (!['AES256', 'aws:kms', 'aws:kms:dsse'].includes(encryption)) {
    const name = 'x-amz-server-side-encryption';
    throw new InvalidArgument('The encryption method specified is not supported', name, encryption);
  }
  const metadata = input.Metadata ?? {};
  checkMetadata(metadata);
  const expires = input.Expires?.getTime();
  return {
    ServerSideEncryption: encryption,
    ...present({
      ContentType: input.ContentType,
      CacheControl: input.CacheControl,
      ContentDisposition: input.ContentDisposition,
      ContentEncoding: storedEncoding(input.ContentEncoding),
      ContentLanguage: input.ContentLanguage,
      Expires: expires === undefined || Number.isNaN(expires) ? undefined : expires,
      WebsiteRedirectLocation: input.WebsiteRedirectLocation,
      StorageClass: input.StorageClass === 'STANDARD' ? undefined : input.StorageClass,
      SSEKMSKeyId: input.SSEKMSKeyId,
      BucketKeyEnabled: input.BucketKeyEnabled,
      Metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    }),
  };
}

/** What a write answers of them. */
export const encryptionOf = (headers: ObjectHeaders) =>
  present({
    ServerSideEncryption: headers.ServerSideEncryption as 'AES256',
    SSEKMSKeyId: headers.SSEKMSKeyId,
    BucketKeyEnabled: headers.BucketKeyEnabled,
  });
