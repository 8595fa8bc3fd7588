import { bcaInterval, bootstrap, studentisedInterval, type Draws, type SmoothStatistic } from './bootstrap.ts';
import { delong, logitInterval } from './delong.ts';
import type { MetricName } from './metric-names.ts';
import { confusion, lossesOf, metricOf } from './metrics.ts';
import { f1Interval, wilson, type Bounds } from './proportion.ts';

// Which interval belongs to which metric. The choices are those that held 92 to 97 % coverage at 133 and 171 rows (see
// `test/statistics/coverage.test.ts`); the percentile bootstrap, the usual default, falls to 78 to 90 % on log loss and on
// areas near 1.
//
//   metric                  one model                            difference on the same rows (`difference.ts`)
//   rmse mae mape log_loss  bootstrap-t on the log of the mean   linearised, Student's t
//   brier                   BCa bootstrap                        linearised, Student's t
//   r2                      bootstrap-t                          linearised, Student's t
//   roc_auc                 DeLong on the logit                  paired DeLong
//   pr_auc                  bootstrap error on the logit         bootstrap error
//   accuracy recall         Wilson                               Bonett and Price, with McNemar's exact p
//   precision f1            Wilson                               linearised, with one spare row
//
// With groups every interval of one model is a bootstrap that draws groups, and differences are summed over groups first.

export interface Interval {
  low: number;
  high: number;
  /** Two-sided. */
  confidence: number;
  method: string;
  /** Of the bootstrap; absent where the method draws nothing. */
  seed?: number;
  /** Rows (or groups) that the interval rests on. */
  n: number;
}

/** An interval, or the sentence that says why there is none. */
export type IntervalResult = { interval: Interval; pValue?: number } | { reason: string };

/** A bootstrap over fewer groups than this says nothing about groups. */
const MIN_GROUPS = 10;

const PERFECT = 'the scores separate the classes perfectly on these rows, so the rows cannot say by how much';
const NO_SPREAD = 'nothing varies over these rows';

export interface Context {
  y: Float64Array;
  how: Draws;
  confidence: number;
}

export function units({ how }: Context): number {
  return how.clusters === undefined ? how.rows : new Set(how.clusters).size;
}

export function closed(bounds: Bounds, method: string, n: number, context: Context): IntervalResult {
  if (!Number.isFinite(bounds.low) || !Number.isFinite(bounds.high)) return { reason: NO_SPREAD };
  return { interval: { ...bounds, confidence: context.confidence, method, n } };
}

export function drawn(bounds: Bounds, method: string, context: Context): IntervalResult {
  const by = context.how.clusters === undefined ? 'row' : 'group';
  const result = closed(bounds, `${method} by ${by}, ${context.how.draws} draws`, units(context), context);
  return 'interval' in result ? { interval: { ...result.interval, seed: context.how.seed } } : result;
}

export function tooFew(context: Context): string | undefined {
  const n = units(context);
  if (context.how.clusters !== undefined && n < MIN_GROUPS) return `only ${n} groups; ${MIN_GROUPS} are the least`;
  return n < 2 ? 'a single row has no spread' : undefined;
}

/** The mean of a loss on the log scale, where it is nearer to normal and stays positive. */
function logMean(losses: Float64Array): SmoothStatistic {
  return {
    columns: [losses],
    value: (means) => Math.log(means[0] as number),
    gradient: (means, into) => {
      into[0] = 1 / (means[0] as number);
    },
  };
}

/** 1 - mean squared error / variance of y. */
function r2Statistic(y: Float64Array, errors: Float64Array): SmoothStatistic {
  const spread = (m: Float64Array): number => (m[2] as number) - (m[1] as number) ** 2;
  return {
    columns: [errors, y, y.map((value) => value * value)],
    value: (m) => 1 - (m[0] as number) / spread(m),
    gradient: (m, into) => {
      const v = spread(m);
      into[0] = -1 / v;
      into[1] = (-2 * (m[1] as number) * (m[0] as number)) / (v * v);
      into[2] = (m[0] as number) / (v * v);
    },
  };
}

/** Bootstrap standard error of a share-like metric, carried to the logit scale and back. */
function logitBootstrap(metric: MetricName, score: Float64Array, context: Context): IntervalResult {
  const statistic = metricOf(metric, context.y, score);
  const value = statistic();
  if (value >= 1 || value <= 0) {
    const area = metric === 'roc_auc' || metric === 'pr_auc';
    return { reason: area ? PERFECT : 'every row has the same outcome' };
  }
  const values = bootstrap(context.how, statistic);
  let mean = 0;
  for (const one of values) mean += one / values.length;
  let variance = 0;
  for (const one of values) variance += (one - mean) ** 2 / (values.length - 1);
  if (!(variance > 0)) return { reason: NO_SPREAD };
  // What makes an area's variance uncertain makes that of every curve of the same scores uncertain.
  const { degrees } = metric === 'pr_auc' || metric === 'roc_auc' ? delong(context.y, score) : { degrees: 1e6 };
  const bounds = logitInterval({ auc: value, variance, degrees }, context.confidence);
  return drawn(bounds, 'bootstrap standard error on the logit', context);
}

function shareInterval(metric: MetricName, score: Float64Array, context: Context): IntervalResult {
  const c = confusion(context.y, score);
  const { confidence } = context;
  const of = (successes: number, n: number): IntervalResult =>
    closed(wilson(successes, n, confidence), 'Wilson', n, context);
  if (metric === 'accuracy') return of(c.truePositive + c.trueNegative, context.how.rows);
  if (metric === 'recall') return of(c.truePositive, c.truePositive + c.falseNegative);
  if (metric === 'precision') return of(c.truePositive, c.truePositive + c.falsePositive);
  const union = c.truePositive + c.falsePositive + c.falseNegative;
  return closed(f1Interval(c.truePositive, union, confidence), 'Wilson on TP / (TP + FP + FN)', union, context);
}

/**
 * An interval of one model's metric.
 *
 * @param y the truth, `score` the prediction of each row
 * @param how draws, seed and groups of the bootstrap
 * @param confidence two-sided
 */
export function metricInterval(
  metric: MetricName,
  y: Float64Array,
  score: Float64Array,
  how: Draws,
  confidence: number,
): IntervalResult {
  const context: Context = { y, how, confidence };
  const few = tooFew(context);
  if (few !== undefined) return { reason: few };
  switch (metric) {
    case 'rmse':
    case 'mae':
    case 'mape':
    case 'log_loss': {
      const { low, high } = studentisedInterval(how, logMean(lossesOf(metric, y, score) as Float64Array), confidence);
      const back = (log: number): number => (metric === 'rmse' ? Math.exp(log / 2) : Math.exp(log));
      return drawn({ low: back(low), high: back(high) }, 'bootstrap-t on the log', context);
    }
    case 'brier':
      // A bounded loss: here the bootstrap-t is too wide (98 %), and BCa is not.
      return drawn(bcaInterval(how, metricOf(metric, y, score), confidence), 'BCa bootstrap', context);
    case 'r2':
      return drawn(
        studentisedInterval(how, r2Statistic(y, lossesOf('rmse', y, score) as Float64Array), confidence),
        'bootstrap-t',
        context,
      );
    case 'roc_auc': {
      if (how.clusters !== undefined) return logitBootstrap(metric, score, context);
      const estimate = delong(y, score);
      if (estimate.auc === 1 || estimate.auc === 0) return { reason: PERFECT };
      if (!(estimate.variance > 0)) return { reason: NO_SPREAD };
      return closed(logitInterval(estimate, confidence), 'DeLong on the logit', how.rows, context);
    }
    case 'pr_auc':
      return logitBootstrap(metric, score, context);
    default:
      return how.clusters === undefined
        ? shareInterval(metric, score, context)
        : logitBootstrap(metric, score, context);
  }
}
