import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { errorOf, useServer } from './support.ts';

const fixture = useServer();
const mebibyte = 1024 * 1024;

/** A PUT whose body is sent by hand, so that the test decides what happens in its midst. */
function slowPut(path: string, bytes: number, headers: Record<string, string> = {}) {
  let sent: ClientRequest | undefined;
  const status = new Promise<number | undefined>((resolve, reject) => {
    const length = { 'content-length': String(bytes) };
    sent = request(fixture.server.url + path, { method: 'PUT', headers: { ...length, ...headers } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
  });
  status.catch(() => undefined);
  return { status, request: sent as ClientRequest };
}

const begun = () => expect.poll(() => fixture.files().incoming.length).toBe(1);

describe('uploads and downloads', () => {
  it('take and give large bodies in little memory', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const chunk = randomBytes(mebibyte);
    const count = 200;
    const body = Readable.from(
      (function* () {
        for (let index = 0; index < count; index += 1) yield chunk;
      })(),
    );
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 20);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: body, ContentLength: count * mebibyte }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    let size = 0;
    for await (const piece of got.Body as Readable) size += (piece as Buffer).length;
    clearInterval(watch);
    expect(size).toBe(count * mebibyte);
    expect((peak - before) / mebibyte).toBeLessThan(100);
  });

  it('leave nothing when their client goes away', async () => {
    const Bucket = await fixture.bucket();
    const before = fixture.files().blobs.length;
    const put = slowPut(`/${Bucket}/k`, 1000);
    put.request.write(Buffer.alloc(500));
    await begun();
    put.request.destroy();
    await expect.poll(() => fixture.files()).toEqual({ blobs: expect.anything(), incoming: [] });
    expect(fixture.files().blobs).toHaveLength(before);
    expect((await errorOf(fixture.s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).status).toBe(404);
  });

  it('show the old object until the new one is whole', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'old' }));
    const put = slowPut(`/${Bucket}/k`, 4);
    put.request.write('ne');
    await begun();
    const text = async () => (await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }))).Body!.transformToString();
    expect(await text()).toBe('old');
    put.request.end('w!');
    expect(await put.status).toBe(200);
    expect(await text()).toBe('new!');
  });

  it('go on reading an object that is overwritten and deleted meanwhile', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const Body = randomBytes(20 * mebibyte);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    const count = fixture.files().blobs.length;
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'short' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    const sink = new PassThrough();
    (got.Body as Readable).pipe(sink);
    const pieces: Buffer[] = [];
    for await (const piece of sink) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).equals(Body)).toBe(true);
    await expect.poll(() => fixture.files().blobs.length).toBe(count - 1);
  });

  it('that want a free key lose to a write that ends before them', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const put = slowPut(`/${Bucket}/k`, 2, { 'if-none-match': '*' });
    put.request.write('a');
    await begun();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'winner', IfNoneMatch: '*' }));
    put.request.end('b');
    expect(await put.status).toBe(412);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body!.transformToString()).toBe('winner');
    expect(fixture.files().incoming).toEqual([]);
  });

  it('that are conditional conflict with a delete in their midst', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const put = slowPut(`/${Bucket}/k`, 2, { 'if-match': String(ETag) });
    put.request.write('a');
    await begun();
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    put.request.end('b');
    expect(await put.status).toBe(409);
    expect((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).status).toBe(404);
  });
});

describe('presigned URLs', () => {
  it('put and get without any other credentials, until they expire on the clock', async () => {
    const { s3, server } = fixture;
    const Bucket = await fixture.bucket();
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'a b/ä.txt' }), { expiresIn: 600 });
    expect((await fetch(put, { method: 'PUT', body: 'by a stranger' })).status).toBe(200);
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'a b/ä.txt' }), { expiresIn: 600 });
    const got = await fetch(get);
    expect([got.status, await got.text()]).toEqual([200, 'by a stranger']);
    await server.advance(601_000);
    const late = await fetch(get);
    expect(late.status).toBe(403);
    const answer = await late.text();
    expect(answer).toContain('<Code>AccessDenied</Code><Message>Request has expired</Message>');
  });

  it('belong to the account that signed them', async () => {
    const Bucket = await fixture.bucket();
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const other = fixture.client('222222222222');
    const url = await getSignedUrl(other, new GetObjectCommand({ Bucket, Key: 'k' }), { expiresIn: 604_800 });
    expect((await fetch(url)).status).toBe(403);
  });
});
