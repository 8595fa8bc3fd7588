import type { Draws } from '../statistics/bootstrap.ts';
import { metricInterval } from '../statistics/interval.ts';
import { METRICS, type MetricName } from '../statistics/metric-names.ts';
import { metricOf } from '../statistics/metrics.ts';
import type { MetricEstimate, PredictionTable } from './gate.ts';

/** Of the intervals that are printed beside a metric. */
export const ESTIMATE_CONFIDENCE = 0.95;

/** Groups as numbers from 0, in the order in which they first appear. */
export function clustersOf(group: readonly string[] | undefined): Int32Array | undefined {
  if (group === undefined) return undefined;
  const numbers = new Map<string, number>();
  return Int32Array.from(group, (name) => {
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  });
}

const UNDEFINED_BECAUSE: Partial<Record<MetricName, string>> = {
  precision: 'no row was predicted to be of class 1',
  recall: 'no row is of class 1',
  r2: 'the truth does not vary',
  f1: 'no row is, or was predicted to be, of class 1',
};

/** Each metric of one model's scores, with its interval and what a trivial predictor reaches. */
export function measure(
  task: 'regression' | 'binary',
  metrics: readonly MetricName[],
  table: PredictionTable,
  score: Float64Array,
  how: Draws,
): MetricEstimate[] {
  const constant = new Float64Array(table.y.length).fill(table.trivial);
  const name = task === 'binary' ? 'majority class' : 'mean';
  return metrics
    .filter((metric) => (METRICS[metric].tasks as readonly string[]).includes(task))
    .map((metric): MetricEstimate => {
      const reached = metricOf(metric, table.y, constant)();
      const trivial = Number.isFinite(reached) ? ({ name, value: reached } as const) : ({ name } as const);
      const value = metricOf(metric, table.y, score)();
      if (!Number.isFinite(value)) {
        return { metric, reason: UNDEFINED_BECAUSE[metric] ?? 'it is not defined on these rows', trivial };
      }
      return { metric, value, ...metricInterval(metric, table.y, score, how, ESTIMATE_CONFIDENCE), trivial };
    });
}
