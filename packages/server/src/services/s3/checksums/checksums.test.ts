import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runningDigest, wholeChecksum } from './checksums.ts';
import type { Algorithm } from './checksums.ts';

/** The textbook CRC: bit by bit, from the definition. */
function slowCrc(bytes: Uint8Array, polynomial: bigint, widthBits: bigint): bigint {
  const ones = (1n << widthBits) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return crc ^ ones;
}

function digestOf(algorithm: Algorithm, ...chunks: Uint8Array[]): Buffer {
  const digest = runningDigest(algorithm);
  for (const chunk of chunks) digest.update(chunk);
  return digest.digest();
}

const crcs = [
  ['CRC32', 0xedb88320n, 32n],
  ['CRC32C', 0x82f63b78n, 32n],
  ['CRC64NVME', 0x9a6c9329ac4bc9b5n, 64n],
] as const;

describe('checksums', () => {
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
    ['MD5', '25f9e794323b453885f5181f1b624d0b'],
    ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ] as const)('by %s have the published check value', (algorithm, expected) => {
    expect(digestOf(algorithm, Buffer.from('123456789')).toString('hex')).toBe(expected);
  });

  it.each(crcs)('by %s equal the definition for any bytes cut anywhere', (algorithm, polynomial, widthBits) => {
    const bytes = fc.uint8Array({ maxLength: 70 });
    fc.assert(
      fc.property(bytes, fc.nat(70), (all, cut) => {
        const digest = digestOf(algorithm, all.subarray(0, cut), all.subarray(cut));
        expect(BigInt(`0x${digest.toString('hex')}`)).toBe(slowCrc(all, polynomial, widthBits));
      }),
    );
  });

  it.each(crcs.map(([algorithm]) => algorithm))('of parts by %s combine to that of the whole', (algorithm) => {
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(parts, (pieces) => {
        const described = pieces.map((piece) => ({
          checksum: digestOf(algorithm, piece).toString('base64'),
          size: piece.length,
        }));
        const whole = wholeChecksum(algorithm, 'FULL_OBJECT', described);
        expect(whole.value).toBe(digestOf(algorithm, Buffer.concat(pieces)).toString('base64'));
      }),
    );
  });

  it('of ten thousand parts combine in a moment', () => {
    const piece = Buffer.alloc(1000, 7);
    const checksum = digestOf('CRC64NVME', piece).toString('base64');
    const parts = Array.from({ length: 10_000 }, () => ({ checksum, size: piece.length }));
    const whole = digestOf('CRC64NVME', Buffer.alloc(10_000_000, 7));
    expect(wholeChecksum('CRC64NVME', 'FULL_OBJECT', parts).value).toBe(whole.toString('base64'));
  });

  it('by CRC32 agree with those of zlib', () => {
    const bytes = Buffer.from('some bytes');
    expect(digestOf('CRC32', bytes).readUInt32BE()).toBe(crc32(bytes));
  });
});
