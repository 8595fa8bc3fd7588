import type { Interval } from '@slipway/delivery';

/** Four significant digits for small numbers, no more than two decimals for large ones; never an exponent. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(1);
  if (size >= 10) return value.toFixed(2);
  return value.toFixed(4);
}

/** `[0.9712, 0.9991] delong-logit, n 171` or `[51.1, 62.3] bootstrap, seed 7, n 133`. */
export function intervalText(interval: Interval): string {
  const seed = interval.seed === undefined ? '' : `, seed ${interval.seed}`;
  return `[${numberText(interval.low)}, ${numberText(interval.high)}]  ${interval.method}${seed}, n ${interval.n}`;
}
