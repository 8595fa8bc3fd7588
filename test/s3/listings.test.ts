import { ListObjectsCommand, ListObjectsV2Command, paginateListObjectsV2, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, useServer } from './support.ts';

const fixture = useServer();

async function fill(Bucket: string, keys: readonly string[]): Promise<void> {
  for (const Key of keys) await fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: '' }));
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What S3 must list, worked out from all keys at once. */
function expected(keys: readonly string[], prefix: string, delimiter: string): { keys: string[]; prefixes: string[] } {
  const under = keys.filter((key) => key.startsWith(prefix)).sort(byBytes);
  const rolled = (key: string): string | undefined => {
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    return at < 0 ? undefined : key.slice(0, at + delimiter.length);
  };
  const prefixes = [...new Set(under.map(rolled).filter((found) => found !== undefined))];
  return { keys: under.filter((key) => rolled(key) === undefined), prefixes };
}

describe('listings', () => {
  it('have keys in the order of their UTF-8 bytes', async () => {
    const Bucket = await fixture.bucket();
    // U+FF5E sorts before U+1F680 by bytes, and after it by UTF-16 units.
    await fill(Bucket, ['\uff5e', '🚀', 'a', 'B', 'ä', 'a/b', 'a-b']);
    const { Contents } = await fixture.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['B', 'a', 'a-b', 'a/b', 'ä', '\uff5e', '🚀']);
  });

  it('equal the plain definition for any keys, prefix, delimiter and page size', async () => {
    const Bucket = await fixture.bucket();
    const part = fc.constantFrom('a', 'b', '/', 'ä', '0', '~', '🚀');
    const key = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
    const keys = [...new Set(fc.sample(key, { seed: 20_240_601, numRuns: 120 }))].filter((k) => !/^\/|\/\//.test(k));
    await fill(Bucket, keys);
    const prefix = fc.oneof(fc.constant(''), part, key);
    await fc.assert(
      fc.asyncProperty(
        prefix,
        fc.constantFrom('', '/', 'a', 'b/'),
        fc.integer({ min: 1, max: 9 }),
        async (p, d, size) => {
          const listed = { keys: [] as string[], prefixes: [] as string[] };
          const input = { Bucket, Prefix: p, Delimiter: d === '' ? undefined : d };
          for await (const page of paginateListObjectsV2({ client: fixture.s3, pageSize: size }, input)) {
            listed.keys.push(...(page.Contents ?? []).map(({ Key }) => String(Key)));
            listed.prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => String(Prefix)));
            expect(page.KeyCount).toBeLessThanOrEqual(size);
          }
          expect(listed).toEqual(expected(keys, p, d));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('begin after a key, and say how many they hold', async () => {
    const Bucket = await fixture.bucket();
    await fill(Bucket, ['a', 'b', 'c', 'd']);
    const page = await fixture.s3.send(new ListObjectsV2Command({ Bucket, StartAfter: 'b', MaxKeys: 1 }));
    expect(page).toMatchObject({ KeyCount: 1, IsTruncated: true, StartAfter: 'b', MaxKeys: 1 });
    expect(page.Contents?.[0]?.Key).toBe('c');
    const none = await fixture.s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
    expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it('encode keys that XML cannot carry when they are asked to', async () => {
    const Bucket = await fixture.bucket();
    const key = 'a b/+&\u0001ä';
    await fill(Bucket, [key]);
    const page = await fixture.s3.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
    expect(page.Contents?.[0]?.Key).toBe('a%20b/%2B%26%01%C3%A4');
  });

  it('name owners only when they are asked to', async () => {
    const Bucket = await fixture.bucket();
    await fill(Bucket, ['a']);
    const plain = await fixture.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(plain.Contents?.[0]?.Owner).toBeUndefined();
    const owned = await fixture.s3.send(new ListObjectsV2Command({ Bucket, FetchOwner: true }));
    expect(owned.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });

  it('refuse a token they did not give', async () => {
    const Bucket = await fixture.bucket();
    const error = await errorOf(fixture.s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken: '!!' })));
    expect(error).toMatchObject({ name: 'InvalidArgument', status: 400 });
  });

  it('go on from a marker in the first version of the operation', async () => {
    const Bucket = await fixture.bucket();
    await fill(Bucket, ['a', 'b/1', 'b/2', 'c']);
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await fixture.s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1, Marker }));
      seen.push(...(page.Contents ?? []).map(({ Key }) => String(Key)));
      seen.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => String(Prefix)));
      Marker = page.IsTruncated === true ? page.NextMarker : undefined;
    } while (Marker !== undefined);
    expect(seen).toEqual(['a', 'b/', 'c']);
  });
});
