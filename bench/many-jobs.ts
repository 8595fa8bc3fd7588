import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateTrainingJobCommand,
  SageMakerClient,
  waitUntilTrainingJobCompletedOrStopped,
  type CreateTrainingJobCommandInput,
} from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { openDatabase } from '@slipway/kit/sqlite';
import { createTestServer } from '@slipway/server/testing';
import { MIGRATIONS } from '../packages/server/src/migrations/index.ts';
import { CACHE_FOLDER } from '../test/support/python-clients.ts';

export const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1';
export const ROLE = 'arn:aws:iam::000000000000:role/bench';

/** Clients of a server, with a bucket `bench` that holds the rows to train on. */
export async function benchClients(
  url: string,
): Promise<{ s3: S3Client; sagemaker: SageMakerClient; runtime: SageMakerRuntimeClient }> {
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'local' };
  const config = { endpoint: url, region: 'us-east-1', credentials };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));
  await s3.send(new PutObjectCommand({ Bucket: 'bench', Key: 'train/rows.csv', Body: benchRows() }));
  return { s3, sagemaker: new SageMakerClient(config), runtime: new SageMakerRuntimeClient(config) };
}

/** 500 rows of a target and five features, without a heading. */
export function benchRows(): string {
  const row = (index: number): string =>
    [index % 7, index % 11, index % 5, (index * 7) % 13, index % 3, index % 17].join(',');
  return Array.from({ length: 500 }, (_, index) => `${row(index)}\n`).join('');
}

export function trainingJob(name: string, hyperparameters: Record<string, string>): CreateTrainingJobCommandInput {
  const S3DataSource = { S3DataType: 'S3Prefix', S3Uri: 's3://bench/train/' } as const;
  return {
    TrainingJobName: name,
    AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
    RoleArn: ROLE,
    HyperParameters: hyperparameters,
    InputDataConfig: [{ ChannelName: 'train', ContentType: 'text/csv', DataSource: { S3DataSource } }],
    OutputDataConfig: { S3OutputPath: 's3://bench/output' },
    ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
    StoppingCondition: { MaxRuntimeInSeconds: 600 },
  };
}

/** Runs one real training job on the folder, then copies its row until there are `count`. */
export async function fillWithJobs(dataFolder: string, count: number): Promise<void> {
  const server = await createTestServer({ dataFolder, pythonCacheFolder: CACHE_FOLDER });
  const { sagemaker } = await benchClients(server.url);
  const hyperparameters = { num_round: '5', objective: 'reg:squarederror' };
  await sagemaker.send(new CreateTrainingJobCommand(trainingJob('first', hyperparameters)));
  await waitUntilTrainingJobCompletedOrStopped(
    { client: sagemaker, maxWaitTime: 120, minDelay: 1, maxDelay: 1 },
    { TrainingJobName: 'first' },
  );
  await server.close();
  const db = openDatabase(join(dataFolder, 'state.sqlite'), MIGRATIONS);
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
