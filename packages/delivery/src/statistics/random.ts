/**
 * A seeded generator: xoshiro128** 1.1 (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c), its state
 * filled by splitmix32. It is not for secrets; it is for draws that anyone can repeat from the seed in the report.
 */
export interface Random {
  /** A whole number in [0, 2^32). */
  next(): number;
  /** A whole number in [0, bound), `bound` in [1, 2^53]; without bias up to 2^21, beyond it with one below 2^-32. */
  below(bound: number): number;
  /** In [0, 1), a multiple of 2^-53. */
  uniform(): number;
  /** Standard normal (Marsaglia's polar method). */
  normal(): number;
}

const TWO_32 = 0x100000000;
const MAX_EXACT_BOUND = 2 ** 21;

function rotateLeft(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/** Spreads one 32-bit seed over words that are never all zero (the mixing function is a bijection of a counter). */
function splitmix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}

/** @param seed any whole number; its low 32 bits count */
export function seededRandom(seed: number): Random {
  const fill = splitmix32(seed);
  let a = fill();
  let b = fill();
  let c = fill();
  let d = fill();

  const next = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotateLeft(d, 11);
    return result;
  };
  const uniform = (): number => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
  const below = (bound: number): number => {
    // Lemire (2019), "Fast random integer generation in an interval": the high half of draw * bound, and only where the
    // low half lies in the incomplete first block another draw. Doubles hold the product exactly up to 2^53.
    if (bound > MAX_EXACT_BOUND) return Math.floor(uniform() * bound);
    let product = next() * bound;
    let high = Math.floor(product / TWO_32);
    let low = product - high * TWO_32;
    if (low >= bound) return high;
    const threshold = TWO_32 % bound;
    while (low < threshold) {
      product = next() * bound;
      high = Math.floor(product / TWO_32);
      low = product - high * TWO_32;
    }
    return high;
  };
  const normal = (): number => {
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * Math.log(s)) / s);
    }
  };
  return { next, below, uniform, normal };
}
