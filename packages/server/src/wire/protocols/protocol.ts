import type { Readable } from 'node:stream';
import type { AwsError } from '../errors.ts';
import type { Model } from '../model.ts';
import type { Node } from '../read.ts';

/** A request without its body. */
export interface Head {
  readonly method: string;
  /** Percent-encoded as sent, never normalised: an S3 key may hold `..` and `//`. A virtual host is already in it. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes that were read whole, or a stream where the operation takes one. */
export type Body = Uint8Array | Readable;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
}

/** One way of putting operations into HTTP. Stateless: everything it knows is in the model. */
export interface Protocol {
  /** The longest body that is read whole, in bytes, where the model sets no limit. */
  readonly bodyLimitBytes: number;
  /**
   * The operation's name, which the model has.
   *
   * @param body reads the body; only Query has to, as its operation stands in the form
   * @throws UnknownOperation
   */
  find(model: Model, head: Head, body: () => Promise<Uint8Array>): Promise<string> | string;
  /** The root of the operation's input, which the walker reads. */
  parse(model: Model, operation: string, head: Head, body: Body): Node;
  print(model: Model, operation: string, output: Readonly<Record<string, unknown>>, requestId: string): Answer;
  printError(model: Model | undefined, error: AwsError, requestId: string, head: Head): Answer;
}

export const MEGABYTE = 1024 * 1024;
