import {
  CreateProcessingJobCommand,
  DeleteProcessingJobCommand,
  DescribeProcessingJobCommand,
  ListProcessingJobsCommand,
  StopProcessingJobCommand,
  type CreateProcessingJobCommandInput,
} from '@aws-sdk/client-sagemaker';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drives } from '../support/drives.ts';
import {
  BUCKET,
  IMAGE,
  ROLE,
  clientsOf,
  get,
  keysBelow,
  makeBucket,
  processingEnd,
  put,
  refusal,
  type Clients,
} from './support.ts';

let server: TestServer;
let clients: Clients;
beforeAll(async () => {
  server = await createTestServer();
  clients = clientsOf(server.url);
  await makeBucket(clients);
  await put(clients, 'in/a.csv', '1,2\n');
  await put(clients, 'in/deep/b.csv', '3,4\n');
});
afterAll(() => server.close());

/** A job that runs this script, as the SageMaker SDK's ScriptProcessor does. */
async function request(
  name: string,
  script: string,
  fields: Partial<CreateProcessingJobCommandInput> = {},
): Promise<CreateProcessingJobCommandInput> {
  await put(clients, `code/${name}.py`, script);
  return {
    ProcessingJobName: name,
    RoleArn: ROLE,
    AppSpecification: {
      ImageUri: IMAGE,
      ContainerEntrypoint: ['python3', `/opt/ml/processing/input/code/${name}.py`],
      ContainerArguments: ['--ratio', '0.3'],
    },
    ProcessingInputs: [
      input('data', `s3://${BUCKET}/in/`, '/opt/ml/processing/data'),
      input('code', `s3://${BUCKET}/code/${name}.py`, '/opt/ml/processing/input/code'),
    ],
    ProcessingOutputConfig: { Outputs: [output('result', `s3://${BUCKET}/out/${name}`, '/opt/ml/processing/result')] },
    ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 1 } },
    ...fields,
  };
}

const input = (name: string, uri: string, path: string) => ({
  InputName: name,
  S3Input: { S3Uri: uri, LocalPath: path, S3DataType: 'S3Prefix' as const, S3InputMode: 'File' as const },
});
const output = (name: string, uri: string, path: string) => ({
  OutputName: name,
  S3Output: { S3Uri: uri, LocalPath: path, S3UploadMode: 'EndOfJob' as const },
});

async function run(name: string, script: string, fields: Partial<CreateProcessingJobCommandInput> = {}) {
  await clients.sagemaker.send(new CreateProcessingJobCommand(await request(name, script, fields)));
  return processingEnd(clients, name);
}

/** Finds the job's own /opt/ml whether or not it has a private one. */
const ML = [
  'import json, os, sys',
  'ml = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))',
].join('\n');

describe('a processing job', () => {
  it('brings inputs, runs the command with its arguments, uploads outputs and keeps its message', async () => {
    drives('sagemaker', 'CreateProcessingJob', 'DescribeProcessingJob');
    const script = [
      ML,
      "data = os.path.join(ml, 'processing/data')",
      'found = sorted(os.path.relpath(os.path.join(d, f), data) for d, _, fs in os.walk(data) for f in fs)',
      "config = json.load(open(os.path.join(ml, 'config/processingjobconfig.json')))",
      "out = os.path.join(ml, 'processing/result')",
      "os.makedirs(os.path.join(out, 'sub'))",
      "seen = {'found': found, 'args': sys.argv[1:], 'job': config['ProcessingJobName'], 'env': os.environ['WHO']}",
      "json.dump(seen, open(os.path.join(out, 'sub/seen.json'), 'w'))",
      "os.symlink('/etc/passwd', os.path.join(out, 'link'))",
      "open(os.path.join(ml, 'output/message'), 'w').write('two files read')",
    ].join('\n');
    const job = await run('whole', script, { Environment: { WHO: 'me' } });
    expect(job.FailureReason).toBeUndefined();
    expect(job).toMatchObject({ ProcessingJobStatus: 'Completed', ExitMessage: 'two files read' });
    expect(job.ProcessingEndTime?.getTime()).toBeGreaterThanOrEqual(job.ProcessingStartTime?.getTime() ?? Infinity);
    expect(await keysBelow(clients, 'out/whole/')).toEqual(['out/whole/sub/seen.json']);
    expect(JSON.parse(Buffer.from(await get(clients, 'out/whole/sub/seen.json')).toString())).toEqual({
      found: ['a.csv', 'deep/b.csv'],
      args: ['--ratio', '0.3'],
      job: 'whole',
      env: 'me',
    });
  });

  it('fails with its exit code and its message, and uploads nothing', async () => {
    const script = [
      ML,
      "open(os.path.join(ml, 'processing/result/half.csv'), 'w').write('1')",
      "open(os.path.join(ml, 'output/message'), 'w').write('the data set has no target')",
      'sys.exit(7)',
    ].join('\n');
    const job = await run('fails', script);
    expect(job).toMatchObject({
      ProcessingJobStatus: 'Failed',
      ExitMessage: 'the data set has no target',
      FailureReason: 'AlgorithmError: the data set has no target, exit code: 7',
    });
    expect(await keysBelow(clients, 'out/fails/')).toEqual([]);
  });

  it('fails for an input that is not there', async () => {
    const inputs = [input('data', `s3://${BUCKET}/not-there/`, '/opt/ml/processing/data')];
    const job = await run('lost', 'print(1)', { ProcessingInputs: inputs });
    expect(job.ProcessingJobStatus).toBe('Failed');
    expect(job.FailureReason).toContain('ClientError: Data download failed: No S3 objects found');
  });

  it('is stopped', async () => {
    await clients.sagemaker.send(new CreateProcessingJobCommand(await request('long', 'import time; time.sleep(600)')));
    await clients.sagemaker.send(new StopProcessingJobCommand({ ProcessingJobName: 'long' }));
    expect(await processingEnd(clients, 'long')).toMatchObject({ ProcessingJobStatus: 'Stopped' });
    const again = await refusal(clients.sagemaker.send(new StopProcessingJobCommand({ ProcessingJobName: 'long' })));
    expect(again.message).toBe('The request was rejected because the processing job is in status Stopped.');
  });

  it('is listed newest first, described, and deleted but for its name', async () => {
    const { ProcessingJobSummaries } = await clients.sagemaker.send(new ListProcessingJobsCommand({}));
    expect(ProcessingJobSummaries?.map((job) => job.ProcessingJobName)).toEqual(['long', 'lost', 'fails', 'whole']);
    await clients.sagemaker.send(new DeleteProcessingJobCommand({ ProcessingJobName: 'lost' }));
    const gone = await refusal(clients.sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: 'lost' })));
    expect(gone).toMatchObject({
      name: 'ValidationException',
      message: 'Could not find requested job with name: lost',
    });
    const again = await refusal(clients.sagemaker.send(new CreateProcessingJobCommand(await request('lost', ''))));
    expect(again).toMatchObject({ name: 'ResourceInUse' });
  });

  it.each<[string, Partial<CreateProcessingJobCommandInput>, string]>([
    [
      'an unknown image',
      { AppSpecification: { ImageUri: 'nobody/knows:1', ContainerEntrypoint: ['x'] } },
      'images.yaml',
    ],
    [
      'a path outside /opt/ml/processing',
      { ProcessingInputs: [input('data', `s3://${BUCKET}/in/`, '/opt/ml/processing/../../../etc')] },
      'must lie below /opt/ml/processing',
    ],
    [
      'an output elsewhere',
      { ProcessingOutputConfig: { Outputs: [output('o', `s3://${BUCKET}/o`, '/etc')] } },
      'must lie below /opt/ml/processing',
    ],
    [
      'two inputs of one name',
      {
        ProcessingInputs: ['a', 'b'].map((path) => input('same', `s3://${BUCKET}/in/`, `/opt/ml/processing/${path}`)),
      },
      'given twice',
    ],
  ])('refuses %s', async (_what, fields, sentence) => {
    const refused = await refusal(
      clients.sagemaker.send(new CreateProcessingJobCommand(await request('refused', '', fields))),
    );
    expect(refused.name).toBe('ValidationException');
    expect(refused.message).toContain(sentence);
  });
});
