import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@slipway/kit/clock';
import type { Clock } from '@slipway/kit/clock';
import { systemIds } from '@slipway/kit/ids';
import type { Logger } from '@slipway/kit/log';
import { createWire } from '../../packages/server/src/wire/pipeline.ts';
import type { AnsweredRequest } from '../../packages/server/src/wire/pipeline.ts';
import type { Service } from '../../packages/server/src/wire/service.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps what is logged. */
export function recordingLogger(lines: LogLine[] = []): Logger & { readonly lines: LogLine[] } {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, fields });
    };
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => recordingLogger(lines),
  };
}

export interface WireServer {
  readonly url: string;
  readonly port: number;
  readonly log: LogLine[];
  readonly answered: AnsweredRequest[];
  close(): Promise<void>;
}

/** The wire on a real socket with these services: what `main.ts` does, without state behind it. */
export async function startWire(services: readonly Service[], clock: Clock = systemClock()): Promise<WireServer> {
  const logger = recordingLogger();
  const answered: AnsweredRequest[] = [];
  let url = '';
  const wire = createWire({
    services,
    clock,
    ids: systemIds(clock),
    log: logger,
    baseUrl: () => url,
    onRequest: (request) => answered.push(request),
  });
  const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 });
  for (const [event, expectsContinue] of [
    ['request', false],
    ['checkContinue', true],
  ] as const) {
    server.on(event, (request, response) => {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      void wire.handleRequest(request, response, gone.signal, expectsContinue);
    });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    log: logger.lines,
    answered,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
