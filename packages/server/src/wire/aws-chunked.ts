import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { AwsError } from './errors.ts';

/**
 * `aws-chunked` frames a body once more inside HTTP: `<hex size>[;chunk-signature=…]\r\n<bytes>\r\n`, a chunk of size
 * 0, then trailers `name:value\r\n` and an empty line. Clients use it to send a checksum after the bytes it belongs to
 * (STREAMING-UNSIGNED-PAYLOAD-TRAILER) or to sign chunk by chunk (STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER]).
 * Source: Amazon S3 API reference, "Signature calculations: transferring a payload in multiple chunks".
 */

const SIZE_LINE = /^([0-9a-fA-F]{1,8})(;chunk-signature=[0-9a-f]{64,144})?$/;
const TRAILER_LINE = /^([a-z0-9-]{1,64}):[ \t]*([\x21-\x7e]{0,512})$/i;
const LONGEST_LINE = 1024;
const MOST_TRAILERS = 8;

export class IncompleteBody extends AwsError {
  constructor() {
    const sentence = 'You did not provide the number of bytes specified by the Content-Length HTTP header';
    super('IncompleteBody', 400, sentence);
  }
}

class MalformedChunk extends AwsError {
  constructor(detail: string) {
    super('InvalidRequest', 400, `The aws-chunked body is malformed: ${detail}`);
  }
}

class MalformedTrailer extends AwsError {
  constructor() {
    const sentence =
      'The request contained trailing data that was not well-formed or did not conform to our published schema.';
    super('MalformedTrailerError', 400, sentence);
  }
}

type Expecting = 'size' | 'data' | 'data-end' | 'trailer' | 'nothing';

export function isAwsChunked(headers: Readonly<Record<string, string>>): boolean {
  return (
    headers['x-amz-content-sha256']?.startsWith('STREAMING-') === true ||
    headers['content-encoding']?.split(',').some((item) => item.trim() === 'aws-chunked') === true
  );
}

/** Decodes as bytes pass by; holds at most one line. `trailers` is complete once the stream has ended. */
export class AwsChunkedDecoder extends Transform {
  readonly trailers: Record<string, string> = {};
  readonly #announced: readonly string[];
  readonly #decodedBytes: number | undefined;
  #expecting: Expecting = 'size';
  #line = '';
  #left = 0;
  #total = 0;

  constructor(headers: Readonly<Record<string, string>>) {
    super();
    this.#announced = (headers['x-amz-trailer'] ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '');
    const decoded = headers['x-amz-decoded-content-length'];
    this.#decodedBytes = decoded !== undefined && /^\d{1,15}$/.test(decoded) ? Number(decoded) : undefined;
  }

  override _transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      let at = 0;
      while (at < bytes.length) at = this.#expecting === 'data' ? this.#data(bytes, at) : this.#text(bytes, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#expecting !== 'nothing') done(new IncompleteBody());
    else if (this.#decodedBytes !== undefined && this.#decodedBytes !== this.#total) done(new IncompleteBody());
    else if (this.#announced.some((name) => this.trailers[name] === undefined)) done(new MalformedTrailer());
    else done();
  }

  #data(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.push(bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left === 0) this.#expecting = 'data-end';
    return end;
  }

  #text(bytes: Buffer, at: number): number {
    if (this.#expecting === 'nothing') throw new MalformedChunk('there are bytes after its end');
    const feed = bytes.indexOf(0x0a, at);
    const end = feed === -1 ? bytes.length : feed + 1;
    this.#line += bytes.toString('latin1', at, end);
    if (this.#line.length > LONGEST_LINE) throw new MalformedChunk('a line is too long');
    if (feed !== -1) {
      if (!this.#line.endsWith('\r\n')) throw new MalformedChunk('a line does not end in CR LF');
      const line = this.#line.slice(0, -2);
      this.#line = '';
      this.#complete(line);
    }
    return end;
  }

  #complete(line: string): void {
    if (this.#expecting === 'data-end') {
      if (line !== '') throw new MalformedChunk('a chunk is longer than its size says');
      this.#expecting = 'size';
    } else if (this.#expecting === 'size') {
      const match = SIZE_LINE.exec(line);
      if (match === null) throw new MalformedChunk('a chunk has no size');
      this.#left = Number.parseInt(match[1] as string, 16);
      this.#total += this.#left;
      if (this.#decodedBytes !== undefined && this.#total > this.#decodedBytes) throw new IncompleteBody();
      this.#expecting = this.#left === 0 ? 'trailer' : 'data';
    } else if (line === '') this.#expecting = 'nothing';
    else this.#trailer(line);
  }

  #trailer(line: string): void {
    const match = TRAILER_LINE.exec(line);
    const name = match?.[1]?.toLowerCase();
    const isKnown = name === 'x-amz-trailer-signature' || (name !== undefined && this.#announced.includes(name));
    if (!isKnown || Object.keys(this.trailers).length >= MOST_TRAILERS) throw new MalformedTrailer();
    this.trailers[name] = match?.[2] ?? '';
  }
}
