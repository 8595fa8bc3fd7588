import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { errorOf, useServer } from './support.ts';

const fixture = useServer();

async function text(Bucket: string, Key: string, VersionId?: string): Promise<string> {
  const got = await fixture.s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return got.Body!.transformToString();
}

describe('versions', () => {
  it('are kept while versioning is enabled', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket({ versioning: 'Enabled' });
    const put = async (Body: string) => (await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body }))).VersionId;
    const [first, second] = [await put('one'), await put('two')];
    expect(await text(Bucket, 'k')).toBe('two');
    expect(await text(Bucket, 'k', first)).toBe('one');
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).VersionId).toBe(second);
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(listed.Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [second, true],
      [first, false],
    ]);
    const error = await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId: 'none' })));
    expect(error).toMatchObject({ name: 'NoSuchVersion', status: 404 });
  });

  it('are hidden by a delete marker and come back without it', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket({ versioning: 'Enabled' });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'kept' }));
    const { DeleteMarker, VersionId } = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    expect(DeleteMarker).toBe(true);
    expect((await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: 'k' })))).name).toBe('NoSuchKey');
    expect((await errorOf(s3.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId })))).status).toBe(405);
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(listed.DeleteMarkers?.map((marker) => [marker.Key, marker.IsLatest])).toEqual([['k', true]]);
    const removed = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId }));
    expect(removed).toMatchObject({ DeleteMarker: true, VersionId });
    expect(await text(Bucket, 'k')).toBe('kept');
  });

  it('make a marker or remove one, in a multi-delete too', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket({ versioning: 'Enabled' });
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const marked = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'k' }] } }));
    const markerId = marked.Deleted?.[0]?.DeleteMarkerVersionId;
    expect(marked.Deleted?.[0]).toMatchObject({ Key: 'k', DeleteMarker: true });
    const Objects = [
      { Key: 'k', VersionId },
      { Key: 'k', VersionId: markerId },
    ];
    const removed = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(removed.Deleted?.[1]).toMatchObject({ DeleteMarker: true, DeleteMarkerVersionId: markerId });
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect([listed.Versions, listed.DeleteMarkers]).toEqual([undefined, undefined]);
  });

  it('are replaced in the place of null while versioning is suspended', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'before' }));
    const setStatus = (Status: 'Enabled' | 'Suspended') =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    await setStatus('Enabled');
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'numbered' }));
    await setStatus('Suspended');
    const suspended = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'after' }));
    expect(suspended.VersionId).toBe('null');
    expect(await text(Bucket, 'k')).toBe('after');
    expect(await text(Bucket, 'k', VersionId)).toBe('numbered');
    expect(await text(Bucket, 'k', 'null')).toBe('after');
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    expect(marker).toMatchObject({ DeleteMarker: true, VersionId: 'null' });
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(listed.Versions?.map((version) => version.VersionId)).toEqual([VersionId]);
  });

  it('are listed a page at a time, whatever the size of the page', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket({ versioning: 'Enabled' });
    for (const Key of ['a', 'b/1', 'b/2', 'c', 'a', 'c']) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    }
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'c' }));
    for (const Delimiter of [undefined, '/']) {
      const whole = await pages(Bucket, 1000, Delimiter);
      expect(whole).toHaveLength(Delimiter === undefined ? 7 : 6);
      for (const size of [1, 2, 3, 5]) expect(await pages(Bucket, size, Delimiter)).toEqual(whole);
    }
  });

  it('are copied by their id', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket({ versioning: 'Enabled' });
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'old' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'new' }));
    const CopySource = `${Bucket}/k?versionId=${VersionId}`;
    const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'k', CopySource }));
    expect(copied.CopySourceVersionId).toBe(VersionId);
    expect(await text(Bucket, 'k')).toBe('old');
  });
});

/** All entries of all pages as `key@version`, common prefixes as they are. */
async function pages(Bucket: string, MaxKeys: number, Delimiter: string | undefined): Promise<string[]> {
  const entries: string[] = [];
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await fixture.s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys, Delimiter, ...markers }));
    const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    entries.push(...found.map(({ Key, VersionId }) => `${Key}@${VersionId}`));
    entries.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => String(Prefix)));
    if (page.IsTruncated !== true) return entries.sort();
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}
