import { appendFile, rename, stat } from 'node:fs/promises';
import type { Logger } from '@slipway/kit/log';
import { after } from '@slipway/kit/stopwatch';

/** One AWS request, as the request log keeps it: never its content. */
export interface RequestRecord {
  /** The clock's time when it arrived. */
  readonly at: number;
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  /** The model's name, for example `sagemaker`. */
  readonly service: string;
  readonly operation: string;
  readonly status: number;
  /** Real time. */
  readonly durationMs: number;
}

export interface RequestLog {
  /** Never waits and never throws. */
  record(request: RequestRecord): void;
  /** Resolves when everything recorded so far is in the file. */
  flush(): Promise<void>;
}

export interface RequestLogOptions {
  readonly path: string;
  readonly log: Logger;
  /** The file is moved aside, to `<path>.1`, when it has grown to this; so at most twice as much is kept. */
  readonly maxBytes?: number;
}

const FLUSH_AFTER_MS = 50;
const WAITING_MAX_BYTES = 4_000_000;

/** Operations by whose name AWS promises that nothing changes, and the invocation of a model. */
const READS = /^(Describe|List|Get|Head|Search|BatchDescribe|BatchGet|Filter|Invoke)/;

/** True for operations that change something that a Describe could show. */
export function changesSomething(operation: string): boolean {
  return !READS.test(operation);
}

/** Appends a JSON line a request, in batches, so that no request waits for the disk. */
export function openRequestLog({ path, log, maxBytes = 32_000_000 }: RequestLogOptions): RequestLog {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let scheduled = false;
  let size: number | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    scheduled = false;
    if (waiting.length === 0) return;
    const text = waiting.join('');
    waiting = [];
    waitingBytes = 0;
    try {
      size ??= await sizeOf(path);
      if (size + text.length > maxBytes && size > 0) {
        await rename(path, `${path}.1`);
        size = 0;
      }
      await appendFile(path, text, { mode: 0o600 });
      size += Buffer.byteLength(text);
    } catch (error) {
      size = undefined;
      log.warn('requests could not be written to the request log', { error });
    }
  };
  const flush = async (): Promise<void> => await (writing = writing.then(write));
  return {
    flush,
    record({ at, requestId, account, region, service, operation, status, durationMs }) {
      const line = `${JSON.stringify({
        at: new Date(at).toISOString(),
        requestId,
        account,
        region,
        service,
        operation,
        changes: changesSomething(operation),
        status,
        durationMs: Math.round(durationMs * 100) / 100,
      })}\n`;
      if (waitingBytes + line.length > WAITING_MAX_BYTES) {
        dropped += 1;
        if (dropped % 1000 === 1) log.warn('the disk is too slow for the request log', { dropped });
        return;
      }
      waiting.push(line);
      waitingBytes += line.length;
      if (scheduled) return;
      scheduled = true;
      after(FLUSH_AFTER_MS, () => void flush());
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
