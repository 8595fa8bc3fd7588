import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { systemClock } from './clock.ts';
import { UserError } from './errors.ts';

/** A lock that this process holds. */
export interface Lock {
  /** Gives the lock back. Safe to call twice. */
  release(): Promise<void>;
}

/** Somebody else holds the lock. */
export class LockHeld extends UserError {
  /** The holder's process, if its note could be read. */
  readonly pid: number | undefined;

  constructor(parts: ConstructorParameters<typeof UserError>[0], pid: number | undefined) {
    super(parts);
    this.name = 'LockHeld';
    this.pid = pid;
  }
}

interface Note {
  readonly pid: number;
  readonly token: string;
  readonly command: string;
  readonly since: string;
}

/**
 * Takes the lock file `path`, or says who holds it.
 *
 * Two files: `<path>` is a note for people (who, since when, doing what); `<path>.held` is what excludes, a file lock
 * of the operating system, taken by SQLite's exclusive transaction. The system gives it back the moment its process is
 * dead, however it died, so a lock can be neither stale nor taken for stale: a reused process number, a zombie or a
 * holder in another container does not matter, and two that start at once cannot both get it. Nothing but SQLite may
 * open `<path>.held`: closing another handle of the same process would drop a POSIX lock.
 *
 * @param what what the lock protects, for the message, for example `the data folder /x/.slipway`
 * @param command what this process is doing, for the message others get
 * @throws LockHeld at once when another process, or another part of this one, holds it
 */
export async function acquireLock(path: string, what: string, command: string): Promise<Lock> {
  // Loaded here so that reading this module costs nothing where no lock is taken.
  const { DatabaseSync } = await import('@photostructure/sqlite');
  const held = new DatabaseSync(`${path}.held`, { timeout: 0 });
  try {
    held.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    held.close();
    if (!isBusy(error)) throw error;
    throw lockHeld(path, what, await readNote(path));
  }
  const note: Note = {
    pid: process.pid,
    token: randomBytes(16).toString('hex'),
    command,
    since: new Date(systemClock().now()).toISOString(),
  };
  try {
    await writeFile(`${path}.${note.token}`, `${JSON.stringify(note)}\n`, { mode: 0o600 });
    await rename(`${path}.${note.token}`, path);
  } catch (error) {
    held.close();
    throw error;
  }
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    if ((await readNote(path))?.token === note.token) await unlink(path).catch(() => undefined);
    held.close();
  };
  return { release: () => (released ??= release()) };
}

function lockHeld(path: string, what: string, note: Note | undefined): LockHeld {
  if (note === undefined) {
    return new LockHeld(
      {
        what: `Another process is using ${what}.`,
        why: `It holds ${path}.held.`,
        next: 'Wait a moment, then try again.',
      },
      undefined,
    );
  }
  return new LockHeld(
    {
      what: `Another process is using ${what}.`,
      why: `Process ${note.pid} (${note.command}) has held ${path} since ${note.since}.`,
      next: `Use that one, or end it first (kill ${note.pid}). The lock goes with its process; no file needs deleting.`,
    },
    note.pid,
  );
}

function isBusy(error: unknown): boolean {
  // 5 is SQLITE_BUSY; the low byte of an extended code is its family.
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 5;
}

async function readNote(path: string): Promise<Note | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { pid, token, command, since } = parsed as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof token !== 'string') return undefined;
    return { pid, token, command: String(command), since: String(since) };
  } catch {
    return undefined;
  }
}
