import { request } from 'node:http';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { useServer } from './support.ts';

const fixture = useServer();

/** A request whose Host names the bucket, as clients send it to `localhost`; here it needs no name resolution. */
function send(method: string, bucket: string, path: string, body = ''): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(fixture.server.url);
  const headers = { host: `${bucket}.localhost:${port}`, 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('a bucket in the host name', () => {
  it('is the same as one in the path', async () => {
    const Bucket = await fixture.bucket();
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: 'folder/k', Body: 'by path' }));
    expect(await send('GET', Bucket, '/folder/k')).toEqual({ status: 200, text: 'by path' });
    expect((await send('PUT', Bucket, '/folder/h%20ost', 'by host')).status).toBe(200);
    const got = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: 'folder/h ost' }));
    expect(await got.Body!.transformToString()).toBe('by host');
    const listed = await send('GET', Bucket, '/?list-type=2&prefix=folder/');
    expect(listed.text.match(/<Key>[^<]*/g)).toEqual(['<Key>folder/h ost', '<Key>folder/k']);
  });
});
