import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Blobs, Segment } from './blobs.ts';

/** From one byte to another; `end` is exclusive. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

interface Piece {
  readonly blob: string;
  readonly start: number;
  readonly end: number;
}

/** The parts of segments that a stretch of the whole covers. */
function cut(segments: readonly Segment[], stretch: Stretch): Piece[] {
  const pieces: Piece[] = [];
  let offset = 0;
  for (const { blob, size } of segments) {
    const start = Math.max(stretch.start - offset, 0);
    const end = Math.min(stretch.end - offset, size);
    if (start < end) pieces.push({ blob, start, end });
    offset += size;
  }
  return pieces;
}

const chunkBytes = 256 * 1024;

/** Segments as one stream. It holds their files until it closes, so that an overwrite meanwhile does not cut it short. */
class SegmentStream extends Readable {
  readonly #blobs: Blobs;
  readonly #pieces: Piece[];
  readonly #letGo: () => void;
  #file: FileHandle | undefined;
  #position = 0;

  constructor(blobs: Blobs, pieces: Piece[], letGo: () => void) {
    super({ highWaterMark: chunkBytes });
    this.#blobs = blobs;
    this.#pieces = pieces;
    this.#letGo = letGo;
  }

  /** Opens the first file before anything is answered: a file that is gone is an error, not a body cut short. */
  async prepare(): Promise<void> {
    const [piece] = this.#pieces;
    if (piece === undefined || this.#file !== undefined) return;
    this.#file = await this.#blobs.open(piece.blob);
    this.#position = piece.start;
  }

  override _read(): void {
    this.#next().then(
      (chunk) => void this.push(chunk),
      (error: unknown) => void this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #next(): Promise<Buffer | null> {
    const [piece] = this.#pieces;
    if (piece === undefined) return null;
    await this.prepare();
    const length = Math.min(chunkBytes, piece.end - this.#position);
    const { bytesRead, buffer } = (await this.#file?.read(Buffer.allocUnsafe(length), 0, length, this.#position)) ?? {
      bytesRead: 0,
      buffer: Buffer.alloc(0),
    };
    if (bytesRead === 0) throw new Error(`the blob ${piece.blob} is shorter than its row says`);
    this.#position += bytesRead;
    if (this.#position >= piece.end) {
      const file = this.#file;
      this.#file = undefined;
      this.#pieces.shift();
      await file?.close();
    }
    return buffer.subarray(0, bytesRead);
  }

  override _destroy(error: Error | null, closed: (error?: Error | null) => void): void {
    const file = this.#file;
    this.#file = undefined;
    this.#letGo();
    if (file === undefined) closed(error);
    else void close(file).then(() => closed(error));
  }
}

/** Nothing was written, so a close that fails has lost nothing. */
const close = (file: FileHandle): Promise<void> => file.close().catch(() => undefined);

/** Call it in the turn that read the segments' rows: from then on a removal waits for the stream to close. */
export async function readSegments(blobs: Blobs, segments: readonly Segment[], stretch: Stretch): Promise<Readable> {
  const pieces = cut(segments, stretch);
  const letGo = blobs.hold(pieces.map((piece) => piece.blob));
  const stream = new SegmentStream(blobs, pieces, letGo);
  try {
    await stream.prepare();
    return stream;
  } catch (error) {
    stream.destroy();
    throw error;
  }
}
