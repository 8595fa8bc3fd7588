import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  binomialCdf,
  incompleteBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from './distributions.ts';
import { readGolden } from './golden.ts';

const golden = readGolden();

/** Relative where the value is large enough for it, absolute near zero. */
function near(actual: number, expected: number, tolerance = 1e-10): void {
  const scale = Math.max(Math.abs(expected), 1e-300);
  expect(Math.abs(actual - expected) / scale, `${actual} instead of ${expected}`).toBeLessThan(tolerance);
}

test('the logarithm of gamma equals scipy', () => {
  for (const [x, value] of golden.logGamma) {
    expect(Math.abs(logGamma(x) - value)).toBeLessThan(1e-12 * Math.max(1, Math.abs(value)));
  }
});

test('the incomplete beta function equals scipy', () => {
  for (const [x, a, b, value] of golden.incompleteBeta) near(incompleteBeta(x, a, b), value);
});

test('the normal distribution equals scipy, also far in the tails', () => {
  for (const [z, value] of golden.normalCdf) near(normalCdf(z), value);
  for (const [p, value] of golden.normalQuantile) expect(normalQuantile(p)).toBeCloseTo(value, 9);
});

test("Student's distribution equals scipy", () => {
  for (const [t, df, value] of golden.studentCdf) near(studentCdf(t, df), value);
  for (const [p, df, value] of golden.studentQuantile) near(studentQuantile(p, df), value, 1e-8);
});

test('the binomial distribution equals scipy', () => {
  for (const [k, n, p, value] of golden.binomialCdf) near(binomialCdf(k, n, p), value);
});

test('the quantile undoes the distribution, and is symmetric', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), (p) => {
      expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 10);
      expect(normalQuantile(0.5 + Math.abs(p - 0.5))).toBeGreaterThanOrEqual(0);
    }),
  );
  fc.assert(
    fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (z) => {
      expect(normalCdf(z) + normalCdf(-z)).toBeCloseTo(1, 12);
    }),
  );
});

test('the incomplete beta function is symmetric and rises with x', () => {
  const shape = fc.double({ min: 0.05, max: 300, noNaN: true });
  // Multiples of 2^-20, so that 1 - x is exact.
  const share = fc.integer({ min: 0, max: 2 ** 20 }).map((k) => k / 2 ** 20);
  fc.assert(
    fc.property(share, share, shape, shape, (x, other, a, b) => {
      expect(incompleteBeta(x, a, b) + incompleteBeta(1 - x, b, a)).toBeCloseTo(1, 9);
      const [low, high] = [Math.min(x, other), Math.max(x, other)];
      expect(incompleteBeta(low, a, b)).toBeLessThanOrEqual(incompleteBeta(high, a, b) + 1e-12);
    }),
  );
});
