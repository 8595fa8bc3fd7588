import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdvanceableClock } from '@slipway/kit/clock';
import { advanceClock } from '@slipway/kit/machine/advance';
import type { ObservedRunner } from '@slipway/kit/machine/runner';
import { after } from '@slipway/kit/stopwatch';
import type { Respond } from './http.ts';
import type { RequestLog } from './request-log.ts';

export interface AdminOptions {
  readonly clock: AdvanceableClock;
  readonly runner: ObservedRunner;
  readonly requestLog: RequestLog;
  readonly liveJobs: () => readonly string[];
  /** What the health page tells beside `status` and `now`. */
  readonly identity: Readonly<Record<string, string | number>>;
}

export interface Admin {
  readonly respond: Respond;
  /** Moves the clock, one call after the other. @returns the clock's time after it */
  advance(ms: number, signal?: AbortSignal): Promise<number>;
}

const BODY_MAX_BYTES = 10_000;
/** Ten years: further, dates leave what clients can parse. */
const ADVANCE_MAX_MS = 3650 * 86_400_000;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Page = (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => Answer | Promise<Answer>;

/** The server's own pages below `/_slipway/`, in JSON, for the CLI and for tests. */
export function createAdmin(options: AdminOptions): Admin {
  const { clock, runner, requestLog, liveJobs, identity } = options;
  let last: Promise<unknown> = Promise.resolve();

  const advance = async (ms: number, signal?: AbortSignal): Promise<number> => {
    const run = last.then(() => advanceClock(clock, runner, ms, signal));
    last = run.catch(() => undefined);
    return await run;
  };
  const advanceRequest: Page = async (request, response, signal) => {
    const ms = await readMs(request);
    if (ms === undefined) {
      return bad(`Send {"ms": <a whole number of milliseconds, at most ${ADVANCE_MAX_MS}>} as application/json.`);
    }
    const stop = sendSpaces(response);
    try {
      return { status: 200, body: { now: await advance(ms, signal) } };
    } catch (error) {
      return { status: 500, body: { message: `The clock stopped on its way: ${String((error as Error).message)}.` } };
    } finally {
      stop();
    }
  };
  const pages: Readonly<Record<string, Page>> = {
    'GET /_slipway/health': () => ({ status: 200, body: { status: 'ok', ...identity, now: clock.now() } }),
    'POST /_slipway/clock/advance': advanceRequest,
    'GET /_slipway/state': async () => {
      await requestLog.flush();
      const state = { now: clock.now(), liveJobs: liveJobs(), parked: runner.parked() };
      return { status: 200, body: { ...state, nextWake: runner.nextWake() ?? null } };
    },
  };
  return {
    advance,
    async respond(request, response, signal, expectsContinue) {
      if (expectsContinue) response.writeContinue();
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const route = `${request.method} ${path}`;
      const page = Object.hasOwn(pages, route) ? pages[route] : undefined;
      send(
        response,
        page === undefined
          ? { status: 404, body: { message: `There is no ${route}.` } }
          : await page(request, response, signal),
      );
    },
  };
}

const SPACE_EVERY_MS = 15_000;

/** While work goes on that may take hours: spaces, which JSON allows, so that no client takes us for dead. */
function sendSpaces(response: ServerResponse): () => void {
  let cancel: () => void;
  const beat = (): void => {
    cancel = after(SPACE_EVERY_MS, () => {
      if (!response.headersSent) response.writeHead(200, HEADERS);
      response.write(' ');
      beat();
    });
  };
  beat();
  return () => cancel();
}

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

function send(response: ServerResponse, { status, body }: Answer): void {
  if (!response.headersSent) response.writeHead(status, HEADERS);
  response.end(`${JSON.stringify(body)}\n`);
}

function bad(message: string): Answer {
  return { status: 400, body: { message } };
}

/** The content type is asked for because a browser sends it across origins only after having asked for leave. */
async function readMs(request: IncomingMessage): Promise<number | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk);
  }
  if (bytes > BODY_MAX_BYTES || !/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return undefined;
  try {
    const { ms } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { ms?: unknown };
    return typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0 && ms <= ADVANCE_MAX_MS ? ms : undefined;
  } catch {
    return undefined;
  }
}
