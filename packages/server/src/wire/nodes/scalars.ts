import { SerializationException } from '../errors.ts';
import type { Ref, ScalarShape, TimestampFormat } from '../model.ts';

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;
const ISO_8601 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;
const RFC_822 = /^[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d (GMT|UTC|[+-]\d{4})$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const LIMITS = { integer: 2 ** 31, long: 2 ** 63 } as const;
/** Dates that JavaScript can hold, in milliseconds. */
const LAST_INSTANT = 8.64e15;

/** Reads a scalar that arrived as text: in XML, a form, a header, a path or a query. */
export function parseText(text: string, shape: ScalarShape, format: TimestampFormat): unknown {
  switch (shape.type) {
    case 'string':
      return text;
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw wrongType(text, 'Boolean');
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
      return parseNumber(text, shape.type);
    case 'timestamp':
      return parseTimestamp(text, shape.timestampFormat ?? format);
    case 'blob':
      return parseBase64(text);
  }
}

function parseNumber(text: string, type: 'integer' | 'long' | 'float' | 'double'): number {
  const trimmed = text.trim();
  if (type === 'float' || type === 'double') {
    const special = specialNumber(trimmed);
    if (special !== undefined) return special;
  }
  if (!NUMBER.test(trimmed)) throw wrongType(text, type === 'integer' ? 'Integer' : 'Long');
  return checkedNumber(Number(trimmed), type);
}

/** @throws SerializationException for a fraction or an overflow where the shape is an integer */
export function checkedNumber(value: number, type: 'integer' | 'long' | 'float' | 'double'): number {
  if (type === 'float' || type === 'double') return value;
  const limit = LIMITS[type];
  if (!Number.isInteger(value) || value < -limit || value >= limit) {
    throw new SerializationException(`NUMBER_VALUE can not be converted to ${type === 'integer' ? 'Integer' : 'Long'}`);
  }
  return value;
}

/** The three values that JSON numbers and XML decimals lack, by the names AWS gives them. */
export function specialNumber(text: string): number | undefined {
  if (text === 'NaN') return NaN;
  if (text === 'Infinity') return Infinity;
  return text === '-Infinity' ? -Infinity : undefined;
}

/** Every form is taken where the model names one: clients are stricter than services here. */
export function parseTimestamp(text: string, format: TimestampFormat): Date {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed) && (format === 'unixTimestamp' || !ISO_8601.test(trimmed))) {
    return instantFromSeconds(Number(trimmed));
  }
  if (ISO_8601.test(trimmed) || RFC_822.test(trimmed)) {
    const date = new Date(withZone(trimmed));
    if (!Number.isNaN(date.getTime())) return date;
  }
  throw new SerializationException('STRING_VALUE can not be converted to a timestamp');
}

/** A time without a zone is UTC, as AWS reads it; the platform would take the local zone. */
const withZone = (text: string): string => (/T[\d:.]+$/.test(text) ? `${text}Z` : text);

export function instantFromSeconds(seconds: number): Date {
  const instant = Math.round(seconds * 1000);
  if (!(Math.abs(instant) <= LAST_INSTANT)) {
    throw new SerializationException('NUMBER_VALUE can not be converted to a timestamp');
  }
  return new Date(instant);
}

export function parseBase64(text: string): Uint8Array {
  const compact = text.replace(/\s+/g, '');
  if (compact.length % 4 !== 0 || !BASE64.test(compact)) {
    throw new SerializationException('STRING_VALUE can not be converted to a blob: it is not base64');
  }
  return new Uint8Array(Buffer.from(compact, 'base64'));
}

export function wrongType(value: unknown, wanted: string): SerializationException {
  return new SerializationException(`${javaToken(value)} can not be converted to ${wanted}`);
}

/** What AWS's JSON reader calls a token it did not expect. */
function javaToken(value: unknown): string {
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'number') return 'NUMBER_VALUE';
  return value === true ? 'TRUE_VALUE' : 'FALSE_VALUE';
}

/** Prints a timestamp as `format`: ISO 8601 with milliseconds where there are any, RFC 822, or epoch seconds. */
export function printTimestamp(date: Date, ref: Ref, shape: ScalarShape, format: TimestampFormat): string {
  switch (ref.timestampFormat ?? shape.timestampFormat ?? format) {
    case 'iso8601':
      return date.toISOString();
    case 'rfc822':
      return date.toUTCString();
    case 'unixTimestamp':
      return String(date.getTime() / 1000);
  }
}
