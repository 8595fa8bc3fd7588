import { binomialCdf, normalQuantile } from './distributions.ts';

export interface Bounds {
  low: number;
  high: number;
}

/**
 * Wilson's score interval for k of n (Wilson 1927; formula (4) in Brown, Cai and DasGupta 2001, "Interval estimation
 * for a binomial proportion"). It never leaves [0, 1] and has a width also at 0 of n.
 */
export function wilson(successes: number, n: number, confidence: number): Bounds {
  if (n <= 0) return { low: Number.NaN, high: Number.NaN };
  const z = normalQuantile(0.5 + confidence / 2);
  const p = successes / n;
  const z2 = z * z;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
  };
}

/**
 * F1 = 2J / (1 + J) with J = TP / (TP + FP + FN), which, given the size of that union, is a binomial share: so Wilson's
 * interval of J, carried through the monotone map, is an interval of F1.
 */
export function f1Interval(truePositive: number, union: number, confidence: number): Bounds {
  const { low, high } = wilson(truePositive, union, confidence);
  return { low: (2 * low) / (1 + low), high: (2 * high) / (1 + high) };
}

/**
 * McNemar's exact two-sided test: of the rows on which two models disagree, half should favour each.
 *
 * @returns p, 1 where they never disagree
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  if (n === 0) return 1;
  return Math.min(1, 2 * binomialCdf(Math.min(onlyFirst, onlySecond), n, 0.5));
}

/**
 * An interval for the difference of two paired shares, first minus second: Bonett and Price (2012), "Adjusted Wald
 * confidence interval for a difference of binomial proportions based on paired data", with one row added to each of the
 * discordant cells.
 *
 * @param onlyFirst rows that only the first gets right
 * @param onlySecond rows that only the second gets right
 * @param n all rows
 */
export function pairedDifference(onlyFirst: number, onlySecond: number, n: number, confidence: number): Bounds {
  const z = normalQuantile(0.5 + confidence / 2);
  const first = (onlyFirst + 1) / (n + 2);
  const second = (onlySecond + 1) / (n + 2);
  const half = z * Math.sqrt((first + second - (first - second) ** 2) / (n + 2));
  return { low: Math.max(-1, first - second - half), high: Math.min(1, first - second + half) };
}
