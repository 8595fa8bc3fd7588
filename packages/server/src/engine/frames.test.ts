import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadFrame, encodeFrame, FrameReader, frameKinds, LARGEST_FRAME_BYTES } from './frames.ts';

const message = fc.record({
  id: fc.nat(0xffff_ffff),
  header: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()), { noNullPrototype: true }),
  body: fc.uint8Array({ maxLength: 300 }),
});

describe('frames', () => {
  test('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (all, cuts) => {
          const bytes = Buffer.concat(
            all.flatMap(({ id, header, body }) => encodeFrame(id, frameKinds.request, header, body)),
          );
          const reader = new FrameReader();
          const frames = [];
          for (let at = 0; at < bytes.length;) {
            const size = cuts.next().value as number;
            frames.push(...reader.feed(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(frames.map(({ id, header, body }) => ({ id, header, body: new Uint8Array(body) }))).toEqual(
            all.map(({ id, header, body }) => ({ id, header: JSON.parse(JSON.stringify(header)) as unknown, body })),
          );
        },
      ),
    );
  });

  test('over the limit are refused by the writer and by the reader', () => {
    const body = new Uint8Array(LARGEST_FRAME_BYTES);
    expect(() => encodeFrame(1, frameKinds.request, {}, body)).toThrow(BadFrame);
    const prefix = Buffer.alloc(13);
    prefix.writeUInt32BE(LARGEST_FRAME_BYTES + 1, 0);
    expect(() => new FrameReader().feed(prefix)).toThrow(BadFrame);
  });

  test('whose header is longer than they are themselves are refused', () => {
    const prefix = Buffer.alloc(13);
    prefix.writeUInt32BE(20, 0);
    prefix.writeUInt32BE(12, 9);
    expect(() => new FrameReader().feed(prefix)).toThrow(BadFrame);
  });
});
