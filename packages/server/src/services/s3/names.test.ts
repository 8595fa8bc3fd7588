import fc from 'fast-check';
import { expect, it } from 'vitest';
import { afterPrefix, keyBytes, keyText } from './names.ts';
import { parseCopySource } from './objects/copy.ts';
import { parseRange } from './objects/range.ts';

it('the bound after a prefix lies after all that begin with it and before everything else', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(bytes, bytes, (prefix, other) => {
      const bound = afterPrefix(prefix);
      const startsWith = Buffer.from(other).subarray(0, prefix.length).equals(Buffer.from(prefix));
      const isWithin = Buffer.compare(other, prefix) >= 0 && (bound === undefined || Buffer.compare(other, bound) < 0);
      expect(isWithin).toBe(startsWith);
    }),
  );
});

it('a key survives its way through bytes', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (key) => keyText(keyBytes(key)) === key));
});

it('a range is cut to the object', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 20 }), (first, length, size) => {
      const last = first + length;
      const ask = () => parseRange(`bytes=${first}-${last}`, size);
      if (first >= size) expect(ask).toThrow('not satisfiable');
      else expect(ask()).toEqual({ start: first, end: Math.min(size, last + 1) });
    }),
  );
  expect(parseRange('bytes=5-2', 10)).toBeUndefined();
  expect(parseRange('bytes=0-1,3-4', 10)).toBeUndefined();
  expect(() => parseRange('bytes=0-', 0)).toThrow('not satisfiable');
});

it.each([
  ['bucket/key', { bucket: 'bucket', key: 'key' }],
  ['/bucket/a/b', { bucket: 'bucket', key: 'a/b' }],
  ['bucket%2Fa%20b', { bucket: 'bucket', key: 'a b' }],
  ['bucket/a%3FversionId%3D1', { bucket: 'bucket', key: 'a?versionId=1' }],
  ['bucket/a?versionId=v1', { bucket: 'bucket', key: 'a', versionId: 'v1' }],
])('the copy source %s is read', (header, expected) => {
  expect(parseCopySource(header)).toEqual(expected);
});

it.each(['bucket', '/bucket/', 'bucket/%zz'])('the copy source %s is refused', (header) => {
  expect(() => parseCopySource(header)).toThrow(/Copy Source/);
});
