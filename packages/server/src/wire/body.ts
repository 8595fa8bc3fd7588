import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough, Transform } from 'node:stream';
import type { Readable, TransformCallback } from 'node:stream';
import { AwsChunkedDecoder, IncompleteBody, isAwsChunked } from './aws-chunked.ts';
import { AwsError } from './errors.ts';

/** S3's limit for one PUT; what aws-chunked adds to it is let through. */
const MOST_STREAMED_BYTES = 5 * 1024 ** 3;
const CHUNKING_ALLOWANCE_BYTES = 64 * 1024 ** 2;
/** So much of a body that nobody wants is read to let its client see the answer; then the connection is cut. */
const MOST_DRAINED_BYTES = 64 * 1024 ** 2;

/** Whole bodies are longer than the limit allows. */
export class TooLong extends Error {}

/**
 * The body of one request, read at most once, as a whole or as a stream. Reading it lets a client that waits with
 * `Expect: 100-continue` go on; refusing before spares it the upload.
 */
export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #headers: Readonly<Record<string, string>>;
  #isContinuePending: boolean;
  #whole: Promise<Uint8Array> | undefined;
  #decoder: AwsChunkedDecoder | undefined;
  #last: Transform | undefined;
  #isTaken = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    expectsContinue: boolean,
  ) {
    this.#request = request;
    this.#response = response;
    this.#headers = headers;
    this.#isContinuePending = expectsContinue;
  }

  /** Trailers of an aws-chunked body, by lower-case name; complete once the body was read to its end. */
  trailers(): Readonly<Record<string, string>> {
    return this.#decoder?.trailers ?? {};
  }

  /** @throws TooLong */
  whole(limitBytes: number): Promise<Uint8Array> {
    this.#whole ??= this.#readWhole(limitBytes);
    return this.#whole;
  }

  async #readWhole(limitBytes: number): Promise<Uint8Array> {
    const announced = Number(this.#headers['content-length'] ?? 0);
    // A client that still waits for "100 Continue" has sent nothing yet, so the refusal costs it nothing.
    if (announced > limitBytes + CHUNKING_ALLOWANCE_BYTES && this.#isContinuePending) throw new TooLong();
    if (!isAwsChunked(this.#headers)) return this.#collect(this.#taken(), limitBytes);
    return this.#collect(this.stream(), limitBytes);
  }

  /** Reads on a little beyond the limit: an answer that comes while its client still sends is often lost. */
  #collect(source: Readable, limitBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      source.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= limitBytes) chunks.push(chunk);
        else if (length > limitBytes + MOST_DRAINED_BYTES) {
          reject(new TooLong());
          source.destroy();
        }
      });
      source.once('end', () => (length > limitBytes ? reject(new TooLong()) : resolve(Buffer.concat(chunks))));
      source.once('error', (error) => reject(error instanceof AwsError ? error : new IncompleteBody()));
      source.once('close', () => reject(new IncompleteBody()));
    });
  }

  #taken(): IncomingMessage {
    this.#isTaken = true;
    if (this.#isContinuePending) this.#response.writeContinue();
    this.#isContinuePending = false;
    return this.#request;
  }

  /**
   * The decoded body. Its reader may destroy it without harm to the connection; it fails with IncompleteBody when the
   * client goes away and with EntityTooLarge beyond the limit.
   */
  stream(limitBytes = MOST_STREAMED_BYTES): Transform {
    const limit = new Limit(limitBytes + CHUNKING_ALLOWANCE_BYTES);
    this.#decoder = isAwsChunked(this.#headers) ? new AwsChunkedDecoder(this.#headers) : undefined;
    const last: Transform = this.#decoder ?? new PassThrough();
    this.#last = last;
    onFirstRead(last, () => this.#connect(limit, last));
    // A handler may have failed before it looked at the stream; that the client then goes away is nobody's error.
    last.on('error', () => undefined);
    return last;
  }

  #connect(limit: Transform, last: Transform): void {
    const request = this.#taken();
    request.pipe(limit);
    limit.pipe(last);
    limit.on('error', (error) => last.destroy(error));
    request.once('close', () => {
      if (!request.complete) last.destroy(new IncompleteBody());
    });
    request.once('error', () => last.destroy(new IncompleteBody()));
    last.once('close', () => {
      request.unpipe(limit);
      limit.destroy();
      this.#drain();
    });
  }

  /** To be called when the answer is on its way. @returns whether the connection can be used again */
  finish(): boolean {
    if (this.#isContinuePending) return false;
    if (!this.#isTaken) this.#drain();
    this.#isTaken = true;
    this.#last?.destroy();
    return this.#request.complete || Number(this.#headers['content-length'] ?? 0) <= MOST_DRAINED_BYTES;
  }

  #drain(): void {
    const request = this.#request;
    if (request.complete || request.destroyed) return;
    let drained = 0;
    request.on('data', (chunk: Buffer) => {
      drained += chunk.length;
      if (drained > MOST_DRAINED_BYTES) request.destroy();
    });
    request.resume();
  }
}

/** Bytes are asked for when their reader wants them: a handler that refuses first spares its client the upload. */
function onFirstRead(stream: Transform, start: () => void): void {
  const read = stream._read.bind(stream);
  stream._read = (size) => {
    stream._read = read;
    start();
    read(size);
  };
}

class Limit extends Transform {
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    super();
    this.#limitBytes = limitBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limitBytes) {
      done(new AwsError('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size'));
    } else done(null, chunk);
  }
}
