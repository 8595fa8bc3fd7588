import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * When the bytes of a log were printed. Beside `<log>` its supervisor keeps `<log>.index`: a line
 * `<ms since the epoch> <size of the log>` each time the log was seen to have grown. So the byte at an offset was printed
 * when the first record with a larger size was made (up to a tenth of a second before).
 *
 * Worked example: with the records `1000 40` and `2000 90`, offsets 0 to 39 have the time 1000, 40 to 89 have 2000.
 */
export interface LogTimes {
  /** Offsets must be asked in ascending order; each is then found with little reading. */
  timeAt(offset: number): Promise<number>;
  /** The first offset that was printed at `time` or later. */
  offsetFrom(time: number): Promise<number>;
  /** Times of the first and the last record. */
  span(): Promise<{ readonly first: number; readonly last: number } | undefined>;
  close(): Promise<void>;
}

interface IndexRecord {
  readonly time: number;
  readonly size: number;
}

const windowBytes = 32 * 1024;
const longestRecordBytes = 64;

function parse(text: string): IndexRecord[] {
  const records: IndexRecord[] = [];
  for (const [, time, size] of text.matchAll(/^(\d{1,15}) (\d{1,16})\n/gm)) {
    records.push({ time: Number(time), size: Number(size) });
  }
  return records;
}

class IndexFile implements LogTimes {
  readonly #file: FileHandle;
  readonly #length: number;
  /** For what the index does not cover yet. */
  readonly #fallback: number;
  #records: IndexRecord[] = [];
  #cursor = 0;
  /** Where in the index the loaded records end. */
  #loadedTo = 0;

  constructor(file: FileHandle, length: number, fallback: number) {
    this.#file = file;
    this.#length = length;
    this.#fallback = fallback;
  }

  async #text(start: number, bytes: number): Promise<string> {
    const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, this.#length - start)));
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, start);
    return buffer.toString('latin1', 0, bytesRead);
  }

  /** The record that begins at or after a byte of the index, with where it begins. */
  async #recordFrom(position: number): Promise<{ record: IndexRecord; at: number } | undefined> {
    const text = await this.#text(position, 2 * longestRecordBytes);
    const lineStart = position === 0 ? 0 : text.indexOf('\n') + 1;
    if (position > 0 && lineStart === 0) return undefined;
    const [record] = parse(text.slice(lineStart));
    return record === undefined ? undefined : { record, at: position + lineStart };
  }

  /** Bisects the index. @returns where a record begins before which all records satisfy `isBefore` */
  async #bisect(isBefore: (record: IndexRecord) => boolean): Promise<number> {
    let low = 0;
    let high = this.#length;
    let known = 0;
    while (high - low > windowBytes) {
      const middle = Math.floor((low + high) / 2);
      const found = await this.#recordFrom(middle);
      if (found !== undefined && isBefore(found.record)) low = known = found.at;
      else high = middle;
    }
    return known;
  }

  async #load(position: number): Promise<boolean> {
    const text = await this.#text(position, windowBytes);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.#records = parse(whole);
    this.#cursor = 0;
    this.#loadedTo = position + whole.length;
    return this.#records.length > 0;
  }

  async timeAt(offset: number): Promise<number> {
    if (this.#loadedTo === 0) await this.#load(await this.#bisect((record) => record.size <= offset));
    for (;;) {
      for (; this.#cursor < this.#records.length; this.#cursor += 1) {
        const record = this.#records[this.#cursor];
        if (record !== undefined && record.size > offset) return record.time;
      }
      if (!(await this.#load(this.#loadedTo))) return this.#fallback;
    }
  }

  async offsetFrom(time: number): Promise<number> {
    let position = await this.#bisect((record) => record.time < time);
    let before = 0;
    for (;;) {
      const text = await this.#text(position, windowBytes);
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      if (whole === '') return before;
      for (const record of parse(whole)) {
        if (record.time >= time) return before;
        before = record.size;
      }
      position += whole.length;
    }
  }

  async span() {
    const [first] = parse(await this.#text(0, longestRecordBytes));
    const start = Math.max(0, this.#length - 2 * longestRecordBytes);
    const last = parse(await this.#text(start, 2 * longestRecordBytes)).at(-1);
    return first === undefined || last === undefined ? undefined : { first: first.time, last: last.time };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** @param fallback the time of what has no record: an index that is absent (or behind) costs the times, not the lines */
export async function openTimes(log: string, fallback: number): Promise<LogTimes> {
  try {
    const file = await open(`${log}.index`, 'r');
    return new IndexFile(file, (await file.stat()).size, fallback);
  } catch {
    return {
      timeAt: () => Promise.resolve(fallback),
      offsetFrom: () => Promise.resolve(0),
      span: () => Promise.resolve(undefined),
      close: () => Promise.resolve(),
    };
  }
}
