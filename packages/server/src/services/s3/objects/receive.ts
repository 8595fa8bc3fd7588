import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { AwsError } from '../../../wire/errors.ts';
import type { Context } from '../../../wire/service.ts';
import { TooLong } from '../blobs/blobs.ts';
import type { NewBlob } from '../blobs/blobs.ts';
import { claimedChecksum, runningDigest, verifyChecksum } from '../checksums/checksums.ts';
import type { Algorithm, ChecksumMembers } from '../checksums/checksums.ts';
import { BadDigest, EntityTooLarge } from '../errors.ts';
import type { S3Parts } from '../parts.ts';

/** S3's limit for one PUT and for one part: 5 GiB. */
export const maxPutBytes = 5 * 1024 ** 3;

export interface BodyInput extends ChecksumMembers {
  /** A stream, bytes or text; typed loosely because the clients' types name browsers' streams too. */
  readonly Body?: unknown;
  readonly ContentLength?: number | undefined;
  readonly ContentMD5?: string | undefined;
  readonly ChecksumAlgorithm?: string | undefined;
}

/** Bytes that are on disk and verified, but have no row yet: commit one and `keep`, or `discard`. */
export interface Received {
  readonly blob: NewBlob;
  readonly md5: Buffer;
  readonly algorithm: Algorithm;
  /** Base64. */
  readonly checksum: string;
}

function bodyOf(input: BodyInput): Readable | Uint8Array {
  const { Body } = input;
  if (Body instanceof Readable || Body instanceof Uint8Array) return Body;
  if (Body === undefined || Body === null) return new Uint8Array(0);
  if (typeof Body === 'string') return Buffer.from(Body);
  throw new TypeError('a body is a stream, bytes or text');
}

/** What Content-Length promises of the decoded body; nothing for an aws-chunked one that does not say. */
function promisedBytes(input: BodyInput, context: Context): number | undefined {
  const headers = context.http?.headers;
  const decoded = headers?.['x-amz-decoded-content-length'];
  if (decoded !== undefined) return /^\d+$/.test(decoded) ? Number(decoded) : undefined;
  return headers?.['content-encoding']?.includes('aws-chunked') === true ? undefined : input.ContentLength;
}

function parseMd5(given: string | undefined): Buffer | undefined {
  if (given === undefined) return undefined;
  const bytes = Buffer.from(given, 'base64');
  if (bytes.length === 16 && bytes.toString('base64') === given) return bytes;
  throw new AwsError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', { 'Content-MD5': given });
}

/**
 * Streams a body to disk and checks everything its client said of it: length, Content-MD5, checksum, payload hash.
 *
 * @param kept the checksum to keep; without it the claimed one, else CRC64NVME, which S3 computes by itself
 * @throws BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, IncompleteBody, EntityTooLarge; nothing is left then
 */
export async function receive(s3: S3Parts, input: BodyInput, context: Context, kept?: Algorithm): Promise<Received> {
  const expectedMd5 = parseMd5(input.ContentMD5);
  const claim = claimedChecksum(input, context);
  const promised = promisedBytes(input, context);
  if (promised !== undefined && promised > maxPutBytes) throw new EntityTooLarge(maxPutBytes);
  const payloadHash = context.http?.headers['x-amz-content-sha256'];
  const sha256 = payloadHash !== undefined && /^[0-9a-f]{64}$/i.test(payloadHash) ? createHash('sha256') : undefined;
  const algorithm = kept ?? claim?.algorithm ?? 'CRC64NVME';
  const md5 = createHash('md5');
  const running = runningDigest(algorithm);
  const claimed = claim !== undefined && claim.algorithm !== algorithm ? runningDigest(claim.algorithm) : undefined;
  const hashes = [md5, sha256].filter((hash) => hash !== undefined);
  const blob = await s3.blobs
    .write(
      bodyOf(input),
      [
        running,
        ...(claimed === undefined ? [] : [claimed]),
        { update: (bytes) => hashes.forEach((h) => h.update(bytes)) },
      ],
      maxPutBytes,
    )
    .catch((error: unknown) => {
      throw error instanceof TooLong ? new EntityTooLarge(maxPutBytes) : error;
    });
  try {
    if (promised !== undefined && promised !== blob.size) {
      const sentence = 'You did not provide the number of bytes specified by the Content-Length HTTP header';
      throw new AwsError('IncompleteBody', 400, sentence);
    }
    const digest = md5.digest();
    if (expectedMd5 !== undefined && !expectedMd5.equals(digest)) {
      throw new BadDigest('The Content-MD5 you specified did not match what we received.');
    }
    checkPayloadHash(payloadHash, sha256?.digest('hex'));
    const kept = running.digest();
    if (claim !== undefined) verifyChecksum(claim, claimed?.digest() ?? kept, context);
    return { blob, md5: digest, algorithm, checksum: kept.toString('base64') };
  } catch (error) {
    await blob.discard();
    throw error;
  }
}

function checkPayloadHash(sent: string | undefined, computed: string | undefined): void {
  if (sent === undefined || computed === undefined || sent.toLowerCase() === computed) return;
  const sentence = "The provided 'x-amz-content-sha256' header does not match what was computed.";
  throw new AwsError('XAmzContentSHA256Mismatch', 400, sentence, {
    ClientComputedContentSHA256: sent,
    S3ComputedContentSHA256: computed,
  });
}

export const quoted = (digest: Buffer): string => `"${digest.toString('hex')}"`;
