import { DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  ListEndpointConfigsCommand,
  ListEndpointsCommand,
  ListModelsCommand,
  UpdateEndpointCommand,
  type ContainerDefinition,
  type ProductionVariant,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, ModelError } from '@aws-sdk/client-sagemaker-runtime';
import { createLogger } from '@slipway/kit/log';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drives } from '../support/drives.ts';
import {
  BUCKET,
  CSV,
  IMAGE,
  ROLE,
  archiveOf,
  clientsOf,
  endpointSettled,
  eventually,
  get,
  makeBucket,
  put,
  refusal,
  train,
  trainingRequest,
  type Clients,
} from './support.ts';

let server: TestServer;
let clients: Clients;
let booster: Uint8Array;
/** What the server logged as its own defects. */
const defects: string[] = [];
beforeAll(async () => {
  server = await createTestServer({
    log: createLogger({ level: 'error', write: (line) => void defects.push(line) }),
  });
  clients = clientsOf(server.url);
  await makeBucket(clients);
  await put(clients, 'data/train/x.csv', CSV);
  await train(clients, 'one', { HyperParameters: { ...trainingRequest('x').HyperParameters, num_round: '1' } });
  await train(clients, 'two', { HyperParameters: { ...trainingRequest('x').HyperParameters, num_round: '60' } });
  booster = await get(clients, 'out/two/output/model.tar.gz');
  for (const job of ['one', 'two'])
    await put(clients, `mme/${job}.tar.gz`, await get(clients, `out/${job}/output/model.tar.gz`));
  await put(clients, 'mme/broken.tar.gz', 'this is no archive');
  await put(clients, 'mme/bomb.tar.gz', gzipSync(Buffer.alloc(40_000_000)));
  await put(clients, 'mme/empty.tar.gz', await archiveOf({ 'xgboost-model': 'this is no booster' }));
  await put(clients, 'bad/model.tar.gz', 'this is no archive');
  await put(clients, 'unloadable/model.tar.gz', await archiveOf({ 'xgboost-model': 'this is no booster' }));
});
afterAll(() => server.close());

const model = (name: string, container: ContainerDefinition) =>
  clients.sagemaker.send(
    new CreateModelCommand({
      ModelName: name,
      ExecutionRoleArn: ROLE,
      PrimaryContainer: { Image: IMAGE, ...container },
    }),
  );
const variant = (modelName: string, fields: Partial<ProductionVariant> = {}): ProductionVariant => ({
  VariantName: 'AllTraffic',
  ModelName: modelName,
  InitialInstanceCount: 1,
  InstanceType: 'ml.m5.large',
  ...fields,
});
const config = (name: string, ...variants: ProductionVariant[]) =>
  clients.sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: variants }));
const endpoint = async (name: string, configName: string) => {
  await clients.sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: configName }));
  return endpointSettled(clients, name);
};
const update = (name: string, configName: string) =>
  clients.sagemaker.send(new UpdateEndpointCommand({ EndpointName: name, EndpointConfigName: configName }));
async function invoke(name: string, fields: { TargetModel?: string; TargetVariant?: string; Body?: string } = {}) {
  const answer = await clients.runtime.send(
    new InvokeEndpointCommand({ EndpointName: name, Body: '3,1', ContentType: 'text/csv', ...fields }),
  );
  return {
    variant: answer.InvokedProductionVariant,
    text: Buffer.from(answer.Body ?? [])
      .toString()
      .trim(),
  };
}
const arnOf = (name: string): string => `arn:aws:sagemaker:us-east-1:000000000000:${name}`;

describe('a real-time endpoint', () => {
  beforeAll(async () => {
    await model('one', { ModelDataUrl: `s3://${BUCKET}/out/one/output/model.tar.gz` });
    await model('two', { ModelDataUrl: `s3://${BUCKET}/out/two/output/model.tar.gz` });
    await model('bad', { ModelDataUrl: `s3://${BUCKET}/bad/model.tar.gz` });
    await model('gone', { ModelDataUrl: `s3://${BUCKET}/gone/model.tar.gz` });
    await config('one', variant('one'));
    await config('two', variant('two'));
  });

  it('serves a trained model, and its worker’s output can be read', async () => {
    drives('sagemaker', 'CreateModel', 'CreateEndpointConfig', 'CreateEndpoint', 'DescribeEndpoint');
    drives('sagemaker-runtime', 'InvokeEndpoint');
    const live = await endpoint('live', 'one');
    expect(live).toMatchObject({
      EndpointArn: arnOf('endpoint/live'),
      EndpointConfigName: 'one',
      EndpointStatus: 'InService',
      ProductionVariants: [{ VariantName: 'AllTraffic', CurrentWeight: 1, CurrentInstanceCount: 1 }],
    });
    expect(live).not.toHaveProperty('FailureReason');
    const answer = await invoke('live');
    expect(answer.variant).toBe('AllTraffic');
    expect(Number(answer.text)).toBeGreaterThan(0);
    const logGroupName = '/aws/sagemaker/Endpoints/live';
    const { logStreams = [] } = await clients.logs.send(new DescribeLogStreamsCommand({ logGroupName }));
    expect(logStreams.map(({ logStreamName }) => logStreamName)).toEqual([
      expect.stringMatching(/^AllTraffic\/i-\w+$/),
    ]);
  });

  it('is updated without a request that fails, and answers with the new model after', async () => {
    drives('sagemaker', 'UpdateEndpoint');
    const before = Number((await invoke('live')).text);
    let going = true;
    let answered = 0;
    const traffic = Promise.all(
      [1, 2, 3].map(async () => {
        while (going) {
          await invoke('live');
          answered += 1;
        }
      }),
    );
    await update('live', 'two');
    expect(await refusal(update('live', 'one'))).toMatchObject({
      name: 'ValidationException',
      message: `Cannot update in-progress endpoint "${arnOf('endpoint/live')}".`,
    });
    const settled = await endpointSettled(clients, 'live');
    expect(settled).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'two' });
    const after = Number((await invoke('live')).text);
    going = false;
    await traffic;
    expect(answered).toBeGreaterThan(3);
    expect(Math.abs(after - 7)).toBeLessThan(0.02);
    expect(Math.abs(before - 7)).toBeGreaterThan(0.02);
  });

  it('comes back to its old config when an update fails, in service, with the reason', async () => {
    await config('bad', variant('bad'));
    await update('live', 'bad');
    const settled = await endpointSettled(clients, 'live');
    expect(settled).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'two' });
    expect(settled.FailureReason).toContain('Failed to extract model data archive for container "container_1"');
    expect(settled.FailureReason).toContain('not a gzip file');
    expect(Math.abs(Number((await invoke('live')).text) - 7)).toBeLessThan(0.1);
  });

  it('refuses its current config, and a config that does not exist', async () => {
    expect((await refusal(update('live', 'two'))).message).toContain('with the same endpoint configuration');
    expect(await refusal(update('live', 'none'))).toMatchObject({
      name: 'ValidationException',
      message: `Could not find endpoint configuration "${arnOf('endpoint-config/none')}".`,
    });
  });

  it.each([
    ['gone', 'Failed to download model data for container "container_1"'],
    ['bad', 'Failed to extract model data archive'],
    ['unloadable', 'did not pass the ping health check'],
  ])('fails when it is created with a model that is %s, and can only be deleted', async (name, sentence) => {
    if (name === 'gone') await config('gone', variant('gone'));
    if (name === 'unloadable') {
      await model(name, { ModelDataUrl: `s3://${BUCKET}/unloadable/model.tar.gz` });
      await config(name, variant(name));
    }
    defects.length = 0;
    const failed = await endpoint(`failed-${name}`, name);
    expect(failed.EndpointStatus).toBe('Failed');
    expect(failed.FailureReason).toContain(sentence);
    expect(defects).toEqual([]);
    expect((await refusal(update(`failed-${name}`, 'one'))).name).toBe('ValidationException');
    expect(await refusal(invoke(`failed-${name}`))).toMatchObject({ name: 'ValidationError' });
    await clients.sagemaker.send(new DeleteEndpointCommand({ EndpointName: `failed-${name}` }));
    await gone(`failed-${name}`);
  });

  it('sends requests to its variants by weight, and to the one that is asked for', async () => {
    await config(
      'weights',
      variant('one', { VariantName: 'a', InitialVariantWeight: 3 }),
      variant('two', { VariantName: 'b' }),
    );
    await endpoint('weights', 'weights');
    const chosen: (string | undefined)[] = [];
    for (let request = 0; request < 8; request += 1) chosen.push((await invoke('weights')).variant);
    expect(chosen.filter((name) => name === 'a')).toHaveLength(6);
    expect((await invoke('weights', { TargetVariant: 'b' })).variant).toBe('b');
    expect((await refusal(invoke('weights', { TargetVariant: 'c' }))).name).toBe('ValidationError');
  });

  it('passes on what the container says of a bad request', async () => {
    const error: unknown = await invoke('live', { Body: 'a,b,c,d,e' }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ModelError);
    const modelError = error as ModelError;
    expect(modelError.$metadata.httpStatusCode).toBe(424);
    expect([400, 415]).toContain(modelError.OriginalStatusCode);
    expect(modelError.message).toMatch(
      /^Received client error \(4\d\d\) from primary with message ".*"\. See https:\/\/us-east-1\.console\.aws\.amazon\.com\/cloudwatch\/home\?region=us-east-1#logEventViewer:group=\/aws\/sagemaker\/Endpoints\/live in account 000000000000 for more information\.$/s,
    );
    expect(modelError.LogStreamArn).toContain('log-group:/aws/sagemaker/Endpoints/live');
  });

  it('keeps serving when its config and its model are deleted', async () => {
    await clients.sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName: 'two' }));
    await clients.sagemaker.send(new DeleteModelCommand({ ModelName: 'two' }));
    expect((await invoke('live')).variant).toBe('AllTraffic');
  });

  it('is deleted with its folder, and its name can be used again', async () => {
    const lists = await clients.sagemaker.send(new ListEndpointsCommand({ StatusEquals: 'InService', SortBy: 'Name' }));
    expect(lists.Endpoints?.map((item) => item.EndpointName)).toEqual(['weights', 'live']);
    await clients.sagemaker.send(new DeleteEndpointCommand({ EndpointName: 'live' }));
    await gone('live');
    expect(await refusal(invoke('live'))).toMatchObject({
      name: 'ValidationError',
      message: 'Endpoint live of account 000000000000 not found.',
    });
    expect((await endpoint('live', 'one')).EndpointStatus).toBe('InService');
    for (const name of ['live', 'weights']) {
      await clients.sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }));
      await gone(name);
    }
    expect(readdirSync(join(server.dataFolder, 'endpoints'))).toEqual([]);
  });
});

async function gone(name: string): Promise<void> {
  const ask = () => refusal(clients.sagemaker.send(new DescribeEndpointCommand({ EndpointName: name })));
  const last = await eventually(ask, ({ message }) => message !== 'the request succeeded');
  expect(last).toMatchObject({
    name: 'ValidationException',
    message: `Could not find endpoint "${arnOf(`endpoint/${name}`)}".`,
  });
}

describe('a multi-model endpoint', () => {
  beforeAll(async () => {
    await model('many', { Mode: 'MultiModel', ModelDataUrl: `s3://${BUCKET}/mme/` });
    await config('many', variant('many'));
    await endpoint('many', 'many');
  });

  it('serves any model below its prefix, loaded once when it is first asked for', async () => {
    const answers = await Promise.all(
      ['one', 'two', 'one', 'two', 'two'].map((name) => invoke('many', { TargetModel: `${name}.tar.gz` })),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(2);
    expect(Math.abs(Number(answers[1]?.text) - 7)).toBeLessThan(0.1);
  });

  it('does not notice a new object under an old key, as on AWS, until it is updated', async () => {
    const before = await invoke('many', { TargetModel: 'one.tar.gz' });
    await put(clients, 'mme/one.tar.gz', booster);
    expect(await invoke('many', { TargetModel: 'one.tar.gz' })).toEqual(before);
    await config('many-2', variant('many', { InitialInstanceCount: 2 }));
    await update('many', 'many-2');
    await endpointSettled(clients, 'many');
    expect(await invoke('many', { TargetModel: 'one.tar.gz' })).not.toEqual(before);
  });

  it.each<[string, string | undefined, string, string]>([
    ['no target', undefined, 'ValidationError', 'is missing a target model header'],
    [
      'a missing object',
      'none.tar.gz',
      'ValidationError',
      `Failed to download model data(bucket: ${BUCKET}, key: mme/none.tar.gz)`,
    ],
    ['what is no archive', 'broken.tar.gz', 'ValidationError', 'not a gzip file'],
    ['a bomb', 'bomb.tar.gz', 'ValidationError', '100 times its size'],
    ['a way out', '../out/one/output/model.tar.gz', 'ValidationError', 'Invalid target model'],
    ['an encoded way out', '%2e%2e/out', 'ValidationError', 'Invalid target model'],
    ['a model that cannot be loaded', 'empty.tar.gz', 'ModelError', 'Received server error (500) from primary'],
  ])('refuses %s and goes on', async (_what, target, name, sentence) => {
    const refused = await refusal(invoke('many', target === undefined ? {} : { TargetModel: target }));
    expect(refused.name).toBe(name);
    expect(refused.message).toContain(sentence);
    expect((await invoke('many', { TargetModel: 'two.tar.gz' })).variant).toBe('AllTraffic');
  });

  it('is the only kind that takes a target', async () => {
    await endpoint('single', 'one');
    const refused = await refusal(invoke('single', { TargetModel: 'one.tar.gz' }));
    expect(refused).toMatchObject({
      name: 'ValidationError',
      message: 'Endpoint single is not a multi-model endpoint and does not support target model header.',
    });
  });
});

describe('models and endpoint configs', () => {
  it('are described with what was sent and nothing more', async () => {
    const described = await clients.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: 'one' }));
    const { $metadata: _metadata, CreationTime: _time, ...rest } = described;
    expect(rest).toEqual({
      EndpointConfigName: 'one',
      EndpointConfigArn: arnOf('endpoint-config/one'),
      ProductionVariants: [variant('one')],
    });
    const one = await clients.sagemaker.send(new DescribeModelCommand({ ModelName: 'one' }));
    expect(one.PrimaryContainer).toMatchObject({ Mode: 'SingleModel', Image: IMAGE });
    for (const member of ['VpcConfig', 'Containers', 'InferenceExecutionConfig'])
      expect(one).not.toHaveProperty(member);
  });

  it('are made once and listed newest first', async () => {
    expect((await refusal(model('one', {}))).message).toBe(
      `Cannot create already existing model "${arnOf('model/one')}".`,
    );
    expect((await refusal(config('one', variant('one')))).message).toBe(
      `Cannot create already existing endpoint configuration "${arnOf('endpoint-config/one')}".`,
    );
    const models = await clients.sagemaker.send(new ListModelsCommand({ MaxResults: 2 }));
    expect(models.Models?.map((item) => item.ModelName)).toEqual(['many', 'unloadable']);
    const configs = await clients.sagemaker.send(new ListEndpointConfigsCommand({ NameContains: 'many' }));
    expect(configs.EndpointConfigs?.map((item) => item.EndpointConfigName)).toEqual(['many-2', 'many']);
  });

  it('are refused for what does not exist or is not supported', async () => {
    expect((await refusal(config('x', variant('nobody')))).message).toBe(
      `Could not find model "${arnOf('model/nobody')}".`,
    );
    expect((await refusal(model('x', { Image: 'nobody/knows:1' }))).message).toContain('images.yaml');
    const serverless = variant('one', { ServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 1 } });
    expect((await refusal(config('x', serverless))).message).toContain('does not support ServerlessConfig');
  });
});

it('packs the same model into the same bytes each time', async () => {
  await train(clients, 'again', { HyperParameters: { ...trainingRequest('x').HyperParameters, num_round: '60' } });
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  expect(digest(await get(clients, 'out/again/output/model.tar.gz'))).toBe(digest(booster));
});
