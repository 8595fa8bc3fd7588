/**
 * The CRC of two byte strings in a row from their CRCs and the second's length, without reading them again. This is how
 * a completed multipart upload gets the checksum of the whole object.
 *
 * A reflected CRC is a polynomial over GF(2) modulo P whose highest bit is x^0. Appending n bytes multiplies it by
 * x^(8n), so crc(AB) = crc(A) · x^(8·|B|) mod P ⊕ crc(B). (The all-ones start and end cancel out.)
 */
export interface Field {
  readonly polynomial: bigint;
  /** 32 or 64. */
  readonly widthBits: bigint;
}

/** Multiplies two polynomials modulo the field's. */
function multiply(field: Field, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = 1n << (field.widthBits - 1n); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ field.polynomial : shifted >> 1n;
  }
  return product;
}

/** x to the power of `exponent`, by squaring. */
function power(field: Field, exponent: bigint): bigint {
  let result = 1n << (field.widthBits - 1n);
  let square = 1n << (field.widthBits - 2n);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(field, result, square);
    square = multiply(field, square, square);
  }
  return result;
}

/** The CRC of the pieces in their order. Pieces of one size (all but the last, as a rule) share a computed factor. */
export function combineCrcs(field: Field, pieces: readonly { readonly crc: bigint; readonly size: number }[]): bigint {
  const factors = new Map<number, bigint>();
  let whole = 0n;
  for (const { crc, size } of pieces) {
    const factor = factors.get(size) ?? power(field, BigInt(size) * 8n);
    factors.set(size, factor);
    whole = multiply(field, whole, factor) ^ crc;
  }
  return whole;
}
