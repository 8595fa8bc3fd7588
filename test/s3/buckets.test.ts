import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { errorOf, useServer } from './support.ts';

const fixture = useServer();
const newName = (): string => `bucket-${randomBytes(8).toString('hex')}`;

describe('buckets', () => {
  it('are created, found, listed and deleted', async () => {
    const { s3 } = fixture;
    const Bucket = newName();
    const created = await s3.send(new CreateBucketCommand({ Bucket }));
    expect(created.Location).toBe(`/${Bucket}`);
    expect((await s3.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('us-east-1');
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    const listed = Buckets?.find(({ Name }) => Name === Bucket);
    expect(listed?.CreationDate).toBeInstanceOf(Date);
    await s3.send(new DeleteBucketCommand({ Bucket }));
    expect(await errorOf(s3.send(new HeadBucketCommand({ Bucket })))).toMatchObject({ name: 'NotFound', status: 404 });
    expect(await errorOf(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({ name: 'NoSuchBucket' });
  });

  it('are listed a page at a time by prefix', async () => {
    const client = fixture.client('555555555555');
    const names = ['pages-a', 'pages-b', 'pages-c', 'other'].map((name) => `${name}-${randomBytes(4).toString('hex')}`);
    for (const Bucket of names) await client.send(new CreateBucketCommand({ Bucket }));
    const first = await client.send(new ListBucketsCommand({ Prefix: 'pages-', MaxBuckets: 2 }));
    expect(first.Buckets?.map(({ Name }) => Name)).toEqual(names.slice(0, 2));
    const { ContinuationToken } = first;
    const second = await client.send(new ListBucketsCommand({ Prefix: 'pages-', MaxBuckets: 2, ContinuationToken }));
    expect(second.Buckets?.map(({ Name }) => Name)).toEqual(names.slice(2, 3));
    expect(second.ContinuationToken).toBeUndefined();
  });

  it.each(['ab', 'Upper-Case', 'has_underscore', 'a..b', '192.168.0.1', 'xn--name', 'dash-', 'x'.repeat(64)])(
    'cannot be called %s',
    async (Bucket) => {
      const error = await errorOf(fixture.s3.send(new CreateBucketCommand({ Bucket })));
      expect(error).toMatchObject({ name: 'InvalidBucketName', status: 400 });
    },
  );

  it('belong to one account, and their names are taken for all', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'secret' }));
    const other = fixture.client('111111111111');
    const taken = await errorOf(other.send(new CreateBucketCommand({ Bucket })));
    expect(taken).toMatchObject({ name: 'BucketAlreadyExists', status: 409 });
    const read = await errorOf(other.send(new GetObjectCommand({ Bucket, Key: 'k' })));
    expect(read).toMatchObject({ name: 'AccessDenied', status: 403 });
    expect((await errorOf(other.send(new HeadBucketCommand({ Bucket })))).status).toBe(403);
    const { Buckets } = await other.send(new ListBucketsCommand({}));
    expect(Buckets?.some(({ Name }) => Name === Bucket) ?? false).toBe(false);
  });

  it('may be created again by their owner in us-east-1 only', async () => {
    const Bucket = await fixture.bucket();
    const again = await fixture.s3.send(new CreateBucketCommand({ Bucket }));
    expect(again.Location).toBe(`/${Bucket}`);
    const north = fixture.client('000000000000', 'eu-north-1');
    const CreateBucketConfiguration = { LocationConstraint: 'eu-north-1' } as const;
    const inNorth = newName();
    await north.send(new CreateBucketCommand({ Bucket: inNorth, CreateBucketConfiguration }));
    const error = await errorOf(north.send(new CreateBucketCommand({ Bucket: inNorth, CreateBucketConfiguration })));
    expect(error).toMatchObject({ name: 'BucketAlreadyOwnedByYou', status: 409 });
  });

  it('say where they are', async () => {
    const { s3 } = fixture;
    const north = fixture.client('000000000000', 'eu-north-1');
    const Bucket = newName();
    const elsewhere = { Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } } as const;
    const refused = await errorOf(north.send(new CreateBucketCommand(elsewhere)));
    expect(refused).toMatchObject({ name: 'IllegalLocationConstraintException', status: 400 });
    const CreateBucketConfiguration = { LocationConstraint: 'eu-north-1' } as const;
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    const location = await s3.send(new GetBucketLocationCommand({ Bucket }));
    expect(location.LocationConstraint).toBe('eu-north-1');
    expect((await s3.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('eu-north-1');
    const usual = await fixture.bucket();
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: usual }))).LocationConstraint).toBeUndefined();
  });

  it('are not deleted while anything is in them', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket({ versioning: 'Enabled' });
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    const error = await errorOf(s3.send(new DeleteBucketCommand({ Bucket })));
    expect(error).toMatchObject({ name: 'BucketNotEmpty', status: 409 });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: marker.VersionId }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'unfinished' }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
  });

  it('are what the client expects, or refused', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    await s3.send(new HeadBucketCommand({ Bucket, ExpectedBucketOwner: '000000000000' }));
    const ExpectedBucketOwner = '999999999999';
    expect((await errorOf(s3.send(new HeadBucketCommand({ Bucket, ExpectedBucketOwner })))).status).toBe(403);
    const put = s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ExpectedBucketOwner }));
    expect(await errorOf(put)).toMatchObject({ name: 'AccessDenied', status: 403 });
    expect((await errorOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).status).toBe(404);
  });

  it('name the operation that is not implemented', async () => {
    const { s3 } = fixture;
    const Bucket = await fixture.bucket();
    const error = await errorOf(s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [] } })));
    expect(error).toMatchObject({ name: 'NotImplemented', status: 501 });
    expect(error.message).toContain('PutBucketTagging');
  });
});
