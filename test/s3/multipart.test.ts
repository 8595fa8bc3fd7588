import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { CompletedPart, CreateMultipartUploadCommandInput } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { errorOf, useServer } from './support.ts';

const fixture = useServer();
const mebibyte = 1024 * 1024;

const digest = (algorithm: string, bytes: Uint8Array): Buffer => createHash(algorithm).update(bytes).digest();
const etagOf = (parts: readonly Uint8Array[]): string =>
  `"${digest('md5', Buffer.concat(parts.map((part) => digest('md5', part)))).toString('hex')}-${parts.length}"`;

async function begin(Bucket: string, Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}) {
  const { UploadId } = await fixture.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return { Bucket, Key, UploadId };
}
type At = Awaited<ReturnType<typeof begin>>;

async function upload(at: At, PartNumber: number, Body: Uint8Array, more: object = {}): Promise<CompletedPart> {
  const part = await fixture.s3.send(new UploadPartCommand({ ...at, PartNumber, Body, ...more }));
  const { ETag, ChecksumSHA256, ChecksumCRC32 } = part;
  return { PartNumber, ETag, ChecksumSHA256, ChecksumCRC32 };
}

const complete = (at: At, Parts: CompletedPart[], more: object = {}) =>
  fixture.s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts }, ...more }));

describe('multipart uploads', () => {
  it('make one object of their parts, whose ETag is the digest of their digests', async () => {
    const { s3 } = fixture;
    const bodies = [randomBytes(5 * mebibyte), randomBytes(6 * mebibyte), randomBytes(1000)];
    const at = await begin(await fixture.bucket(), 'models/large model.tar.gz', {
      ContentType: 'application/gzip',
      Metadata: { a: '1' },
    });
    const parts = [];
    for (const [index, body] of bodies.entries()) parts.push(await upload(at, index * 10 + 1, body));
    const done = await complete(at, parts);
    expect(done.ETag).toBe(etagOf(bodies));
    expect(done.Location).toBe(`${fixture.server.url}/${at.Bucket}/models/large%20model.tar.gz`);
    const got = await s3.send(new GetObjectCommand({ Bucket: at.Bucket, Key: at.Key }));
    const whole = Buffer.concat(bodies);
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(whole)).toBe(true);
    expect(got).toMatchObject({ ContentType: 'application/gzip', Metadata: { a: '1' }, ETag: etagOf(bodies) });
    const start = 5 * mebibyte - 10;
    const range = await s3.send(
      new GetObjectCommand({ Bucket: at.Bucket, Key: at.Key, Range: `bytes=${start}-${start + 19}` }),
    );
    const bytes = Buffer.from(await range.Body!.transformToByteArray());
    expect(bytes.equals(whole.subarray(start, start + 20))).toBe(true);
    const third = await s3.send(new HeadObjectCommand({ Bucket: at.Bucket, Key: at.Key, PartNumber: 3 }));
    expect(third).toMatchObject({ PartsCount: 3, ContentLength: 1000 });
    expect((await errorOf(s3.send(new ListPartsCommand(at)))).name).toBe('NoSuchUpload');
  });

  it('can be completed again by a client whose answer got lost', async () => {
    const at = await begin(await fixture.bucket(), 'k');
    const parts = [await upload(at, 1, Buffer.from('only'))];
    const first = await complete(at, parts);
    const again = await complete(at, parts);
    expect(again.ETag).toBe(first.ETag);
    expect((await errorOf(complete({ ...at, UploadId: 'none' }, parts))).name).toBe('NoSuchUpload');
  });

  it('refuse parts that are missing, out of order, changed or too small, and go on afterwards', async () => {
    const at = await begin(await fixture.bucket(), 'k');
    const first = await upload(at, 1, Buffer.from('small'));
    const second = await upload(at, 2, Buffer.from('last'));
    expect(await errorOf(complete(at, [second, first]))).toMatchObject({ name: 'InvalidPartOrder', status: 400 });
    expect((await errorOf(complete(at, [first, { ...second, PartNumber: 3 }]))).name).toBe('InvalidPart');
    expect((await errorOf(complete(at, [{ ...first, ETag: '"00"' }]))).name).toBe('InvalidPart');
    expect(await errorOf(complete(at, [first, second]))).toMatchObject({ name: 'EntityTooSmall', status: 400 });
    expect((await errorOf(complete(at, []))).name).toBe('MalformedXML');
    const number = await errorOf(upload(at, 10_001, Buffer.from('x')));
    expect(number).toMatchObject({ name: 'InvalidArgument', status: 400 });
    await complete(at, [second]);
    const got = await fixture.s3.send(new GetObjectCommand({ Bucket: at.Bucket, Key: at.Key }));
    expect(await got.Body!.transformToString()).toBe('last');
  });

  it('keep the last of the parts with one number, and only files that are used', async () => {
    const before = fixture.files().blobs.length;
    const at = await begin(await fixture.bucket(), 'k');
    await upload(at, 1, Buffer.from('first try'));
    const used = await upload(at, 1, Buffer.from('second try'));
    await upload(at, 2, Buffer.from('not used'));
    await complete(at, [used]);
    const got = await fixture.s3.send(new GetObjectCommand({ Bucket: at.Bucket, Key: at.Key }));
    expect(await got.Body!.transformToString()).toBe('second try');
    await expect.poll(() => fixture.files().blobs.length).toBe(before + 1);
    expect(fixture.files().incoming).toEqual([]);
  });

  it('leave nothing when they are aborted', async () => {
    const before = fixture.files().blobs.length;
    const at = await begin(await fixture.bucket(), 'k');
    await upload(at, 1, Buffer.from('x'));
    await fixture.s3.send(new AbortMultipartUploadCommand(at));
    await expect.poll(() => fixture.files().blobs.length).toBe(before);
    expect((await errorOf(fixture.s3.send(new AbortMultipartUploadCommand(at)))).status).toBe(404);
    expect((await errorOf(upload(at, 1, Buffer.from('x')))).name).toBe('NoSuchUpload');
  });

  it('are listed with their parts, a page at a time', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const [one, two] = [await begin(Bucket, 'a/1'), await begin(Bucket, 'b/2')];
    for (const number of [1, 2, 3]) await upload(one, number, Buffer.from(String(number)));
    const first = await s3.send(new ListPartsCommand({ ...one, MaxParts: 2 }));
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    const rest = await s3.send(new ListPartsCommand({ ...one, PartNumberMarker: first.NextPartNumberMarker }));
    expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);
    const page = await s3.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1 }));
    expect(page.Uploads?.map(({ UploadId }) => UploadId)).toEqual([one.UploadId]);
    const markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    const next = await s3.send(new ListMultipartUploadsCommand({ Bucket, ...markers }));
    expect(next.Uploads?.map(({ UploadId }) => UploadId)).toEqual([two.UploadId]);
    const prefixed = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'b/' }));
    expect(prefixed.Uploads?.map(({ Key }) => Key)).toEqual(['b/2']);
  });

  it('take ranges of other objects as parts', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const source = randomBytes(6 * mebibyte);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: source }));
    const at = await begin(Bucket, 'target');
    const copy = async (PartNumber: number, CopySourceRange: string) => {
      const input = { ...at, PartNumber, CopySource: `${Bucket}/source`, CopySourceRange };
      const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(input));
      return { PartNumber, ETag: CopyPartResult?.ETag };
    };
    const parts = [await copy(1, `bytes=0-${5 * mebibyte - 1}`), await copy(2, 'bytes=10-19')];
    expect((await errorOf(copy(3, `bytes=0-${6 * mebibyte}`))).name).toBe('InvalidArgument');
    await complete(at, parts);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'target' }));
    const expected = Buffer.concat([source.subarray(0, 5 * mebibyte), source.subarray(10, 20)]);
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(expected)).toBe(true);
  });

  it('have a composite checksum, which is a digest of digests', async () => {
    const bodies = [randomBytes(5 * mebibyte), randomBytes(77)];
    const at = await begin(await fixture.bucket(), 'k', { ChecksumAlgorithm: 'SHA256' });
    const parts = [];
    for (const [index, body] of bodies.entries()) {
      parts.push(await upload(at, index + 1, body, { ChecksumAlgorithm: 'SHA256' }));
    }
    const whole = digest('sha256', Buffer.concat(bodies.map((body) => digest('sha256', body))));
    const done = await complete(at, parts);
    expect(done.ChecksumSHA256).toBe(`${whole.toString('base64')}-2`);
    expect(done.ChecksumType).toBe('COMPOSITE');
    const mismatch = errorOf(upload(await begin(at.Bucket, 'other', { ChecksumAlgorithm: 'SHA1' }), 1, bodies[1]!));
    expect((await mismatch).message).toContain('Checksum Type mismatch');
  });

  it('have a checksum of the whole object without reading it again', async () => {
    const bodies = [randomBytes(5 * mebibyte), randomBytes(6 * mebibyte), randomBytes(13)];
    const chosen = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
    const at = await begin(await fixture.bucket(), 'k', chosen);
    const parts = [];
    for (const [index, body] of bodies.entries()) {
      parts.push(await upload(at, index + 1, body, { ChecksumAlgorithm: 'CRC32' }));
    }
    const expected = Buffer.alloc(4);
    expected.writeUInt32BE(crc32(Buffer.concat(bodies)));
    const wrong = errorOf(complete(at, parts, { ChecksumType: 'FULL_OBJECT', ChecksumCRC32: 'AAAAAA==' }));
    expect((await wrong).name).toBe('BadDigest');
    const claims = { ChecksumType: 'FULL_OBJECT', ChecksumCRC32: expected.toString('base64') };
    const done = await complete(at, parts, claims);
    expect(done).toMatchObject(claims);
    const head = await fixture.s3.send(
      new HeadObjectCommand({ Bucket: at.Bucket, Key: at.Key, ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject(claims);
  });

  it('are completed only if the key is free', async () => {
    const at = await begin(await fixture.bucket(), 'k');
    const parts = [await upload(at, 1, Buffer.from('x'))];
    await fixture.s3.send(new PutObjectCommand({ Bucket: at.Bucket, Key: 'k', Body: 'earlier' }));
    expect((await errorOf(complete(at, parts, { IfNoneMatch: '*' }))).status).toBe(412);
    await complete(at, parts);
  });
});
