import { GetLogEventsCommand, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateProcessingJobCommand, CreateTrainingJobCommand } from '@aws-sdk/client-sagemaker';
import { ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { createLogger } from '@slipway/kit/log';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  BUCKET,
  CSV,
  IMAGE,
  ROLE,
  clientsOf,
  makeBucket,
  processingEnd,
  put,
  scriptMode,
  trainingEnd,
  trainingRequest,
  type Clients,
} from './support.ts';

const SCRIPT = [
  'import os',
  "open(os.path.join(os.environ['SM_MODEL_DIR'], 'model.txt'), 'w').write('a model')",
  "print('the last words', end='', flush=True)",
].join('\n');
const processing = (name: string): CreateProcessingJobCommand =>
  new CreateProcessingJobCommand({
    ProcessingJobName: name,
    RoleArn: ROLE,
    AppSpecification: {
      ImageUri: IMAGE,
      ContainerEntrypoint: ['sh', '-c', 'printf report > /opt/ml/processing/out/report.txt; printf the.last.words'],
    },
    ProcessingResources: { ClusterConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 5 } },
    ProcessingOutputConfig: {
      Outputs: [
        {
          OutputName: 'out',
          S3Output: {
            S3Uri: `s3://${BUCKET}/reports`,
            LocalPath: '/opt/ml/processing/out',
            S3UploadMode: 'EndOfJob',
          },
        },
      ],
    },
  });

/** Called at each upload whose result is not recorded yet; throwing there leaves it so, as a kill would. */
let atUpload: () => void = () => undefined;
let server: TestServer;
let clients: Clients;
beforeAll(async () => {
  server = await createTestServer({
    onPoint: ({ what, detail }) => {
      if (what === 'effect' && detail === 'upload') atUpload();
    },
    log: createLogger({ write: () => undefined }),
  });
  clients = clientsOf(server.url);
  await makeBucket(clients);
  await put(clients, 'data/train/x.csv', CSV);
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await clients.s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
});
afterAll(() => server.close());

/** Runs `create` up to the moment between its upload and the record of it, and starts the server again. */
async function cutOffAfterUpload(create: () => Promise<unknown>): Promise<void> {
  const uploaded = new Promise<void>((resolve) => {
    atUpload = () => {
      resolve();
      throw new Error('the server died here');
    };
  });
  await create();
  await uploaded;
  atUpload = () => undefined;
  server = await server.restart();
  clients = clientsOf(server.url);
}

async function versionsBelow(prefix: string): Promise<readonly string[]> {
  const { Versions = [] } = await clients.s3.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: prefix }));
  return Versions.map(({ Key }) => Key ?? '');
}

it('a training job that died between its upload and the record of it leaves one version of its artifact', async () => {
  const fields = await scriptMode(clients, 'cut', SCRIPT);
  const request = trainingRequest('cut', fields);
  await cutOffAfterUpload(() => clients.sagemaker.send(new CreateTrainingJobCommand(request)));
  expect((await trainingEnd(clients, 'cut')).TrainingJobStatus).toBe('Completed');
  expect(await versionsBelow('out/cut/')).toEqual(['out/cut/output/model.tar.gz']);
});

it('so does a processing job', async () => {
  await cutOffAfterUpload(() => clients.sagemaker.send(processing('cut')));
  expect((await processingEnd(clients, 'cut')).ProcessingJobStatus).toBe('Completed');
  expect(await versionsBelow('reports/')).toEqual(['reports/report.txt']);
});

it('the last line of a job is there when the job has ended, with or without a line feed', async () => {
  await clients.sagemaker.send(processing('words'));
  expect((await processingEnd(clients, 'words')).ProcessingJobStatus).toBe('Completed');
  const logGroupName = '/aws/sagemaker/ProcessingJobs';
  const { logStreams = [] } = await clients.logs.send(
    new DescribeLogStreamsCommand({ logGroupName, logStreamNamePrefix: 'words/' }),
  );
  const logStreamName = logStreams[0]?.logStreamName;
  const { events = [] } = await clients.logs.send(new GetLogEventsCommand({ logGroupName, logStreamName }));
  expect(events.map(({ message }) => message)).toEqual(['the.last.words']);
});
