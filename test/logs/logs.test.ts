import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { systemClock } from '@slipway/kit/clock';
import { openDatabase } from '@slipway/kit/sqlite';
import { createTestServer, noEngine } from '@slipway/server/testing';
import type { TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogFiles } from '../../packages/server/src/log-files.ts';
import { MIGRATIONS } from '../../packages/server/src/migrations/index.ts';
import { runPython } from '../support/run-python.ts';

const owner = { account: '000000000000', region: 'us-east-1' };
const group = '/aws/sagemaker/TrainingJobs';
const start = Date.parse('2024-05-01T12:00:00Z');

let dataFolder: string;
let server: TestServer;
let logs: CloudWatchLogsClient;

/** A log whose line n was seen n seconds after the start. */
function writeLog(path: string, lines: readonly string[]): void {
  writeFileSync(path, '');
  writeFileSync(`${path}.index`, '');
  let size = 0;
  for (const [number, line] of lines.entries()) {
    size += Buffer.byteLength(line) + 1;
    appendFileSync(path, `${line}\n`);
    appendFileSync(`${path}.index`, `${start + number * 1000} ${size}\n`);
  }
}

const clientOf = (account: string): CloudWatchLogsClient =>
  new CloudWatchLogsClient({
    endpoint: server.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: account, secretAccessKey: 'not verified on loopback' },
  });

beforeAll(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'slipway-logs-'));
  const db = openDatabase(join(dataFolder, 'state.sqlite'), MIGRATIONS);
  const files = createLogFiles(db, systemClock());
  for (const job of ['alpha', 'beta', 'gamma']) {
    const path = join(dataFolder, `${job}.log`);
    writeLog(path, [`${job} starts`, '[0]\ttrain-rmse:0.5', 'ERROR: out of memory', `${job} ends`]);
    files.register(owner, group, `${job}/algo-1-1714564800`, path);
    files.register(owner, group, `${job}/algo-1-1714564800`, path);
  }
  files.register(owner, '/aws/sagemaker/Endpoints/e', 'v/i-0', join(dataFolder, 'not-yet.log'));
  db.close();
  server = await createTestServer({ engine: noEngine(), dataFolder });
  logs = clientOf(owner.account);
});
afterAll(async () => {
  logs.destroy();
  await server.close();
  rmSync(dataFolder, { recursive: true, force: true });
});

const alpha = { logGroupName: group, logStreamName: 'alpha/algo-1-1714564800' };

async function errorOf(sending: Promise<unknown>): Promise<{ name: string; message: string }> {
  const failed = await sending.then(
    () => new Error('the request succeeded'),
    (error: Error) => error,
  );
  return { name: failed.name, message: failed.message };
}

describe('log groups and streams', () => {
  it('are those whose files were registered', async () => {
    const groups = await logs.send(new DescribeLogGroupsCommand({}));
    expect(groups.logGroups?.map(({ logGroupName }) => logGroupName)).toEqual(['/aws/sagemaker/Endpoints/e', group]);
    expect(groups.logGroups?.[1]?.arn).toBe(`arn:aws:logs:us-east-1:000000000000:log-group:${group}:*`);
    const input = { logGroupName: group, logStreamNamePrefix: 'beta/', orderBy: 'LogStreamName', limit: 1 } as const;
    const streams = await logs.send(new DescribeLogStreamsCommand(input));
    expect(streams.logStreams).toMatchObject([
      {
        logStreamName: 'beta/algo-1-1714564800',
        firstEventTimestamp: start,
        lastEventTimestamp: start + 3000,
      },
    ]);
    // A page that is complete has no token: the SageMaker SDK would ask for ever.
    expect(streams.nextToken).toBeUndefined();
  });

  it.each(['LogStreamName', 'LastEventTime'] as const)('come a page at a time by %s', async (orderBy) => {
    const seen: string[] = [];
    let nextToken: string | undefined;
    do {
      const input = { logGroupName: group, orderBy, descending: true, limit: 1, nextToken };
      const page = await logs.send(new DescribeLogStreamsCommand(input));
      seen.push(...(page.logStreams ?? []).map(({ logStreamName }) => String(logStreamName)));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    const jobs = ['gamma', 'beta', 'alpha'].map((job) => `${job}/algo-1-1714564800`);
    expect(orderBy === 'LogStreamName' ? seen : seen.sort().reverse()).toEqual(jobs);
  });

  it('that do not exist have the code that clients wait on', async () => {
    const missing = new DescribeLogStreamsCommand({ logGroupName: '/aws/none' });
    const noGroup = { name: 'ResourceNotFoundException', message: 'The specified log group does not exist.' };
    expect(await errorOf(logs.send(missing))).toEqual(noGroup);
    const stream = new GetLogEventsCommand({ logGroupName: group, logStreamName: 'none' });
    const noStream = { name: 'ResourceNotFoundException', message: 'The specified log stream does not exist.' };
    expect(await errorOf(logs.send(stream))).toEqual(noStream);
    expect(await errorOf(clientOf('999999999999').send(new GetLogEventsCommand(alpha)))).toEqual(noGroup);
    const written = await errorOf(logs.send(new CreateLogGroupCommand({ logGroupName: 'x' })));
    expect(written.name).toBe('NotImplemented');
  });
});

describe('log events', () => {
  it('are lines with the time at which they were printed, and tabs as #011', async () => {
    const page = await logs.send(new GetLogEventsCommand({ ...alpha, startFromHead: true }));
    expect(page.events?.map(({ timestamp, message }) => [timestamp, message])).toEqual([
      [start, 'alpha starts'],
      [start + 1000, '[0]#011train-rmse:0.5'],
      [start + 2000, 'ERROR: out of memory'],
      [start + 3000, 'alpha ends'],
    ]);
  });

  it('are followed by a token that stays the same at the end, until there is more', async () => {
    const first = await logs.send(new GetLogEventsCommand({ ...alpha, startFromHead: true }));
    const follow = (nextToken: string | undefined) =>
      logs.send(new GetLogEventsCommand({ ...alpha, startFromHead: true, nextToken }));
    const end = await follow(first.nextForwardToken);
    expect(end.events).toEqual([]);
    expect(end.nextForwardToken).toBe(first.nextForwardToken);
    appendFileSync(join(dataFolder, 'alpha.log'), 'one line more\n');
    const more = await follow(end.nextForwardToken);
    expect(more.events?.map(({ message }) => message)).toEqual(['one line more']);
  });

  it('come from the end backwards', async () => {
    const beta = { logGroupName: group, logStreamName: 'beta/algo-1-1714564800' };
    const last = await logs.send(new GetLogEventsCommand({ ...beta, limit: 1 }));
    expect(last.events?.map(({ message }) => message)).toEqual(['beta ends']);
    const nextToken = last.nextBackwardToken;
    const before = await logs.send(new GetLogEventsCommand({ ...beta, limit: 2, nextToken }));
    expect(before.events?.map(({ message }) => message)).toEqual(['[0]#011train-rmse:0.5', 'ERROR: out of memory']);
  });

  it('of a stream whose file is not there yet are none', async () => {
    const input = { logGroupName: '/aws/sagemaker/Endpoints/e', logStreamName: 'v/i-0', startFromHead: true };
    const page = await logs.send(new GetLogEventsCommand(input));
    expect(page.events).toEqual([]);
    expect(page.nextForwardToken).toMatch(/^f\/\d+\/s$/);
  });

  it('refuse a token of another make', async () => {
    const error = await errorOf(logs.send(new GetLogEventsCommand({ ...alpha, nextToken: 'f/x' })));
    expect(error.name).toBe('InvalidParameterException');
  });

  it('are filtered over all streams, a page at a time', async () => {
    const seen: string[] = [];
    let nextToken: string | undefined;
    do {
      const input = { logGroupName: group, filterPattern: 'ERROR memory', limit: 2, nextToken };
      const page = await logs.send(new FilterLogEventsCommand(input));
      seen.push(...(page.events ?? []).map(({ logStreamName }) => String(logStreamName)));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(seen).toEqual(['alpha', 'beta', 'gamma'].map((job) => `${job}/algo-1-1714564800`));
    const pattern = new FilterLogEventsCommand({ logGroupName: group, filterPattern: '{ $.level = 1 }' });
    expect((await errorOf(logs.send(pattern))).name).toBe('NotImplemented');
  });

  it('are read by boto3', async () => {
    const script = fileURLToPath(new URL('boto3_client.py', import.meta.url));
    const { stdout, stderr, exitCode } = await runPython(script, server.url);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'ok\n', stderr: '', exitCode: 0 });
  });
});
