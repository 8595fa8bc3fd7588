import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

// prepare.py runs in any Python: what it says about data that cannot be used is what the command shows.

const SCRIPT = new URL('../../packages/delivery/python/prepare.py', import.meta.url).pathname;
const CONFIG = {
  target: 'y',
  task: 'binary',
  id: 'id',
  group: null,
  split: { by: 'random', train: 0.55, validation: 0.15, test: 0.3, seed: 42 },
  minRows: 10,
  numeric: true,
};

let ml: string;
beforeEach(async () => {
  ml = await mkdtemp(join(tmpdir(), 'slipway-prepare-'));
  await mkdir(join(ml, 'processing/input/data'), { recursive: true });
  await mkdir(join(ml, 'processing/input/code'), { recursive: true });
});
afterEach(() => rm(ml, { recursive: true, force: true }));

async function prepare(csv: string, config: object = {}): Promise<{ code: number; stderr: string }> {
  await writeFile(join(ml, 'processing/input/data/data.csv'), csv);
  await writeFile(join(ml, 'processing/input/code/config.json'), JSON.stringify({ ...CONFIG, ...config }));
  return new Promise((resolve) => {
    execFile('python3', [SCRIPT], { env: { ...process.env, SAGEMAKER_BASE_DIR: ml } }, (error, _out, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stderr }),
    );
  });
}

const output = (path: string): Promise<string> => readFile(join(ml, 'processing/output', path), 'utf8');
const rows = (count: number, row: (index: number) => string): string =>
  `id,a,y\n${Array.from({ length: count }, (_, index) => row(index)).join('\n')}\n`;
const good = rows(200, (index) => `${index},${index / 7},${index % 4 === 0 ? 1 : 0}`);

describe('data that cannot be used', () => {
  test.each([
    ['only a heading', 'id,a,y\n', {}, /no rows, only a heading/],
    ['an empty file', '', {}, /is empty: not even a heading/],
    ['one class', rows(50, (index) => `${index},1,0`), {}, /All 50 rows have the target y = 0/],
    ['no target', good, { target: 'Y_' }, /target column 'Y_' is not in the data. Its columns are id, a, y/],
    [
      'too few rows for the gate',
      rows(8, (index) => `${index},1,${index % 2}`),
      {},
      /has 8 rows; the gate needs at least 10/,
    ],
    ['a row with a cell too many', rows(20, (index) => `${index},1,${index % 2},9`), {}, /4 cells under 3 columns/],
    ['a target that is no class', rows(20, (index) => `${index},1,${index}`), {}, /binary target is 0 or 1/],
    ['a target that is no number', rows(20, (index) => `${index},1,x`), { task: 'regression' }, /not a finite number/],
    ['an id twice', rows(20, (index) => `1,1,${index % 2}`), {}, /the id '1' appears twice/],
    [
      'text for the built-in algorithm',
      rows(20, (index) => `${index},red,${index % 2}`),
      {},
      /the column 'a' holds 'red'/,
    ],
  ])('%s is refused with a sentence', async (_name, csv, config, sentence) => {
    const { code, stderr } = await prepare(csv, config);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('Traceback');
    expect(code).toBe(1);
    expect(await readFile(join(ml, 'output/message'), 'utf8')).toMatch(sentence);
  });
});

describe('the split', () => {
  test('has the shares asked for in each class, and copies cells as they were written', async () => {
    expect(await prepare(good.replace('1,0.14285714285714285,', '1,1.50e-01,'))).toMatchObject({ code: 0 });
    const test_ = (await output('test/test.csv')).trim().split('\n').slice(1);
    expect(test_).toHaveLength(60);
    expect(test_.filter((row) => row.endsWith(',1'))).toHaveLength(15);
    const all = (await output('tables/train.csv')) + (await output('tables/validation.csv')) + test_.join('\n');
    expect(all).toContain('1,1.50e-01,0');
  });

  test('gives the same rows the same part in whatever order they come', async () => {
    await prepare(good);
    const before = (await output('test/test.csv')).trim().split('\n').slice(1).toSorted();
    const [heading, ...lines] = good.trim().split('\n');
    await prepare([heading, ...lines.reverse()].join('\n'));
    expect((await output('test/test.csv')).trim().split('\n').slice(1).toSorted()).toEqual(before);
  });

  test('never takes a group apart', async () => {
    const csv = `id,g,a,y\n${Array.from({ length: 300 }, (_, i) => `${i},g${i % 30},1,${i % 2}`).join('\n')}`;
    expect(await prepare(csv, { group: 'g', split: { ...CONFIG.split, by: 'group' } })).toMatchObject({ code: 0 });
    const groups = async (path: string): Promise<Set<string>> =>
      new Set(
        (await output(path))
          .trim()
          .split('\n')
          .slice(1)
          .map((row) => row.split(',')[1] ?? ''),
      );
    const [train, held] = [await groups('tables/train.csv'), await groups('test/test.csv')];
    expect([...held].filter((group) => train.has(group))).toEqual([]);
  });

  test('by time holds out the newest rows', async () => {
    const day = (i: number): string => `2026-01-${String(1 + (i % 28)).padStart(2, '0')}`;
    const csv = `id,day,a,y\n${Array.from({ length: 100 }, (_, i) => `${i},${day(i)},1,${i % 2}`).join('\n')}`;
    const split = { ...CONFIG.split, by: 'time', column: 'day' };
    expect(await prepare(csv, { split, numeric: false })).toMatchObject({ code: 0 });
    const days = async (path: string): Promise<string[]> =>
      (await output(path))
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',')[1] ?? '')
        .toSorted();
    expect((await days('tables/train.csv')).at(-1)! <= (await days('test/test.csv'))[0]!).toBe(true);
  });

  test('knows what a predictor would say that has only the training rows', async () => {
    await prepare(good);
    const train = (await output('train/train.csv'))
      .trim()
      .split('\n')
      .map((row) => Number(row.split(',')[0]));
    const summary = JSON.parse(await output('test/summary.json')) as { trivial: number; features: string[] };
    expect(summary.trivial).toBeCloseTo(train.reduce((sum, value) => sum + value, 0) / train.length, 12);
    expect(summary.features).toEqual(['a']);
  });
});
