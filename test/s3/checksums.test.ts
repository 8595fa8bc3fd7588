import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { ChecksumAlgorithm } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { errorOf, useServer } from './support.ts';

const fixture = useServer();

interface Reply {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A request by hand, for what the clients never send. */
function send(
  path: string,
  headers: Record<string, string>,
  body: Uint8Array | string,
  method = 'PUT',
): Promise<Reply> {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=000000000000/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00';
  return new Promise((resolve, reject) => {
    const sent = request(fixture.server.url + path, { method, headers: { authorization, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString(), headers: response.headers });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const crc32Of = (body: string): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
};

describe('checksums', () => {
  it.each<ChecksumAlgorithm>(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'])(
    'by %s are verified, kept and given back',
    async (algorithm) => {
      const { s3 } = fixture;
      const Bucket = await fixture.bucket();
      const Body = randomBytes(300_001);
      const put = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ChecksumAlgorithm: algorithm }));
      const member = `Checksum${algorithm}` as 'ChecksumCRC32';
      expect(put[member]).toMatch(/=$|^[\w+/]+$/);
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
      expect(head[member]).toBe(put[member]);
      expect(head.ChecksumType).toBe('FULL_OBJECT');
      // The client compares the bytes with the checksum of the answer as it reads them.
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Body)).toBe(true);
      const bad = { [member]: Buffer.alloc(Buffer.from(put[member]!, 'base64').length).toString('base64') };
      const error = await errorOf(s3.send(new PutObjectCommand({ Bucket, Key: 'bad', Body, ...bad })));
      expect(error).toMatchObject({ name: 'BadDigest', status: 400 });
      expect((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'bad' })))).status).toBe(404);
    },
  );

  it('come in a trailer after a stream of unknown length', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const chunks = Array.from({ length: 50 }, () => randomBytes(20_000));
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'k',
        Body: Readable.from(chunks),
        ContentLength: 1_000_000,
        ChecksumAlgorithm: 'CRC32',
      }),
    );
    expect(put.ChecksumCRC32).toBeDefined();
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Buffer.concat(chunks))).toBe(true);
    expect(got.ContentEncoding).toBeUndefined();
  });

  it('in a trailer that does not fit the body refuse it', async () => {
    const Bucket = await fixture.bucket();
    const trailer = (checksum: string): string => `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`;
    const headers = {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '5',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    };
    const bad = await send(`/${Bucket}/k`, headers, trailer(crc32Of('world')));
    expect([bad.status, /<Code>(.*)<\/Code>/.exec(bad.body)?.[1]]).toEqual([400, 'BadDigest']);
    const good = await send(`/${Bucket}/k`, headers, trailer(crc32Of('hello')));
    expect(good.status).toBe(200);
    expect(good.headers['x-amz-checksum-crc32']).toBe(crc32Of('hello'));
  });

  it.each([
    ['content-md5', createHash('md5').update('other').digest('base64'), 'BadDigest'],
    ['content-md5', 'not a digest', 'InvalidDigest'],
    ['x-amz-content-sha256', createHash('sha256').update('other').digest('hex'), 'XAmzContentSHA256Mismatch'],
    ['x-amz-checksum-crc32', 'AAAA', 'InvalidRequest'],
    ['x-amz-sdk-checksum-algorithm', 'CRC32', 'InvalidRequest'],
    ['x-amz-checksum-xxhash64', 'AAAAAAAAAAA=', 'NotImplemented'],
  ])('or hashes in %s that do not fit are told as %3$s', async (header, value, code) => {
    const Bucket = await fixture.bucket();
    const reply = await send(`/${Bucket}/k`, { [header]: value }, 'hello');
    expect(/<Code>(.*)<\/Code>/.exec(reply.body)?.[1]).toBe(code);
    const { s3 } = fixture;
    expect((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).status).toBe(404);
    expect(fixture.files().incoming).toEqual([]);
  });

  it('of XML bodies are verified too', async () => {
    const Bucket = await fixture.bucket();
    const body = '<Delete><Object><Key>k</Key></Object></Delete>';
    const wrong = { 'content-md5': createHash('md5').update('other').digest('base64') };
    const reply = await send(`/${Bucket}?delete`, wrong, body, 'POST');
    expect(/<Code>(.*)<\/Code>/.exec(reply.body)?.[1]).toBe('BadDigest');
    const right = { 'content-md5': createHash('md5').update(body).digest('base64') };
    expect((await send(`/${Bucket}?delete`, right, body, 'POST')).status).toBe(200);
  });

  it('are computed by the server where the client sends none', async () => {
    const Bucket = await fixture.bucket();
    const reply = await send(`/${Bucket}/k`, {}, '123456789');
    // The check value of CRC-64/NVME.
    const expected = Buffer.from('ae8b14860a799888', 'hex').toString('base64');
    expect(reply.headers['x-amz-checksum-crc64nvme']).toBe(expected);
  });
});
