import type { MetricName } from './metric-names.ts';

// Metrics over rows with multiplicities, so that a bootstrap draw is a list of counts and nothing is sorted twice.
// Definitions are scikit-learn's (golden values in `golden.json`); where a metric is not defined the answer is NaN.

/** A metric of fixed rows as a function of how often each counts; without weights each counts once. */
export type WeightedMetric = (weights?: Float64Array) => number;

/** scikit-learn clips probabilities at the machine epsilon of their type before it takes logarithms. */
const EPSILON = 2 ** -52;

type Loss = (y: number, score: number) => number;

const LOSSES: Partial<Record<MetricName, Loss>> = {
  mae: (y, score) => Math.abs(y - score),
  mape: (y, score) => Math.abs(y - score) / Math.max(Math.abs(y), EPSILON),
  brier: (y, score) => (y - score) ** 2,
  rmse: (y, score) => (y - score) ** 2,
  log_loss: (y, score) => -Math.log(Math.min(Math.max(y === 1 ? score : 1 - score, EPSILON), 1 - EPSILON)),
};

/** The loss of each row, for the metrics that are means of a loss (for `rmse` the squared error). */
export function lossesOf(metric: MetricName, y: Float64Array, score: Float64Array): Float64Array | undefined {
  const loss = LOSSES[metric];
  return loss === undefined ? undefined : y.map((truth, i) => loss(truth, score[i] as number));
}

function weightedMean(values: Float64Array): WeightedMetric {
  return (weights) => {
    let sum = 0;
    let total = 0;
    for (let i = 0; i < values.length; i++) {
      const w = weights === undefined ? 1 : (weights[i] as number);
      sum += w * (values[i] as number);
      total += w;
    }
    return sum / total;
  };
}

/** 1 - Σ(y - ŷ)² / Σ(y - ȳ)². Not defined where the truth does not vary. */
function r2(y: Float64Array, score: Float64Array): WeightedMetric {
  return (weights) => {
    let total = 0;
    let sum = 0;
    for (let i = 0; i < y.length; i++) {
      const w = weights === undefined ? 1 : (weights[i] as number);
      total += w;
      sum += w * (y[i] as number);
    }
    const mean = sum / total;
    let residual = 0;
    let spread = 0;
    for (let i = 0; i < y.length; i++) {
      const w = weights === undefined ? 1 : (weights[i] as number);
      residual += w * ((y[i] as number) - (score[i] as number)) ** 2;
      spread += w * ((y[i] as number) - mean) ** 2;
    }
    return spread > 0 ? 1 - residual / spread : Number.NaN;
  };
}

export interface Confusion {
  truePositive: number;
  falsePositive: number;
  falseNegative: number;
  trueNegative: number;
}

/** Whether a probability says "class 1": above one half, as XGBoost's `error` and scikit-learn's argmax have it. */
export function isPositive(score: number): boolean {
  return score > 0.5;
}

export function confusion(y: Float64Array, score: Float64Array, weights?: Float64Array): Confusion {
  const counts = { truePositive: 0, falsePositive: 0, falseNegative: 0, trueNegative: 0 };
  for (let i = 0; i < y.length; i++) {
    const w = weights === undefined ? 1 : (weights[i] as number);
    if (isPositive(score[i] as number)) counts[y[i] === 1 ? 'truePositive' : 'falsePositive'] += w;
    else counts[y[i] === 1 ? 'falseNegative' : 'trueNegative'] += w;
  }
  return counts;
}

const RATIOS = {
  accuracy: (c: Confusion) =>
    (c.truePositive + c.trueNegative) / (c.truePositive + c.trueNegative + c.falsePositive + c.falseNegative),
  recall: (c: Confusion) => c.truePositive / (c.truePositive + c.falseNegative),
  precision: (c: Confusion) => c.truePositive / (c.truePositive + c.falsePositive),
  f1: (c: Confusion) => (2 * c.truePositive) / (2 * c.truePositive + c.falsePositive + c.falseNegative),
};

/** Row numbers by score, lowest first. */
function ascending(score: Float64Array): Uint32Array {
  return Uint32Array.from(score, (_, i) => i).sort((a, b) => (score[a] as number) - (score[b] as number));
}

/** Mann and Whitney's statistic over the pairs of classes; a tie counts half. */
function rocAuc(y: Float64Array, score: Float64Array): WeightedMetric {
  const order = ascending(score);
  return (weights) => {
    let negativesBelow = 0;
    let positives = 0;
    let won = 0;
    for (let start = 0; start < order.length;) {
      const value = score[order[start] as number];
      let tiedPositive = 0;
      let tiedNegative = 0;
      let end = start;
      for (; end < order.length && score[order[end] as number] === value; end++) {
        const row = order[end] as number;
        const w = weights === undefined ? 1 : (weights[row] as number);
        if (y[row] === 1) tiedPositive += w;
        else tiedNegative += w;
      }
      won += tiedPositive * (negativesBelow + tiedNegative / 2);
      negativesBelow += tiedNegative;
      positives += tiedPositive;
      start = end;
    }
    return won / (positives * negativesBelow);
  };
}

/** Σ (Rₙ - Rₙ₋₁) Pₙ over falling thresholds, without interpolation (scikit-learn's average_precision_score). */
function averagePrecision(y: Float64Array, score: Float64Array): WeightedMetric {
  const order = ascending(score).reverse();
  return (weights) => {
    let taken = 0;
    let positives = 0;
    let area = 0;
    for (let start = 0; start < order.length;) {
      const value = score[order[start] as number];
      let found = 0;
      let end = start;
      for (; end < order.length && score[order[end] as number] === value; end++) {
        const row = order[end] as number;
        const w = weights === undefined ? 1 : (weights[row] as number);
        taken += w;
        if (y[row] === 1) found += w;
      }
      positives += found;
      if (found > 0) area += found * (positives / taken);
      start = end;
    }
    return area / positives;
  };
}

/**
 * Prepares a metric for rows.
 *
 * @param y the truth: numbers, or 0 and 1
 * @param score the prediction: numbers, or probabilities of class 1
 */
export function metricOf(metric: MetricName, y: Float64Array, score: Float64Array): WeightedMetric {
  switch (metric) {
    case 'rmse': {
      const mean = weightedMean(lossesOf('rmse', y, score) as Float64Array);
      return (weights) => Math.sqrt(mean(weights));
    }
    case 'mae':
    case 'mape':
    case 'brier':
    case 'log_loss':
      return weightedMean(lossesOf(metric, y, score) as Float64Array);
    case 'r2':
      return r2(y, score);
    case 'roc_auc':
      return rocAuc(y, score);
    case 'pr_auc':
      return averagePrecision(y, score);
    default:
      return (weights) => RATIOS[metric](confusion(y, score, weights));
  }
}
