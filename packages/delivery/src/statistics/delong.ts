import { normalQuantile } from './distributions.ts';
import type { Bounds } from './proportion.ts';

// DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver operating
// characteristic curves", with the mid-rank algorithm of Sun and Xu (2014), so that it is O(n log n).

/** Ranks from 1, ties sharing their mean. */
export function midRanks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let i = start; i < end; i++) ranks[order[i] as number] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

export interface Placements {
  auc: number;
  /** For each row of class 1, the share of class 0 that it outranks. */
  positive: Float64Array;
  /** For each row of class 0, the share of class 1 that outranks it. */
  negative: Float64Array;
}

/** The placement values V10 and V01 of the paper. Rows keep their order within each class. */
export function placements(y: Float64Array, score: Float64Array): Placements {
  const x = score.filter((_, i) => y[i] === 1);
  const z = score.filter((_, i) => y[i] !== 1);
  const together = new Float64Array(x.length + z.length);
  together.set(x);
  together.set(z, x.length);
  const all = midRanks(together);
  const withinX = midRanks(x);
  const withinZ = midRanks(z);
  const positive = x.map((_, i) => ((all[i] as number) - (withinX[i] as number)) / z.length);
  const negative = z.map((_, j) => 1 - ((all[x.length + j] as number) - (withinZ[j] as number)) / x.length);
  return { auc: mean(positive), positive, negative };
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** The sample covariance, with n - 1 below the line. */
function covariance(a: Float64Array, b: Float64Array): number {
  const centreA = mean(a);
  const centreB = mean(b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - centreA) * ((b[i] as number) - centreB);
  return sum / (a.length - 1);
}

function aucCovariance(a: Placements, b: Placements): number {
  return (
    covariance(a.positive, b.positive) / a.positive.length + covariance(a.negative, b.negative) / a.negative.length
  );
}

/** The AUC with DeLong's variance of it. NaN with fewer than two rows of a class. */
export function delong(y: Float64Array, score: Float64Array): { auc: number; variance: number } {
  const rows = placements(y, score);
  return { auc: rows.auc, variance: aucCovariance(rows, rows) };
}

export interface PairedAuc {
  first: number;
  second: number;
  /** first - second */
  difference: number;
  variance: number;
}

export function pairedDelong(y: Float64Array, first: Float64Array, second: Float64Array): PairedAuc {
  const a = placements(y, first);
  const b = placements(y, second);
  const variance = aucCovariance(a, a) + aucCovariance(b, b) - 2 * aucCovariance(a, b);
  // Rounding can leave a variance of two equal models a hair below zero.
  return { first: a.auc, second: b.auc, difference: a.auc - b.auc, variance: Math.max(0, variance) };
}

/**
 * The interval of an AUC on the logit scale, where it is nearer to normal and cannot leave (0, 1)
 * (Pepe 2003, The Statistical Evaluation of Medical Tests, section 5.2.4; delta method for the variance).
 */
export function logitInterval(auc: number, variance: number, confidence: number): Bounds {
  const z = normalQuantile(0.5 + confidence / 2);
  const centre = Math.log(auc / (1 - auc));
  const half = (z * Math.sqrt(variance)) / (auc * (1 - auc));
  const back = (x: number): number => 1 / (1 + Math.exp(-x));
  return { low: back(centre - half), high: back(centre + half) };
}
