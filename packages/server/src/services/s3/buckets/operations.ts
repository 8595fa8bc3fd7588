import type {
  BucketLocationConstraint,
  CreateBucketCommandInput,
  CreateBucketCommandOutput,
  DeleteBucketCommandInput,
  GetBucketLocationCommandInput,
  GetBucketLocationCommandOutput,
  GetBucketVersioningCommandInput,
  GetBucketVersioningCommandOutput,
  HeadBucketCommandInput,
  HeadBucketCommandOutput,
  ListBucketsCommandInput,
  ListBucketsCommandOutput,
  PutBucketVersioningCommandInput,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../../wire/errors.ts';
import type { Context } from '../../../wire/service.ts';
import { InvalidArgument, NotImplemented } from '../errors.ts';
import { checkBucketName } from '../names.ts';
import { canonicalUser, ownBucket } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { bucketKey } from './store.ts';

/** us-east-1 creates anywhere; every other region only in itself, and the request must say so. */
function regionOf(constraint: string | undefined, region: string): string {
  const asked = constraint === 'EU' ? 'eu-west-1' : constraint;
  if (region === 'us-east-1') return asked ?? region;
  if (asked === region) return region;
  const sentence = `The ${asked ?? 'unspecified'} location constraint is incompatible for the region specific endpoint`;
  throw new AwsError('IllegalLocationConstraintException', 400, `${sentence} this request was sent to.`);
}

/** Creating one's own bucket again succeeds in us-east-1 only, for the sake of old programs: API reference, CreateBucket. */
export function createBucket(
  s3: S3Parts,
  input: Given<CreateBucketCommandInput, 'Bucket'>,
  context: Context,
): Omit<CreateBucketCommandOutput, '$metadata'> {
  checkBucketName(input.Bucket);
  if (input.ObjectLockEnabledForBucket === true) throw new NotImplemented('object lock');
  if (
    input.CreateBucketConfiguration?.Bucket !== undefined ||
    input.CreateBucketConfiguration?.Location !== undefined
  ) {
    throw new NotImplemented('directory buckets');
  }
  if (![undefined, 'private'].includes(input.ACL)) {
    const sentence = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    throw new AwsError('InvalidBucketAclWithObjectOwnership', 400, sentence);
  }
  const { account } = context.owner;
  const region = regionOf(input.CreateBucketConfiguration?.LocationConstraint, context.owner.region);
  const created = { Location: `/${input.Bucket}`, BucketArn: `arn:aws:s3:::${input.Bucket}` };
  return s3.db.transaction(() => {
    const existing = s3.buckets.find(input.Bucket);
    if (existing === undefined) {
      s3.buckets.insert({ account, region, name: input.Bucket, createdAt: s3.clock.now() });
      return created;
    }
    if (existing.account !== account) {
      const sentence =
        'The requested bucket name is not available. The bucket namespace is shared by all users of the system. ' +
        'Please select a different name and try again.';
      throw new AwsError('BucketAlreadyExists', 409, sentence, { BucketName: input.Bucket });
    }
    if (existing.region === 'us-east-1' && region === 'us-east-1') return created;
    const sentence = 'Your previous request to create the named bucket succeeded and you already own it.';
    throw new AwsError('BucketAlreadyOwnedByYou', 409, sentence, { BucketName: input.Bucket });
  });
}

export function headBucket(
  s3: S3Parts,
  input: Given<HeadBucketCommandInput, 'Bucket'>,
  context: Context,
): Omit<HeadBucketCommandOutput, '$metadata'> {
  const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  return { BucketRegion: bucket.region, AccessPointAlias: false, BucketArn: `arn:aws:s3:::${bucket.name}` };
}

const maxBuckets = 10_000;

/** All of the account's buckets, whatever region is asked, as S3 gives them. */
export function listBuckets(
  s3: S3Parts,
  input: ListBucketsCommandInput,
  context: Context,
): Omit<ListBucketsCommandOutput, '$metadata'> {
  const { MaxBuckets: limit = maxBuckets, Prefix = '', BucketRegion = '', ContinuationToken } = input;
  if (limit < 1 || limit > maxBuckets) {
    const sentence = `Argument max-buckets must be an integer between 1 and ${maxBuckets}`;
    throw new InvalidArgument(sentence, 'max-buckets', String(limit));
  }
  const { account } = context.owner;
  const after = Buffer.from(ContinuationToken ?? '', 'base64url').toString('utf8');
  const rows = s3.buckets.list({ account, after, prefix: Prefix, region: BucketRegion, limit: limit + 1 });
  const buckets = rows.slice(0, limit);
  const last = buckets.at(-1);
  return {
    Owner: canonicalUser(account),
    Buckets: buckets.map((bucket) => ({
      Name: bucket.name,
      CreationDate: new Date(bucket.createdAt),
      BucketRegion: bucket.region,
      BucketArn: `arn:aws:s3:::${bucket.name}`,
    })),
    Prefix: input.Prefix,
    ContinuationToken:
      rows.length > limit && last !== undefined ? Buffer.from(last.name).toString('base64url') : undefined,
  };
}

export function deleteBucket(s3: S3Parts, input: Given<DeleteBucketCommandInput, 'Bucket'>, context: Context): object {
  return s3.db.transaction(() => {
    const key = bucketKey(ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner));
    if (s3.buckets.isOccupied(key)) {
      const sentence = 'The bucket you tried to delete is not empty';
      const hint = '. You must delete all versions in the bucket.';
      throw new AwsError('BucketNotEmpty', 409, `${sentence}${hint}`, { BucketName: input.Bucket });
    }
    s3.uploads.removeAll(key, (blobs) => s3.db.afterCommit(() => s3.blobs.remove(blobs)));
    s3.buckets.remove(key);
    return {};
  });
}

/** us-east-1 is printed as nothing: API reference, GetBucketLocation. */
export function getBucketLocation(
  s3: S3Parts,
  input: Given<GetBucketLocationCommandInput, 'Bucket'>,
  context: Context,
): Omit<GetBucketLocationCommandOutput, '$metadata'> {
  const { region } = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  return { LocationConstraint: region === 'us-east-1' ? undefined : (region as BucketLocationConstraint) };
}

export function getBucketVersioning(
  s3: S3Parts,
  input: Given<GetBucketVersioningCommandInput, 'Bucket'>,
  context: Context,
): Omit<GetBucketVersioningCommandOutput, '$metadata'> {
  const { versioning } = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
  return { Status: versioning === '' ? undefined : versioning };
}

export function putBucketVersioning(
  s3: S3Parts,
  input: Given<PutBucketVersioningCommandInput, 'Bucket' | 'VersioningConfiguration'>,
  context: Context,
): object {
  const { Status, MFADelete } = input.VersioningConfiguration;
  if (input.MFA !== undefined || MFADelete === 'Enabled') throw new NotImplemented('MFA delete');
  if (Status !== 'Enabled' && Status !== 'Suspended') {
    const sentence = 'The Versioning element must be specified';
    throw new AwsError('IllegalVersioningConfigurationException', 400, sentence);
  }
  return s3.db.transaction(() => {
    const bucket = ownBucket(s3, input.Bucket, context, input.ExpectedBucketOwner);
    s3.buckets.setVersioning(bucketKey(bucket), Status);
    return {};
  });
}
