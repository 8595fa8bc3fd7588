import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { createTestServer, noEngine, type TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeClients, type AwsClients } from '../../packages/delivery/src/aws.ts';
import { ProjectObjects } from '../../packages/delivery/src/objects.ts';
import { Lease, type LeaseHolder } from '../../packages/delivery/src/releases/lease.ts';
import { ReleaseLog, type LogRecord } from '../../packages/delivery/src/releases/log.ts';

// The log and the lease stand on S3's conditional writes alone; here against the server's S3.

let server: TestServer;
let aws: AwsClients;
let objects: ProjectObjects;

beforeAll(async () => {
  server = await createTestServer({ engine: noEngine() });
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'none' };
  aws = makeClients({ endpointUrl: server.url, region: 'us-east-1', credentials });
  await aws.s3.send(new CreateBucketCommand({ Bucket: 'log-test' }));
  objects = new ProjectObjects(aws.s3, 'log-test', 'demo');
});
afterAll(async () => {
  aws.destroy();
  await server.close();
});

interface Count extends LogRecord<number> {
  readonly by: string;
}
const entry = (sequence: number, by: string): Count => ({
  schemaVersion: '1',
  sequence,
  at: aws.time.iso(),
  by,
  state: sequence,
});

test('an empty log has no record, and reading it changes nothing', async () => {
  const log = new ReleaseLog<Count>(objects, 'models/none/decisions/');
  expect(await log.tail()).toEqual({ sequence: 0, record: undefined });
});

test('of two writers of one number one loses, and both records end up in the log', async () => {
  const log = new ReleaseLog<Count>(objects, 'models/race/decisions/');
  const writers = ['ana', 'li', 'kim', 'sam'];
  await Promise.all(writers.map((by) => log.extend((tail) => entry(tail.sequence + 1, by))));
  const records = await Promise.all([1, 2, 3, 4].map((sequence) => log.read(sequence)));
  expect(records.map((record) => record?.by).toSorted()).toEqual(writers.toSorted());
  expect((await log.tail()).sequence).toBe(4);
});

test('the newest record is found behind more than a page of them', async () => {
  const log = new ReleaseLog<Count>(objects, 'models/long/decisions/', 20);
  for (let first = 1; first <= 230; first += 46) {
    await Promise.all(Array.from({ length: 46 }, (_, index) => log.append(entry(first + index, 'ana'))));
  }
  expect((await log.tail()).record).toMatchObject({ sequence: 230, state: 230 });
});

test('a lease excludes another command, and is taken over when it has run out', async () => {
  const place = { objects, time: aws.time, key: 'envs/qa/leases/clinic.json', endpoint: 'clinic' };
  const first = await Lease.take(place, holder('ana'));
  await expect(Lease.take(place, holder('li'))).rejects.toMatchObject({ name: 'LeaseHeld', holder: 'ana' });
  await server.advance(16 * 60_000);
  await aws.sts.send(new GetCallerIdentityCommand({}));
  const second = await Lease.take(place, holder('li'));
  await expect(first.check()).rejects.toMatchObject({ name: 'LeaseHeld', holder: 'li' });
  await first.release();
  await second.check();
  await second.release();
  await expect(Lease.take(place, holder('ana'))).resolves.toBeDefined();
});

test('the lease of a process that is known to be gone is taken over at once', async () => {
  const place = { objects, time: aws.time, key: 'envs/qa/leases/gone.json', endpoint: 'clinic' };
  await Lease.take(place, holder('ana'));
  await expect(Lease.take(place, holder('li', 'someone else'))).rejects.toMatchObject({ name: 'LeaseHeld' });
  await expect(Lease.take(place, holder('li', 'process of ana'))).resolves.toBeDefined();
});

test('a process takes up the lease that it gave up without being able to say so, but not one it is using', async () => {
  const place = { objects, time: aws.time, key: 'envs/qa/leases/own.json', endpoint: 'clinic' };
  const ana = holder('ana');
  await Lease.take(place, ana);
  await expect(Lease.take(place, ana)).rejects.toMatchObject({ name: 'LeaseHeld' });
  ana.tokens.clear();
  await expect(Lease.take(place, ana)).resolves.toBeDefined();
});

function holder(name: string, gone?: string): LeaseHolder {
  return { name, process: `process of ${name}`, isGone: (process) => process === gone, tokens: new Set() };
}

test('answers carry the clock, also when it is moved', async () => {
  await aws.sts.send(new GetCallerIdentityCommand({}));
  const before = aws.time.now();
  await server.advance(7 * 24 * 3_600_000);
  await aws.sts.send(new GetCallerIdentityCommand({}));
  expect(aws.time.now() - before).toBeGreaterThanOrEqual(7 * 24 * 3_600_000 - 1_000);
});
