import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdvanceableClock } from '@slipway/kit/clock';
import { advanceClock } from '@slipway/kit/machine/advance';
import type { ObservedRunner } from '@slipway/kit/machine/runner';
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

/** The server's own pages below `/_slipway/`, in JSON, for the CLI and for tests. */
export function createAdmin(options: AdminOptions): Admin {
  const { clock, runner, requestLog, liveJobs, identity } = options;
  let last: Promise<unknown> = Promise.resolve();

  const advance = async (ms: number, signal?: AbortSignal): Promise<number> => {
    const run = last.then(() => advanceClock(clock, runner, ms, signal));
    last = run.catch(() => undefined);
    return await run;
  };
  const advanceRequest = async (request: IncomingMessage, signal: AbortSignal): Promise<Answer> => {
    const ms = await readMs(request);
    if (ms === undefined) {
      return bad(`Send {"ms": <a whole number of milliseconds, at most ${ADVANCE_MAX_MS}>} as application/json.`);
    }
    return { status: 200, body: { now: await advance(ms, signal) } };
  };
  const pages: Readonly<Record<string, (request: IncomingMessage, signal: AbortSignal) => Answer | Promise<Answer>>> = {
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
        page === undefined ? { status: 404, body: { message: `There is no ${route}.` } } : await page(request, signal),
      );
    },
  };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
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
