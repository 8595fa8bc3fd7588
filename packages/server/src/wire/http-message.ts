import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answer, Head } from './protocols/protocol.ts';

/** Reads method, path, query and headers as they were sent; nothing is normalised, because S3 keys are paths. */
export function readHead(request: IncomingMessage): Head {
  // A client behind a proxy setting sends the absolute form.
  const target = (request.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {
    method: request.method ?? 'GET',
    path: path === '' ? '/' : path,
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
    headers,
  };
}

/** The base URL that the client used, without a bucket in front; undefined where the Host header is no host. */
export function baseUrlOf(sent: Head, routed: Head): string | undefined {
  const host = sent.headers['host'];
  if (host === undefined || !/^[\w.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$/.test(host)) return undefined;
  const bucket =
    routed.path.length > sent.path.length ? routed.path.slice(1, routed.path.length - sent.path.length) : '';
  return `http://${bucket !== '' && host.startsWith(`${bucket}.`) ? host.slice(bucket.length + 1) : host}`;
}

/** Statuses that have no body by HTTP's own rules. */
const hasNoBody = (status: number): boolean => status === 204 || status === 304 || status < 200;

/**
 * Writes an answer. A stream that fails midway cuts the connection, which is the only way left to say so.
 *
 * @param date the clock's time, for the `Date` header: the delivery half has no other clock
 * @param canReuse false closes the connection, because unread bytes of the request are still on it
 */
export async function writeAnswer(
  response: ServerResponse,
  answer: Answer,
  head: Head,
  date: Date,
  canReuse: boolean,
): Promise<void> {
  const { body } = answer;
  if (response.destroyed) {
    if (body instanceof Readable) body.destroy();
    return;
  }
  response.statusCode = answer.status;
  response.sendDate = false;
  response.setHeader('date', date.toUTCString());
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (!canReuse) response.setHeader('connection', 'close');
  const isHead = head.method === 'HEAD';
  if (body instanceof Readable) {
    if (isHead || hasNoBody(answer.status)) {
      body.destroy();
      response.end();
    } else await pipeline(body, response);
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (hasNoBody(answer.status)) response.end();
  else if (isHead) {
    // HeadObject says the length of what GET would send; everything else has none.
    if (!response.hasHeader('content-length')) response.setHeader('content-length', 0);
    response.end();
  } else {
    response.setHeader('content-length', bytes?.length ?? 0);
    response.end(bytes);
  }
}
