import { UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changing, clientsOf, handOf, inventory, requestsDuring, SmallProject } from './small-project.ts';

// One project through everything, in the order in which a team does it. Each test goes on where the one before ended.

const BUCKET = 'shop-sandbox-000000000000';
const ROW = new TextEncoder().encode('0.9,0.8\n');

let server: TestServer;
let project: SmallProject;

beforeAll(async () => {
  server = await createTestServer();
  project = await SmallProject.make();
});
afterAll(async () => {
  await server.close();
  await project.remove();
});

test('training registers a version that waits, and says that there is no champion yet', async () => {
  const hand = await handOf(server, project);
  for (const model of ['churn', 'price']) {
    const result = await hand.train(model);
    expect(result).toMatchObject({ model, outcome: 'passed', found: false, registered: { version: 1 } });
    expect(result.champion).toBeUndefined();
    expect(result.report.rows).toBe(120);
  }
  const { models } = await hand.status();
  expect(models.map((model) => model.newest?.approval)).toEqual(['pending', 'pending']);
  hand.close();
});

test('nothing is released before someone approves', async () => {
  const hand = await handOf(server, project);
  const asked = await requestsDuring(server, async () => {
    const applied = await hand.apply({ env: 'sandbox' });
    expect(applied.models.map((model) => model.state)).toEqual(['waiting', 'waiting']);
  });
  expect(asked.filter(changing)).toEqual([]);
  hand.close();
});

test('approved versions are released into one endpoint, each invoked by its name', async () => {
  const hand = await handOf(server, project, 'li');
  for (const model of ['churn', 'price']) {
    expect(await hand.approve({ model, version: '1' })).toMatchObject({ changed: true, sequence: 1, who: 'li' });
  }
  const applied = await hand.apply({ env: 'sandbox' });
  expect(applied.models.map((model) => [model.state, model.target])).toEqual([
    ['released', 'churn/1.tar.gz'],
    ['released', 'price/1.tar.gz'],
  ]);
  const churn = await hand.invoke({ model: 'churn', body: ROW });
  const price = await hand.invoke({ model: 'price', body: ROW });
  expect(Number(new TextDecoder().decode(churn.body))).toBeGreaterThan(0.5);
  expect(Number(new TextDecoder().decode(price.body))).toBeGreaterThan(3);
  hand.close();
});

test('run again from a second clone, every command finds its work and changes nothing', async () => {
  const clone = await project.clone();
  const before = await inventory(server, BUCKET);
  const hand = await handOf(server, clone, 'someone else');
  const asked = await requestsDuring(server, async () => {
    for (const model of ['churn', 'price']) {
      expect(await hand.train(model)).toMatchObject({ found: true, registered: { version: 1 } });
      expect(await hand.approve({ model, version: '1' })).toMatchObject({ changed: false });
    }
    const applied = await hand.apply({ env: 'sandbox' });
    expect(applied.changed).toBe(false);
    expect(applied.models.map((model) => model.state)).toEqual(['unchanged', 'unchanged']);
    await hand.status();
  });
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter(changing)).toEqual([]);
  expect(await inventory(server, BUCKET)).toEqual(before);
  hand.close();
  await clone.remove();
});

test('a changed hyperparameter trains a version that is compared with the champion on the same rows', async () => {
  await project.edit('models/churn/model.yaml', 'num_round: 20', 'num_round: 40');
  const hand = await handOf(server, project);
  const result = await hand.train('churn');
  expect(result).toMatchObject({ found: false, champion: { version: 1 } });
  expect(result.registered?.version ?? 2).toBe(2);
  expect(result.jobs.prepare.ran).toBe(false);
  expect(result.report.differences.length).toBeGreaterThan(0);
  hand.close();
});

test('a new version moves one model by the route map, and a rollback moves it back and holds it there', async () => {
  const hand = await handOf(server, project);
  await hand.approve({ model: 'churn', version: '2', override: true, reason: 'the comparison is close' });
  const asked = await requestsDuring(server, async () => {
    const applied = await hand.apply({ env: 'sandbox' });
    expect(applied.models.map((model) => model.live?.version)).toEqual([2, 1]);
  });
  expect(asked).not.toContain('sagemaker:UpdateEndpoint');
  expect((await hand.invoke({ model: 'churn', body: ROW })).target).toBe('churn/2.tar.gz');
  const back = await hand.rollback({ model: 'churn', env: 'sandbox' });
  expect(back).toMatchObject({ from: { version: 2 }, to: { version: 1 }, changed: true });
  expect((await hand.apply({ env: 'sandbox' })).changed).toBe(false);
  expect((await hand.invoke({ model: 'churn', body: ROW })).target).toBe('churn/1.tar.gz');
  await expect(hand.rollback({ model: 'churn', env: 'sandbox' })).rejects.toThrow(/no earlier healthy version/);
  hand.close();
});

test('approving again moves on; rejecting the live version then releases the last healthy one', async () => {
  const hand = await handOf(server, project);
  await hand.approve({ model: 'churn', version: '2', override: true, reason: 'again' });
  await hand.apply({ env: 'sandbox' });
  await hand.reject({ model: 'churn', version: '2', reason: 'it is worse' });
  const applied = await hand.apply({ env: 'sandbox' });
  expect(applied.models[0]).toMatchObject({ state: 'released', live: { version: 1 }, from: { version: 2 } });
  expect((await hand.apply({ env: 'sandbox' })).changed).toBe(false);
  hand.close();
});

test('a decision made by another client is taken up as a record of it', async () => {
  const hand = await handOf(server, project);
  const arn = (await hand.status({ models: ['churn'] })).models[0]?.versions.find((one) => one.version === 2)?.arn;
  const aws = clientsOf(server);
  const request = {
    ModelPackageArn: arn,
    ModelApprovalStatus: 'Approved',
    ApprovalDescription: 'from a notebook',
  } as const;
  await aws.sagemaker.send(new UpdateModelPackageCommand(request));
  aws.destroy();
  expect((await hand.status({ models: ['churn'] })).models[0]?.environments[0]?.next).toMatchObject({
    state: 'release',
    to: { version: 2 },
  });
  const applied = await hand.apply({ env: 'sandbox' });
  expect(applied.models[0]).toMatchObject({ state: 'released', live: { version: 2 } });
  expect(hand.events).toContainEqual(
    expect.objectContaining({ type: 'change', detail: expect.stringContaining('taken up as decision') as string }),
  );
  hand.close();
});

test('with no earlier version left, a rejected one goes on serving and apply says so', async () => {
  const hand = await handOf(server, project);
  await hand.reject({ model: 'price', version: '1', reason: 'wrong currency' });
  const applied = await hand.apply({ env: 'sandbox' });
  expect(applied.models[1]).toMatchObject({ state: 'blocked', live: { version: 1 } });
  expect((await hand.invoke({ model: 'price', body: ROW })).version).toBe(1);
  hand.close();
});

test('two applies at once: each succeeds or says who is at work, and the log stays whole', async () => {
  const [ana, li] = [await handOf(server, project, 'ana'), await handOf(server, project, 'li')];
  await ana.approve({ model: 'price', version: '1', reason: 'it was right' });
  await ana.approve({ model: 'churn', version: '1' });
  const ends = await Promise.allSettled([ana.apply({ env: 'sandbox' }), li.apply({ env: 'sandbox' })]);
  expect(ends.some((end) => end.status === 'fulfilled')).toBe(true);
  for (const end of ends) if (end.status === 'rejected') expect((end.reason as Error).name).toBe('LeaseHeld');
  expect((await ana.apply({ env: 'sandbox' })).changed).toBe(false);
  expect((await ana.status()).models.map((model) => model.environments[0]?.live?.version)).toEqual([1, 1]);
  ana.close();
  li.close();
});

test('a release that was broken off midway is finished by the next apply, by the same intent', async () => {
  const stop = new AbortController();
  await project.edit('delivery.yaml', 'ml.m5.large', 'ml.m5.xlarge');
  const other = await handOf(server, project, 'li', {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'change' && event.detail === 'endpoint config created') stop.abort();
    },
  });
  await expect(other.apply({ env: 'sandbox' })).rejects.toMatchObject({ name: 'Interrupted' });
  const hand = await handOf(server, project);
  const applied = await hand.apply({ env: 'sandbox' });
  expect(applied.endpoints[0]).toMatchObject({ changed: true });
  expect((await hand.apply({ env: 'sandbox' })).changed).toBe(false);
  expect((await hand.invoke({ model: 'churn', body: ROW })).version).toBe(1);
  for (const one of [other, hand]) one.close();
});

test('wrong names are answered with what there is', async () => {
  const hand = await handOf(server, project);
  await expect(hand.approve({ model: 'churn', version: '9' })).rejects.toMatchObject({
    hint: 'Its versions are 2, 1.',
  });
  await expect(hand.train('churns')).rejects.toMatchObject({ hint: 'Did you mean churn?' });
  await expect(hand.apply({ env: 'sandbx' })).rejects.toMatchObject({ hint: 'Did you mean sandbox?' });
  hand.close();
});
