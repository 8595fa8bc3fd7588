import { ListTagsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { createTestServer, noEngine, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { s3Client } from '../s3/support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer({ engine: noEngine() });
});
afterAll(() => server.close());

const sentence = expect.stringMatching(/^1 validation error detected: .* NUL character/);

it('a NUL in an S3 key is a character like any other, elsewhere it is InvalidArgument', async () => {
  const s3 = s3Client(server.url);
  await s3.send(new CreateBucketCommand({ Bucket: 'nul' }));
  const at = { Bucket: 'nul', Key: 'a\0b' };
  await s3.send(new PutObjectCommand({ ...at, Body: 'kept' }));
  await s3.send(new PutObjectCommand({ Bucket: 'nul', Key: 'a', Body: 'another' }));
  expect(await (await s3.send(new GetObjectCommand(at))).Body?.transformToString()).toBe('kept');
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: 'nul', EncodingType: 'url' }));
  expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['a', 'a%00b']);
  for (const command of [
    new GetObjectCommand({ ...at, VersionId: 'a\0b' }),
    new ListPartsCommand({ ...at, UploadId: 'a\0b' }),
  ]) {
    const refused = s3.send(command as GetObjectCommand);
    await expect(refused).rejects.toMatchObject({
      name: 'InvalidArgument',
      message: sentence,
      $metadata: { httpStatusCode: 400 },
    });
  }
  s3.destroy();
});

it('a NUL that SageMaker would look for in its tables is a ValidationException', async () => {
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'not verified on loopback' };
  const sagemaker = new SageMakerClient({ endpoint: server.url, region: 'us-east-1', maxAttempts: 1, credentials });
  const ResourceArn = 'arn:aws:sagemaker:us-east-1:000000000000:training-job/a\0b';
  await expect(sagemaker.send(new ListTagsCommand({ ResourceArn }))).rejects.toMatchObject({
    name: 'ValidationException',
    message: sentence,
    $metadata: { httpStatusCode: 400 },
  });
  sagemaker.destroy();
});
