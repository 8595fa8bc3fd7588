// What other parts may use of the statistics.
export { differenceInterval } from './difference.ts';
export { metricInterval } from './interval.ts';
export type { Interval, IntervalResult } from './interval.ts';
export { METRICS, isMetricName, metricsOf } from './metric-names.ts';
export type { MetricName, Task } from './metric-names.ts';
export { metricOf } from './metrics.ts';
export { seededRandom } from './random.ts';
export type { Random } from './random.ts';
