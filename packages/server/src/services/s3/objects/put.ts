import type { PutObjectCommandInput, PutObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Context } from '../../../wire/service.ts';
import { bucketKey } from '../buckets/store.ts';
import { checksumMember } from '../checksums/checksums.ts';
import { NotImplemented } from '../errors.ts';
import { keyBytes } from '../names.ts';
import { newId, shownVersion } from '../parts.ts';
import type { Given, S3Parts } from '../parts.ts';
import { encryptionOf, parseHeaders } from './headers.ts';
import { quoted, receive } from './receive.ts';
import { beginWrite, commitVersion, settleBlob } from './write.ts';

type Output = Omit<PutObjectCommandOutput, '$metadata'>;

export async function putObject(
  s3: S3Parts,
  input: Given<PutObjectCommandInput, 'Bucket' | 'Key'>,
  context: Context,
): Promise<Output> {
  if (input.WriteOffsetBytes !== undefined) throw new NotImplemented('x-amz-write-offset-bytes');
  const headers = parseHeaders(input);
  const key = keyBytes(input.Key);
  const target = { bucket: input.Bucket, key, conditions: input, expectedOwner: input.ExpectedBucketOwner };
  const write = beginWrite(s3, target, context);
  try {
    const { blob, md5, algorithm, checksum } = await receive(s3, input, context);
    const content = newId();
    const { bucket, versionId } = await settleBlob(blob, () =>
      commitVersion(
        s3,
        target,
        write,
        context,
        {
          content,
          size: blob.size,
          etag: quoted(md5),
          headers,
          checksum: { algorithm, value: checksum, type: 'FULL_OBJECT' },
          uploadId: undefined,
        },
        (bucket) => {
          s3.contents.add(bucketKey(bucket), content, [blob]);
          return [];
        },
      ),
    );
    return {
      ETag: quoted(md5),
      [checksumMember(algorithm)]: checksum,
      ChecksumType: 'FULL_OBJECT',
      VersionId: shownVersion(bucket, versionId),
      ...encryptionOf(headers),
    };
  } finally {
    write.end();
  }
}
