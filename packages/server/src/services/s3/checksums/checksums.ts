import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Context } from '../../../wire/service.ts';
import { BadDigest, InvalidRequest, NotImplemented } from '../errors.ts';
import { combineCrcs } from './combine.ts';
import type { Field } from './combine.ts';
import { crc32c, crc32cPolynomial, crc32Polynomial, crc64Nvme, crc64NvmePolynomial } from './crc.ts';

/** As `x-amz-checksum-algorithm` spells them. S3 knows XXHASH as well; we refuse it by name. */
export const algorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', 'SHA512', 'MD5'] as const;
export type Algorithm = (typeof algorithms)[number];
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

/** A stored checksum of an object: base64, with `-<parts>` after a composite one. */
export interface StoredChecksum {
  readonly algorithm: Algorithm;
  readonly value: string;
  readonly type: ChecksumType;
}

/** A digest that is fed as bytes pass by. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

const fields: Readonly<Partial<Record<Algorithm, Field>>> = {
  CRC32: { polynomial: crc32Polynomial, widthBits: 32n },
  CRC32C: { polynomial: crc32cPolynomial, widthBits: 32n },
  CRC64NVME: { polynomial: crc64NvmePolynomial, widthBits: 64n },
};

const lengthsBytes: Readonly<Record<Algorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
  MD5: 16,
};

/** Big-endian, as S3 encodes a CRC before base64. */
const crcBytes = (value: bigint, lengthBytes: number): Buffer =>
  Buffer.from(value.toString(16).padStart(lengthBytes * 2, '0'), 'hex');

export function runningDigest(algorithm: Algorithm): RunningDigest {
  if (algorithm === 'CRC32') {
    let value = 0;
    return {
      update: (bytes) => {
        value = crc32(bytes, value);
      },
      digest: () => crcBytes(BigInt(value), 4),
    };
  }
  if (algorithm === 'CRC32C' || algorithm === 'CRC64NVME') {
    const crc = algorithm === 'CRC32C' ? crc32c() : crc64Nvme();
    return { update: (bytes) => crc.update(bytes), digest: () => crcBytes(crc.value(), lengthsBytes[algorithm]) };
  }
  const hash = createHash(algorithm.toLowerCase());
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => hash.digest(),
  };
}

/** The member and header of an algorithm, for example `ChecksumCRC32` and `x-amz-checksum-crc32`. */
export const checksumMember = (algorithm: Algorithm): `Checksum${Algorithm}` => `Checksum${algorithm}`;
const checksumHeader = (algorithm: string): string => `x-amz-checksum-${algorithm.toLowerCase()}`;

/** What a client said about a body's checksum before sending it. */
export interface ChecksumClaim {
  readonly algorithm: Algorithm;
  /** Absent when it comes in a trailer, or when only the algorithm was named. */
  readonly value?: string;
  readonly trailer: boolean;
}

export type ChecksumMembers = { readonly [K in `Checksum${Algorithm}`]?: string | undefined } & {
  readonly ChecksumXXHASH64?: string | undefined;
  readonly ChecksumXXHASH3?: string | undefined;
  readonly ChecksumXXHASH128?: string | undefined;
};

/** @throws NotImplemented for an algorithm S3 has and we do not */
export function parseAlgorithm(name: string): Algorithm {
  const known = algorithms.find((algorithm) => algorithm === name.toUpperCase());
  if (known !== undefined) return known;
  if (/^XXHASH/i.test(name)) throw new NotImplemented(`checksum algorithm ${name}`);
  throw new InvalidRequest(
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
  );
}

function checkValue(algorithm: Algorithm, value: string): string {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length === lengthsBytes[algorithm] && bytes.toString('base64') === value) return value;
  throw new InvalidRequest(`Value for ${checksumHeader(algorithm)} header is invalid.`);
}

/** The `x-amz-checksum-…` members that are present. At most one may be. */
export function givenChecksum(input: ChecksumMembers): ChecksumClaim | undefined {
  const xxhash = (['XXHASH64', 'XXHASH3', 'XXHASH128'] as const).find((name) => input[`Checksum${name}`] !== undefined);
  if (xxhash !== undefined) throw new NotImplemented(checksumHeader(xxhash));
  const given = algorithms.filter((algorithm) => input[checksumMember(algorithm)] !== undefined);
  const [algorithm] = given;
  if (algorithm === undefined) return undefined;
  if (given.length > 1) {
    throw new InvalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  return { algorithm, value: checkValue(algorithm, input[checksumMember(algorithm)] ?? ''), trailer: false };
}

/** What the client claims of a body: in a header, in an announced trailer, or only an algorithm to compute. */
export function claimedChecksum(
  input: ChecksumMembers & { readonly ChecksumAlgorithm?: string | undefined },
  context: Context,
): ChecksumClaim | undefined {
  const given = givenChecksum(input);
  if (given !== undefined) return given;
  const trailer = context.http?.headers['x-amz-trailer']?.trim().toLowerCase();
  if (trailer?.startsWith('x-amz-checksum-') === true) {
    return { algorithm: parseAlgorithm(trailer.slice('x-amz-checksum-'.length)), trailer: true };
  }
  if (input.ChecksumAlgorithm === undefined) return undefined;
  const algorithm = parseAlgorithm(input.ChecksumAlgorithm);
  if (context.http === undefined) return { algorithm, trailer: false };
  throw new InvalidRequest(
    'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
  );
}

/** Compares what was claimed with what the bytes gave. @throws BadDigest, InvalidRequest */
export function verifyChecksum(claim: ChecksumClaim, digest: Buffer, context: Context): void {
  let { value } = claim;
  if (claim.trailer) {
    const sent = context.http?.trailers()[checksumHeader(claim.algorithm)];
    if (sent === undefined) {
      throw new InvalidRequest(`The trailer ${checksumHeader(claim.algorithm)} was announced and did not come.`);
    }
    value = checkValue(claim.algorithm, sent.trim());
  }
  if (value !== undefined && value !== digest.toString('base64')) {
    throw new BadDigest(`The ${claim.algorithm} you specified did not match the calculated checksum.`);
  }
}

/** The types an algorithm can have over a multipart upload; the first is its default. */
export function checksumTypes(algorithm: Algorithm): readonly ChecksumType[] {
  if (algorithm === 'CRC64NVME') return ['FULL_OBJECT'];
  return fields[algorithm] === undefined ? ['COMPOSITE'] : ['COMPOSITE', 'FULL_OBJECT'];
}

/** The checksum of a whole multipart object from those of its parts, without its bytes. */
export function wholeChecksum(
  algorithm: Algorithm,
  type: ChecksumType,
  parts: readonly { readonly checksum: string; readonly size: number }[],
): StoredChecksum {
  const field = fields[algorithm];
  if (type === 'FULL_OBJECT' && field !== undefined) {
    const pieces = parts.map(({ checksum, size }) => ({
      crc: BigInt(`0x${Buffer.from(checksum, 'base64').toString('hex')}`),
      size,
    }));
    const value = crcBytes(combineCrcs(field, pieces), lengthsBytes[algorithm]).toString('base64');
    return { algorithm, type, value };
  }
  const digest = runningDigest(algorithm);
  for (const { checksum } of parts) digest.update(Buffer.from(checksum, 'base64'));
  return { algorithm, type, value: `${digest.digest().toString('base64')}-${parts.length}` };
}
