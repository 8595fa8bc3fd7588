import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '@slipway/kit/clock';
import { UserError } from '@slipway/kit/errors';
import type { Logger } from '@slipway/kit/log';
import { isDiskFull } from '@slipway/kit/sqlite';
import { deadline } from '@slipway/kit/stopwatch';
import { checkHost, refusal } from './loopback.ts';

/**
 * Answers a request completely. `signal` is aborted when the client goes away or the server closes; `expectsContinue`
 * is true for a client that waits to be asked for its body.
 */
export type Respond = (
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
  expectsContinue: boolean,
) => Promise<void>;

export interface HttpOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Requests below `/_slipway/`. */
  readonly admin: Respond;
  readonly aws: Respond;
}

export interface Listener {
  /** Without a trailing slash. */
  readonly url: string;
  /** Takes no further connection and lets requests in flight end, but not for long. */
  close(graceMs: number): Promise<void>;
}

/** Presigned URLs and session tokens are long; more than this is not a client of ours. */
const HEADERS_MAX_BYTES = 65_536;
const CONNECTIONS_MAX = 4_096;

/**
 * Listens. A body may take as long as it needs (an upload of gigabytes is legitimate), its headers may not; a client's
 * idle connection is kept a little longer than the 60 seconds after which SDKs' pools and proxies drop theirs.
 *
 * @throws UserError when the address cannot be listened on
 */
export async function listen(options: HttpOptions): Promise<Listener> {
  checkHost(options.host);
  // One controller a request: AbortSignal.any() with a signal that lives as long as the server leaks on Node 20.
  const inFlight: InFlight = { controllers: new Set(), closing: false };
  const server = createServer(
    {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: 60_000,
      requestTimeout: 0,
      keepAliveTimeout: 75_000,
      noDelay: true,
    },
    (request, response) => void answer(request, response, options, inFlight, false),
  );
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    void answer(request, response, options, inFlight, true);
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseGarbage(error, socket as Socket));
  const port = await bind(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      inFlight.closing = true;
      for (const controller of inFlight.controllers) controller.abort(new Error('the server is closing'));
      server.closeIdleConnections();
      const grace = deadline(graceMs);
      grace.signal.addEventListener('abort', () => server.closeAllConnections(), { once: true });
      await closed;
      grace.cancel();
    },
  };
}

interface InFlight {
  readonly controllers: Set<AbortController>;
  closing: boolean;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { clock, log, admin, aws }: HttpOptions,
  inFlight: InFlight,
  expectsContinue: boolean,
): Promise<void> {
  // Answers tell the clock's time: it is the only clock a client of ours should have.
  response.sendDate = false;
  response.setHeader('Date', new Date(clock.now()).toUTCString());
  if (inFlight.closing) response.setHeader('Connection', 'close');
  const controller = new AbortController();
  inFlight.controllers.add(controller);
  response.once('close', () => {
    inFlight.controllers.delete(controller);
    controller.abort(new Error('the client has gone'));
  });
  const reason = refusal(request.headers);
  try {
    if (reason !== undefined) {
      sendError(response, 403, 'AccessDeniedException', reason);
    } else {
      const respond = isAdmin(request.url) ? admin : aws;
      await respond(request, response, controller.signal, expectsContinue);
    }
  } catch (error) {
    if (!controller.signal.aborted) log.error('a request failed', { method: request.method, error });
    failed(response, error);
  }
}

function isAdmin(url: string | undefined): boolean {
  return url !== undefined && /^\/_slipway(\/|\?|$)/.test(url);
}

/** A last resort: services' and the wire's own errors are answered in their protocol before they come here. */
function failed(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
  } else if (isDiskFull(error)) {
    sendError(response, 503, 'ServiceUnavailable', 'The disk of the data folder is full. Make room and try again.');
  } else {
    sendError(response, 500, 'InternalFailure', 'The server failed; its log says why.');
  }
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  const body = JSON.stringify({ __type: type, message });
  // The rest of a body that nobody reads would be taken for the next request.
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type, connection: 'close' });
  response.end(body);
}

function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', `The headers are longer than ${HEADERS_MAX_BYTES} bytes.`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'The headers did not arrive in time.']
        : ['400 Bad Request', 'This is not an HTTP/1.1 request.'];
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function bind(server: Server, { host, port }: HttpOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(explain(error, host, port));
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const what = `Slipway cannot listen on ${host}:${port}.`;
  const next = 'Choose another port with --port, or --port 0 for any free one.';
  switch (error.code) {
    case 'EADDRINUSE':
      return new UserError({ what, why: `Another program is using port ${port}.`, next, cause: error });
    case 'EACCES':
      return new UserError({ what, why: 'This port may be used by administrators only.', next, cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new UserError({
        what,
        why: `This machine does not have the address ${host}.`,
        next: 'Leave --host out to use 127.0.0.1.',
        cause: error,
      });
    default:
      return error;
  }
}
