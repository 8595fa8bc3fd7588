import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@slipway/kit/errors';

/** The kernel takes 108 bytes on Linux and 104 on macOS, with a zero at the end. */
const LONGEST_SOCKET_PATH_BYTES = 99;
const NAME_CHARACTERS = 12;

function shortName(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, NAME_CHARACTERS);
}

/** Short paths for the sockets of one data folder; the same after a restart, so that a new server finds live jobs. */
export interface RunFolder {
  readonly path: string;
  /** Where the engine listens. */
  readonly engineSocket: string;
  jobSocket(id: string): string;
}

async function makePrivate(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const status = await lstat(path);
  if (!status.isDirectory() || status.uid !== userInfo().uid || (status.mode & 0o077) !== 0) {
    throw new UserError({
      what: `${path} is not a private folder of this user.`,
      why: 'Slipway keeps its sockets there, and whoever can write there could answer for them.',
      next: `Remove it (\`rm -r ${path}\`) or set TMPDIR to a folder of your own.`,
    });
  }
}

/** @throws UserError when the folder belongs to somebody else */
export async function openRunFolder(dataFolder: string, temporaryFolder = tmpdir()): Promise<RunFolder> {
  const longest = join(temporaryFolder, `slipway-${userInfo().uid}`, shortName(''), shortName(''));
  const base = Buffer.byteLength(longest) > LONGEST_SOCKET_PATH_BYTES ? '/tmp' : temporaryFolder;
  const shared = join(base, `slipway-${userInfo().uid}`);
  await makePrivate(shared);
  const path = join(shared, shortName(dataFolder));
  await makePrivate(path);
  return { path, engineSocket: join(path, 'engine'), jobSocket: (id) => join(path, shortName(id)) };
}
