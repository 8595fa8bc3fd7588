import { canonical } from '../digest.ts';
import { ConcurrentChange, DeliveryError } from '../errors.ts';
import { sequenceKey } from '../names.ts';
import type { ProjectObjects } from '../objects.ts';

// An append-only log of objects in S3: `<prefix><sequence, 8 digits>.json`. A record is written with If-None-Match: *,
// so of two writers of one sequence number one loses and reads again. Each record carries the folded state, so the
// newest record is the whole log to whoever reads it.

/** Numbers past which a log is taken to be broken rather than long. */
const SEQUENCE_MAX = 99_999_999;
/** Keys of one list; S3 gives no more. */
const PAGE = 1_000;
const APPEND_ATTEMPTS = 5;

/** Every record of every log. */
export interface LogRecord<State> {
  readonly schemaVersion: '1';
  readonly sequence: number;
  /** By the `Date` of an answer; the sequence orders, not this. */
  readonly at: string;
  readonly state: State;
}

export interface Tail<Entry> {
  /** 0 for an empty log. */
  readonly sequence: number;
  readonly record: Entry | undefined;
}

export class ReleaseLog<Entry extends LogRecord<unknown>> {
  readonly #objects: ProjectObjects;
  readonly #prefix: string;
  readonly #page: number;

  /** @param page for tests of long logs: how many keys one list may give */
  constructor(objects: ProjectObjects, prefix: string, page = PAGE) {
    this.#page = page;
    this.#objects = objects;
    this.#prefix = prefix;
  }

  /** The newest record: one list and one get for a log of up to 1,000 records; a few lists more beyond. */
  async tail(): Promise<Tail<Entry>> {
    const key = await this.#newestKey();
    if (key === undefined) return { sequence: 0, record: undefined };
    const found = await this.#objects.json<Entry>(key);
    if (found === undefined) throw new ConcurrentChange(`${this.#objects.uri(key)} vanished while it was read.`);
    const record = found.value;
    if (record.schemaVersion !== '1') {
      throw new DeliveryError(
        `${this.#objects.uri(key)} was written by a newer Slipway (schema ${String(record.schemaVersion)}).`,
        'Use the newer version.',
      );
    }
    return { sequence: record.sequence, record };
  }

  async #newestKey(): Promise<string | undefined> {
    // A first page tells whether the log is short; past it, keys are guessed at doubling distances and the list starts
    // at the last guess that still had records behind it.
    const first = await this.#after(0);
    if (first.length < this.#page) return first.at(-1);
    let low = this.#page;
    for (let step = this.#page; low + step <= SEQUENCE_MAX; step *= 2) {
      if ((await this.#after(low + step, 1)).length === 0) break;
      low += step;
    }
    let newest = first.at(-1);
    for (;;) {
      const page = await this.#after(low);
      newest = page.at(-1) ?? newest;
      if (page.length < this.#page) return newest;
      low += this.#page;
    }
  }

  async #after(sequence: number, limit = this.#page): Promise<string[]> {
    const startAfter = `${this.#prefix}${sequenceKey(sequence)}.json`;
    const found = await this.#objects.list(this.#prefix, { startAfter, limit });
    return found.map((entry) => entry.key).filter((key) => /\/\d{8}\.json$/.test(key));
  }

  async read(sequence: number): Promise<Entry | undefined> {
    return (await this.#objects.json<Entry>(`${this.#prefix}${sequenceKey(sequence)}.json`))?.value;
  }

  /** @returns false if another writer took this number */
  async append(entry: Entry): Promise<boolean> {
    const key = `${this.#prefix}${sequenceKey(entry.sequence)}.json`;
    const etag = await this.#objects.putNew(key, canonical(entry));
    if (etag !== undefined) return true;
    // A retry of our own request finds our own record there: then it was written, once.
    const there = await this.#objects.json<Entry>(key);
    return there !== undefined && canonical(there.value) === canonical(entry);
  }

  /**
   * Appends what `make` derives from the newest record, again from the newer one when another writer was quicker.
   * `make` answers undefined when nothing is left to record.
   */
  async extend(make: (tail: Tail<Entry>) => Entry | undefined): Promise<Entry | undefined> {
    for (let attempt = 0; attempt < APPEND_ATTEMPTS; attempt += 1) {
      const entry = make(await this.tail());
      if (entry === undefined) return undefined;
      if (await this.append(entry)) return entry;
    }
    throw new ConcurrentChange(`The log ${this.#prefix} is being written by others all the time.`, 'Try again.');
  }
}
