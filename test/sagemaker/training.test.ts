import { DescribeLogStreamsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateTrainingJobCommand,
  DeleteTrainingJobCommand,
  DescribeTrainingJobCommand,
  StopTrainingJobCommand,
  type CreateTrainingJobCommandInput,
} from '@aws-sdk/client-sagemaker';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drives } from '../support/drives.ts';
import {
  BUCKET,
  CSV,
  channel,
  clientsOf,
  eventually,
  get,
  keysBelow,
  makeBucket,
  put,
  refusal,
  scriptMode,
  train,
  trainingEnd,
  trainingRequest,
  type Clients,
} from './support.ts';

let server: TestServer;
let clients: Clients;
beforeAll(async () => {
  server = await createTestServer();
  clients = clientsOf(server.url);
  await makeBucket(clients);
  await put(clients, 'data/train/part-1.csv', CSV);
});
afterAll(() => server.close());

const create = (name: string, fields: Partial<CreateTrainingJobCommandInput> = {}) =>
  clients.sagemaker.send(new CreateTrainingJobCommand(trainingRequest(name, fields)));
const describeJob = (name: string) => clients.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));

describe('a training job', () => {
  it('trains the built-in algorithm on real data and leaves a real artifact, metrics and a log', async () => {
    drives('sagemaker', 'CreateTrainingJob', 'DescribeTrainingJob');
    const job = await train(clients, 'built-in');
    expect(job).toMatchObject({
      TrainingJobArn: 'arn:aws:sagemaker:us-east-1:000000000000:training-job/built-in',
      TrainingJobStatus: 'Completed',
      SecondaryStatus: 'Completed',
      ModelArtifacts: { S3ModelArtifacts: `s3://${BUCKET}/out/built-in/output/model.tar.gz` },
      OutputDataConfig: { KmsKeyId: '' },
    });
    expect(job.SecondaryStatusTransitions?.map(({ Status, StatusMessage }) => [Status, StatusMessage])).toEqual([
      ['Starting', 'Preparing the instances for training'],
      ['Downloading', 'Downloading input data'],
      ['Training', 'Training image download completed. Training in progress.'],
      ['Uploading', 'Uploading generated training model'],
      ['Completed', 'Training job completed'],
    ]);
    expect(job.FinalMetricDataList?.map(({ MetricName }) => MetricName)).toEqual(['train:rmse']);
    expect(job.FinalMetricDataList?.[0]?.Value).toBeLessThan(1);
    const names = job.AlgorithmSpecification?.MetricDefinitions?.map(({ Name }) => Name);
    expect(names).toContain('validation:rmse');
    const tar = gunzipSync(await get(clients, 'out/built-in/output/model.tar.gz'));
    expect(tar.subarray(0, 13).toString()).toBe('xgboost-model');

    const logGroupName = '/aws/sagemaker/TrainingJobs';
    const { logStreams = [] } = await clients.logs.send(
      new DescribeLogStreamsCommand({ logGroupName, logStreamNamePrefix: 'built-in/' }),
    );
    expect(logStreams[0]?.logStreamName).toMatch(/^built-in\/algo-1-[0-9]+$/);
    const { events = [] } = await clients.logs.send(
      new GetLogEventsCommand({ logGroupName, logStreamName: logStreams[0]!.logStreamName!, startFromHead: true }),
    );
    expect(events.some(({ message }) => message?.includes('train-rmse'))).toBe(true);
  });

  it('runs a script with its hyperparameters, its channels, AWS’s environment and metrics of its own', async () => {
    const script = [
      'import argparse, json, os, boto3',
      'parser = argparse.ArgumentParser()',
      "parser.add_argument('--depth', type=int)",
      'args, _ = parser.parse_known_args()',
      "name = os.environ['TRAINING_JOB_NAME']",
      "me = boto3.client('sagemaker').describe_training_job(TrainingJobName=name)",
      "config = json.load(open(os.path.join(os.environ['SM_INPUT_CONFIG_DIR'], 'inputdataconfig.json')))",
      "print('status', me['TrainingJobStatus'], os.environ['TRAINING_JOB_ARN'], os.environ['GREETING'])",
      "files = sorted(os.listdir(os.environ['SM_CHANNEL_TRAIN']))",
      "print('score: 0.5'); print(f'score: 0.75 depth={args.depth}')",
      "open(os.path.join(os.environ['SM_MODEL_DIR'], 'model.txt'), 'w').write(str([files, config['train']['ContentType']]))",
      "open(os.path.join(os.environ['SM_OUTPUT_DATA_DIR'], 'report.txt'), 'w').write('report')",
    ].join('\n');
    const fields = await scriptMode(clients, 'script', script, { depth: '3' });
    const job = await train(clients, 'script', {
      ...fields,
      Environment: { GREETING: 'hello' },
      AlgorithmSpecification: {
        ...trainingRequest('x').AlgorithmSpecification!,
        MetricDefinitions: [{ Name: 'score', Regex: 'score: ([0-9.]+)' }],
      },
    });
    expect(job.FailureReason).toBeUndefined();
    expect(job.TrainingJobStatus).toBe('Completed');
    expect(job.FinalMetricDataList).toMatchObject([{ MetricName: 'score', Value: 0.75 }]);
    expect(await keysBelow(clients, 'out/script/')).toEqual([
      'out/script/output/model.tar.gz',
      'out/script/output/output.tar.gz',
    ]);
    const model = gunzipSync(await get(clients, 'out/script/output/model.tar.gz')).toString();
    expect(model).toContain("[['part-1.csv'], 'text/csv']");
  });

  it('lays out channels from a prefix, a single key, a part of a name and a manifest', async () => {
    await put(clients, 'lay/a/one.csv', '1');
    await put(clients, 'lay/a/deep/two.csv', '2');
    await put(clients, 'lay/manifest', JSON.stringify([{ prefix: `s3://${BUCKET}/lay/a/` }, 'deep/two.csv']));
    const script = [
      'import os, json',
      "root = os.environ['SM_INPUT_DIR'] + '/data'",
      'found = sorted(os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root) for f in fs)',
      "print('found', json.dumps(found))",
      "open(os.path.join(os.environ['SM_MODEL_DIR'], 'found'), 'w').write(json.dumps(found))",
    ].join('\n');
    const job = await train(clients, 'layout', {
      ...(await scriptMode(clients, 'layout', script)),
      InputDataConfig: [
        channel('folder', `s3://${BUCKET}/lay/a`),
        channel('slash', `s3://${BUCKET}/lay/a/deep/`),
        channel('key', `s3://${BUCKET}/lay/a/one.csv`),
        channel('part', `s3://${BUCKET}/lay/a/on`),
        channel('list', `s3://${BUCKET}/lay/manifest`, 'ManifestFile'),
      ],
    });
    expect(job.FailureReason).toBeUndefined();
    const tar = gunzipSync(await get(clients, 'out/layout/output/model.tar.gz')).toString();
    const found = JSON.parse(/\[.*\]/.exec(tar)![0]) as string[];
    expect(found).toEqual([
      'folder/deep/two.csv',
      'folder/one.csv',
      'key/one.csv',
      'list-manifest',
      'list/deep/two.csv',
      'part/one.csv',
      'slash/two.csv',
    ]);
  });

  it('fails with the script’s own error, and keeps no files behind', async () => {
    const fields = await scriptMode(clients, 'raises', "raise ValueError('no such column: age')");
    const job = await train(clients, 'raises', fields);
    expect(job).toMatchObject({ TrainingJobStatus: 'Failed', SecondaryStatus: 'Failed' });
    expect(job.FailureReason).toMatch(/^AlgorithmError: [^]*no such column: age[^]*, exit code: 1$/);
    expect(await keysBelow(clients, 'out/raises/')).toEqual([]);
  });

  it('completes without a model, with an empty archive', async () => {
    const job = await train(clients, 'no-model', await scriptMode(clients, 'no-model', 'print(1)'));
    expect(job.TrainingJobStatus).toBe('Completed');
    const tar = gunzipSync(await get(clients, 'out/no-model/output/model.tar.gz'));
    expect(tar.every((byte) => byte === 0)).toBe(true);
  });

  it('is stopped while it trains: SIGTERM, the artifact is kept, and it cannot be stopped again', async () => {
    const script = [
      'import os, signal, sys, time',
      "path = os.path.join(os.environ['SM_MODEL_DIR'], 'checkpoint')",
      'def stop(*_):',
      "    open(path, 'w').write('saved at the last moment')",
      '    sys.exit(0)',
      'signal.signal(signal.SIGTERM, stop)',
      "print('waiting', flush=True)",
      'time.sleep(600)',
    ].join('\n');
    await create('stopped', await scriptMode(clients, 'stopped', script));
    await eventually(
      () => logText('stopped'),
      (text) => text.includes('waiting'),
    );
    await clients.sagemaker.send(new StopTrainingJobCommand({ TrainingJobName: 'stopped' }));
    const job = await trainingEnd(clients, 'stopped');
    expect(job).toMatchObject({
      TrainingJobStatus: 'Stopped',
      SecondaryStatus: 'Stopped',
      ModelArtifacts: { S3ModelArtifacts: `s3://${BUCKET}/out/stopped/output/model.tar.gz` },
    });
    const again = await refusal(clients.sagemaker.send(new StopTrainingJobCommand({ TrainingJobName: 'stopped' })));
    expect(again).toMatchObject({
      name: 'ValidationException',
      message: 'The request was rejected because the training job is in status Stopped.',
    });
  });

  it('ends with MaxRuntimeExceeded when it hangs', async () => {
    const fields = await scriptMode(clients, 'hangs', 'import time\ntime.sleep(600)');
    const job = await train(clients, 'hangs', { ...fields, StoppingCondition: { MaxRuntimeInSeconds: 1 } });
    expect(job).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' });
  });

  it.each([
    ['a bucket that does not exist', 's3://nobody-made-this/data'],
    ['a prefix without objects', `s3://${BUCKET}/nothing/here`],
  ])('fails for %s as AWS does, after it was accepted', async (what, uri) => {
    const name = what.includes('bucket') ? 'lost-bucket' : 'lost-prefix';
    const job = await train(clients, name, { InputDataConfig: [channel('train', uri)] });
    expect(job.TrainingJobStatus).toBe('Failed');
    expect(job.FailureReason).toContain('ClientError: Data download failed:');
    expect(job.FailureReason).toContain(`No S3 objects found under S3 URL "${uri}"`);
  });

  it('fails for an output bucket that does not exist', async () => {
    const fields = await scriptMode(clients, 'lost-output', 'print(1)');
    const job = await train(clients, 'lost-output', {
      ...fields,
      OutputDataConfig: { S3OutputPath: 's3://nobody-made-this/o' },
    });
    expect(job.TrainingJobStatus).toBe('Failed');
    expect(job.FailureReason).toContain('ClientError: Artifact upload failed');
  });

  it('clears the folders of jobs that have ended', async () => {
    const left = await eventually(
      async () =>
        readdirSync(join(server.dataFolder, 'jobs')).flatMap((id) => readdirSync(join(server.dataFolder, 'jobs', id))),
      (names) => !names.includes('ml'),
    );
    expect(left).not.toContain('ml');
  });
});

async function logText(job: string): Promise<string> {
  const logGroupName = '/aws/sagemaker/TrainingJobs';
  try {
    const { logStreams = [] } = await clients.logs.send(
      new DescribeLogStreamsCommand({ logGroupName, logStreamNamePrefix: `${job}/` }),
    );
    const logStreamName = logStreams[0]?.logStreamName;
    if (logStreamName === undefined) return '';
    const { events = [] } = await clients.logs.send(
      new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }),
    );
    return events.map(({ message }) => message ?? '').join('\n');
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return '';
    throw error;
  }
}

describe('CreateTrainingJob', () => {
  it('takes a name once for ever, also after the job is deleted', async () => {
    await train(clients, 'unique', await scriptMode(clients, 'unique', 'print(1)'));
    const sentence =
      'Training job names must be unique within an AWS account and region, and a training job with this name already ' +
      'exists (arn:aws:sagemaker:us-east-1:000000000000:training-job/unique)';
    expect(await refusal(create('unique'))).toMatchObject({
      name: 'ResourceInUse',
      message: sentence,
    });
    await clients.sagemaker.send(new DeleteTrainingJobCommand({ TrainingJobName: 'unique' }));
    expect(await refusal(create('unique'))).toMatchObject({ name: 'ResourceInUse' });
    const gone = await refusal(describeJob('unique'));
    expect(gone).toMatchObject({ name: 'ValidationException', message: 'Requested resource not found.' });
  });

  it.each<[string, Partial<CreateTrainingJobCommandInput>, string]>([
    [
      'a malformed RoleArn',
      { RoleArn: 'arn:aws:iam::1:user/somebody-else' },
      "at 'roleArn' failed to satisfy constraint",
    ],
    [
      'an unknown image',
      {
        AlgorithmSpecification: {
          TrainingImage: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:3',
          TrainingInputMode: 'File',
        },
      },
      'images.yaml',
    ],
    ['no algorithm', { AlgorithmSpecification: undefined }, "'algorithmSpecification'"],
    [
      'Pipe mode',
      { AlgorithmSpecification: { ...trainingRequest('x').AlgorithmSpecification!, TrainingInputMode: 'Pipe' } },
      'does not support TrainingInputMode Pipe',
    ],
    [
      'a metric whose expression is none',
      {
        AlgorithmSpecification: {
          ...trainingRequest('x').AlgorithmSpecification!,
          MetricDefinitions: [{ Name: 'm', Regex: '([' }],
        },
      },
      'invalid regular expression',
    ],
    ['an output path that is none', { OutputDataConfig: { S3OutputPath: 'https://x/y' } }, 'not an s3:// URL'],
    [
      'two instances',
      { ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 2, VolumeSizeInGB: 1 } },
      'more than one instance',
    ],
    ['a name against AWS’s pattern', { TrainingJobName: 'no_underscores' }, 'regular expression pattern'],
  ])('refuses %s, and makes nothing', async (_what, fields, sentence) => {
    const refused = await refusal(create('refused', fields));
    expect(refused).toMatchObject({ name: 'ValidationException', status: 400 });
    expect(refused.message).toContain(sentence);
    expect(await refusal(describeJob('refused'))).toMatchObject({ message: 'Requested resource not found.' });
  });

  it('refuses a request without a RoleArn', async () => {
    const { RoleArn: _role, ...request } = trainingRequest('no-role');
    const refused = await refusal(
      clients.sagemaker.send(new CreateTrainingJobCommand(request as CreateTrainingJobCommandInput)),
    );
    expect(refused.message).toContain("Value null at 'roleArn' failed to satisfy constraint: Member must not be null");
  });
});
