import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '@slipway/kit/log';
import { changesSomething, openRequestLog, type RequestRecord } from './request-log.ts';

let folder: string;
let path: string;
const log = createLogger({ write: () => undefined });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-requests-'));
  path = join(folder, 'requests.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = (n: number, operation = 'CreateTrainingJob'): RequestRecord => ({
  at: 0,
  requestId: String(n),
  account: '000000000000',
  region: 'us-east-1',
  service: 'sagemaker',
  operation,
  status: 200,
  durationMs: 1.23456,
});
const lines = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the request log', () => {
  it('keeps a line a request, in order, and says which change something', async () => {
    const requests = openRequestLog({ path, log });
    requests.record(record(1));
    requests.record(record(2, 'ListTrainingJobs'));
    await requests.flush();
    expect(lines(path)).toEqual([
      {
        at: '1970-01-01T00:00:00.000Z',
        requestId: '1',
        account: '000000000000',
        region: 'us-east-1',
        service: 'sagemaker',
        operation: 'CreateTrainingJob',
        changes: true,
        status: 200,
        durationMs: 1.23,
      },
      expect.objectContaining({ requestId: '2', changes: false }),
    ]);
  });

  it('keeps at most two files of the given size, the newest lines among them', async () => {
    const requests = openRequestLog({ path, log, maxBytes: 2_000 });
    for (let n = 0; n < 100; n += 1) {
      requests.record(record(n));
      await requests.flush();
    }
    expect(statSync(path).size).toBeLessThanOrEqual(2_000);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(2_000);
    const kept = [...lines(`${path}.1`), ...lines(path)].map((line) => Number(line['requestId']));
    expect(kept.at(-1)).toBe(99);
    expect(kept).toEqual(kept.map((_, index) => kept[0]! + index));
  });

  it('goes on from an earlier server’s file', async () => {
    for (const n of [1, 2]) {
      const requests = openRequestLog({ path, log });
      requests.record(record(n));
      await requests.flush();
    }
    expect(lines(path).map((line) => line['requestId'])).toEqual(['1', '2']);
  });

  it('never throws when the file cannot be written, and says so in the log', async () => {
    const told: string[] = [];
    const requests = openRequestLog({
      path: join(folder, 'missing', 'requests.jsonl'),
      log: createLogger({ write: (line) => told.push(line) }),
    });
    requests.record(record(1));
    await requests.flush();
    expect(existsSync(join(folder, 'missing'))).toBe(false);
    expect(told.join('')).toContain('could not be written to the request log');
  });
});

describe('changesSomething', () => {
  it.each([
    'DescribeEndpoint',
    'ListTags',
    'GetObject',
    'HeadBucket',
    'Search',
    'InvokeEndpoint',
    'BatchDescribeModelPackage',
  ])('is false for %s', (operation) => expect(changesSomething(operation)).toBe(false));
  it.each([
    'CreateModel',
    'UpdateEndpoint',
    'PutObject',
    'CopyObject',
    'DeleteObjects',
    'StopTrainingJob',
    'AddTags',
    'unknown',
  ])('is true for %s', (operation) => expect(changesSomething(operation)).toBe(true));
});
