import { CreateTrainingJobCommand, DescribeTrainingJobCommand } from '@aws-sdk/client-sagemaker';
import { createTestServer, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { channel, clientsOf, makeBucket, trainingEnd, trainingRequest } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer({ timing: 'lifelike' });
});
afterAll(() => server.close());

it('with lifelike timing a job starts after 90 seconds of the clock', async () => {
  const clients = clientsOf(server.url);
  await makeBucket(clients);
  const request = trainingRequest('slow', { InputDataConfig: [channel('train', 's3://models-of-test/nothing')] });
  await clients.sagemaker.send(new CreateTrainingJobCommand(request));
  const status = async () =>
    (await clients.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: 'slow' }))).SecondaryStatus;
  await server.advance(80_000);
  expect(await status()).toBe('Starting');
  await server.advance(10_000);
  expect((await trainingEnd(clients, 'slow')).FailureReason).toContain('Data download failed');
});
