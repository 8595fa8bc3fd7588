import { AwsError } from '../../wire/errors.ts';

/** Rules of https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. @throws InvalidBucketName */
export function checkBucketName(name: string): void {
  const wellFormed = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
  const address = /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
  const reserved = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!wellFormed || address || reserved || /\.\.|\.-|-\./.test(name)) {
    throw new AwsError('InvalidBucketName', 400, 'The specified bucket is not valid.', { BucketName: name });
  }
}

const keyMaxBytes = 1024;

/** @returns the key's UTF-8 bytes, as the store keeps them. @throws KeyTooLongError */
export function keyBytes(key: string): Buffer {
  const bytes = Buffer.from(key, 'utf8');
  if (bytes.length <= keyMaxBytes) return bytes;
  throw new AwsError('KeyTooLongError', 400, 'Your key is too long', {
    Size: bytes.length,
    MaxSizeAllowed: keyMaxBytes,
  });
}

export const keyText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/**
 * The first byte string after all that begin with `prefix`, or undefined when there is none (only 0xff bytes, or none).
 * Worked example: `models/` (last byte 2f) gives `models0`.
 */
export function afterPrefix(prefix: Uint8Array): Buffer | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return undefined;
  const next = Buffer.from(prefix.subarray(0, length));
  next[length - 1] = (next[length - 1] ?? 0) + 1;
  return next;
}
