// A training job's time, from CreateTrainingJob to the Describe that says Completed, beside the same script on the same
// rows in a Python process that is warm. Goal: the difference is under 250 ms.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateTrainingJobCommand, DescribeTrainingJobCommand } from '@aws-sdk/client-sagemaker';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { pause } from '@slipway/kit/stopwatch';
import { create } from 'tar';
import { slipwayUp } from '../test/support/cli.ts';
import { jobPython } from '../test/support/python-clients.ts';
import { benchClients, benchRows, trainingJob } from './many-jobs.ts';
import { interleaved, print, timed } from './measure.ts';

const ROUNDS = 15;
const SCRIPT = `import argparse, os, pandas as pd, xgboost
p = argparse.ArgumentParser(); p.add_argument("--num_round", type=int); a = p.parse_args()
rows = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), header=None)
m = xgboost.DMatrix(rows.iloc[:, 1:].to_numpy(), label=rows.iloc[:, 0].to_numpy())
b = xgboost.train({"objective": "reg:squarederror", "nthread": 1}, m, num_boost_round=a.num_round)
b.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model"))
`;

const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
// In a process of its own, as its users have it: the client's work must not stand in the server's way.
const server = await slipwayUp(folder);
const { s3, sagemaker } = await benchClients(server.url);
await writeFile(join(folder, 'train.py'), SCRIPT);
await writeFile(join(folder, 'rows.csv'), benchRows());
await create({ cwd: folder, gzip: true, file: join(folder, 'sourcedir.tar.gz') }, ['train.py']);
const code = await readFile(join(folder, 'sourcedir.tar.gz'));
await s3.send(new PutObjectCommand({ Bucket: 'bench', Key: 'code/sourcedir.tar.gz', Body: code }));

const { python } = await jobPython();
const warm = spawn(
  python,
  [fileURLToPath(new URL('warm_python.py', import.meta.url)), join(folder, 'train.py'), '--num_round', '100'],
  {
    env: { ...process.env, SM_CHANNEL_TRAIN: folder, SM_MODEL_DIR: folder, OMP_NUM_THREADS: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  },
);
const lines = createInterface({ input: warm.stdout })[Symbol.asyncIterator]();
await lines.next();

let job = 0;
const runJob = async (): Promise<void> => {
  const TrainingJobName = `overhead-${(job += 1)}`;
  const hyperparameters = {
    num_round: '100',
    sagemaker_program: '"train.py"',
    sagemaker_submit_directory: '"s3://bench/code/sourcedir.tar.gz"',
  };
  await sagemaker.send(new CreateTrainingJobCommand(trainingJob(TrainingJobName, hyperparameters)));
  for (;;) {
    const { TrainingJobStatus, FailureReason } = await sagemaker.send(
      new DescribeTrainingJobCommand({ TrainingJobName }),
    );
    if (TrainingJobStatus === 'Completed') return;
    if (TrainingJobStatus !== 'InProgress')
      throw new Error(`${TrainingJobName} ${TrainingJobStatus}: ${FailureReason}`);
    await pause(10);
  }
};
// The first job pays for the zygote's imports once; it is reported apart.
const firstMs = await timed(runJob);
const measured = await interleaved(
  {
    'training job, Create to Completed': async () => await timed(runJob),
    'the same script in a warm Python process': async () => {
      warm.stdin.write('\n');
      return Number((await lines.next()).value);
    },
  },
  ROUNDS,
);
const overhead = (measured[0]?.medianMs ?? Number.NaN) - (measured[1]?.medianMs ?? Number.NaN);
print('Training job', measured, [
  `overhead ${overhead.toFixed(0)} ms (difference of the medians)`,
  `first job after the start, with the imports: ${firstMs.toFixed(0)} ms`,
]);
warm.stdin.end();
await once(warm, 'exit');
await server.stop();
await rm(folder, { recursive: true, force: true });
