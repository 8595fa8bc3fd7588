/**
 * Messages between Node and the engine's Python processes, over a Unix socket.
 *
 * A frame is, big-endian: u32 length of what follows, u32 id, u8 kind, u32 length of the header, the header (JSON), the
 * body (raw bytes). An answer carries the id of its request. `slipway_runtime/frames.py` is the other end.
 */
export interface Frame {
  readonly id: number;
  readonly kind: FrameKind;
  readonly header: FrameHeader;
  readonly body: Buffer;
}

export type FrameHeader = Readonly<Record<string, unknown>>;

export const frameKinds = { request: 1, answer: 2, notice: 3 } as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

/** SageMaker takes bodies of 25 MB at most. */
export const LARGEST_FRAME_BYTES = 64 * 1024 * 1024;
const LENGTH_BYTES = 4;
const FIXED_BYTES = 9;
const PREFIX_BYTES = LENGTH_BYTES + FIXED_BYTES;

/** The peer does not speak this protocol, or a message is too long for it. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
}

/** @returns the prefix with the header, and the body as it is, to be written one after the other */
export function encodeFrame(id: number, kind: FrameKind, header: FrameHeader, body: Uint8Array): Buffer[] {
  const packed = Buffer.from(JSON.stringify(header));
  const length = FIXED_BYTES + packed.length + body.length;
  if (length > LARGEST_FRAME_BYTES) {
    throw new BadFrame(`a message of ${length} bytes is over the limit of ${LARGEST_FRAME_BYTES} bytes`);
  }
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(length, 0);
  prefix.writeUInt32BE(id, 4);
  prefix.writeUInt8(kind, 8);
  prefix.writeUInt32BE(packed.length, 9);
  const head = Buffer.concat([prefix, packed]);
  return body.length === 0 ? [head] : [head, Buffer.from(body.buffer, body.byteOffset, body.length)];
}

/** Collects chunks and gives whole frames. Each byte is copied at most once, however small the chunks are. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;
  #needed = PREFIX_BYTES;

  /** @throws BadFrame on a length over the limit */
  feed(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return [];
    const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const frames: Frame[] = [];
    let at = 0;
    this.#needed = PREFIX_BYTES;
    while (all.length - at >= PREFIX_BYTES) {
      const length = all.readUInt32BE(at);
      const headerLength = all.readUInt32BE(at + 9);
      if (length > LARGEST_FRAME_BYTES || headerLength > length - FIXED_BYTES) {
        throw new BadFrame(`a message says that it has ${length} bytes and a header of ${headerLength}`);
      }
      const end = at + LENGTH_BYTES + length;
      if (end > all.length) {
        this.#needed = end - at;
        break;
      }
      frames.push(this.#decode(all.subarray(at, end), headerLength));
      at = end;
    }
    this.#chunks = at === all.length ? [] : [all.subarray(at)];
    this.#held = all.length - at;
    return frames;
  }

  #decode(frame: Buffer, headerLength: number): Frame {
    const split = PREFIX_BYTES + headerLength;
    const header = JSON.parse(frame.toString('utf8', PREFIX_BYTES, split)) as FrameHeader;
    return { id: frame.readUInt32BE(4), kind: frame.readUInt8(8) as FrameKind, header, body: frame.subarray(split) };
  }
}
