/**
 * The quantile of Hyndman and Fan's type 7, which numpy and R use unless told otherwise: with h = (n - 1) p, the value
 * between the order statistics at floor(h) and floor(h) + 1.
 *
 * Worked example: of [1, 2, 4, 8] at p = 0.5, h = 1.5, so 2 + 0.5 (4 - 2) = 3.
 *
 * @param sorted ascending, without NaN, at least one value
 * @param p in [0, 1]
 */
export function quantile(sorted: Float64Array, p: number): number {
  if (sorted.length === 0 || !(p >= 0 && p <= 1)) return Number.NaN;
  const h = (sorted.length - 1) * p;
  const below = Math.floor(h);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  // Equal neighbours (also two infinities) need no interpolation, which would give NaN for infinities.
  return low === high ? low : low + (h - below) * (high - low);
}
