import type { Instant } from '@slipway/kit/clock';
import type { Owner } from '@slipway/kit/machine';

/** What arrived with a request's bytes and stands in no model. */
export interface HttpFacts {
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded query parameters, with those of a presigned URL (`X-Amz-Date`, `X-Amz-Expires`). */
  readonly query: URLSearchParams;
  /** The raw body where it was read whole before parsing; absent for a streaming payload. */
  readonly body?: Uint8Array;
  /** Trailers of an `aws-chunked` body, by lower-case name; complete once the body has been read to its end. */
  trailers(): Readonly<Record<string, string>>;
}

/** What every handler is told about the request it answers. */
export interface Context {
  /** (account, region): every row and blob belongs to one. From the credentials' access key id and the request's scope. */
  readonly owner: Owner;
  readonly requestId: string;
  /** The clock's time when the request arrived. */
  readonly now: Instant;
  /** Aborted when the client goes away or the server closes. */
  readonly signal: AbortSignal;
  /** The base URL the client reached us on, without a trailing slash. */
  readonly baseUrl: string;
  /** Absent when another service of this process calls. */
  readonly http?: HttpFacts;
}

/**
 * One operation. `Input` and `Output` are the shapes of the official client's command. Timestamps are `Date`s, blobs
 * are `Uint8Array`s; a streaming payload arrives as a `Readable` and may be answered as one.
 */
export type Handler<Input, Output> = (input: Input, context: Context) => Output | Promise<Output>;

/** Members that the model requires are present once the walker has validated the input. */
export type Handlers = Readonly<Record<string, Handler<never, object>>>;

/** One AWS service: its model's name and the operations we execute. Everything else answers 501 and names itself. */
export interface Service {
  /** File name in `models/`, for example `sagemaker` or `sagemaker-runtime`. */
  readonly model: string;
  readonly operations: Handlers;
  /**
   * Called once when the server listens and machines run; no request waits for it, but the close does. Sweeping and
   * warming belong here.
   *
   * @param closing aborted when the server closes: end soon
   */
  start?(closing: AbortSignal): Promise<void>;
  /** Called when nothing is stepped or answered any more, before the database closes. */
  close?(): Promise<void>;
}
