import { bcaInterval, bootstrap, studentisedInterval, type Draws, type SmoothStatistic } from './bootstrap.ts';
import { delong, logitInterval, pairedDelong } from './delong.ts';
import { studentQuantile } from './distributions.ts';
import type { MetricName } from './metric-names.ts';
import { confusion, isPositive, lossesOf, metricOf } from './metrics.ts';
import { f1Interval, mcnemarExact, pairedDifference, wilson, type Bounds } from './proportion.ts';

// Which interval belongs to which metric. The choices are those that held 92 to 97 % coverage at 133 and 171 rows (see
// `test/statistics/coverage.test.ts`); the percentile bootstrap, the usual default, falls to 78 to 90 % on log loss and on
// areas near 1.
//
//   metric                       one model                          difference on the same rows
//   rmse mae mape log_loss       bootstrap-t on the log of the mean bootstrap-t
//   brier                        BCa bootstrap                      bootstrap-t
//   r2                           bootstrap-t                        bootstrap-t
//   roc_auc                      DeLong on the logit                paired DeLong
//   pr_auc                       bootstrap error on the logit       BCa bootstrap
//   accuracy recall              Wilson                             Bonett and Price, with McNemar's exact p
//   precision f1                 Wilson                             BCa bootstrap
//
// With groups every interval is a bootstrap that draws groups.

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

interface Context {
  y: Float64Array;
  how: Draws;
  confidence: number;
}

function units({ how }: Context): number {
  return how.clusters === undefined ? how.rows : new Set(how.clusters).size;
}

function closed(bounds: Bounds, method: string, n: number, context: Context): IntervalResult {
  if (!Number.isFinite(bounds.low) || !Number.isFinite(bounds.high)) return { reason: NO_SPREAD };
  return { interval: { ...bounds, confidence: context.confidence, method, n } };
}

function drawn(bounds: Bounds, method: string, context: Context): IntervalResult {
  const by = context.how.clusters === undefined ? 'row' : 'group';
  const result = closed(bounds, `${method} by ${by}, ${context.how.draws} draws`, units(context), context);
  return 'interval' in result ? { interval: { ...result.interval, seed: context.how.seed } } : result;
}

function tooFew(context: Context): string | undefined {
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

/** (second error - first error) / variance of y, or 1 - error / variance with one error column. */
function r2Statistic(y: Float64Array, errors: readonly Float64Array[]): SmoothStatistic {
  const paired = errors.length === 2;
  const k = errors.length;
  const spread = (m: Float64Array): number => (m[k + 1] as number) - (m[k] as number) ** 2;
  const top = (m: Float64Array): number => (paired ? (m[1] as number) - (m[0] as number) : -(m[0] as number));
  return {
    columns: [...errors, y, y.map((value) => value * value)],
    value: (m) => (paired ? 0 : 1) + top(m) / spread(m),
    gradient: (m, into) => {
      const v = spread(m);
      into[0] = -1 / v;
      if (paired) into[1] = 1 / v;
      into[k] = (2 * (m[k] as number) * top(m)) / (v * v);
      into[k + 1] = -top(m) / (v * v);
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
        studentisedInterval(how, r2Statistic(y, [lossesOf('rmse', y, score) as Float64Array]), confidence),
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

/** Rows on which exactly one of two models says the right class. */
function discordant(y: Float64Array, first: Float64Array, second: Float64Array, only?: number) {
  let onlyFirst = 0;
  let onlySecond = 0;
  let rows = 0;
  for (let i = 0; i < y.length; i++) {
    if (only !== undefined && y[i] !== only) continue;
    rows++;
    const rightFirst = isPositive(first[i] as number) === (y[i] === 1);
    const rightSecond = isPositive(second[i] as number) === (y[i] === 1);
    if (rightFirst && !rightSecond) onlyFirst++;
    if (rightSecond && !rightFirst) onlySecond++;
  }
  return { onlyFirst, onlySecond, rows };
}

/**
 * Where two models name the same class on all n rows, a bootstrap would give no width at all. Were a share q of rows
 * named differently, all n would agree with probability (1 - q)^n, so q is at most 1 - alpha^(1/n); and q n rows can move
 * the ratio by at most 2 q n over what stands below its line.
 */
function sameClasses(
  metric: 'precision' | 'f1',
  first: Float64Array,
  second: Float64Array,
  context: Context,
): IntervalResult | undefined {
  const n = context.how.rows;
  if (first.some((value, i) => isPositive(value) !== isPositive(second[i] as number))) return undefined;
  const c = confusion(context.y, first);
  const below = c.truePositive + c.falsePositive + (metric === 'f1' ? c.truePositive + c.falseNegative : 0);
  const share = 1 - ((1 - context.confidence) / 2) ** (1 / n);
  const bound = Math.min(1, (2 * share * n) / below);
  return closed({ low: -bound, high: bound }, 'exact bound, no row is classed differently', n, context);
}

function aucDifference(first: Float64Array, second: Float64Array, context: Context): IntervalResult {
  const { y, how, confidence } = context;
  const paired = pairedDelong(y, first, second);
  if (paired.variance > 0) {
    const half = studentQuantile(0.5 + confidence / 2, paired.degrees) * Math.sqrt(paired.variance);
    const bounds = { low: paired.difference - half, high: paired.difference + half };
    return closed(bounds, 'paired DeLong', how.rows, context);
  }
  // Each of the m rows of the rarer class is placed alike by both models. Were a share q of such rows placed otherwise,
  // all m would agree with probability (1 - q)^m: q is at most 1 - alpha^(1/m), and so is the difference of the areas.
  const positives = y.reduce((sum, value) => sum + value, 0);
  const m = Math.min(positives, y.length - positives);
  const bound = 1 - ((1 - confidence) / 2) ** (1 / m);
  const bounds = { low: paired.difference - bound, high: paired.difference + bound };
  return closed(bounds, 'exact bound, no row is placed differently', m, context);
}

function smoothDifference(
  metric: MetricName,
  first: Float64Array,
  second: Float64Array,
  context: Context,
): IntervalResult {
  const { y, how, confidence } = context;
  const a = lossesOf(metric === 'r2' ? 'rmse' : metric, y, first) as Float64Array;
  const b = lossesOf(metric === 'r2' ? 'rmse' : metric, y, second) as Float64Array;
  if (metric === 'r2')
    return drawn(studentisedInterval(how, r2Statistic(y, [a, b]), confidence), 'paired bootstrap-t', context);
  const statistic: SmoothStatistic =
    metric === 'rmse'
      ? {
          columns: [a, b],
          value: (m) => Math.sqrt(m[0] as number) - Math.sqrt(m[1] as number),
          gradient: (m, into) => {
            into[0] = 0.5 / Math.sqrt(m[0] as number);
            into[1] = -0.5 / Math.sqrt(m[1] as number);
          },
        }
      : {
          columns: [a.map((value, i) => value - (b[i] as number))],
          value: (m) => m[0] as number,
          gradient: (_, into) => {
            into[0] = 1;
          },
        };
  return drawn(studentisedInterval(how, statistic, confidence), 'paired bootstrap-t', context);
}

/**
 * An interval of the difference of two models' metrics on the same rows, first minus second.
 *
 * @returns bounds on the metric's own scale (not yet turned so that positive is better); for accuracy and recall also
 *   McNemar's exact p
 */
export function differenceInterval(
  metric: MetricName,
  y: Float64Array,
  first: Float64Array,
  second: Float64Array,
  how: Draws,
  confidence: number,
): IntervalResult {
  const context: Context = { y, how, confidence };
  if (first.every((value, i) => value === second[i])) {
    return closed({ low: 0, high: 0 }, 'identical predictions', units(context), context);
  }
  const few = tooFew(context);
  if (few !== undefined) return { reason: few };
  const smooth = LOSS_METRICS.has(metric);
  if (smooth) return smoothDifference(metric, first, second, context);
  if (how.clusters === undefined && metric === 'roc_auc') return aucDifference(first, second, context);
  if (how.clusters === undefined && (metric === 'accuracy' || metric === 'recall')) {
    const { onlyFirst, onlySecond, rows } = discordant(y, first, second, metric === 'recall' ? 1 : undefined);
    const bounds = pairedDifference(onlyFirst, onlySecond, rows, confidence);
    const result = closed(bounds, 'Bonett and Price', rows, context);
    return 'interval' in result ? { ...result, pValue: mcnemarExact(onlyFirst, onlySecond) } : result;
  }
  if (how.clusters === undefined && (metric === 'precision' || metric === 'f1')) {
    const alike = sameClasses(metric, first, second, context);
    if (alike !== undefined) return alike;
  }
  const a = metricOf(metric, y, first);
  const b = metricOf(metric, y, second);
  return drawn(
    bcaInterval(how, (weights) => a(weights) - b(weights), confidence),
    'paired BCa bootstrap',
    context,
  );
}

const LOSS_METRICS: ReadonlySet<MetricName> = new Set(['rmse', 'mae', 'mape', 'brier', 'log_loss', 'r2']);
