import { normalCdf, normalQuantile } from './distributions.ts';
import type { Bounds } from './proportion.ts';
import { quantile } from './quantile.ts';
import { seededRandom } from './random.ts';

/** How to draw. `clusters[i]` is the group of row i (numbers from 0): groups are drawn whole. */
export interface Draws {
  draws: number;
  seed: number;
  rows: number;
  clusters?: Int32Array;
}

function clusterCount(how: Draws): number {
  return how.clusters === undefined ? how.rows : how.clusters.reduce((most, c) => Math.max(most, c), -1) + 1;
}

/** Calls `use` with the multiplicity of each row, once for each draw. The array is reused between calls. */
function eachDraw(how: Draws, use: (weights: Float64Array, draw: number) => void): void {
  const random = seededRandom(how.seed);
  const units = clusterCount(how);
  const counts = new Float64Array(units);
  const weights = how.clusters === undefined ? counts : new Float64Array(how.rows);
  for (let draw = 0; draw < how.draws; draw++) {
    counts.fill(0);
    for (let i = 0; i < units; i++) {
      const unit = random.below(units);
      counts[unit] = (counts[unit] as number) + 1;
    }
    if (how.clusters !== undefined) {
      for (let row = 0; row < how.rows; row++) weights[row] = counts[how.clusters[row] as number] as number;
    }
    use(weights, draw);
  }
}

/** The statistic of each draw, sorted; draws on which it is not defined (one class only) are left out. */
export function bootstrap(how: Draws, statistic: (weights: Float64Array) => number): Float64Array {
  const values = new Float64Array(how.draws);
  let kept = 0;
  eachDraw(how, (weights) => {
    const value = statistic(weights);
    if (Number.isFinite(value)) values[kept++] = value;
  });
  return values.subarray(0, kept).sort();
}

/** Efron's percentile interval: the plain quantiles of the draws. */
export function percentileInterval(sorted: Float64Array, confidence: number): Bounds {
  const tail = (1 - confidence) / 2;
  return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/** At most this many deletions in a jackknife; beyond it, units are deleted in blocks. */
const JACKKNIFE_BLOCKS = 500;

/** The acceleration of formula (14.15) in Efron and Tibshirani (1993), by deleting each unit (or block) once. */
function acceleration(how: Draws, statistic: (weights: Float64Array) => number): number {
  const units = clusterCount(how);
  const blocks = Math.min(units, JACKKNIFE_BLOCKS);
  const weights = new Float64Array(how.rows);
  const values: number[] = [];
  for (let block = 0; block < blocks; block++) {
    for (let row = 0; row < how.rows; row++) {
      const unit = how.clusters === undefined ? row : (how.clusters[row] as number);
      weights[row] = unit % blocks === block ? 0 : 1;
    }
    const value = statistic(weights);
    if (Number.isFinite(value)) values.push(value);
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (mean - value) ** 2;
    cubes += (mean - value) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/**
 * The bias-corrected and accelerated interval (Efron 1987; Efron and Tibshirani 1993, section 14.3). Ties with the
 * estimate count half, as for a discrete statistic they must.
 */
export function bcaInterval(how: Draws, statistic: (weights: Float64Array) => number, confidence: number): Bounds {
  const sorted = bootstrap(how, statistic);
  if (sorted.length === 0) return { low: Number.NaN, high: Number.NaN };
  const estimate = statistic(new Float64Array(how.rows).fill(1));
  let below = 0;
  for (const value of sorted) below += value < estimate ? 1 : value === estimate ? 0.5 : 0;
  const share = Math.min(Math.max(below / sorted.length, 1 / (sorted.length + 1)), 1 - 1 / (sorted.length + 1));
  const bias = normalQuantile(share);
  const a = acceleration(how, statistic);
  const level = (tail: number): number => {
    const z = bias + normalQuantile(tail);
    return normalCdf(bias + z / (1 - a * z));
  };
  const tail = (1 - confidence) / 2;
  return { low: quantile(sorted, level(tail)), high: quantile(sorted, level(1 - tail)) };
}

/** A smooth function of column means: its value and its gradient at them. */
export interface SmoothStatistic {
  /** One array for each column, a value for each row. */
  columns: readonly Float64Array[];
  value: (means: Float64Array) => number;
  gradient: (means: Float64Array, into: Float64Array) => void;
}

/** Columns summed over each group, after a first column that counts rows: means of rows are ratios to it. */
function unitColumns(of: SmoothStatistic, how: Draws): Float64Array[] {
  const units = clusterCount(how);
  const sum = (column?: Float64Array): Float64Array => {
    const sums = new Float64Array(units);
    for (let row = 0; row < how.rows; row++) {
      const unit = how.clusters === undefined ? row : (how.clusters[row] as number);
      sums[unit] = (sums[unit] as number) + (column === undefined ? 1 : (column[row] as number));
    }
    return sums;
  };
  return [sum(), ...of.columns.map((column) => sum(column))];
}

export interface Studentised {
  value: number;
  standardError: number;
}

/** Estimate and delta-method standard error of one draw, from how often each unit counts. */
function studentise(
  of: SmoothStatistic,
  units: readonly Float64Array[],
  counts: Float64Array,
  means: Float64Array,
  slopes: Float64Array,
): Studentised {
  const rows = units[0] as Float64Array;
  let total = 0;
  means.fill(0);
  for (let unit = 0; unit < counts.length; unit++) {
    const count = counts[unit] as number;
    if (count === 0) continue;
    total += count * (rows[unit] as number);
    for (let k = 0; k < means.length; k++) {
      means[k] = (means[k] as number) + count * ((units[k + 1] as Float64Array)[unit] as number);
    }
  }
  for (let k = 0; k < means.length; k++) means[k] = (means[k] as number) / total;
  of.gradient(means, slopes);
  let squares = 0;
  for (let unit = 0; unit < counts.length; unit++) {
    const count = counts[unit] as number;
    if (count === 0) continue;
    let influence = 0;
    for (let k = 0; k < means.length; k++) {
      const column = units[k + 1] as Float64Array;
      influence += (slopes[k] as number) * ((column[unit] as number) - (means[k] as number) * (rows[unit] as number));
    }
    squares += count * influence * influence;
  }
  const n = counts.length;
  return { value: of.value(means), standardError: Math.sqrt((squares * n) / (n - 1)) / total };
}

/**
 * The bootstrap-t interval (Efron and Tibshirani 1993, section 12.5; Hall 1988): each draw is divided by its own
 * standard error, so the interval is second-order correct where the percentile one falls short on skewed losses.
 *
 * @returns bounds on the scale of `value`; NaN where nothing varies
 */
export function studentisedInterval(how: Draws, of: SmoothStatistic, confidence: number): Bounds {
  const units = unitColumns(of, how);
  const n = clusterCount(how);
  const means = new Float64Array(of.columns.length);
  const slopes = new Float64Array(of.columns.length);
  const centre = studentise(of, units, new Float64Array(n).fill(1), means, slopes);
  const ts = new Float64Array(how.draws);
  let kept = 0;
  eachDraw({ draws: how.draws, seed: how.seed, rows: n }, (counts) => {
    const drawn = studentise(of, units, counts, means, slopes);
    const t = (drawn.value - centre.value) / drawn.standardError;
    if (Number.isFinite(t)) ts[kept++] = t;
  });
  const sorted = ts.subarray(0, kept).sort();
  const tail = (1 - confidence) / 2;
  return {
    low: centre.value - quantile(sorted, 1 - tail) * centre.standardError,
    high: centre.value - quantile(sorted, tail) * centre.standardError,
  };
}

/**
 * Estimate and delta-method standard error, without any draw.
 *
 * @returns `effective`: (Σ|u|)² / Σu² over the units' influences, the number of units that carry the spread
 */
export function linearise(how: Draws, of: SmoothStatistic): Studentised & { effective: number } {
  const units = unitColumns(of, how);
  const n = clusterCount(how);
  const means = new Float64Array(of.columns.length);
  const slopes = new Float64Array(of.columns.length);
  const estimate = studentise(of, units, new Float64Array(n).fill(1), means, slopes);
  let sum = 0;
  let squares = 0;
  for (let unit = 0; unit < n; unit++) {
    let influence = 0;
    for (let k = 0; k < means.length; k++) {
      const rows = (units[0] as Float64Array)[unit] as number;
      influence +=
        (slopes[k] as number) * (((units[k + 1] as Float64Array)[unit] as number) - (means[k] as number) * rows);
    }
    sum += Math.abs(influence);
    squares += influence * influence;
  }
  return { ...estimate, effective: squares === 0 ? 0 : (sum * sum) / squares };
}
