import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsChunkedDecoder } from './aws-chunked.ts';

const TRAILER = { 'x-amz-trailer': 'x-amz-checksum-crc32' };

async function decode(body: Uint8Array | string, headers: Record<string, string> = {}, pieceBytes = Infinity) {
  const bytes = Buffer.from(body as string);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  const decoder = new AwsChunkedDecoder(headers);
  const decoded = await buffer(Readable.from(pieces).pipe(decoder));
  return { decoded, trailers: decoder.trailers };
}

function encode(chunks: readonly Uint8Array[], trailer = ''): Buffer {
  const framed = chunks
    .filter((chunk) => chunk.length > 0)
    .flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
  return Buffer.concat([...framed, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

describe('aws-chunked bodies', () => {
  it('decode to what was framed, however the network cuts them', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 30 }), async (parts, pieceBytes) => {
        const body = encode(parts, 'x-amz-checksum-crc32:AAAAAA==\r\n');
        const { decoded, trailers } = await decode(body, TRAILER, pieceBytes);
        expect(decoded).toEqual(Buffer.concat(parts));
        expect(trailers).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' });
      }),
    );
  });

  it('may be signed chunk by chunk', async () => {
    const signature = `;chunk-signature=${'0a'.repeat(32)}`;
    const { decoded } = await decode(`3${signature}\r\nabc\r\n0${signature}\r\n\r\n`, {
      'x-amz-decoded-content-length': '3',
    });
    expect(decoded.toString()).toBe('abc');
  });

  it.each([
    ['that end early', '5\r\nabc', {}, 'IncompleteBody'],
    ['without the last line', '3\r\nabc\r\n0\r\n', {}, 'IncompleteBody'],
    ['shorter than announced', '3\r\nabc\r\n0\r\n\r\n', { 'x-amz-decoded-content-length': '4' }, 'IncompleteBody'],
    ['longer than announced', '3\r\nabc\r\n0\r\n\r\n', { 'x-amz-decoded-content-length': '2' }, 'IncompleteBody'],
    ['with a size that is no number', 'xyz\r\nabc\r\n0\r\n\r\n', {}, 'InvalidRequest'],
    ['with a negative size', '-3\r\nabc\r\n0\r\n\r\n', {}, 'InvalidRequest'],
    ['with a chunk longer than its size', '2\r\nabc\r\n0\r\n\r\n', {}, 'InvalidRequest'],
    ['with bytes after the end', '0\r\n\r\nmore', {}, 'InvalidRequest'],
    ['with an endless line', 'a'.repeat(5000), {}, 'InvalidRequest'],
    ['with bare line feeds', '3\nabc\n0\n\n', {}, 'InvalidRequest'],
    ['without the trailer they announced', '0\r\n\r\n', TRAILER, 'MalformedTrailerError'],
    ['with a trailer nobody announced', '0\r\nx-amz-other:1\r\n\r\n', {}, 'MalformedTrailerError'],
  ])('%s are refused', async (_what, body, headers, code) => {
    await expect(decode(body, headers)).rejects.toMatchObject({ code });
  });
});
