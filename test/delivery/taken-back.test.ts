import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseUri } from '../../packages/delivery/src/objects.ts';
import { clientsOf, handOf, SmallProject } from './small-project.ts';

// A release that does not hold: what served before goes on serving, the log says what happened, and the command never
// calls it a success.

const ROW = new TextEncoder().encode('0.9,0.8\n');

let server: TestServer;
let project: SmallProject;

beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  project = await SmallProject.make();
});
afterEach(() => project.remove());

/** Puts something that is no model where the new version's artifact lies. */
async function spoil(artifact: string): Promise<void> {
  const aws = clientsOf(server);
  const { bucket, key } = parseUri(artifact);
  await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'this is no archive' }));
  aws.destroy();
}

test('a multi-model target that does not answer is never named by the route map', async () => {
  await project.edit('delivery.yaml', 'project: shop', 'project: shop-mme');
  const hand = await handOf(server, project);
  await hand.train('churn');
  await hand.approve({ model: 'churn', version: '1' });
  await hand.apply({ env: 'sandbox' });
  await project.edit('models/churn/model.yaml', 'num_round: 20', 'num_round: 30');
  const second = await handOf(server, project);
  const result = await second.train('churn');
  await spoil(result.artifact);
  await second.approve({ model: 'churn', version: '2', override: true, reason: 'a test' });
  await expect(second.apply({ env: 'sandbox' })).rejects.toMatchObject({ name: 'RolledBack', live: 'churn/1.tar.gz' });
  expect((await second.invoke({ model: 'churn', body: ROW })).version).toBe(1);
  const [status] = (await second.status({ models: ['churn'] })).models;
  expect(status?.environments[0]).toMatchObject({ health: 'InService', live: { version: 1 } });
  for (const one of [hand, second]) one.close();
});

test('a real-time endpoint that SageMaker took back is reported as taken back, and tried again when asked', async () => {
  await project.edit('delivery.yaml', 'project: shop', 'project: shop-rt');
  await project.edit('delivery.yaml', 'mode: multi-model', 'mode: realtime');
  await project.edit('models/price/model.yaml', 'serve: { endpoint: shop }\n', '');
  const hand = await handOf(server, project);
  await hand.train('churn');
  await hand.approve({ model: 'churn', version: '1' });
  const first = await hand.apply({ env: 'sandbox' });
  expect(first.models[0]).toMatchObject({ state: 'released', live: { version: 1 } });
  expect((await hand.apply({ env: 'sandbox' })).changed).toBe(false);
  expect((await hand.invoke({ model: 'churn', body: ROW })).body.length).toBeGreaterThan(0);

  await project.edit('models/churn/model.yaml', 'num_round: 20', 'num_round: 30');
  const second = await handOf(server, project);
  const result = await second.train('churn');
  await spoil(result.artifact);
  await second.approve({ model: 'churn', version: '2', override: true, reason: 'a test' });
  for (let round = 0; round < 2; round += 1) {
    await expect(second.apply({ env: 'sandbox' })).rejects.toMatchObject({
      name: 'RolledBack',
      live: first.endpoints[0]?.config,
    });
  }
  const [status] = (await second.status({ models: ['churn'] })).models;
  expect(status?.environments[0]).toMatchObject({ live: { version: 1 }, next: { state: 'release' } });
  await second.reject({ model: 'churn', version: '2', reason: 'it does not load' });
  expect((await second.apply({ env: 'sandbox' })).models[0]).toMatchObject({
    state: 'unchanged',
    live: { version: 1 },
  });
  for (const one of [hand, second]) one.close();
});

test('where no approval is needed the newest version that passed is released', async () => {
  await project.edit('delivery.yaml', 'project: shop', 'project: shop-free');
  await project.edit('delivery.yaml', 'requires: approved', 'requires: none');
  const hand = await handOf(server, project);
  await hand.train('churn');
  const applied = await hand.apply({ env: 'sandbox' });
  expect(applied.models.map((model) => model.state)).toEqual(['released', 'waiting']);
  expect((await hand.apply({ env: 'sandbox' })).changed).toBe(false);
  hand.close();
});
