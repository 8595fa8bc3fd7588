import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { systemClock } from '@slipway/kit/clock';
import { maxLineBytes, splitLines } from './lines.ts';
import type { Line } from './lines.ts';
import { openTimes } from './times.ts';
import type { LogTimes } from './times.ts';

export interface LogEvent extends Line {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

export interface EventPage {
  readonly events: LogEvent[];
  /** Where the next page forwards, and backwards, begins. */
  readonly forward: number;
  readonly backward: number;
}

export interface EventQuery {
  readonly limit: number;
  /** Inclusive; undefined for no bound. */
  readonly startTime: number | undefined;
  /** Exclusive. */
  readonly endTime: number | undefined;
}

/** A page of events is at most 1 MB of UTF-8 with 26 bytes more for each: API reference, GetLogEvents. */
export const maxPageBytes = 1024 * 1024;
const eventOverheadBytes = 26;
const chunkBytes = 512 * 1024;
/** A last line without its line feed is shown once nothing was written for so long: its writer may have died. */
const restAfterMs = 1000;

const platform = systemClock();
const costBytes = (line: Line): number => Buffer.byteLength(line.message) + eventOverheadBytes;

/** One reading of a log file as it is now. */
export class LogReader {
  readonly #file: FileHandle;
  readonly #times: LogTimes;
  readonly #size: number;
  readonly #takeRest: boolean;

  private constructor(file: FileHandle, times: LogTimes, size: number, takeRest: boolean) {
    this.#file = file;
    this.#times = times;
    this.#size = size;
    this.#takeRest = takeRest;
  }

  /** @returns undefined while the file does not exist: a stream without events */
  static async open(path: string): Promise<LogReader | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    const { size, mtimeMs } = await file.stat();
    const takeRest = platform.now() - mtimeMs > restAfterMs;
    return new LogReader(file, await openTimes(path, Math.floor(mtimeMs)), size, takeRest);
  }

  async close(): Promise<void> {
    await this.#times.close();
    await this.#file.close();
  }

  async #bytes(start: number, end: number): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.max(0, end - start));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  /** Lines from an offset on, which is a line's start; a chunk of the file at a time. */
  async *#linesFrom(offset: number): AsyncGenerator<{ lines: Line[]; end: number }> {
    for (let position = offset; position < this.#size;) {
      // Larger than the longest line, so that each round comes forward.
      const end = Math.min(this.#size, position + chunkBytes);
      const atEnd = end === this.#size;
      const page = splitLines(await this.#bytes(position, end), position, atEnd && this.#takeRest);
      if (page.end === position) return;
      yield page;
      position = page.end;
    }
  }

  /** The start of the line that an offset lies in. */
  async #lineStart(offset: number): Promise<number> {
    if (offset <= 0) return 0;
    const from = Math.max(0, offset - maxLineBytes);
    const feed = (await this.#bytes(from, offset)).lastIndexOf(0x0a);
    return feed < 0 ? from : from + feed + 1;
  }

  /**
   * Events from an offset towards the end.
   *
   * @param keep decides which lines are wanted at all
   * @param scanBytes at most so many bytes of the file are looked at
   */
  async forwards(
    offset: number,
    query: EventQuery,
    keep: (message: string) => boolean = () => true,
    scanBytes = Number.MAX_SAFE_INTEGER,
  ): Promise<EventPage & { readonly isComplete: boolean }> {
    const events: LogEvent[] = [];
    let start = offset;
    if (query.startTime !== undefined) {
      start = Math.max(start, await this.#lineStart(await this.#times.offsetFrom(query.startTime)));
    }
    let position = start;
    let bytes = 0;
    const backward = (): number => events[0]?.offset ?? offset;
    for await (const { lines, end } of this.#linesFrom(start)) {
      for (const line of lines) {
        const timestamp = await this.#times.timeAt(line.offset);
        if (query.endTime !== undefined && timestamp >= query.endTime) {
          return { events, forward: position, backward: backward(), isComplete: true };
        }
        const isWanted = (query.startTime === undefined || timestamp >= query.startTime) && keep(line.message);
        if (isWanted) {
          const isFull = events.length >= query.limit || (events.length > 0 && bytes + costBytes(line) > maxPageBytes);
          if (isFull) return { events, forward: position, backward: backward(), isComplete: false };
          bytes += costBytes(line);
          events.push({ ...line, timestamp });
        }
        position = line.end;
      }
      position = end;
      if (position - start >= scanBytes) return { events, forward: position, backward: backward(), isComplete: false };
    }
    return { events, forward: position, backward: backward(), isComplete: true };
  }

  /** The last events before an offset; without one, before the end. In the order of the file. */
  async backwards(offset: number | undefined, query: EventQuery): Promise<EventPage> {
    let limit = Math.min(offset ?? this.#size, this.#size);
    if (query.endTime !== undefined) limit = Math.min(limit, await this.#times.offsetFrom(query.endTime));
    const from = Math.max(0, limit - maxPageBytes - maxLineBytes);
    const start = from === 0 ? 0 : await this.#nextLine(from, limit);
    const takeRest = limit < this.#size || this.#takeRest;
    const { lines, end } = splitLines(await this.#bytes(start, limit), start, takeRest);
    const events: LogEvent[] = [];
    for (const line of lines) {
      const timestamp = await this.#times.timeAt(line.offset);
      if (query.startTime === undefined || timestamp >= query.startTime) events.push({ ...line, timestamp });
    }
    let bytes = 0;
    let first = events.length;
    while (first > 0 && events.length - first < query.limit) {
      bytes += costBytes(events[first - 1] as Line);
      if (bytes > maxPageBytes && first < events.length) break;
      first -= 1;
    }
    const page = events.slice(first);
    return { events: page, forward: page.at(-1)?.end ?? end, backward: page[0]?.offset ?? limit };
  }

  async #nextLine(offset: number, limit: number): Promise<number> {
    const feed = (await this.#bytes(offset, Math.min(limit, offset + maxLineBytes))).indexOf(0x0a);
    return feed < 0 ? offset : offset + feed + 1;
  }
}

export interface StreamSpan {
  readonly firstEventTimestamp: number;
  readonly lastEventTimestamp: number;
}

/** Times of a stream's first and last events; undefined while it has none. */
export async function spanOf(path: string): Promise<StreamSpan | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size === 0) return undefined;
  const times = await openTimes(path, Math.floor(found.mtimeMs));
  try {
    const span = await times.span();
    const fallback = Math.floor(found.mtimeMs);
    return { firstEventTimestamp: span?.first ?? fallback, lastEventTimestamp: span?.last ?? fallback };
  } finally {
    await times.close();
  }
}

/** When a stream was last written to, for ordering; 0 before that. */
export const lastWritten = async (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs, size }) => (size === 0 ? 0 : mtimeMs),
    () => 0,
  );
