import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateTrainingJobCommand,
  DescribeEndpointCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  SageMakerClient,
  type CreateTrainingJobCommandInput,
  type DescribeEndpointCommandOutput,
  type DescribeProcessingJobCommandOutput,
  type DescribeTrainingJobCommandOutput,
} from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { pause, stopwatch } from '@slipway/kit/stopwatch';
import { Pack } from 'tar';
import { gzipSync } from 'node:zlib';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1';
export const ROLE = 'arn:aws:iam::000000000000:role/service-role/anything';
export const BUCKET = 'models-of-test';

export interface Clients {
  readonly s3: S3Client;
  readonly sagemaker: SageMakerClient;
  readonly runtime: SageMakerRuntimeClient;
  readonly logs: CloudWatchLogsClient;
}

/** The official clients, without retries, so that a test sees every answer. */
export function clientsOf(url: string, accessKeyId = '000000000000', region = 'us-east-1', maxAttempts = 1): Clients {
  const options = {
    endpoint: url,
    region,
    credentials: { accessKeyId, secretAccessKey: 'not verified on loopback' },
    maxAttempts,
  };
  return {
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sagemaker: new SageMakerClient(options),
    runtime: new SageMakerRuntimeClient(options),
    logs: new CloudWatchLogsClient(options),
  };
}

const LONGEST_WAIT_MS = 120_000;

/** Asks until `done`, as clients do that wait for a job. */
export async function eventually<T>(ask: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  const watch = stopwatch();
  for (;;) {
    const value = await ask();
    if (done(value)) return value;
    if (watch.elapsedMs() > LONGEST_WAIT_MS) throw new Error(`still waiting: ${JSON.stringify(value)}`);
    await pause(40);
  }
}

const TERMINAL = ['Completed', 'Failed', 'Stopped'];

export function trainingEnd({ sagemaker }: Clients, name: string): Promise<DescribeTrainingJobCommandOutput> {
  const ask = () => sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
  return eventually(ask, (job) => TERMINAL.includes(job.TrainingJobStatus ?? ''));
}

export function processingEnd({ sagemaker }: Clients, name: string): Promise<DescribeProcessingJobCommandOutput> {
  const ask = () => sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));
  return eventually(ask, (job) => TERMINAL.includes(job.ProcessingJobStatus ?? ''));
}

export function endpointSettled({ sagemaker }: Clients, name: string): Promise<DescribeEndpointCommandOutput> {
  const ask = () => sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }));
  return eventually(ask, (endpoint) => ['InService', 'Failed'].includes(endpoint.EndpointStatus ?? ''));
}

export async function makeBucket({ s3 }: Clients, name = BUCKET): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: name }));
}

export async function put({ s3 }: Clients, key: string, body: string | Uint8Array, bucket = BUCKET): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentLength: Buffer.byteLength(body) }));
}

export async function get({ s3 }: Clients, key: string): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return Body!.transformToByteArray();
}

export async function keysBelow({ s3 }: Clients, prefix: string): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
  return Contents.map(({ Key }) => Key ?? '');
}

/** A tar.gz of these files, as the SageMaker SDK packs a source folder. */
export async function archiveOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-archive-'));
  try {
    for (const [name, body] of Object.entries(files)) writeFileSync(join(folder, name), body);
    const pack = new Pack({ cwd: folder, portable: true });
    for (const name of Object.keys(files)) pack.add(name);
    pack.end();
    const chunks: Buffer[] = [];
    for await (const chunk of pack) chunks.push(chunk);
    return gzipSync(Buffer.concat(chunks));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `y = 2·a + 1` with some noise-free columns: a model learns it in a few rounds. */
export const CSV = Array.from({ length: 200 }, (_, row) => `${(row % 7) * 2 + 1},${row % 7},${row % 3}`).join('\n');

export function trainingRequest(
  name: string,
  fields: Partial<CreateTrainingJobCommandInput> = {},
): CreateTrainingJobCommandInput {
  return {
    TrainingJobName: name,
    RoleArn: ROLE,
    AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
    HyperParameters: { num_round: '5', objective: 'reg:squarederror' },
    InputDataConfig: [channel('train', `s3://${BUCKET}/data/train`)],
    OutputDataConfig: { S3OutputPath: `s3://${BUCKET}/out` },
    ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 5 },
    StoppingCondition: { MaxRuntimeInSeconds: 300 },
    ...fields,
  };
}

export function channel(name: string, uri: string, type: 'S3Prefix' | 'ManifestFile' = 'S3Prefix') {
  return {
    ChannelName: name,
    ContentType: 'text/csv',
    DataSource: { S3DataSource: { S3DataType: type, S3Uri: uri } },
  };
}

/** Uploads a script and gives the fields of a request that runs it in script mode. */
export async function scriptMode(
  clients: Clients,
  name: string,
  script: string,
  hyperParameters: Readonly<Record<string, string>> = {},
): Promise<Partial<CreateTrainingJobCommandInput>> {
  await put(clients, `code/${name}.tar.gz`, await archiveOf({ 'train.py': script }));
  return {
    HyperParameters: {
      ...hyperParameters,
      sagemaker_program: JSON.stringify('train.py'),
      sagemaker_submit_directory: JSON.stringify(`s3://${BUCKET}/code/${name}.tar.gz`),
    },
  };
}

export async function train(
  clients: Clients,
  name: string,
  fields: Partial<CreateTrainingJobCommandInput> = {},
): Promise<DescribeTrainingJobCommandOutput> {
  await clients.sagemaker.send(new CreateTrainingJobCommand(trainingRequest(name, fields)));
  return trainingEnd(clients, name);
}

/** How a request failed, as a client sees it. */
export async function refusal(
  sending: Promise<unknown>,
): Promise<{ name: string; message: string; status: number | undefined }> {
  const error = await sending.then(
    () => new Error('the request succeeded'),
    (failed: Error) => failed,
  );
  const { httpStatusCode } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  return { name: error.name, message: error.message, status: httpStatusCode };
}
