import { readFileSync } from 'node:fs';

/**
 * Values that scipy, numpy and scikit-learn computed once (their versions are in the file). Only tests read it; it is
 * never edited by hand.
 */
export interface Golden {
  logGamma: [number, number][];
  incompleteBeta: [number, number, number, number][];
  normalCdf: [number, number][];
  normalQuantile: [number, number][];
  studentCdf: [number, number, number][];
  studentQuantile: [number, number, number][];
  binomialCdf: [number, number, number, number][];
  quantile: { values: number[]; at: [number, number][] };
  wilson: [number, number, number, number, number][];
  mcnemar: [number, number, number][];
  binary: { y: number[]; score: number[]; other: number[]; metrics: Record<string, number> };
  delong: { variance: number; other: number; covariance: number; auc: [number, number] };
  regression: { y: number[]; score: number[]; metrics: Record<string, number> };
  bootstrapMeanSquaredError: { bca: [number, number]; percentile: [number, number] };
  weights: number[];
  weighted: Record<string, number>;
}

export function readGolden(): Golden {
  return JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Golden;
}
