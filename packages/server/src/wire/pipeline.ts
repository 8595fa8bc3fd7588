import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Clock, Instant } from '@slipway/kit/clock';
import type { Ids } from '@slipway/kit/ids';
import type { Logger } from '@slipway/kit/log';
import type { Owner } from '@slipway/kit/machine';
import { isDiskFull, UnstorableInput } from '@slipway/kit/sqlite';
import { stopwatch } from '@slipway/kit/stopwatch';
import { RequestBody, TooLong } from './body.ts';
import { constraintError, inDialect, internalFailure, unstorableSentence } from './codes.ts';
import { DEFAULT_ACCOUNT, DEFAULT_REGION, ownerOf, readCredentials } from './credentials.ts';
import { AwsError, BodyTooLarge, NotImplemented, ServiceNotImplemented } from './errors.ts';
import { baseUrlOf, readHead, writeAnswer } from './http-message.ts';
import { Models, readCatalog } from './model.ts';
import type { Model } from './model.ts';
import { awsJson } from './protocols/aws-json.ts';
import type { Answer, Body, Head, Protocol } from './protocols/protocol.ts';
import { query } from './protocols/query.ts';
import { payloadLimit, takesStream } from './protocols/rest.ts';
import { restJson } from './protocols/rest-json.ts';
import { restXml } from './protocols/rest-xml.ts';
import { read } from './read.ts';
import { route } from './route.ts';
import type { Dialect } from './route.ts';
import { serviceTable } from './service-table.ts';
import type { Context, Handler, Service } from './service.ts';

/** What the request log keeps of one answer. No header and no body, so no secret. */
export interface AnsweredRequest {
  readonly requestId: string;
  /** The clock's time when the request arrived. */
  readonly at: Instant;
  /** The model's name; `unknown` where the request was not understood that far. */
  readonly service: string;
  readonly operation: string;
  readonly account: string;
  readonly region: string;
  readonly method: string;
  /** Without the query, which may hold a presigned signature. */
  readonly path: string;
  readonly status: number;
  /** The error's code, for an answer that is one. */
  readonly code: string | undefined;
  readonly durationMs: number;
}

/** A request that was carried out and is not acknowledged yet. */
export interface HandledRequest {
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface WireOptions {
  /** Every service, in one visible list. */
  readonly services: readonly Service[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** For requests whose Host header names none. */
  readonly baseUrl: () => string;
  /** Called when a handler has done its work and nothing of its answer has been sent. */
  readonly onHandled?: (request: HandledRequest) => void;
  /** Called once an answer has been written, or its connection has broken. */
  readonly onRequest?: (request: AnsweredRequest) => void;
}

export interface Wire {
  /**
   * Answers one request; never rejects.
   *
   * @param signal aborted when the client goes away or the server closes; handlers see it in their context
   * @param expectsContinue true in the `checkContinue` event of node:http: the body is asked for only when it is wanted
   */
  readonly handleRequest: (
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
    expectsContinue?: boolean,
  ) => Promise<void>;
}

/** What becomes known of a request on its way; an error is printed with as much as there is. */
interface Exchange {
  readonly requestId: string;
  readonly sent: Head;
  readonly body: RequestBody;
  readonly now: Instant;
  readonly signal: AbortSignal;
  head: Head;
  owner: Owner;
  dialect: Dialect;
  service: string | undefined;
  model: Model | undefined;
  operation: string | undefined;
}
interface Matched {
  readonly service: string;
  readonly model: Model;
  readonly operation: string;
  readonly protocol: Protocol;
  readonly handler: Handler<never, object>;
}
interface Parsed {
  readonly input: Record<string, unknown>;
  /** The raw body where it was read whole. */
  readonly bytes: Uint8Array | undefined;
}

/** Unknown members are told once each; a hostile client does not get to fill the memory with them. */
const MOST_TOLD = 5000;

/**
 * The way from bytes to a handler and back.
 *
 * @throws Error when two services share a model, or a handler has no operation in its model
 */
export function createWire(options: WireOptions): Wire {
  const wire = new Pipeline(options);
  return {
    handleRequest: (request, response, signal, expectsContinue = false) =>
      wire.handle(request, response, signal, expectsContinue),
  };
}

class Pipeline {
  readonly #options: WireOptions;
  readonly #catalog = readCatalog();
  readonly #models = new Models();
  readonly #services: ReadonlyMap<string, Service>;
  readonly #protocols: Readonly<Record<Dialect, Protocol>> = {
    'json-1.0': awsJson('1.0'),
    'json-1.1': awsJson('1.1'),
    'rest-json': restJson(),
    'rest-xml': restXml(),
    query: query(),
  };
  readonly #told = new Set<string>();

  constructor(options: WireOptions) {
    this.#options = options;
    this.#services = serviceTable(options.services, this.#catalog);
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
    expectsContinue: boolean,
  ): Promise<void> {
    const watch = stopwatch();
    const sent = readHead(request);
    const exchange: Exchange = {
      requestId: this.#options.ids.uuid(),
      sent,
      body: new RequestBody(request, response, sent.headers, expectsContinue),
      now: this.#options.clock.now(),
      signal,
      head: sent,
      owner: { account: DEFAULT_ACCOUNT, region: DEFAULT_REGION },
      dialect: guessDialect(sent),
      service: undefined,
      model: undefined,
      operation: undefined,
    };
    let answer: Answer;
    let code: string | undefined;
    try {
      answer = await this.#answer(exchange);
    } catch (error) {
      const shown = this.#shownError(error, exchange);
      code = shown.code;
      answer = this.#protocols[exchange.dialect].printError(exchange.model, shown, exchange.requestId, exchange.head);
    }
    try {
      const canReuse = exchange.body.finish();
      await writeAnswer(response, answer, exchange.head, new Date(this.#options.clock.now()), canReuse);
    } catch (error) {
      response.destroy();
      if (!signal.aborted)
        this.#options.log.error('an answer broke off', { ...summary(exchange), error: textOf(error) });
    } finally {
      this.#report(exchange, answer.status, code, watch.elapsedMs());
    }
  }

  /** One request in one sentence: match → authenticate → parse → handle → print. */
  async #answer(exchange: Exchange): Promise<Answer> {
    const matched = await this.#match(exchange);
    const parsed = await this.#parse(exchange, matched);
    const output = await matched.handler(parsed.input as never, this.#context(exchange, parsed));
    this.#options.onHandled?.({ service: matched.service, operation: matched.operation, input: parsed.input });
    return matched.protocol.print(
      matched.model,
      matched.operation,
      output as Readonly<Record<string, unknown>>,
      exchange.requestId,
    );
  }

  /** Service and protocol, sender, then the operation: an unknown operation is still told to whom it belongs. */
  async #match(exchange: Exchange): Promise<Matched> {
    const credentials = readCredentials(exchange.sent.headers, exchange.sent.query);
    exchange.owner = ownerOf(credentials);
    const { service: signedFor } = credentials;
    if (signedFor !== undefined && signedFor !== 's3' && exchange.dialect === 'rest-xml')
      exchange.dialect = 'rest-json';
    const form = (): Promise<Uint8Array> => this.#whole(exchange, this.#protocols.query.bodyLimitBytes);
    const routed = await route(this.#catalog, exchange.sent, credentials, form);
    exchange.head = routed.head;
    exchange.dialect = routed.dialect;
    exchange.service = routed.service;
    const model = this.#models.get(routed.service);
    exchange.model = model;
    const protocol = this.#protocols[routed.dialect];
    const operation = await protocol.find(model, routed.head, () => this.#whole(exchange, protocol.bodyLimitBytes));
    exchange.operation = operation;
    return { service: routed.service, model, operation, protocol, handler: this.#handler(routed.service, operation) };
  }

  #handler(serviceName: string, operation: string): Handler<never, object> {
    const service = this.#services.get(serviceName);
    if (service === undefined) throw new ServiceNotImplemented(`the service '${serviceName}'`);
    const handler = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
    if (handler === undefined) throw new NotImplemented(serviceName, operation);
    return handler;
  }

  async #parse(exchange: Exchange, { service, model, operation, protocol }: Matched): Promise<Parsed> {
    const ref = model.operation(operation)?.input;
    const body = await this.#readBody(exchange, service, model, operation, protocol);
    const bytes = body instanceof Readable ? undefined : body;
    if (ref === undefined) return { input: {}, bytes };
    const root = protocol.parse(model, operation, exchange.head, body);
    const { value, violations } = read(model, ref, root, (path) => this.#tellUnknown(service, operation, path));
    if (violations !== undefined) throw constraintError(service, violations);
    return { input: value, bytes };
  }

  async #readBody(exchange: Exchange, service: string, model: Model, name: string, protocol: Protocol): Promise<Body> {
    const operation = model.operation(name);
    if (operation !== undefined && takesStream(model, operation)) return exchange.body.stream();
    const ofPayload = operation === undefined ? undefined : payloadLimit(model, operation);
    if (ofPayload === undefined) return this.#whole(exchange, protocol.bodyLimitBytes);
    try {
      return await exchange.body.whole(ofPayload);
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      const constraint = `Member must have length less than or equal to ${ofPayload}`;
      const sentence = `1 validation error detected: Value at 'body' failed to satisfy constraint: ${constraint}`;
      throw constraintError(service, sentence);
    }
  }

  async #whole(exchange: Exchange, limitBytes: number): Promise<Uint8Array> {
    try {
      return await exchange.body.whole(limitBytes);
    } catch (error) {
      throw error instanceof TooLong ? new BodyTooLarge(limitBytes) : error;
    }
  }

  #context(exchange: Exchange, parsed: Parsed): Context {
    const { sent, body } = exchange;
    return {
      owner: exchange.owner,
      requestId: exchange.requestId,
      now: exchange.now,
      signal: exchange.signal,
      baseUrl: baseUrlOf(sent, exchange.head) ?? this.#options.baseUrl(),
      http: {
        method: sent.method,
        headers: sent.headers,
        query: sent.query,
        ...(parsed.bytes === undefined ? {} : { body: parsed.bytes }),
        trailers: () => body.trailers(),
      },
    };
  }

  /** AWS errors go out as they are. Anything else is a defect of ours: only the log learns more. */
  #shownError(error: unknown, exchange: Exchange): AwsError {
    if (error instanceof AwsError) return inDialect(error, exchange.dialect);
    if (error instanceof UnstorableInput && exchange.service !== undefined) {
      return constraintError(exchange.service, unstorableSentence(error.problem));
    }
    if (isDiskFull(error)) {
      const sentence = 'The disk of the data folder is full. Make room and try again.';
      return new AwsError('ServiceUnavailable', 503, sentence);
    }
    if (!exchange.signal.aborted) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#options.log.error('a request failed inside', { ...summary(exchange), error: textOf(error), stack });
    }
    return internalFailure(exchange.dialect);
  }

  #tellUnknown(service: string, operation: string, path: string): void {
    // Indices and map keys are the client's; one message stands for all of a list.
    const member = path.replace(/\.\d+\.member/g, '[]').slice(0, 200);
    const key = `${service}.${operation}.${member}`;
    if (this.#told.has(key) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(key);
    this.#options.log.warn('a member that the model does not have was ignored', { service, operation, member });
  }

  #report(exchange: Exchange, status: number, code: string | undefined, durationMs: number): void {
    this.#options.onRequest?.({
      requestId: exchange.requestId,
      at: exchange.now,
      service: exchange.service ?? 'unknown',
      operation: exchange.operation ?? 'unknown',
      account: exchange.owner.account,
      region: exchange.owner.region,
      method: exchange.sent.method,
      path: exchange.head.path,
      status,
      code,
      durationMs,
    });
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const summary = ({ requestId, service, operation }: Exchange): Record<string, unknown> => ({
  requestId,
  service,
  operation,
});

/** The dialect of an error about a request that could not be routed. */
function guessDialect(head: Head): Dialect {
  if (head.headers['x-amz-target'] !== undefined) return 'json-1.1';
  if (head.headers['smithy-protocol'] !== undefined) return 'rest-json';
  if (head.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true) return 'query';
  if (head.headers['content-type']?.includes('json') === true) return 'rest-json';
  return 'rest-xml';
}
