import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { NoSpace } from '../errors.ts';

/** A stretch of an object's bytes: a whole blob file. */
export interface Segment {
  readonly blob: string;
  readonly size: number;
}

/** A blob whose file is in place and whose row is not yet written. `keep` or `discard` it. */
export interface NewBlob extends Segment {
  /** Its row is committed. */
  keep(): void;
  /** It will have no row: deletes the file. */
  discard(): Promise<void>;
}

/** Sees each chunk as it passes. */
export interface ByteWatcher {
  update(bytes: Uint8Array): void;
}

/**
 * Files of bytes, named by random ids. A file is written under `incoming/`, renamed into `blobs/<2 hex>/`, and only then
 * gets a row, so a crash leaves at most a file without a row; those are swept at the next start. fsync is not called:
 * the promise covers the death of the process, not a power cut.
 */
export interface Blobs {
  /**
   * Streams a body to a file in constant memory and feeds every digest on the way.
   *
   * @throws NoSpace when the disk is full; whatever the body threw. Nothing stays on disk in either case
   */
  write(body: Readable | Uint8Array, digests: readonly ByteWatcher[], maxBytes: number): Promise<NewBlob>;
  /** Deletes files, once the last reader that holds them has let go. Call it after the rows' commit. */
  remove(ids: readonly string[]): void;
  /** Keeps files readable although they may be removed meanwhile. @returns the function that lets go */
  hold(ids: readonly string[]): () => void;
  open(id: string): Promise<FileHandle>;
  /** Deletes files of an earlier process that have no row. @returns how many */
  sweep(hasRow: (id: string) => boolean, closing?: AbortSignal): Promise<number>;
  /** Resolves when deletions in flight are done. */
  settled(): Promise<void>;
}

/** Thrown by `write` when a body is longer than allowed; its caller knows the right answer. */
export class TooLong extends Error {}

const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, offset, chunk.length - offset);
    offset += bytesWritten;
  }
}

/** @throws TooLong past `maxBytes` */
async function drain(
  body: Readable | Uint8Array,
  file: FileHandle,
  digests: readonly ByteWatcher[],
  maxBytes: number,
): Promise<number> {
  let size = 0;
  // A request must stay readable when we refuse it, or its client never sees the answer.
  const pieces: AsyncIterable<Uint8Array | string> | Uint8Array[] =
    body instanceof Uint8Array ? [body] : body.iterator({ destroyOnReturn: false });
  for await (const piece of pieces) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    size += chunk.length;
    if (size > maxBytes) throw new TooLong();
    for (const digest of digests) digest.update(chunk);
    await writeAll(file, chunk);
  }
  return size;
}

class BlobFolder implements Blobs {
  readonly #folder: string;
  readonly #incoming: string;
  readonly #blobs: string;
  /** What an earlier process left unfinished. */
  readonly #abandoned: readonly string[];
  readonly #holders = new Map<string, number>();
  /** Removed while held; the last holder's end deletes them. */
  readonly #doomed = new Set<string>();
  /** In place, but not yet kept: the sweep must not take them. */
  readonly #unsettled = new Set<string>();
  readonly #deletions = new Set<Promise<void>>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#incoming = join(folder, 'incoming');
    this.#blobs = join(folder, 'blobs');
    mkdirSync(this.#incoming, { recursive: true, mode: 0o700 });
    mkdirSync(this.#blobs, { recursive: true, mode: 0o700 });
    this.#abandoned = readdirSync(this.#incoming);
  }

  #path(id: string): string {
    return join(this.#blobs, id.slice(0, 2), id);
  }

  open(id: string): Promise<FileHandle> {
    return open(this.#path(id), 'r');
  }

  #unlink(file: string): Promise<void> {
    const deletion = rm(file, { force: true }).catch(() => undefined);
    this.#deletions.add(deletion);
    return deletion.finally(() => this.#deletions.delete(deletion));
  }

  async #place(id: string): Promise<void> {
    this.#unsettled.add(id);
    const written = join(this.#incoming, id);
    try {
      await rename(written, this.#path(id));
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
      await mkdir(join(this.#blobs, id.slice(0, 2)), { recursive: true, mode: 0o700 });
      await rename(written, this.#path(id));
    }
  }

  async write(body: Readable | Uint8Array, digests: readonly ByteWatcher[], maxBytes: number): Promise<NewBlob> {
    const id = randomBytes(16).toString('hex');
    try {
      const file = await open(join(this.#incoming, id), 'wx', 0o600);
      let size: number;
      try {
        size = await drain(body, file, digests, maxBytes);
      } finally {
        await file.close();
      }
      await this.#place(id);
      return {
        blob: id,
        size,
        keep: () => void this.#unsettled.delete(id),
        discard: () => this.#unlink(this.#path(id)).finally(() => this.#unsettled.delete(id)),
      };
    } catch (error) {
      await this.#unlink(join(this.#incoming, id));
      this.#unsettled.delete(id);
      throw isCode(error, 'ENOSPC', 'EDQUOT') ? new NoSpace(this.#folder) : error;
    }
  }

  hold(ids: readonly string[]): () => void {
    for (const id of ids) this.#holders.set(id, (this.#holders.get(id) ?? 0) + 1);
    let held = true;
    return () => {
      if (held) for (const id of ids) this.#letGo(id);
      held = false;
    };
  }

  #letGo(id: string): void {
    const others = (this.#holders.get(id) ?? 1) - 1;
    if (others > 0) {
      this.#holders.set(id, others);
      return;
    }
    this.#holders.delete(id);
    if (this.#doomed.delete(id)) void this.#unlink(this.#path(id));
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#holders.has(id)) this.#doomed.add(id);
      else void this.#unlink(this.#path(id));
    }
  }

  async sweep(hasRow: (id: string) => boolean, closing?: AbortSignal): Promise<number> {
    for (const name of this.#abandoned) await this.#unlink(join(this.#incoming, name));
    let swept = 0;
    for (const shelf of await readdir(this.#blobs)) {
      for (const id of await readdir(join(this.#blobs, shelf))) {
        if (closing?.aborted === true) return swept;
        if (this.#unsettled.has(id) || this.#doomed.has(id) || hasRow(id)) continue;
        await this.#unlink(join(this.#blobs, shelf, id));
        swept += 1;
      }
    }
    return swept;
  }

  async settled(): Promise<void> {
    while (this.#deletions.size > 0) await Promise.all(this.#deletions);
  }
}

/** @param folder made if it is not there; nothing else may write in it */
export const openBlobs = (folder: string): Blobs => new BlobFolder(folder);
