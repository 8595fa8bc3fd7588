import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@slipway/kit/clock';
import { UserError } from '@slipway/kit/errors';
import { createLogger } from '@slipway/kit/log';
import { listen, type Listener, type Respond } from './http.ts';

const clock = new ManualClock(Date.UTC(2030, 0, 1));
const log = createLogger({ write: () => undefined });
const unused: Respond = async () => expect.unreachable();
let listener: Listener | undefined;
let seen: string[] = [];

beforeEach(() => {
  seen = [];
});
afterEach(async () => await listener?.close(1_000));

async function serve(aws: Respond, admin: Respond = unused): Promise<string> {
  listener = await listen({ host: '127.0.0.1', port: 0, clock, log, admin, aws });
  return listener.url;
}

const ok: Respond = async (incoming, response) => {
  seen.push(`${incoming.method} ${incoming.url}`);
  response.end('ok');
};

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Got> {
  return await new Promise((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response
        .once('error', reject)
        .once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.once('error', reject).end();
  });
}

/** Sends bytes as they are and reads until the server closes. */
async function raw(url: string, bytes: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.once('error', reject).once('close', () => resolve(text));
  });
}

describe('the listener', () => {
  it('tells the clock’s time in every answer', async () => {
    const url = await serve(ok);
    expect((await get(url)).headers.date).toBe('Tue, 01 Jan 2030 00:00:00 GMT');
  });

  it('gives its own pages and AWS’s requests to whom they belong', async () => {
    const url = await serve(ok, async (_, response) => void response.end('admin'));
    expect((await get(`${url}/_slipway/health`)).text).toBe('admin');
    expect((await get(`${url}/_slipwayfarer/key`)).text).toBe('ok');
    expect(seen).toEqual(['GET /_slipwayfarer/key']);
  });

  it.each([
    ['a name that was pointed at this machine', { host: 'evil.example' }],
    ['a name that only begins like this machine’s', { host: '127.0.0.1.evil.example' }],
    ['a name that only ends like an address', { host: 'localhost.evil.example:4570' }],
    ['a page of another origin', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['a script tag on a page of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ])('refuses %s before anything looks at the request', async (_, headers) => {
    const url = await serve(ok);
    expect(await get(`${url}/bucket`, headers)).toMatchObject({ status: 403, headers: { connection: 'close' } });
    expect((await get(`${url}/_slipway/health`, headers)).status).toBe(403);
    expect(seen).toEqual([]);
  });

  it.each([
    ['localhost', { host: 'localhost:1' }],
    ['a virtual-host bucket', { host: 'my-bucket.s3.localhost:4570' }],
    ['IPv6', { host: '[::1]:4570' }],
    ['a page that this machine serves', { origin: 'http://localhost:3000' }],
    ['a link that a person follows', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('lets %s through', async (_, headers) => {
    const url = await serve(ok);
    expect((await get(`${url}/bucket`, headers as Record<string, string>)).status).toBe(200);
  });

  it('answers garbage and endless headers, and goes on', async () => {
    const url = await serve(ok);
    expect(await raw(url, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*not an HTTP\/1\.1 request/s);
    const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(80_000)}\r\n\r\n`;
    expect(await raw(url, long)).toMatch(/^HTTP\/1\.1 431 /);
    expect((await get(url)).status).toBe(200);
  });

  it('answers 503 in a sentence when the disk is full, 500 for a defect, and lives on', async () => {
    let error: Error = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const url = await serve(async () => {
      throw error;
    });
    expect(await get(url)).toMatchObject({
      status: 503,
      text: expect.stringContaining('disk of the data folder is full'),
    });
    error = new Error('secret detail');
    const answer = await get(url);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret detail');
  });

  it('leaves it to the handler whether a client that expects to be asked sends its body', async () => {
    const url = await serve(async (incoming, response, _, expectsContinue) => {
      if (!expectsContinue || incoming.url === '/refused') {
        response.writeHead(404, { connection: 'close' }).end();
        return;
      }
      response.writeContinue();
      for await (const chunk of incoming) seen.push(String(chunk));
      response.setHeader('connection', 'close');
      response.end('taken');
    });
    const head = (path: string, more = ''): string =>
      `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n${more}\r\n`;
    expect(await raw(url, head('/refused'))).toMatch(/^HTTP\/1\.1 404 /);
    expect(await raw(url, head('/', 'Origin: https://evil.example\r\n'))).toMatch(/^HTTP\/1\.1 403 /);
    expect(seen).toEqual([]);
    expect(await raw(url, `${head('/taken')}body`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(seen).toEqual(['body']);
  });

  it('tells a handler that the client has gone', async () => {
    let arrived: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (arrived = resolve));
    let gone: (reason: unknown) => void = () => undefined;
    const told = new Promise((resolve) => (gone = resolve));
    const url = await serve(async (_, response, signal) => {
      signal.addEventListener('abort', () => gone((signal.reason as Error).message));
      response.flushHeaders();
      arrived();
    });
    const sent = request(url).on('error', () => undefined);
    sent.end();
    await waiting;
    sent.destroy();
    expect(await told).toBe('the client has gone');
  });

  it('lets a request in flight end when it closes, and breaks off one that does not', async () => {
    const url = await serve(async (incoming, response, signal) => {
      response.flushHeaders();
      if (incoming.url === '/stuck') return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      response.end('held until the end');
    });
    const held = get(`${url}/held`);
    const stuck = get(`${url}/stuck`).catch((error: NodeJS.ErrnoException) => error.code);
    // The connections are known to be answered once both have headers, which an own third request follows.
    await raw(url, 'GET / HTTP/1.0\r\nHost: evil\r\n\r\n');
    await listener?.close(200);
    expect((await held).text).toBe('held until the end');
    expect(await stuck).toBe('ECONNRESET');
    await expect(get(url)).rejects.toThrow('ECONNREFUSED');
  });

  it('explains a port in use, and an address that is not this machine’s', async () => {
    const url = await serve(ok);
    const again = listen({ host: '127.0.0.1', port: Number(new URL(url).port), clock, log, admin: unused, aws: ok });
    await expect(again).rejects.toThrow(
      /cannot listen on 127.0.0.1:\d+. Another program is using port \d+. Choose another/,
    );
    const open = listen({ host: '0.0.0.0', port: 0, clock, log, admin: unused, aws: ok });
    await expect(open).rejects.toThrow(UserError);
    await expect(open).rejects.toThrow(/need credentials, which are not available yet/);
  });
});
