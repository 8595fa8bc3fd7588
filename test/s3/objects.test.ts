import { createHash, randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { errorOf, useServer } from './support.ts';

const fixture = useServer();

const md5 = (body: string | Uint8Array): string => `"${createHash('md5').update(body).digest('hex')}"`;

describe('objects', () => {
  it('come back with their bytes, headers and metadata', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const Body = randomBytes(100_000);
    const Key = 'models/ärger/αβγ +&?#%2F 🚀.bin';
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body,
        ContentType: 'application/x-tar',
        CacheControl: 'no-cache',
        ContentDisposition: 'attachment',
        ContentLanguage: 'en',
        Expires: new Date('2031-05-01T10:00:00Z'),
        Metadata: { purpose: 'a test', seed: '7' },
        ServerSideEncryption: 'AES256',
      }),
    );
    expect(put.ETag).toBe(md5(Body));
    expect(put.ServerSideEncryption).toBe('AES256');
    expect(put.VersionId).toBeUndefined();
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Body)).toBe(true);
    expect(got).toMatchObject({
      ETag: md5(Body),
      ContentLength: Body.length,
      ContentType: 'application/x-tar',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment',
      ContentLanguage: 'en',
      Metadata: { purpose: 'a test', seed: '7' },
      AcceptRanges: 'bytes',
    });
    expect(got.ExpiresString).toBe('Thu, 01 May 2031 10:00:00 GMT');
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head.ContentLength).toBe(Body.length);
    expect(head.Metadata).toEqual({ purpose: 'a test', seed: '7' });
  });

  it('may be empty, and their keys as long as 1024 bytes', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const Key = 'ä'.repeat(512);
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: '' }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body!.transformToString()).toBe('');
    expect(got.ContentType).toBe('application/octet-stream');
    const error = await errorOf(s3.send(new PutObjectCommand({ Bucket, Key: `${Key}a`, Body: '' })));
    expect(error).toMatchObject({ name: 'KeyTooLongError', status: 400 });
  });

  it('are not there with the codes that clients look for', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    expect(await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: 'none' })))).toMatchObject({
      name: 'NoSuchKey',
      status: 404,
      message: 'The specified key does not exist.',
    });
    expect(await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toMatchObject({
      name: 'NotFound',
      status: 404,
    });
    expect(await errorOf(s3.send(new GetObjectCommand({ Bucket: 'no-such-bucket-here', Key: 'k' })))).toMatchObject({
      name: 'NoSuchBucket',
      status: 404,
    });
  });

  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ])('give the range %s', async (Range, expected, ContentRange) => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range }));
    expect(await got.Body!.transformToString()).toBe(expected);
    expect(got.ContentRange).toBe(ContentRange);
    expect(got.$metadata.httpStatusCode).toBe(206);
    expect(got.ContentLength).toBe(expected.length);
    expect(got.ChecksumCRC32).toBeUndefined();
  });

  it('refuse a range without a byte, and ignore one they cannot read', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }));
    for (const Range of ['bytes=10-', 'bytes=-0']) {
      const error = await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range })));
      expect(error).toMatchObject({ name: 'InvalidRange', status: 416 });
    }
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'lines=1-2' }));
    expect(await got.Body!.transformToString()).toBe('0123456789');
    expect(got.$metadata.httpStatusCode).toBe(200);
  });

  it('are read under conditions', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const get = (conditions: object) => s3.send(new GetObjectCommand({ Bucket, Key: 'k', ...conditions }));
    const past = new Date('2001-01-01T00:00:00Z');
    const future = new Date(Date.now() + 86_400_000);
    expect((await get({ IfMatch: ETag })).$metadata.httpStatusCode).toBe(200);
    expect((await errorOf(get({ IfMatch: '"no"' }))).status).toBe(412);
    expect((await errorOf(get({ IfNoneMatch: ETag }))).status).toBe(304);
    expect((await get({ IfNoneMatch: '"no"' })).$metadata.httpStatusCode).toBe(200);
    expect((await errorOf(get({ IfModifiedSince: future }))).status).toBe(304);
    expect((await get({ IfModifiedSince: past })).$metadata.httpStatusCode).toBe(200);
    expect((await errorOf(get({ IfUnmodifiedSince: past }))).status).toBe(412);
    expect((await get({ IfMatch: ETag, IfUnmodifiedSince: past })).$metadata.httpStatusCode).toBe(200);
  });

  it('let a reader override the headers of one answer', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ContentType: 'text/plain' }));
    const got = await s3.send(
      new GetObjectCommand({ Bucket, Key: 'k', ResponseContentType: 'text/csv', ResponseCacheControl: 'max-age=1' }),
    );
    expect(got).toMatchObject({ ContentType: 'text/csv', CacheControl: 'max-age=1' });
  });

  it('are written only if absent, or only if unchanged', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const put = (Body: string, conditions: object) =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'log/0001', Body, ...conditions }));
    expect(await errorOf(put('x', { IfMatch: '"abc"' }))).toMatchObject({ name: 'NoSuchKey', status: 404 });
    const { ETag } = await put('first', { IfNoneMatch: '*' });
    expect(await errorOf(put('second', { IfNoneMatch: '*' }))).toMatchObject({
      name: 'PreconditionFailed',
      status: 412,
    });
    expect(await errorOf(put('second', { IfMatch: '"abc"' }))).toMatchObject({ status: 412 });
    await put('second', { IfMatch: ETag });
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'log/0001' }));
    expect(await got.Body!.transformToString()).toBe('second');
  });

  it('are written by exactly one of many that want them absent', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const writers = Array.from({ length: 20 }, (_, index) =>
      s3
        .send(new PutObjectCommand({ Bucket, Key: 'k', Body: String(index), IfNoneMatch: '*' }))
        .then(() => index)
        .catch((error: { $metadata: { httpStatusCode: number } }) => -error.$metadata.httpStatusCode),
    );
    const results = await Promise.all(writers);
    const winners = results.filter((result) => result >= 0);
    expect(winners).toHaveLength(1);
    expect(results.filter((result) => result === -412)).toHaveLength(19);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body!.transformToString()).toBe(String(winners[0]));
  });

  it('are deleted, and deleting what is not there succeeds', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    for (let time = 0; time < 2; time += 1) {
      const deleted = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
      expect(deleted.$metadata.httpStatusCode).toBe(204);
    }
    expect((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).status).toBe(404);
  });

  it('are deleted many at a time, telling of each or only of failures', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const keys = ['a', 'b/ä&<>"', 'c'];
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const Objects = [...keys, 'absent'].map((Key) => ({ Key }));
    const told = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Objects.slice(0, 2) } }));
    expect(told.Deleted?.map(({ Key }) => Key)).toEqual(['a', 'b/ä&<>"']);
    const quiet = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    expect(quiet.Deleted).toBeUndefined();
    expect(quiet.Errors).toBeUndefined();
    expect((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'c' })))).status).toBe(404);
    const tooMany = Array.from({ length: 1001 }, (_, index) => ({ Key: `k${index}` }));
    const error = await errorOf(s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: tooMany } })));
    expect(error).toMatchObject({ name: 'MalformedXML', status: 400 });
  });

  it('are copied with their metadata or with new', async () => {
    const { s3 } = fixture;
    const [Bucket, other] = [await fixture.bucket(), await fixture.bucket()];
    const Key = 'a b/ä+.txt';
    const { ETag } = await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: 'content', ContentType: 'text/plain', Metadata: { a: '1' } }),
    );
    const CopySource = encodeURIComponent(`${Bucket}/${Key}`);
    const kept = await s3.send(new CopyObjectCommand({ Bucket: other, Key: 'kept', CopySource }));
    expect(kept.CopyObjectResult?.ETag).toBe(ETag);
    await s3.send(
      new CopyObjectCommand({
        Bucket: other,
        Key: 'new',
        CopySource: `/${encodeURIComponent(Bucket)}/${encodeURIComponent(Key)}`,
        MetadataDirective: 'REPLACE',
        Metadata: { b: '2' },
        ContentType: 'text/csv',
      }),
    );
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    const first = await s3.send(new GetObjectCommand({ Bucket: other, Key: 'kept' }));
    expect(await first.Body!.transformToString()).toBe('content');
    expect(first).toMatchObject({ ContentType: 'text/plain', Metadata: { a: '1' } });
    const second = await s3.send(new GetObjectCommand({ Bucket: other, Key: 'new' }));
    expect(await second.Body!.transformToString()).toBe('content');
    expect(second).toMatchObject({ ContentType: 'text/csv', Metadata: { b: '2' } });
  });

  it('are copied onto themselves only to change something, and keep their bytes', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'content' }));
    const copy = (more: object) =>
      s3.send(new CopyObjectCommand({ Bucket, Key: 'k', CopySource: `${Bucket}/k`, ...more }));
    expect(await errorOf(copy({}))).toMatchObject({ name: 'InvalidRequest', status: 400 });
    await copy({ MetadataDirective: 'REPLACE', Metadata: { changed: 'yes' } });
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body!.transformToString()).toBe('content');
    expect(got.Metadata).toEqual({ changed: 'yes' });
  });

  it('are copied under conditions on the source and on the target', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const copy = (Key: string, more: object) =>
      s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/k`, ...more }));
    expect((await errorOf(copy('t', { CopySourceIfMatch: '"no"' }))).status).toBe(412);
    expect((await errorOf(copy('t', { CopySourceIfNoneMatch: ETag }))).status).toBe(412);
    await copy('t', { CopySourceIfMatch: ETag, IfNoneMatch: '*' });
    expect((await errorOf(copy('t', { IfNoneMatch: '*' }))).status).toBe(412);
    const error = await errorOf(s3.send(new CopyObjectCommand({ Bucket, Key: 't', CopySource: `${Bucket}/absent` })));
    expect(error).toMatchObject({ name: 'NoSuchKey', status: 404 });
  });

  it('name the header that would otherwise be ignored', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const put = (more: object) => s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ...more }));
    const tagged = await errorOf(put({ Tagging: 'a=b' }));
    expect(tagged).toMatchObject({ name: 'NotImplemented', status: 501 });
    expect(tagged.message).toContain('x-amz-tagging');
    expect((await errorOf(put({ ACL: 'public-read' }))).name).toBe('AccessControlListNotSupported');
    const large = await errorOf(put({ Metadata: { large: 'x'.repeat(3000) } }));
    expect(large).toMatchObject({ name: 'MetadataTooLarge', status: 400 });
    expect((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).status).toBe(404);
  });
});
