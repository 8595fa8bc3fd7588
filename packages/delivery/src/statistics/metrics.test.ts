import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readGolden } from './golden.ts';
import { METRICS, type MetricName } from './metric-names.ts';
import { metricOf } from './metrics.ts';

const golden = readGolden();
const tables = { binary: golden.binary, regression: golden.regression };

function rows(task: 'binary' | 'regression') {
  const { y, score } = tables[task];
  return { y: Float64Array.from(y), score: Float64Array.from(score) };
}

function taskOf(metric: MetricName): 'binary' | 'regression' {
  return (METRICS[metric].tasks as readonly string[]).includes('binary') ? 'binary' : 'regression';
}

test('every metric equals scikit-learn', () => {
  for (const metric of Object.keys(METRICS) as MetricName[]) {
    const { y, score } = rows(taskOf(metric));
    const expected = tables[taskOf(metric)].metrics[metric];
    expect(metricOf(metric, y, score)(), metric).toBeCloseTo(expected as number, 10);
  }
});

test('a metric with weights equals scikit-learn with sample_weight', () => {
  const weights = Float64Array.from(golden.weights);
  for (const [name, expected] of Object.entries(golden.weighted)) {
    const metric = name as MetricName;
    const { y, score } = rows(taskOf(metric));
    expect(metricOf(metric, y, score)(weights), metric).toBeCloseTo(expected, 10);
  }
});

test('a weight of two is a row that stands twice', () => {
  const weights = Float64Array.from(golden.weights);
  for (const metric of Object.keys(METRICS) as MetricName[]) {
    const { y, score } = rows(taskOf(metric));
    const repeat = (values: Float64Array): Float64Array =>
      Float64Array.from([...values].flatMap((value, i) => Array.from({ length: weights[i] as number }, () => value)));
    const repeated = metricOf(metric, repeat(y), repeat(score))();
    expect(metricOf(metric, y, score)(weights), metric).toBeCloseTo(repeated, 10);
  }
});

test('the order of rows does not matter, and swapping the classes turns an area around', () => {
  const row = fc.record({ y: fc.constantFrom(0, 1), score: fc.integer({ min: 0, max: 10 }).map((s) => s / 10) });
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 40 }), fc.nat(), (table, turn) => {
      fc.pre(new Set(table.map(({ y }) => y)).size === 2);
      const auc = (of: readonly { y: number; score: number }[]): number =>
        metricOf(
          'roc_auc',
          Float64Array.from(of, ({ y }) => y),
          Float64Array.from(of, ({ score }) => score),
        )();
      const k = turn % table.length;
      expect(auc([...table.slice(k), ...table.slice(0, k)])).toBeCloseTo(auc(table), 12);
      expect(auc(table.map(({ y, score }) => ({ y: 1 - y, score })))).toBeCloseTo(1 - auc(table), 12);
    }),
  );
});

test('a metric that is not defined on the rows is not a number', () => {
  const ones = Float64Array.from([1, 1]);
  expect(metricOf('roc_auc', ones, Float64Array.from([0.2, 0.9]))()).toBeNaN();
  expect(metricOf('precision', Float64Array.from([0, 1]), Float64Array.from([0.1, 0.2]))()).toBeNaN();
  expect(metricOf('r2', ones, Float64Array.from([1, 2]))()).toBeNaN();
});
