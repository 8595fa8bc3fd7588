import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  DescribeEndpointCommand,
  DescribeTrainingJobCommand,
  ListTrainingJobsCommand,
  StopTrainingJobCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMortalServer, type MortalServer } from '../crash/mortal-server.ts';
import { CACHE_FOLDER } from '../support/python-clients.ts';
import {
  BUCKET,
  CSV,
  IMAGE,
  ROLE,
  clientsOf,
  endpointSettled,
  eventually,
  keysBelow,
  makeBucket,
  put,
  scriptMode,
  train,
  trainingEnd,
  trainingRequest,
  type Clients,
} from './support.ts';

let folder: string;
let server: MortalServer;
let clients: Clients;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-restart-')));
  server = await startMortalServer({ dataFolder: join(folder, 'data'), cacheFolder: CACHE_FOLDER });
  clients = clientsOf(server.url);
  await server.outlive(() => makeBucket(clients));
  await put(clients, 'data/train/x.csv', CSV);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

/** Kills the server and waits until another process answers. */
async function killed(): Promise<void> {
  const before = server.deaths();
  server.kill();
  await eventually(
    async () => server.deaths(),
    (deaths) => deaths > before,
  );
  await server.outlive(() => clients.sagemaker.send(new ListTrainingJobsCommand({})));
}

describe('after kill -9', () => {
  it('a training job that was running ends as it would have, having run once', async () => {
    const starts = join(folder, 'starts');
    const go = join(folder, 'go');
    const script = [
      'import os, time',
      `open(${JSON.stringify(starts)}, 'a').write('start\\n')`,
      `while not os.path.exists(${JSON.stringify(go)}): time.sleep(0.02)`,
      "open(os.path.join(os.environ['SM_MODEL_DIR'], 'model'), 'w').write('whole')",
    ].join('\n');
    const request = trainingRequest('survives', await scriptMode(clients, 'survives', script));
    await clients.sagemaker.send(new CreateTrainingJobCommand(request));
    const started = (): string => {
      try {
        return readFileSync(starts, 'utf8');
      } catch {
        return '';
      }
    };
    await eventually(
      async () => started(),
      (text) => text !== '',
    );
    await killed();
    await killed();
    writeFileSync(go, '');
    const job = await server.outlive(() => trainingEnd(clients, 'survives'));
    expect(job).toMatchObject({ TrainingJobStatus: 'Completed' });
    expect(started()).toBe('start\n');
    const ends = job.SecondaryStatusTransitions?.filter(({ Status }) =>
      ['Completed', 'Failed', 'Stopped'].includes(Status ?? ''),
    );
    expect(ends).toHaveLength(1);
    expect(await keysBelow(clients, 'out/survives/')).toEqual(['out/survives/output/model.tar.gz']);
  });

  it('a job that was stopped the moment before is stopped', async () => {
    const script = 'import time\ntime.sleep(600)';
    const request = trainingRequest('halted', await scriptMode(clients, 'halted', script));
    await clients.sagemaker.send(new CreateTrainingJobCommand(request));
    await eventually(
      () => clients.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: 'halted' })),
      (job) => job.SecondaryStatus === 'Training',
    );
    await clients.sagemaker.send(new StopTrainingJobCommand({ TrainingJobName: 'halted' }));
    await killed();
    const job = await server.outlive(() => trainingEnd(clients, 'halted'));
    expect(job).toMatchObject({ TrainingJobStatus: 'Stopped' });
  });

  it('an endpoint answers again with the same model, and a request meanwhile is held', async () => {
    await train(clients, 'served');
    await clients.sagemaker.send(
      new CreateModelCommand({
        ModelName: 'm',
        ExecutionRoleArn: ROLE,
        PrimaryContainer: { Image: IMAGE, ModelDataUrl: `s3://${BUCKET}/out/served/output/model.tar.gz` },
      }),
    );
    const ProductionVariants = [
      { VariantName: 'v', ModelName: 'm', InitialInstanceCount: 1, InstanceType: 'ml.m5.large' as const },
    ];
    for (const name of ['c1', 'c2']) {
      await clients.sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants }));
    }
    await clients.sagemaker.send(new CreateEndpointCommand({ EndpointName: 'e', EndpointConfigName: 'c1' }));
    await endpointSettled(clients, 'e');
    const invoke = async (): Promise<string> => {
      const answer = await clients.runtime.send(
        new InvokeEndpointCommand({ EndpointName: 'e', Body: '3,1', ContentType: 'text/csv' }),
      );
      return Buffer.from(answer.Body ?? []).toString();
    };
    const before = await invoke();
    const deaths = server.deaths();
    server.kill();
    await eventually(
      async () => server.deaths(),
      (count) => count > deaths,
    );
    // The first answer of the new process, whatever it was doing then: never an error but that nobody listened yet.
    expect(await server.outlive(invoke)).toBe(before);
    const endpoint = await clients.sagemaker.send(new DescribeEndpointCommand({ EndpointName: 'e' }));
    expect(endpoint).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'c1' });
  });

  it('an update that was under way is finished', async () => {
    await clients.sagemaker.send(new UpdateEndpointCommand({ EndpointName: 'e', EndpointConfigName: 'c2' }));
    await killed();
    const settled = await server.outlive(() => endpointSettled(clients, 'e'));
    expect(settled).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'c2' });
    expect(settled).not.toHaveProperty('FailureReason');
    const answer = await clients.runtime.send(
      new InvokeEndpointCommand({ EndpointName: 'e', Body: '3,1', ContentType: 'text/csv' }),
    );
    expect(answer.InvokedProductionVariant).toBe('v');
  });
});
