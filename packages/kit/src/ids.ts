import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';

/** Names for new things. Handed in, so that a test with a seed gets the same names again. */
export interface Ids {
  /** 26 characters, safe in a file name, sorting by time of creation; strictly increasing within one `Ids`. */
  ulid(): string;
  /** A version 4 UUID in lower case. */
  uuid(): string;
  /** So many lower-case hexadecimal digits. */
  hex(digits: number): string;
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID_RANDOM_BITS = 80n;

/** Unpredictable ids whose order follows the clock. */
export function systemIds(clock: Clock): Ids {
  return idsFrom(clock, (count) => randomBytes(count));
}

/** The same ids for the same seed and clock, for tests and simulations only. */
export function seededIds(seed: number, clock: Clock): Ids {
  const next = seededRandom(seed);
  return idsFrom(clock, (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)));
}

/** Numbers in [0, 1) from a 32-bit seed (mulberry32: small, fast and good enough for names and simulations). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function idsFrom(clock: Clock, bytes: (count: number) => Uint8Array): Ids {
  let latest = 0n;
  return {
    ulid() {
      const drawn = (BigInt(Math.max(0, Math.floor(clock.now()))) << ULID_RANDOM_BITS) | toBigInt(bytes(10));
      latest = drawn > latest ? drawn : latest + 1n;
      return crockford(latest);
    },
    uuid() {
      const drawn = bytes(16);
      drawn[6] = (drawn[6]! & 0x0f) | 0x40;
      drawn[8] = (drawn[8]! & 0x3f) | 0x80;
      return toHex(drawn).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
    hex(digits) {
      return toHex(bytes(Math.ceil(digits / 2))).slice(0, digits);
    },
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function crockford(value: bigint): string {
  let text = '';
  for (let place = 25n; place >= 0n; place -= 1n) text += CROCKFORD[Number((value >> (place * 5n)) & 31n)];
  return text;
}
