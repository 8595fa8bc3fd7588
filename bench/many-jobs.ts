import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateTrainingJobCommand,
  SageMakerClient,
  waitUntilTrainingJobCompletedOrStopped,
} from '@aws-sdk/client-sagemaker';
import { openDatabase } from '@slipway/kit/sqlite';
import { createTestServer } from '@slipway/server/testing';
import { CACHE_FOLDER } from '../test/support/python-clients.ts';

const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1';

/** Runs one real training job on the folder, then copies its row until there are `count`. */
export async function fillWithJobs(dataFolder: string, count: number): Promise<void> {
  const server = await createTestServer({ dataFolder, pythonCacheFolder: CACHE_FOLDER });
  const config = {
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: '000000000000', secretAccessKey: 'local' },
  };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sagemaker = new SageMakerClient(config);
  await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));
  const rows = Array.from({ length: 50 }, (_, index) => `${index % 7},${index},${index % 5}`).join('\n');
  await s3.send(new PutObjectCommand({ Bucket: 'bench', Key: 'train/rows.csv', Body: `${rows}\n` }));
  await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: 'first',
      AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
      RoleArn: 'arn:aws:iam::000000000000:role/bench',
      HyperParameters: { num_round: '5', objective: 'reg:squarederror' },
      InputDataConfig: [
        {
          ChannelName: 'train',
          ContentType: 'text/csv',
          DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://bench/train/' } },
        },
      ],
      OutputDataConfig: { S3OutputPath: 's3://bench/output' },
      ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
    }),
  );
  await waitUntilTrainingJobCompletedOrStopped(
    { client: sagemaker, maxWaitTime: 120, minDelay: 1, maxDelay: 1 },
    { TrainingJobName: 'first' },
  );
  await server.close();
  const db = openDatabase(join(dataFolder, 'state.sqlite'), []);
  db.transaction(() => {
    const copy = db.statement<{ number: number }>(
      `INSERT INTO sagemaker_jobs (account, region, kind, name, job_id, deleted, status, secondary_status, created_at,
         modified_at, ended_at, request, detail)
       SELECT account, region, kind, name || '-' || :number, job_id || '-' || :number, deleted, status, secondary_status,
         created_at + :number, modified_at + :number, ended_at + :number, request, detail
       FROM sagemaker_jobs WHERE name = 'first'`,
    );
    for (let number = 1; number < count; number += 1) copy.run({ number });
  });
  db.close();
}
