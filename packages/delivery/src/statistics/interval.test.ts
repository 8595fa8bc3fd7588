import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bcaInterval, bootstrap, percentileInterval } from './bootstrap.ts';
import { delong, pairedDelong } from './delong.ts';
import { readGolden } from './golden.ts';
import { differenceInterval } from './difference.ts';
import { metricInterval } from './interval.ts';
import { metricsOf } from './metric-names.ts';
import { lossesOf, metricOf } from './metrics.ts';
import { mcnemarExact, wilson } from './proportion.ts';
import { quantile } from './quantile.ts';
import { seededRandom } from './random.ts';

const golden = readGolden();
const y = Float64Array.from(golden.binary.y);
const score = Float64Array.from(golden.binary.score);
const other = Float64Array.from(golden.binary.other);
const how = { draws: 500, seed: 1, rows: y.length };

test('quantiles are those of numpy, whose default is type 7', () => {
  const sorted = Float64Array.from(golden.quantile.values).sort();
  for (const [p, value] of golden.quantile.at) expect(quantile(sorted, p)).toBeCloseTo(value, 12);
});

test("Wilson's interval and McNemar's exact p equal scipy", () => {
  for (const [k, n, confidence, low, high] of golden.wilson) {
    const bounds = wilson(k, n, confidence);
    expect(bounds.low).toBeCloseTo(low, 10);
    expect(bounds.high).toBeCloseTo(high, 10);
  }
  for (const [a, b, p] of golden.mcnemar) expect(mcnemarExact(a, b)).toBeCloseTo(p, 10);
});

test("DeLong's variances equal those of the paper's definition over all pairs", () => {
  expect(delong(y, score).auc).toBeCloseTo(golden.delong.auc[0], 12);
  expect(delong(y, score).variance).toBeCloseTo(golden.delong.variance, 12);
  const paired = pairedDelong(y, score, other);
  expect(paired.difference).toBeCloseTo(golden.delong.auc[0] - golden.delong.auc[1], 12);
  const { variance, other: second, covariance } = golden.delong;
  expect(paired.variance).toBeCloseTo(variance + second - 2 * covariance, 12);
});

test('bootstrap intervals come close to those of scipy, whose draws are others', () => {
  const errors = lossesOf(
    'rmse',
    Float64Array.from(golden.regression.y),
    Float64Array.from(golden.regression.score),
  ) as Float64Array;
  const mean = (weights: Float64Array): number =>
    weights.reduce((sum, w, i) => sum + w * (errors[i] as number), 0) / weights.reduce((sum, w) => sum + w, 0);
  const many = { draws: 20_000, seed: 3, rows: errors.length };
  const { bca, percentile } = golden.bootstrapMeanSquaredError;
  const ours = percentileInterval(bootstrap(many, mean), 0.95);
  expect(Math.abs(ours.low / percentile[0] - 1)).toBeLessThan(0.01);
  expect(Math.abs(ours.high / percentile[1] - 1)).toBeLessThan(0.01);
  const corrected = bcaInterval(many, mean, 0.95);
  expect(Math.abs(corrected.low / bca[0] - 1)).toBeLessThan(0.01);
  expect(Math.abs(corrected.high / bca[1] - 1)).toBeLessThan(0.01);
});

test('an interval holds its own estimate, names its seed only where it draws, and repeats', () => {
  for (const metric of metricsOf('binary')) {
    const value = metricOf(metric, y, score)();
    const result = metricInterval(metric, y, score, how, 0.95);
    if (!('interval' in result)) throw new Error(`${metric}: ${result.reason}`);
    expect(result.interval.low, metric).toBeLessThan(value);
    expect(result.interval.high, metric).toBeGreaterThanOrEqual(value);
    expect(result.interval.seed === undefined, metric).toBe(!/bootstrap/.test(result.interval.method));
    expect(metricInterval(metric, y, score, how, 0.95)).toEqual(result);
  }
});

test('a difference turns its sign with the order of the models', () => {
  for (const metric of metricsOf('binary')) {
    const forth = differenceInterval(metric, y, score, other, how, 0.9);
    const back = differenceInterval(metric, y, other, score, how, 0.9);
    if (!('interval' in forth) || !('interval' in back)) throw new Error(metric);
    expect(back.interval.low, metric).toBeCloseTo(-forth.interval.high, 9);
    expect(back.interval.high, metric).toBeCloseTo(-forth.interval.low, 9);
  }
});

test('classes that the scores separate perfectly have no interval, and a reason', () => {
  const perfect = y.map((value) => 0.2 + 0.6 * value);
  for (const metric of ['roc_auc', 'pr_auc'] as const) {
    const result = metricInterval(metric, y, perfect, how, 0.95);
    expect(result).toEqual({ reason: expect.stringContaining('separate the classes perfectly') as string });
  }
  const better = y.map((value, i) => (perfect[i] as number) + (value === 1 ? 0.1 : 0));
  const difference = differenceInterval('roc_auc', y, better, perfect, how, 0.9);
  expect(difference).toMatchObject({ interval: { method: expect.stringContaining('exact bound') as string } });
});

test('groups are drawn whole: copies of the same rows add no certainty', () => {
  const copies = 5;
  const repeat = (values: Float64Array): Float64Array =>
    Float64Array.from({ length: values.length * copies }, (_, i) => values[i % values.length] as number);
  const clusters = Int32Array.from({ length: y.length * copies }, (_, i) => i % y.length);
  for (const metric of ['brier', 'roc_auc', 'accuracy'] as const) {
    const width = (rows: typeof how, of: Float64Array, says: Float64Array): number => {
      const result = metricInterval(metric, of, says, rows, 0.95);
      return 'interval' in result ? result.interval.high - result.interval.low : Number.NaN;
    };
    const once = width(how, y, score);
    const byGroup = width({ ...how, rows: clusters.length, clusters } as typeof how, repeat(y), repeat(score));
    const byRow = width({ ...how, rows: clusters.length }, repeat(y), repeat(score));
    expect(byGroup / once, metric).toBeGreaterThan(0.8);
    expect(byGroup / once, metric).toBeLessThan(1.25);
    expect(byRow / once, metric).toBeLessThan(0.7);
  }
  const few = Int32Array.from(y, (_, i) => i % 3);
  expect(metricInterval('brier', y, score, { ...how, clusters: few }, 0.95)).toEqual({
    reason: expect.stringContaining('only 3 groups') as string,
  });
});

test('more confidence is never a narrower interval', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...metricsOf('binary')),
      fc.double({ min: 0.5, max: 0.98, noNaN: true }),
      (metric, c) => {
        const narrow = metricInterval(metric, y, score, how, c);
        const wide = metricInterval(metric, y, score, how, c + 0.01);
        if (!('interval' in narrow) || !('interval' in wide)) throw new Error(metric);
        expect(wide.interval.low).toBeLessThanOrEqual(narrow.interval.low);
        expect(wide.interval.high).toBeGreaterThanOrEqual(narrow.interval.high);
      },
    ),
    { numRuns: 40 },
  );
});

test('the generator repeats from its seed, is fair, and gives another sequence for another seed', () => {
  const take = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
  const random = seededRandom(0);
  const counts = Array.from({ length: 6 }, () => 0);
  for (let i = 0; i < 60_000; i++) {
    const face = random.below(6);
    counts[face] = (counts[face] as number) + 1;
  }
  // Chi-square with five degrees of freedom: beyond 20.5 once in a thousand generators.
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chiSquare).toBeLessThan(20.5);
});

test('2000 draws of 171 rows take well under 100 ms', () => {
  const random = seededRandom(5);
  const rows = 171;
  const truth = Float64Array.from({ length: rows }, () => (random.uniform() < 0.4 ? 0 : 1));
  const said = truth.map((value) => 0.5 + (value - 0.5) * random.uniform());
  const times = Array.from({ length: 5 }, (_, seed) => {
    const from = process.hrtime.bigint();
    metricInterval('log_loss', truth, said, { draws: 2000, seed, rows }, 0.95);
    return Number(process.hrtime.bigint() - from) / 1e6;
  });
  expect(Math.min(...times)).toBeLessThan(100);
});
