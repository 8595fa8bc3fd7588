// Closed forms and series of the distributions that the intervals need. Golden values: `golden.json` (scipy).

/** Lanczos' approximation with g = 7 and nine terms (Godfrey's coefficients); relative error below 1e-14 for x > 0. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** The natural logarithm of Γ(x), for x > 0. */
export function logGamma(x: number): number {
  if (!(x > 0)) return Number.NaN;
  // Reflection keeps the series in the half-plane where it converges fast.
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += (LANCZOS[i] as number) / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Modified Lentz evaluation of the continued fraction 8.17.22 of the NIST handbook (dlmf.nist.gov). */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const floor = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / floor(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / floor(1 + even * d);
    c = floor(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / floor(1 + odd * d);
    c = floor(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return result;
}

/** The regularised incomplete beta function I_x(a, b), for a, b > 0 and x in [0, 1]. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/**
 * P(Z <= z). By the incomplete gamma series and continued fraction of erfc (Numerical Recipes' Chebyshev fit is only
 * good to 1e-7; here the relative error stays below 1e-13 also in the tails).
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  const x = Math.abs(z);
  if (x > 38) return z > 0 ? 1 : 0;
  let upper: number;
  if (x < 3) {
    // Marsaglia (2004), Evaluating the normal distribution: Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/15 + …).
    let term = x;
    let sum = x;
    for (let i = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && i < 400; i++) {
      term *= (x * x) / (2 * i + 1);
      sum += term;
    }
    upper = 0.5 - sum * normalDensity(x);
  } else {
    // Laplace's continued fraction of Mills' ratio, from the inside out.
    let fraction = 0;
    for (let i = 120; i >= 1; i--) fraction = i / (x + fraction);
    upper = normalDensity(x) / (x + fraction);
  }
  return z > 0 ? 1 - upper : upper;
}

export function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
}

/** P(T <= t) for Student's t with `df` degrees of freedom (NIST handbook 8.17, through the incomplete beta). */
export function studentCdf(t: number, df: number): number {
  const tail = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** Finds x with cdf(x) = p by bisection: slower than a rational fit, and right to the last bits without a table. */
function invert(cdf: (x: number) => number, p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0) return Number.NEGATIVE_INFINITY;
  if (p === 1) return Number.POSITIVE_INFINITY;
  let low = -1;
  let high = 1;
  while (cdf(low) > p && low > -1e300) low *= 2;
  while (cdf(high) < p && high < 1e300) high *= 2;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The z with P(Z <= z) = p. Symmetric: the quantile of 1 - p is its negative. */
export function normalQuantile(p: number): number {
  // 1 - p is exact for p >= 1/2, and the lower tail keeps its relative precision where the upper one loses it.
  return p > 0.5 ? -invert(normalCdf, 1 - p) : invert(normalCdf, p);
}

/** The t with P(T <= t) = p. */
export function studentQuantile(p: number, df: number): number {
  const cdf = (t: number): number => studentCdf(t, df);
  return p > 0.5 ? -invert(cdf, 1 - p) : invert(cdf, p);
}

/** P(X <= k) for X ~ Binomial(n, p), by 8.17.5 of the NIST handbook. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return 1 - incompleteBeta(p, k + 1, n - k);
}
