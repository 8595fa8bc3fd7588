import { chmod, mkdir, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@slipway/kit/errors';
import { acquireLock, type Lock } from '@slipway/kit/lock';
import { openDatabase, type Database } from '@slipway/kit/sqlite';
import { MIGRATIONS } from './migrations/index.ts';

/** What others find in `server.json` about the server that runs on a data folder. */
export interface ServerFile {
  readonly url: string;
  readonly pid: number;
  /** ISO 8601, on the platform's clock. */
  readonly startedAt: string;
}

/** A data folder that this process alone uses, until `close`. */
export interface DataFolder {
  readonly path: string;
  readonly db: Database;
  writeServerFile(content: ServerFile): Promise<void>;
  close(): Promise<void>;
}

/**
 * Creates the folder if need be (for its owner's eyes only), takes its lock and opens its database.
 *
 * @param command what this process is, for the message a second one gets
 * @throws UserError when it is in use, cannot be written, or was written by a newer version
 */
export async function openDataFolder(path: string, command: string): Promise<DataFolder> {
  const lock = await lockFolder(path, command);
  let db: Database;
  try {
    db = openDatabase(join(path, 'state.sqlite'), MIGRATIONS);
  } catch (error) {
    await lock.release();
    throw explain(error, path);
  }
  const serverFile = join(path, 'server.json');
  return {
    path,
    db,
    async writeServerFile(content) {
      await writeFile(`${serverFile}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
      await rename(`${serverFile}.new`, serverFile);
    },
    async close() {
      await unlink(serverFile).catch(() => undefined);
      try {
        db.close();
      } finally {
        await lock.release();
      }
    },
  };
}

async function lockFolder(path: string, command: string): Promise<Lock> {
  try {
    const created = await mkdir(path, { recursive: true, mode: 0o700 });
    // A umask may have taken bits away that we need ourselves; one that left others in is no matter.
    if (created !== undefined) await chmod(path, 0o700);
    return await acquireLock(join(path, 'lock'), `the data folder ${path}`, command);
  } catch (error) {
    throw explain(error, path);
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'You are not allowed to write there.',
  EPERM: 'You are not allowed to write there.',
  EROFS: 'It is on a file system that is mounted read-only.',
  ENOSPC: 'The disk is full.',
  EDQUOT: 'Your disk quota is used up.',
  ENOTDIR: 'A part of the path is a file.',
  EEXIST: 'It is a file.',
};

/** SQLite's result codes that are about the file and not about us, by their low byte. */
const SQLITE_SENTENCES: Readonly<Record<number, string>> = {
  8: 'Its database cannot be written.',
  10: 'The disk reported an error.',
  11: 'Its database is damaged.',
  13: 'The disk is full.',
  14: 'Its database cannot be opened.',
  26: 'state.sqlite in it is not a database.',
};

/** An error about the folder's files as a sentence for its user; any other error as it is. */
export function explain(error: unknown, path: string): unknown {
  if (error instanceof UserError) return error;
  const { code, errcode } = error as { code?: string; errcode?: number };
  const why = SENTENCES[code ?? ''] ?? SQLITE_SENTENCES[(errcode ?? 0) % 256];
  if (why === undefined) return error;
  return new UserError({
    what: `The data folder ${path} cannot be used.`,
    why,
    next: 'Make room or repair its permissions, or name another folder with --data.',
    cause: error,
  });
}
