import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { builtInMetrics, javascriptPattern, lastMetrics } from './metrics.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-metrics-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();

function logOf(text: string): string {
  const path = join(folder, `${Math.random()}.log`);
  writeFileSync(path, text);
  return path;
}

describe('lastMetrics', () => {
  it('takes the last value of each metric of the built-in algorithm, reading tabs as #011', async () => {
    const log = logOf('[0]\ttrain-rmse:9.1\tvalidation-rmse:9.2\nnoise\n[1]\ttrain-rmse:4.5\tvalidation-rmse:4.75e0\n');
    const image = { uri: 'x', framework: 'xgboost', version: '1.7-1', standsIn: '' } as const;
    expect(await lastMetrics(log, builtInMetrics(image), signal)).toEqual([
      { name: 'train:rmse', value: 4.5 },
      { name: 'validation:rmse', value: 4.75 },
    ]);
  });

  it('takes the number a capture begins with where it runs on', async () => {
    const log = logOf('[3]\tvalidation-mae:0.51\tvalidation-rmse:0.7\r\n');
    const definitions = [{ Name: 'mae', Regex: 'validation-mae:(\\S+)' }];
    expect(await lastMetrics(log, definitions, signal)).toEqual([{ name: 'mae', value: 0.51 }]);
  });

  it('leaves out what no line matches and what is no number', async () => {
    const log = logOf('score: good\n');
    const definitions = [
      { Name: 'a', Regex: 'score: (\\w+)' },
      { Name: 'b', Regex: 'loss: ([0-9.]+)' },
    ];
    expect(await lastMetrics(log, definitions, signal)).toEqual([]);
  });

  it('rejects for a log that is not there', async () => {
    await expect(lastMetrics(join(folder, 'none'), [{ Name: 'a', Regex: '(.)' }], signal)).rejects.toThrow('ENOENT');
  });
});

describe('javascriptPattern', () => {
  it('takes Python’s named groups and inline flags', () => {
    const pattern = javascriptPattern('(?i)Score: (?P<value>[0-9.]+)');
    expect(pattern.exec('SCORE: 0.5')?.[1]).toBe('0.5');
  });
});
