import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { create } from 'tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobExit } from '../../packages/server/src/engine/engine.ts';
import { openBench, XGBOOST, type Bench } from '../engine/bench.ts';
import { useServer } from '../s3/support.ts';

/** Training as the engine starts it, both with a private /opt/ml and with the job's folder. */
const aws = useServer();
let benches: Record<'namespace' | 'folder', Bench>;
beforeAll(async () => {
  benches = { namespace: await openBench(), folder: await openBench({ isolation: 'folder' }) };
});
afterAll(async () => {
  for (const bench of Object.values(benches)) await bench.close();
});

const KINDS = ['namespace', 'folder'] as const;
const ROWS = Array.from({ length: 60 }, (_, index) => `${index % 7},${index},${(index * 37) % 11}`).join('\n');

interface Training {
  readonly exit: JobExit;
  readonly log: string;
  readonly ml: string;
}

async function train(
  bench: Bench,
  id: string,
  hyperparameters: Record<string, string>,
  more: { environment?: Record<string, string>; data?: string } = {},
): Promise<Training> {
  const { ml, log } = await bench.engine.jobFolder(id);
  const files = {
    'input/config/hyperparameters.json': JSON.stringify(hyperparameters),
    'input/config/inputdataconfig.json': JSON.stringify({ train: { ContentType: 'csv', TrainingInputMode: 'File' } }),
    'input/data/train/data.csv': more.data ?? ROWS,
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(ml, name)), { recursive: true });
    await writeFile(join(ml, name), content);
  }
  await bench.engine.startJob({
    id,
    image: bench.engine.image(XGBOOST),
    mode: 'train',
    environment: more.environment ?? {},
    deadlineMs: 60_000,
  });
  const exit = await bench.engine.waitJob(id, AbortSignal.timeout(60_000));
  return { exit, log: await readFile(log, 'utf8'), ml };
}

/** Uploads a sourcedir.tar.gz and answers with the hyperparameters and the variables that name it. */
async function submit(bench: Bench, name: string, files: Record<string, string>, program: string) {
  const folder = join(bench.data, `${name}-code`);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const file = join(bench.data, `${name}.tar.gz`);
  await create({ cwd: folder, gzip: true, file }, Object.keys(files));
  const Bucket = `code-${name}`;
  await aws.s3.send(new CreateBucketCommand({ Bucket }));
  await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'a b/sourcedir.tar.gz', Body: await readFile(file) }));
  return {
    hyperparameters: {
      sagemaker_program: JSON.stringify(program),
      sagemaker_submit_directory: JSON.stringify(`s3://${Bucket}/a b/sourcedir.tar.gz`),
    },
    environment: {
      AWS_ENDPOINT_URL: aws.server.url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: '000000000000',
      AWS_SECRET_ACCESS_KEY: 'not verified on loopback',
    },
  };
}

test.each(KINDS)('the built-in algorithm trains in a job (%s)', async (kind) => {
  const { exit, log, ml } = await train(benches[kind], `algorithm-${kind}`, { num_round: '3', max_depth: '2' });
  expect(exit, log).toMatchObject({ reason: 'exited', exitCode: 0 });
  expect(log).toMatch(/^\[2\]\ttrain-rmse:\d+\.\d{5}$/m);
  const model = await readFile(join(ml, 'model', 'xgboost-model'));
  expect(model.subarray(0, 2).toString()).toBe('{L');
});

test.each(KINDS)('what the user can put right is the message of the job (%s)', async (kind) => {
  const { exit } = await train(benches[kind], `wrong-${kind}`, { num_rounds: '3' });
  expect(exit).toMatchObject({ exitCode: 1, message: 'ClientError: Missing required hyperparameter: num_round' });
});

test.each(KINDS)(
  'a script comes from S3, finds its neighbours and its variables, and saves a model (%s)',
  async (kind) => {
    const files = {
      'scripts/train.py': `
import argparse, os, features
parser = argparse.ArgumentParser()
parser.add_argument('--depth', type=int)
parser.add_argument('--train', default=os.environ['SM_CHANNEL_TRAIN'])
words = parser.parse_args()
rows = len(open(os.path.join(words.train, 'data.csv')).read().split())
open(os.path.join(os.environ['SM_MODEL_DIR'], 'model'), 'w').write(f'{features.NAME} {words.depth} {rows}')
`,
      'scripts/features.py': "NAME = 'features'\n",
    };
    const bench = benches[kind];
    const { hyperparameters, environment } = await submit(bench, `good-${kind}`, files, 'scripts/train.py');
    const { exit, log, ml } = await train(bench, `s3-${kind}`, { ...hyperparameters, depth: '4' }, { environment });
    expect(exit, log).toMatchObject({ reason: 'exited', exitCode: 0 });
    expect(await readFile(join(ml, 'model', 'model'), 'utf8')).toBe('features 4 60');
  },
);

test('a script that raises names the exception, its file and its line', async () => {
  const source = "import numpy\n\ndef fit():\n    raise KeyError('age')\n\nfit()\n";
  const bench = benches.namespace;
  const { hyperparameters, environment } = await submit(bench, 'raises', { 'train.py': source }, 'train.py');
  const { exit } = await train(bench, 'raises', { ...hyperparameters, eta: '0.1' }, { environment });
  expect(exit).toMatchObject({ reason: 'exited', exitCode: 1 });
  expect(exit.message).toBe(
    'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "KeyError: \'age\' (train.py, line 4)"\n' +
      'Command "/usr/bin/python3 train.py --eta 0.1"',
  );
});

test('requirements that cannot be installed are named as the cause', async () => {
  const files = { 'train.py': 'print(1)\n', 'requirements.txt': 'not-a-package-of-anybody @ file:///nowhere/x.whl\n' };
  const bench = benches.namespace;
  const { hyperparameters, environment } = await submit(bench, 'layer', files, 'train.py');
  const { exit } = await train(bench, 'layer', hyperparameters, { environment });
  expect(exit.exitCode).toBe(1);
  expect(exit.message).toMatch(
    /^InstallRequirementsError:\nExitCode 1\nErrorMessage "\[slipway\] requirements.txt could not/,
  );
});

test('a missing object and a hostile archive are the user’s errors', async () => {
  const bench = benches.namespace;
  const { hyperparameters, environment } = await submit(bench, 'hostile', { 'train.py': '' }, 'train.py');
  const gone = { ...hyperparameters, sagemaker_submit_directory: '"s3://code-hostile/none.tar.gz"' };
  const missing = await train(bench, 'missing', gone, { environment });
  expect(missing.exit.message).toMatch(
    /^ClientError: s3:\/\/code-hostile\/none.tar.gz could not be downloaded: .*NoSuchKey/,
  );
  await aws.s3.send(new PutObjectCommand({ Bucket: 'code-hostile', Key: 'a b/sourcedir.tar.gz', Body: 'no archive' }));
  const { exit } = await train(bench, 'no-archive', hyperparameters, { environment });
  expect(exit.message).toMatch(
    /^ClientError: s3:\/\/code-hostile\/a b\/sourcedir.tar.gz was not unpacked: it is not a readable/,
  );
});
