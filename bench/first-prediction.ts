// The first prediction of a model that a multi-model endpoint has not loaded, beside one of a model that it has, and
// beside loading and predicting in a fresh Python process.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  waitUntilEndpointInService,
  waitUntilTrainingJobCompletedOrStopped,
} from '@aws-sdk/client-sagemaker';
import { CopyObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { createTestServer } from '@slipway/server/testing';
import { fileURLToPath } from 'node:url';
import { CACHE_FOLDER, jobPython } from '../test/support/python-clients.ts';
import { benchClients, IMAGE, ROLE, trainingJob } from './many-jobs.ts';
import { interleaved, print, timed } from './measure.ts';

const ROUNDS = 20;
const ROW = '1,2,3,1,5';
const PLAIN = fileURLToPath(new URL('../packages/cli/python/predict_plainly.py', import.meta.url));
const run = promisify(execFile);

const server = await createTestServer({ pythonCacheFolder: CACHE_FOLDER });
const { s3, sagemaker, runtime } = await benchClients(server.url);
await sagemaker.send(
  new CreateTrainingJobCommand(trainingJob('model', { num_round: '100', objective: 'reg:squarederror' })),
);
await waitUntilTrainingJobCompletedOrStopped(
  { client: sagemaker, maxWaitTime: 120, minDelay: 1, maxDelay: 1 },
  { TrainingJobName: 'model' },
);
const artifact = 'output/model/output/model.tar.gz';
for (let index = 0; index <= ROUNDS; index += 1) {
  await s3.send(
    new CopyObjectCommand({ Bucket: 'bench', CopySource: `bench/${artifact}`, Key: `models/${index}.tar.gz` }),
  );
}
await sagemaker.send(
  new CreateModelCommand({
    ModelName: 'many',
    ExecutionRoleArn: ROLE,
    PrimaryContainer: { Image: IMAGE, Mode: 'MultiModel', ModelDataUrl: 's3://bench/models/' },
  }),
);
await sagemaker.send(
  new CreateEndpointConfigCommand({
    EndpointConfigName: 'many',
    ProductionVariants: [
      { VariantName: 'AllTraffic', ModelName: 'many', InitialInstanceCount: 1, InstanceType: 'ml.m5.large' },
    ],
  }),
);
await sagemaker.send(new CreateEndpointCommand({ EndpointName: 'many', EndpointConfigName: 'many' }));
await waitUntilEndpointInService(
  { client: sagemaker, maxWaitTime: 120, minDelay: 1, maxDelay: 1 },
  { EndpointName: 'many' },
);
const invoke = async (target: number): Promise<number> =>
  await timed(
    async () =>
      await runtime.send(
        new InvokeEndpointCommand({
          EndpointName: 'many',
          TargetModel: `${target}.tar.gz`,
          ContentType: 'text/csv',
          Body: ROW,
        }),
      ),
  );
await invoke(0);

const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
const archive = await s3.send(new GetObjectCommand({ Bucket: 'bench', Key: artifact }));
const file = join(folder, 'model.tar.gz');
await writeFile(file, (await archive.Body?.transformToByteArray()) ?? new Uint8Array());
const { python } = await jobPython();

let next = 0;
const measured = await interleaved(
  {
    'first prediction of a model not yet loaded': async () => await invoke((next += 1)),
    'prediction of a loaded model': async () => await invoke(0),
    'fresh Python: import, load, predict': async () =>
      await timed(async () => {
        const fresh = run(python, [PLAIN, file]);
        fresh.child.stdin?.end(`${ROW}\n`);
        await fresh;
      }),
  },
  ROUNDS,
);
const ratio = (measured[0]?.medianMs ?? Number.NaN) / (measured[2]?.medianMs ?? Number.NaN);
print('First prediction', measured, [`ratio to a fresh process ${ratio.toFixed(3)}`]);
await server.close();
await rm(folder, { recursive: true, force: true });
