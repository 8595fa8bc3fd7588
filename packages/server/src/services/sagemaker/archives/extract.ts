import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { linkSignals } from '@slipway/kit/signals';
import type { Parser, ReadEntry } from 'tar';
import { isSafePath } from './safe-path.ts';

export interface ArchiveLimits {
  readonly entriesMax: number;
  readonly bytesMax: number;
  /** Unpacked bytes for each packed one. */
  readonly ratioMax: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  entriesMax: 100_000,
  bytesMax: 20 * 1024 ** 3,
  ratioMax: 100,
};

/** A small file of zeros may well shrink more than a hundredfold; the ratio counts only above this. */
const RATIO_FREE_BYTES = 1024 * 1024;

/** The bytes are no archive that may be unpacked. Says which rule, never a path of this machine. */
export class BadArchive extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'BadArchive';
  }
}

/**
 * Unpacks an untrusted model.tar.gz. Only regular files and folders with normalised relative names are taken; a link, a
 * device, an absolute name, `..`, a name that comes twice, or too much of anything refuses the whole archive. It unpacks
 * into a fresh private folder and renames that to `target` at the end, so a `target` that exists is always complete.
 *
 * @throws BadArchive
 */
export async function extractArchive(
  source: Readable,
  target: string,
  signal: AbortSignal,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<void> {
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  try {
    await unpack(source, partial, signal, limits);
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
  } catch (error) {
    source.destroy();
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function unpack(source: Readable, folder: string, signal: AbortSignal, limits: ArchiveLimits): Promise<void> {
  // Loaded here, because a server that unpacks nothing starts sooner without it.
  const tar = await import('tar');
  const guard = new Guard(limits);
  const failed = new AbortController();
  const gunzip = createGunzip();
  const either = linkSignals(signal, failed.signal);
  const packed = pipeline(source, guard.countPacked(), gunzip, { signal: either.signal });
  packed.catch(() => undefined);
  const entries = new Entries(tar, folder, guard, failed);
  try {
    for await (const chunk of gunzip) {
      guard.countUnpacked(chunk as Buffer);
      await entries.write(chunk as Buffer, failed.signal);
      failed.signal.throwIfAborted();
    }
    await entries.end(guard.empty, failed.signal);
  } catch (error) {
    // The first reason counts; it also ends the writes of an entry whose bytes will not come any more.
    failed.abort(isGzipError(error) ? new BadArchive('it is not a gzip file, or it is cut off') : error);
    gunzip.destroy();
    await packed.catch(() => undefined);
    await entries.settled();
    signal.throwIfAborted();
    throw failed.signal.reason;
  } finally {
    either.unlink();
  }
}

/** The tar parser with the files it writes; its first refusal ends everything. */
class Entries {
  readonly #writes: Promise<void>[] = [];
  readonly #parser: Parser;
  #broken: Error | undefined;

  constructor(tar: typeof import('tar'), folder: string, guard: Guard, failed: AbortController) {
    const refuse = (error: unknown): void => failed.abort(error);
    const take = (entry: ReadEntry): void => {
      try {
        const path = guard.admit(entry);
        this.#writes.push(writeEntry(entry, folder, path, failed.signal).catch(refuse));
      } catch (error) {
        refuse(error);
        entry.resume();
      }
    };
    this.#parser = new tar.Parser({ strict: true, maxMetaEntrySize: 64 * 1024, onReadEntry: take });
    this.#parser.on('error', (error: Error) => (this.#broken ??= error));
    this.#parser.on('ignoredEntry', () => refuse(new BadArchive('it holds something that is no file and no folder')));
  }

  async write(chunk: Buffer, failed: AbortSignal): Promise<void> {
    if (!this.#parser.write(chunk)) await once(this.#parser, 'drain', { signal: failed });
  }

  /** @param empty a tar of nothing but zeros is an archive without entries, which the parser does not recognise */
  async end(empty: boolean, failed: AbortSignal): Promise<void> {
    // Not `once`: it would reject at the parser's error event, which an empty archive causes.
    await new Promise<void>((resolve, reject) => {
      failed.addEventListener('abort', () => reject(failed.reason as Error), { once: true });
      this.#parser.on('end', resolve);
      this.#parser.end();
    });
    await this.settled();
    failed.throwIfAborted();
    if (this.#broken !== undefined && !empty) throw new BadArchive('it is not a tar archive, or it is damaged');
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes);
  }
}

async function writeEntry(entry: ReadEntry, folder: string, path: string, signal: AbortSignal): Promise<void> {
  const target = join(folder, path);
  try {
    if (entry.type === 'Directory') {
      entry.resume();
      await mkdir(target, { recursive: true });
      return;
    }
    // The entry holds its bytes back until it is read, so waiting for its folder loses nothing.
    await mkdir(dirname(target), { recursive: true });
    await pipeline(entry, createWriteStream(target, { flags: 'wx', mode: 0o644 }), { signal });
  } catch (error) {
    entry.resume();
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR') {
      throw new BadArchive('it holds a file and a folder of one name');
    }
    throw error;
  }
}

/** Counts, and refuses what goes over a limit or is not a plain file or folder. */
class Guard {
  readonly #limits: ArchiveLimits;
  readonly #seen = new Set<string>();
  #packedBytes = 0;
  #unpackedBytes = 0;
  #entryBytes = 0;
  #entries = 0;
  #onlyZeros = true;

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  get empty(): boolean {
    return this.#onlyZeros && this.#unpackedBytes >= 512;
  }

  countPacked(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#packedBytes += chunk.byteLength;
        done(null, chunk);
      },
    });
  }

  countUnpacked(chunk: Buffer): void {
    if (this.#unpackedBytes === 0 && isPackedAgain(chunk)) throw new BadArchive('it is compressed twice');
    this.#unpackedBytes += chunk.byteLength;
    this.#onlyZeros &&= this.#unpackedBytes <= 10 * 1024 * 1024 && chunk.every((byte) => byte === 0);
    if (this.#unpackedBytes > this.#limits.bytesMax) {
      throw new BadArchive(`it unpacks to more than ${this.#limits.bytesMax} bytes`);
    }
    const free = Math.max(RATIO_FREE_BYTES, this.#packedBytes * this.#limits.ratioMax);
    if (this.#unpackedBytes > free) {
      throw new BadArchive(`it unpacks to more than ${this.#limits.ratioMax} times its size`);
    }
  }

  /** @returns the entry's normalised path; '' for the root itself */
  admit(entry: ReadEntry): string {
    if ((this.#entries += 1) > this.#limits.entriesMax) {
      throw new BadArchive(`it holds more than ${this.#limits.entriesMax} entries`);
    }
    const folder = entry.type === 'Directory';
    if (!folder && entry.type !== 'File' && entry.type !== 'OldFile') {
      throw new BadArchive(`it holds something that is no file and no folder (${entry.type})`);
    }
    if ((this.#entryBytes += entry.size) > this.#limits.bytesMax) {
      throw new BadArchive(`it unpacks to more than ${this.#limits.bytesMax} bytes`);
    }
    const path = entry.path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
    if (folder && (path === '' || path === '.')) return '';
    if (!isSafePath(path))
      throw new BadArchive('it holds a name that leads out of its folder, or that is no file name');
    if (!folder && this.#seen.has(path)) throw new BadArchive('it holds two files of one name');
    this.#seen.add(path);
    return path;
  }
}

/** gzip or zstd, which the parser would unpack by itself, past our counting. */
function isPackedAgain(chunk: Buffer): boolean {
  return chunk.subarray(0, 2).toString('hex') === '1f8b' || chunk.subarray(0, 4).toString('hex') === '28b52ffd';
}

function isGzipError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code?.startsWith('Z_') === true || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
